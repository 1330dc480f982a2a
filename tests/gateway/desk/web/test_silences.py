"""Silences by the phone: bounded, with a reason, in one's own places, never about what is vital."""

import uuid
from typing import Any

import msgspec
import pytest

from gateway.core.events import Place
from gateway.desk.store import people, work
from tests.desk_parts import PLACE_OF_COMPOUND, compound
from tests.desk_web import Office, run

HERE = msgspec.to_builtins(PLACE_OF_COMPOUND)


def wanted(**changes: Any) -> dict[str, Any]:
    """Return a silence somebody may want."""
    told = {"id": str(uuid.uuid4()), "place": HERE, "kind": "door", "minutes": 60, "reason": "装修"}
    return {**told, **changes}


def test_a_nuisance_is_silenced_for_a_while_seen_by_all_and_ended_on_record(where: str) -> None:
    async def body(office: Office) -> None:
        keeper, helper = await office.phone("property-1"), await office.phone("committee-1")
        told = wanted()
        made = (await keeper.post("/api/silences", json=told)).json()
        assert (made["until"], made["who"], made["mine"]) == (office.at + 3600, "property-1", True)
        office.at += 5
        assert (await keeper.post("/api/silences", json=told)).json() == made
        (seen,) = (await helper.get("/api/silences")).json()["silences"]
        assert (seen["reason"], seen["mine"]) == ("装修", False)
        assert (await helper.delete(f"/api/silences/{made['id']}")).status_code == 403
        assert (await keeper.delete(f"/api/silences/{made['id']}")).json() == {"id": made["id"]}
        assert (await helper.get("/api/silences")).json() == {"silences": []}
        async with office.database.transaction() as transaction:
            assert await people.silences(transaction, office.at) == []
            trail = await work.trail(transaction, f"silence/{made['id']}")
            told_of = await transaction.fetch("SELECT subject FROM news WHERE topic = 'silence'")
        assert [row["step"] for row in trail] == ["silences", "ends the silence"]
        assert {row["subject"] for row in told_of} == {made["id"]}

    run(where, body)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"kind": "fire"}, 403, "vital"),
        ({"kind": "fire.smoke"}, 403, "vital"),
        ({"kind": "care.sos"}, 403, "vital"),
        ({"kind": "fire.fault"}, 200, ""),
        ({"kind": ""}, 200, ""),
        ({"kind": "Fire"}, 400, "bad"),
        ({"minutes": 0}, 400, "bad"),
        ({"minutes": 7 * 24 * 60 + 1}, 400, "bad"),
        ({"reason": ""}, 400, "bad"),
        ({"reason": "   "}, 400, "bad"),
        ({"place": {}}, 403, "forbidden"),
        ({"place": msgspec.to_builtins(compound("别的院"))}, 403, "forbidden"),
    ],
)
def test_what_may_be_silenced_is_bounded(where: str, changes: dict[str, Any], status: int, code: str) -> None:
    async def body(office: Office) -> None:
        keeper = await office.phone("property-1")
        answer = await keeper.post("/api/silences", json=wanted(**changes))
        assert (answer.status_code, answer.json().get("error", "")) == (status, code)

    run(where, body)


def test_a_silence_of_another_place_is_not_seen_and_one_of_the_whole_street_is(where: str) -> None:
    async def body(office: Office) -> None:
        room, own, foreign = [await office.phone(name) for name in ("duty-room", "property-1", "warden-9")]
        here = (await own.post("/api/silences", json=wanted())).json()["id"]
        assert (await foreign.get("/api/silences")).json() == {"silences": []}
        assert (await foreign.delete(f"/api/silences/{here}")).status_code == 403
        street = (await room.post("/api/silences", json=wanted(place={}))).json()["id"]
        assert [each["id"] for each in (await foreign.get("/api/silences")).json()["silences"]] == [street]
        assert (await own.delete(f"/api/silences/{street}")).status_code == 403
        assert (await own.delete("/api/silences/none-at-all")).status_code == 404

    run(where, body)


def test_who_ends_a_silence_ends_that_one_alone(where: str) -> None:
    async def body(office: Office) -> None:
        keeper = await office.phone("property-1")
        first, second = [
            (await keeper.post("/api/silences", json=wanted(minutes=minutes))).json()["id"]
            for minutes in (30, 60)
        ]
        await keeper.delete(f"/api/silences/{second}")
        (left,) = (await keeper.get("/api/silences")).json()["silences"]
        assert left["id"] == first

    run(where, body)


def test_the_name_of_a_silence_cannot_be_taken_over(where: str) -> None:
    async def body(office: Office) -> None:
        room, own = await office.phone("duty-room"), await office.phone("property-1")
        told = wanted()
        await own.post("/api/silences", json=told)
        answer = await room.post("/api/silences", json={**told, "place": {}})
        assert (answer.status_code, answer.json()["error"]) == (409, "changed")
        async with office.database.transaction() as transaction:
            (silence,) = await people.silences(transaction, office.at)
        assert silence.place != Place()

    run(where, body)
