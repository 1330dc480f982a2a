"""A fire frees the doors of its building, over simulated lines: at once, above a lock-down, until a person says so."""

import asyncio

import pytest

from gateway.core.events import (
    AlertBody,
    Body,
    Clock,
    CommandBody,
    Event,
    InterlockBody,
    NoteBody,
    OutcomeBody,
    Place,
    ReadingBody,
)
from gateway.core.interlocks import InterlockOrder, InterlockPlan
from gateway.core.policy import PolicyError
from tests.gateway.yard import INTERLOCK, WALL, Yard, play

GATES = ("gate-2-1", "gate-2-2")
OTHER = "gate-3-1"
SOUNDER = InterlockOrder(
    OTHER, "unlock", {"seconds": 60.0}
)  # anything that can be told stands in for a sounder


def free(yard: Yard) -> list[str]:
    """Return the doors whose strike is energised."""
    return [door for door in (*GATES, OTHER) if yard.strike(door)]


def restored(*bodies: Body) -> list[Event]:
    """Return these bodies as an earlier life left them."""
    return [Event(1, seq, WALL, 0.0, Clock.SYNCED, body) for seq, body in enumerate(bodies, 1)]


def test_a_fire_frees_the_doors_of_its_building_within_a_second_and_no_others() -> None:
    async def scenario(yard: Yard) -> float:
        yard.burn("2")
        await yard.until(lambda: yard.alerts("fire.smoke"))
        took_s = await yard.until(lambda: set(free(yard)) == set(GATES))
        await asyncio.sleep(600)
        assert free(yard) == list(GATES)
        assert yard.state(OTHER) == ("locked", "normal")
        assert [yard.state(gate) for gate in GATES] == [("unlocked", "free")] * 2
        assert yard.open_kinds().count("interlock.engaged") == 1
        return took_s

    assert play(scenario) < 1.0


def test_a_single_odd_reading_frees_no_door() -> None:
    async def scenario(yard: Yard) -> None:
        seen: list[object] = []

        def once(event: Event) -> None:
            if isinstance(event.body, ReadingBody) and event.body.value == 900:
                seen.append(event)
                yard.burn("2", 0.0)

        yard.stream.follow("once", once)
        yard.burn("2")
        await asyncio.sleep(30)
        assert len(seen) == 1
        assert yard.alerts("fire.smoke") == []
        assert free(yard) == []

    play(scenario)


def test_a_lock_down_loses_to_the_fire_and_holds_again_after_it() -> None:
    async def scenario(yard: Yard) -> None:
        for gate in GATES:
            await yard.order(gate, "lock_down")
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES))
        with pytest.raises(PolicyError, match="stands free: fire"):
            await yard.actors.act(GATES[0], "lock_down", {}, yard.now + 3)
        await asyncio.sleep(5)
        assert set(free(yard)) == set(GATES)
        yard.burn("2", 0.0)
        await asyncio.sleep(20)
        await yard.order("smoke-2", "reset")
        await yard.order("fire", "release")
        await yard.until(lambda: free(yard) == [])
        await yard.until(lambda: yard.state(GATES[0]) == ("locked", "lock_down"))

    play(scenario)


def test_it_holds_after_the_smoke_is_gone_until_the_detector_is_reset_and_a_person_releases_it() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES))
        with pytest.raises(PolicyError, match="still stands"):
            await yard.actors.act("fire", "release", {}, yard.now + 3)
        yard.burn("2", 0.0)
        await asyncio.sleep(60)
        assert set(free(yard)) == set(GATES)
        with pytest.raises(PolicyError, match="still stands"):  # normal again, but latched
            await yard.actors.act("fire", "release", {}, yard.now + 3)
        await yard.order("smoke-2", "reset")
        await asyncio.sleep(60)
        assert set(free(yard)) == set(GATES)
        assert (await yard.order("fire", "release")).result == "done"
        await yard.until(lambda: free(yard) == [])
        await yard.until(
            lambda: (
                "interlock.engaged" not in yard.open_kinds()
                or yard.alerts("interlock.engaged")[-1].change == "cleared"
            )
        )
        with pytest.raises(PolicyError, match="not engaged"):
            await yard.actors.act("fire", "release", {}, yard.now + 3)

    play(scenario)


def test_after_a_restart_the_doors_stand_free_again() -> None:
    engaged = InterlockBody("fire", True, (Place(building="2"),), "alert-1")

    async def scenario(yard: Yard) -> None:
        await yard.until(lambda: set(free(yard)) == set(GATES), within_s=2)
        assert yard.state(OTHER)[1] == "normal"

    play(scenario, restore=restored(engaged), settle=False)


def test_a_fire_that_the_gateway_died_over_frees_the_doors_when_it_is_back() -> None:
    """The alert was written down, the interlock was not."""

    async def before(yard: Yard) -> AlertBody:
        yard.burn("2")
        await yard.until(lambda: yard.alerts("fire.smoke"))
        return yard.alerts("fire.smoke")[-1]

    alert = play(before)

    async def after(yard: Yard) -> None:
        await yard.until(lambda: set(free(yard)) == set(GATES), within_s=2)

    play(after, restore=restored(alert), settle=False)


def test_a_board_that_is_dead_while_it_burns_is_told_as_not_freed_and_freed_when_it_is_back() -> None:
    async def scenario(yard: Yard) -> None:
        yard.sims[GATES[0]].alive = False
        yard.burn("2")
        await yard.until(lambda: yard.strike(GATES[1]))
        await yard.until(lambda: "door.not_freed" in yard.open_kinds(), within_s=15)
        (told,) = yard.alerts("door.not_freed")
        assert told.severity == "critical"
        yard.sims[GATES[0]].alive = True
        await yard.until(lambda: yard.strike(GATES[0]), within_s=20)
        await yard.until(lambda: yard.alerts("door.not_freed")[-1].change == "cleared")

    play(scenario)


def test_a_board_that_restarts_during_the_fire_is_freed_again() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES))
        yard.sims[GATES[0]].restart(yard.now + 0.2)
        await yard.until(lambda: not yard.strike(GATES[0]))
        await yard.until(lambda: yard.strike(GATES[0]), within_s=10)

    play(scenario)


def test_its_orders_are_given_until_they_are_done_and_told_twice_at_most() -> None:
    async def scenario(yard: Yard) -> None:
        yard.sims[OTHER].alive = False
        yard.burn("2")
        await asyncio.sleep(60)
        yard.sims[OTHER].alive = True
        await yard.until(lambda: yard.strike(OTHER), within_s=30)
        await asyncio.sleep(120)
        mine = [
            body for body in yard.told if isinstance(body, OutcomeBody) and body.origin == "interlock:fire"
        ]
        assert [body.result for body in mine] == ["failed", "done"]
        orders = [body for body in yard.told if isinstance(body, CommandBody)]
        assert [body.device for body in orders] == [OTHER]

    play(scenario, interlocks=[InterlockPlan("fire", orders=(SOUNDER,))])


def test_an_order_that_is_not_allowed_is_told_and_stops_nothing_else() -> None:
    past_the_door = InterlockOrder(f"{OTHER}-board", "hold_open")

    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: sum(isinstance(body, OutcomeBody) for body in yard.told) == 2)
        assert set(free(yard)) == {*GATES, OTHER}
        mine = [body for body in yard.told if isinstance(body, OutcomeBody)]
        assert [(body.device, body.result) for body in mine] == [
            (f"{OTHER}-board", "failed"),
            (OTHER, "done"),
        ]

    play(scenario, interlocks=[InterlockPlan("fire", orders=(past_the_door, SOUNDER))])


def test_a_dry_run_is_written_down_and_moves_nothing() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: yard.alerts("fire.smoke"))
        await asyncio.sleep(30)
        assert free(yard) == []
        notes = [body for body in yard.told if isinstance(body, NoteBody)]
        assert [(note.what, "would engage" in note.detail) for note in notes] == [("interlock.dry_run", True)]

    play(scenario, interlocks=[InterlockPlan("fire", dry_run=True)])


def test_a_drill_or_a_self_test_of_a_dry_run_is_refused_and_moves_nothing() -> None:
    async def scenario(yard: Yard) -> None:
        for action, arguments in (("drill", {"minutes": 1.0}), ("self_test", {"seconds": 5.0})):
            outcome = await yard.order("fire", action, **arguments)
            assert (outcome.result, "dry run" in outcome.detail) == ("refused", True)
        await asyncio.sleep(5)
        assert free(yard) == []

    play(scenario, interlocks=[InterlockPlan("fire", sound=(SOUNDER,), dry_run=True)])


def test_a_drill_frees_the_doors_says_so_and_ends_by_itself() -> None:
    async def scenario(yard: Yard) -> None:
        assert (await yard.order("fire", "drill", minutes=1)).result == "done"
        await yard.until(lambda: len(free(yard)) == 3)
        (drill,) = yard.alerts("interlock.drill")
        assert drill.text.zh.endswith("演习中，不是火警")
        assert "interlock.engaged" not in yard.open_kinds()
        await asyncio.sleep(62)
        assert free(yard) == []
        assert yard.alerts("interlock.drill")[-1].change == "cleared"

    play(scenario)


def test_a_fire_during_a_drill_makes_it_real() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order("fire", "drill", minutes=1)
        await yard.until(lambda: len(free(yard)) == 3)
        yard.burn("2")
        await yard.until(lambda: "interlock.engaged" in yard.open_kinds())
        await asyncio.sleep(120)
        assert free(yard) == list(GATES)

    play(scenario)


def test_a_drill_does_not_outlive_a_restart() -> None:
    drill = InterlockBody("fire", True, (Place(),), "drill", True, True)

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(10)
        assert free(yard) == []
        assert yard.interlocks.statistics()[0]["engaged"] is False

    play(scenario, restore=restored(drill))


def test_a_second_fire_in_another_building_is_added() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await yard.until(lambda: set(free(yard)) == set(GATES))
        yard.burn("3")
        await yard.until(lambda: len(free(yard)) == 3)
        (row,) = yard.interlocks.statistics()
        assert (row["engaged"], row["drill"], row["silenced"]) == (True, False, False)
        assert row["burning"] == 2
        assert {place.building for place in row["places"]} == {"2", "3"}

    play(scenario)


def test_an_interlock_for_one_place_does_not_answer_to_another() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("3")
        await yard.until(lambda: yard.alerts("fire.smoke"))
        await asyncio.sleep(5)
        assert free(yard) == []

    play(scenario, interlocks=[InterlockPlan("fire", place=Place(building="2"))])


def test_what_nobody_has_configured_any_more_is_released() -> None:
    old = InterlockBody("old", True, (Place(building="2"),), "alert-1")

    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(5)
        assert free(yard) == []

    play(scenario, restore=restored(old), interlocks=[INTERLOCK])


# Sounders: any device that can be told something stands in for one

SIREN = InterlockPlan(
    "fire",
    frees=False,
    sound=(InterlockOrder(OTHER, "hold_open", {}),),
    hush=(InterlockOrder(OTHER, "normal", {}),),
)


def sounds(yard: Yard) -> bool:
    return yard.state(OTHER)[1] == "hold_open"


async def sounding(yard: Yard, on: bool = True) -> None:
    await yard.until(lambda: sounds(yard) is on)


def origins(yard: Yard) -> list[str]:
    return [body.origin for body in yard.told if isinstance(body, CommandBody)]


def test_the_sounders_sound_with_the_fire_until_a_person_releases_it() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await sounding(yard)
        await asyncio.sleep(600)
        assert sounds(yard)
        yard.burn("2", 0.0)
        await asyncio.sleep(30)
        yard.alerting.reset("smoke-2", "值班员")
        await yard.order("fire", "release")
        await sounding(yard, on=False)

    play(scenario, interlocks=(SIREN,))


def test_a_person_may_silence_them_and_the_next_fire_has_them_sound_again() -> None:
    async def scenario(yard: Yard) -> None:
        yard.burn("2")
        await sounding(yard)
        await yard.order("fire", "silence")
        await sounding(yard, on=False)
        (row,) = yard.interlocks.statistics()
        assert (row["engaged"], row["silenced"]) == (True, True)
        await asyncio.sleep(600)
        assert not sounds(yard), "the fire that was silenced is no new one"
        yard.burn("3")
        await sounding(yard)
        (row,) = yard.interlocks.statistics()
        assert row["silenced"] is False

    play(scenario, interlocks=(SIREN,))


def test_after_a_restart_what_was_silenced_stays_silent_and_what_sounded_sounds() -> None:
    async def scenario(yard: Yard) -> None:
        await asyncio.sleep(30)
        assert sounds(yard) is not silenced

    for silenced in (False, True):
        body = InterlockBody("fire", True, (Place(building="2"),), "id-1", False, silenced=silenced)
        play(scenario, interlocks=(SIREN,), restore=restored(body))


def test_a_drill_sounds_says_that_it_is_one_in_every_order_and_ends_by_itself() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order("fire", "drill", minutes=1)
        await sounding(yard)
        await asyncio.sleep(70)
        assert not sounds(yard)
        assert {each for each in origins(yard) if "fire" in each} == {"drill:fire"}
        assert "interlock.drill" in yard.open_kinds()
        assert not any(kind.startswith("fire.") for kind in yard.open_kinds())

    play(scenario, interlocks=(SIREN,))


def test_a_self_test_sounds_some_seconds_and_a_fire_in_it_is_not_hushed_by_its_end() -> None:
    async def scenario(yard: Yard) -> None:
        await yard.order("fire", "self_test", seconds=5)
        await sounding(yard)
        await asyncio.sleep(6)
        assert not sounds(yard)
        assert {each for each in origins(yard) if "fire" in each} == {"test:fire"}
        await yard.order("fire", "self_test", seconds=20)
        await sounding(yard)
        yard.burn("2")
        await yard.until(lambda: yard.alerts("fire.smoke"))
        await asyncio.sleep(60)
        assert sounds(yard)
        with pytest.raises(PolicyError, match="no sounders to test now"):
            await yard.actors.act("fire", "self_test", {"seconds": 5.0}, yard.now + 3)

    play(scenario, interlocks=(SIREN,))


def test_there_is_nothing_to_silence_where_nothing_sounds() -> None:
    async def scenario(yard: Yard) -> None:
        with pytest.raises(PolicyError, match="no sounders that sound"):
            await yard.actors.act("fire", "silence", {}, yard.now + 3)

    play(scenario, interlocks=(SIREN,))
