"""Interlocks that order the same device, one for each building: the end of one leaves alone what another wants."""

import asyncio
from dataclasses import replace
from functools import partial

import pytest

from gateway.core.events import CommandBody, InterlockBody, OutcomeBody, Place
from gateway.core.interlocks import InterlockOrder, InterlockPlan
from tests.gateway import yard as yards
from tests.gateway.services.test_interlocks import restored
from tests.gateway.yard import Yard

SIREN = "siren"
ON, OFF = InterlockOrder(f"{SIREN}-board", "hold_open"), InterlockOrder(f"{SIREN}-board", "lock")


def interlock(building: str) -> InterlockPlan:
    """Return the interlock of one building; the siren is the same for all."""
    place = Place(building=building)
    return InterlockPlan(f"fire-{building}", place=place, frees=False, sound=(ON,), hush=(OFF,))


BOTH = (interlock("2"), interlock("3"))
play = partial(yards.play, spares=(SIREN,))


async def sounding(yard: Yard, on: bool = True) -> None:
    await yard.until(lambda: yard.strike(SIREN) is on)


async def burning(yard: Yard, *buildings: str) -> None:
    """Let it burn until the interlocks of these buildings are engaged and the siren sounds."""
    for building in buildings:
        yard.burn(building)
    names = {f"fire-{building}" for building in buildings}
    rows = yard.interlocks.statistics
    await yard.until(lambda: names <= {row["interlock"] for row in rows() if row["engaged"]})
    await sounding(yard)


async def put_out(yard: Yard, building: str) -> None:
    """End a fire, reset its detector and release its interlock."""
    yard.burn(building, 0.0)
    await asyncio.sleep(60)
    await yard.order(f"smoke-{building}", "reset")
    assert (await yard.order(f"fire-{building}", "release")).result == "done"


def hushed(yard: Yard) -> list[str]:
    """Return the origin of each order to be quiet."""
    orders = [body for body in yard.told if isinstance(body, CommandBody)]
    return [body.origin for body in orders if (body.device, body.action) == (OFF.device, OFF.action)]


def test_the_siren_of_two_fires_sounds_until_the_last_is_released() -> None:
    async def scenario(yard: Yard) -> None:
        await burning(yard, "2", "3")
        await put_out(yard, "2")
        await asyncio.sleep(600)
        assert yard.strike(SIREN)
        assert hushed(yard) == []
        await put_out(yard, "3")
        await sounding(yard, on=False)

    play(scenario, interlocks=BOTH)


def test_what_two_fires_stopped_goes_back_to_rest_with_the_last_even_if_only_the_first_says_how() -> None:
    first = InterlockPlan("fire-2", place=Place(building="2"), frees=False, orders=(ON,), after=(OFF,))
    second = InterlockPlan("fire-3", place=Place(building="3"), frees=False, orders=(ON,))

    async def scenario(yard: Yard) -> None:
        await burning(yard, "2", "3")
        await put_out(yard, "2")
        await asyncio.sleep(600)
        assert yard.strike(SIREN)
        await put_out(yard, "3")
        await sounding(yard, on=False)
        assert hushed(yard) == ["interlock:fire-2"]

    play(scenario, interlocks=(first, second))


@pytest.mark.parametrize(
    ("exercise", "argument"), [("self_test", {"seconds": 30.0}), ("drill", {"minutes": 1.0})]
)
def test_the_end_of_an_exercise_leaves_the_siren_of_a_fire_elsewhere_alone(
    exercise: str, argument: dict[str, float]
) -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order("fire-2", exercise, **argument)
        await sounding(yard)
        await burning(yard, "3")
        await asyncio.sleep(600)
        assert yard.strike(SIREN)
        await put_out(yard, "3")
        await sounding(yard, on=False)

    play(scenario, interlocks=BOTH)


def test_whoever_silences_one_fire_does_not_silence_the_other_and_is_told_so() -> None:
    async def scenario(yard: Yard) -> None:
        await burning(yard, "2", "3")
        told = await yard.order("fire-2", "silence")
        assert told.detail == "silenced until the next fire; what it shares with fire-3 sounds on for that"
        await asyncio.sleep(60)
        assert yard.strike(SIREN)
        assert (await yard.order("fire-3", "silence")).detail == "silenced until the next fire"
        await sounding(yard, on=False)

    play(scenario, interlocks=BOTH)


def test_a_fire_that_was_silenced_keeps_nobody_from_hushing_the_siren() -> None:
    async def scenario(yard: Yard) -> None:
        await burning(yard, "3")
        await yard.order("fire-3", "silence")
        await sounding(yard, on=False)
        await yard.order("fire-2", "self_test", seconds=5)
        await sounding(yard)
        await asyncio.sleep(6)
        assert not yard.strike(SIREN)

    play(scenario, interlocks=BOTH)


@pytest.mark.parametrize("dead_s", range(26, 30))
def test_an_order_to_be_quiet_that_is_tried_on_gives_way_to_the_next_fire(dead_s: int) -> None:
    """The siren's board comes back when it burns elsewhere: it has to sound, whichever order gets there first."""

    async def scenario(yard: Yard) -> None:
        await burning(yard, "2")
        yard.sims[SIREN].alive = False
        await put_out(yard, "2")
        await yard.until(lambda: any(isinstance(b, OutcomeBody) and b.result == "failed" for b in yard.told))
        yard.burn("3")
        await asyncio.sleep(dead_s)
        yard.sims[SIREN].alive = True
        await asyncio.sleep(60)
        assert yard.strike(SIREN)
        await put_out(yard, "3")
        await sounding(yard, on=False)

    play(scenario, interlocks=BOTH)


def test_a_fire_that_is_a_dry_run_keeps_nothing_sounding() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("3")
        await burning(yard, "2")
        await put_out(yard, "2")
        await sounding(yard, on=False)

    play(scenario, interlocks=(BOTH[0], replace(BOTH[1], dry_run=True)))


def test_after_a_restart_too_the_one_that_was_silenced_leaves_the_siren_to_the_other() -> None:
    silenced = InterlockBody("fire-2", True, (Place(building="2"),), "id-1", False, silenced=True)
    engaged = InterlockBody("fire-3", True, (Place(building="3"),), "id-2", False)

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(60)
        assert yard.strike(SIREN)
        assert hushed(yard) == []

    play(scenario, restore=restored(silenced, engaged), interlocks=BOTH)


def test_a_siren_that_was_dead_all_through_the_fire_does_not_begin_when_all_is_over() -> None:
    async def scenario(yard: Yard) -> None:
        yard.sims[SIREN].alive = False
        yard.burn("2")
        await yard.until(lambda: any(isinstance(b, OutcomeBody) and b.result == "failed" for b in yard.told))
        await put_out(yard, "2")
        yard.sims[SIREN].alive = True
        await asyncio.sleep(60)
        assert not yard.strike(SIREN)
        outcomes = [body for body in yard.told if isinstance(body, OutcomeBody)]
        assert (ON.action, "done") not in [(body.action, body.result) for body in outcomes]

    play(scenario, interlocks=BOTH)


def test_of_two_drills_each_ends_at_its_own_time() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order("fire-2", "drill", minutes=1)
        await yard.order("fire-3", "drill", minutes=3)
        for after_s, standing in ((50, ["fire-2", "fire-3"]), (20, ["fire-3"]), (120, [])):
            await asyncio.sleep(after_s)
            rows = yard.interlocks.statistics()
            assert [row["interlock"] for row in rows if row["engaged"] and row["drill"]] == standing

    play(scenario, interlocks=BOTH)


def test_a_drill_of_what_a_fire_has_engaged_is_refused_and_does_not_end_it() -> None:
    async def scenario(yard: Yard) -> None:
        await burning(yard, "2")
        outcome = await yard.order("fire-2", "drill", minutes=1)
        assert (outcome.result, "release it first" in outcome.detail) == ("refused", True)
        await asyncio.sleep(70)
        row = yard.interlocks.statistics()[0]
        assert (row["engaged"], row["drill"], yard.strike(SIREN)) == (True, False, True)

    play(scenario, interlocks=BOTH)


@pytest.mark.parametrize("action", ["silence", "self_test"])
def test_nobody_is_told_that_sounders_are_silent_or_sound_where_none_can_be_told(action: str) -> None:
    mute = InterlockPlan("fire-2", place=Place(building="2"), orders=(ON,))

    async def scenario(yard: Yard) -> None:
        if action == "silence":
            await burning(yard, "2")
        outcome = await yard.order("fire-2", action, **({"seconds": 5.0} if action == "self_test" else {}))
        assert (outcome.result, "no sounders" in outcome.detail) == ("refused", True)

    play(scenario, interlocks=(mute,))
