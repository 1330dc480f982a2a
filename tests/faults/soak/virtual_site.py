"""The place of the virtual soak: the whole gateway of gateway/app.py, its lines, broker, desk and disk in one process.

Real here: the composition root with all its services, the drivers and every byte on the lines, the journal in SQLite.
In memory: the wire, the broker and the desk (they answer as told). The disk refuses where a test of the journal lets
it, at the probe before a commit. A kill is a copy of the state directory at that instant: nothing the old life does
afterwards reaches the copy, or anybody.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from drivers import profile
from drivers.api import Device, Driver, LineSettings
from drivers.modbus.driver import ModbusDriver
from drivers.registry import DRIVERS
from drivers.sim.commands import Commands
from drivers.sim.compound import Wiring, compound
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from drivers.sim.serve import buses
from drivers.sim.world import World
from drivers.transport import ByteStream, OnData, OnLost
from gateway import app, configuration
from gateway.core.events import AlertBody, Event
from gateway.core.policy import PolicyError
from gateway.runtime.journal.rows import Lane, Position
from gateway.runtime.journal.statements import PAGE_SIZE
from gateway.services.uplink import Uplink
from tests.bench.rig import configuration as toml
from tests.faults.soak.buttons import BOARD, BUTTONS, RULES
from tests.faults.soak.instant import TIME
from tests.faults.soak.ledger import Arrival
from tests.faults.soak.upstream import Upstream

STEP_S = 0.5


class Card:
    """The disk. `refuses` says how; a commit then fails as SQLite has it fail."""

    FULL = (sqlite3.SQLITE_FULL, "database or disk is full")
    BROKEN = (sqlite3.SQLITE_IOERR, "disk I/O error")

    def __init__(self) -> None:
        self.refuses: tuple[int, str] | None = None
        self.committed: Callable[[], None] | None = None  # called once, by the disk's thread

    def probe(self, point: str) -> None:
        """Be called at the journal's named points."""
        if self.refuses is not None and point == "journal.before_commit":
            error = sqlite3.OperationalError(self.refuses[1])
            error.sqlite_errorcode = self.refuses[0]
            raise error
        if self.committed is not None and point == "journal.after_commit":
            committed, self.committed = self.committed, None
            committed()


class Virtual:
    """Everything, and one gateway after another."""

    def __init__(self, folder: Path, *, seed: int, detectors: int = 6) -> None:
        self.world = _street(seed, detectors)
        self.lost: list[tuple[Position, Position]] = []  # of each start: after which number, up to which
        self.upstream, self.card = Upstream(), Card()
        self.far_end = self.upstream.far_end
        self.sim = self
        self.bus = buses(self.world, {name: f"/dev/{name}" for name in self.world.lines})
        self.lives = 0
        self.leaks = False  # planted: a follower of the stream that keeps every event but readings
        self._kept: list[Event] = []
        self._commands = Commands(self.world)
        self._ports = {name: MemoryLine(line) for name, line in self.world.lines.items()}
        self._folder, self._file = folder, folder / "gateway.toml"
        self._house: app.House | None = None
        self._life: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._telling: asyncio.Event | None = None
        self._struck = folder / "struck"  # the disk at the instant of a strike
        self._install()

    def _install(self) -> None:
        drivers = cast("dict[str, Any]", DRIVERS)
        drivers["modbus"] = replace(DRIVERS["modbus"], open=self._driver)
        cast("dict[str, Any]", Uplink.__init__.__kwdefaults__)["connect"] = self.upstream.connect
        place = self

        class Known(app.House):
            """A house we can ask without a socket."""

            def __init__(self, *arguments: Any, **settings: Any) -> None:
                journal = arguments[2]
                place.lost.append((journal.last(Lane.URGENT), (journal.epoch, journal.last_seq)))
                super().__init__(*arguments, **settings)
                place._house = self
                if place.leaks:
                    self.stream.follow("leak", place._kept.append, readings=False)

            def _follow(self, *arguments: Any) -> None:
                self.stream.follow("strike", place._follow, readings=False)  # before the journal has it
                super()._follow(*arguments)

        app.House = Known  # type: ignore[misc]

    def _driver(self, settings: LineSettings, devices: Sequence[Device], report: Any, **more: Any) -> Driver:
        return ModbusDriver(settings, devices, report, open_stream=self._open, clock=more["clock"])

    async def _open(self, settings: LineSettings, on_data: OnData, on_lost: OnLost) -> ByteStream:
        return await self._ports[settings.name].open(settings, on_data, on_lost)

    async def begin(self) -> None:
        """Start a gateway on the present state directory."""
        self.lives += 1
        text = toml(self.bus, broker_url="mqtt://127.0.0.1:1", state_dir=self.state)
        text = text.replace("[mqtt]\n", '[mqtt]\nconfirm = "desk"\n') + RULES
        self._file.write_text(text, encoding="utf-8")
        self._stop, ready = asyncio.Event(), asyncio.Event()
        checked = configuration.load(self._file)
        serving = app.serve(checked, stop=self._stop, ready=ready.set, probe=self.card.probe)
        self._life = asyncio.create_task(serving, name=f"life {self.lives}")
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait([self._life, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._life.done():
            self._life.result()

    async def end(self) -> None:
        """Stop the gateway in order."""
        self._stop.set()
        if self._life is not None:
            await self._life
        self._house = None

    async def kill(self, *, damaged: bool = False) -> None:
        """End the gateway as a kill -9 does, and start the next on what the disk had at that instant.

        With `damaged` the head of its database is nonsense by then, as a card's first block goes.
        """
        while TIME.under_way:  # what the disk has begun it ends
            await asyncio.sleep(0)
        self._telling = self.card.committed = None
        before, refuses = self.state, self.card.refuses
        self.upstream.life += 1
        self.upstream.cut("killed")
        after = before.with_name(f"state-{self.lives}")
        if not self._struck.exists():
            _copy(before, self._struck)
        self._struck.rename(after)
        if damaged:
            _damage(after)
        self.card.refuses = None  # a start on a dead disk is tests/faults/test_dead_card.py's, on a real one
        await self.end()
        shutil.rmtree(before)
        await self.begin()
        self.card.refuses = refuses

    async def strike(self, within_s: float) -> None:
        """Kill it as soon as the row of the next alert event is on the disk: those that follow it are not."""
        told = self._telling = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await told.wait()
        await self.kill()

    def _follow(self, event: Event) -> None:
        if self._telling is not None and isinstance(event.body, AlertBody):
            self._telling.set()
            self._telling, self.card.committed = None, self._strike

    def _strike(self) -> None:
        self.upstream.life += 1  # nobody hears of what this life does from now on
        _copy(self.state, self._struck)

    async def reload(self) -> None:
        """End one life and begin the next in peace, as SIGHUP does."""
        refuses = self.card.refuses
        await self.end()
        self.card.refuses = None
        await self.begin()
        self.card.refuses = refuses

    @property
    def state(self) -> Path:
        """Return the present state directory."""
        there = sorted(self._folder.glob("state-*"), key=lambda each: int(each.name.partition("-")[2]))
        return there[-1] if there else self._folder / "state-0"

    @property
    def lines(self) -> list[str]:
        """Return the names of the lines."""
        return list(self.world.lines)

    def tell(self, command: str) -> dict[str, Any]:
        """Let something happen in the compound."""
        answer = self._commands.obey(command)
        assert "error" not in answer, answer
        return answer

    def devices(self, profile: str) -> list[str]:
        """Return the devices of a product."""
        return [name for name, device in self.world.devices.items() if device.profile.name == profile]

    def line_of(self, device: str) -> str:
        """Return on which line a device hangs."""
        return next(
            name for name, there in self.world.on_line.items() if device in {each.name for each in there}
        )

    def heard_from(self, index: int) -> list[Arrival]:
        """Return what the desk has from the `index`-th on."""
        return self.far_end.heard[index:]

    @property
    def forgetful(self) -> bool:
        """Return whether the disk takes nothing just now."""
        return self.card.refuses is not None

    def note(self, what: str, name: str) -> None:
        """Keep nothing."""

    def ask(self, op: str, **fields: Any) -> Mapping[str, Any] | None:
        """Ask the gateway; None when there is none, or it says no."""
        if self._house is None:
            return None
        alerting = self._house._alerting  # a socket's round trip would cost real time
        try:
            if op == "acknowledge":
                alerting.acknowledge(fields["alert"], fields["origin"])
            elif op == "reset":
                alerting.reset(fields["device"], fields["origin"])
        except PolicyError:
            return None
        bodies = alerting.alerts()
        return {
            "alerts": [
                {"alert": b.alert, "state": b.state, "kind": b.kind, "devices": b.devices} for b in bodies
            ]
        }

    def advice(self) -> list[str]:
        """Return what `status` advises on."""
        assert self._house is not None
        return [f"{each['what']}: {each['en']}" for each in self._house.status()["advice"]]

    def waiting(self) -> int:
        """Return how many urgent rows the desk has not confirmed."""
        assert self._house is not None
        depth = self._house.status()["journal"]["depth"]
        return sum(count for sink, count in depth.items() if sink.startswith("uplink.urgent"))

    async def turn(self) -> None:
        """Let the compound go on."""
        while True:
            self.world.step(TIME.now)
            await asyncio.sleep(STEP_S)


def _street(seed: int, detectors: int) -> World:
    """Return a compound, and beside it a line with a board whose buttons are counted."""
    wiring = Wiring(paced=False)
    street = compound(seed=seed, detectors=detectors, covers=1, doors=1, lines=3, wiring=wiring)
    board = SimDevice(profile.load("wirenboard-wb-mcm8"), 1, name=BOARD)
    line = wiring.line(BUTTONS, [board], seed=seed)
    there = {**street.on_line, BUTTONS: [board]}
    return World([*street.lines.values(), line], there, street.places, seed=seed)


def _copy(state: Path, there: Path) -> None:
    """Copy a disk, all at once for whoever looks."""
    beside = there.with_name("copying")
    shutil.copytree(state, beside, ignore=shutil.ignore_patterns("*.sock"))
    beside.rename(there)


def _damage(state: Path) -> None:
    """Overwrite the first page of the database: no row is on it, so that every row must be carried over."""
    with (state / "journal.db").open("r+b") as file:
        file.write(b"\xa5" * PAGE_SIZE)
