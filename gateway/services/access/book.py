"""The access list in force, and every change to it: checked whole, stored whole, then put in force at once.

A list that is read from a file or from upstream is in force before it is stored, and stays so when the disk refuses
it or hangs, because it may block a card; it is read again after a restart. What a person changes here is in force
only when it is stored, but for a card that is blocked. What is in force and not stored is tried again every minute.
"""

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gateway.core.access import AccessList, DoorFacts, Entry, Secret
from gateway.core.access_changes import Changes, changes, entries_of, guess_one_in, unknown_schedules
from gateway.core.access_file import MOST_ENTRIES, Read, Row, read_bytes
from gateway.core.cards import masked
from gateway.core.events import Body, NoteBody
from gateway.core.faults import Fault
from gateway.core.policy import PolicyError
from gateway.core.schedule import Schedule
from gateway.runtime.access import AccessStore, AccessStoreError, Loaded, read_or_make, readable
from gateway.runtime.threads import in_thread

log = logging.getLogger(__name__)

LIST_BAD = "access.list_bad"
LIST_CHANGED = "access.list_changed"
CLOSE_S = 2.0
AGAIN_S = 60.0  # until what the disk did not take is tried again
STORE_S = 10.0  # a person at a terminal waits no longer
NAMED = 6  # of the entries one note speaks of
FILE_NAME, SECRET_NAME = "access.db", "access.key"


class ListRefusedError(Exception):
    """A list that is not taken: `faults` to mend, or so many would be gone that it needs to be meant."""

    def __init__(self, faults: Sequence[Fault] = (), found: Changes | None = None) -> None:
        super().__init__(faults, found)
        self.faults, self.changes = tuple(faults), found

    def __str__(self) -> str:
        if self.changes is not None:
            return f"it would drop {self.changes.gone} entries, more than half of the list"
        first = f"{self.faults[0]}" if self.faults else "nothing in it"
        return f"faults: {len(self.faults)}, the first: {first}"


class Book:
    """The list. Until it is `ready` nobody is let in by it."""

    def __init__(
        self,
        folder: Path,
        doors: Sequence[DoorFacts],
        schedules: Mapping[str, Schedule],
        *,
        submit: Callable[[Body], object],
        offset_h: float = 8.0,
    ) -> None:
        self.listed = AccessList()
        self.secret = Secret(secrets.token_bytes(32))
        self._path, self._secret_path = folder / FILE_NAME, folder / SECRET_NAME
        self._doors, self._schedules = tuple(doors), schedules
        self._submit, self._offset_h = submit, offset_h
        self._store: AccessStore | None = None
        self._changing = asyncio.Lock()
        self._unkept = asyncio.Event()
        self._owed_list: Mapping[bytes, Entry] | None = None  # in force, and not stored yet
        self._owed_bars: dict[bytes, str] = {}  # who blocked what; the same
        self._known = False  # whether the secret is the one to hash with
        self._trouble = ""  # why it cannot be loaded

    @property
    def ready(self) -> bool:
        """Return whether it is loaded, or something is in force in its place."""
        return self._store is not None or len(self.listed) > 0

    async def open(self) -> bool:
        """Load the list; where that fails, what can be read of it, or a list from a file or upstream, works in memory.

        Return whether it is loaded: the disk may be busy yet with what an earlier life had to store.
        """
        if self._store is not None:
            return True
        secret = self.secret
        try:
            found = await in_thread(self._load, lambda late: late[1].close())
        except (AccessStoreError, OSError) as error:
            if not self._known:
                self.listed = await in_thread(lambda: readable(self._path, self.secret))
            self._known = True
            if (told := str(error)) != self._trouble:
                self._trouble = told
                had = f"{len(self.listed)} entries that can be read are in force"
                self._tell_bad(f"the access list cannot be loaded, which is tried again, {had}: {told}")
            return False
        finally:
            if self.secret != secret:
                self._forget_bars()
        self._known, self._trouble = True, ""
        self.secret, self._store, loaded = found
        self.listed = AccessList.sharing(loaded.listed, {*loaded.listed.barred, *self._owed_bars})
        self._owed_list = None
        self._tell_damage(loaded)
        return True

    async def close(self) -> None:
        """Close the file; a disk that hangs does not hold up a stop."""
        store, self._store = self._store, None
        if store is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await in_thread(store.close)

    async def read(self, data: bytes) -> Read:
        """Return what the bytes of a file say, with the schedules it names that are not there."""

        def work() -> Read:
            told = read_bytes(data, offset_h=self._offset_h)
            return Read(told.rows, (*told.faults, *unknown_schedules(told.rows, self._schedules)))

        return await in_thread(work)

    async def take(
        self, told: Read, by: str, *, force: bool = False, dry_run: bool = False, store_must: bool = False
    ) -> Changes:
        """Put a list in force and return what that changes; ListRefusedError, AccessStoreError if `store_must`.

        Without that it is in force at once, and `keep` stores it.
        """
        if told.faults:
            raise ListRefusedError(told.faults)
        self._must_be_ready()
        async with self._changing:
            found, listed = await in_thread(lambda: self._compared(told))
            if found.drops_half and not force and not dry_run:
                raise ListRefusedError(found=found)
            if dry_run or found.nothing:
                return found
            owed = not store_must or self._owed_list is not None  # an older one may be being stored
            if store_must:
                await self._stored(lambda store: store.replace(listed.entries.values()))
            if owed:
                self._owe(listed)
            self.listed = AccessList.sharing(listed, self.listed.barred)
        self._tell(f"{by}: {found}, {len(listed)} in all")
        return found

    async def keep(self) -> None:
        """Store what came into force unstored, always the latest, until the disk takes it; runs until cancelled."""
        trouble = ""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S if trouble else None):
                    await self._unkept.wait()
            self._unkept.clear()
            entries, bars = self._owed_list, dict(self._owed_bars)
            try:
                await self._in_store(lambda store: _store(store, entries, bars))  # noqa: B023 - awaited
            except AccessStoreError as error:
                if not trouble:
                    self._tell_bad(
                        f"what is new in the access list is in force and could not be kept: {error}"
                    )
                trouble = str(error)
            else:
                if trouble:
                    self._tell("what could not be kept is on the disk now")
                trouble = ""
                self._owed_list = None if self._owed_list is entries else self._owed_list
                self._owed_bars = {key: by for key, by in self._owed_bars.items() if key not in bars}
                if self._owed_list is not None or self._owed_bars:
                    self._unkept.set()

    async def put(self, row: Row, by: str) -> Entry:
        """Add one entry, or change the one of its card; AccessStoreError, PolicyError."""
        if faults := unknown_schedules([row], self._schedules):
            raise PolicyError(str(faults[0]))
        self._must_be_ready()
        (entry,) = entries_of([row], self.secret)
        async with self._changing:
            if entry.key not in self.listed.entries and len(self.listed) >= MOST_ENTRIES:
                raise PolicyError(f"the list holds {MOST_ENTRIES} entries", "remove some first")
            if entry.card is None and any(each.holder != entry.holder for each in self._with_pin(entry)):
                raise PolicyError(
                    "this PIN is somebody else's", "people without a card have one of their own"
                )
            await self._change({entry.key: entry}, ())
        self._tell(f"{by}: added {_name(entry)}")
        return entry

    async def remove(self, keys: Sequence[bytes], by: str) -> None:
        """Remove entries; AccessStoreError."""
        async with self._changing:
            told = self._named(keys)
            await self._change({}, keys)
        self._tell(f"{by}: removed {told}")

    async def bar(self, keys: Sequence[bytes], by: str, *, blocked: bool) -> None:
        """Block keys, whatever list says what of them, or let them go again; AccessStoreError."""
        told = dict.fromkeys(keys, by) if blocked else {}
        gone = () if blocked else tuple(keys)
        if len(self.listed.barred) + len(told) > MOST_ENTRIES:
            raise PolicyError(f"{MOST_ENTRIES} are blocked here already", "unblock some first")
        # A lost card is blocked at once, whatever the disk says to it or to another change.
        self._bar(told, ())
        async with self._changing:
            try:
                await self._stored(lambda store: store.bar(told, gone))
            except AccessStoreError:
                self._owed_bars |= told
                self._unkept.set()
                if blocked:
                    self._bar(told, ())
                    self._tell(f"{by}: blocked, and not kept yet: {self._named(keys)}")
                raise
            self._bar(told, gone)
            self._owed_bars = {key: by for key, by in self._owed_bars.items() if key in self.listed.barred}
        what = "blocked" if blocked else "no longer blocked"
        self._tell(f"{by}: {what}: {self._named(keys)}")

    def _bar(self, told: Iterable[bytes], gone: Iterable[bytes]) -> None:
        self.listed = AccessList.sharing(self.listed, (self.listed.barred | set(told)) - set(gone))

    def bad(self, told: str) -> None:
        """Tell that a list could not be taken and the one in force stays."""
        self._tell_bad(f"{told}; the list in force stays, {len(self.listed)} entries")

    def _with_pin(self, entry: Entry) -> tuple[Entry, ...]:
        return () if entry.pin is None else self.listed.of_pin(entry.pin)

    def _must_be_ready(self) -> None:
        """Raise PolicyError until the secret is known: what is hashed with another one is lost."""
        if not self._known:
            raise PolicyError("the access list is not loaded yet", "try again in a moment")

    def _load(self) -> tuple[Secret, AccessStore, Loaded]:
        # it is right also where the list cannot be had
        secret = self.secret = read_or_make(self._secret_path)
        store = AccessStore(self._path, secret)
        return secret, store, store.load()

    def _compared(self, told: Read) -> tuple[Changes, AccessList]:
        entries = entries_of(told.rows, self.secret)
        found = changes(self.listed, entries, self._doors)
        found = dataclasses.replace(found, guess_one_in=guess_one_in(told.rows, self._doors))
        return found, AccessList(entries, self.listed.barred)

    async def _stored(self, work: Callable[[AccessStore], None]) -> None:
        """Do what a person waits for; AccessStoreError also when the disk does not answer."""
        try:
            async with asyncio.timeout(STORE_S):
                await self._in_store(work)
        except TimeoutError as error:
            hint = "it may be done when it answers again: look then"
            raise AccessStoreError("write", f"{self._path}: the disk does not answer", hint) from error

    async def _in_store(self, work: Callable[[AccessStore], None]) -> None:
        store = self._store
        if store is None:
            raise AccessStoreError("write", str(self._path), "it could not be opened: see the gateway's log")
        await in_thread(lambda: work(store))

    async def _change(self, put: Mapping[bytes, Entry], removed: Sequence[bytes]) -> None:
        """Store a change, then put it in force; AccessStoreError."""
        owed = self._owed_list is not None  # the list without this may be being stored, after this
        await self._stored(lambda store: store.change(tuple(put.values()), removed))
        listed = await in_thread(lambda: self._with(put, removed))
        self.listed = AccessList.sharing(listed, self.listed.barred)  # one may have been blocked meanwhile
        if owed:
            self._owe(self.listed)

    def _owe(self, listed: AccessList) -> None:
        self._owed_list = listed.entries
        self._unkept.set()

    def _with(self, put: Mapping[bytes, Entry], removed: Sequence[bytes]) -> AccessList:
        entries = {**self.listed.entries, **put}
        for key in removed:
            entries.pop(key, None)
        return AccessList(entries.values(), self.listed.barred)

    def _named(self, keys: Sequence[bytes]) -> str:
        """Return up to six of them as they may be written down; a card that is not in the list has no name."""
        found = (self.listed.entries.get(key) for key in keys[:NAMED])
        names = [_name(entry) if entry is not None else "a card that is not in the list" for entry in found]
        return ", ".join(names) + (f" and {len(keys) - NAMED} more" if len(keys) > NAMED else "")

    def _forget_bars(self) -> None:
        """Let go of what was blocked while the secret could not be read: it was hashed with another one."""
        owed, self._owed_bars = self._owed_bars, {}
        if owed:
            self._tell_bad(
                f"blocked here before the secret could be read, and to be blocked again: {len(owed)}"
            )

    def _tell_damage(self, loaded: Loaded) -> None:
        look = "import the list again, and look which cards are to be blocked"
        if loaded.aside is not None:
            told = f"{len(loaded.listed)} entries were saved, the old file is {loaded.aside}"
            self._tell_bad(f"the access list was damaged; {told}; {look}")
        elif loaded.bad:
            self._tell_bad(f"{loaded.bad} rows of the access list are damaged; {look}")

    def _tell(self, told: str) -> None:
        log.info("access list: %s", told)
        self._submit(NoteBody(LIST_CHANGED, told))

    def _tell_bad(self, told: str) -> None:
        log.error("access list: %s", told)
        self._submit(NoteBody(LIST_BAD, told))


def _store(store: AccessStore, entries: Mapping[bytes, Entry] | None, bars: Mapping[bytes, str]) -> None:
    """Store what is in force already, blocked cards first."""
    if bars:
        store.bar(bars)
    if entries is not None:
        store.replace(entries.values())


def _name(entry: Entry) -> str:
    return f"{entry.holder} {masked(entry.tail)}".rstrip()
