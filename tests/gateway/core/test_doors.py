"""A door, told what its parts say and when: what it is, what it is meant to be, when it is forced or held."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.doors import (
    FORCED_KIND,
    HELD_KIND,
    NOT_FREED_KIND,
    TAMPER_KIND,
    Door,
    DoorPlan,
    Mode,
    Standing,
    State,
    Strike,
)
from gateway.core.events import OrderedBody

CONTACT, EXIT, STRIKE, LID = (("board", name) for name in ("contact", "exit_button", "strike", "lid"))
PLAN = DoorPlan(
    "gate",
    Strike("board", readback=STRIKE),
    contact=CONTACT,
    exit=EXIT,
    tamper=(LID,),
    shunt_s=10.0,
    held_s=30.0,
)


def shut_door(plan: DoorPlan = PLAN) -> Door:
    """Return a door seen shut and locked at 0 s."""
    door = Door(plan)
    door.contact(False, 0.0)
    door.strike(False, 0.0)
    return door


def opened_unasked(door: Door, at: float = 100.0) -> Door:
    """Open it at a time without leave, seen twice, and let the time pass that a late button has."""
    assert door.contact(True, at)
    door.contact(True, at + 0.5)
    door.tick(at + 1.0)
    return door


def test_nothing_is_known_before_the_contact_has_spoken() -> None:
    door = Door(PLAN)
    assert door.state(0.0) is State.UNKNOWN
    door.contact(False, 0.0)
    assert door.state(0.0) is State.UNKNOWN  # shut, but is it locked?
    door.strike(False, 0.0)
    assert door.state(0.0) is State.LOCKED


def test_a_door_opened_without_leave_is_forced() -> None:
    door = opened_unasked(shut_door())
    assert (door.state(101.0), door.kinds) == (State.FORCED, (FORCED_KIND,))


def test_a_reading_that_is_lost_in_between_excuses_nobody() -> None:
    """Somebody breaks the door and then the cable."""
    door = shut_door()
    assert door.contact(True, 100.0)
    assert not door.contact(None, 100.5)
    door.tick(190.0)
    assert FORCED_KIND not in door.kinds
    door.contact(True, 190.0)
    door.tick(190.0)
    assert FORCED_KIND in door.kinds


def test_one_reading_forces_no_door() -> None:
    door = shut_door()
    assert door.contact(True, 100.0)  # read it again at once
    door.tick(200.0)
    assert door.state(200.0) is not State.FORCED
    door.contact(False, 200.0)
    door.tick(300.0)
    assert door.kinds == ()


def test_two_values_of_one_reply_do_not_confirm_each_other() -> None:
    door = shut_door()
    door.contact(True, 100.0)
    door.contact(True, 100.0)
    door.tick(110.0)
    assert FORCED_KIND not in door.kinds


@pytest.mark.parametrize("pressed_at", [92.0, 99.9, 100.0, 100.4, 100.9])
def test_the_exit_button_excuses_even_when_it_is_seen_after_the_contact(pressed_at: float) -> None:
    door = shut_door()
    if pressed_at <= 100.0:
        door.exit(pressed_at)
    door.contact(True, 100.0)
    door.contact(True, 100.3)
    if pressed_at > 100.0:
        door.exit(pressed_at)
    door.tick(105.0)
    assert (door.state(105.0), door.kinds) == (State.OPEN, ())


def test_the_button_does_not_excuse_what_happens_long_after() -> None:
    door = shut_door()
    door.exit(80.0)
    assert opened_unasked(door).state(101.0) is State.FORCED


def test_who_was_let_in_may_open_while_the_strike_is_free_and_a_while_after() -> None:
    door = shut_door()
    door.allowed(5.0, 100.0, "card")
    assert door.state(100.0) is State.UNLOCKED
    assert door.state(105.1) is State.LOCKED
    door.contact(True, 114.9)
    door.contact(True, 115.4)
    door.tick(120.0)
    assert door.state(120.0) is State.OPEN


def test_a_forced_door_stays_forced_until_it_is_seen_shut() -> None:
    door = opened_unasked(shut_door())
    door.contact(None, 105.0)  # the line is gone: nobody knows
    assert (door.state(105.0), door.kinds) == (State.UNKNOWN, (FORCED_KIND,))
    door.contact(True, 110.0)
    assert door.state(110.0) is State.FORCED
    door.contact(False, 120.0)
    assert (door.state(120.0), door.kinds) == (State.LOCKED, ())


@pytest.mark.parametrize("before", [None, True])
def test_a_door_that_is_open_when_it_is_first_seen_was_not_forced(before: bool | None) -> None:
    door = Door(PLAN)
    if before is not None:
        door.contact(before, 0.0)
    door.contact(True, 10.0)
    door.contact(True, 11.0)
    door.tick(20.0)
    assert door.state(20.0) is State.OPEN


def test_a_door_left_open_is_held_after_its_time_and_shut_again_it_is_not() -> None:
    door = shut_door()
    door.allowed(5.0, 100.0, "card")
    door.contact(True, 101.0)
    assert door.next_due(101.0) == 105.0  # the pulse ends
    assert door.next_due(106.0) == 131.0
    door.tick(130.9)
    assert door.state(130.9) is State.OPEN
    door.tick(131.0)
    assert (door.state(131.0), door.kinds) == (State.HELD, (HELD_KIND,))
    door.contact(False, 140.0)
    assert (door.state(140.0), door.kinds) == (State.LOCKED, ())


def test_a_door_left_open_is_held_also_where_its_line_is_lost_again_and_again() -> None:
    """A silence proves nothing: its time is not counted, and what was counted before it stays."""
    door = shut_door()
    door.allowed(5.0, 100.0, "card")
    door.contact(True, 100.0)
    for at in (120.0, 215.0):
        door.contact(None, at)
        door.contact(None, at + 1.0)
        door.contact(True, at + 90.0)
        door.tick(at + 90.0)
        assert (door.state(at + 90.0), door.kinds) == (State.OPEN, ())
    assert door.next_due(305.0) == 310.0
    door.tick(310.0)
    assert door.kinds == (HELD_KIND,)


def test_a_forced_door_that_stays_open_is_one_alert_and_not_two() -> None:
    door = opened_unasked(shut_door())
    assert door.next_due(200.0) is None
    door.tick(200.0)
    assert (door.state(200.0), door.kinds) == (State.FORCED, (FORCED_KIND,))


def test_while_it_is_meant_to_be_open_nobody_forces_or_holds_it() -> None:
    door = shut_door()
    door.scheduled = True
    door.steadied(50.0)
    assert (door.mode, door.state(60.0)) == (Mode.UNLOCKED, State.UNLOCKED)
    door.contact(True, 100.0)
    door.contact(True, 101.0)
    door.tick(1000.0)
    assert (door.state(1000.0), door.kinds) == (State.OPEN, ())


def test_when_the_schedule_ends_with_the_door_open_it_is_held_only_after_its_time() -> None:
    door = shut_door()
    door.scheduled = True
    door.steadied(50.0)
    door.contact(True, 100.0)
    door.scheduled = False
    door.steadied(1000.0)
    door.tick(1029.0)
    assert HELD_KIND not in door.kinds
    door.tick(1030.0)
    assert HELD_KIND in door.kinds


def test_a_fire_stands_above_a_lock_down_and_a_lock_down_above_all_else() -> None:
    door = shut_door()
    door.scheduled = True
    modes = [door.mode]
    door.standing = Standing(Mode.HOLD_OPEN, "desk")
    modes.append(door.mode)
    door.standing = Standing(Mode.LOCK_DOWN, "desk")
    modes.append(door.mode)
    door.freed_by = "fire"
    modes.append(door.mode)
    assert modes == [Mode.UNLOCKED, Mode.HOLD_OPEN, Mode.LOCK_DOWN, Mode.FREE]
    assert door.steady
    door.freed_by = ""
    assert (door.mode, door.steady) == (Mode.LOCK_DOWN, False)


def test_a_strike_that_says_otherwise_than_it_was_told_is_told_again_but_not_during_a_pulse() -> None:
    door = shut_door()
    assert door.strike(True, 50.0)  # somebody left it energised
    door.allowed(5.0, 100.0, "card")
    assert not door.strike(True, 103.0)
    assert not door.strike(True, 105.9)  # its own timer may be a little slow
    assert door.strike(True, 106.1)
    assert not door.strike(None, 110.0)


def test_a_door_without_contact_is_locked_or_not_by_what_its_strike_says() -> None:
    door = Door(DoorPlan("gate", Strike("board", readback=STRIKE)))
    assert door.state(0.0) is State.UNKNOWN
    door.strike(True, 1.0)
    assert door.state(1.0) is State.UNLOCKED
    door.strike(False, 2.0)
    assert door.state(2.0) is State.LOCKED


def test_a_door_nobody_can_look_at_is_what_it_was_told() -> None:
    door = Door(DoorPlan("gate", Strike("board")))
    assert door.state(0.0) is State.LOCKED
    door.allowed(5.0, 10.0, "card")
    assert [door.state(at) for at in (10.0, 14.9, 15.1)] == [State.UNLOCKED, State.UNLOCKED, State.LOCKED]


def test_tampering_and_a_stuck_strike_are_told_beside_the_rest() -> None:
    door = shut_door()
    door.tamper(LID, True)
    door.stuck = True
    assert set(door.kinds) == {TAMPER_KIND, NOT_FREED_KIND}
    door.tamper(LID, False)
    assert list(door.kinds) == [NOT_FREED_KIND]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "shut", "unknown", "exit", "card", "fire", "release", "tick"]),
        st.floats(0.01, 40),
    ),
    max_size=40,
)


@given(STEPS)
@example([("shut", 1.0), ("open", 1.0), ("unknown", 1.0), ("open", 1.0)])
def test_no_door_is_forced_within_a_grant_nor_while_free_nor_before_it_was_seen_shut(
    steps: list[tuple[str, float]],
) -> None:
    door, now, leave, seen_shut = Door(PLAN), 0.0, -1.0, False
    opened_in_leave = True  # or never seen shut
    for what, passes in steps:
        now += passes
        match what:
            case "open":
                if seen_shut:
                    opened_in_leave = now <= leave or door.steady
                door.contact(True, now)
            case "shut":
                door.contact(False, now)
                seen_shut = opened_in_leave = True
            case "unknown":  # an opening before it is not excused by it; one after it may have been lawful
                door.contact(None, now)
                seen_shut = False
            case "exit":
                door.exit(now)
                leave = max(leave, now + 10.0)
            case "card":
                door.allowed(5.0, now, "card")
                leave = max(leave, now + 15.0)
            case "fire" | "release":
                before = door.steady
                door.freed_by = "fire" if what == "fire" else ""
                if door.steady is not before:
                    door.steadied(now)
                    leave = max(leave, now + 10.0)
        was_forced = FORCED_KIND in door.kinds
        door.tick(now)
        if FORCED_KIND in door.kinds and not was_forced:
            assert not opened_in_leave
        if what == "open":
            seen_shut = False
        assert door.state(now) in State
        due = door.next_due(now)
        assert due is None or isinstance(due, float)


def test_an_order_to_another_channel_of_the_board_does_not_move_the_strike() -> None:
    relay = Strike(
        "relays", "pulse", "switch_on", "switch_off", {"channel": 3.0}, others=frozenset({"all_off"})
    )
    assert relay.is_moved_by("switch_on", {"channel": 3.0})
    assert relay.is_moved_by("pulse", {"channel": 3.0, "seconds": 5.0})
    assert not relay.is_moved_by("switch_on", {"channel": 8.0})
    assert not relay.is_moved_by("set_address", {"address": 3.0})
    assert Strike("board").is_moved_by("lock", {})


def test_an_order_to_all_channels_or_to_a_broken_number_moves_the_strike_too() -> None:
    """The driver rounds: 3.2 is channel 3 on the wire."""
    relay = Strike(
        "relays", "pulse", "switch_on", "switch_off", {"channel": 3.0}, others=frozenset({"all_off"})
    )
    assert relay.is_moved_by("all_off", {})
    assert relay.is_moved_by("switch_off", {"channel": 3.2})
    assert relay.is_moved_by("switch_off", {"channel": 2.6})
    assert not relay.is_moved_by("switch_off", {"channel": 3.6})


def test_once_a_trusted_clock_has_said_what_is_left_of_an_earlier_order_no_clock_moves_its_end() -> None:
    left = Standing(Mode.LOCK_DOWN, "police", until=1_000.0, ends=100.0, earlier=True)
    told = left.at(950.0, 40.0, trusted=True)
    assert told == Standing(Mode.LOCK_DOWN, "police", until=1_000.0, ends=90.0)
    later = told.at(9_000.0, 89.0, trusted=True)
    assert later is not None
    assert (later.ends, later.at(0.0, 90.0, trusted=True)) == (90.0, None)


def test_an_end_that_a_wrong_clock_told_is_written_anew_by_the_first_right_one() -> None:
    given = Standing(Mode.HOLD_OPEN, "desk", until=1_000.0, ends=100.0, sure=False)
    assert given.at(939.0, 40.0, trusted=True) == Standing(Mode.HOLD_OPEN, "desk", until=999.0, ends=100.0)


@pytest.mark.parametrize(
    ("wall", "until"), [(940.0, 1_000.0), (944.0, 1_000.0), (9_000.0, 9_060.0), (7.0, 67.0)]
)
def test_the_end_that_is_written_down_follows_a_clock_that_is_set_and_no_mere_correction(
    wall: float, until: float
) -> None:
    """Or the next life would end a lock-down of ten minutes at once, or in a year."""
    given = Standing(Mode.LOCK_DOWN, "police", until=1_000.0, ends=100.0)
    assert given.at(wall, 40.0, trusted=False) is given
    told = given.at(wall, 40.0, trusted=True)
    assert told is not None
    assert (told.until, told.ends) == (until, 100.0)
    assert given.at(wall, 100.0, trusted=True) is None


@pytest.mark.parametrize("told", [0.0, 4_000_000_000.0])
def test_an_order_whose_length_nobody_knows_lasts_no_longer_than_any_can(told: float) -> None:
    ordered = OrderedBody("gate", "hold_open", "desk", 2_000_000_000.0)
    left = Standing.left(ordered, told, sure=True, now=50.0)
    assert left is not None
    assert left.at(0.0, 50.0 + 7 * 86_400 - 1, trusted=False) == left
    assert left.at(0.0, 50.0 + 7 * 86_400, trusted=False) is None
