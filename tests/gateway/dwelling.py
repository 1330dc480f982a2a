"""A flat whose sensors say every two minutes what a test lets them say: real stream, assets and alerting, no lines.

No line is polled, so a day costs a second; tests/gateway/test_watching_lines.py has the bytes. `dwell` runs a scenario.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from drivers.api import Quality, Value
from gateway.core.alerts import is_active
from gateway.core.events import AlertBody, Event, LinkBody, MemoryBody, ReadingBody
from tests.gateway.quarter import Quarter, play

T = TypeVar("T")

LINES = """
[[bus]]
name = "home-301"
port = "/dev/home"
baud = 115200
[[bus.device]]
name = "radar-301"
profile = "micradar-r60abd1"
address = 1
[[bus]]
name = "riser"
port = "/dev/riser"
stop_bits = 2
[[bus.device]]
name = "board"
profile = "wirenboard-wb-mcm8"
address = 1
place = { building = "2", unit = "1", floor = "1" }
[[asset]]
name = "flat-301"
kind = "home"
parts = { bodies = ["radar-301.movement"], contacts = ["board.contact_1"], leaves = ["board.contact_2"] }
[[asset]]
name = "bed-301"
kind = "bed"
parts = { bed = "radar-301.bed" }
"""
RESIDENT = """
[[resident]]
code = "2-1-301"
place = { building = "2", unit = "1", floor = "3" }
sensors = ["radar-301", "board.contact_1", "board.contact_2", "flat-301", "bed-301"]
consent = ["home", "away", "bed"]
"""
HOME = LINES + RESIDENT
HOUR = 3600.0
WATCHES = ("care.quiet", "care.bed_exit", "care.away", "care.away_over", "care.blind")


class Home:
    """A flat whose sensors say every two minutes what they last said; no line is polled, so a day costs a second."""

    def __init__(self, quarter: Quarter) -> None:
        self.quarter = quarter
        self.says: dict[tuple[str, str], Value | None] = {
            ("radar-301", "movement"): 1,
            ("radar-301", "bed"): 0,
            ("board", "contact_1"): False,
            ("board", "contact_2"): False,
        }
        self.silent: set[str] = set()
        self.every_s = 120.0

    async def live(self, hours: float, **says: Value | None) -> None:
        """Let hours pass, in which this is what the sensors say."""
        self.says |= {(WHOSE[name], name): value for name, value in says.items()}
        end = self.quarter.now + hours * HOUR
        while self.quarter.now < end:
            for (device, point), value in self.says.items():
                if device not in self.silent:
                    body = ReadingBody(device, point, value, Quality.GOOD, self.quarter.now)
                    self.quarter.stream.submit(body)
            await asyncio.sleep(min(self.every_s, end - self.quarter.now + 0.001))

    def lose(self, device: str) -> None:
        """Let a device be away, as its driver tells it."""
        self.silent.add(device)
        for (name, point), value in self.says.items():
            if name == device:
                body = ReadingBody(name, point, value, Quality.STALE, self.quarter.now)
                self.quarter.stream.submit(body)
        self.quarter.stream.submit(LinkBody("device", device, up=False, reason="silent"))

    def alerts(self, kind: str) -> list[AlertBody]:
        """Return every alert event of a kind so far."""
        return self.quarter.alerts(kind)

    def open(self) -> list[str]:
        """Return the kinds of the alerts about the resident that are true now."""
        return sorted(
            body.kind
            for body in self.quarter.alerting.alerts()
            if body.kind in WATCHES and is_active(body.state)
        )

    async def order(self, action: str, **arguments: float) -> str:
        """Give an order; return what came of it."""
        return str((await self.quarter.order("flat-301", action, **arguments)).result)

    def kept(self) -> list[Event]:
        """Return what a restart finds in the journal."""
        return [each for each in self.quarter.events if isinstance(each.body, MemoryBody | AlertBody)]


WHOSE = {"movement": "radar-301", "bed": "radar-301", "contact_1": "board", "contact_2": "board"}


def dwell(scenario: Callable[[Home], Awaitable[T]], text: str = HOME, **how: Any) -> T:
    """Play a scenario in a home whose readings the test tells; `how` as `play` has it."""

    async def main(quarter: Quarter) -> T:
        return await scenario(Home(quarter))

    return play(main, text, polls=False, **how)


def at(hour: float) -> float:
    """Return the time of day that it is on the spot at an hour of some day, in seconds since 1970."""
    return datetime(2027, 1, 15, tzinfo=UTC).timestamp() + (hour - 8.0) * HOUR
