"""A quarter of assets: a gateway.toml over simulated lines, with the real drivers, stream, assets and alerting, in
virtual time.

`play` runs a scenario and hands it the quarter: `set` lets a device measure, `told` is every body in order.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from drivers.api import Device, Driver, LineSettings, ReportTo
from drivers.framed.driver import FramedDriver
from drivers.registry import DRIVERS
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from gateway import assetry, configuration, doorways, site
from gateway.actors import Actors
from gateway.alarms import Past
from gateway.core import kinds
from gateway.core.events import Clock, Event, ReadingBody
from gateway.core.snapshot import Snapshot
from gateway.runtime.stream import Stamp, Stream
from gateway.services.alerting import Alerting
from gateway.services.barriers import Barriers
from gateway.services.commanding import Commanding
from gateway.services.field import Field
from gateway.services.interlocks import Interlocks
from tests import virtual
from tests.gateway.rig import Rig

T = TypeVar("T")

WALL = 1_800_000_000.0
KINDS = kinds.built_in()
HEAD = """
[gateway]
id = "quarter"
state_dir = "{folder}"
place = {{ compound = "红星亭坡 1 号院" }}
"""


class Quarter(Rig):
    """What a test plays with."""

    def __init__(self, text: str, restore: Iterable[Event], wall: float, ended: float = 0.0) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "gateway.toml"
            file.write_text(HEAD.format(folder=folder) + text, encoding="utf-8")
            checked = configuration.check(file)
        assert checked.config is not None, [str(fault) for fault in checked.faults if not fault.warning]
        config, before = checked.config, list(restore)
        super().__init__(last_id=len(before))
        self.ahead = wall  # wall less monotonic: a test may set the clock
        self.clock = Clock.SYNCED
        self.stream = Stream(epoch=1, last_seq=0, last_alert_seq=0, now=self.stamp)
        lines = site.lines_of(config, checked.profiles)
        self.devices: dict[str, SimDevice | SimUnit] = {}
        self.lines = {settings.name: self._line(settings, devices) for settings, devices in lines}
        self.field = Field(
            lines,
            submit=self.stream.submit,
            clock=self._loop.time,
            drivers={
                "modbus": replace(DRIVERS["modbus"], open=self._modbus),
                "framed": replace(DRIVERS["framed"], open=self._framed),
            },
        )
        made = assetry.assets_of(config, checked.profiles)
        devices = site.watched_of(config, checked.profiles, KINDS, made)
        self.watched = assetry.watched_with(made, devices, config, KINDS)
        places = {name: each.place for name, each in self.watched.items()}
        self.assets = assetry.service_of(
            made,
            self.watched,
            submit=self.stream.submit,
            read_soon=self.field.read_soon,
            now=self.stamp,
            past=Past(before, ended),
            offset_h=config.gateway.utc_offset_h,
        )
        self.alerting = Alerting(
            self.watched,
            kinds=KINDS,
            submit=self.stream.submit,
            read_soon=self.assets.read_soon,
            new_id=self._new_id,
            restore=before,
        )
        gates = assetry.barriers_of(made, config, checked.profiles)
        self.barriers = Barriers(
            gates,
            act=self.field.act,
            read_soon=self.field.read_soon,
            submit=self.stream.submit,
            now=self._loop.time,
            restore=before,
        )
        self.interlocks = Interlocks(
            doorways.interlocks_of(config),
            act=self._act,
            submit=self.stream.submit,
            new_id=self._new_id,
            now=self._loop.time,
            restore=before,
        )
        self.actors = Actors(
            self.field,
            (self.interlocks, self.barriers, self.assets),
            strikes=[(gate.name, each) for gate in gates for each in gate.outputs.values()],
            places=places,
            home=config.gateway.place,
        )
        self.commanding = Commanding(
            self.actors,
            self.actors.act,
            submit=self.stream.submit,
            new_id=self._new_id,
            angles=lambda _: {},
            reset=self.alerting.reset,
            clock=self._loop.time,
        )
        self.snapshot = Snapshot(tuple(self.watched))
        for name, follower in (
            ("snapshot", self.snapshot.follow),
            ("assets", self.assets.follow),
            ("alerting", self.alerting.follow),
            ("interlocks", self.interlocks.follow),
            ("barriers", self.barriers.follow),
            ("told", self.events.append),
        ):
            self.stream.follow(name, follower)
        self.runs = (self.alerting.run, self.assets.run, self.interlocks.run, self.barriers.run)

    def stamp(self) -> Stamp:
        """Return the time as the stream sees it."""
        return Stamp(self._loop.time() + self.ahead, self._loop.time(), self.clock)

    def set(self, device: str, **values: float) -> None:
        """Let a device measure this."""
        for point, value in values.items():
            self.devices[device].set(point, value)

    def value(self, asset: str, point: str) -> Any:
        """Return what a point said last; None where it never did, or is not good."""
        event = self.snapshot.devices[asset].points.get(point)
        body = None if event is None else event.body
        return body.value if isinstance(body, ReadingBody) and body.quality == "good" else None

    def _line(self, settings: LineSettings, devices: Sequence[Device]) -> SimLine | FramedLine:
        if devices[0].profile.driver == "framed":
            units = [SimUnit(each.profile, each.address, name=each.name) for each in devices]
            self.devices |= {unit.name: unit for unit in units}
            return FramedLine(settings, units)
        sims = [SimDevice(each.profile, each.address, name=each.name) for each in devices]
        self.devices |= {sim.name: sim for sim in sims}
        return SimLine(settings, sims, turnaround_s=0.005)

    def _framed(
        self, settings: LineSettings, devices: Sequence[Device], report: ReportTo, **more: Any
    ) -> Driver:
        return FramedDriver(settings, devices, report, open_stream=self._open, clock=more["clock"])


def play(
    scenario: Callable[[Quarter], Awaitable[T]],
    text: str,
    *,
    restore: Iterable[Event] = (),
    wall: float = WALL,
    ended: float = 0.0,
    clock: Clock = Clock.SYNCED,
    polls: bool = True,
) -> T:
    """Play a scenario with this configuration; `restore` is what an earlier life left that was over at `ended`."""

    async def main() -> T:
        quarter = Quarter(text, restore, wall, ended)
        quarter.clock, quarter.polls = clock, polls
        return await virtual.beside(quarter.run(), scenario(quarter))

    return virtual.run(main())
