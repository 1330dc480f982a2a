"""A disk in memory that writes down every write and flush, and says what a power cut could have left of it.

It is a VFS under SQLite (apsw), so that the journal's own statements run on it. The model of a crash: what was
flushed is there; each write since the last flush of its file was kept, dropped, or torn at 512 bytes, whatever
its order; a deletion counts only once anything was flushed after it.
"""

# ruff: noqa: N802 - the names are those of SQLite
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import apsw

SECTOR = 512


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes written, or a truncation where `data` is None."""

    name: str
    offset: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Sync:
    """A flush of one file."""

    name: str


@dataclass(frozen=True, slots=True)
class Delete:
    """A file removed."""

    name: str


Operation = Write | Sync | Delete


class Disk:
    """Files in memory, and the log of what was done to them."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}
        self.log: list[Operation] = []

    def apply(self, write: Write) -> None:
        apply(self.files.setdefault(write.name, bytearray()), write.offset, write.data)
        self.log.append(write)


def apply(file: bytearray, offset: int, data: bytes | None) -> None:
    """Do one write or truncation."""
    if data is None:
        del file[offset:]
        return
    if len(file) < offset:
        file.extend(bytes(offset - len(file)))
    file[offset : offset + len(data)] = data


class RecordingVFS(apsw.VFS):
    """The VFS that SQLite sees."""

    def __init__(self, disk: Disk, name: str = "recording") -> None:
        super().__init__(name, base="", maxpathname=64)
        self._disk = disk

    def xOpen(self, name: object, flags: list[int]) -> "RecordingFile":  # type: ignore[override]
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._disk.files.setdefault(path, bytearray())
        flags[1] = flags[0]
        return RecordingFile(self._disk, path)

    def xDelete(self, filename: str, _syncdir: bool) -> None:
        self._disk.files.pop(filename, None)
        self._disk.log.append(Delete(filename))

    def xAccess(self, pathname: str, _flags: int) -> bool:
        return pathname in self._disk.files

    def xFullPathname(self, filename: str) -> str:
        return filename


class RecordingFile:
    """One open file on it."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name = disk, name

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._disk.files[self._name][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.apply(Write(self._name, offset, bytes(data)))

    def xTruncate(self, size: int) -> None:
        self._disk.apply(Write(self._name, size, None))

    def xSync(self, _flags: int) -> None:
        self._disk.log.append(Sync(self._name))

    def xFileSize(self) -> int:
        return len(self._disk.files[self._name])

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE  # like the unix VFS

    def xFileControl(self, _op: int, _pointer: int) -> bool:
        return False

    def xLock(self, _level: int) -> None: ...
    def xUnlock(self, _level: int) -> None: ...
    def xCheckReservedLock(self) -> bool:
        return False

    def xClose(self) -> None: ...


@dataclass(slots=True)
class Platter:
    """What is surely on the device, and what is still on its way, as the log is played."""

    surely: dict[str, bytearray] = field(default_factory=dict)
    pending: list[Write] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)

    def play(self, operation: Operation) -> None:
        """Take over one operation of the log."""
        if isinstance(operation, Write):
            self.deleted.discard(operation.name)
            self.pending.append(operation)
        elif isinstance(operation, Delete):
            self.deleted.add(operation.name)
            self.pending = [write for write in self.pending if write.name != operation.name]
        else:
            for name in self.deleted:
                self.surely.pop(name, None)
            self.deleted.clear()
            for write in [write for write in self.pending if write.name == operation.name]:
                apply(self.surely.setdefault(write.name, bytearray()), write.offset, write.data)
            self.pending = [write for write in self.pending if write.name != operation.name]

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """Return the files as one power cut at this moment might leave them."""
        files = {name: bytearray(data) for name, data in self.surely.items()}
        for write in self.pending:
            fate = chance.random()
            if fate < 0.4:
                apply(files.setdefault(write.name, bytearray()), write.offset, write.data)
            elif fate < 0.6 and write.data is not None:
                for offset, piece in _torn(write, chance):
                    apply(files.setdefault(write.name, bytearray()), offset, piece)
        for name in sorted(self.deleted):
            if chance.random() < 0.5:
                files.pop(name, None)
        return {name: bytes(data) for name, data in files.items()}


def _torn(write: Write, chance: random.Random) -> Iterator[tuple[int, bytes]]:
    """Yield those sectors of a write that reached the device."""
    assert write.data is not None
    at = 0
    while at < len(write.data):
        size = SECTOR - (write.offset + at) % SECTOR
        if chance.random() < 0.5:
            yield write.offset + at, write.data[at : at + size]
        at += size
