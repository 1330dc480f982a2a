"""A door between two readings: when it is judged, what excuses an opening, what a restart takes up."""

import dataclasses

from gateway.core.doors import FORCED_KIND, HELD_KIND, Door
from tests.gateway.core.test_doors import PLAN, shut_door


def test_a_door_is_not_forced_before_its_button_had_its_second() -> None:
    door = shut_door()
    door.contact(True, 100.0)
    door.contact(True, 100.3)
    door.tick(100.5)
    assert (door.kinds, door.next_due(100.5)) == ((), 101.0)
    door.exit(100.9)
    door.tick(105.0)
    assert door.kinds == ()


def test_a_door_without_a_button_is_forced_as_soon_as_a_second_reading_says_so() -> None:
    door = shut_door(dataclasses.replace(PLAN, exit=None))
    door.contact(True, 100.0)
    door.contact(True, 100.3)
    door.tick(100.3)
    assert door.kinds == (FORCED_KIND,)


def test_whoever_opens_it_just_after_its_open_hours_forces_nothing_and_is_not_read_again() -> None:
    door = shut_door()
    door.scheduled = True
    door.steadied(50.0)
    door.scheduled = False
    door.steadied(100.0)
    assert not door.contact(True, 105.0)
    door.contact(True, 106.0)
    door.tick(107.0)
    assert door.kinds == ()


def test_a_strike_that_does_as_it_was_told_is_not_told_again() -> None:
    assert not shut_door().strike(False, 500.0)


def test_of_a_door_that_has_no_contact_any_more_nobody_is_told_for_ever_that_it_is_open() -> None:
    door = Door(dataclasses.replace(PLAN, contact=None))
    door.take_up((FORCED_KIND, HELD_KIND))
    assert door.kinds == ()


def test_nothing_is_due_that_only_a_reading_can_change() -> None:
    """What is due in the past would have the loop turn on the spot."""
    door = shut_door()
    door.allowed(5.0, 0.0, "card")
    door.contact(True, 3.0)
    door.tick(40.0)
    assert (door.kinds, door.next_due(40.0)) == ((HELD_KIND,), None)
    door.contact(False, 41.0)
    door.contact(True, 100.0)
    assert door.next_due(110.0) == 130.0
