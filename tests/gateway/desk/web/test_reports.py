"""Reports by hand: an alert like any other, once, each for itself, in the reporter's own places, told to the duty."""

import uuid
from typing import Any

import msgspec
import pytest

from gateway.core.events import Place, Severity
from gateway.desk.escalating import Escalation
from gateway.desk.reporting import Report, arrival, completed
from gateway.desk.routing import Directory, Role
from gateway.desk.store import notices
from tests import desk_parts
from tests.desk_parts import NOW, PLACE_OF_COMPOUND, RULES, compound
from tests.desk_web import Office, run, staff
from tests.events import PLACE
from tests.gateway.desk.web.test_files import put

HERE = msgspec.to_builtins(PLACE_OF_COMPOUND)
HOUSE = {**HERE, "building": "2"}


def wanted(**changes: Any) -> dict[str, Any]:
    """Return what somebody may report."""
    told = {"id": str(uuid.uuid4()), "what": "hazard", "text": "消防通道 被堵", "place": HOUSE}
    return {**told, **changes}


def test_a_report_becomes_an_alert_that_is_told_and_seen_to_its_end(where: str) -> None:
    async def body(office: Office) -> None:
        helper, warden = await office.phone("committee-1"), await office.phone("warden-1")
        photo = await put(helper)
        told = wanted(photos=[photo])
        made = (await helper.post("/api/reports", json=told)).json()["alert"]
        assert made["zh"] == "2 栋 有人上报隐患：消防通道 被堵"
        assert made["en"] == "Hazard reported, building 2: 消防通道 被堵"
        assert (made["kind"], made["severity"], made["state"]) == ("report.hazard", "minor", "raised")
        assert made["evidence"] == [{"sha256": photo, "kind": "photo"}]
        assert made["place"] == HOUSE
        await Escalation(office.database, RULES, now=lambda: NOW).look()
        async with office.database.transaction() as transaction:
            (page,) = await notices.everything(transaction)
        assert (page["person"], "消防通道 被堵" in page["zh"]) == ("warden-1", True)
        await office.parts.showing.load()
        path = f"/api/alerts/{made['alert']}"
        assert [each["alert"] for each in (await warden.get("/api/alerts")).json()["alerts"]] == [
            made["alert"]
        ]
        assert (await warden.get(f"/files/{photo}")).status_code == 200
        timeline = (await warden.get(path)).json()["timeline"]
        assert (timeline[0]["detail"]["by"], timeline[0]["detail"]["note"]) == (
            "committee-1",
            "消防通道 被堵",
        )
        step = {"id": "00000000-0001", "step": "resolve", "verdict": "real", "cause": "已清理"}
        assert (await warden.post(f"{path}/steps", json=step)).json()["alert"]["state"] == "resolved"

    run(where, body)


def test_a_report_sent_twice_is_one_alert(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        told = wanted()
        first = (await client.post("/api/reports", json=told)).json()
        office.at += 60
        assert (await client.post("/api/reports", json=told)).json() == first
        async with office.database.transaction() as transaction:
            assert len(await transaction.fetch("SELECT alert FROM work")) == 1

    run(where, body)


def test_the_id_of_somebody_elses_report_takes_nothing_from_it_and_tells_nothing_of_it(where: str) -> None:
    async def body(office: Office) -> None:
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        told = wanted()
        await own.post("/api/reports", json=told)
        answer = await foreign.post("/api/reports", json={**told, "place": {**HERE, "compound": "别的院"}})
        assert (answer.status_code, answer.json()["error"]) == (409, "changed")

    run(where, body)


def test_two_reports_are_two_incidents_however_alike(where: str) -> None:
    async def body(office: Office) -> None:
        client, other = await office.phone("warden-1"), await office.phone("committee-1")
        first = (await client.post("/api/reports", json=wanted())).json()["alert"]
        second = (await other.post("/api/reports", json=wanted())).json()["alert"]
        assert first["incident"] != second["incident"]

    run(where, body)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"place": {}}, 403),
        ({"place": {**HERE, "compound": "别的院"}}, 403),
        ({"text": ""}, 400),
        ({"text": " \n "}, 400),
        ({"text": "x" * 2_001}, 400),
        ({"what": "joke"}, 400),
        ({"severity": "info"}, 400),
        ({"photos": ["0" * 64] * 11}, 400),
        ({"photos": ["../etc/passwd"]}, 400),
        ({"severity": "critical"}, 200),
        ({"what": "request"}, 200),
        ({"photos": ["0" * 64]}, 200),  # the photo is gone, what was seen is not
    ],
)
def test_what_is_reported_is_looked_at(where: str, changes: dict[str, Any], status: int) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        answer = await client.post("/api/reports", json=wanted(**changes))
        assert answer.status_code == status, answer.text
        if status == 200:
            assert answer.json()["alert"]["evidence"] == []

    run(where, body)


def test_a_place_named_in_short_is_found_by_those_above_it(where: str) -> None:
    base = staff()
    short = Role("committee-1", "committee", Place(compound=PLACE.compound))
    street = Role("warden-9", "warden", Place(community=PLACE.community))
    kept = tuple(role for role in base.roles if role.person not in {"committee-1", "warden-9"})
    directory = Directory(base.people, (*kept, short, street), base.duties)

    async def body(office: Office) -> None:
        await office.take(desk_parts.arrival(1))
        client = await office.phone("committee-1")
        place = {"compound": PLACE.compound, "building": "5"}
        made = (await client.post("/api/reports", json=wanted(place=place))).json()["alert"]
        assert made["place"] == {**HERE, "building": "5"}
        await office.parts.showing.load()
        seen = (await (await office.phone("warden-9")).get("/api/alerts")).json()["alerts"]
        assert made["alert"] in {each["alert"] for each in seen}

    run(where, body, directory)


def test_a_place_is_completed_only_where_there_is_no_doubt() -> None:
    here, there = PLACE_OF_COMPOUND, msgspec.structs.replace(PLACE_OF_COMPOUND, community="嘉陵路")
    short = Place(compound=PLACE.compound, building="9")
    assert completed(short, [here, compound("别的院")]) == msgspec.structs.replace(here, building="9")
    assert completed(short, [here, there]) == short
    assert completed(short, []) == short
    assert completed(Place(), [here]) == Place()
    assert completed(here, [PLACE]) == here


def test_a_long_text_is_cut_in_the_list_and_whole_in_the_record() -> None:
    report = Report("id", "request", "很" * 900, PLACE, Severity.MINOR, "warden-1")
    event = arrival(report, NOW)
    assert len(event.text.zh) < 350
    assert event.text.zh.endswith("…")
    assert "很" * 900 in event.body
