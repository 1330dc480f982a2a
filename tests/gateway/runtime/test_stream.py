"""The stream numbers once, stamps once, and nothing a follower does reorders or loses an event."""

import logging

import pytest

from drivers.api import Quality
from gateway.core.events import (
    AlertBody,
    Certainty,
    Change,
    Clock,
    Event,
    LinkBody,
    NoteBody,
    Place,
    ReadingBody,
    Severity,
    Words,
)
from gateway.runtime.stream import Stamp, Stream

ALERT = AlertBody(
    alert="0193a5f2",
    key="smoke-1/fire.smoke",
    change=Change.RAISED,
    state="active_unacked",
    kind="fire.smoke",
    severity=Severity.CRITICAL,
    certainty=Certainty.OBSERVED,
    text=Words("烟感报警", "Smoke alarm"),
    place=Place(),
    first_seen=1.0,
    clock=Clock.SYNCED,
)


def make_stream(epoch: int = 1, last_seq: int = 0, last_alert_seq: int = 0) -> Stream:
    ticks = iter(range(1, 1000))
    return Stream(
        epoch=epoch,
        last_seq=last_seq,
        last_alert_seq=last_alert_seq,
        now=lambda: Stamp(1000.0 + next(ticks), 5.0, Clock.SYNCED),
    )


def test_numbers_go_on_where_the_journal_ended() -> None:
    event = make_stream(epoch=3, last_seq=1041).submit(NoteBody("started", ""))
    assert (event.epoch, event.seq, event.id) == (3, 1042, "3.1042")


def test_every_follower_gets_every_event_in_one_order_even_when_one_submits_another() -> None:
    stream = make_stream()
    early: list[int] = []
    late: list[int] = []

    def answer(event: Event) -> None:
        early.append(event.seq)
        if isinstance(event.body, LinkBody):
            stream.submit(NoteBody("answer", ""))

    stream.follow("answer", answer)
    stream.follow("late", lambda event: late.append(event.seq))
    stream.submit(LinkBody("bus", "riser", False, "unplugged"))
    stream.submit(NoteBody("later", ""))
    assert early == late == [1, 2, 3]


def test_who_has_no_use_for_readings_gets_all_other_events_in_the_same_order_and_no_reading() -> None:
    stream = make_stream()
    told: list[tuple[str, int]] = []
    stream.follow("first", lambda event: told.append(("first", event.seq)))
    stream.follow("no readings", lambda event: told.append(("no readings", event.seq)), readings=False)
    stream.follow("last", lambda event: told.append(("last", event.seq)))
    stream.submit(ReadingBody("smoke-1", "alarm", False, Quality.GOOD, 1.0))
    stream.submit(NoteBody("later", ""))
    assert told == [("first", 1), ("last", 1), ("first", 2), ("no readings", 2), ("last", 2)]


def test_who_wants_some_points_gets_their_readings_in_order_and_all_other_events() -> None:
    stream = make_stream()
    told: list[tuple[str, int]] = []
    stream.follow("doors", lambda event: told.append(("doors", event.seq)), readings={("door-1", "contact")})
    stream.follow("all", lambda event: told.append(("all", event.seq)))
    stream.submit(ReadingBody("door-1", "contact", True, Quality.GOOD, 1.0))
    stream.submit(ReadingBody("door-1", "strike", True, Quality.GOOD, 1.0))
    stream.submit(NoteBody("later", ""))
    assert told == [("doors", 1), ("all", 1), ("all", 2), ("doors", 3), ("all", 3)]
    stream.follow("late", lambda event: told.append(("late", event.seq)), readings={("door-1", "strike")})
    stream.submit(ReadingBody("door-1", "strike", False, Quality.GOOD, 2.0))
    assert told[5:] == [("all", 4), ("late", 4)]


def test_an_event_submitted_by_a_follower_has_its_number_at_once() -> None:
    stream = make_stream()
    numbers: list[int] = []

    def answer(event: Event) -> None:
        if isinstance(event.body, LinkBody):
            numbers.append(stream.submit(NoteBody("answer", "")).seq)

    stream.follow("answer", answer)
    stream.submit(LinkBody("bus", "riser", True, ""))
    assert numbers == [2]


def test_a_follower_that_fails_keeps_nothing_from_the_others(caplog: pytest.LogCaptureFixture) -> None:
    stream = make_stream()
    seen: list[int] = []

    def broken(_: Event) -> None:
        raise ValueError("broken")

    stream.follow("broken", broken)
    stream.follow("good", lambda event: seen.append(event.seq))
    with caplog.at_level(logging.ERROR):
        stream.submit(NoteBody("one", ""))
        stream.submit(NoteBody("two", ""))
    assert seen == [1, 2]
    assert stream.faults == 2
    assert "follower broken failed on event 1.1" in caplog.text


def test_an_alert_names_the_alert_before_it_across_other_events_and_restarts() -> None:
    stream = make_stream(last_seq=50, last_alert_seq=40)
    first = stream.submit(ALERT)
    between = stream.submit(NoteBody("between", ""))
    second = stream.submit(ALERT)
    assert (first.previous, between.previous, second.previous) == (40, None, 51)
