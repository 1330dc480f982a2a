"""Upkeep: remembers when devices were first seen and last tested, holds test rounds, and tells what is installed.

A test round suppresses nothing. It only says that somebody is about testing, so that what alarms meanwhile counts as
tested; it ends by itself.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from drivers.api import Identified
from drivers.figures import LineStatistics
from gateway.core import maintenance
from gateway.core.config import BusTable
from gateway.core.events import Body, Event, Place, RoundBody
from gateway.core.kinds import Kinds
from gateway.core.policy import PolicyError
from gateway.core.rules import Watched
from gateway.core.upkeep import Upkeep as Known
from gateway.core.upkeep_bodies import CheckedBody

log = logging.getLogger(__name__)

LONGEST_MINUTES: Final = 480.0
LONGEST_TEXT: Final = 120


class Upkeep:
    """What the gateway knows of its devices' upkeep. `wall` is the time of day, seconds since 1970."""

    def __init__(
        self,
        buses: Sequence[BusTable],
        devices: Mapping[str, Watched],
        kinds: Kinds,
        *,
        lines: Callable[[], Sequence[LineStatistics]],
        submit: Callable[[Body], object],
        restore: Iterable[Event] = (),
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._buses, self._devices = buses, devices
        self._known = Known(devices, kinds, restore)
        self.points = self._known.points()  # whose readings it has use for
        self._lines, self._submit = lines, submit
        self._wall, self._clock = wall, clock
        self._wake = asyncio.Event()
        self.services = {"upkeep": self.run}
        self.operations = {
            "upkeep": self._tell,
            "test_begin": self._begin,
            "test_end": self._end,
            "unit_replaced": self._replaced,
            "task_done": self._done,
        }

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        for body in self._known.follow(event):
            self._submit(body)

    def identified(self, report: Identified) -> None:
        """Take what a unit says of itself."""
        for body in self._known.units.said(report.device, report.what, report.text):
            if body.replaced:
                log.warning("%s: unit %s hangs there now, not %s", body.device, body.serial, body.before)
            self._submit(body)

    async def run(self) -> None:
        """End test rounds whose time is up, until cancelled."""
        while True:
            self._wake.clear()
            standing = self._known.round
            left_s = None if standing is None else _left_s(standing.until - self._wall())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._wake.wait()
                    continue
            if standing is not None and standing is self._known.round:
                self._submit(msgspec.structs.replace(standing, begun=False))

    def rows(self) -> list[dict[str, Any]]:
        """Return every device with what is known of it; times are wall seconds."""
        now, wall = self._clock(), self._wall()
        seen = {each.device: each for line in self._lines() for each in line.devices}
        return [
            {
                "device": table.name,
                "line": bus.name,
                "address": table.address,
                "serial": self._known.units.of(table.name).serial or table.serial,
                "firmware": self._known.units.of(table.name).firmware,
                "swaps": msgspec.to_builtins(self._known.units.swaps(table.name)),
                "installed_on": None if table.installed_on is None else table.installed_on.isoformat(),
                "service_years": table.service_years,
                "profile": table.profile,
                "category": self._devices[table.name].category,
                "label": table.label,
                "place": msgspec.to_builtins(self._devices[table.name].place),
                "detector": self._known.alarms(table.name),
                "online": seen[table.name].online if table.name in seen else None,
                "first_seen": self._known.first_seen(table.name),
                "last_seen": _wall_of(seen.get(table.name), now, wall),
                "tested": msgspec.to_builtins(self._known.last_test(table.name)),
            }
            for bus in self._buses
            for table in bus.device
        ]

    async def _tell(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        standing = self._known.round
        return {
            "devices": self.rows(),
            "round": None if standing is None else msgspec.to_builtins(standing),
            "done": msgspec.to_builtins(self._known.done),
        }

    async def _replaced(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        device, serial = _line(request, "device"), _line(request, "serial")
        written = {table.name: table.serial for bus in self._buses for table in bus.device}
        if device not in written:
            raise PolicyError(f"there is no device {device!r}", "a name of gateway.toml, see inventory")
        body = self._known.units.replaced(device, serial, str(request.get("origin", "?")), written[device])
        self._submit(body)
        return {"before": body.before}

    async def _done(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        task = _line(request, "task")
        known = [each.name for each in maintenance.rounds()]
        if task not in known:
            raise PolicyError(f"the calendar has no task {task!r}", "one of " + ", ".join(known))
        self._submit(CheckedBody(task, str(request.get("origin", "?")), _line(request, "note")))
        return {}

    async def _begin(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        minutes = request.get("minutes", 120)
        if (
            isinstance(minutes, bool)
            or not isinstance(minutes, int | float)
            or not 0 < minutes <= LONGEST_MINUTES
        ):
            raise PolicyError("minutes is no time for a round", f"a number up to {LONGEST_MINUTES:g}")
        if self._known.round is not None:
            raise PolicyError(f"{self._known.round.by} is testing already", "end that round first")
        try:
            place = msgspec.convert(request.get("place", {}), Place)
        except msgspec.ValidationError as error:
            raise PolicyError(f"place: {error}", "levels by name, like building=2") from error
        now = self._wall()
        until = now + minutes * 60
        self._submit(RoundBody(f"{now:.3f}", True, str(request.get("origin", "?")), place, until))
        self._wake.set()
        return {"until": until}

    async def _end(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        standing = self._known.round
        if standing is None:
            raise PolicyError("nobody is testing", "begin a round first")
        self._submit(msgspec.structs.replace(standing, begun=False))
        self._wake.set()
        return {}


def _left_s(told_s: float) -> float:
    """Return how long a round lasts on: one that would last longer than any began by a clock that was ahead."""
    return told_s if 0 < told_s <= LONGEST_MINUTES * 60 else 0.0


def _line(request: Mapping[str, Any], name: str) -> str:
    """Return one line of a request, "" if it has none."""
    told = request.get(name, "")
    if not isinstance(told, str) or len(told) > LONGEST_TEXT or not told.isprintable():
        raise PolicyError(f"{name} is no line of text", f"at most {LONGEST_TEXT} characters")
    return told.strip()


def _wall_of(seen: Any, now: float, wall: float) -> float | None:
    """Return when a device answered last, as a time of day."""
    return None if seen is None or seen.last_good_at is None else wall - (now - seen.last_good_at)
