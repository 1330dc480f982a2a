"""Doors across restarts and clock jumps: no alert is lost or invented, and no order lasts longer than was said."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.api import Quality
from gateway.core.events import AlertBody, Clock, Event, OrderedBody, ReadingBody
from gateway.core.standing import Restored
from tests.gateway.yard import WALL, Yard, plan, play

GATE = "gate-2-1"
LID = (f"{GATE}-board", "lid")
PLANS = (plan(GATE, tamper=(LID,)), plan("gate-3-1"))
A_YEAR = 365 * 86_400.0
AHEAD, BEHIND = WALL + A_YEAR, WALL - 10 * A_YEAR


def order(action: str, for_s: float, *, clock: Clock = Clock.SYNCED, wall: float = WALL) -> Event:
    """Return what the journal says of an order given a minute and a half before this life, as that clock told it."""
    told = wall - 90
    return Event(1, 7, told, 0.0, clock, OrderedBody(GATE, action, "police", told + for_s))


def ordered_by(yard: Yard) -> list[tuple[str, float | None]]:
    """Return mode and end of every order that this life wrote down."""
    return [(body.mode, body.until) for body in yard.told if isinstance(body, OrderedBody)]


def lived(scenario: Callable[[Yard], Awaitable[None]]) -> list[Event]:
    """Return what an earlier life left in the journal."""

    async def main(yard: Yard) -> list[Event]:
        await scenario(yard)
        found = Restored()
        for event in yard.events:
            found.follow(event)
        return found.events()

    return play(main, PLANS)


def again(before: list[Event], scenario: Callable[[Yard], Awaitable[None]]) -> list[AlertBody]:
    """Play a scenario after a restart; return every alert event of that second life."""

    async def main(yard: Yard) -> list[AlertBody]:
        await scenario(yard)
        return [body for body in yard.told if isinstance(body, AlertBody)]

    return play(main, PLANS, restore=before, settle=False)


async def force(yard: Yard) -> None:
    """Break a door open."""
    yard.set(GATE, "contact", True)
    await yard.until(lambda: yard.open_kinds() == ["door.forced"])


async def leave_open(yard: Yard) -> None:
    """Go in and leave the door open."""
    yard.doors.grant(GATE, 5.0, "card")
    yard.set(GATE, "contact", True)
    await yard.until(lambda: yard.open_kinds() == ["door.held"], within_s=60)


@pytest.mark.parametrize(("what", "kind"), [(force, "door.forced"), (leave_open, "door.held")])
def test_an_open_door_is_told_on_after_a_restart_until_it_is_seen_shut(
    what: Callable[[Yard], Awaitable[None]], kind: str
) -> None:
    before = lived(what)

    async def still_open(yard: Yard) -> None:
        yard.set(GATE, "contact", True)
        await asyncio.sleep(60)
        assert yard.open_kinds() == [kind]
        assert yard.state(GATE)[0] == kind.partition(".")[2]

    async def shut(yard: Yard) -> None:
        await yard.until(lambda: yard.alerts(kind))

    assert again(before, still_open) == []
    assert [(alert.kind, alert.change) for alert in again(before, shut)] == [(kind, "cleared")]


def test_tampering_is_told_on_after_a_restart_until_the_lid_is_seen_shut() -> None:
    def lid(yard: Yard, is_open: bool) -> None:
        yard.stream.submit(ReadingBody(*LID, is_open, Quality.GOOD, yard.now))

    async def tamper(yard: Yard) -> None:
        lid(yard, True)

    async def close(yard: Yard) -> None:
        await asyncio.sleep(30)
        assert yard.alerts("door.tamper") == []
        lid(yard, False)

    told = again(lived(tamper), close)
    assert [(alert.kind, alert.change) for alert in told] == [("door.tamper", "cleared")]


def test_a_door_that_a_fire_could_not_free_is_not_told_as_free_by_a_restart() -> None:
    async def burn(yard: Yard) -> None:
        yard.sims[GATE].alive = False
        yard.burn("2")
        await yard.until(lambda: "door.not_freed" in yard.open_kinds(), within_s=15)

    async def still_dead(yard: Yard) -> None:
        yard.sims[GATE].alive = False
        yard.burn("2")
        await asyncio.sleep(60)
        assert "door.not_freed" in yard.open_kinds()

    told = again(lived(burn), still_dead)
    assert [alert.change for alert in told if alert.kind == "door.not_freed"] == []


def test_held_open_for_two_minutes_it_is_locked_after_two_minutes_whatever_the_clock_does() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order(GATE, "hold_open", minutes=2)
        yard.wall_minus_monotonic -= A_YEAR
        await asyncio.sleep(110)
        assert yard.strike(GATE)
        await asyncio.sleep(15)
        assert not yard.strike(GATE)

    play(scenario)


def test_a_lock_down_given_before_the_clock_was_set_lasts_as_long_as_was_said() -> None:
    async def scenario(yard: Yard) -> None:
        yard.unsynced = True
        yard.wall_minus_monotonic -= A_YEAR
        await yard.order(GATE, "lock_down", minutes=10)
        yard.wall_minus_monotonic += A_YEAR
        yard.unsynced = False
        await asyncio.sleep(590)
        assert yard.doors.is_locked_down(GATE)
        *_, ordered = [body for body in yard.told if isinstance(body, OrderedBody)]
        assert ordered.until == pytest.approx(yard.stamp().wall + 10, abs=6.0)  # a restart now knows it too
        await asyncio.sleep(15)
        assert not yard.doors.is_locked_down(GATE)

    play(scenario)


def test_an_order_whose_time_ended_while_the_gateway_was_off_moves_nothing() -> None:
    ordered = Event(1, 7, WALL - 90, 0.0, Clock.SYNCED, OrderedBody(GATE, "hold_open", "desk", WALL - 1))

    async def scenario(yard: Yard) -> None:
        for _ in range(200):
            await asyncio.sleep(0.05)
            assert not yard.strike(GATE)
        assert yard.state(GATE) == ("locked", "normal")

    play(scenario, restore=[ordered], settle=False)


GIVEN = Event(1, 7, WALL - 90, 0.0, Clock.SYNCED, OrderedBody(GATE, "lock_down", "police", None))
TAKEN_BACK = Event(1, 8, WALL - 60, 0.0, Clock.SYNCED, OrderedBody(GATE, "", "police", None))


@pytest.mark.parametrize("unsynced", [False, True])
@pytest.mark.parametrize(("before", "stands"), [([GIVEN], True), ([GIVEN, TAKEN_BACK], False)])
def test_a_lock_down_without_an_end_stands_after_a_restart_until_it_is_taken_back(
    before: list[Event], stands: bool, unsynced: bool
) -> None:
    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(120)
        assert yard.doors.is_locked_down(GATE) is stands
        assert ordered_by(yard) == []

    play(scenario, restore=before, settle=False, unsynced=unsynced)


@pytest.mark.parametrize("wall", [AHEAD, BEHIND])
def test_no_clock_that_nobody_trusts_ends_a_lock_down(wall: float) -> None:
    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(120)
        assert yard.doors.is_locked_down(GATE)
        yard.wall_minus_monotonic, yard.unsynced = WALL, False
        await asyncio.sleep(60)
        assert yard.doors.is_locked_down(GATE)
        assert ordered_by(yard) == [], "it stands as it was written"
        await asyncio.sleep(340)
        assert not yard.doors.is_locked_down(GATE)

    play(scenario, restore=[order("lock_down", 600)], wall=wall, settle=False, unsynced=True)


def test_a_lock_down_whose_time_is_over_ends_when_the_clock_is_set() -> None:
    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(60)
        assert yard.doors.is_locked_down(GATE)
        yard.wall_minus_monotonic, yard.unsynced = WALL + 7200, False
        await asyncio.sleep(60)
        assert not yard.doors.is_locked_down(GATE)

    play(scenario, restore=[order("lock_down", 3600)], wall=BEHIND, settle=False, unsynced=True)


@pytest.mark.parametrize("wall", [AHEAD, BEHIND])
@pytest.mark.parametrize("action", ["hold_open", "lock_down"])
def test_without_a_clock_an_order_is_over_when_its_whole_length_has_passed_since_the_start(
    action: str, wall: float
) -> None:
    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(205)
        assert yard.state(GATE)[1] == action
        await asyncio.sleep(10)
        assert yard.state(GATE)[1] == "normal"
        assert not yard.strike(GATE)

    play(scenario, restore=[order(action, 210)], wall=wall, settle=False, unsynced=True)


def test_a_lock_down_stands_through_restarts_with_wrong_clocks_until_its_time() -> None:
    kept = Restored([order("lock_down", 3600)])

    async def a_life(yard: Yard) -> None:
        await asyncio.sleep(90)
        assert yard.doors.is_locked_down(GATE)
        for event in yard.events:
            kept.follow(event)

    async def the_last(yard: Yard) -> None:
        await asyncio.sleep(60)
        assert yard.doors.is_locked_down(GATE)
        await asyncio.sleep(60)
        assert not yard.doors.is_locked_down(GATE)

    for wall in (AHEAD, BEHIND, AHEAD):
        play(a_life, restore=kept.events(), wall=wall, settle=False, unsynced=True)
    play(the_last, restore=kept.events(), wall=WALL + 3400, settle=False)


@pytest.mark.parametrize("wall", [AHEAD, BEHIND])
def test_an_order_written_by_a_wrong_clock_is_not_judged_by_the_right_one(wall: float) -> None:
    """What an earlier life took for the time of day says only how long the order was to last."""
    wrong = order("lock_down", 120, clock=Clock.UNSYNCED, wall=wall)

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(110)
        assert yard.doors.is_locked_down(GATE)
        await asyncio.sleep(15)
        assert not yard.doors.is_locked_down(GATE)
        (first, until), (last, _) = ordered_by(yard)
        assert (first, last) == ("lock_down", "")
        assert until == pytest.approx(WALL + 120, abs=6.0)

    play(scenario, restore=[wrong], settle=False)


def test_an_order_given_before_the_clock_was_trusted_is_written_again_when_it_is() -> None:
    """The clock was right, though nobody knew: the next life is told that the end can be believed."""

    async def scenario(yard: Yard) -> None:
        await yard.order(GATE, "lock_down", minutes=10)
        yard.unsynced = False
        await asyncio.sleep(60)
        written = [event.clock for event in yard.events if isinstance(event.body, OrderedBody)]
        assert written == [Clock.UNSYNCED, Clock.SYNCED]

    play(scenario, unsynced=True)


def test_an_order_of_this_life_ends_on_time_without_a_clock() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order(GATE, "lock_down", minutes=2)
        yard.wall_minus_monotonic += A_YEAR
        await asyncio.sleep(110)
        assert yard.doors.is_locked_down(GATE)
        await asyncio.sleep(15)
        assert not yard.doors.is_locked_down(GATE)

    play(scenario, unsynced=True)


def test_a_fire_frees_a_door_that_is_locked_down_without_a_clock() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: yard.strike(GATE), within_s=30)
        await yard.until(lambda: yard.state(GATE) == ("unlocked", "free"))

    play(scenario, restore=[order("lock_down", 3600)], wall=AHEAD, settle=False, unsynced=True)


def test_whoever_holds_the_exit_button_while_the_gateway_starts_gets_out() -> None:
    async def scenario(yard: Yard) -> None:
        yard.set(GATE, "exit_button", True)
        await yard.until(lambda: yard.strike(GATE), within_s=3)

    play(scenario, settle=False)
