"""Which ports there are, and what hangs on one: the scanner's findings, put together as a line."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console

from drivers import scan as scanning
from drivers.api import LineError, Profile
from drivers.scan import Found, Noise, Options
from gateway import surroundings
from gateway.setup.found import Device, Line
from gateway.terminal import scan as scan_view
from gateway.terminal.figures import WARN
from gateway.terminal.words import Words

STABLE: Final = "/dev/rs485"  # where our udev rules give each adapter the one name that is right
GARBLED_BYTES: Final = 2  # more than a glitch


def ports(stable: Path = Path(STABLE)) -> list[str]:
    """Return the serial ports there are, each adapter once, by a name that stays if it has one."""
    names = [str(path) for path in sorted(stable.glob("*"))] + surroundings.serial_ports()
    chosen: dict[Path, str] = {}
    for name in names:
        chosen.setdefault(Path(name).resolve(), name)
    return list(chosen.values())


def look(
    port: str, profiles: Sequence[Profile], options: Options, words: Words, console: Console
) -> Line | None:
    """Scan a port with a progress bar and say what was found; None, said in words, where it cannot be had.

    Ctrl-C ends the scan and keeps what was found until then.
    """
    results, garbled = scan_view.Results(port), Counter[tuple[scanning.Setting, int]]()
    try:
        events = _noted(scanning.scan(port, profiles, options), garbled)
        scan_view.follow(events, results, words, console)
    except LineError as error:
        told = words("scan.failed", port=error.where, reason=error.hint or error.op)
        console.print(f"✗ {told}", style=WARN, markup=False, soft_wrap=True)
        return None
    for line in scan_view.closing(results, words):
        console.print(line, soft_wrap=True)
    return msgspec.structs.replace(line_of(port, results.devices, garbled), whole=results.whole)


def line_of(port: str, found: Sequence[Found], garbled: Counter[tuple[scanning.Setting, int]]) -> Line:
    """Return a line at the speed at which most devices answered; the others are only named. Pure."""
    settings = Counter(each.setting for each in found)
    if not settings:
        noisy = sorted({address for (_, address), count in garbled.items() if count > GARBLED_BYTES})
        return Line(port, garbled=tuple(noisy))
    chosen = settings.most_common(1)[0][0]
    here = sorted((each for each in found if each.setting == chosen), key=lambda each: each.address)
    there = {each.address for each in here}
    noisy = sorted(
        address
        for (setting, address), count in garbled.items()
        if setting == chosen and count > GARBLED_BYTES and address not in there
    )
    return Line(
        port,
        chosen.baud,
        chosen.parity,
        devices=tuple(_device(each) for each in here),
        elsewhere=tuple(sorted({each.address for each in found if each.setting != chosen} - there)),
        garbled=tuple(noisy),
    )


def _device(found: Found) -> Device:
    products = tuple(fit.profile for fit in found.fits)
    return Device(found.address, products, found.fits[0].category if found.fits else "")


def _noted(
    events: Iterator[scanning.Progress | Found | Noise], garbled: Counter[tuple[scanning.Setting, int]]
) -> Iterator[scanning.Progress | Found | Noise]:
    """Pass a scan's events on and count the bytes that made no frame, address by address."""
    for event in events:
        if isinstance(event, Noise):
            garbled[event.setting, event.address] += event.count
        yield event
