"""Alerts on the pages: the list, one in full, steps, a storm; in one's own places, and what a role may."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from gateway.core.events import Change, Place, Severity
from gateway.desk.store import work
from gateway.desk.web.permissions import ROLES
from gateway.desk.workflow import Command, Step
from tests.desk_parts import GATEWAY, PLACE_OF_COMPOUND, arrival
from tests.desk_web import Office, run
from tests.postgres import Cluster


async def step(client: httpx.AsyncClient, alert: str, name: str, **more: Any) -> httpx.Response:
    """Make a step."""
    told = {"id": str(uuid.uuid4()), "step": name, **more}
    return await client.post(f"/api/alerts/{alert}/steps", json=told)


async def only(client: httpx.AsyncClient, state: str = "open") -> dict[str, Any]:
    """Return the one alert of a list."""
    listed = (await client.get("/api/alerts", params={"state": state})).json()
    (alert,) = listed["alerts"]
    return dict(alert)


def test_an_alert_is_seen_through_to_its_end_and_every_step_is_told(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]
        assert (await step(client, name, "acknowledge")).json()["outcome"] == "done"
        assert (await step(client, name, "assign", to="property-1")).json()["alert"][
            "assignee"
        ] == "property-1"
        await step(client, name, "arrive")
        closed = (await step(client, name, "resolve", verdict="test", cause="烧烤", note="已通知")).json()
        assert closed["alert"]["state"] == "resolved"
        assert closed["alert"]["cause"] == "test: 烧烤"
        detail = (await client.get(f"/api/alerts/{name}")).json()
        steps = [each["step"] for each in detail["timeline"] if each["what"] == "step"]
        assert steps == ["acknowledge", "assign", "arrive", "resolve"]
        assert detail["timeline"][0]["what"] == "sensor"
        assert detail["contacts"][0]["phone"] == "119"
        await office.parts.showing.refresh([name])
        assert (await client.get("/api/alerts")).json() == {"alerts": [], "more": False}
        assert (await only(client, "closed"))["closed_by"] == "warden-1"

    run(where, body)


def test_a_step_sent_twice_is_made_once_and_answered_the_same(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]
        told = {"id": str(uuid.uuid4()), "step": "acknowledge"}
        answers = [(await client.post(f"/api/alerts/{name}/steps", json=told)).json() for _ in range(2)]
        assert answers[0] == answers[1]
        assert answers[0]["outcome"] == "done"

    run(where, body)


def test_who_comes_second_is_told_who_was_first(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        first, second = await office.phone("warden-1"), await office.phone("warden-2")
        name = (await only(first))["alert"]
        await step(first, name, "acknowledge")
        answer = (await step(second, name, "acknowledge")).json()
        assert (answer["outcome"], answer["alert"]["acknowledged_by"]) == ("already", "warden-1")

    run(where, body)


def test_an_order_that_comes_slowly_to_assign_somebody_holds_up_nobody(where: str) -> None:
    """Meanwhile it is time to read anew who there is, which is a transaction of its own and must not be one within."""

    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]

        async def slowly() -> AsyncIterator[bytes]:
            office.parts.people.forget()
            yield msgspec.json.encode({"id": str(uuid.uuid4()), "step": "assign", "to": "property-1"})

        async with asyncio.timeout(10):
            answer = await client.post(f"/api/alerts/{name}/steps", content=slowly())
            assert answer.json()["alert"]["assignee"] == "property-1"
            await office.take(arrival(2))

    run(where, body)


def test_an_acknowledgement_can_be_taken_back_for_a_moment_by_who_gave_it(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        giver, other = await office.phone("committee-1"), await office.phone("warden-1")
        name = (await only(giver))["alert"]
        await step(giver, name, "acknowledge")
        assert (await step(other, name, "undo")).status_code == 409
        assert (await step(giver, name, "undo")).json()["alert"]["state"] == "raised"
        await step(giver, name, "acknowledge")
        office.at += 31
        assert (await step(giver, name, "undo")).status_code == 409

    run(where, body)


@pytest.mark.parametrize(
    ("name", "more", "state"),
    [
        ("resolve", {"verdict": "real"}, "resolved"),
        ("resolve", {"verdict": "false"}, "false_alarm"),
        ("assign", {"to": "property-1"}, "assigned"),
        ("arrive", {}, "on_site"),
    ],
)
def test_an_acknowledgement_is_not_taken_back_once_somebody_has_gone_on_from_it(
    where: str, name: str, more: dict[str, Any], state: str
) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        giver, other = await office.phone("committee-1"), await office.phone("warden-1")
        alert = (await only(giver))["alert"]
        await step(giver, alert, "acknowledge")
        assert (await step(other, alert, name, **more)).json()["outcome"] == "done"
        assert (await step(giver, alert, "undo")).status_code == 409
        assert (await giver.get(f"/api/alerts/{alert}")).json()["alert"]["state"] == state

    run(where, body)


def test_what_was_taken_back_is_told_so_again_where_the_answer_was_lost(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        giver = await office.phone("committee-1")
        alert = (await only(giver))["alert"]
        await step(giver, alert, "acknowledge")
        for _ in range(2):
            answer = await step(giver, alert, "undo", id="00000000-0000-4000-8000-000000000001")
            assert (answer.status_code, answer.json()["outcome"]) == (200, "done")
        assert (await giver.get(f"/api/alerts/{alert}")).json()["alert"]["state"] == "raised"
        assert (await step(giver, alert, "undo")).status_code == 409

    run(where, body)


def test_an_acknowledgement_is_not_taken_back_where_another_desk_closes_the_alert_at_that_moment(
    postgres: Cluster,
) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        giver = await office.phone("committee-1")
        alert = (await only(giver))["alert"]
        await step(giver, alert, "acknowledge")
        async with office.database.transaction() as transaction:
            await work.take_step(transaction, Command("c-1", alert, Step.RESOLVE, "warden-1"), office.at)
            taking_back = asyncio.create_task(step(giver, alert, "undo"))
            while not await transaction.fetch("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0)
        assert (await taking_back).status_code == 409
        assert (await giver.get(f"/api/alerts/{alert}")).json()["alert"]["state"] == "resolved"

    run(postgres.database(), body)


def test_a_warden_of_another_compound_sees_nothing(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        name = (await only(own))["alert"]
        assert (await foreign.get("/api/alerts")).json()["alerts"] == []
        assert (await foreign.get(f"/api/alerts/{name}")).status_code == 404
        assert (await step(foreign, name, "acknowledge")).status_code == 404
        several = {"id": str(uuid.uuid4()), "alerts": [name]}
        answer = await foreign.post("/api/incidents/acknowledge", json=several)
        assert answer.json() == {"done": 0, "already": 0}
        assert "红星亭" not in (await foreign.get("/")).text
        assert (await only(own))["state"] == "raised"

    run(where, body)


@pytest.mark.parametrize("person", ["committee-1", "police-1"])
def test_who_only_helps_may_acknowledge_and_write_but_not_close(where: str, person: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone(person)
        name = (await only(client))["alert"]
        assert (await step(client, name, "resolve", verdict="real")).status_code == 403
        assert (await step(client, name, "note", note="看见烟")).json()["alert"]["note"] == "看见烟"
        assert (await step(client, name, "acknowledge")).json()["outcome"] == "done"

    run(where, body)


def test_an_alert_is_given_only_to_somebody_of_its_place(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]
        assert (await step(client, name, "assign", to="warden-9")).status_code == 400
        assert (await step(client, name, "assign", to="nobody-at-all")).status_code == 400
        assert "warden-9" not in (await client.get(f"/api/alerts/{name}")).json()["assignable"]

    run(where, body)


def test_a_storm_is_acknowledged_in_one_go_and_only_what_was_looked_at(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(*(arrival(seq) for seq in range(1, 31)))
        client = await office.phone("warden-1")
        alerts = (await client.get("/api/alerts")).json()["alerts"]
        seen = [each["alert"] for each in alerts[:20]]
        told = {"id": str(uuid.uuid4()), "alerts": seen}
        for _ in range(2):
            answer = await client.post("/api/incidents/acknowledge", json=told)
            assert answer.json() == {"done": 20, "already": 0}
        await office.parts.showing.load()
        left = [
            each for each in (await client.get("/api/alerts")).json()["alerts"] if each["state"] == "raised"
        ]
        assert len(left) == 10
        assert {each["alert"] for each in alerts} - set(seen) == {each["alert"] for each in left}

    run(where, body)


def test_the_list_begins_with_what_nobody_has_acknowledged_the_worst_first(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(
            arrival(1, kind="door.held", severity=Severity.MINOR), arrival(2), arrival(3, kind="fire.heat")
        )
        client = await office.phone("warden-1")
        await step(client, f"{GATEWAY}/{arrival(2).alert.partition('/')[2]}", "acknowledge")
        await office.parts.showing.load()
        kinds = [each["kind"] for each in (await client.get("/api/alerts")).json()["alerts"]]
        assert kinds == ["fire.heat", "door.held", "fire.smoke"]

    run(where, body)


@pytest.mark.parametrize("apart_s", [1, 0])
def test_closed_alerts_come_page_by_page_and_none_is_left_out(where: str, apart_s: int) -> None:
    async def body(office: Office) -> None:
        names = []
        await office.take(*(arrival(seq) for seq in range(1, 8)))
        client = await office.phone("warden-1")
        for alert in (await client.get("/api/alerts")).json()["alerts"]:
            office.at += apart_s
            await step(client, alert["alert"], "resolve", verdict="real")
            names.append(alert["alert"])
        found: list[str] = []
        before, than, more = office.at + 1, "", True
        while more:
            wanted: dict[str, str | float] = {"state": "closed", "limit": 3, "before": before, "than": than}
            listed = (await client.get("/api/alerts", params=wanted)).json()
            found += [each["alert"] for each in listed["alerts"]]
            last, more = listed["alerts"][-1], listed["more"]
            before, than = last["closed_at"], last["alert"]
        assert found == (names[::-1] if apart_s else sorted(names, reverse=True))

    run(where, body)


def test_what_a_sensor_says_later_never_wipes_what_people_wrote(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1, life=1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]
        await step(client, name, "assign", to="property-1", note="老人独居")
        await office.take(arrival(2, life=1, change=Change.CLEARED, previous=1))
        alert = await only(client)
        assert (alert["change"], alert["assignee"], alert["note"]) == ("cleared", "property-1", "老人独居")

    run(where, body)


def test_an_alert_that_its_gateway_has_forgotten_is_closed_by_people_and_stays_closed(where: str) -> None:
    """Told from memory on a dead disk and forgotten with the power: it never clears, and what comes next is another."""

    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]
        await office.take(arrival(1 << 20, previous=None))
        told = (await step(client, name, "resolve", verdict="real", note="网关换了卡")).json()
        assert (told["outcome"], told["alert"]["change"]) == ("done", "raised")
        await office.take(arrival((1 << 20) + 1, life=1 << 20, change=Change.UPDATED))
        assert (await only(client))["alert"] != name
        assert (await only(client, "closed"))["alert"] == name

    run(where, body)


@pytest.mark.parametrize(
    "body_of",
    [
        b"",
        b"[]",
        b"{",
        b'{"id": "12345678", "step": "explode"}',
        b'{"id": "12345678", "step": "note", "note": 5}',
        b'{"id": "12345678", "step": "note", "extra": 5}',
        b'{"id": "1", "step": "note"}',
        b'{"id": "12345678", "step": "note", "note": "\\u0000"}',
        b"\xff\xfe",
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(where: str, body_of: bytes) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        name = (await only(client))["alert"]
        answer = await client.post(f"/api/alerts/{name}/steps", content=body_of)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad")
        assert answer.json()["zh"].startswith("请求有误")

    run(where, body)


def test_every_role_the_configuration_knows_has_its_line_in_the_table() -> None:
    from gateway.core import roles

    assert set(ROLES) == set(roles.ROLES)


def test_a_place_without_a_role_is_nobodys() -> None:
    from gateway.desk.web.permissions import Action, reach, reaches

    assert reach((), Action.SEE) == ()
    assert not reaches((), Place())
    assert not reaches((PLACE_OF_COMPOUND,), Place())
