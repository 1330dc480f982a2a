"""One resident with words nobody else has, looked for in every answer of the desk: only who may see them finds any.

RESIDENTS=1 asks every endpoint as everybody over both databases, with a consent and without; else over one.
"""

import logging
import os
import re
import uuid
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from gateway.desk.delivery import Delivery
from gateway.desk.escalating import Escalation
from gateway.desk.sending import Delivered, Rejected
from gateway.desk.store import work
from gateway.desk.web.endpoints import Endpoint
from gateway.desk.workflow import Command, Step
from tests.desk_canary import (
    CAUSE,
    CODE,
    DEVICE,
    DOOR,
    NAME,
    REMARK,
    SECRETS,
    Canary,
    agreed,
    consent,
    found_in,
    perch,
)
from tests.desk_cases import ALL, CASES, HERE, STREAM
from tests.desk_parts import RULES, Phones
from tests.desk_web import Office, events_of, run
from tests.gateway.desk.web.test_roles import PEOPLE, unhurried

AIMED: Final[dict[str, Callable[[Canary], str]]] = {
    "{gateway}/{subject}": lambda canary: canary.alert,
    "{sha256}": lambda canary: canary.photo,
    "{gateway}/{device}": lambda _: f"hxtp-01/{DEVICE}",
}
"""What a path names, aimed at the resident. One that names something else is of no resident, and stands in OTHER."""

OTHER: Final = {"{gateway}/{door}/{action}", "{id}", "{phone}"}
DEVICES: Final = {"assets": {DEVICE, CODE, NAME}, "news": {DEVICE}, "gateways": {DEVICE}}
"""Where a device itself is spoken of, by name and label: who may read that is looked at when it is asked for."""

WHOLE: Final = bool(os.environ.get("RESIDENTS"))
"""What is asked over one database holds for both: what their tables hold is looked at in each."""

_NAMED: Final = re.compile(r"\{.*\}")
PUT: Final = {"version": 0, "note": "x"}


def aimed(endpoint: Endpoint, canary: Canary) -> str | None:
    """Return the path of an endpoint about the resident; None where it names nothing of theirs."""
    match = _NAMED.search(endpoint.path)
    if match is None or match[0] in OTHER:
        return None
    return endpoint.path.replace(match[0], AIMED[match[0]](canary))


async def asked(
    office: Office, client: httpx.AsyncClient, endpoint: Endpoint, canary: Canary
) -> list[httpx.Response]:
    """Return the answers of an endpoint: as it is asked in general, and about the resident."""
    request = await CASES[endpoint.method, endpoint.path](office, HERE)
    body = dict(request.body)
    answers = [await client.request(endpoint.method, request.path, **body)]
    if (path := aimed(endpoint, canary)) is not None:
        if endpoint.method == "PUT":
            body = {"json": PUT}
        answers.append(await client.request(endpoint.method, path, **body))
    return answers


async def written(office: Office, canary: Canary, who: str = "property-1") -> None:
    """Have somebody write about the resident, and close their alert."""
    steps = (
        Command("n-1", canary.alert, Step.NOTE, who, note=REMARK),
        Command("n-2", canary.alert, Step.RESOLVE, who, note=REMARK, cause=f"real: {CAUSE}"),
    )
    async with office.database.transaction() as transaction:
        for each in steps:
            await work.take_step(transaction, each, office.at)
    await office.parts.showing.load()


def test_every_endpoint_that_names_something_is_aimed_at_the_resident_or_said_to_be_of_none() -> None:
    named = {match[0] for each in ALL if (match := _NAMED.search(each.path))}
    assert named == {*AIMED, *OTHER}


@pytest.mark.parametrize("where", ["sqlite", "postgres"] if WHOLE else ["sqlite"], indirect=True)
@pytest.mark.parametrize("see", [(), ("nobody-else",)] if WHOLE else [("nobody-else",)])
@pytest.mark.parametrize("closed", [False, True])
def test_no_answer_to_anybody_whom_a_resident_did_not_agree_to_holds_a_word_of_theirs(
    where: str, see: tuple[str, ...], closed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # libraries as well, as `-vv` has them

    async def body(office: Office) -> None:
        unhurried(office)
        await consent(office, *([agreed(*see)] if see else []))
        canary = await perch(office)
        if closed:
            await written(office, canary)
        for role, person in PEOPLE.items():
            client = await office.phone(person)
            for endpoint in ALL:
                if (endpoint.method, endpoint.path) == STREAM or endpoint.path.endswith("/steps"):
                    continue  # these are asked below: a stream never ends, and who takes a step is told the door
                for answer in await asked(office, client, endpoint, canary):
                    assert answer.status_code < 500, endpoint.path
                    told = found_in(answer.content) | found_in(str(answer.headers).encode())
                    assert told == set(), (role, endpoint.method, endpoint.path, told)
                if endpoint.path == "/api/me/leave":
                    client = await office.phone(person)

    run(where, body)
    assert found_in(caplog.text.encode()) == set()


def test_no_table_but_their_own_holds_a_word_of_a_resident(where: str) -> None:
    """So whatever is made of the other tables, by a route that nobody has thought of yet, cannot tell it."""

    async def body(office: Office) -> None:
        await consent(office, agreed("committee"))
        canary = await perch(office)
        phones = Phones(Rejected("said again: {}", retryable=False))
        await paged(office, phones)
        await written(office, canary)
        async with office.database.transaction() as transaction:
            tables = await transaction.fetch(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
                if where.endswith(".db")
                else "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
            )
            for table in {row["name"] for row in tables} - {"care", "care_told", "consents"}:
                for row in await transaction.fetch(f'SELECT * FROM "{table}"'):
                    told = found_in(str(_values(row)).encode())
                    assert told <= DEVICES.get(table, set()), (table, told)
            rows = await transaction.fetch("SELECT told FROM care_told WHERE alert = $1", canary.alert)
        assert found_in("".join(row["told"] for row in rows).encode()) >= {REMARK, CAUSE, CODE, DEVICE}

    run(where, body)


def _values(row: Any) -> tuple[object, ...]:
    """Return all columns of a row of either database."""
    return tuple(row[name] for name in row.keys())  # noqa: SIM118 - a row's own iteration is over its values


async def paged(office: Office, phones: Phones) -> None:
    """Have whoever is due called, over whatever channel they have."""
    await Escalation(office.database, RULES, now=lambda: office.at).look()
    delivery = Delivery(
        office.database, {"phones": phones, "bot": phones}, owner="desk-1", now=lambda: office.at
    )
    await delivery.look()
    await office.parts.showing.load()


def test_who_is_called_is_told_the_door_at_once_and_neither_name_nor_what_was_measured(where: str) -> None:
    async def body(office: Office) -> None:
        phones = Phones(Delivered("ok"))
        canary = await perch(office)
        client, other = await office.phone("warden-1"), await office.phone("warden-2")
        await paged(office, phones)
        (message,) = phones.messages
        assert found_in(message.text.encode()) == {CODE}
        assert message.text.startswith(f"2 栋 1 单元 3 楼 {CODE}：")
        for path in ("/api/alerts", f"/api/alerts/{canary.alert}", "/", "/room"):
            assert found_in((await client.get(path)).content) == {CODE}, path
            assert found_in((await other.get(path)).content) == set(), path
        assert (await client.get(f"/api/alerts/{canary.alert}")).json()["view"] == "place"
        assert found_in((await client.get("/api/deliveries?state=delivered")).content) == set()

    run(where, body)


@pytest.mark.parametrize("step", ["acknowledge", "arrive"])
def test_whoever_takes_it_on_sees_the_door_in_the_answer_and_no_longer_once_it_is_closed(
    where: str, step: str
) -> None:
    async def body(office: Office) -> None:
        canary = await perch(office)
        client = await office.phone("property-1")
        path = f"/api/alerts/{canary.alert}"
        assert found_in((await client.get(path)).content) == set()
        answer = await client.post(f"{path}/steps", json={"id": str(uuid.uuid4()), "step": step})
        assert answer.json()["alert"]["where"]["zh"] == f"2 栋 1 单元 3 楼 {CODE}"
        assert found_in(answer.content) == {CODE}
        await office.parts.showing.load()
        assert found_in((await client.get("/api/alerts")).content) == {CODE}
        told = {"id": str(uuid.uuid4()), "step": "resolve", "verdict": "real", "cause": CAUSE, "note": REMARK}
        answer = await client.post(f"{path}/steps", json=told)
        assert (answer.json()["outcome"], found_in(answer.content)) == ("done", set())
        assert answer.json()["alert"]["cause"] == "real"
        for each in (path, "/api/alerts?state=closed", "/shift"):
            assert found_in((await client.get(each)).content) == set(), each

    run(where, body)


def test_who_comes_second_to_the_spot_sees_the_door_as_well(where: str) -> None:
    async def body(office: Office) -> None:
        canary = await perch(office)
        first, second = await office.phone("property-1"), await office.phone("warden-2")
        path = f"/api/alerts/{canary.alert}"
        await first.post(f"{path}/steps", json={"id": str(uuid.uuid4()), "step": "acknowledge"})
        assert found_in((await second.get(path)).content) == set()
        answer = await second.post(f"{path}/steps", json={"id": str(uuid.uuid4()), "step": "arrive"})
        assert answer.json()["outcome"] == "done"
        await office.parts.showing.load()
        for told in (answer, await second.get(path), await second.get("/api/alerts")):
            assert found_in(told.content) == {CODE}
        assert found_in((await (await office.phone("police-1")).get(path)).content) == set()

    run(where, body)


@pytest.mark.parametrize("see", ["committee", "committee-1"])
def test_whom_a_resident_agreed_to_sees_everything_in_full_and_only_there(where: str, see: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed(see))
        canary = await perch(office)
        await written(office, canary)
        client = await office.phone("committee-1")
        answer = await client.get(f"/api/alerts/{canary.alert}")
        assert answer.json()["view"] == "details"
        assert found_in(answer.content) == set(SECRETS)
        assert (await client.get(f"/files/{canary.photo}")).status_code == 200
        assert DEVICE in (await client.get("/api/devices.csv")).text
        for path in (
            "/api/alerts",
            "/api/alerts?state=closed",
            "/shift",
            "/api/deliveries?state=delivered",
            "/room",
        ):
            assert found_in((await client.get(path)).content) - {DEVICE} == set(), path

    run(where, body)


def test_consent_to_a_role_holds_only_where_that_role_does(where: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("warden"))
        canary = await perch(office)
        foreign, own = await office.phone("warden-9"), await office.phone("warden-2")
        assert (await foreign.get(f"/api/alerts/{canary.alert}")).status_code == 404
        assert NAME in (await own.get(f"/api/alerts/{canary.alert}")).text

    run(where, body)


def test_consent_that_is_taken_back_is_gone_with_the_next_answer(where: str) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("committee"))
        canary = await perch(office)
        client = await office.phone("committee-1")
        path = f"/api/alerts/{canary.alert}"
        assert found_in((await client.get(path)).content) >= {CODE, NAME}
        await consent(office)
        assert found_in((await client.get(path)).content) == set()
        assert (await client.get(f"/files/{canary.photo}")).status_code == 404
        assert found_in((await client.get("/api/devices")).content) == set()

    run(where, body)


@pytest.mark.parametrize(
    ("shown", "spot"), [("building", "2 栋"), ("unit", "2 栋 1 单元"), ("floor", "2 栋 1 单元 3 楼")]
)
def test_everybody_sees_as_much_of_the_place_as_the_resident_agreed_to(
    where: str, shown: str, spot: str
) -> None:
    async def body(office: Office) -> None:
        await perch(office)
        await consent(office, agreed(shown=shown))
        client = await office.phone("police-1")
        (alert,) = (await client.get("/api/alerts")).json()["alerts"]
        assert (alert["where"]["zh"], alert["what"]["zh"]) == (spot, "可能有人跌倒")
        assert alert["kind"] == "care.fall"
        assert alert["hidden"]

    run(where, body)


async def first_of(office: Office, person: str) -> bytes:
    """Return what a page of somebody's is told of all that happened."""
    reach = tuple(
        role.place for role in (await office.parts.people.everybody()).roles if role.person == person
    )
    stream = office.parts.live.follow("phone", reach, 0, person)
    try:
        return await anext(stream)
    finally:
        await stream.aclose()  # type: ignore[attr-defined]


def test_open_pages_are_told_the_door_only_of_who_is_called(where: str) -> None:
    async def body(office: Office) -> None:
        await perch(office)
        assert found_in(await first_of(office, "warden-1")) == set()
        await paged(office, Phones(Delivered("ok")))
        assert found_in(await first_of(office, "warden-1")) == set(DOOR)
        assert found_in(await first_of(office, "property-1")) == set()
        last = [data for name, data, _ in events_of(await first_of(office, "warden-1")) if name == "alert"][
            -1
        ]
        assert CODE in last["where"]["zh"]

    run(where, body)


def test_every_look_at_what_only_some_may_see_is_on_record_for_the_committee_and_nobody_can_change_it(
    where: str,
) -> None:
    async def body(office: Office) -> None:
        await consent(office, agreed("committee"))
        canary = await perch(office)
        await paged(office, Phones(Delivered("ok")))
        committee, warden = await office.phone("committee-1"), await office.phone("warden-1")
        await warden.get(f"/api/alerts/{canary.alert}")
        await committee.get(f"/api/alerts/{canary.alert}")
        await committee.get(f"/api/alerts/{canary.alert}")  # the page asks again: one look
        await committee.get(f"/files/{canary.photo}")
        await (await office.phone("police-1")).get(f"/api/alerts/{canary.alert}")  # sees nothing more
        answer = await committee.get("/api/looks")
        told = [(each["who"], each["what"], each["alert"]) for each in answer.json()["looks"]]
        assert told == [
            ("committee-1", "picture", canary.alert),
            ("committee-1", "details", canary.alert),
            ("warden-1", "place", canary.alert),
        ]
        for path in ("/api/looks", "/api/looks.csv", "/looks"):
            answer = await committee.get(path)
            assert answer.status_code == 200
            assert found_in(answer.content) == set()
            assert b"committee-1" in answer.content
            assert (await warden.get(path)).status_code == 403
        for change in ("UPDATE looks SET who = 'x'", "DELETE FROM looks"):
            with pytest.raises(Exception, match="append-only"):
                async with office.database.transaction() as transaction:
                    await transaction.execute(change)
        assert len((await committee.get("/api/looks")).json()["looks"]) == 3

    run(where, body)


def test_what_a_service_answers_is_kept_without_the_door_it_was_told(where: str) -> None:
    class Parrot(Phones):
        async def send(self, message: Any) -> Any:
            await super().send(message)
            return Rejected(f"cannot send: {message.text}", retryable=False)

    async def body(office: Office) -> None:
        await perch(office)
        await paged(office, Parrot())
        async with office.database.transaction() as transaction:
            rows = await transaction.fetch("SELECT answer FROM notifications")
        assert found_in(str([row["answer"] for row in rows]).encode()) == set()

    run(where, body)
