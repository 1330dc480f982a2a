"""Interlocks across restarts, and orders that go wrong: what a person must release, nothing else releases."""

import asyncio

import msgspec
import pytest

from gateway.core.events import AlertBody, Change, CommandBody, Event, InterlockBody, OutcomeBody, Place
from gateway.core.interlocks import InterlockOrder, InterlockPlan
from gateway.core.policy import PolicyError
from gateway.core.standing import Restored
from tests.gateway.services.test_interlocks import GATES, OTHER, SOUNDER, free, restored
from tests.gateway.services.test_interlocks_that_share import (
    BOTH,
    OFF,
    SIREN,
    burning,
    hushed,
    put_out,
    sounding,
)
from tests.gateway.services.test_interlocks_that_share import play as play_siren
from tests.gateway.yard import Yard, play


def journaled(yard: Yard) -> list[Event]:
    """Return what a restart finds of all that was told."""
    found = Restored()
    for event in yard.events:
        found.follow(event)
    return found.events()


def test_a_drill_that_a_restart_ends_is_ended_for_the_sounder_too() -> None:
    drill = InterlockBody("fire", True, (Place(building="9"),), "drill", True, True)
    quiet = InterlockOrder(OTHER, "normal")

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(5)
        orders = [body for body in yard.told if isinstance(body, CommandBody)]
        assert [(body.device, body.action) for body in orders] == [(OTHER, "normal")]

    play(
        scenario,
        restore=restored(drill),
        interlocks=[InterlockPlan("fire", orders=(SOUNDER,), after=(quiet,))],
    )


def test_an_order_to_a_door_needs_no_time_and_one_that_trips_over_itself_stops_nothing_else() -> None:
    stumbles = InterlockOrder("nobody", "hold_open")

    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: len(free(yard)) == 3)
        await asyncio.sleep(2)
        mine = [body for body in yard.told if isinstance(body, OutcomeBody)]
        assert ("unlock", "done") in [(body.action, body.result) for body in mine]

    play(scenario, interlocks=[InterlockPlan("fire", orders=(stumbles, InterlockOrder(OTHER, "unlock")))])


def test_after_a_restart_too_nobody_releases_it_before_the_detector_is_reset() -> None:
    async def before(yard: Yard) -> list[Event]:
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES))
        yard.burn("2", 0.0)
        await yard.until(lambda: yard.alerts("fire.smoke")[-1].state.startswith("latched"), within_s=60)
        return journaled(yard)

    async def after(yard: Yard) -> None:
        await yard.until(lambda: set(free(yard)) == set(GATES), within_s=5)
        with pytest.raises(PolicyError, match="still stands"):
            await yard.actors.act("fire", "release", {}, yard.now + 3)
        await yard.order("smoke-2", "reset")
        await yard.order("fire", "release")
        await yard.until(lambda: free(yard) == [])

    play(after, restore=play(before))


def test_a_fire_that_flares_up_again_frees_doors_that_were_locked_in_between() -> None:
    """Whatever let somebody release it: an alert that is active again engages."""

    async def before(yard: Yard) -> list[Event]:
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES))
        yard.burn("2", 0.0)
        await yard.until(lambda: yard.alerts("fire.smoke")[-1].state.startswith("latched"), within_s=60)
        yard.stream.submit(InterlockBody("fire", False, (), "another life"))
        return journaled(yard)

    async def after(yard: Yard) -> None:
        await asyncio.sleep(5)
        assert free(yard) == []
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES), within_s=10)

    play(after, restore=play(before))


def test_a_fire_that_flares_up_again_before_its_reset_is_heard_though_somebody_had_silenced_it() -> None:
    async def before(yard: Yard) -> list[Event]:
        await burning(yard, "2")
        for _ in range(2):
            await yard.order("fire-2", "silence")
            await sounding(yard, on=False)
            yard.burn("2", 0.0)
            await asyncio.sleep(1200)
            assert not yard.strike(SIREN), "what goes out by itself is no new fire"
            yard.burn("2")
            await sounding(yard)
        await yard.order("fire-2", "silence")
        yard.burn("2", 0.0)
        await asyncio.sleep(1200)
        return journaled(yard)

    async def after(yard: Yard) -> None:
        await asyncio.sleep(60)
        assert not yard.strike(SIREN), "a restart is no new fire either"
        yard.burn("2")
        await sounding(yard)

    play_siren(after, interlocks=BOTH, restore=play_siren(before, interlocks=BOTH))


def test_a_fan_that_lost_its_orders_with_the_power_is_told_again_after_the_restart_of_a_fire() -> None:
    engaged = InterlockBody("fire", True, (Place(building="2"),), "alert-1")

    async def scenario(yard: Yard) -> None:
        await yard.until(lambda: yard.strike(OTHER), within_s=5)
        assert free(yard) == [*GATES, OTHER]

    plans = [InterlockPlan("fire", orders=(InterlockOrder(OTHER, "hold_open"),))]
    play(scenario, restore=restored(engaged), interlocks=plans, settle=False)


def test_what_is_not_configured_any_more_is_released_once_and_not_at_each_restart() -> None:
    old = InterlockBody("old", False, (), "no longer configured")

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(5)
        assert [body for body in yard.told if isinstance(body, InterlockBody)] == []

    play(scenario, restore=restored(old))


def test_an_alert_that_ends_with_the_restart_itself_engages_nothing() -> None:
    """Its device is not configured any more; nobody could ever say that it is normal again."""

    async def before(yard: Yard) -> AlertBody:
        yard.burn("2")
        await yard.until(lambda: yard.alerts("fire.smoke"))
        return yard.alerts("fire.smoke")[-1]

    flood = msgspec.structs.replace(
        play(before), kind="manhole.water", key="cover-9/manhole.water", device="cover-9", latch=False
    )
    acknowledged = msgspec.structs.replace(flood, state="active_acked")

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(10)
        assert yard.open_kinds() == []
        assert free(yard) == []

    plans = [InterlockPlan("flood", kinds=frozenset({"manhole.water"}))]
    play(scenario, restore=restored(acknowledged), interlocks=plans, settle=False)


async def released_from_a_dead_siren(yard: Yard) -> list[Event]:
    await burning(yard, "2")
    yard.sims[SIREN].alive = False
    await put_out(yard, "2")
    await asyncio.sleep(20)
    return journaled(yard)


def results(yard: Yard, order: InterlockOrder) -> list[str]:
    outcomes = [body for body in yard.told if isinstance(body, OutcomeBody)]
    return [body.result for body in outcomes if (body.device, body.action) == (order.device, order.action)]


def test_a_siren_whose_board_was_dead_at_the_release_is_hushed_when_it_is_back_after_a_restart() -> None:
    async def after(yard: Yard) -> None:
        yard.sims[SIREN].alive = False
        await asyncio.sleep(60)
        yard.sims[SIREN].alive = True
        await yard.until(lambda: results(yard, OFF)[-1:] == ["done"], within_s=30)
        assert hushed(yard) == ["interlock:fire-2"]

    before = play_siren(released_from_a_dead_siren, interlocks=BOTH)
    play_siren(after, interlocks=BOTH, restore=before, settle=False)


def test_what_an_earlier_life_left_sounding_is_not_hushed_while_another_fire_stands() -> None:
    engaged = InterlockBody("fire-3", True, (Place(building="3"),), "id-2", False)

    async def after(yard: Yard) -> None:
        await asyncio.sleep(60)
        assert yard.strike(SIREN)
        await yard.order("fire-3", "release")
        await sounding(yard, on=False)
        assert set(hushed(yard)) == {"interlock:fire-2", "interlock:fire-3"}

    before = play_siren(released_from_a_dead_siren, interlocks=BOTH)
    play_siren(after, interlocks=BOTH, restore=[*before, *restored(engaged)])


def test_a_self_test_that_a_restart_cut_short_is_ended_after_it() -> None:
    async def before(yard: Yard) -> list[Event]:
        await yard.order("fire-2", "self_test", seconds=30)
        await sounding(yard)
        return journaled(yard)

    async def after(yard: Yard) -> None:
        await asyncio.sleep(30)
        assert hushed(yard) == ["interlock:fire-2"]

    play_siren(after, interlocks=BOTH, restore=play_siren(before, interlocks=BOTH))


def test_an_ordinary_restart_orders_nothing_also_where_the_end_was_done_late() -> None:
    async def before(yard: Yard) -> list[Event]:
        await released_from_a_dead_siren(yard)
        yard.sims[SIREN].alive = True
        await yard.until(lambda: results(yard, OFF) == ["failed", "done"], within_s=30)
        return journaled(yard)

    async def after(yard: Yard) -> None:
        await asyncio.sleep(60)
        assert [body for body in yard.told if isinstance(body, CommandBody)] == []

    play_siren(after, interlocks=BOTH, restore=play_siren(before, interlocks=BOTH))


def test_neither_an_acknowledgement_nor_a_restart_has_a_silenced_fire_sound_again() -> None:
    async def before(yard: Yard) -> list[Event]:
        await burning(yard, "2")
        await yard.order("fire-2", "silence")
        await sounding(yard, on=False)
        (raised,) = yard.alerts("fire.smoke")
        yard.stream.submit(msgspec.structs.replace(raised, change=Change.ACKNOWLEDGED, state="active_acked"))
        await asyncio.sleep(5)
        assert not yard.strike(SIREN)
        return journaled(yard)

    async def after(yard: Yard) -> None:
        yard.burn("2")
        await asyncio.sleep(10)
        assert not yard.strike(SIREN)

    play_siren(after, interlocks=BOTH, restore=play_siren(before, interlocks=BOTH), settle=False)
