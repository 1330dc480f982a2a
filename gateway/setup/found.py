"""What is known so far: the devices found on each line, what they were called, the broker. Plain data."""

import msgspec


class Device(msgspec.Struct, frozen=True):
    """A device as a scan found it; `products` are what it may be, the likeliest first."""

    address: int
    products: tuple[str, ...] = ()
    category: str = ""


class Line(msgspec.Struct, frozen=True):
    """What a scan found on one port. `garbled` are addresses with answers that make no frame.

    `whole` is False when the scan was cut short.
    """

    port: str
    baud: int = 9600
    parity: str = "none"
    devices: tuple[Device, ...] = ()
    elsewhere: tuple[int, ...] = ()  # addresses that answered at another speed
    garbled: tuple[int, ...] = ()
    whole: bool = True


class Installed(msgspec.Struct, frozen=True):
    """A device with everything a person said of it."""

    name: str
    address: int
    product: str
    category: str
    place: dict[str, str] = {}
    label: str = ""
    others: tuple[str, ...] = ()


class Wired(msgspec.Struct, frozen=True):
    """A line with its name and what is installed on it. `unknown` are addresses of products we do not know."""

    name: str
    line: Line
    devices: tuple[Installed, ...] = ()
    unknown: tuple[int, ...] = ()


class Site(msgspec.Struct, frozen=True):
    """All that gateway.toml is going to say. `mqtt` are keys of that table, empty where there is no broker."""

    id: str
    name: str
    place: dict[str, str]
    state_dir: str
    lines: tuple[Wired, ...] = ()
    mqtt: dict[str, str] = {}
    free_doors: bool = True
