"""Find the devices on a line nobody has written down: speeds, addresses, and which known product each may be.

Nothing is ever written to a device: every request is a read. A device is there when any valid frame comes back
from its address, an exception too. Then the reads of each known product are tried on it, and those that fit are
ranked. `order.py` says what is asked next, `fitting.py` which product fits, `port.py` owns the port.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from drivers.api import Profile
from drivers.modbus.codec import Request
from drivers.scan.fitting import Fit, fits
from drivers.scan.order import ADDRESSES, BAUDS, PARITIES, Answer, Search, Setting, Step, settings_of
from drivers.scan.port import open_port

__all__ = [
    "ADDRESSES",
    "BAUDS",
    "PARITIES",
    "Fit",
    "Found",
    "Noise",
    "Options",
    "Progress",
    "Setting",
    "scan",
]

LONG_WAIT_S = 0.5  # for a device that is known to be there


class Port(Protocol):
    """A line one can ask and wait at."""

    def ask(self, setting: Setting, address: int, request: Request, wait_s: float) -> Answer:
        """Send a request at a speed and return what came back within `wait_s` after it was on the wire."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to look for. `wait_s` is how long a device may take to begin its answer."""

    bauds: Sequence[int] = BAUDS
    parities: Sequence[str] = PARITIES
    addresses: Sequence[int] = ADDRESSES
    wait_s: float = 0.1
    thorough: bool = False  # every address at every speed, with every kind of read


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the search stands; `remaining_s` shrinks in jumps when a device is found."""

    step: Step
    done_s: float
    remaining_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """A device, and the products it may be, the likeliest first."""

    setting: Setting
    address: int
    fits: tuple[Fit, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes at a speed that make no frame: something speaks at another speed, or two devices share an address."""

    setting: Setting
    address: int
    count: int


def scan(
    port: str,
    profiles: Sequence[Profile],
    options: Options,
    *,
    opened: AbstractContextManager[Port] | None = None,
) -> Iterator[Progress | Found | Noise]:
    """Yield progress, devices and noise until all is asked; LineError if the port cannot be had or is lost.

    Whoever stops listening keeps what was found. `opened` stands in for the port.
    """
    fixed = "://" in port  # a converter has the speed it is set to; we cannot change it
    settings = settings_of(options.bauds[:1], options.parities[:1]) if fixed else None
    search = Search(
        settings or settings_of(options.bauds, options.parities),
        options.addresses,
        profiles,
        wait_s=options.wait_s,
        thorough=options.thorough,
    )
    with opened or open_port(port) as line:
        while (step := search.next()) is not None:
            yield Progress(step, search.done_s, search.remaining_s)
            answer = line.ask(step.setting, step.address, step.request, step.wait_s)
            if search.heard(step, answer):
                yield Found(step.setting, step.address, _fits(line, step, profiles))
            elif answer.noise:
                yield Noise(step.setting, step.address, answer.noise)


Event: TypeAlias = Progress | Found | Noise


def _fits(line: Port, step: Step, profiles: Sequence[Profile]) -> tuple[Fit, ...]:
    def ask(request: Request) -> Answer:
        return line.ask(step.setting, step.address, request, LONG_WAIT_S)

    return fits(ask, step.setting, step.address, profiles)
