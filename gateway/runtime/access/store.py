"""The access list's SQLite file: one connection, a whole list at a time, each row sealed with the gateway's secret.

Nobody at a door waits for it: the list is read once at the start and decisions are made in memory. A list takes the
place of another in one transaction, so that whatever happens in between, one of them is there whole. A seal shows a
flipped bit, which SQLite does not notice, and a row that somebody without the secret has put in. An entry whose seal
is wrong opens nothing; a key that was blocked here stays blocked with a wrong seal too: one too many harms nobody.

A file that is damaged is set aside under another name; what of its rows would hold in a whole file is taken over.
All functions block: whoever calls them does so in a thread.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.core.access import AccessList, Entry, Secret
from gateway.runtime import whole_file
from gateway.runtime.access.secret import free_name

SCHEMA: Final = 1
_TABLES: Final = """
CREATE TABLE entry (key BLOB PRIMARY KEY, row TEXT NOT NULL, card BLOB, pin BLOB, seal BLOB NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE barred (key BLOB PRIMARY KEY, told TEXT NOT NULL, seal BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
# what runs on the file is right, so an error of SQL is one of its schema; a flipped bit that SQLite quotes is no UTF-8
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
_UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
_UNSAVED: Final = (*_UNREADABLE, MemoryError)  # a length may have become one of gigabytes
_HINTS: Final = {
    sqlite3.SQLITE_FULL: "the disk is full: make room",
    sqlite3.SQLITE_BUSY: "another gateway is running on this state directory",
    sqlite3.SQLITE_READONLY: "the state directory cannot be written",
    sqlite3.SQLITE_CANTOPEN: "may this user write in the state directory?",
}


class AccessStoreError(Exception):
    """The list cannot be read or written; `hint` says what to do."""

    def __init__(self, op: str, where: str, hint: str) -> None:
        super().__init__(op, where, hint)
        self.op, self.where, self.hint = op, where, hint

    def __str__(self) -> str:
        return f"{self.op}: {self.where} ({self.hint})"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was found in the file. `bad` rows were not as they were written; `aside` is where a damaged file was put."""

    listed: AccessList
    bad: int = 0
    aside: Path | None = None


def readable(path: Path, secret: Secret) -> AccessList:
    """Return what of a file can be read without opening it for good: another may have it, or the disk refuses."""
    return AccessList(*_salvaged(path, secret))


class AccessStore:
    """The open file. One thread at a time: closing it under a statement that runs would crash the process."""

    def __init__(self, path: Path, secret: Secret) -> None:
        self._path, self._secret = path, secret
        self._connection: sqlite3.Connection | None = None
        self._busy = threading.Lock()

    def load(self) -> Loaded:
        """Open the file and return what is in it; AccessStoreError if it cannot be had."""
        with self._busy:
            try:
                return self._load_or_replace()
            except (sqlite3.Error, OSError) as error:
                self._shut()
                raise _explained("open", self._path, error) from error

    def replace(self, entries: Iterable[Entry]) -> None:
        """Put a list in the place of the one that is there, whole or not at all; AccessStoreError."""
        with self._writing() as connection:
            connection.execute("DELETE FROM entry")
            self._insert(connection, entries)

    def change(self, put: Sequence[Entry] = (), removed: Iterable[bytes] = ()) -> None:
        """Add or change some entries and remove others; AccessStoreError."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM entry WHERE key = ?", [(key,) for key in removed])
            self._insert(connection, put)

    def bar(self, told: Mapping[bytes, str], unbarred: Iterable[bytes] = ()) -> None:
        """Keep keys blocked, whatever list comes, with who told so; and take others off; AccessStoreError."""
        with self._writing() as connection:
            self._insert_barred(connection, told)
            connection.executemany("DELETE FROM barred WHERE key = ?", [(key,) for key in unbarred])

    def close(self) -> None:
        """Close the file, when what runs on it has ended; never raises."""
        with self._busy:
            self._shut()

    def _shut(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Have one transaction: all of it, or nothing and AccessStoreError."""
        with self._busy:
            connection = self._connection
            if connection is None:
                hint = "it could not be opened: see the gateway's log"
                raise AccessStoreError("write", str(self._path), hint)
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # no old row lingers in the WAL
            except sqlite3.Error as error:
                raise _explained("write", self._path, error) from error
            finally:
                with suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")

    def _load_or_replace(self) -> Loaded:
        try:
            return self._load()
        except _UNREADABLE as error:
            self._shut()
            if isinstance(error, sqlite3.Error) and _code(error) not in _DAMAGE:
                raise
            return self._replace_damaged()

    def _load(self) -> Loaded:
        self._connection = connection = _open(self._path)
        rows = list(_entries(connection, self._secret))
        barred = dict(_barred(connection, self._secret))
        listed = AccessList([row for row in rows if row is not None], barred)
        return Loaded(listed, rows.count(None) + list(barred.values()).count(False))

    def _replace_damaged(self) -> Loaded:
        entries, barred = _salvaged(self._path, self._secret)
        aside = free_name(self._path)
        self._path.rename(aside)
        wal = _wal(self._path)
        if wal.exists():
            wal.rename(_wal(aside))
        whole_file.flush(self._path.parent)
        self._load()
        assert self._connection is not None
        self._connection.execute("BEGIN IMMEDIATE")
        self._insert(self._connection, entries)
        self._insert_barred(self._connection, dict.fromkeys(barred, "saved from a damaged file"))
        self._connection.execute("COMMIT")
        return Loaded(AccessList(entries, barred), aside=aside)

    def _insert_barred(self, connection: sqlite3.Connection, told: Mapping[bytes, str]) -> None:
        rows = [(key, text, self._secret.seal(key + text.encode())) for key, text in told.items()]
        connection.executemany("INSERT OR REPLACE INTO barred VALUES (?, ?, ?)", rows)

    def _insert(self, connection: sqlite3.Connection, entries: Iterable[Entry]) -> None:
        rows = ((e.key, _packed(e), e.card, e.pin) for e in entries)
        connection.executemany(
            "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?)",
            ((*row, self._secret.seal(_sealed(*row))) for row in rows),
        )


def _open(path: Path) -> sqlite3.Connection:
    """Open, check and bring up the file; sqlite3.DatabaseError with a code when it is damaged."""
    path.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
    connection.text_factory = _text
    try:
        _configure(connection)
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise when the file is damaged, foreign or of a newer version; fill a new one."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA:
        where = f"{path} is of version {version}, this gateway knows {SCHEMA}"
        raise AccessStoreError("open", where, "install the newer gateway again, or move the file away")
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise _damaged("its pages do not fit together")
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if not tables and version == 0:
        connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT")
    elif tables != {"entry", "barred"}:
        raise _damaged("it holds something else")


def _configure(connection: sqlite3.Connection) -> None:
    """Set what makes a commit last, and read back that it is set. Alone first: no shared memory file is made."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    if mode != "wal" or connection.execute("PRAGMA synchronous").fetchone()[0] != 2:
        raise sqlite3.OperationalError("WAL with synchronous=FULL cannot be had here")


def _entries(connection: sqlite3.Connection, secret: Secret) -> Iterator[Entry | None]:
    """Yield the entries, None for a row that is not as it was written."""
    kept: dict[tuple[str, ...], tuple[str, ...]] = {}
    for key, row, card, pin, seal in connection.execute("SELECT key, row, card, pin, seal FROM entry"):
        whole = isinstance(key, bytes) and isinstance(row, str) and _is_hash(card) and _is_hash(pin)
        good = whole and secret.seal(_sealed(key, row, card, pin)) == seal
        yield _unpacked(key, row, card, pin, kept) if good else None


def _barred(connection: sqlite3.Connection, secret: Secret) -> Iterator[tuple[bytes, bool]]:
    """Yield the keys that were blocked here, and whether their row is as it was written."""
    for key, told, seal in connection.execute("SELECT key, told, seal FROM barred"):
        if isinstance(key, bytes):
            yield key, isinstance(told, str) and secret.seal(key + told.encode()) == seal


def _is_hash(value: object) -> bool:
    """Return whether a column holds what is written there: of a damaged row it may hold anything."""
    return value is None or isinstance(value, bytes)


def _salvaged(path: Path, secret: Secret) -> tuple[list[Entry], list[bytes]]:
    """Return what can still be read of a damaged file: sealed entries, and what was blocked; the rest is gone."""
    entries: list[Entry] = []
    barred: list[bytes] = []
    with (
        suppress(*_UNSAVED),
        closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as old,
    ):
        old.text_factory = _text
        with suppress(*_UNSAVED):
            barred += (key for key, _ in _barred(old, secret))
        entries += (entry for entry in _entries(old, secret) if entry is not None)
    return entries, barred


def _packed(entry: Entry) -> str:
    told = [
        entry.tail, entry.holder, entry.doors, entry.schedules, entry.valid_from, entry.valid_until, entry.blocked,
        entry.note,
    ]  # fmt: skip
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _unpacked(
    key: bytes, row: str, card: bytes | None, pin: bytes | None, kept: dict[tuple[str, ...], tuple[str, ...]]
) -> Entry:
    told: list[Any] = json.loads(row)
    tail, holder, doors, schedules, valid_from, valid_until, blocked, note = told
    doors, schedules = tuple(doors), tuple(schedules)
    return Entry(
        key, card, pin, tail, holder, kept.setdefault(doors, doors), kept.setdefault(schedules, schedules),
        valid_from, valid_until, blocked, note,
    )  # fmt: skip


def _sealed(key: bytes, row: str, card: bytes | None, pin: bytes | None) -> bytes:
    parts = (key, card or b"", pin or b"", row.encode("utf-8", "surrogatepass"))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _text(data: bytes) -> str:
    """Return text also where a flipped bit made it something else: the seal will tell."""
    return data.decode(errors="replace")


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _damaged(reason: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(reason)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _code(error: Exception) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _explained(op: str, path: Path, error: Exception) -> AccessStoreError:
    return AccessStoreError(
        op, f"{path}: {error}", _HINTS.get(_code(error), "is the disk failing? see dmesg")
    )
