"""Doors over a simulated line: let in, forced, held, locked down, and what happens when a board is lost."""

import asyncio

import pytest

from gateway.core import schedule
from gateway.core.events import Clock, DoorBody, Event, OrderedBody, OutcomeBody
from gateway.core.policy import PolicyError, Ticket
from gateway.services.commanding import Commanding
from tests.gateway.yard import PLANS, WALL, Yard, plan, play

GATE = "gate-2-1"


def test_whoever_is_let_in_finds_the_strike_free_at_once_and_the_board_ends_it() -> None:
    async def scenario(yard: Yard) -> None:
        assert yard.state(GATE) == ("locked", "normal")
        yard.doors.grant(GATE, 5.0, "card …4567")
        assert await yard.until(lambda: yard.strike(GATE)) < 0.25
        assert yard.doors.state(GATE).why == "card …4567"
        assert yard.state(GATE) == ("unlocked", "normal")
        assert 4.5 < await yard.until(lambda: not yard.strike(GATE)) < 5.5
        await asyncio.sleep(2.0)
        assert yard.state(GATE) == ("locked", "normal")
        assert yard.open_kinds() == []

    play(scenario)


def test_a_door_opened_without_leave_is_told_and_over_when_it_is_shut() -> None:
    async def scenario(yard: Yard) -> None:
        yard.set(GATE, "contact", True)
        assert await yard.until(lambda: yard.open_kinds() == ["door.forced"]) < 2.5
        (raised,) = yard.alerts("door.forced")
        assert raised.text.zh == "2 栋 门未经允许被打开"
        assert yard.state(GATE) == ("forced", "normal")
        yard.set(GATE, "contact", False)
        await yard.until(lambda: yard.alerts("door.forced")[-1].change == "cleared")

    play(scenario)


def test_a_flicker_of_the_contact_is_no_burglar() -> None:
    async def scenario(yard: Yard) -> None:
        for _ in range(5):
            yard.set(GATE, "contact", True)
            await yard.until(lambda: yard.state(GATE)[0] == "open")
            yard.set(GATE, "contact", False)
            await asyncio.sleep(5.0)
        assert yard.alerts("door.forced") == []

    play(scenario)


def test_the_exit_button_frees_the_strike_and_excuses_the_opening_even_locked_down() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order(GATE, "lock_down")
        yard.set(GATE, "exit_button", True)
        await yard.until(lambda: yard.strike(GATE))
        yard.set(GATE, "exit_button", False)
        yard.set(GATE, "contact", True)
        await asyncio.sleep(3.0)
        assert yard.open_kinds() == []
        yard.set(GATE, "contact", False)
        await asyncio.sleep(10.0)
        assert yard.state(GATE) == ("locked", "lock_down")

    play(scenario)


def test_a_button_that_stays_pressed_opens_once() -> None:
    async def scenario(yard: Yard) -> None:
        yard.set(GATE, "exit_button", True)
        await yard.until(lambda: yard.strike(GATE))
        await asyncio.sleep(20.0)
        assert not yard.strike(GATE)

    play(scenario)


def test_a_door_left_open_is_told_after_its_time() -> None:
    async def scenario(yard: Yard) -> None:
        yard.doors.grant(GATE, 5.0, "card")
        yard.set(GATE, "contact", True)
        waited = await yard.until(lambda: yard.open_kinds() == ["door.held"], within_s=40)
        assert 29.0 < waited < 32.0
        yard.set(GATE, "contact", False)
        await yard.until(lambda: yard.alerts("door.held")[-1].change == "cleared")

    play(scenario)


def test_nobody_gets_in_by_order_while_it_is_locked_down_and_normal_takes_that_back() -> None:
    async def scenario(yard: Yard) -> None:
        assert (await yard.order(GATE, "lock_down")).result == "done"
        assert yard.doors.is_locked_down(GATE)
        assert not yard.doors.is_locked_down("gate-2-2")
        with pytest.raises(PolicyError, match="locked down"):
            await yard.actors.act(GATE, "unlock", {"seconds": 5.0}, yard.now + 3)
        assert not yard.strike(GATE)
        await yard.order(GATE, "normal")
        outcome = await yard.order(GATE, "unlock")
        assert (outcome.result, outcome.grants) == ("done", True)
        assert "unlocked" in outcome.detail
        assert yard.strike(GATE)

    play(scenario)


@pytest.mark.parametrize("order", ["lock_down", "normal"])
def test_a_pulse_that_still_runs_ends_with_a_lock_down(order: str) -> None:
    async def scenario(yard: Yard) -> None:
        yard.doors.grant(GATE, 60.0, "card")
        await yard.until(lambda: yard.strike(GATE))
        await yard.until(lambda: yard.state(GATE)[0] == "unlocked")
        assert (await yard.order(GATE, order)).result == "done"
        assert not yard.strike(GATE)
        await asyncio.sleep(2.0)
        assert yard.state(GATE)[0] == "locked"

    play(scenario)


def test_held_open_for_two_minutes_it_is_locked_again_by_itself() -> None:
    async def scenario(yard: Yard) -> None:
        outcome = await yard.order(GATE, "hold_open", minutes=2)
        assert (outcome.result, yard.strike(GATE)) == ("done", True)
        yard.set(GATE, "contact", True)
        await asyncio.sleep(110)
        assert yard.strike(GATE)
        assert yard.open_kinds() == []
        yard.set(GATE, "contact", False)
        await asyncio.sleep(20)
        assert not yard.strike(GATE)
        assert yard.state(GATE) == ("locked", "normal")
        orders = [body for body in yard.told if isinstance(body, OrderedBody)]
        assert [body.mode for body in orders] == ["hold_open", ""]
        assert all(body.by == "local:test" for body in orders)

    play(scenario)


def test_a_standing_order_survives_a_restart_and_is_asserted_again() -> None:
    ordered = Event(1, 7, WALL, 0.0, Clock.SYNCED, OrderedBody(GATE, "hold_open", "desk", WALL + 60))

    async def scenario(yard: Yard) -> None:
        await yard.until(lambda: yard.strike(GATE))
        assert yard.state(GATE) == ("unlocked", "hold_open")
        assert yard.doors.state(GATE).why == "desk"
        await asyncio.sleep(61)
        assert not yard.strike(GATE)

    play(scenario, restore=[ordered])


def test_in_its_schedule_it_is_not_locked_and_without_a_clock_it_is() -> None:
    morning = {"day": schedule.parse(["daily 07:00-09:00"])}
    plans = [plan(GATE, schedule="day")]

    async def scenario(yard: Yard) -> tuple[bool, ...]:
        before = yard.strike(GATE)
        await asyncio.sleep(60)
        open_at_seven = yard.strike(GATE)
        yard.unsynced = True
        await asyncio.sleep(60)
        without_clock = yard.strike(GATE)
        yard.unsynced = False
        await asyncio.sleep(60)
        with_clock = yard.strike(GATE)
        yard.wall_minus_monotonic += 2 * 3600
        await asyncio.sleep(60)
        return before, open_at_seven, without_clock, with_clock, yard.strike(GATE)

    played = play(scenario, plans, schedules=morning, wall=WALL + 7 * 3600 - 30)
    assert played == (False, True, False, True, False)


def test_a_board_that_lost_power_is_told_again_and_its_door_was_unknown_meanwhile() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order(GATE, "hold_open")
        yard.sims[GATE].alive = False
        await yard.until(lambda: yard.state(GATE) == ("unknown", "hold_open"), within_s=60)
        yard.sims[GATE].restart(yard.now + 1.0)
        yard.sims[GATE].alive = True
        await yard.until(lambda: yard.strike(GATE), within_s=60)
        await yard.until(lambda: yard.state(GATE) == ("unlocked", "hold_open"))

    play(scenario)


def test_a_strike_that_somebody_left_energised_is_locked() -> None:
    async def scenario(yard: Yard) -> None:
        yard.sims[GATE].set("strike", True)
        await yard.until(lambda: not yard.strike(GATE))
        assert yard.state("gate-2-2") == ("locked", "normal")

    play(scenario)


def test_a_grant_the_board_does_not_carry_out_is_told_as_an_outcome() -> None:
    async def scenario(yard: Yard) -> None:
        yard.sims[GATE].alive = False
        yard.doors.grant(GATE, 5.0, "card …4567")
        await asyncio.sleep(5)
        (outcome,) = [body for body in yard.told if isinstance(body, OutcomeBody)]
        assert (outcome.device, outcome.result, outcome.origin) == (GATE, "failed", "card …4567")
        (alert,) = yard.alerts("command.failed")
        assert alert.place.building == "2"

    play(scenario)


class SlowDisk:
    """A record that takes a second to write a row."""

    failing = False

    async def committed(self, _event: Event) -> None:
        await asyncio.sleep(1.0)


def test_a_door_says_who_had_it_opened_though_somebody_else_gave_an_order_while_that_waited() -> None:
    async def scenario(yard: Yard) -> None:
        yard.commanding = Commanding(
            yard.actors, yard.actors.act, submit=yard.stream.submit, new_id=lambda: "local-1", record=SlowDisk(),
            angles=lambda _: {}, reset=yard.alerting.reset, clock=lambda: yard.now,
        )  # fmt: skip
        by, ticket = "remote:desk/warden-1", Ticket("order-1", yard.now + 10.0)
        waiting = asyncio.create_task(yard.commanding.execute(GATE, "unlock", {}, by, ticket))
        await asyncio.sleep(0.1)
        await yard.order(GATE, "normal")
        assert (await waiting).result == "done"
        assert yard.doors.state(GATE).why == by

    play(scenario)


def test_the_strike_takes_no_order_past_its_door() -> None:
    async def scenario(yard: Yard) -> None:
        for action in ("unlock", "hold_open", "lock"):
            with pytest.raises(PolicyError, match=f"strike of {GATE}"):
                await yard.actors.act(f"{GATE}-board", action, {"seconds": 5.0}, yard.now + 3)
        assert not yard.strike(GATE)

    play(scenario)


def test_a_door_is_told_once_for_each_change_and_not_for_each_reading() -> None:
    async def scenario(yard: Yard) -> list[tuple[str, str]]:
        await asyncio.sleep(60)
        yard.doors.grant(GATE, 5.0, "card")
        await asyncio.sleep(60)
        return yard.door_told(GATE)

    told = play(scenario, PLANS[:1])
    assert told[-2:] == [("unlocked", "normal"), ("locked", "normal")]
    assert len(told) <= 4


def test_every_door_is_listed_with_how_it_stands() -> None:
    async def scenario(yard: Yard) -> None:
        rows = {row["door"]: row for row in yard.doors.statistics()}
        assert set(rows) == {each.name for each in PLANS}
        assert rows[GATE]["state"] == "locked"
        assert rows[GATE]["place"].building == "2"
        assert isinstance(yard.doors.state(GATE), DoorBody)
        with pytest.raises(KeyError):
            yard.doors.actions("gate-9")

    play(scenario)
