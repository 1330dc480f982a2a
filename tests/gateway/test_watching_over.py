"""Residents who are watched over, from what their sensors say to the alert: quiet for long, out of bed, away."""

import msgspec
import pytest

from drivers.api import Quality
from gateway.core.events import Clock, Event, MemoryBody, ReadingBody, Severity
from gateway.core.policy import PolicyError
from gateway.core.standing import Restored
from tests.gateway.dwelling import HOME, Home, at, dwell


def test_nothing_that_moves_for_six_hours_of_the_day_is_told_in_words_that_say_where() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.2, bed=0, movement=50)
        await home.live(5.9, movement=1)
        assert home.open() == []
        await home.live(0.3)
        (alert,) = home.alerts("care.quiet")
        assert (alert.severity, alert.device, alert.value) == (Severity.MAJOR, "flat-301", None)
        assert "3 楼" in alert.text.zh
        assert "2-1-301" in alert.text.zh
        await home.live(0.1, movement=40)
        assert home.alerts("care.quiet")[-1].change == "cleared"

    dwell(scenario, wall=at(9))


def test_a_quiet_night_is_told_to_nobody_but_a_day_and_a_night_are() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.2, bed=1, movement=50)
        await home.live(10.8, movement=1)
        assert home.open() == []  # 20:00 to 07:00
        await home.live(2.8)
        assert home.open() == []
        await home.live(0.5)
        assert home.open() == ["care.quiet"]  # 14 hours of day and night, though only 5.2 of the day

    dwell(scenario, wall=at(20))


def test_a_door_that_opens_is_somebody_who_moves() -> None:
    async def scenario(home: Home) -> None:
        await home.live(5.0, bed=0, movement=1)
        await home.live(5.5, contact_1=True)
        assert home.open() == []
        await home.live(0.7)
        assert home.open() == ["care.quiet"]

    dwell(scenario, wall=at(7.5))


def test_who_bolts_the_door_from_outside_is_away_and_at_home_again_by_coming_in() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.5, bed=0, movement=30)
        await home.live(0.05, contact_2=True)
        assert home.alerts("care.away")[0].severity is Severity.INFO
        await home.live(30.0, movement=0)
        assert home.open() == ["care.away"]
        await home.live(0.05, contact_1=True, contact_2=False)
        assert home.open() == []

    dwell(scenario, wall=at(9))


def test_a_bolt_that_one_reading_alone_says_is_locked_puts_no_watch_to_rest() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.5, bed=0, movement=30)
        now = home.quarter.now
        for late_s, locked in ((0.0, True), (0.5, False)):
            home.quarter.stream.submit(ReadingBody("board", "contact_2", locked, Quality.GOOD, now + late_s))
        await home.live(6.5, movement=1)
        assert home.alerts("care.away") == []
        assert home.open() == ["care.quiet"]

    dwell(scenario, wall=at(9))


def test_the_warden_says_that_somebody_is_away_and_after_these_days_the_watch_is_on_again_with_a_word() -> (
    None
):
    async def scenario(home: Home) -> None:
        await home.live(0.5, bed=0, movement=1)
        assert await home.order("away", days=1.0) == "done"
        await home.live(23.9)
        assert home.open() == ["care.away"]
        await home.live(0.2)
        assert home.open() == ["care.away_over"]
        await home.live(15.0)
        assert home.open() == ["care.away_over", "care.quiet"]
        assert await home.order("home") == "done"
        await home.live(0.05)
        assert home.open() == ["care.quiet"]

    dwell(scenario, wall=at(9))


def test_nobody_can_be_said_to_be_away_for_longer_than_the_most() -> None:
    async def scenario(home: Home) -> None:
        with pytest.raises(PolicyError, match="days is 15"):
            await home.order("away", days=15.0)

    dwell(scenario, wall=at(9))


def test_who_gets_up_at_night_and_is_not_back_in_bed_is_told_after_twenty_minutes() -> None:
    async def scenario(home: Home) -> None:
        await home.live(1.0, bed=1, movement=1)
        await home.live(0.3, bed=0)
        home.every_s = 20.0
        await home.live(1.0, bed=1)
        assert home.open() == []
        await home.live(0.33, bed=0)
        assert home.open() == []
        await home.live(0.04)
        (alert,) = home.alerts("care.bed_exit")
        assert (alert.severity, alert.device) == (Severity.MAJOR, "bed-301")
        assert "没有回床" in alert.text.zh
        home.every_s = 120.0
        await home.live(6.0)  # the morning is nobody who came back
        assert home.open() == ["care.bed_exit"]
        await home.live(0.05, bed=1)
        assert home.open() == []

    dwell(scenario, wall=at(1))


def test_a_bed_left_by_day_is_nobodys_business() -> None:
    async def scenario(home: Home) -> None:
        await home.live(1.0, bed=1, movement=30)
        await home.live(3.0, bed=0)
        assert home.open() == []

    dwell(scenario, wall=at(12))


def test_while_nobody_knows_whether_it_is_night_nobody_is_told_and_then_at_once() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.5, bed=1, movement=30)
        await home.live(1.0, bed=0)
        assert home.open() == []
        home.quarter.ahead, home.quarter.clock = at(1), Clock.SYNCED
        await home.live(0.15)
        assert home.open() == ["care.bed_exit"]

    dwell(scenario, wall=1000.0, clock=Clock.UNSYNCED)


def test_a_night_goes_on_when_the_network_that_set_the_clock_is_gone() -> None:
    async def scenario(home: Home) -> None:
        await home.live(1.0, bed=1, movement=30)
        home.quarter.clock = Clock.UNSYNCED
        await home.live(1.0)
        await home.live(0.5, bed=0)
        assert home.open() == ["care.bed_exit"]

    dwell(scenario, wall=at(1))


def test_a_radar_that_is_dead_is_told_and_makes_no_alert_of_its_silence() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.5, bed=1, movement=1)
        home.lose("radar-301")
        assert home.alerts("device.offline")[0].severity is Severity.MAJOR
        await home.live(20.0)
        assert set(home.quarter.open_kinds()) == {"device.offline", "care.blind"}
        assert {body.device for body in home.alerts("care.blind")} == {"flat-301", "bed-301"}

    dwell(scenario, wall=at(1))


def test_a_lost_contact_of_a_flat_somebody_relies_on_is_worse_than_another() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.1, bed=1, movement=1)
        home.lose("board")
        assert home.alerts("device.offline")[0].severity is Severity.MAJOR

    dwell(scenario, wall=at(9))


def test_a_sensor_that_answers_but_never_says_what_is_wanted_is_a_watch_that_sees_nothing() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.5, movement=1, bed=None)
        await home.live(1.0)
        assert [body.device for body in home.alerts("care.blind")] == ["bed-301"]

    dwell(scenario, wall=at(9))


def test_a_restart_loses_no_hour_and_invents_none() -> None:
    async def first(home: Home) -> list[Event]:
        await home.live(0.2, bed=0, movement=50)
        await home.live(5.0, movement=1)
        return home.kept()

    async def second(home: Home) -> None:
        await home.live(0.7, bed=0, movement=1)
        assert home.open() == []
        await home.live(0.7)
        assert home.open() == ["care.quiet"]

    before = dwell(first, wall=at(8))
    dwell(second, restore=before, wall=at(13.3), ended=at(13.2))

    async def next_day(home: Home) -> None:
        await home.live(5.0, bed=0, movement=1)
        assert home.open() == []

    dwell(next_day, restore=before, wall=at(33.0), ended=at(13.2))


def test_an_alert_that_stands_is_not_ended_by_a_restart() -> None:
    async def first(home: Home) -> list[Event]:
        await home.live(0.2, bed=1, movement=50)
        await home.live(0.5, bed=0, movement=1)
        assert home.open() == ["care.bed_exit"]
        return home.kept()

    async def second(home: Home) -> None:
        await home.live(2.0, bed=0, movement=1)
        assert home.open() == ["care.bed_exit"]
        assert all(body.change != "cleared" for body in home.alerts("care.bed_exit"))

    before = dwell(first, wall=at(2))
    dwell(second, restore=before, wall=at(7), ended=at(2.7))  # hours later, and it is morning
    dwell(second, restore=before, wall=1000.0, ended=at(2.7), clock=Clock.UNSYNCED)


def test_an_absence_outlives_a_restart() -> None:
    async def first(home: Home) -> list[Event]:
        await home.live(0.5, bed=0, movement=1)
        await home.order("away", days=3.0)
        await home.live(1.0)
        return home.kept()

    async def second(home: Home) -> None:
        await home.live(20.0, bed=0, movement=1)
        assert home.open() == ["care.away"]

    dwell(second, restore=dwell(first, wall=at(9)), wall=at(11), ended=at(10.5))


def test_who_has_not_agreed_is_not_watched_at_all() -> None:
    async def scenario(home: Home) -> None:
        await home.live(1.0, bed=1, movement=1)
        await home.live(16.0, bed=0)
        assert home.open() == []
        assert not [body for body in home.quarter.told if isinstance(body, MemoryBody)]
        assert home.quarter.assets.statistics() == []

    dwell(scenario, HOME.replace('["home", "away", "bed"]', '["fall"]'), wall=at(23))


def test_who_agreed_to_one_watch_is_not_watched_by_the_other() -> None:
    async def scenario(home: Home) -> None:
        await home.live(1.0, bed=1, movement=1)
        await home.live(16.0, bed=0)
        assert home.open() == ["care.quiet"]

    dwell(scenario, HOME.replace('["home", "away", "bed"]', '["home"]'), wall=at(23))


def test_what_a_watch_says_of_somebody_is_shown_to_nobody_who_has_not_been_let() -> None:
    async def scenario(home: Home) -> None:
        await home.live(0.5, bed=1, movement=1)
        values = {
            each["value"] for row in home.quarter.assets.statistics() for each in row["points"].values()
        }
        assert values == {None}

    dwell(scenario, wall=at(9))


def test_of_who_takes_back_their_consent_nothing_is_kept_for_another_start() -> None:
    async def first(home: Home) -> list[Event]:
        await home.live(1.0, bed=1)
        await home.live(1.0, bed=0)
        return home.kept()

    async def second(home: Home) -> list[Event]:
        await home.live(0.2, bed=0)
        assert home.quarter.open_kinds() == ["care.bed_exit"]  # listed until somebody has seen it
        assert home.open() == []
        return home.kept()

    before = dwell(first, wall=at(1))
    after = dwell(
        second, HOME.replace('["home", "away", "bed"]', "[]"), restore=before, wall=at(3.1), ended=at(3)
    )
    left = Restored([*before, *(msgspec.structs.replace(each, epoch=2) for each in after)])
    assert [each.body for each in left.events() if isinstance(each.body, MemoryBody)] == []


def test_who_agreed_to_be_watched_at_home_alone_is_told_of_to_nobody_when_away() -> None:
    async def scenario(home: Home) -> None:
        assert await home.order("away", days=0.125) == "done"
        await home.live(2.0)
        assert home.open() == []
        await home.live(8.0)
        assert home.open() == ["care.quiet"]

    dwell(scenario, HOME.replace('["home", "away", "bed"]', '["home"]'), wall=at(8))
