"""The Modbus driver on a line in memory: who is asked when, who is away, what the line tells."""

import asyncio
import itertools
from collections import Counter

import pytest

from drivers import profile
from drivers.api import Device, DeviceReport, LineReport, LineSettings, Priority, Quality, Reading, Report
from drivers.modbus.codec import ReadRequest
from drivers.modbus.driver import ModbusDriver
from drivers.sim.framing import Question
from drivers.sim.line import SimLine
from drivers.sim.memory_line import MemoryLine
from drivers.sim.modbus import SimDevice
from tests import virtual
from tests.drivers.rig import Rig, on_line, smoke


def test_values_of_all_devices_are_reported_at_their_interval() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(3).set("smoke", 121)
        await asyncio.sleep(10)
        for device in ("d1", "d2", "d3"):
            assert 10 <= len(rig.readings(device)) <= 11
        assert {r.value for r in rig.readings("d3")} == {121}
        assert all(r.quality is Quality.GOOD and r.unit == "ppm" for r in rig.readings("d3"))

    on_line(scenario, [smoke()] * 3)


def test_the_first_good_reply_is_told_once() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(20)
        assert [r for r in rig.reports if isinstance(r, DeviceReport | LineReport)] == [
            LineReport("riser", True, "answers", rig.readings("d1")[0].at),
            DeviceReport("d1", True, "answers", rig.readings("d1")[0].at),
            DeviceReport("d2", True, "answers", rig.readings("d2")[0].at),
        ]

    on_line(scenario, [smoke()] * 2)


def test_a_full_line_is_used_to_the_last_hundredth() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(60)
        polls = rig.driver.statistics().polls
        poll_s = (8 + 7) * 10 / 9600 + 2 * 38.5 / 9600
        assert polls * poll_s / 60 > 0.99
        assert rig.driver.statistics().utilisation > 0.95

    on_line(scenario, [smoke(interval_s=0.0)] * 8, turnaround_s=0.0)


def test_dead_devices_take_little_from_their_neighbours() -> None:
    async def polls_in_a_minute(rig: Rig) -> int:
        await asyncio.sleep(20)
        before = sum(rig.polls(address) for address in range(1, 9))
        await asyncio.sleep(60)
        return sum(rig.polls(address) for address in range(1, 9)) - before

    healthy = [smoke(interval_s=0.0)] * 8
    alone = on_line(polls_in_a_minute, healthy)
    with_dead = on_line(polls_in_a_minute, healthy, absent=[smoke(interval_s=0.0)] * 3)
    assert with_dead / alone > 0.9


def test_a_dead_detector_of_fire_is_asked_every_five_seconds() -> None:
    async def scenario(rig: Rig) -> None:
        asked = rig.asked(9)
        await asyncio.sleep(120)
        pauses = [later - earlier for earlier, later in itertools.pairwise(asked)]
        assert max(pauses) <= 5.0
        assert sum(1 for at in asked if at > 60) < 20  # and not much more often either

    on_line(scenario, [smoke(interval_s=0.0)] * 8, absent=[smoke()])


def test_a_silent_device_is_told_after_three_seconds_and_its_points_go_stale_once() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(2).set("smoke", 7)
        await asyncio.sleep(10)
        rig.sim(2).alive = False
        silent_since = rig.readings("d2")[-1].at
        await asyncio.sleep(20)
        report = rig.device_reports("d2")[-1]
        assert (report.online, report.reason) == (False, "silent")
        assert 3.0 <= report.at - silent_since <= 6.0
        stale = rig.readings("d2", since=silent_since + 0.001)
        assert [(r.value, r.quality) for r in stale] == [(7, Quality.STALE)]
        assert rig.device_reports("d1")[-1].online

    on_line(scenario, [smoke()] * 2)


def test_a_device_that_is_back_is_told_and_polled_as_before() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(2).alive = False
        await asyncio.sleep(30)
        rig.sim(2).alive = True
        back_at = rig.loop.time()
        await rig.until(lambda: rig.device_reports("d2")[-1].online, within_s=5.1)
        await asyncio.sleep(10)
        assert len(rig.readings("d2", since=back_at)) >= 9

    on_line(scenario, [smoke()] * 2)


def test_a_dead_segment_is_one_report_about_the_line() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(10)
        for address in range(1, 33):
            rig.sim(address).alive = False
        before = len(rig.reports)
        await asyncio.sleep(60)
        news = rig.reports[before:]
        assert [r.up for r in news if isinstance(r, LineReport)] == [False]
        assert not [r for r in news if isinstance(r, DeviceReport)]
        assert rig.line_reports()[-1].reason == "every device is silent"
        stale = [r.device for r in news if isinstance(r, Reading) and r.quality is Quality.STALE]
        assert len(stale) == 32
        assert rig.driver.statistics().reopened >= 1  # and the port was tried anew

    on_line(scenario, [smoke()] * 32)


def test_a_segment_that_is_back_is_one_report_and_the_missing_are_told_alone() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(10)
        for address in range(1, 9):
            rig.sim(address).alive = False
        await asyncio.sleep(30)
        for address in range(1, 8):
            rig.sim(address).alive = True
        before = len(rig.reports)
        await asyncio.sleep(30)
        news = rig.reports[before:]
        assert [r.up for r in news if isinstance(r, LineReport)] == [True]
        assert [(r.device, r.online) for r in news if isinstance(r, DeviceReport)] == [("d8", False)]

    on_line(scenario, [smoke()] * 8)


def test_an_unplugged_adapter_is_told_once_and_found_again() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        rig.line.unplug()
        await asyncio.sleep(60)
        assert [r.up for r in rig.line_reports()] == [True, False]
        assert "unplugged" in rig.line_reports()[-1].reason
        assert rig.readings("d1")[-1].quality is Quality.STALE
        assert not rig.driver.statistics().up
        rig.line.plug()
        back_at = rig.loop.time()
        await rig.until(lambda: rig.line_reports()[-1].up, within_s=5.5)
        await asyncio.sleep(1.0)
        assert [r.quality for r in rig.readings("d1", since=back_at)][-1] is Quality.GOOD
        assert len(rig.device_reports()) == 2  # the devices were never away by themselves
        assert rig.driver.statistics().reopened == 1

    on_line(scenario, [smoke()] * 2)


def test_a_port_that_is_not_there_at_start_is_told_once() -> None:
    async def scenario(rig: Rig) -> None:
        rig.line.unplug()
        await asyncio.sleep(60)
        assert [r.up for r in rig.line_reports()] == [False]
        rig.line.plug()
        await rig.until(lambda: rig.line_reports()[-1].up, within_s=5.5)

    on_line(scenario, [smoke()])


def test_a_second_look_comes_before_everything_that_waits() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(10)
        before = rig.loop.time()
        rig.driver.read_soon("d20", "smoke")
        rig.driver.read_soon("d20", "smoke")
        await rig.until(lambda: rig.readings("d20", since=before), within_s=0.08)
        await asyncio.sleep(0.08)
        assert len(rig.readings("d20", since=before)) == 1  # asked twice, read once

    on_line(scenario, [smoke(interval_s=0.0)] * 32)


def test_telemetry_is_read_even_when_fire_fills_the_line() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(60)
        assert len(rig.readings("d9")) >= 20
        fire = rig.readings("d1")
        pauses = [later.at - earlier.at for earlier, later in itertools.pairwise(fire)]
        assert max(pauses) < 8 * 0.025 * 1.3

    telemetry = smoke(interval_s=1.0, priority=Priority.TELEMETRY)
    on_line(scenario, [*[smoke(interval_s=0.0)] * 8, telemetry])


def test_a_slow_neighbour_gets_its_time_and_a_fast_one_a_short_time_out() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(2).turnaround_s = 0.2
        await asyncio.sleep(30)
        fast, slow = rig.driver.statistics().devices
        assert fast.timeout_s < 0.05
        assert 0.2 < slow.timeout_s <= 0.3
        assert slow.timeouts == 0
        assert slow.round_trip_p50_s is not None
        assert 0.2 < slow.round_trip_p50_s < 0.23

    on_line(scenario, [smoke()] * 2)


def test_a_slow_register_does_not_starve_those_that_look_like_it() -> None:
    """Its late replies must not be taken for theirs, and waiting for them must have an end."""

    async def scenario(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer

        def slow(question: Question, now: float) -> bytes | None:
            sim.turnaround_s = 0.5 if isinstance(question, ReadRequest) and question.address == 40 else None
            return answer(question, now)

        sim.answer = slow  # type: ignore[method-assign]
        for number, point in enumerate(sim.points):
            sim.set(point, 100 + number)
        await asyncio.sleep(120)
        seen = Counter((r.point, r.value) for r in rig.readings("d1") if r.quality is Quality.GOOD)
        assert seen["measure_0", 100] > 20
        assert seen["measure_20", 101] > 20
        assert set(seen) <= {("measure_0", 100), ("measure_20", 101), ("measure_40", 102)}
        assert rig.driver.statistics().devices[0].late > 0

    points = "".join(
        f'[[point]]\nname = "measure_{at}"\nholding = {at}\ninterval_s = 1\n' for at in (0, 20, 40)
    )
    head = 'title = { zh = "慢", en = "Slow" }\nsources = ["a product for this test"]'
    text = f'[profile]\ndriver = "modbus"\ncategory = "input"\n{head}\n[modbus]\nbridge = false\n{points}'
    on_line(scenario, [profile.parse(text, file="slow.toml")])


def test_a_mistake_in_what_listens_ends_the_driver_instead_of_the_polling() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        settings = LineSettings("riser", "memory")
        line = MemoryLine(SimLine(settings, [SimDevice(smoke(), 1)]))

        def deaf(report: Report) -> None:
            raise ZeroDivisionError(report)

        driver = ModbusDriver(
            settings, [Device("d1", smoke(), 1)], deaf, clock=loop.time, open_stream=line.open
        )
        with pytest.raises(ZeroDivisionError):
            await driver.run()

    virtual.run(main())


def test_a_detector_that_is_dead_for_hours_takes_nothing_from_the_others_on_its_line() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(6000)
        rig.sim(2).alive = True
        await asyncio.sleep(10)
        assert [(report.device, report.online) for report in rig.device_reports()][-1] == ("d2", True)

    on_line(scenario, [smoke(interval_s=5.0)], absent=[smoke(interval_s=5.0)])
