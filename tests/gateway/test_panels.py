"""From what a panel prints to the alert: the right place, the panel's own words, nothing lost, over when it says so."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from drivers.api import Driver, LineSettings, ReportTo
from drivers.printer.driver import PrinterDriver
from drivers.registry import DRIVERS
from drivers.sim.memory_line import MemoryLine
from drivers.sim.printer import PanelLine, SimAddress
from drivers.transport import ByteStream, OnData, OnLost
from gateway import configuration, site
from gateway.core import kinds
from gateway.core.events import AlertBody, Body, Clock, Event, SaidBody, Severity
from gateway.runtime.stream import Stamp, Stream
from gateway.services.alerting import Alerting
from gateway.services.field import Field
from tests import virtual
from tests.drivers.printer.test_paper import FIRST_FIRE, NEXT_FIRE, RESET

WALL = 1_800_000_000.0
POINTS = "地址,位置,楼栋,单元,楼层\n004-004,东侧走廊,2,1,3\n004-005,西侧走廊,2,1,3\n"
FILE = """
[gateway]
id = "hxtp-01"
state_dir = "state"

[[bus]]
name = "panel"
port = "/dev/null"
points = "points.csv"

[[bus.device]]
name = "fire-panel"
profile = "gst9000-printer"
address = 0
label = "消防主机"
place = { building = "1", floor = "1" }
"""


class Rig:
    """A panel on a line in memory, and all that listens to it; `told` is every body."""

    def __init__(self, folder: Path) -> None:
        time, looks = asyncio.get_running_loop().time, itertools.count()

        def clock() -> float:
            return time() + next(looks) * 1e-7  # no clock stands still between two looks at it

        (folder / "points.csv").write_bytes(POINTS.encode("gb18030"))
        (folder / "gateway.toml").write_text(FILE, encoding="utf-8")
        checked = configuration.check(folder / "gateway.toml")
        assert checked.config is not None, checked.faults
        self.told: list[Body] = []
        self.heard: OnData | None = None
        lines = site.lines_of(checked.config, checked.profiles)
        self.panel = PanelLine(lines[0][0], [SimAddress(lines[0][1][0].profile)])
        self.stream = Stream(
            epoch=1,
            last_seq=0,
            last_alert_seq=0,
            now=lambda: Stamp(clock() + WALL, clock(), Clock.SYNCED),
        )
        self.field = Field(
            lines,
            submit=self.stream.submit,
            clock=clock,
            drivers={"printer": replace(DRIVERS["printer"], open=self._open)},
        )
        self.alerting = Alerting(
            site.watched_of(checked.config, checked.profiles, kinds.built_in()),
            kinds=kinds.built_in(),
            submit=self.stream.submit,
            read_soon=self.field.read_soon,
            new_id=lambda: f"id-{len(self.told):04}",
        )
        self.stream.follow("alerting", self.alerting.follow)
        self.stream.follow("told", self._keep)

    def open_alerts(self) -> dict[str, AlertBody]:
        return {f"{each.kind}@{each.device}": each for each in self.alerting.alerts()}

    def events(self, kind: str) -> list[AlertBody]:
        return [body for body in self.told if isinstance(body, AlertBody) and body.kind == kind]

    async def printed(self, *data: bytes | str) -> None:
        for each in data:
            self.panel.send(each if isinstance(each, bytes) else self.panel.record(each))
        await asyncio.sleep(2.5)

    def at_once(self, data: bytes) -> None:
        """Let the panel be heard as no serial line lets it: all in one piece."""
        assert self.heard is not None
        self.heard(data)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for driver in self.field.drivers.values():
                group.create_task(driver.run())
            group.create_task(self.alerting.run())

    def _open(self, settings: LineSettings, devices: Any, report: ReportTo, **more: Any) -> Driver:
        memory = MemoryLine(self.panel)

        async def listen(line: LineSettings, on_data: OnData, on_lost: OnLost) -> ByteStream:
            self.heard = on_data
            return await memory.open(line, on_data, on_lost)

        return PrinterDriver(settings, devices, report, clock=more["clock"], open_stream=listen)

    def _keep(self, event: Event) -> None:
        self.told.append(event.body)


def play(folder: Path, scenario: Callable[[Rig], Awaitable[None]]) -> None:
    async def main() -> None:
        rig = Rig(folder)
        await virtual.beside(rig.run(), scenario(rig))

    virtual.run(main())


def test_a_printed_fire_is_an_alert_at_the_detectors_own_place_with_the_panels_words(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE)
        alert = rig.open_alerts()["fire.smoke@panel-004-004"]
        assert alert.text.zh == "2 栋 1 单元 3 楼 东侧走廊 烟感报警"
        assert alert.severity is Severity.CRITICAL
        assert alert.note == "08/12/02 17:24 004-004 首次火警 裙楼一层上空 感烟探测器"

    play(tmp_path, scenario)


def test_a_reset_at_the_panel_clears_the_fire_which_stays_listed_until_somebody_has_seen_it(
    tmp_path: Path,
) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE, RESET)
        assert [each.change for each in rig.events("fire.smoke")] == ["raised", "cleared"]
        assert rig.open_alerts()["fire.smoke@panel-004-004"].state == "cleared_unacked"

    play(tmp_path, scenario)


def test_a_fire_that_is_being_printed_when_the_adapter_goes_is_an_alert_all_the_same(tmp_path: Path) -> None:
    """Its last lines have come, the empty one that would end it has not: nobody prints it again."""

    async def scenario(rig: Rig) -> None:
        await rig.printed(RESET)
        rig.panel.send(FIRST_FIRE.rstrip(b"\n"))
        await asyncio.sleep(0.3)
        rig.panel.unplug()
        await asyncio.sleep(2.0)
        assert rig.open_alerts()["fire.smoke@panel-004-004"].state == "active_unacked"

    play(tmp_path, scenario)


def test_a_fire_whose_second_look_is_to_come_when_the_adapter_goes_is_an_alert_all_the_same(
    tmp_path: Path,
) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(RESET)
        rig.panel.send(FIRST_FIRE)
        while not any(isinstance(body, SaidBody) and "004-004" in body.text for body in rig.told):
            await asyncio.sleep(0.001)
        rig.panel.unplug()
        await asyncio.sleep(2.0)
        assert rig.open_alerts()["fire.smoke@panel-004-004"].state == "active_unacked"

    play(tmp_path, scenario)


def test_a_fire_and_its_reset_that_come_in_one_breath_are_an_alert_all_the_same(tmp_path: Path) -> None:
    """An adapter behind a network hands on at once what it held back while the network was away."""

    async def scenario(rig: Rig) -> None:
        await rig.printed(RESET)
        rig.at_once(FIRST_FIRE + RESET)
        await asyncio.sleep(1.0)
        assert [each.change for each in rig.events("fire.smoke")] == ["raised", "cleared"]

    play(tmp_path, scenario)


def test_two_detectors_of_a_building_confirm_each_other(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE, FIRST_FIRE.replace(b"004-004", b"004-005"))
        (confirmed,) = rig.events("fire.confirmed")
        assert set(confirmed.devices) == {"panel-004-004", "panel-004-005"}

    play(tmp_path, scenario)


def test_each_fire_at_an_address_nobody_listed_is_told_and_wants_to_be_seen(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(NEXT_FIRE)
        first = rig.open_alerts()["fire.smoke@fire-panel"]
        assert first.note is not None
        assert "006-007" in first.note
        rig.alerting.acknowledge(first.alert, "值班员")
        await rig.printed(NEXT_FIRE.replace(b"006-007", b"006-009"))
        second = rig.open_alerts()["fire.smoke@fire-panel"]
        assert second.state == "active_unacked", "one more fire: whoever has seen the first has not seen this"
        assert second.note is not None
        assert "006-007" in second.note
        assert "006-009" in second.note

    play(tmp_path, scenario)


def test_what_nobody_knows_is_kept_and_told_with_its_words_one_after_the_other(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed("主机前所未有之事", "又一件")
        alert = rig.open_alerts()["panel.unknown_line@fire-panel"]
        assert alert.severity is Severity.MINOR
        assert alert.note == "主机前所未有之事 | 又一件"
        assert [body.text for body in rig.told if isinstance(body, SaidBody)] == [
            "主机前所未有之事",
            "又一件",
        ]

    play(tmp_path, scenario)


def test_thousands_of_lines_nobody_knows_are_each_kept_and_told_a_few_times_a_minute(tmp_path: Path) -> None:
    """Each alert event is written through to the card and sent upstream: a panel must not be able to wear it out."""

    async def scenario(rig: Rig) -> None:
        began = asyncio.get_running_loop().time()
        await rig.printed(*[f"主机内存第 {number} 行" for number in range(2000)], FIRST_FIRE)
        while "fire.smoke@panel-004-004" not in rig.open_alerts():
            await asyncio.sleep(1.0)
        minutes = (asyncio.get_running_loop().time() - began) / 60
        assert sum(isinstance(body, SaidBody) and body.unknown for body in rig.told) == 2000
        assert len(rig.events("panel.unknown_line")) <= 7 * (minutes + 1)
        await asyncio.sleep(60)
        await rig.printed("又一件")
        note = rig.open_alerts()["panel.unknown_line@fire-panel"].note
        assert note is not None
        assert note.endswith("第 1999 行 | 又一件")
        assert note.count("|") == 4

    play(tmp_path, scenario)


def test_a_fire_in_a_damaged_record_is_a_fire_at_the_panel(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE.replace(b"004-004", b"0\x014"))
        assert rig.open_alerts()["fire.panel@fire-panel"].text.zh == "1 栋 1 楼 消防主机 消防主机报火警"

    play(tmp_path, scenario)


def test_a_wrong_baud_rate_says_so(tmp_path: Path) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(*[bytes((0xF8, 0x80, 0xFE, 0xC0)) * 12 + b"\n\n"] * 5)
        alert = rig.open_alerts()["device.offline@fire-panel"]
        assert alert.severity is Severity.MAJOR
        assert alert.note is not None
        assert "baud rate" in alert.note

    play(tmp_path, scenario)


def test_check_says_that_a_cut_wire_is_not_seen_and_wants_the_panel_itself(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    (tmp_path / "points.csv").write_text(POINTS, encoding="utf-8")
    file.write_text(FILE, encoding="utf-8")
    checked = configuration.check(file)
    assert any("a cut wire is not seen" in fault.found.en for fault in checked.faults)
    file.write_text(FILE.replace("address = 0", "address = 1"), encoding="utf-8")
    assert any("the panel, at address 0" in fault.wanted.en for fault in configuration.check(file).faults)
    (tmp_path / "points.csv").write_text(POINTS.replace("004-005", "004-005-6"), encoding="utf-8")
    (fault,) = [each for each in configuration.check(file).faults if each.key == "address"]
    assert (fault.line, fault.file) == (3, str(tmp_path / "points.csv"))
    (tmp_path / "points.csv").unlink()
    assert any(fault.key == "bus[0].points" for fault in configuration.check(file).faults)
