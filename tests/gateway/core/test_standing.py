"""Retention may take anything but what a restart needs: open alerts' last rows and baselines."""

from dataclasses import dataclass

import msgspec

from gateway.core.alerts import State
from gateway.core.events import BaselineBody, Body, Clock, Event, NoteBody
from gateway.core.standing import Standing
from tests.gateway.runtime.test_stream import ALERT


@dataclass
class Numbered:
    seq: int = 0

    def event(self, body: Body) -> Event:
        self.seq += 1
        return Event(1, self.seq, 0.0, 0.0, Clock.SYNCED, body)


def test_the_last_row_of_an_open_alert_stands_until_it_is_over() -> None:
    numbered = Numbered()
    standing = Standing([numbered.event(ALERT)])
    assert standing.positions() == [(1, 1)]
    standing.follow(numbered.event(msgspec.structs.replace(ALERT, state=State.ACTIVE_ACKED)))
    assert standing.positions() == [(1, 2)]
    standing.follow(numbered.event(msgspec.structs.replace(ALERT, state=State.OVER)))
    assert standing.positions() == []


def test_the_last_baseline_of_each_point_stands_and_other_rows_do_not() -> None:
    numbered = Numbered()
    standing = Standing([])
    for body in (
        BaselineBody("cover-1", "roll", 1.0, "auto"),
        BaselineBody("cover-1", "pitch", 2.0, "auto"),
        NoteBody("gateway.started", ""),
        BaselineBody("cover-1", "roll", 3.0, "local:root"),
    ):
        standing.follow(numbered.event(body))
    assert sorted(standing.positions()) == [(1, 2), (1, 4)]


def test_an_alert_that_was_over_before_we_knew_it_is_nothing() -> None:
    standing = Standing([])
    standing.follow(Numbered().event(msgspec.structs.replace(ALERT, state=State.OVER)))
    assert standing.positions() == []
