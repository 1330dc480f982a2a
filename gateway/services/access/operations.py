"""What the control socket answers about the access list. Card numbers come in here, masked ones go out.

A request has at most 64 kB, so a file comes in parts, in order, and is taken when the last one is there. One import
at a time; one that is left lying for a minute makes room for the next.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from gateway.core.access import AccessList, DoorFacts, Entry
from gateway.core.access_changes import Changes
from gateway.core.access_file import MOST_BYTES, Read
from gateway.core.cards import CardError, masked, written
from gateway.core.faults import Fault
from gateway.core.policy import PolicyError
from gateway.runtime.access import AccessStoreError
from gateway.runtime.stream import Stamp
from gateway.runtime.threads import in_thread
from gateway.services.access.book import Book, ListRefusedError

Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, Any]
Operation: TypeAlias = Callable[[Request], Awaitable[Answer] | AsyncIterator[Answer]]

LEFT_LYING_S: Final = 60.0
FAULTS_TOLD: Final = 200
CARDS_A_LINE: Final = 100
UNCHANGED: Final = "nothing was changed"
BLOCKED_FOR_NOW: Final = (
    "blocked now, and after a restart only if the disk takes it by then (tried every minute)"
)


@dataclass(slots=True)
class _Upload:
    """A file that is on its way."""

    name: str
    at: float
    size: int = 0
    parts: list[str] = field(default_factory=list, repr=False)


class CardOperations:
    """The operations by name."""

    def __init__(
        self,
        book: Book,
        doors: Sequence[DoorFacts],
        *,
        source: Callable[[], Mapping[str, Any]],
        now: Callable[[], Stamp],
        offset_h: float,
    ) -> None:
        self._book, self._source, self._now, self._offset_h = book, source, now, offset_h
        self._doors = {door.name: door for door in doors}
        self._upload: _Upload | None = None
        self.by_name: dict[str, Operation] = {
            "cards_import": self._import,
            "cards_list": self._list,
            "cards_add": self._add,
            "cards_remove": self._remove,
            "cards_block": self._block,
            "cards_unblock": self._unblock,
        }

    async def _import(self, request: Request) -> Answer:
        upload = self._take_part(request)
        if not request.get("last"):
            return {}
        self._upload = None
        told = await self._book.read("".join(upload.parts).encode("utf-8", "replace"))
        dry_run, force = bool(request.get("dry_run")), bool(request.get("force"))
        try:
            with _kept_or_refused():
                found = await self._book.take(
                    told, str(request["origin"]), force=force, dry_run=dry_run, store_must=True
                )
        except ListRefusedError as refused:
            return self._answer(refused.faults, refused.changes, taken=False)
        return self._answer((), found, taken=not dry_run)

    async def _list(self, request: Request) -> AsyncIterator[Answer]:
        listed, name = self._book.listed, request.get("door") or ""
        door = self._doors.get(str(name))
        if name and door is None:
            raise PolicyError("there is no such door", ", ".join(self._doors) or "no [[door]] is configured")
        found = await in_thread(lambda: _sorted(listed, door))
        yield {**self._where(), "total": len(listed), "blocked_here": len(listed.barred)}
        for first in range(0, len(found), CARDS_A_LINE):
            yield {"cards": [_shown(listed, entry) for entry in found[first : first + CARDS_A_LINE]]}
            await asyncio.sleep(0)  # fifty thousand of them must not keep anybody at a door

    async def _add(self, request: Request) -> Answer:
        told: Read = await self._book.read(_text(request, "text").encode("utf-8", "replace"))
        if told.faults or len(told.rows) != 1:
            return self._answer(told.faults, None, taken=False)
        with _kept_or_refused():
            entry = await self._book.put(told.rows[0], str(request["origin"]))
        return {**self._answer((), None, taken=True), "cards": [_shown(self._book.listed, entry)]}

    async def _remove(self, request: Request) -> Answer:
        keys = self._keys(_text(request, "who"), listed_only=True)
        told = self._told(keys)
        with _kept_or_refused():
            await self._book.remove(keys, str(request["origin"]))
        return told

    async def _block(self, request: Request) -> Answer:
        return await self._bar(request, blocked=True)

    async def _unblock(self, request: Request) -> Answer:
        return await self._bar(request, blocked=False)

    async def _bar(self, request: Request, *, blocked: bool) -> Answer:
        keys = self._keys(_text(request, "who"), listed_only=False)
        if not blocked and not any(key in self._book.listed.barred for key in keys):
            raise PolicyError("nothing of it is blocked here", "what the list itself blocks is changed there")
        with _kept_or_refused(BLOCKED_FOR_NOW if blocked else UNCHANGED):
            await self._book.bar(keys, str(request["origin"]), blocked=blocked)
        return self._told(keys)

    def _take_part(self, request: Request) -> _Upload:
        """Put a part to those before it; PolicyError when it is none of them, or too much."""
        name, part, text = request.get("upload"), request.get("part"), request.get("text")
        if not isinstance(name, str) or not isinstance(part, int) or not isinstance(text, str):
            raise PolicyError("upload, part or text is missing", "an import comes in numbered parts of text")
        now, upload = self._now().monotonic, self._upload
        if part == 0:
            if upload is not None and upload.name != name and now - upload.at < LEFT_LYING_S:
                raise PolicyError("another import is on its way", "try again in a minute")
            upload = self._upload = _Upload(name, now)
        if upload is None or upload.name != name or part != len(upload.parts):
            raise PolicyError("this part does not follow the one before", "begin again")
        upload.at = now
        upload.size += len(text)
        if upload.size > MOST_BYTES:
            self._upload = None
            raise PolicyError(f"more than {MOST_BYTES} characters", "is it the right file?")
        upload.parts.append(text)
        return upload

    def _keys(self, who: str, *, listed_only: bool) -> list[bytes]:
        """Return what a holder's name or a card's number means; PolicyError, which never repeats the number."""
        found = [entry.key for entry in self._book.listed.entries.values() if entry.holder == who]
        if found:
            return found
        if not self._book.ready:
            raise PolicyError("the list is not loaded yet", "try again in a moment")
        try:
            key = self._book.secret.card(written(who))
        except CardError as error:
            hint = "`cards list` shows the holders; a card's number is written as in the file"
            raise PolicyError("there is no such holder, and it is no card's number", hint) from error
        if listed_only and key not in self._book.listed.entries:
            raise PolicyError("this card is not in the list", "`cards list` shows who is")
        return [key]

    def _told(self, keys: Sequence[bytes]) -> Answer:
        listed = self._book.listed
        found = [_shown(listed, listed.entries[key]) for key in keys if key in listed.entries]
        return {"cards": found, "count": len(keys), **self._where()}

    def _where(self) -> Answer:
        """Return where the list comes from, and the time zone its days are meant in."""
        return {"source": self._source(), "offset_h": self._offset_h}

    def _answer(self, faults: Sequence[Fault], found: Changes | None, *, taken: bool) -> Answer:
        changed = None
        if found is not None:
            changed = {**msgspec.to_builtins(found), "drops_half": found.drops_half}
        return {
            "taken": taken,
            "changes": changed,
            "faults": [_fault(fault) for fault in faults[:FAULTS_TOLD]],
            "more": max(len(faults) - FAULTS_TOLD, 0),
            **self._where(),
        }


@contextmanager
def _kept_or_refused(so: str = UNCHANGED) -> Iterator[None]:
    """Tell a person that the disk refused, and how things stand `so`, instead of a fault in the program."""
    try:
        yield
    except AccessStoreError as error:
        raise PolicyError(f"{so}: {error.where}", error.hint) from error


def _sorted(listed: AccessList, door: DoorFacts | None) -> list[Entry]:
    chosen = (entry for entry in list(listed.entries.values()) if door is None or entry.opens(door))
    return sorted(chosen, key=lambda entry: (entry.holder, entry.tail))


def _shown(listed: AccessList, entry: Entry) -> dict[str, Any]:
    """Return an entry as people may see it."""
    return {
        "holder": entry.holder,
        "card": masked(entry.tail),
        "pin": entry.pin is not None,
        "doors": list(entry.doors),
        "schedules": list(entry.schedules),
        "valid_from": entry.valid_from,
        "valid_until": entry.valid_until,
        "blocked": listed.is_blocked(entry),
        "blocked_here": entry.key in listed.barred,
        "note": entry.note,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(fault)
    return told


def _text(request: Request, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"{key} is missing", "a text")
    return value.strip()
