"""A whole panel on a line in memory: what it prints becomes readings, what nobody knows is told, silence is noticed."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from drivers import profile
from drivers.api import (
    Device,
    DeviceError,
    DeviceReport,
    LineReport,
    LineSettings,
    Profile,
    Quality,
    Reading,
    Report,
    Said,
)  # fmt: skip
from drivers.printer.driver import PrinterDriver
from drivers.printer.listening import BEYOND, MOST_HELD, Member
from drivers.printer.wire import PrinterWire
from drivers.sim.memory_line import MemoryLine
from drivers.sim.printer import PanelLine, SimAddress
from tests import virtual
from tests.drivers.printer.test_paper import FIRST_FIRE, NEXT_FIRE, RESET

GST = "gst9000-printer"
WRONG_BAUD = bytes((0xF8, 0x80, 0xFE, 0xC0)) * 12 + b"\n\n"


class Rig:
    """What a test plays with: the panel is called `panel`, its detectors by their address."""

    def __init__(self, line: PanelLine, driver: PrinterDriver, reports: list[Report]) -> None:
        self.line, self.driver, self.reports = line, driver, reports
        self.units = {unit.address: unit for unit in line.units}

    def values(self, device: str, point: str) -> list[object]:
        return [
            r.value for r in self.reports if isinstance(r, Reading) and (r.device, r.point) == (device, point)
        ]

    def said(self) -> list[Said]:
        return [r for r in self.reports if isinstance(r, Said)]

    def lines(self) -> list[tuple[bool, str]]:
        return [(r.up, r.reason) for r in self.reports if isinstance(r, LineReport)]

    async def printed(self, data: bytes | str) -> None:
        """Have something printed, and wait until it must have been understood."""
        if isinstance(data, str):
            self.line.say(data)
        else:
            self.line.send(data)
        await asyncio.sleep(2.0)


def on_line(
    scenario: Callable[[Rig], Awaitable[None]],
    product: str | Profile = GST,
    *,
    addresses: tuple[int, ...] = (4004,),
) -> None:
    made = profile.load(product) if isinstance(product, str) else product

    async def main() -> None:
        loop = asyncio.get_running_loop()
        settings = LineSettings("panel-line", "memory")
        units = [SimAddress(made, address) for address in (0, *addresses)]
        line = PanelLine(settings, units)
        devices = [Device(str(unit.address or "panel"), made, unit.address) for unit in units]
        seen: list[Report] = []
        driver = PrinterDriver(
            settings, devices, seen.append, clock=loop.time, open_stream=MemoryLine(line).open
        )
        running = asyncio.create_task(driver.run(), name="driver")
        try:
            await scenario(Rig(line, driver, seen))
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    virtual.run(main())


def regularly(seconds: float) -> Profile:
    made = profile.load(GST)
    assert isinstance(made.wire, PrinterWire)
    return replace(made, wire=replace(made.wire, regular_s=seconds))


def test_a_fire_is_told_of_the_detector_it_is_at_with_the_panels_own_words() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE)
        assert rig.values("4004", "smoke") == [True]
        (said,) = rig.said()
        assert (said.device, said.points, said.unknown) == ("4004", ("smoke",), False)
        assert said.text == "08/12/02 17:24 004-004 首次火警 裙楼一层上空 感烟探测器"

    on_line(scenario)


def test_asked_again_it_says_what_was_printed_at_a_later_time() -> None:
    async def scenario(rig: Rig) -> None:
        rig.driver.read_soon("4004", "smoke")
        await asyncio.sleep(0.1)
        assert rig.values("4004", "smoke") == [], "nothing was printed: nothing is known"
        await rig.printed(FIRST_FIRE)
        rig.driver.read_soon("4004", "smoke")
        await asyncio.sleep(0.1)
        first, second = (r for r in rig.reports if isinstance(r, Reading))
        assert second.value is True
        assert second.at > first.at

    on_line(scenario)


def test_a_reset_at_the_panel_ends_every_fire_and_says_so_of_all_addresses() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE + NEXT_FIRE)
        await rig.printed(RESET)
        assert rig.values("4004", "smoke") == [True, False]
        assert rig.values("6007", "smoke") == [True, False]
        assert rig.values("panel", "smoke") == [False]

    on_line(scenario, addresses=(4004, 6007))


def test_a_fire_at_an_address_nobody_listed_is_the_panels_and_a_second_one_is_told_as_one_more() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE + FIRST_FIRE + NEXT_FIRE)
        assert rig.values("panel", "smoke") == [True, True, True]
        assert [said.more for said in rig.said()] == [False, False, True]
        assert "006-007" in rig.said()[-1].text

    on_line(scenario, addresses=())


def test_one_unlisted_detector_that_is_well_again_does_not_end_the_fire_of_another() -> None:
    async def scenario(rig: Rig) -> None:
        for event, at in (
            ("ALARM", "L1D1"),
            ("ALARM", "L1D2"),
            ("RESET ALARM", "L1D1"),
            ("RESET ALARM", "L1D2"),
        ):
            await rig.printed(f":{event} Z001 {at} LOBBY 12/08 01:23;")
        assert rig.values("panel", "fire") == [True, True, True, False]

    on_line(scenario, "afp2800-printer", addresses=())


def test_a_flood_of_addresses_nobody_listed_takes_no_more_memory_and_a_reset_ends_all_of_it() -> None:
    async def scenario(rig: Rig) -> None:
        there = rig.driver._listening.member("panel").held
        for n in range(MOST_HELD + 100):
            await rig.printed(FIRST_FIRE.replace(b"004-004", f"{n // 200 + 5:03}-{n % 200 + 1:03}".encode()))
        assert len(there["smoke"]) == MOST_HELD + 1
        await rig.printed(RESET)
        assert rig.values("panel", "smoke")[-1] is False
        assert not there["smoke"]

    on_line(scenario, addresses=())


def test_where_more_is_in_alarm_than_can_be_remembered_no_fire_ends_because_others_did() -> None:
    panel = Member(Device("panel", profile.load(GST), 0))
    places = [(number, "") for number in range(MOST_HELD + 1)]
    for where in places:
        panel.set("smoke", True, where)
    for where in places:
        panel.set("smoke", False, where)
    assert panel.held["smoke"] == {BEYOND}


def test_a_zone_that_is_well_again_does_not_end_the_fire_of_another_nor_the_battery_that_of_the_mains() -> (
    None
):
    """Zones and inputs have no address; each is over by itself, and what was cut off before its name with any."""

    async def scenario(rig: Rig) -> None:
        for event, what in (
            ("ALARM", "1.1.Z1 EAST"),
            ("ALARM", "1.1.Z2 WEST"),
            ("ALARM", ""),
            ("ALARM SELF CLEARED", "1.1.Z1 EAST"),
            ("RESET ALARM", "1.1.Z2 WEST"),
            ("MAINS FAIL", "0.2.I5 MAINS FAIL"),
            ("BATTERY LOW", "0.2.I6 BATTERY LOW"),
            ("RESET FAULT", "0.2.I6 BATTERY LOW"),
            ("RESET FAULT", "0.2.I5 MAINS FAIL"),
        ):
            await rig.printed(f":{event} Z001 {what} 12/08 01:23;")
        assert rig.values("panel", "fire") == [True, True, True, True, False]
        assert rig.values("panel", "power_fault") == [True, True, True, False]

    on_line(scenario, "afp2800-printer", addresses=())


@pytest.mark.parametrize(
    ("printed", "address", "point", "value"),
    [
        (":ALARM             Z001 L2D159   SOUTH WEST ENTERANCE DET     11/12 14:11;", "2159", "fire", True),
        (":ALARM Z001 1.1.Z1 AZF 1 ON MODULE 1 (28 CHAR) 12/08 01:23;", "panel", "fire", True),
        (":FAULT (F21) Z000 L10M158 SPRINKLER VALVE 11/12 14:11;", "10658", "fault", True),
        (":FAULT SELF CLEARED Z000 L10M158 SPRINKLER VALVE 11/12 14:11;", "10658", "fault", False),
        (":ISOL Z001 L2D159 SOUTH WEST ENTERANCE DET 12/08 01:24;", "2159", "disabled", True),
        (":DE-ISOLATE Z001 L2D159 SOUTH WEST ENTERANCE DET 12/08 01:24;", "2159", "disabled", False),
        (":MAINS FAIL Z000 0.2.I5 MAINS FAIL 11/12 15:08;", "panel", "power_fault", True),
        (":RESET FAULT Z000 0.2.I6 BATTERY LOW 11/12 15:09;", "panel", "power_fault", False),
        (":COMMS PROC FL Z000 4.0.-- UNNAMED POINT 11/12 15:10;", "panel", "fault", True),
        (":NO REPLY Z000 L1 UNNAMED POINT 11/12 16:39;", "panel", "fault", True),
    ],
)
def test_the_lines_of_the_makers_sheet_say_what_they_say(
    printed: str, address: str, point: str, value: bool
) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(printed)
        assert rig.values(address, point) == [value]
        assert not any(said.unknown for said in rig.said())

    on_line(scenario, "afp2800-printer", addresses=(2159, 10658))


@pytest.mark.parametrize(
    "printed",
    [
        ":SYSTEM RESET Z000 0.0.-- PANEL 12/08 01:25;",
        ":RESET Z000 12/08 01:25;",
        ":RESET ALL ALARM Z001 L2D159 X",
    ],
)
def test_a_reset_of_everything_of_which_the_makers_sheet_knows_nothing_ends_no_fire_and_is_told(
    printed: str,
) -> None:
    """Each point that is well again has a line of its own there: a line nobody has seen is no all-clear."""

    async def scenario(rig: Rig) -> None:
        await rig.printed(":ALARM Z001 L2D159 SOUTH WEST ENTERANCE DET 12/08 01:23;")
        await rig.printed(":ALARM Z001 1.1.Z1 AZF 1 ON MODULE 1 (28 CHAR) 12/08 01:23;")
        await rig.printed(printed)
        assert rig.values("2159", "fire") == rig.values("panel", "fire") == [True]
        assert [printed in said.text for said in rig.said() if said.unknown] == [True]

    on_line(scenario, "afp2800-printer", addresses=(2159,))


def test_what_nobody_knows_is_told_in_its_own_words_and_sets_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed("08/12/02  17:30\n主电故障以外的新消息")
        (said,) = rig.said()
        assert said.unknown
        assert said.text == "08/12/02 17:30 主电故障以外的新消息"
        assert not any(isinstance(r, Reading) for r in rig.reports)

    on_line(scenario)


def test_a_wrong_baud_rate_is_told_once_as_that_and_over_when_it_is_mended() -> None:
    async def scenario(rig: Rig) -> None:
        for _ in range(20):
            await rig.printed(WRONG_BAUD)
        (away,) = (r for r in rig.reports if isinstance(r, DeviceReport))
        assert (away.online, "baud" in away.reason, "f8 80" in away.reason) == (False, True, True)
        assert len(rig.said()) == 2, "the first ones might have been a fire"
        assert rig.driver.statistics().noise_bytes == 20 * len(WRONG_BAUD.rstrip())
        await rig.printed(FIRST_FIRE)
        back = [r.device for r in rig.reports if isinstance(r, DeviceReport) and r.online]
        assert set(back) == {"panel", "4004"}
        assert rig.values("4004", "smoke") == [True]

    on_line(scenario)


def test_a_panel_that_prints_regularly_and_stops_is_a_line_that_is_down() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE)
        await asyncio.sleep(3600)
        assert [up for up, _ in rig.lines()] == [True, False]
        assert "printed nothing for 25 minutes" in rig.lines()[-1][1]
        last = [r for r in rig.reports if isinstance(r, Reading)][-1]
        assert (last.value, last.quality) == (True, Quality.STALE)
        await rig.printed(RESET)
        assert rig.lines()[-1][0] is True

    on_line(scenario, regularly(600.0))


def test_one_that_prints_only_what_happens_may_be_silent() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(3600)
        assert [up for up, _ in rig.lines()] == [True]

    on_line(scenario)


def test_a_port_that_is_pulled_out_leaves_nothing_known_and_a_fire_is_read_again_afterwards() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.printed(FIRST_FIRE)
        rig.line.unplug()
        await asyncio.sleep(1)
        assert rig.lines()[-1][0] is False
        rig.line.plug()
        await asyncio.sleep(10)
        assert rig.lines()[-1] == (True, "the port is open")
        await rig.printed(FIRST_FIRE)
        assert rig.values("4004", "smoke")[-1] is True
        assert rig.driver.statistics().reopened == 1

    on_line(scenario)


def test_a_line_on_which_it_never_stops_printing_is_still_seen_to_run() -> None:
    """A print-out of the history takes minutes; whoever counts the looks must not take it for a line that hangs."""

    async def scenario(rig: Rig) -> None:
        before = rig.driver.statistics().polls
        for _ in range(600):
            rig.line.send(b"x" * 50)
            await asyncio.sleep(0.1)
        assert rig.driver.statistics().polls >= before + 50

    on_line(scenario)


def test_what_it_does_not_have_is_an_error_of_whoever_asks_and_ends_no_line() -> None:
    async def scenario(rig: Rig) -> None:
        for device, point in (("nobody", "smoke"), ("4004", "nothing")):
            with pytest.raises(KeyError):
                rig.driver.read_soon(device, point)
        await rig.printed(FIRST_FIRE)
        assert rig.values("4004", "smoke") == [True]

    on_line(scenario)


def test_it_takes_no_orders() -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(DeviceError, match="no orders"):
            await rig.driver.act("panel", "reset", {}, deadline=1.0)

    on_line(scenario)


@pytest.mark.parametrize("name", [GST, "afp2800-printer"])
def test_whatever_a_pretend_panel_is_set_to_is_read_as_that(name: str) -> None:
    async def scenario(rig: Rig) -> None:
        for point in rig.units[2017].points:
            for value in (True, False):
                try:
                    rig.units[2017].set(point, value)
                except ValueError:
                    continue  # the panel prints no such thing of a detector
                await asyncio.sleep(3)
                assert rig.values("2017", point)[-1] is value, (point, value)

    on_line(scenario, name, addresses=(2017,))
