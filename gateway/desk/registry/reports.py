"""Hear what gateways say of their devices and keep the registry up to date, never in the way of an alert.

How it works: a state is looked at for the few things that seldom change (place, model, whether it answers); readings
are left aside. What is new waits in memory, one entry a device however often it is told, and is written in batches
some seconds apart, after alerts. A device is gone when its gateway empties its topic, or has it no more in its health;
it is marked and keeps all that people wrote. What the broker kept for us brings nothing back that is gone.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, TypeVar

import msgspec

from gateway.core.events import Place
from gateway.core.installed import Asset, Reported
from gateway.desk.arrivals import LARGEST
from gateway.desk.listening import Heard, Way
from gateway.desk.store import assets
from gateway.desk.store.database import Database

log = logging.getLogger(__name__)

PAUSE_S: Final = 5.0
AT_ONCE: Final = 100  # devices of one transaction
AGAIN_S: Final = 600.0  # what has not changed is written so seldom
MOST_OF_GATEWAY: Final = 2_000
TOPICS: Final = ("compound/v1/+/state/+", "compound/v1/+/health")

_T = TypeVar("_T")
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f/+#]+\Z")]
_Word = Annotated[str, msgspec.Meta(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
_Part = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]


class _State(msgspec.Struct, frozen=True):
    device: _Name | None = None
    online: bool | None = None
    place: dict[_Word, _Part] = {}
    category: _Word = ""
    profile: _Word = ""
    label: _Word = ""
    resident: _Word = ""


class _OnLine(msgspec.Struct, frozen=True):
    device: _Name
    online: bool | None = None
    polls: int | None = None

    @property
    def answers(self) -> bool | None:
        """Return whether it is there; None for one that was never asked."""
        return None if self.polls == 0 else self.online


class _Bus(msgspec.Struct, frozen=True):
    devices: tuple[_OnLine, ...] = ()


class _Camera(msgspec.Struct, frozen=True):
    camera: _Name
    up: bool | None = None


class _Health(msgspec.Struct, frozen=True):
    buses: tuple[_Bus, ...] | None = None
    cameras: tuple[_Camera, ...] | None = None


_state, _health = msgspec.json.Decoder(_State), msgspec.json.Decoder(_Health)


@dataclass(frozen=True, slots=True)
class Said:
    """What was heard of one device. `whole`: all of it, by its state; else only whether it answers."""

    gateway: str
    device: str
    reported: Reported
    whole: bool
    live: bool

    @property
    def name(self) -> str:
        """Return the device's name in the registry."""
        return f"{self.gateway}/{self.device}"

    def after(self, before: Asset | None) -> Reported:
        """Return what is reported now."""
        if self.whole or before is None:
            return self.reported
        told = msgspec.structs.replace(before.reported, online=self.reported.online)
        return msgspec.structs.replace(told, kind=told.kind or self.reported.kind)


class Reports:
    """A listener that keeps the registry. `offer_*` and `hear` are of the event loop's thread and only remember."""

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], float] = time.time,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.unreadable = 0
        self._database, self._now, self._wake = database, now, wake
        self._waiting: dict[str, Said] = {}
        self._gone: dict[str, None] = {}
        self._lists: dict[str, frozenset[str]] = {}  # gateway -> all it has, to be looked at
        self._listed: dict[str, frozenset[str]] = {}  # what was looked at
        self._written: dict[str, tuple[Reported, bool, float]] = {}  # what, whether live, when
        self._devices: dict[str, set[str]] = {}
        self._filled = asyncio.Event()

    @property
    def subscriptions(self) -> Sequence[str]:
        """Return the topics to listen to."""
        return TOPICS

    def hear(self, heard: Heard, way: Way) -> bool:
        """Take a device's state; a gateway's health is looked at and left to whoever keeps it."""
        if heard.what == "health" and not heard.name:
            self._hear_health(heard.gateway, heard.content, live=not heard.retained)
        if heard.what != "state" or not heard.name or not self._hear_state(heard):
            return False
        heard.settled()  # the broker keeps the last of it
        return True

    async def run(self) -> None:
        """Write what is heard until cancelled."""
        while True:
            await self._filled.wait()
            await self.flush()
            await asyncio.sleep(PAUSE_S)

    async def flush(self) -> None:
        """Write what waits; what the database cannot take now waits on."""
        self._filled.clear()
        try:
            while self._waiting:
                await self._write()
            while self._gone or self._lists:
                await self._mark()
        except Exception as error:
            if not self._database.is_outage(error):
                raise
            log.warning("the registry is behind: %s: %s", type(error).__name__, error)
            self._filled.set()

    def _hear_state(self, heard: Heard) -> bool:
        """Remember a device's state; False for a door's, and for a topic that was emptied, whosever it was."""
        if not heard.content:
            self._gone[f"{heard.gateway}/{heard.name}"] = None
            self._filled.set()
            return False
        told = self._decoded(_state, heard.content)
        if told is None or told.device != heard.name:
            return False
        place = Place(**{name: told.place.get(name, "") for name in Place.__struct_fields__})
        reported = Reported(told.category, told.profile, told.label, place, told.online, told.resident)
        self._take(Said(heard.gateway, heard.name, reported, whole=True, live=not heard.retained))
        return True

    def _hear_health(self, gateway: str, content: bytes, *, live: bool) -> None:
        told = self._decoded(_health, content)
        if told is None:
            return
        found = [
            (each.device, Reported(online=each.answers)) for bus in told.buses or () for each in bus.devices
        ]
        found += [(each.camera, Reported("camera", online=each.up)) for each in told.cameras or ()]
        for device, reported in found:
            self._take(Said(gateway, device, reported, whole=False, live=live))
        names = frozenset(device for device, _ in found)
        if (
            live
            and told.buses is not None
            and told.cameras is not None
            and names != self._listed.get(gateway)
        ):
            self._lists[gateway] = names
            self._filled.set()

    def _decoded(self, decoder: msgspec.json.Decoder[_T], content: bytes) -> _T | None:
        try:
            if len(content) <= LARGEST:
                return decoder.decode(content)
        except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError, RecursionError):
            pass
        self.unreadable += 1
        if self.unreadable.bit_count() == 1:
            log.warning("no. %d of what is said of devices cannot be read", self.unreadable)
        return None

    def _take(self, said: Said) -> None:
        """Remember what was said, unless it is what stands in the registry, or one device too many."""
        known = self._devices.setdefault(said.gateway, set())
        if said.device not in known and len(known) >= MOST_OF_GATEWAY:
            return
        known.add(said.device)
        if self._is_known(said):
            return
        waits = self._waiting.get(said.name)
        if waits is not None and waits.whole and not said.whole:
            told = msgspec.structs.replace(waits.reported, online=said.reported.online)
            said = replace(waits, reported=told, live=waits.live or said.live)
        self._waiting[said.name] = said
        self._gone.pop(said.name, None)
        self._filled.set()

    def _is_known(self, said: Said) -> bool:
        """Return whether this is what was written, not long ago."""
        told, live, at = self._written.get(said.name, (None, False, 0.0))
        is_pending = said.name in self._waiting or said.name in self._gone
        if told is None or is_pending or (said.live and not live):
            return False
        same = told == said.reported if said.whole else told.online == said.reported.online
        return same and self._now() - at < AGAIN_S

    async def _write(self) -> None:
        """Write some of what waits."""
        now, batch = self._now(), list(self._waiting.values())[:AT_ONCE]
        async with self._database.transaction() as transaction:
            known = await assets.these(transaction, [each.name for each in batch])
            rows = [_asset(each, known.get(each.name), now) for each in batch]
            await assets.report(transaction, rows, now)
        for each, row in zip(batch, rows, strict=True):
            self._written[each.name] = (row.reported, each.live, now)
            if self._waiting.get(each.name) is each:
                del self._waiting[each.name]
        self._wake()

    async def _mark(self) -> None:
        """Mark what is gone."""
        now, gone, lists = self._now(), list(self._gone), dict(self._lists)
        marked: list[str] = []
        async with self._database.transaction() as transaction:
            for name in gone:
                gateway, _, device = name.partition("/")
                marked += await assets.gone(transaction, gateway, but=None, only=device, now=now)
            for gateway, names in lists.items():
                marked += await assets.gone(transaction, gateway, but=names, now=now)
        for name in marked:
            self._written.pop(name, None)
        for name in gone:
            self._gone.pop(name, None)
        self._listed |= lists
        self._lists = {
            gateway: names for gateway, names in self._lists.items() if lists.get(gateway) != names
        }
        self._wake()


def _asset(said: Said, before: Asset | None, now: float) -> Asset:
    known = before or Asset(said.gateway, said.device)
    gone_at = None if said.live else known.gone_at
    return msgspec.structs.replace(known, reported=said.after(before), reported_at=now, gone_at=gone_at)
