"""What /proc and /sys say of this machine: heat, voltage, room, memory, wear. Reads only, and tells nothing it cannot.

`root` stands before /proc and /sys, so that tests can give it another machine. Every file may be missing, unreadable
or full of something else: the value is then absent. Reading may block (a disk that hangs): call it beside the loop.

- get_throttled is the firmware's word (Raspberry Pi): bit 0 under-voltage now, 2 slowed down now, 16 under-voltage
  since boot. `vcgencmd` says the same but wants /dev/vcio, which the service's sandbox keeps shut.
- rpi_volt's alarm is the mainline kernel's word for the same under-voltage.
- life_time is the eMMC's own estimate in tenths for each of its two kinds of cells; SD cards have none.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from gateway.core.board import Measured

SECTOR: Final = 512  # of /sys/block/*/stat, whatever the device's own is (Documentation/block/stat.rst)
UNDERVOLTAGE_NOW, THROTTLED_NOW, UNDERVOLTAGE_EVER = 1 << 0, 1 << 2, 1 << 16
TAKEN_BACK: Final = "update-taken-back"
MOST_CHARACTERS: Final = 300
FIRMWARE: Final = "sys/devices/platform/soc/soc:firmware/get_throttled"

T = TypeVar("T")


class Board:
    """Measures the machine that `folder` lies on."""

    def __init__(self, folder: Path, *, root: Path = Path("/")) -> None:
        self._folder, self._root = folder, root

    def measure(self) -> Measured:
        """Return what can be read now; never raises for anything that a machine may lack."""
        room = _tried(lambda: os.statvfs(self._folder))
        bits = _tried(lambda: int(self._text(FIRMWARE), 16))
        card = _tried(self._card)
        alarm = self._voltage_alarm()
        memory = self._memory()
        return Measured(
            temperature_c=self._temperature(),
            undervoltage=alarm if bits is None else bool(bits & UNDERVOLTAGE_NOW) or bool(alarm),
            undervoltage_since_boot=None if bits is None else bool(bits & UNDERVOLTAGE_EVER),
            throttled=None if bits is None else bool(bits & THROTTLED_NOW),
            rtc=_tried(lambda: bool(os.listdir(self._root / "sys/class/rtc"))),  # noqa: PTH208 - no Paths
            disk_bytes=None if room is None else room.f_blocks * room.f_frsize,
            disk_free_bytes=None if room is None else room.f_bavail * room.f_frsize,
            inodes=None if room is None else room.f_files or None,
            inodes_free=None if room is None else room.f_favail,
            memory_bytes=memory.get("MemTotal"),
            memory_available_bytes=memory.get("MemAvailable"),
            rss_bytes=_tried(
                lambda: int(self._text("proc/self/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
            ),
            descriptors=_tried(lambda: len(os.listdir(self._root / "proc/self/fd"))),  # noqa: PTH208 - no Paths
            descriptors_max=_tried(self._descriptors_max),
            card=None if card is None else card.name,
            card_life_used=None if card is None else _tried(lambda: _life(card)),
            card_written_bytes=None if card is None else _tried(lambda: _written(card)),
            written_bytes=_tried(lambda: _fields(self._text("proc/self/io"))["write_bytes"]),
            update_taken_back=_tried(self._update_taken_back),
        )

    def _text(self, path: str) -> str:
        return (self._root / path).read_text(encoding="ascii", errors="replace")

    def _glob(self, pattern: str) -> Iterator[Path]:
        return self._root.glob(pattern)

    def _temperature(self) -> float | None:
        """Return the hottest zone; a Pi has one, its processor's."""
        found = [_tried(lambda zone=zone: int(zone.read_text()) / 1000) for zone in self._zones()]  # type: ignore[misc]
        return max((each for each in found if each is not None), default=None)

    def _zones(self) -> Iterator[Path]:
        return self._glob("sys/class/thermal/thermal_zone*/temp")

    def _voltage_alarm(self) -> bool | None:
        for name in self._glob("sys/class/hwmon/hwmon*/name"):
            if _tried(lambda name=name: name.read_text().strip()) == "rpi_volt":  # type: ignore[misc]
                return _tried(lambda name=name: (name.parent / "in0_lcrit_alarm").read_text().strip() == "1")  # type: ignore[misc]
        return None

    def _memory(self) -> dict[str, int]:
        told = _tried(lambda: _fields(self._text("proc/meminfo"))) or {}
        return {name: kibibytes * 1024 for name, kibibytes in told.items()}

    def _update_taken_back(self) -> str:
        """Return what systemd/package/trial.py left: which new version had to go, and why."""
        return (self._folder / TAKEN_BACK).read_text(encoding="utf-8").strip()[:MOST_CHARACTERS]

    def _descriptors_max(self) -> int:
        lines = self._text("proc/self/limits").splitlines()
        return int(next(line for line in lines if line.startswith("Max open files")).split()[3])

    def _card(self) -> Path:
        """Return the /sys folder of the whole device that the folder's file system lies on."""
        device = self._folder.stat().st_dev
        entry = (self._root / f"sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve(strict=True)
        return entry.parent if (entry / "partition").exists() else entry


def _tried(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (OSError, ValueError, LookupError, StopIteration):
        return None


def _fields(text: str) -> dict[str, int]:
    """Return "name: number ..." lines as a table."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: int(value.split()[0]) for name, value in pairs if value.split()}


def _life(card: Path) -> float:
    """Return the worse of the two estimates: "0x03 0x01" is up to 30 %; 0 is "not told"."""
    worse = max(int(word, 16) for word in (card / "device/life_time").read_text().split())
    if not worse:
        raise ValueError(worse)
    return worse / 10


def _written(card: Path) -> int:
    return int((card / "stat").read_text().split()[6]) * SECTOR
