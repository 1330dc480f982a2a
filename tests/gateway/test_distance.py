"""What a distance means, from the bytes of an ultrasonic sensor to the alert: a full bin, a blocked lane."""

import asyncio

from gateway.core.events import Severity
from tests.gateway.ward import Ward, play

SENSOR = "dyp-a02yyuw"
FULL = {"bin.full": {"point": "distance", "below": 250, "clear": 400, "reads": 3, "hold_s": 60}}
LANE = {"below": 1600, "clear": 2000, "reads": 3, "hold_s": 300, "severity": "major"}
BLOCKED = {"parking.blocked": {"point": "distance", **LANE}}


def test_a_bin_is_full_when_it_stays_so_and_empty_when_it_was_collected() -> None:
    async def scenario(ward: Ward) -> None:
        ward.radar.set("distance", 900)
        await asyncio.sleep(30.0)
        ward.radar.set("distance", 200)  # a hand in the lid
        await asyncio.sleep(20.0)
        ward.radar.set("distance", 900)
        await asyncio.sleep(120.0)
        assert ward.alerts("bin.full") == []
        ward.radar.set("distance", 200)
        took = await ward.until(lambda: ward.alerts("bin.full"), within_s=90.0)
        assert took >= 60.0
        ward.radar.set("distance", 300)  # pressed down is not emptied
        await asyncio.sleep(60.0)
        assert [body.change for body in ward.alerts("bin.full")] == ["raised"]
        ward.radar.set("distance", 900)
        await ward.until(lambda: ward.alerts("bin.full")[-1].change == "cleared")

    play(scenario, SENSOR, FULL)


def test_a_car_that_stands_in_the_fire_lane_is_an_alert_and_cars_that_pass_are_none() -> None:
    async def scenario(ward: Ward) -> None:
        for _ in range(10):
            ward.radar.set("distance", 1200)
            await asyncio.sleep(20.0)
            ward.radar.set("distance", 2400)
            await asyncio.sleep(40.0)
        assert ward.alerts("parking.blocked") == []
        ward.radar.set("distance", 1200)
        took = await ward.until(lambda: ward.alerts("parking.blocked"), within_s=330.0)
        assert took >= 300.0
        assert ward.alerts("parking.blocked")[0].severity is Severity.MAJOR

    play(scenario, SENSOR, BLOCKED)


def test_a_sensor_that_is_silent_says_nothing_of_the_bin_and_clears_nothing() -> None:
    async def scenario(ward: Ward) -> None:
        ward.radar.set("distance", 200)
        await ward.until(lambda: ward.alerts("bin.full"), within_s=90.0)
        ward.radar.alive = False
        await ward.until(lambda: "device.offline" in ward.open_kinds())
        await asyncio.sleep(60.0)
        assert "bin.full" in ward.open_kinds()

    play(scenario, SENSOR, FULL)
