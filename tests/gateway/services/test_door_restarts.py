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
