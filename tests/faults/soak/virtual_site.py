"""The place of the virtual soak: the whole gateway of gateway/app.py, its lines, broker, desk and disk in one process.

Real here: the composition root with all its services, the drivers and every byte on the lines, the journal in SQLite.
In memory: the wire, the broker and the desk (they answer as told). The disk refuses where a test of the journal lets
it, at the probe before a commit. A kill is a copy of the state directory at that instant: nothing the old life does
afterwards reaches the copy, or anybody.
"""

import asyncio
import hashlib
import json
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from drivers.api import Device, Driver, LineSettings
from drivers.modbus.driver import ModbusDriver
from drivers.registry import DRIVERS
from drivers.sim.commands import Commands
from drivers.sim.compound import Wiring, compound
from drivers.sim.memory_line import MemoryLine
from drivers.sim.serve import buses
from drivers.transport import ByteStream, OnData, OnLost
from gateway import app, configuration
from gateway.core.events import Event
from gateway.core.policy import PolicyError
from gateway.runtime.journal.statements import PAGE_SIZE
from gateway.services.uplink import Uplink
from gateway.services.uplink.brokers import Broker, ConnectError
from gateway.services.uplink.connection import Connection, Done, Identity, Message, Receive
from tests.bench.rig import configuration as toml
from tests.faults.soak.instant import TIME, WALL
from tests.faults.soak.ledger import Arrival
from tests.uplink_parts import MemoryLink

UNACKNOWLEDGED_S = 4.0  # the real link gives up then
SLOW_S = 3.5
STEP_S = 0.5


@dataclass
class FarEnd:
    """The desk's record: what it has committed, in order."""

    heard: list[Arrival] = field(default_factory=list)


class Link(MemoryLink):
    """One that keeps nothing of what went over it: a week is long. `late_s` is how long an acknowledgement takes."""

    late_s = 0.0

    def publish(self, message: Message, done: Done) -> None:
        """Take a message."""
        super().publish(message, done)
        self.published.clear()

    def _finish(self, done: Done, answer: str | None) -> None:
        if self.late_s:
            asyncio.get_running_loop().call_later(self.late_s, super()._finish, done, answer)
        else:
            super()._finish(done, answer)


class Upstream:
    """Broker and desk. `away`, `silent`, `slow` and `refusing` are the broker's faults, `deaf` is the desk's."""

    def __init__(self) -> None:
        self.away = self.silent = self.refusing = self.deaf = False
        self.far_end = FarEnd()
        self.life = 0
        self.lying: set[int] = set()  # planted: numbers it takes and never delivers
        self._links: list[Link] = []
        self._waiting: list[bytes] = []  # for a desk that does not listen
        self._receive: Receive = lambda _message: None

    async def connect(self, broker: Broker, _identity: Identity, receive: Receive) -> Connection:
        """Let a gateway in, unless it died already or we are away."""
        life = self.life
        await asyncio.sleep(0.01)
        if self.away or self.silent or life != self.life:
            raise ConnectError("connect", broker.url, "refused")
        link = Link(broker.url, lambda message: self._answer(message, life))
        self._links = [each for each in self._links if not each.lost.done()]
        self._links.append(link)
        self._receive = receive
        return link

    @property
    def slow(self) -> bool:
        """Whether acknowledgements take their time."""
        return Link.late_s > 0

    @slow.setter
    def slow(self, slow: bool) -> None:
        Link.late_s = SLOW_S if slow else 0.0

    def cut(self, reason: str) -> None:
        """Drop every connection."""
        for link in self._links:
            link.drop(reason)
        self._links.clear()

    def listen(self) -> None:
        """Let the desk take in what waited for it."""
        waiting, self._waiting = self._waiting, []
        for content in waiting:
            self._commit(content)

    def _answer(self, message: Message, life: int) -> str | None:
        if life != self.life:
            return MemoryLink.SILENT
        if self.silent:
            asyncio.get_running_loop().call_later(UNACKNOWLEDGED_S, self.cut, "it acknowledged nothing")
            return MemoryLink.SILENT
        if self.refusing:
            return "Quota exceeded"
        if message.topic.endswith("/alert"):
            if self.deaf:
                self._waiting.append(message.content)
            else:
                asyncio.get_running_loop().call_soon(self._commit, message.content)
        return None

    def _commit(self, content: bytes) -> None:
        """Be the desk: commit, then say so."""
        arrival = _arrival(content)
        epoch, seq = arrival.number
        if len(self.far_end.heard) not in self.lying:
            self.far_end.heard.append(arrival)
        else:
            self.lying.clear()
        receipt = json.dumps({"epoch": epoch, "stored": [[seq, seq]]}).encode()
        from gateway.core.incoming import Incoming

        self._receive(Incoming("compound/v1/bench/receipt", receipt))


class Card:
    """The disk. `refuses` says how; a commit then fails as SQLite has it fail."""

    FULL = (sqlite3.SQLITE_FULL, "database or disk is full")
    BROKEN = (sqlite3.SQLITE_IOERR, "disk I/O error")

    def __init__(self) -> None:
        self.refuses: tuple[int, str] | None = None

    def probe(self, point: str) -> None:
        """Be called at the journal's named points."""
        if self.refuses is not None and point == "journal.before_commit":
            error = sqlite3.OperationalError(self.refuses[1])
            error.sqlite_errorcode = self.refuses[0]
            raise error


class Virtual:
    """Everything, and one gateway after another."""

    def __init__(self, folder: Path, *, seed: int, detectors: int = 6) -> None:
        self.world = compound(
            seed=seed, detectors=detectors, covers=1, doors=1, lines=3, wiring=Wiring(paced=False)
        )
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
        self._install()

    def _install(self) -> None:
        drivers = cast("dict[str, Any]", DRIVERS)
        drivers["modbus"] = replace(DRIVERS["modbus"], open=self._driver)
        cast("dict[str, Any]", Uplink.__init__.__kwdefaults__)["connect"] = self.upstream.connect
        place = self

        class Known(app.House):
            """A house we can ask without a socket."""

            def __init__(self, *arguments: Any, **settings: Any) -> None:
                super().__init__(*arguments, **settings)
                place._house = self
                if place.leaks:
                    self.stream.follow("leak", place._kept.append, readings=False)

        app.House = Known  # type: ignore[misc]

    def _driver(self, settings: LineSettings, devices: Sequence[Device], report: Any, **more: Any) -> Driver:
        return ModbusDriver(settings, devices, report, open_stream=self._open, clock=more["clock"])

    async def _open(self, settings: LineSettings, on_data: OnData, on_lost: OnLost) -> ByteStream:
        return await self._ports[settings.name].open(settings, on_data, on_lost)

    async def begin(self) -> None:
        """Start a gateway on the present state directory."""
        self.lives += 1
        text = toml(self.bus, broker_url="mqtt://127.0.0.1:1", state_dir=self.state)
        self._file.write_text(text.replace("[mqtt]\n", '[mqtt]\nconfirm = "desk"\n'), encoding="utf-8")
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
        before, refuses = self.state, self.card.refuses
        self.upstream.life += 1
        self.upstream.cut("killed")
        after = before.with_name(f"state-{self.lives}")
        shutil.copytree(before, after, ignore=shutil.ignore_patterns("*.sock"))
        if damaged:
            _damage(after)
        self.card.refuses = None  # a start on a dead disk is tests/faults/test_dead_card.py's, on a real one
        await self.end()
        shutil.rmtree(before)
        await self.begin()
        self.card.refuses = refuses

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


def _damage(state: Path) -> None:
    """Overwrite the first page of the database: no row is on it, so that every row must be carried over."""
    with (state / "journal.db").open("r+b") as file:
        file.write(b"\xa5" * PAGE_SIZE)


def _arrival(content: bytes) -> Arrival:
    event = json.loads(content)
    epoch, _, seq = event["id"].partition(".")
    previous = tuple(map(int, event["previous"].split("."))) if "previous" in event else None
    data = event["data"]
    return Arrival(
        (int(epoch), int(seq)), previous, event["subject"], data["kind"], data["device"],  # type: ignore[arg-type]
        WALL + TIME.now, hashlib.blake2b(content, digest_size=8).digest(),
    )  # fmt: skip
