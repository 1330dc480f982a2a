"""The watches over residents on the bytes of a radar and of contacts, with limits of minutes instead of hours."""

import asyncio

from drivers.sim.framed import SimUnit
from tests.gateway.dwelling import LINES, RESIDENT
from tests.gateway.quarter import Quarter, play

MOTION = bytes.fromhex("8002")
ALWAYS_NIGHT = "night_from = 0, night_until = 24"
QUICK = (
    LINES.replace(
        'kind = "home"', 'kind = "home"\nset = { hours = 0.05, most_hours = 0.05, blind_min = 2 }'
    ).replace('kind = "bed"', f'kind = "bed"\nset = {{ minutes = 1, blind_min = 2, {ALWAYS_NIGHT} }}')
    + RESIDENT
)


async def at_home(home: Quarter, **radar: float) -> None:
    """Let the radar see somebody who lies in bed and stirs."""
    for name, value in (
        {"presence": True, "movement": 40, "bed": 1, "heart": 70, "breath": 15} | radar
    ).items():
        home.set("radar-301", **{name: value})
    await asyncio.sleep(70.0)


def test_a_bed_that_a_radar_says_is_left_is_told_after_its_minutes_and_over_when_it_is_not() -> None:
    async def scenario(home: Quarter) -> None:
        await at_home(home)
        home.set("radar-301", bed=0)
        took = await home.until(lambda: home.alerts("care.bed_exit"), within_s=90)
        assert 60.0 <= took <= 80.0
        home.set("radar-301", bed=1)
        took = await home.until(lambda: home.alerts("care.bed_exit")[-1].change == "cleared", within_s=60)
        assert took >= 30.0

    play(scenario, QUICK)


def test_a_body_that_does_not_move_is_told_and_a_door_that_does_ends_it() -> None:
    async def scenario(home: Quarter) -> None:
        await at_home(home)
        home.set("radar-301", movement=1)
        took = await home.until(lambda: home.alerts("care.quiet"), within_s=400)
        assert took >= 180.0
        home.set("board", contact_1=1)
        await home.until(lambda: home.alerts("care.quiet")[-1].change == "cleared", within_s=10)

    play(scenario, QUICK)


def test_a_radar_that_tells_its_motion_only_when_it_changes_is_asked_for_it() -> None:
    async def scenario(home: Quarter) -> None:
        radar = home.devices["radar-301"]
        assert isinstance(radar, SimUnit)
        await at_home(home, motion=1)
        speak = radar.speak
        radar.speak = lambda now: (each for each in speak(now) if each[2:4] != MOTION)  # type: ignore[method-assign]
        await home.until(lambda: home.alerts("care.quiet"), within_s=400)
        assert home.alerts("care.blind") == []
        radar.set("motion", 2)
        await home.until(lambda: home.alerts("care.quiet")[-1].change == "cleared", within_s=10)

    play(scenario, QUICK.replace('bodies = ["radar-301.movement"]', 'motions = ["radar-301.motion"]'))


def test_a_radar_that_dies_is_told_as_lost_and_as_a_watch_that_sees_nothing_and_as_nothing_else() -> None:
    async def scenario(home: Quarter) -> None:
        await at_home(home)
        home.devices["radar-301"].alive = False
        await home.until(lambda: len(home.alerts("care.blind")) == 2, within_s=400)
        await asyncio.sleep(300.0)
        assert set(home.open_kinds()) == {"device.offline", "care.blind"}

    play(scenario, QUICK)


def test_a_radar_that_answers_and_never_says_anything_of_the_bed_is_a_watch_that_sees_nothing() -> None:
    async def scenario(home: Quarter) -> None:
        await at_home(home, bed=9)
        await home.until(lambda: home.alerts("care.blind"), within_s=120)
        assert [body.device for body in home.alerts("care.blind")] == ["bed-301"]
        assert "device.offline" not in home.open_kinds()

    play(scenario, QUICK)
