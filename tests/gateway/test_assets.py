"""From the bytes of several devices to one alert that names the thing they are: manholes, bins, lanes, sheds."""

import asyncio

import pytest

from gateway.core.events import AlertBody, Clock, Event, MemoryBody, Severity
from tests.gateway.quarter import WALL, Quarter, play

MANHOLES = """
[[bus]]
name = "covers"
port = "/dev/covers"
""" + "".join(
    f"""
[[bus.device]]
name = "tilt-{n}"
profile = "witmotion-wt901c485"
address = {n}
[[bus.device]]
name = "level-{n}"
profile = "submersible-level"
address = {n + 10}
[[asset]]
name = "manhole-{n}"
kind = "manhole"
label = "{n} 号井"
place = {{ building = "2" }}
parts = {{ roll = "tilt-{n}.roll", pitch = "tilt-{n}.pitch", level = "level-{n}.level", storm = "storm-1.storm" }}
set = {{ high = 1.0 }}
"""
    for n in (1, 2, 3)
)
STORM = """
[[asset]]
name = "storm-1"
kind = "storm"
parts = { rising = ["manhole-1.water_rising", "manhole-2.water_rising", "manhole-3.water_rising"] }
"""
BIN = """
[[bus]]
name = "bins"
port = "/dev/bins"
baud = 19200
[[bus.device]]
name = "ultra-1"
profile = "dfrobot-sen0310"
address = 12
[[bus.device]]
name = "tilt-1"
profile = "witmotion-wt901c485"
address = 80
[[asset]]
name = "bin-1"
kind = "bin"
label = "北门 1 号桶"
place = { building = "3" }
parts = { distance = "ultra-1.distance", temperature = "ultra-1.temperature", roll = "tilt-1.roll" }
set = { empty = 1200, full = 200 }
"""
LANE = """
[[bus]]
name = "lane"
port = "/dev/lane"
[[bus.device]]
name = "eye-1"
profile = "dyp-a02yyuw"
address = 1
[[asset]]
name = "lane-1"
kind = "lane"
label = "东侧消防通道"
place = { building = "2" }
parts = { distances = ["eye-1.distance"] }
"""
SHED = """
[[bus]]
name = "shed"
port = "/dev/shed"
baud = 19200
[[bus.device]]
name = "heat-1"
profile = "greystone-cmd5b4"
address = 1
[[bus.device]]
name = "heat-2"
profile = "greystone-cmd5b4"
address = 2
[[asset]]
name = "shed-1"
kind = "shed"
label = "充电棚"
place = { building = "5" }
parts = { temperatures = ["heat-1.temperature", "heat-2.temperature"] }
"""


async def calm(quarter: Quarter) -> None:
    for n in (1, 2, 3):
        quarter.set(f"level-{n}", level=0.1)
    await asyncio.sleep(15.0)
    assert quarter.open_kinds() == []


def test_a_lifted_cover_is_one_alert_that_names_the_manhole_and_goes_when_it_is_put_back() -> None:
    async def scenario(quarter: Quarter) -> None:
        await calm(quarter)
        quarter.set("tilt-1", roll=40.0)
        took = await quarter.until(lambda: quarter.alerts("manhole.tilt"))
        assert took < 4.0
        (alert,) = [body for body in quarter.told if isinstance(body, AlertBody)]
        assert (alert.device, alert.change) == ("manhole-1", "raised")
        assert "1 号井" in alert.text.zh
        quarter.set("tilt-1", roll=120.0)
        await quarter.until(lambda: quarter.alerts("manhole.open"))
        assert quarter.alerts("manhole.open")[0].severity is Severity.CRITICAL
        quarter.set("tilt-1", roll=0.0)
        await quarter.until(lambda: quarter.alerts("manhole.open")[-1].change == "cleared")

    play(scenario, MANHOLES + STORM)


def test_high_water_is_told_with_the_level_and_by_the_manhole_alone() -> None:
    async def scenario(quarter: Quarter) -> None:
        await calm(quarter)
        quarter.set("level-2", level=1.3)
        await quarter.until(lambda: quarter.alerts("manhole.water"))
        (alert,) = quarter.alerts("manhole.water")
        assert (alert.device, alert.value, alert.unit) == ("manhole-2", 1.3, "m")
        assert "1.3 m" in alert.text.zh
        quarter.set("level-2", level=0.9)  # a fifth back is back, not less
        await asyncio.sleep(90.0)
        assert quarter.open_kinds() == ["manhole.water"]
        quarter.set("level-2", level=0.5)
        await quarter.until(lambda: quarter.alerts("manhole.water")[-1].change == "cleared", within_s=120)

    play(scenario, MANHOLES + STORM)


def test_water_that_rises_in_three_manholes_is_a_storm_and_the_fourth_limit_is_tighter() -> None:
    async def scenario(quarter: Quarter) -> None:
        await calm(quarter)
        for step in range(1, 80):
            for n in (1, 2, 3):
                quarter.set(f"level-{n}", level=0.2 + step * 0.003)
            await asyncio.sleep(10.0)
            if quarter.value("storm-1", "storm"):
                break
        assert quarter.value("storm-1", "storm") is True
        assert len(quarter.alerts("manhole.rising")) == 3
        assert quarter.alerts("manhole.rising")[0].unit == "m/h"
        (storm,) = quarter.alerts("manhole.storm")
        assert "暴雨模式" in storm.text.zh
        quarter.set("level-1", level=0.7)  # below 1.0, above 0.6
        await quarter.until(lambda: quarter.alerts("manhole.water"))

    play(scenario, MANHOLES + STORM)


def test_storm_mode_goes_on_by_an_order_and_off_at_its_time_and_an_alert_it_raised_ends_with_it() -> None:
    async def scenario(quarter: Quarter) -> None:
        await calm(quarter)
        quarter.set("level-1", level=0.7)
        await asyncio.sleep(30.0)
        assert quarter.alerts("manhole.water") == []
        outcome = await quarter.order("storm-1", "on", minutes=2)
        assert outcome.result == "done"
        assert quarter.value("storm-1", "storm") is True
        await quarter.until(lambda: quarter.alerts("manhole.water"))
        await asyncio.sleep(120.0)
        assert quarter.value("storm-1", "storm") is False
        await quarter.until(lambda: quarter.alerts("manhole.water")[-1].change == "cleared", within_s=120)

    play(scenario, MANHOLES + STORM)


def test_storm_mode_ordered_before_a_restart_stands_after_it_until_its_time() -> None:
    async def first(quarter: Quarter) -> list[Event]:
        await calm(quarter)
        await quarter.order("storm-1", "on", minutes=11)
        return [event for event in quarter.events if isinstance(event.body, MemoryBody)]

    async def second(quarter: Quarter) -> None:
        await asyncio.sleep(1.0)
        assert quarter.value("storm-1", "storm") is True
        await asyncio.sleep(90.0)
        assert quarter.value("storm-1", "storm") is False

    kept = play(first, MANHOLES + STORM)
    assert [event.body.value for event in kept if isinstance(event.body, MemoryBody)] != []
    play(second, MANHOLES + STORM, restore=kept, wall=WALL + 600)


@pytest.mark.parametrize("step_s", [8 * 3600.0, -10 * 365 * 86_400.0])
def test_storm_mode_lasts_as_long_as_was_ordered_whatever_the_clock_is_set_to(step_s: float) -> None:
    async def first(quarter: Quarter) -> list[Event]:
        await calm(quarter)
        await quarter.order("storm-1", "on", minutes=60)
        await asyncio.sleep(600.0)
        quarter.ahead += step_s
        await asyncio.sleep(2400.0)
        assert quarter.value("storm-1", "storm") is True
        kept = [event for event in quarter.events if isinstance(event.body, MemoryBody)]
        await asyncio.sleep(660.0)
        assert quarter.value("storm-1", "storm") is False
        return kept

    async def second(quarter: Quarter) -> None:
        await asyncio.sleep(1.0)
        assert quarter.value("storm-1", "storm") is True
        await asyncio.sleep(660.0)
        assert quarter.value("storm-1", "storm") is False

    play(second, MANHOLES + STORM, restore=play(first, MANHOLES + STORM), wall=WALL + step_s + 3000.0)


@pytest.mark.parametrize("clock", Clock)
def test_storm_mode_of_an_earlier_life_whose_clock_was_years_ahead_ends_once_the_clock_is_right(
    clock: Clock,
) -> None:
    async def first(quarter: Quarter) -> list[Event]:
        await calm(quarter)
        await quarter.order("storm-1", "on", minutes=60)
        return [event for event in quarter.events if isinstance(event.body, MemoryBody)]

    async def second(quarter: Quarter) -> None:
        quarter.clock = clock
        await asyncio.sleep(120.0)
        assert quarter.value("storm-1", "storm") is (clock is Clock.UNSYNCED)

    kept = play(first, MANHOLES + STORM, wall=WALL + 10 * 365 * 86_400.0)
    play(second, MANHOLES + STORM, restore=kept, wall=WALL)


def test_a_level_sensor_that_falls_silent_clears_nothing_and_raises_nothing() -> None:
    async def scenario(quarter: Quarter) -> None:
        await calm(quarter)
        quarter.set("level-1", level=1.4)
        await quarter.until(lambda: quarter.alerts("manhole.water"))
        quarter.devices["level-1"].alive = False
        quarter.devices["level-2"].alive = False
        await quarter.until(lambda: quarter.open_kinds().count("device.offline") == 2)
        await asyncio.sleep(60.0)
        assert sorted(quarter.open_kinds()) == ["device.offline", "device.offline", "manhole.water"]
        assert quarter.value("manhole-1", "level") is None  # stale

    play(scenario, MANHOLES + STORM)


async def half_full(quarter: Quarter) -> None:
    quarter.set("ultra-1", distance=700, temperature=25.0)
    await asyncio.sleep(60.0)
    assert quarter.value("bin-1", "fill") == 50.0
    assert quarter.open_kinds() == []


def test_a_bin_fills_up_is_told_and_its_collection_is_counted_and_clears_it() -> None:
    async def scenario(quarter: Quarter) -> None:
        await half_full(quarter)
        quarter.set("ultra-1", distance=220)
        took = await quarter.until(lambda: quarter.alerts("bin.full"), within_s=400)
        assert took >= 300.0
        assert quarter.alerts("bin.full")[0].value == 98.0
        before = quarter.now
        quarter.set("ultra-1", distance=1180)
        await quarter.until(lambda: quarter.alerts("bin.full")[-1].change == "cleared", within_s=900)
        await quarter.until(lambda: quarter.value("bin-1", "collections") == 1, within_s=900)
        assert quarter.value("bin-1", "collected_at") == pytest.approx(WALL + before, abs=900)

    play(scenario, BIN)


def test_a_hand_in_the_lid_fills_no_bin_and_a_bag_on_the_sensor_empties_none() -> None:
    async def scenario(quarter: Quarter) -> None:
        await half_full(quarter)
        for distance in (150, 700, 1190, 700):
            quarter.set("ultra-1", distance=distance)
            await asyncio.sleep(7.0)
        await asyncio.sleep(600.0)
        assert quarter.open_kinds() == []
        assert quarter.value("bin-1", "collections") == 0

    play(scenario, BIN)


def test_a_distance_no_bin_can_have_is_no_fill_at_all() -> None:
    async def scenario(quarter: Quarter) -> None:
        await half_full(quarter)
        quarter.set("ultra-1", distance=4000)  # the lid is open and it sees the house
        await asyncio.sleep(60.0)
        assert quarter.value("bin-1", "fill") is None
        assert quarter.open_kinds() == []

    play(scenario, BIN)


def test_a_bin_that_warms_fast_is_a_fire_before_it_is_hot_and_latches_until_a_person_resets_it() -> None:
    async def scenario(quarter: Quarter) -> None:
        await half_full(quarter)
        temperature = 30.0
        while not quarter.alerts("fire.bin"):
            temperature += 1.0
            quarter.set("ultra-1", temperature=temperature)
            await asyncio.sleep(6.0)
            assert temperature < 70.0
        (alert,) = quarter.alerts("fire.bin")
        assert (alert.severity, alert.latch) == (Severity.CRITICAL, True)
        assert "垃圾桶" in alert.text.zh
        quarter.set("ultra-1", temperature=25.0)
        await asyncio.sleep(300.0)
        assert quarter.open_kinds() == ["fire.bin"]
        await quarter.order("bin-1", "reset")
        assert quarter.open_kinds() == []

    play(scenario, BIN)


def test_a_summer_day_in_the_sun_is_no_fire() -> None:
    async def scenario(quarter: Quarter) -> None:
        await half_full(quarter)
        for degrees in range(35, 66, 2):  # two degrees a minute, twice what a lid in the sun does
            quarter.set("ultra-1", temperature=degrees)
            await asyncio.sleep(60.0)
        assert quarter.open_kinds() == []

    play(scenario, BIN)


def test_a_tipped_bin_is_told() -> None:
    async def scenario(quarter: Quarter) -> None:
        await half_full(quarter)
        quarter.set("tilt-1", roll=85.0)
        took = await quarter.until(lambda: quarter.alerts("bin.tipped"))
        assert took >= 20.0
        assert quarter.alerts("bin.tipped")[0].device == "bin-1"
        assert "manhole.tilt" not in quarter.open_kinds()

    play(scenario, BIN)


async def free_lane(quarter: Quarter) -> None:
    quarter.set("eye-1", distance=2400)
    await asyncio.sleep(20.0)
    assert quarter.value("lane-1", "blocked") is False


def test_a_blocked_fire_lane_is_told_with_its_minutes_and_again_as_it_lasts_and_to_who_acknowledged() -> None:
    async def scenario(quarter: Quarter) -> None:
        await free_lane(quarter)
        quarter.set("eye-1", distance=1000)
        took = await quarter.until(lambda: quarter.alerts("parking.blocked"), within_s=400)
        assert took >= 300.0
        (alert,) = quarter.alerts("parking.blocked")
        assert (alert.unit, alert.severity) == ("min", Severity.MAJOR)
        assert "分钟" in alert.text.zh
        quarter.alerting.acknowledge(alert.alert, "duty")
        await asyncio.sleep(16 * 60.0)
        again = quarter.alerts("parking.blocked")[-1]
        assert (again.change, again.state, again.alert) == ("updated", "active_unacked", alert.alert)
        assert again.value is not None
        assert again.value >= 20
        quarter.set("eye-1", distance=2400)
        await quarter.until(lambda: quarter.alerts("parking.blocked")[-1].change == "cleared")

    play(scenario, LANE)


def test_somebody_who_walks_by_does_not_set_the_minutes_of_a_blocked_lane_back() -> None:
    async def scenario(quarter: Quarter) -> None:
        await free_lane(quarter)
        quarter.set("eye-1", distance=1000)
        await asyncio.sleep(200.0)
        quarter.set("eye-1", distance=2400)  # one echo that goes astray
        await asyncio.sleep(4.0)
        quarter.set("eye-1", distance=1000)
        took = await quarter.until(lambda: quarter.alerts("parking.blocked"), within_s=200)
        assert took <= 130.0

    play(scenario, LANE)


def test_a_lane_blocked_before_a_restart_is_blocked_for_as_long_after_it_and_its_alert_stays() -> None:
    async def first(quarter: Quarter) -> list[Event]:
        await free_lane(quarter)
        quarter.set("eye-1", distance=1000)
        await quarter.until(lambda: quarter.alerts("parking.blocked"), within_s=400)
        return [event for event in quarter.events if isinstance(event.body, MemoryBody | AlertBody)]

    async def second(quarter: Quarter) -> None:
        quarter.set("eye-1", distance=1000)
        await quarter.until(lambda: quarter.value("lane-1", "blocked_min"))
        assert quarter.value("lane-1", "blocked_min") >= 14
        await asyncio.sleep(60.0)
        assert quarter.open_kinds() == ["parking.blocked"]

    kept = play(first, LANE)
    play(second, LANE, restore=kept, wall=WALL + 900)


def test_a_cell_that_runs_away_in_the_charging_shed_is_a_fire_also_while_another_sensor_is_dead() -> None:
    async def scenario(quarter: Quarter) -> None:
        for name in ("heat-1", "heat-2"):
            quarter.set(name, temperature=28.0)
        await asyncio.sleep(90.0)
        quarter.devices["heat-2"].alive = False
        await quarter.until(lambda: "device.offline" in quarter.open_kinds())
        quarter.set("heat-1", temperature=70.0)
        took = await quarter.until(lambda: quarter.alerts("fire.heat"))
        assert took < 3.0
        (alert,) = quarter.alerts("fire.heat")
        assert (alert.device, alert.latch) == ("shed-1", True)

    play(scenario, SHED)


def test_a_heat_detector_that_the_shed_only_shows_keeps_its_own_alarm() -> None:
    contact = """
[[bus.device]]
name = "inputs"
profile = "wellpro-wp8026adam"
address = 3
[[rule]]
device = "inputs"
kind = "fire.heat"
point = "contact_4"
when = true
[[asset]]"""
    shown = 'smoke = ["inputs.contact_4"], temperatures'

    async def scenario(quarter: Quarter) -> None:
        await asyncio.sleep(5.0)
        quarter.set("inputs", contact_4=True)
        await quarter.until(lambda: quarter.alerts("fire.heat"))
        assert quarter.alerts("fire.heat")[0].device == "inputs"
        assert quarter.value("shed-1", "smoke") is True

    play(scenario, SHED.replace("[[asset]]", contact).replace("temperatures", shown))


def test_bays_are_counted_and_one_dead_sensor_makes_the_count_no_more_than_a_guess() -> None:
    text = """
[[bus]]
name = "lot"
port = "/dev/lot"
[[bus.device]]
name = "inputs"
profile = "wellpro-wp8026adam"
address = 1
[[bus.device]]
name = "inputs-2"
profile = "wellpro-wp8026adam"
address = 2
[[asset]]
name = "bay-1"
kind = "bay"
parts = { car = "inputs.contact_1" }
[[asset]]
name = "bay-2"
kind = "bay"
parts = { car = "inputs-2.contact_1" }
[[asset]]
name = "lot-1"
kind = "lot"
parts = { bays = ["bay-1.occupied", "bay-2.occupied"] }
[[asset]]
name = "lift-1"
kind = "lift"
parts = { ebike = ["inputs.contact_3"] }
"""

    async def scenario(quarter: Quarter) -> None:
        await quarter.until(lambda: quarter.value("lot-1", "free") == 2)
        quarter.set("inputs", contact_1=1)
        await quarter.until(lambda: quarter.value("lot-1", "free") == 1)
        quarter.set("inputs", contact_3=1)
        took = await quarter.until(lambda: quarter.alerts("lift.ebike"))
        assert took < 4.0
        quarter.devices["inputs-2"].alive = False
        await quarter.until(lambda: "device.offline" in quarter.open_kinds())
        await asyncio.sleep(1.0)
        assert quarter.value("lot-1", "free") is None
        assert quarter.value("lot-1", "taken") is None

    play(scenario, text)
