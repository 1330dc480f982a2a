"""The small parts of a line: learned time-outs, quarantine, echo, statistics, who is there."""

import pytest

from drivers import profile
from drivers.api import Device
from drivers.echo import Echo
from drivers.figures import DeviceStatistics
from drivers.presence import Change, Roll, Turn
from drivers.quarantine import Debt, Quarantine
from drivers.statistics import FEW, Count, Counters, Utilisation, snapshots, suspects_duplicate
from drivers.timeouts import FLOOR_S, LearnedTimeout, Window

# --- learned time-outs ----------------------------------------------------------------------------


def test_the_datasheet_holds_until_enough_was_seen() -> None:
    timeout = LearnedTimeout(0.3)
    for _ in range(7):
        timeout.answered(0.005)
    assert timeout.turnaround_limit_s == 0.3
    timeout.answered(0.005)
    assert timeout.turnaround_limit_s == pytest.approx(2 * 0.005 + 0.016)


def test_an_exchange_always_gets_its_floor() -> None:
    timeout = LearnedTimeout(0.3)
    for _ in range(20):
        timeout.answered(0.001)
    assert timeout.exchange_s(0.01) == FLOOR_S
    assert timeout.exchange_s(0.2) == pytest.approx(0.218)


def test_a_time_out_makes_patient_and_good_replies_impatient_again() -> None:
    timeout = LearnedTimeout(0.3)
    for _ in range(16):
        timeout.answered(0.01)
    learned = timeout.turnaround_limit_s
    timeout.timed_out()
    assert timeout.turnaround_limit_s == pytest.approx(2 * learned)
    for _ in range(10):
        timeout.timed_out()
    assert timeout.turnaround_limit_s == 0.3
    for _ in range(200):
        timeout.answered(0.01)
    assert timeout.turnaround_limit_s == pytest.approx(learned)


def test_a_late_reply_raises_the_time_out_above_itself() -> None:
    timeout = LearnedTimeout(1.0)
    for _ in range(50):
        timeout.answered(0.01)
    timeout.came_late(0.2)
    timeout.came_late(0.2)
    assert timeout.turnaround_limit_s > 0.2


def test_a_window_forgets_what_is_old() -> None:
    window = Window()
    assert window.percentile(0.5) is None
    window.add(100.0)
    for _ in range(128):
        window.add(1.0)
    assert window.percentile(1.0) == 1.0


# --- quarantine -----------------------------------------------------------------------------------

READ_A, READ_B, READ_LONG = "a", "b", "long"
ONE, TWO = (3, 4), (3, 6)


def _owing() -> Quarantine[str]:
    quarantine: Quarantine[str] = Quarantine()
    quarantine.owe(Debt(7, READ_A, ONE, 0.0, 2.0))
    return quarantine


def test_a_device_that_owes_may_be_asked_the_same_again() -> None:
    assert _owing().free_at(7, READ_A, ONE, 1.0) == 1.0


def test_a_device_that_owes_may_be_asked_what_looks_different() -> None:
    assert _owing().free_at(7, READ_LONG, TWO, 1.0) == 1.0


def test_a_device_that_owes_may_not_be_asked_what_looks_the_same() -> None:
    assert _owing().free_at(7, READ_B, ONE, 1.0) == 2.0
    assert _owing().free_at(7, READ_B, ONE, 2.0) == 2.0


def test_other_devices_are_free() -> None:
    assert _owing().free_at(8, READ_B, ONE, 1.0) == 1.0


def test_a_debt_is_not_forgiven_because_something_like_it_turned_up() -> None:
    quarantine = _owing()
    (debt,) = quarantine.awaited(1.0)
    quarantine.turned_up(debt)
    assert quarantine.awaited(1.0) == []
    assert quarantine.free_at(7, READ_B, ONE, 1.0) == 2.0


def test_every_question_owes_a_reply_of_its_own() -> None:
    quarantine = _owing()
    quarantine.owe(Debt(7, READ_A, ONE, 1.0, 3.0))
    assert len(quarantine.awaited(1.0)) == 2
    assert quarantine.free_at(7, READ_B, ONE, 2.5) == 3.0
    assert not quarantine.awaited(3.0)
    assert not quarantine


def test_an_exception_is_doubtful_while_the_same_function_owes() -> None:
    assert _owing().doubtful_exception(7, READ_LONG, 3, 1.0)
    assert not _owing().doubtful_exception(7, READ_A, 3, 1.0)
    assert not _owing().doubtful_exception(7, READ_LONG, 4, 1.0)
    assert not _owing().doubtful_exception(7, READ_LONG, 3, 2.0)


# --- echo -----------------------------------------------------------------------------------------


def test_echo_is_learned_from_one_read_and_unlearned_after_three() -> None:
    echo = Echo()
    assert echo.heard is None
    echo.read_answered(echoed=True)
    for expected in (True, True, False):
        echo.read_answered(echoed=False)
        assert echo.heard is expected
    echo.forget()
    assert echo.heard is None


def test_only_the_exact_bytes_are_an_echo() -> None:
    buffer = bytearray(b"\x01\x03\x00rest")
    assert not Echo().strip(buffer, b"\x01\x03\x01")
    assert Echo().strip(buffer, b"\x01\x03\x00")
    assert buffer == b"rest"


# --- statistics -----------------------------------------------------------------------------------


def test_utilisation_is_that_of_the_last_minute() -> None:
    utilisation = Utilisation(0.0)
    for second in range(60):
        utilisation.busy(0.5, float(second))
    assert utilisation.share(60.0) == pytest.approx(0.5, abs=0.01)
    assert utilisation.share(90.0) == pytest.approx(0.25, abs=0.01)
    assert utilisation.share(500.0) == 0.0


def test_a_device_far_more_damaged_than_its_neighbours_shares_its_address() -> None:
    one, clean, noisy = Count(100, 40), Count(1000, 2), Count(1000, 300)
    assert suspects_duplicate(one, [clean])
    assert not suspects_duplicate(one, [noisy])
    assert not suspects_duplicate(clean, [one])


def test_a_line_that_goes_bad_after_a_year_and_one_that_is_mended_are_seen_within_a_thousand_polls() -> None:
    counters, year = Counters(), 30_000_000
    device = Device("smoke-1", profile.load("sonbest-sm7571b"), 1)

    def asked(polls: int, damaged: int = 0, *, online: bool = True) -> DeviceStatistics:
        counters.polls, counters.crc_errors = counters.polls + polls, counters.crc_errors + damaged
        (told,) = snapshots([(device, counters, online, 0.05)])
        return told

    assert asked(FEW - 1).broken_lately is None
    assert asked(year).broken_lately == 0.0
    bad = [asked(60, 12) for _ in range(17)][-1]
    assert bad.broken_lately == pytest.approx(0.2)
    assert bad.suspect_duplicate
    mended = [asked(60) for _ in range(17)][-1]
    assert mended.broken_lately == 0.0
    assert not mended.suspect_duplicate
    assert asked(400, 400, online=False).broken_lately is None
    assert asked(FEW).broken_lately == 0.0, "that it was away says nothing of the line"


# --- who is there ---------------------------------------------------------------------------------


def _turns(changes: object) -> list[tuple[Turn, int | None]]:
    assert isinstance(changes, list | tuple)
    return [(change.turn, change.device) for change in changes if isinstance(change, Change)]


def _both_there() -> Roll:
    roll = Roll(2, 0.0)
    roll.answered(0, 0.1)
    roll.answered(1, 0.2)
    return roll


def test_two_failures_within_three_seconds_say_nothing() -> None:
    roll = _both_there()
    for now in (0.3, 0.4, 2.0):
        assert not roll.failed(0, "silent", now)


def test_a_silent_device_is_away_when_others_answer() -> None:
    roll = _both_there()
    roll.failed(0, "silent", 1.0)
    roll.answered(1, 2.0)
    assert _turns(roll.failed(0, "silent", 3.2)) == [(Turn.STALE, 0), (Turn.OFFLINE, 0)]
    assert not roll.failed(0, "silent", 10.0)
    assert not roll.online(0)


def test_nobody_is_blamed_before_the_others_were_asked() -> None:
    roll = _both_there()
    roll.failed(0, "silent", 1.0)
    assert _turns(roll.failed(0, "silent", 3.2)) == [(Turn.STALE, 0), (Turn.ASK_OTHERS, 0)]
    roll.answered(1, 3.3)
    assert _turns(roll.failed(0, "silent", 3.7)) == [(Turn.OFFLINE, 0)]


def test_when_nobody_answers_the_line_is_down_and_nobody_else_is_blamed() -> None:
    roll = _both_there()
    turns = []
    for now in (1.0, 3.4, 5.3, 6.0, 20.0):
        turns += _turns(roll.failed(0, "silent", now)) + _turns(roll.failed(1, "silent", now))
    assert turns.count((Turn.LINE_DOWN, None)) == 1
    assert not [turn for turn in turns if turn[0] is Turn.OFFLINE]
    assert {device for turn, device in turns if turn is Turn.STALE} == {0, 1}


def test_a_line_of_one_device_is_never_down_for_its_silence() -> None:
    roll = Roll(1, 0.0)
    roll.answered(0, 0.1)
    roll.failed(0, "silent", 1.0)
    assert (Turn.OFFLINE, 0) in _turns(roll.failed(0, "silent", 8.0))


def test_a_lost_port_makes_all_stale_and_is_told_once() -> None:
    roll = _both_there()
    assert _turns(roll.port_lost("gone")) == [(Turn.LINE_DOWN, None), (Turn.STALE, 0), (Turn.STALE, 1)]
    assert not roll.port_lost("gone")
    roll.port_opened(10.0)
    assert _turns(roll.answered(1, 10.1)) == [(Turn.LINE_UP, None)]
    assert roll.online(1)
    assert not roll.online(0)


def test_a_frozen_device_is_away_although_it_answers() -> None:
    roll = _both_there()
    assert _turns(roll.frozen(0)) == [(Turn.STALE, 0), (Turn.OFFLINE, 0)]
    assert not roll.answered(0, 5.0)
    assert not roll.frozen(0)
    assert _turns(roll.thawed(0, 6.0)) == [(Turn.ONLINE, 0)]
