"""Reads the point lists that gateway.toml names, so that a panel's detectors are devices of its line like any other."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from drivers.api import Profile, Text
from gateway.core import access_file, point_list
from gateway.core.faults import NOTHING, Fault, same
from gateway.core.loading import Parsed

MOST_BYTES: Final = 1024 * 1024


def expand(parsed: Parsed, profiles: Mapping[str, Profile]) -> list[Fault]:
    """Put the rows of every list among the devices of its bus; return what is wrong in the lists."""
    faults: list[Fault] = []
    for key, bus in parsed.buses.items():
        if not bus.points:
            continue
        if not bus.device:
            hint = Text("先写主机本身，地址 0", "write the panel itself first, at address 0")
            faults.append(Fault(f"{key}.points", NOTHING, same("[[bus.device]]"), hint))
            continue
        text, fault = _read(f"{key}.points", Path(bus.points))
        if fault is not None:
            faults.append(fault)
            continue
        profile = bus.device[0].profile
        found = point_list.read(
            text,
            line=bus.name,
            profile=profile,
            address_of=_addressing(profiles.get(profile)),
            file=bus.points,
        )
        faults += found.faults
        for number, device in enumerate(found.devices, start=len(bus.device)):
            parsed.devices[f"{key}.device[{number}]"] = device
        parsed.buses[key] = msgspec.structs.replace(bus, device=[*bus.device, *found.devices])
    return faults


def _addressing(profile: Profile | None) -> Callable[[str], int | None]:
    """Return how an address is read: as the product prints it where it prints any, else as a number."""
    own: Callable[[str], int | None] | None = getattr(profile.wire if profile else None, "address_of", None)
    return own or (lambda text: int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None)


def _read(key: str, path: Path) -> tuple[str, Fault | None]:
    wanted = Text("可读的 CSV 文件", "a CSV file that can be read")
    try:
        data = path.read_bytes()
        if len(data) <= MOST_BYTES:
            return access_file.decode(data), None
        found = Text(f"{len(data)} 字节", f"{len(data)} bytes")
    except UnicodeDecodeError as error:
        found = Text(f"第 {error.start} 字节不成文字", f"a byte that is no text, at {error.start}")
    except OSError as error:
        found = same(f"{path}: {error.strerror or error}")
    return "", Fault(key, found, wanted)
