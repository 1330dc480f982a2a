"""From the bytes of a radar to the alert: who falls and stays down, lies still for long, breathes too fast."""

import asyncio

import pytest

from gateway.core.events import LinkBody, Severity
from tests.gateway.ward import Ward, play

FALL_RADARS = ("micradar-r60afd1", "seeed-mr60fda2")


async def at_home(ward: Ward) -> None:
    """Let the radar see somebody who is well."""
    ward.radar.set("presence", True)
    ward.radar.set("fall", False)
    await asyncio.sleep(6.0)
    assert ward.open_kinds() == []


@pytest.mark.parametrize("product", FALL_RADARS)
def test_who_falls_and_stays_down_is_an_alert_in_words_that_say_where(product: str) -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("fall", True)
        took = await ward.until(lambda: ward.alerts("care.fall"))
        assert 10.0 <= took < 14.0
        (alert,) = ward.alerts("care.fall")
        assert (alert.change, alert.severity, alert.device) == ("raised", Severity.CRITICAL, "radar")
        assert "3 楼" in alert.text.zh
        assert "可能有人跌倒" in alert.text.zh
        assert "may have fallen" in alert.text.en

    play(scenario, product)


@pytest.mark.parametrize("product", FALL_RADARS)
def test_who_gets_up_again_within_ten_seconds_wakes_nobody(product: str) -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("fall", True)
        await asyncio.sleep(7.0)
        ward.radar.set("fall", False)
        await asyncio.sleep(60.0)
        assert ward.alerts("care.fall") == []

    play(scenario, product)


@pytest.mark.parametrize("product", FALL_RADARS)
def test_a_fall_in_an_empty_room_is_none(product: str) -> None:
    async def scenario(ward: Ward) -> None:
        ward.radar.set("vacant", True)
        ward.radar.set("fall", True)
        await asyncio.sleep(60.0)
        assert ward.alerts("care.fall") == []
        ward.radar.set("presence", True)
        await ward.until(lambda: ward.alerts("care.fall"))

    play(scenario, product)


@pytest.mark.parametrize("product", FALL_RADARS)
@pytest.mark.parametrize("still_says_fall", [True, False])
def test_a_radar_that_loses_sight_of_who_lies_on_the_floor_raises_the_fall_all_the_same(
    product: str, still_says_fall: bool
) -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("fall", True)
        await asyncio.sleep(4.5)
        ward.radar.set("vacant", True)
        ward.radar.set("fall", still_says_fall)
        took = await ward.until(lambda: ward.alerts("care.fall"), within_s=15.0)
        assert took <= 10.0
        await asyncio.sleep(120.0)
        assert ward.alerts("care.fall")[-1].state == "active_unacked"  # nobody was seen to get up

    play(scenario, product)


@pytest.mark.parametrize("product", FALL_RADARS)
def test_who_gets_up_and_then_leaves_the_room_has_not_fallen(product: str) -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("fall", True)
        await asyncio.sleep(4.5)
        ward.radar.set("fall", False)
        await asyncio.sleep(4.5)
        ward.radar.set("vacant", True)
        await asyncio.sleep(120.0)
        assert ward.alerts("care.fall") == []

    play(scenario, product)


def test_a_fall_stays_in_the_list_until_a_person_has_seen_to_it() -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("fall", True)
        await ward.until(lambda: ward.alerts("care.fall"))
        ward.radar.set("fall", False)
        await asyncio.sleep(120.0)
        assert ward.open_kinds() == ["care.fall"]
        ward.alerting.reset("radar", "operator")
        assert ward.open_kinds() == []

    play(scenario, "micradar-r60afd1")


def test_a_radar_that_dies_after_a_fall_takes_the_alert_with_it_no_more_than_the_fall() -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("fall", True)
        await ward.until(lambda: ward.alerts("care.fall"))
        ward.radar.alive = False
        await ward.until(lambda: "device.offline" in ward.open_kinds())
        assert "care.fall" in ward.open_kinds()
        assert [b.up for b in ward.told if isinstance(b, LinkBody) and b.what == "device"] == [True, False]

    play(scenario, "micradar-r60afd1")


def test_a_radar_that_is_silent_is_worse_than_another_silent_device_for_somebody_relies_on_it() -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.alive = False
        await ward.until(lambda: ward.alerts("device.offline"))
        assert ward.alerts("device.offline")[0].severity is Severity.MAJOR

    play(scenario, "micradar-r60afd1")


def test_somebody_who_has_not_moved_for_half_an_hour_is_looked_after() -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("motion", 1)
        await asyncio.sleep(1700.0)
        assert ward.alerts("care.still") == []
        await ward.until(lambda: ward.alerts("care.still"), within_s=120.0)
        ward.radar.set("motion", 2)
        await ward.until(lambda: ward.alerts("care.still")[-1].change == "cleared")

    play(scenario, "micradar-r60afd1")


def test_somebody_who_stirs_now_and_then_is_left_in_peace() -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        for _ in range(6):
            ward.radar.set("motion", 1)
            await asyncio.sleep(1200.0)
            ward.radar.set("motion", 2)
            await asyncio.sleep(10.0)
        assert ward.alerts("care.still") == []

    play(scenario, "micradar-r60afd1")


async def still_but_unseen(ward: Ward, *, before_s: float, silent_s: float, after_s: float) -> None:
    """Somebody is still all the time; the radar says so, falls silent for a while, and says so again."""
    await at_home(ward)
    ward.radar.set("motion", 1)
    await asyncio.sleep(before_s)
    ward.radar.alive = False
    await asyncio.sleep(silent_s)
    ward.radar.alive = True
    await asyncio.sleep(after_s)
    assert ward.alerts("care.still") == []


def test_a_radar_that_was_silent_in_between_has_not_seen_that_nobody_moved() -> None:
    async def scenario(ward: Ward) -> None:
        await still_but_unseen(ward, before_s=600.0, silent_s=1000.0, after_s=600.0)
        took = await ward.until(lambda: ward.alerts("care.still"), within_s=1300.0)
        assert 500.0 <= took <= 720.0  # what was seen before and after together is half an hour

    play(scenario, "micradar-r60afd1")


def test_after_a_silence_as_long_as_what_is_looked_for_it_is_looked_for_anew() -> None:
    async def scenario(ward: Ward) -> None:
        await still_but_unseen(ward, before_s=1500.0, silent_s=4000.0, after_s=1700.0)
        await ward.until(lambda: ward.alerts("care.still"), within_s=300.0)

    play(scenario, "micradar-r60afd1")


def test_a_pulse_that_was_not_seen_for_minutes_has_not_been_fast_for_a_minute() -> None:
    async def scenario(ward: Ward) -> None:
        for name, value in {"presence": True, "breath": 15, "heart": 70}.items():
            ward.radar.set(name, value)
        await asyncio.sleep(30.0)
        ward.radar.set("heart", 130.0)
        await asyncio.sleep(20.0)
        ward.radar.set("heart", 0)  # the radar sees none
        await asyncio.sleep(300.0)
        ward.radar.set("heart", 130.0)
        took = await ward.until(lambda: ward.alerts("care.vitals"), within_s=90.0)
        assert took >= 58.0

    play(scenario, "seeed-mr60bha2")


def test_how_long_is_long_is_a_line_of_the_configuration() -> None:
    async def scenario(ward: Ward) -> None:
        await at_home(ward)
        ward.radar.set("motion", 1)
        took = await ward.until(lambda: ward.alerts("care.still"), within_s=120.0)
        assert 60.0 <= took < 75.0

    play(scenario, "micradar-r60afd1", {"care.still": {"hold_s": 60}})


@pytest.mark.parametrize(
    ("product", "point", "usual", "unusual", "kind"),
    [
        ("seeed-mr60bha2", "breath", 15.0, 34.0, "care.vitals"),
        ("seeed-mr60bha2", "breath", 15.0, 6.0, "care.vitals_low"),
        ("seeed-mr60bha2", "heart", 70.0, 130.0, "care.vitals"),
        ("seeed-mr60bha2", "heart", 70.0, 40.0, "care.vitals_low"),
        ("micradar-r60abd1", "breath_state", 1, 2, "care.vitals"),
        ("micradar-r60abd1", "breath_state", 1, 3, "care.vitals"),
        ("micradar-r60abd1", "heart", 70, 119, "care.vitals"),
    ],
)
def test_breath_and_pulse_that_stay_unusual_for_a_minute_are_told_and_for_less_are_not(
    product: str, point: str, usual: float, unusual: float, kind: str
) -> None:
    async def scenario(ward: Ward) -> None:
        for name, value in {"presence": True, "breath": 15, "heart": 70, point: usual}.items():
            ward.radar.set(name, value)
        await asyncio.sleep(30.0)
        ward.radar.set(point, unusual)
        await asyncio.sleep(40.0)
        ward.radar.set(point, usual)
        await asyncio.sleep(120.0)
        assert ward.open_kinds() == []
        assert ward.alerts(kind) == []
        ward.radar.set(point, unusual)
        took = await ward.until(lambda: ward.alerts(kind), within_s=90.0)
        assert took >= 60.0

    play(scenario, product)


def test_a_bed_that_is_empty_has_no_pulse_and_that_is_no_alert() -> None:
    async def scenario(ward: Ward) -> None:
        ward.radar.set("vacant", True)
        ward.radar.set("heart", 0)
        ward.radar.set("breath", 0)
        await asyncio.sleep(300.0)
        assert ward.open_kinds() == []

    play(scenario, "seeed-mr60bha2")
