"""What dm-log-writes wrote down, read, and played back as disks after a power cut: torn, reordered, half there.

The log (linux/drivers/md/dm-log-writes.c): a super block, then entries of one sector, each with its data behind it.
A write stands in it when a flush after it was done, or at once if it forced its way (FUA). So whatever stands before
a flush was on the disk by then; of what stands behind the last one each write may be there, missing, or torn.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO, Final

MAGIC: Final = 0x6A736677736872
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
KEPT, TORN = 0.4, 0.2
_SUPER, _ENTRY = Struct("<QQQI"), Struct("<QQQQ")


class LogError(ValueError):
    """The file is no log of dm-log-writes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A write of bytes at a place, or what else was asked of the disk. `data` is where its bytes are in the log."""

    flags: int
    place: int = 0
    size: int = 0
    data: int = 0
    mark: str = ""


def entries(log: BinaryIO) -> Iterator[Entry]:
    """Yield the entries of a log in their order; raises LogError."""
    magic, _version, count, sector = _SUPER.unpack(log.read(_SUPER.size))
    if magic != MAGIC:
        raise LogError(f"begins with {magic:x}")
    at = sector
    for _ in range(count):
        log.seek(at)
        place, sectors, flags, length = _ENTRY.unpack(log.read(_ENTRY.size))
        mark = log.read(length).decode(errors="replace") if flags & MARK else ""
        at += sector
        size = 0 if flags & (DISCARD | MARK) else sectors * sector
        yield Entry(flags, place * sector, size, at, mark)
        at += size


class Playback:
    """Plays a log onto an image. `mark` is the last mark that was passed."""

    def __init__(self, log: BinaryIO, image: Path, chance: random.Random) -> None:
        self.mark = ""
        self._log, self._chance = log, chance
        self._image = os.open(image, os.O_RDWR)
        self._loose: list[Entry] = []  # behind the last flush

    def take(self, entry: Entry) -> None:
        """Go on by one entry."""
        if entry.flags & FLUSH:
            for each in self._loose:
                self._write(self._image, each, each.size)
            self._loose.clear()
        if entry.flags & MARK:
            self.mark = entry.mark
        elif entry.flags & FUA:
            self._write(self._image, entry, entry.size)
        elif entry.size:
            self._loose.append(entry)

    def cut(self, copy: Path) -> None:
        """Have some of what is not flushed on a copy of the image: some whole, some torn, some not, in any order."""
        disk = os.open(copy, os.O_RDWR)
        try:
            for each in self._chance.sample(self._loose, len(self._loose)):
                dice = self._chance.random()
                if dice < KEPT:
                    self._write(disk, each, each.size)
                elif dice < KEPT + TORN:
                    self._write(disk, each, self._chance.randrange(0, each.size + 1, 512))
        finally:
            os.close(disk)

    def close(self) -> None:
        """Let go of the image."""
        os.close(self._image)

    def _write(self, disk: int, entry: Entry, size: int) -> None:
        self._log.seek(entry.data)
        os.pwrite(disk, self._log.read(size), entry.place)
