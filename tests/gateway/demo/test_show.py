"""The demo's terminal adds up: what was raised, what arrived, what came twice, what is missing."""

import io
import json

from rich.console import Console

from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.text import fill
from drivers.gb26875.units import ComponentState, Unit, place_of
from drivers.sim.centre import Report
from gateway.core.events import AlertBody, Certainty, Change, Clock, Event, NoteBody, Place, Severity, Words
from gateway.demo.show import Show


def raised(seq: int, at: float) -> Event:
    body = AlertBody(
        alert=f"alert-{seq}",
        key="k",
        change=Change.RAISED,
        state="active_unacked",
        kind="fire.smoke",
        severity=Severity.CRITICAL,
        certainty=Certainty.OBSERVED,
        text=Words("3 楼 烟感报警", "Smoke alarm, floor 3"),
        place=Place(),
        first_seen=at,
        clock=Clock.SYNCED,
    )
    return Event(1, seq, at, at, Clock.SYNCED, body)


def receipt(seq: int) -> bytes:
    return json.dumps({"epoch": 1, "stored": [[seq, seq]]}).encode()


def make_show() -> tuple[Show, io.StringIO]:
    written = io.StringIO()
    return Show(Console(file=written, width=200), started=100.0), written


def test_what_arrived_is_told_with_its_delay_and_what_did_not_is_missing() -> None:
    show, written = make_show()
    show.alert(raised(1, 110.0))
    show.alert(raised(2, 111.0))
    show.stored(receipt(1), 110.25)
    show.closing(112.0)
    assert show.tally.missing == 1
    assert "00:10.0 ◆ 紧急报警  3 楼 烟感报警" in written.getvalue()
    assert "已送达值班台 250 ms" in written.getvalue()
    assert "2 alert events, 1 delivered, 0 doubled, 1 missing" in written.getvalue()


def test_a_second_copy_is_counted_and_not_told_again() -> None:
    show, written = make_show()
    show.alert(raised(1, 110.0))
    for _ in range(3):
        show.stored(receipt(1), 112.5)
    assert (show.tally.doubled, show.tally.missing) == (2, 0)
    assert written.getvalue().count("已送达") == 1


def test_only_alerts_are_told() -> None:
    show, written = make_show()
    show.alert(Event(1, 1, 0.0, 0.0, Clock.SYNCED, NoteBody("gateway.started", "")))
    assert written.getvalue() == ""


def test_what_a_fire_centre_took_is_told_in_both_languages_and_its_heartbeats_are_not() -> None:
    show, written = make_show()
    state = ComponentState(1, 1, 42, place_of(201, 3003), 0b11, fill("2 栋 1 单元 3 楼", 31), bytes(6))
    frame = Frame(1, Command.SEND, 889, 88888, bytes(6))
    show.centre(Report(108.0, frame, None))
    assert not written.getvalue()
    show.centre(Report(108.1, frame, Unit(2, (state,))))
    told = written.getvalue()
    assert "00:08.1 ⇒ 消防监控中心收到：" in told
    assert "201 区 3003 号 2 栋 1 单元 3 楼：正常运行、火警" in told
    assert "201.3003: in service, fire" in told
