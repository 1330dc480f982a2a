"""Which unit hangs where: noticed by its number, told by a person, and one swap is one whoever speaks of it."""

from collections.abc import Iterable
from typing import Literal

import pytest

from gateway.core import kinds
from gateway.core.events import Body, Clock, Event
from gateway.core.rules import Watched
from gateway.core.standing import Restored, Standing
from gateway.core.units import MOST_SWAPS, Swap, Units
from gateway.core.upkeep import Upkeep
from gateway.core.upkeep_bodies import CheckedBody, ProvedBody, UnitBody


class Story:
    """Units that are told, and told back what they say, at one second more each time."""

    def __init__(self) -> None:
        self.units = Units()
        self.now = 0.0

    def said(self, text: str, what: Literal["serial", "firmware"] = "serial") -> list[UnitBody]:
        return self._tell(self.units.said("d", what, text))

    def replaced(self, serial: str = "", written: str = "") -> list[UnitBody]:
        return self._tell([self.units.replaced("d", serial, "local:维保", written)])

    def _tell(self, bodies: Iterable[UnitBody]) -> list[UnitBody]:
        self.now += 1
        told = list(bodies)
        for body in told:
            self.units.follow(body, self.now)
        return told

    def swaps(self) -> list[tuple[str, str, str]]:
        return [(each.before, each.after, each.by) for each in self.units.swaps("d")]


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_first_serial_number_is_noted_once_and_is_no_replacement(story: Story) -> None:
    assert len(story.said("A")) == 1
    assert story.said("A") == []
    assert story.swaps() == []


def test_another_serial_number_is_another_unit_with_when_and_what_it_was_before(story: Story) -> None:
    story.said("A")
    story.said("7", "firmware")
    (body,) = story.said("B")
    assert (body.replaced, body.before, body.firmware) == (True, "A", "")
    assert story.units.swaps("d") == [Swap(3.0, "", "A", "B")]


def test_new_firmware_in_the_same_unit_is_no_replacement(story: Story) -> None:
    story.said("A")
    story.said("1", "firmware")
    assert story.said("1", "firmware") == []
    story.said("2", "firmware")
    assert (story.units.of("d").serial, story.units.of("d").firmware) == ("A", "2")
    assert story.swaps() == []


def test_what_a_person_tells_is_kept_with_who_and_the_number_that_was_written(story: Story) -> None:
    story.replaced("B-label", written="A-label")
    assert story.swaps() == [("A-label", "B-label", "local:维保")]
    story.replaced("C-label", written="A-label")
    assert story.swaps()[1] == ("B-label", "C-label", "local:维保")


def test_a_swap_that_a_person_told_and_the_device_says_too_is_one(story: Story) -> None:
    story.said("A")
    story.replaced("label of B")
    assert story.said("A") == [], "told before it was done: the old one hangs there still"
    story.said("B")
    assert story.swaps() == [("A", "B", "local:维保")]
    assert story.said("B") == []
    story.said("C")
    assert story.swaps()[1] == ("B", "C", "")


def test_a_person_who_does_not_know_the_number_has_it_filled_in_by_the_device(story: Story) -> None:
    story.said("A")
    story.replaced()
    story.said("B")
    assert story.swaps() == [("A", "B", "local:维保")]


def test_a_number_that_changes_all_the_time_is_not_believed_for_ever(story: Story) -> None:
    for number in range(100):
        story.said(f"{number}")
    assert len(story.swaps()) == MOST_SWAPS
    story.replaced("at last")
    assert story.swaps()[-1] == (f"{MOST_SWAPS}", "at last", "local:维保")


def events(*bodies: Body) -> list[Event]:
    return [Event(1, seq, float(seq), float(seq), Clock.SYNCED, body) for seq, body in enumerate(bodies, 1)]


HISTORY = events(
    UnitBody("d", "A", read=True),
    ProvedBody("d", "alarm"),
    UnitBody("d", "B", read=True, replaced=True, before="A"),
    UnitBody("d", "B", "2", read=True),
    CheckedBody("quarter_panel", "local:维保"),
    CheckedBody("quarter_panel", "local:网格员", "again"),
    UnitBody("d", "C", read=True, replaced=True, before="B"),
)


def test_a_restart_forgets_no_swap_no_check_and_that_the_new_unit_was_never_tested() -> None:
    kept = Restored()
    for event in HISTORY:
        kept.follow(event)
    again = Restored(kept.events())
    for restored in (HISTORY, kept.events(), again.events()):
        upkeep = Upkeep({"d": Watched("d", profile="p")}, kinds.built_in(), restored)
        assert [(each.before, each.after) for each in upkeep.units.swaps("d")] == [("A", "B"), ("B", "C")]
        assert upkeep.units.of("d").serial == "C"
        assert upkeep.last_test("d") is None
        assert (upkeep.done["quarter_panel"].at, upkeep.done["quarter_panel"].by) == (6.0, "local:网格员")
    assert {(1, 3), (1, 6), (1, 7)} <= set(Standing(HISTORY).positions()), "no retention takes these"
