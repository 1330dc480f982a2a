"""A whole gateway in this process: a real line that is polled, cameras that misbehave, and a look at the gaps."""

import asyncio
import functools
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway import app, configuration, site
from gateway.core.events import AlertBody, Event
from gateway.runtime import loop
from gateway.vision.child import Begin, own
from gateway.vision.service import Vision
from tests.bench.rig import Simulator, simulator
from tests.vision.keeping import PRETEND

SETTLED_S = 1.0
CALM_S = 1.5
LOOK_S = 0.002

COMPOUND = (
    *("--buildings", "2", "--detectors", "14"),
    *("--covers", "2", "--doors", "4", "--lines", "1"),
)
GATEWAY = """\
[gateway]
id = "bench"
state_dir = "{folder}/state"
[vision]
memory_max_mb = 100
evidence_max_mb = 16
"""
CAMERA = """
[[camera]]
name = "north"
url = "rtsp://192.168.1.30/stream1"
place = {{ building = "2" }}
"""


@dataclass
class House:
    """What a test sees of the running gateway."""

    folder: Path
    vision: Vision
    status: Callable[[], dict[str, Any]]
    alerts: list[AlertBody] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)  # (when, seconds between two polls)
    lags: list[tuple[float, float]] = field(default_factory=list)  # (when, seconds the loop was late)

    @property
    def pid(self) -> int | None:
        return self.vision.keepers[0].pid

    def go(self) -> None:
        """Have a camera's process of a mode `later:...` begin."""
        (self.folder / "state" / "go").touch()

    def worst(self, what: list[tuple[float, float]], since: float, until: float) -> float:
        """Return the longest of `gaps` or `lags` in a stretch of time."""
        return max((length for at, length in what if since <= at < until), default=until - since)


Work = Callable[[House], Awaitable[None]]


@contextmanager
def lines() -> Iterator[Simulator]:
    with simulator(*COMPOUND, "--unpaced") as sim:
        yield sim


def run(
    folder: Path,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
    work: Work,
    *,
    silent_s: float = 1.5,
    begin: Begin | None = None,
) -> None:
    """Run a gateway with one camera of this mode; measure calm, do `work`, and hold the gaps against each other."""
    command = (sys.executable, str(PRETEND), mode)
    monkeypatch.setattr(app, "Vision", functools.partial(Vision, silent_s=silent_s))
    monkeypatch.setattr(site, "nursery_of", lambda _: begin or own(command))
    made: list[app.House] = []

    class Seen(app.House):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self)

    monkeypatch.setattr(app, "House", Seen)
    with lines() as sim:
        file = folder / "gateway.toml"
        file.write_text(GATEWAY.format(folder=folder) + _buses(sim) + CAMERA.format(), encoding="utf-8")
        loop.run(_live(configuration.load(file), made, work))


async def _live(checked: configuration.Checked, made: list[app.House], work: Work) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    alerts: list[AlertBody] = []

    def follow(event: Event) -> None:
        if isinstance(event.body, AlertBody) and event.body.device == "north":
            alerts.append(event.body)

    async with asyncio.TaskGroup() as group:
        serving = group.create_task(app.serve(checked, stop=stop, ready=ready.set, on_event=follow))
        await ready.wait()
        house = House(Path(checked.file).parent, made[0]._vision, made[0].status, alerts)
        watching = group.create_task(_measure(house, made[0]))
        try:
            await asyncio.sleep(SETTLED_S)
            began = time.monotonic()
            await asyncio.sleep(CALM_S)
            house.go()
            fault_at = time.monotonic()
            async with asyncio.timeout(9):
                await work(house)
            await asyncio.sleep(max(0.0, fault_at + CALM_S - time.monotonic()))
            ended = time.monotonic()
        finally:
            watching.cancel()
            stop.set()
        await serving
    for name, what in (("between polls", house.gaps), ("late on the loop", house.lags)):
        calm_s, fault_s = house.worst(what, began, fault_at), house.worst(what, fault_at, ended)
        print(f"longest {name}: {calm_s * 1000:.1f} ms before, {fault_s * 1000:.1f} ms during the fault")
        assert fault_s < max(2 * calm_s, calm_s + 1.0)  # a machine with other guests is late by itself


async def _measure(house: House, gateway: app.House) -> None:
    """Note every time between two polls of the line, by looking often: a loop that is held up shows too."""
    statistics = gateway._field.statistics
    polls, at = 0, time.monotonic()
    while True:
        due = time.monotonic() + LOOK_S
        await asyncio.sleep(LOOK_S)
        now, count = time.monotonic(), sum(line.polls for line in statistics())
        house.lags.append((now, now - due))
        if count != polls:
            house.gaps.append((now, now - at))
            polls, at = count, now


async def until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; the test's own time limit ends it."""
    while not condition():
        await asyncio.sleep(0.01)


def _buses(sim: Simulator) -> str:
    from tests.bench.rig import configuration as text

    whole = text(sim.bus, broker_url="mqtt://x", state_dir=Path("x"))
    return whole[whole.index("[[bus]]") :]
