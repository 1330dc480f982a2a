"""An incident of several alerts: at several places, partly silenced, partly seen to, and growing worse."""

from dataclasses import replace
from typing import Any, Final

from gateway.core.events import Change, Place, Severity, Words
from gateway.desk.arrivals import Arrival
from gateway.desk.routing import Directory, Duty, Person, Role
from gateway.desk.silences import Silence
from gateway.desk.store import people
from gateway.desk.workflow import Step
from tests.desk_parts import arrival
from tests.events import PLACE
from tests.gateway.desk.test_escalating import Scene, play, short

HELD: Final[dict[str, Any]] = {"kind": "door.held", "severity": Severity.MAJOR}
WATER: Final[dict[str, Any]] = {"kind": "manhole.water", "severity": Severity.MINOR}


def building(name: str) -> Place:
    """Return a building of the compound."""
    return Place(PLACE.community, PLACE.grid, PLACE.microgrid, PLACE.compound, name)


def said(text: str, seq: int, **changes: Any) -> Arrival:
    """Return an event in words of its own."""
    return replace(arrival(seq, **changes), text=Words(text, text))


async def silence(scene: Scene, name: str, kind: str, minutes: float, place: Place = PLACE) -> None:
    """Put a silence in force now."""
    made = Silence(name, place, kind, scene.now + minutes * 60.0, "装修", "property-1")
    async with scene.database.transaction() as transaction:
        await people.silence(transaction, made, scene.now)


async def become_worse_in_a_silence(scene: Scene) -> None:
    """Have an alert acknowledged and silenced for an hour, and then become critical."""
    await scene.take(arrival(1, **WATER))
    await scene.look()
    await scene.step(1, Step.ACKNOWLEDGE)
    await silence(scene, "s-1", "manhole", 60)
    worse = arrival(2, life=1, kind="manhole.water", severity=Severity.CRITICAL, change=Change.UPDATED)
    await scene.take(worse)


async def words(scene: Scene) -> dict[str, str]:
    """Return what every page so far says, by its id without the incident."""
    return {row["id"].partition("#1|")[2]: row["zh"] for row in await scene.pages()}


def test_a_fire_in_the_next_building_is_told_to_who_is_on_duty_there_in_its_own_words(where: str) -> None:
    async def body(scene: Scene) -> None:
        names = ("warden-1", "warden-2", "duty-room")
        directory = Directory(
            people={name: Person(name, "zh", (("phones", name),)) for name in names},
            roles=(Role("duty-room", "duty_room", Place()),),
            duties=tuple(Duty(building(each), (), (), (f"warden-{each}",)) for each in ("1", "2")),
        )
        async with scene.database.transaction() as transaction:
            await people.replace(transaction, directory)
        await scene.take(said("1 栋烟感报警", 1, place=building("1")))
        assert short(await scene.look()) == ["1.0|warden-1"]
        await scene.take(said("2 栋烟感报警", 2, place=building("2")))
        assert short(await scene.look(5)) == ["1.+2|warden-1", "1.+2|warden-2"]
        told = await words(scene)
        assert told["1.+2|warden-1"] == "【紧急】1 栋烟感报警；同类未确认的还有 1 条"
        assert told["1.+2|warden-2"] == "【紧急】2 栋烟感报警；同类未确认的还有 1 条"
        await scene.step(2, Step.ACKNOWLEDGE)
        assert short(await scene.look(120)) == ["1.1|warden-1"]

    play(where, body)


def test_one_person_of_several_places_is_paged_once_about_the_worst_of_them(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(
            said("轻", 1, place=building("1"), kind="manhole.water", severity=Severity.MINOR),
            said("重", 2, place=building("2"), kind="manhole.water", severity=Severity.MAJOR),
        )
        assert short(await scene.look()) == ["1.0|warden-1"]
        assert await words(scene) == {"1.0|warden-1": "【重要】重；同类未确认的还有 1 条"}

    play(where, body)


def test_a_silence_of_one_building_keeps_nothing_back_from_the_next(where: str) -> None:
    async def body(scene: Scene) -> None:
        await silence(scene, "s-1", "door", 60, building("1"))
        await scene.take(said("1 栋门未关", 1, place=building("1"), **HELD))
        assert await scene.look() == []
        await scene.take(said("2 栋门未关", 2, place=building("2"), **HELD))
        assert short(await scene.look(5)) == ["1.+2|warden-1"]
        assert (await words(scene))["1.+2|warden-1"].startswith("【重要】2 栋门未关")

    play(where, body)


def test_of_two_silences_the_first_that_ends_lets_its_own_alert_be_told(where: str) -> None:
    async def body(scene: Scene) -> None:
        await silence(scene, "s-1", "door", 300, building("1"))
        await silence(scene, "s-2", "door", 60, building("2"))
        await scene.take(arrival(1, place=building("1"), **HELD), arrival(2, place=building("2"), **HELD))
        assert await scene.look() == []
        assert short(await scene.look(3600)) == ["1.0|warden-1"]

    play(where, body)


def test_the_end_by_hand_of_any_silence_has_its_alerts_told_at_once(where: str) -> None:
    async def body(scene: Scene) -> None:
        await silence(scene, "s-1", "door", 300, building("1"))
        await silence(scene, "s-2", "door", 60, building("2"))
        await scene.take(arrival(1, place=building("1"), **HELD), arrival(2, place=building("2"), **HELD))
        assert await scene.look() == []
        async with scene.database.transaction() as transaction:
            await people.end_silence(transaction, "s-1", scene.now)
        assert short(await scene.look()) == ["1.0|warden-1"]

    play(where, body)


def test_what_became_worse_in_a_silence_is_told_when_that_ends_although_acknowledged(where: str) -> None:
    async def body(scene: Scene) -> None:
        await become_worse_in_a_silence(scene)
        assert await scene.look() == []
        assert short(await scene.look(3600)) == ["2.0|warden-1"]
        assert await scene.look(7200) == []

    play(where, body)


def test_what_became_worse_in_a_silence_and_was_closed_in_it_is_told_no_more(where: str) -> None:
    async def body(scene: Scene) -> None:
        await become_worse_in_a_silence(scene)
        await scene.look()
        await scene.step(1, Step.RESOLVE)
        assert await scene.look(3600) == []

    play(where, body)


def test_what_became_worse_is_told_and_not_the_lesser_one_that_still_waits(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(said("1 号井积水", 1, **WATER), said("2 号井积水", 2, **WATER))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        await scene.take(
            said(
                "1 号井满溢", 3,
                life=1, kind="manhole.water", severity=Severity.CRITICAL, change=Change.UPDATED,
            )
        )  # fmt: skip
        assert short(await scene.look()) == ["2.0|warden-1"]
        [page] = [row for row in await scene.pages() if row["id"].endswith("2.0|warden-1")]
        assert (page["rank"], page["zh"]) == (3, "【紧急】1 号井满溢")

    play(where, body)


def test_a_sixth_fire_after_five_that_were_acknowledged_is_told_at_once_and_from_the_start(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*(arrival(number) for number in range(1, 6)))
        await scene.look()
        await scene.look(120)
        for number in range(1, 6):
            await scene.step(number, Step.ACKNOWLEDGE)
        await scene.take(arrival(6))
        assert short(await scene.look(1)) == ["2.0|warden-1"]

    play(where, body)


def test_more_of_the_same_rings_nobody_again_also_of_what_became_worse_once(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1, **WATER))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        for number, severity in enumerate(
            (Severity.MINOR, Severity.MAJOR, Severity.MAJOR, Severity.MINOR), 2
        ):
            again = arrival(number, life=1, kind="manhole.water", severity=severity, change=Change.UPDATED)
            await scene.take(again)
            told = short(await scene.look(60))
            assert told == (["2.0|warden-1"] if number == 3 else []), number

    play(where, body)


def test_what_was_closed_and_becomes_worse_stands_open_and_is_told_until_somebody_acknowledges_it(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1, **WATER))
        await scene.look()
        await scene.step(1, Step.RESOLVE, cause="real")
        await scene.take(
            arrival(2, life=1, kind="manhole.water", severity=Severity.CRITICAL, change=Change.UPDATED)
        )
        first, second = await scene.look(), await scene.look(120)
        assert [each.rpartition(".")[2] for each in (*first, *second)] == ["0|warden-1", "1|warden-2"]

    play(where, body)


def test_what_became_worse_in_a_silence_is_told_after_it_though_people_saw_to_another_meanwhile(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(1, **WATER), arrival(2, **WATER))
        await scene.look()
        await scene.step(1, Step.ACKNOWLEDGE)
        await silence(scene, "s-1", "manhole", 60)
        await scene.take(
            arrival(3, life=1, kind="manhole.water", severity=Severity.CRITICAL, change=Change.UPDATED)
        )
        assert await scene.look() == []
        await scene.step(2, Step.ACKNOWLEDGE)
        assert short(await scene.look(3600)) == ["2.0|warden-1"]

    play(where, body)
