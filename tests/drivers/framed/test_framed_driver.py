"""The framed driver against pretend devices: asked and self-talking, over noise, silence, standstill and unplugging."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from drivers import profile
from drivers.api import Device, DeviceError, LineSettings, Profile, Quality, Reading, Report
from drivers.framed.driver import FramedDriver
from drivers.framed.wire import FramedWire, Freeze
from drivers.sim.faults import PRESETS, Faults
from drivers.sim.framed import FramedLine, SimUnit
from drivers.sim.pty_line import PtyLine
from drivers.sim.tcp_line import TcpLine
from tests.drivers.framed.rig import Rig, on_line


def with_freeze(name: str, point: str, within_s: float) -> Profile:
    shipped = profile.load(name)
    assert isinstance(shipped.wire, FramedWire)
    return replace(shipped, wire=replace(shipped.wire, freeze=Freeze(point, within_s)))


def with_warm_up(name: str, warm_up_s: float) -> Profile:
    shipped = profile.load(name)
    return replace(shipped, timing=replace(shipped.timing, warm_up_s=warm_up_s))


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("seeed-mr60fda2", "fall", True),
        ("seeed-mr60bha2", "breath", 15.5),
        ("micradar-r60afd1", "motion", 2),
        ("micradar-r60abd1", "heart", 72),
        ("dyp-a02yyuw", "distance", 1953),
        ("dyp-a01nyub", "distance", 700),
        ("jsn-sr04t", "distance", 1953),
        ("aj-sr04m", "distance", 1953),
        ("rion-inclinometer", "x", -2.87),
    ],
)
def test_every_product_tells_what_it_measures(name: str, point: str, value: float) -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].set(point, value)
        await rig.until(lambda: (last := rig.last(point)) and last.value == value, within_s=11.0)
        last = rig.last(point)
        assert last is not None
        assert (last.quality, rig.links(), rig.ups()) == (Quality.GOOD, [(True, "answers")], [True])

    on_line(scenario, name)


def test_a_change_is_told_at_once_and_the_same_value_once_in_its_interval() -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].set("fall", False)
        await asyncio.sleep(60.0)
        assert 25 <= len(rig.readings("fall")) <= 65
        began = rig.now
        rig.units[0].set("fall", True)
        took = await rig.until(lambda: any(r.value is True for r in rig.readings("fall", since=began)))
        assert took < 0.2

    on_line(scenario, "micradar-r60afd1")


def test_a_device_that_only_answers_is_away_when_it_is_silent_and_back_when_it_answers() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.links)
        rig.units[0].alive = False
        took = await rig.until(lambda: len(rig.links()) == 2)
        assert 3.0 <= took < 8.0
        assert rig.links()[-1] == (False, "silent")
        last = rig.last("distance")
        assert last is not None
        assert last.quality is Quality.STALE
        rig.units[0].alive = True
        assert await rig.until(lambda: len(rig.links()) == 3) < 12.0

    on_line(scenario, "jsn-sr04t")


@pytest.mark.parametrize(("name", "within_s"), [("seeed-mr60fda2", 33.0), ("dyp-a02yyuw", 7.0)])
def test_a_device_whose_heartbeats_stay_away_is_away(name: str, within_s: float) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.links)
        await asyncio.sleep(120.0)
        assert rig.links() == [(True, "answers")]
        rig.units[0].alive = False
        await rig.until(lambda: len(rig.links()) == 2, within_s=within_s)
        assert rig.links()[-1] == (False, "no heartbeat")

    on_line(scenario, name)


def test_a_device_that_was_never_there_is_told_as_away() -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].alive = False
        await rig.until(rig.links, within_s=40.0)
        assert rig.links() == [(False, "no heartbeat")]

    on_line(scenario, "seeed-mr60fda2")


def test_a_radar_that_answers_nothing_is_believed_while_its_heart_beats() -> None:
    """A firmware that only speaks by itself must not come and go."""

    async def scenario(rig: Rig) -> None:
        rig.units[0].answer = lambda request: None  # type: ignore[method-assign]
        await asyncio.sleep(600.0)
        assert rig.links() == [(True, "answers")]

    on_line(scenario, "micradar-r60afd1")


def test_a_question_the_firmware_does_not_know_leaves_its_points_unknown_and_the_device_there() -> None:
    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        known = unit.answer
        unit._tell_at.clear()  # what it tells by itself comes with the heartbeat only
        unit.answer = lambda request: None if request.type == 0x8082 else known(request)  # type: ignore[method-assign]
        await asyncio.sleep(600.0)
        assert rig.links() == [(True, "answers")]
        assert {r.quality for r in rig.readings("motion")} == {Quality.STALE}
        assert len(rig.readings("motion")) == 1
        assert rig.readings("presence")[-1].quality is Quality.GOOD

    on_line(scenario, "micradar-r60afd1")


def test_a_line_that_only_listens_is_seen_to_run_also_while_its_device_is_away() -> None:
    """Whoever watches the line from outside counts its polls (gateway/services/field.py, LinePulse)."""

    async def scenario(rig: Rig) -> None:
        await rig.until(rig.links)
        rig.units[0].alive = False
        await asyncio.sleep(60.0)
        before = rig.driver.statistics().polls
        await asyncio.sleep(60.0)
        assert rig.driver.statistics().polls > before + 30

    on_line(scenario, "dyp-a02yyuw")


def test_a_line_on_which_nobody_speaks_is_opened_anew_now_and_then() -> None:
    """Some adapters hang until that is done."""

    async def scenario(rig: Rig) -> None:
        rig.units[0].alive = False
        await asyncio.sleep(300.0)
        assert 5 <= rig.driver.statistics().reopened <= 12

    on_line(scenario, "dyp-a02yyuw")


@pytest.mark.parametrize("shell", ["pty", "tcp"])
def test_over_a_real_port_a_device_is_heard_before_it_is_asked(shell: str) -> None:
    made = profile.load("dyp-a02yyuw")

    async def main() -> None:
        unit, heard = SimUnit(made), asyncio.Event()
        unit.set("distance", 1953)
        line = FramedLine(LineSettings("ward", "x"), [unit])
        async with contextlib.AsyncExitStack() as stack:
            port = (
                stack.enter_context(PtyLine(line)).path
                if shell == "pty"
                else (await stack.enter_async_context(TcpLine(line))).path
            )

            def report(told: Report) -> None:
                if isinstance(told, Reading) and told.value == 1953:
                    heard.set()

            driver = FramedDriver(LineSettings("ward", port), [Device("d1", made, 1)], report)
            running = asyncio.create_task(driver.run(), name="driver")
            try:
                async with asyncio.timeout(20):
                    await heard.wait()
            finally:
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    asyncio.run(main())


def test_what_was_told_on_change_only_holds_while_the_device_talks_and_no_longer() -> None:
    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        unit.set("fall", True)
        await rig.until(lambda: rig.last("fall"))
        unit._tell_at[0x0E02] = float("inf")  # it tells of the fall no more
        began = rig.now
        await asyncio.sleep(20.0)
        held = rig.readings("fall", since=began + 1)
        assert len(held) >= 8
        assert {(r.value, r.quality) for r in held} == {(True, Quality.GOOD)}
        unit.alive = False
        await rig.until(lambda: len(rig.links()) == 2, within_s=40.0)
        gone = rig.now
        unit.alive = True
        await rig.until(lambda: len(rig.links()) == 3)
        await asyncio.sleep(20.0)
        assert not [r for r in rig.readings("fall", since=gone + 0.1) if r.quality is Quality.GOOD]

    on_line(scenario, "seeed-mr60fda2")


def test_a_value_that_must_change_and_does_not_means_the_device_hangs() -> None:
    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        for distance in (1000, 1100, 1200):
            unit.set("distance", distance)
            await asyncio.sleep(10.0)
        assert rig.links() == [(True, "answers")]
        unit.frozen = True
        await rig.until(lambda: len(rig.links()) == 2, within_s=40.0)
        assert rig.links()[-1] == (False, "frozen")
        last = rig.last("distance")
        assert last is not None
        assert last.quality is Quality.STALE
        unit.frozen = False
        unit.set("distance", 900)
        await rig.until(lambda: len(rig.links()) == 3)
        last = rig.last("distance")
        assert last is not None
        assert last.quality is Quality.GOOD

    on_line(scenario, with_freeze("dyp-a02yyuw", "distance", 30.0))


def test_the_line_that_is_unplugged_is_down_and_comes_back_with_its_device() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.links)
        rig.line.unplug()
        await rig.until(lambda: rig.ups() == [True, False])
        last = rig.last("fall")
        assert last is not None
        assert last.quality is Quality.STALE
        rig.line.plug()
        assert await rig.until(lambda: rig.ups() == [True, False, True]) < 6.0
        await rig.until(lambda: (last := rig.last("fall")) and last.quality is Quality.GOOD)

    on_line(scenario, "micradar-r60afd1")


@pytest.mark.parametrize("preset", ["noisy", "bad_wiring", "everything"])
@pytest.mark.parametrize("name", ["micradar-r60afd1", "rion-inclinometer"])
def test_on_a_bad_line_no_wrong_value_is_told_and_the_device_stays(name: str, preset: str) -> None:
    points = {"micradar-r60afd1": ("motion", 2), "rion-inclinometer": ("x", -2.87)}
    point, value = points[name]

    async def scenario(rig: Rig) -> None:
        rig.units[0].set(point, value)
        await asyncio.sleep(5.0)
        began = rig.now
        await asyncio.sleep(900.0)
        told = rig.readings(point, since=began)
        good = {r.value for r in told if r.quality is Quality.GOOD}
        assert len(told) > 100
        assert good == {value}
        assert rig.driver.statistics().noise_bytes > 0

    on_line(scenario, name, faults=PRESETS[preset])


def test_an_adapter_that_hears_itself_makes_no_dead_device_live() -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].alive = False
        await asyncio.sleep(60.0)
        assert rig.links() == [(False, "silent")]
        assert rig.driver.statistics().echo
        assert not any(r.quality is Quality.GOOD for r in rig.readings("x"))

    on_line(scenario, "rion-inclinometer", faults=Faults(echo=1.0))


def test_a_late_answer_is_a_reading_all_the_same_and_counted() -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].set("x", 4.0)
        await asyncio.sleep(120.0)
        (device,) = rig.driver.statistics().devices
        assert device.late > 0
        assert {r.value for r in rig.readings("x") if r.quality is Quality.GOOD} == {4.0}

    on_line(scenario, "rion-inclinometer", faults=Faults(late=0.2))


def test_several_devices_with_addresses_share_a_line_and_one_dead_costs_the_others_little() -> None:
    async def scenario(rig: Rig) -> None:
        for number, unit in enumerate(rig.units):
            unit.set("x", float(number))
        await rig.until(lambda: all(rig.last("x", f"d{n}") for n in (1, 2, 3)))
        rig.units[1].alive = False
        await rig.until(lambda: rig.links("d2")[-1:] == [(False, "silent")])
        began = rig.now
        await asyncio.sleep(60.0)
        for number in (1, 3):
            told = rig.readings("x", f"d{number}", since=began)
            assert {r.value for r in told} == {number - 1.0}
            assert len(told) >= 55
            assert rig.links(f"d{number}") == [(True, "answers")]
        assert rig.ups() == [True]

    on_line(scenario, "rion-inclinometer", addresses=(1, 2, 3))


def test_a_whole_line_that_falls_silent_is_one_report_and_not_one_for_each_device() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: all(rig.links(f"d{n}") for n in (1, 2, 3)))
        for unit in rig.units:
            unit.alive = False
        await rig.until(lambda: rig.ups() == [True, False])
        assert [rig.links(f"d{n}") for n in (1, 2, 3)] == [[(True, "answers")]] * 3

    on_line(scenario, "rion-inclinometer", addresses=(1, 2, 3))


def test_a_point_wanted_soon_is_asked_for_at_once_or_told_with_the_next_frame() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: rig.last("presence"))
        await asyncio.sleep(1.0)
        began = rig.now
        rig.driver.read_soon("d1", "presence")
        assert await rig.until(lambda: rig.readings("presence", since=began + 1e-6)) < 0.2
        with pytest.raises(KeyError):
            rig.driver.read_soon("d1", "no such point")

    on_line(scenario, "micradar-r60afd1")


def test_after_a_power_cut_values_mean_nothing_until_it_is_warm() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: rig.last("x"))
        rig.units[0].alive = False
        await rig.until(lambda: len(rig.links()) == 2)
        rig.units[0].alive = True
        await rig.until(lambda: len(rig.links()) == 3)
        back = rig.now
        await asyncio.sleep(25.0)
        told = rig.readings("x", since=back)
        assert {r.quality for r in told if r.at < back + 19} == {Quality.BAD}
        assert {r.quality for r in told if r.at > back + 21} == {Quality.GOOD}

    on_line(scenario, with_warm_up("rion-inclinometer", 20.0))


def test_a_value_no_sensor_can_measure_is_bad_and_not_a_distance() -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].set("distance", 10)  # nearer than it can see
        await rig.until(lambda: (last := rig.last("distance")) and last.quality is Quality.BAD)
        last = rig.last("distance")
        assert last is not None
        assert last.value is None

    on_line(scenario, "dyp-a02yyuw")


def test_it_takes_no_orders() -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises((KeyError, DeviceError)):
            await rig.driver.act("d1", "reset", {}, deadline=rig.now + 5)

    on_line(scenario, "dyp-a02yyuw")
