"""A restart gets what it needs, and retention may take anything but that."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from gateway.core import standing as module
from gateway.core.alerts import State
from gateway.core.events import (
    BaselineBody,
    Body,
    Clock,
    CommandBody,
    Event,
    InterlockBody,
    NoteBody,
    OrderedBody,
    OutcomeBody,
    Place,
)
from gateway.core.last_resort import note
from gateway.core.standing import Restored, Standing, unanswered
from tests.gateway.runtime.test_stream import ALERT

ORIGIN = "remote:desk/warden-1"


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


def command(name: str) -> CommandBody:
    return CommandBody(name, "door-1", "unlock", {"seconds": 5.0}, ORIGIN)


def outcome(
    name: str, result: Literal["done", "refused", "late", "failed"] = "done", origin: str = ORIGIN
) -> OutcomeBody:
    return OutcomeBody(name, "door-1", "unlock", result, "", origin)


def restored(bodies: Iterable[Body]) -> list[Event]:
    numbered, fold = Numbered(), Restored()
    for body in bodies:
        fold.follow(numbered.event(body))
    return fold.events()


def test_a_command_stands_until_its_outcome_is_known() -> None:
    numbered, standing = Numbered(), Standing([])
    standing.follow(numbered.event(command("a")))
    assert standing.positions() == [(1, 1)]
    standing.follow(numbered.event(outcome("a")))
    assert standing.positions() == []


def test_the_last_order_to_each_door_and_the_last_word_on_each_interlock_stand() -> None:
    bodies = (
        OrderedBody("door-1", "locked_down", "local:root"),
        OrderedBody("door-2", "unlocked", "local:root", 60.0),
        InterlockBody("fire", engaged=True, places=(Place(building="2"),), cause="alert-1"),
        OrderedBody("door-1", "", "local:root"),
        InterlockBody("fire", engaged=False, places=(), cause="local:root"),
    )
    assert [event.seq for event in restored(bodies)] == [2, 4, 5]
    standing = Standing(restored(bodies))
    assert sorted(standing.positions()) == [(1, 2), (1, 4), (1, 5)]


def test_commands_come_back_with_their_outcomes_and_those_without_are_told_apart() -> None:
    events = restored([command("a"), command("b"), outcome("a"), command("c"), outcome("c", "late")])
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [each.id for each in unanswered(events)] == ["b"]


def test_a_refusal_of_another_origin_ends_no_command_whatever_id_it_names() -> None:
    stranger = outcome("a", "refused", origin="unverified")
    events = restored([stranger, command("a"), stranger])
    assert [event.seq for event in events] == [2]
    standing = Standing(events)
    standing.follow(Event(1, 9, 0.0, 0.0, Clock.SYNCED, stranger))
    assert standing.positions() == [(1, 2)]


def test_an_order_that_is_tried_on_until_it_is_done_comes_back_as_done() -> None:
    bodies: list[Body] = [command("a"), outcome("a", "failed"), outcome("a", "done"), outcome("a", "failed")]
    events = restored(bodies)
    assert [event.body for event in events] == [command("a"), outcome("a", "done")]
    numbered, standing = Numbered(), Standing([])
    for body in bodies:
        standing.follow(numbered.event(body))
    assert standing.answered() == [(1, 1), (1, 3)]


def test_only_so_many_outcomes_come_back_the_youngest() -> None:
    many = module.ANSWERED + 3
    bodies = [body for number in range(many) for body in (command(str(number)), outcome(str(number)))]
    events = restored([command("open"), *bodies])
    assert len(events) == 1 + 2 * module.ANSWERED
    assert [each.id for each in unanswered(events)] == ["open"]
    assert events[1].seq == 2 + 2 * 3


def test_what_the_last_resort_told_of_an_alert_stands_as_long_as_the_alert_does() -> None:
    numbered, restored = Numbered(), Restored()
    events = [
        numbered.event(ALERT),
        numbered.event(note(ALERT.alert, "ntfy-1", "ok")),
        numbered.event(note("another", "ntfy-1", "of an alert that is over")),
    ]
    standing = Standing(events)
    for each in events:
        restored.follow(each)
    assert sorted(standing.positions()) == [(1, 1), (1, 2)]
    assert [each.seq for each in restored.events()] == [1, 2]
    over = numbered.event(msgspec.structs.replace(ALERT, state=State.OVER))
    standing.follow(over)
    restored.follow(over)
    assert standing.positions() == []
    assert restored.events() == []


def test_a_fold_goes_on_from_what_an_earlier_one_kept_as_from_the_whole_journal() -> None:
    dice, numbered = random.Random(3), Numbered()
    for _ in range(200):
        events = [numbered.event(any_body(dice)) for _ in range(dice.randint(0, 60))]
        cut = dice.randint(0, len(events))
        whole, first = Restored(), Restored()
        standing = Standing(())
        for each in events[:cut]:
            first.follow(each)
            standing.follow(each)
        at = sorted([*standing.positions(), *standing.answered()])
        assert at == [(each.epoch, each.seq) for each in first.events()], "the two folds disagree"
        resumed = Restored(first.events())
        for each in events:
            whole.follow(each)
        for each in events[cut:]:
            resumed.follow(each)
        assert resumed.events() == whole.events()
        again = Standing(first.events())
        assert sorted(again.positions()) == sorted(standing.positions())


def any_body(dice: random.Random) -> Body:
    """Return something of a few alerts, orders, doors and points, so that they meet."""
    name = f"a-{dice.randrange(4)}"
    alert = msgspec.structs.replace(ALERT, alert=name, state=dice.choice(list(State)))
    return dice.choice(
        (
            alert,
            alert,
            note(name, f"ntfy-{dice.randrange(2)}", "ok"),
            command(f"c-{dice.randrange(3)}"),
            outcome(f"c-{dice.randrange(3)}", dice.choice(("done", "failed"))),
            BaselineBody(f"cover-{dice.randrange(2)}", "roll", dice.random(), "auto"),
            OrderedBody(f"door-{dice.randrange(2)}", dice.choice(("", "locked_down")), "local:root"),
            NoteBody("gateway.started", ""),
        )
    )
