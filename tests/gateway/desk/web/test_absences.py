"""Somebody is away from home: that a flat is empty is known to whom the resident named, and to nobody else at all."""

import asyncio
import uuid
from dataclasses import replace

import httpx
import pytest

from gateway.core.events import Change, Place, Words
from gateway.desk.feed import Feed
from gateway.desk.masking import is_discreet
from gateway.desk.routing import Role
from gateway.desk.sending import Delivered, Rejected, Result
from gateway.desk.store import news, people
from gateway.desk.web.endpoints import Endpoint
from gateway.desk.web.live import Live
from gateway.desk.web.showing import Showing
from tests.desk_canary import CODE, agreed, arrival, consent, found_in
from tests.desk_cases import ALL, CASES, HERE, STREAM
from tests.desk_parts import Phones
from tests.desk_web import Office, events_of, run
from tests.gateway.desk.web.test_residents import first_of, paged
from tests.gateway.desk.web.test_roles import PEOPLE, unhurried
from tests.uplink_parts import until

TEXT = Words(f"2 栋 1 单元 3 楼 {CODE} 住户外出", f"Nobody at home, building 2, {CODE}")
SAID = ("住户外出", "Nobody at home")
"""What the alert says in whatever words, so that it is found in any answer."""


async def leave(office: Office, kind: str = "care.away", change: Change = Change.RAISED) -> str:
    """Have the resident go out; return their alert."""
    raised = arrival(900_001, kind=kind, text=TEXT, change=change)
    await office.take(raised)
    return raised.alert


def told(alert: str, answer: httpx.Response) -> bool:
    """Return whether an answer gives away that somebody is away."""
    content = answer.content.decode("utf-8", "replace")
    return alert.rpartition("/")[2] in content or CODE in content or any(each in content for each in SAID)


@pytest.mark.parametrize("kind", ["care.away", "care.away_over"])
def test_kinds_that_say_that_a_flat_is_empty_are_discreet(kind: str) -> None:
    assert is_discreet(kind)
    assert not is_discreet("care.quiet")
    assert not is_discreet("care.newer")


@pytest.mark.parametrize("where", ["sqlite"], indirect=True)
@pytest.mark.parametrize("closed", [False, True])
def test_no_answer_to_anybody_whom_the_resident_did_not_name_says_that_they_are_away(
    where: str, closed: bool
) -> None:
    async def body(office: Office) -> None:
        unhurried(office)
        await consent(office, agreed("warden-1"))
        alert = await leave(office)
        if closed:
            await step(office, await office.phone("warden-1"), alert, "resolve")
        for person in [each for each in PEOPLE.values() if each != "warden-1"]:
            client = await office.phone(person)
            for endpoint in ALL:
                if (endpoint.method, endpoint.path) == STREAM:
                    continue
                answer = await asked(office, client, endpoint, alert)
                assert not told(alert, answer), (person, endpoint.path)
                if endpoint.path == "/api/me/leave":
                    client = await office.phone(person)
            assert (await client.get(f"/api/alerts/{alert}")).status_code == 404
            several = {"id": str(uuid.uuid4()), "alerts": [alert]}
            answer = await client.post("/api/incidents/acknowledge", json=several)
            assert answer.json().get("done", 0) == 0

    run(where, body)


async def asked(office: Office, client: httpx.AsyncClient, endpoint: Endpoint, alert: str) -> httpx.Response:
    """Return the answer of an endpoint, aimed at the alert where it names one."""
    request = await CASES[endpoint.method, endpoint.path](office, HERE)
    path = request.path
    if "{gateway}/{subject}" in endpoint.path:
        path = endpoint.path.replace("{gateway}/{subject}", alert)
    return await client.request(endpoint.method, path, **request.body)


async def step(office: Office, client: httpx.AsyncClient, alert: str, name: str) -> httpx.Response:
    """Make a step as the page does."""
    made = {"id": str(uuid.uuid4()), "step": name}
    answer = await client.post(
        f"/api/alerts/{alert}/steps", json=made | ({"verdict": "real"} if name == "resolve" else {})
    )
    await office.parts.showing.load()
    return answer


@pytest.mark.parametrize("see", ["warden", "warden-1"])
def test_whom_the_resident_named_sees_it_with_the_door_and_can_see_to_it(where: str, see: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed(see))
        alert = await leave(office)
        client = await office.phone("warden-1")
        (listed,) = (await client.get("/api/alerts")).json()["alerts"]
        assert (listed["alert"], CODE in listed["where"]["zh"]) == (alert, True)
        answer = await client.get(f"/api/alerts/{alert}")
        assert answer.json()["view"] == "details"
        assert (await step(office, client, alert, "acknowledge")).json()["outcome"] == "done"
        assert (await step(office, client, alert, "resolve")).json()["outcome"] == "done"
        assert (await client.get("/api/alerts")).json()["alerts"] == []
        looks = (await (await office.phone("committee-1")).get("/api/looks")).json()["looks"]
        assert looks == []  # or the whole committee would read there that nobody is at home

    run(where, body)


def test_a_role_that_was_named_sees_it_only_where_it_holds(where: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("warden"))
        alert = await leave(office)
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        assert (await own.get(f"/api/alerts/{alert}")).status_code == 200
        assert (await foreign.get(f"/api/alerts/{alert}")).status_code == 404

    run(where, body)


@pytest.mark.parametrize(("see", "called"), [(("warden-1",), ["warden-1"]), ((), [])])
def test_it_rings_for_whom_the_resident_named_and_for_nobody_on_duty(
    where: str, see: tuple[str, ...], called: list[str]
) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed(*see))
        await leave(office, "care.away_over")
        phones = Phones(Delivered("ok"))
        await paged(office, phones)
        assert [each.address for each in phones.messages] == called
        assert all(found_in(each.text.encode()) == {CODE} for each in phones.messages)

    run(where, body)


@pytest.mark.parametrize("answer", [Delivered("ok"), Rejected("no", retryable=False)])
def test_that_it_rang_is_seen_by_nobody_else_either_also_where_nothing_reached_whom_it_was_for(
    where: str, answer: Result
) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("warden-1"))
        alert = await leave(office, "care.away_over")
        for _ in range(3):
            await paged(office, Phones(answer))
        for person in ("duty-room", "warden-2", "warden-1"):
            client = await office.phone(person)
            seen = [await client.get(f"/api/deliveries?state={state}") for state in ("delivered", "failed")]
            assert any(told(alert, each) for each in seen) is (person == "warden-1"), person
            assert not told(alert, await client.get("/shift")), person

    run(where, body)


def test_open_pages_are_told_of_it_and_of_its_end_only_where_somebody_was_named(where: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("warden-1"))
        alert = await leave(office)
        for person in ("warden-2", "property-1", "duty-room"):
            assert alert.encode() not in await first_of(office, person)
        assert CODE.encode() in await first_of(office, "warden-1")
        await step(office, await office.phone("warden-1"), alert, "resolve")
        for person in ("warden-2", "duty-room"):
            assert alert.encode() not in await first_of(office, person)
        states = [
            data["state"]
            for name, data, _ in events_of(await first_of(office, "warden-1"))
            if name == "alert"
        ]
        assert states == ["resolved"]

    run(where, body)


def test_consent_that_is_taken_back_hides_it_at_once(where: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("warden-1"))
        alert = await leave(office)
        client = await office.phone("warden-1")
        assert told(alert, await client.get("/api/alerts"))
        await consent(office)
        assert not told(alert, await client.get("/api/alerts"))
        assert (await client.get(f"/api/alerts/{alert}")).status_code == 404

    run(where, body)


def test_another_desk_lists_it_for_who_has_the_role_now_and_no_longer_for_who_had_it(where: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("warden"))
        alert = await leave(office)
        feed, showing = Feed(office.database, look_s=0.01), Showing(office.database)
        beside = Live(office.database, feed, showing)  # a desk that nobody told but the database they share
        running = [asyncio.create_task(each.run()) for each in (feed, beside)]
        await listed(showing, {"warden-1": [alert], "property-1": []})
        everybody = await office.parts.people.everybody()
        roles = [role for role in everybody.roles if role.person not in {"warden-1", "property-1"}]
        (place,) = {role.place for role in everybody.roles if role.person == "warden-1"}
        roles += [Role("property-1", "warden", place), Role("warden-1", "property", place)]
        async with office.database.transaction() as transaction:
            assert await people.replace(transaction, replace(everybody, roles=tuple(roles)))
            await news.tell(transaction, "people", ["the first desk"], office.at)
        await listed(showing, {"warden-1": [], "property-1": [alert]})
        for each in running:
            each.cancel()
        await asyncio.wait(running)

    run(where, body)


async def listed(showing: Showing, wanted: dict[str, list[str]]) -> None:
    """Return when this is what everybody finds in their list."""

    def found() -> dict[str, list[str]]:
        return {who: [each.alert for each in showing.open_in([Place()], who)] for who in wanted}

    await until(lambda: found() == wanted, what=str(wanted))


def test_what_stands_in_the_tables_everybody_reads_says_neither_who_nor_where(where: str) -> None:
    async def body(office: Office) -> None:
        alert = await leave(office)
        async with office.database.transaction() as transaction:
            (row,) = await transaction.fetch("SELECT * FROM alerts WHERE alert = $1", alert)
            places = await transaction.fetch("SELECT * FROM places")
        assert (row["place"], row["device"], row["body"]) == ("{}", "", "{}")
        assert row["zh"].startswith("住户外出")
        assert list(places) == []

    run(where, body)
