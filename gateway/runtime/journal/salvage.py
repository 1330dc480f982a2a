"""Reads what is left of a damaged journal, page by page, trusting nothing but the checksum of each row.

SQLite cannot read past a broken page; we need not ask it. A table's rows stand in leaf pages (type 13, "Database
File Format" 1.6), each at a multiple of the page size, in the file and in the frames of its WAL (4.1). Every page
that looks like one is read and every cell in it tried; a row or mark is taken only when its checksum holds.
Rows never change, so an old copy of a page is as good as a new one; marks only grow, so the greatest is the last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import unpack_from
from typing import BinaryIO, Final

from gateway.runtime.journal.rows import Lane, Row, RowError, mark_checksum, verify
from gateway.runtime.journal.statements import PAGE_SIZE

LEAF: Final = 13
_WAL_HEADER, _FRAME_HEADER = 32, 24
_INTEGER_SIZES: Final = (0, 1, 2, 3, 4, 6, 8)


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A whole row and the lane whose checksum it bears."""

    lane: Lane
    row: Row
    ordinal: int


@dataclass(frozen=True, slots=True)
class FoundMark:
    """A whole mark."""

    name: str
    value: int


Found = FoundRow | FoundMark


def scan(database: Path) -> Iterator[Found]:
    """Yield every whole row and mark of a database file and its WAL; the same one may come more than once."""
    yield from scan_wal(database)
    if database.exists():
        with database.open("rb") as file:
            yield from _scan_pages(lambda number: _page(file, (number - 1) * PAGE_SIZE))


def scan_wal(database: Path) -> Iterator[Found]:
    """Yield every whole row and mark in the WAL of `database`, also behind the place where SQLite gives up."""
    wal = wal_of(database)
    if not wal.exists():
        return
    with wal.open("rb") as file:
        yield from _scan_pages(
            lambda number: _page(
                file, _WAL_HEADER + (number - 1) * (_FRAME_HEADER + PAGE_SIZE) + _FRAME_HEADER
            ),
            overflows=False,
        )


def wal_of(database: Path) -> Path:
    """Return the path of a database's WAL."""
    return database.with_name(database.name + "-wal")


def _page(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    return file.read(PAGE_SIZE)


def _scan_pages(page_at: Callable[[int], bytes], *, overflows: bool = True) -> Iterator[Found]:
    number = 1
    while len(page := page_at(number)) == PAGE_SIZE:
        if page[0] == LEAF:
            for key, payload in _cells(page, page_at if overflows else None):
                found = _recognise(key, payload)
                if found is not None:
                    yield found
        number += 1


def _cells(page: bytes, page_at: Callable[[int], bytes] | None) -> Iterator[tuple[int, bytes]]:
    """Yield (key, payload) of each cell of a leaf page that can be followed."""
    count = int.from_bytes(page[3:5], "big")
    for index in range(min(count, (PAGE_SIZE - 8) // 4)):
        at = int.from_bytes(page[8 + 2 * index : 10 + 2 * index], "big")
        try:
            size, at = _varint(page, at)
            key, at = _varint(page, at)
            yield key, _payload(page, at, size, page_at)
        except IndexError:
            continue


def _payload(page: bytes, at: int, size: int, page_at: Callable[[int], bytes] | None) -> bytes:
    """Return the payload of a cell, gathered from its overflow pages where it has some (1.6, figure 3)."""
    most = PAGE_SIZE - 35
    if size <= most:
        return page[at : at + size]
    least = (PAGE_SIZE - 12) * 32 // 255 - 23
    local = least + (size - least) % (PAGE_SIZE - 4)
    local = local if local <= most else least
    payload = page[at : at + local]
    following = int.from_bytes(page[at + local : at + local + 4], "big")
    while page_at is not None and len(payload) < size and following:
        more = page_at(following)
        payload += more[4 : 4 + size - len(payload)]
        following = int.from_bytes(more[:4], "big") if len(more) == PAGE_SIZE else 0
    return payload


def _recognise(key: int, payload: bytes) -> Found | None:
    """Return the row or mark a cell holds, None when it is neither or not whole."""
    try:
        columns = _columns(payload)
    except (IndexError, UnicodeDecodeError, ValueError):
        return None
    if len(columns) == 4:
        _, name, value, check = columns
        whole = isinstance(name, str) and isinstance(value, int) and mark_checksum(name, value) == check
        return FoundMark(str(name), int(str(value))) if whole else None
    if len(columns) != 6 or not isinstance(columns[1], int):
        return None
    kind, time, check, body = columns[2:]
    time = float(time) if isinstance(time, int) else time
    for lane in Lane:
        try:
            return FoundRow(lane, verify(lane, (key, kind, time, check, body)), columns[1])
        except RowError:
            continue
    return None


def _columns(payload: bytes) -> Sequence[object]:
    """Return the values of a record (2.1 of the file format)."""
    header, at = _varint(payload, 0)
    end, columns = header, []
    while at < header:
        kind, at = _varint(payload, at)
        value, end = _value(payload, kind, end)
        columns.append(value)
    return columns


def _value(payload: bytes, kind: int, at: int) -> tuple[object, int]:
    if kind <= 6:
        end = at + _INTEGER_SIZES[kind]
        return (int.from_bytes(payload[at:end], "big", signed=True) if kind else None), end
    if kind == 7:
        return unpack_from(">d", payload, at)[0] if at + 8 <= len(payload) else None, at + 8
    if kind in {8, 9}:
        return kind - 8, at
    end = at + (kind - 12 - kind % 2) // 2
    if kind < 12 or end > len(payload):
        raise ValueError(kind)
    return (payload[at:end].decode() if kind % 2 else payload[at:end]), end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a varint and the place behind it (1.6); IndexError past the end."""
    value = 0
    for offset in range(8):
        byte = data[at + offset]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + offset + 1
    return value << 8 | data[at + 8], at + 9
