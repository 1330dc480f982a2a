"""Every endpoint and page, asked by everybody: who may is served, who may not is refused, elsewhere as well."""

import httpx
import pytest

from gateway.desk.store import phones
from gateway.desk.web.endpoints import Endpoint
from gateway.desk.web.permissions import ROLES, STEPS, Action
from gateway.desk.workflow import Step
from tests.desk_cases import ALL, CASES, HERE, STREAM, THERE, Request, raised
from tests.desk_web import Office, run

PEOPLE = {
    "administrator": "administrator-1",
    "duty_room": "duty-room",
    "property": "property-1",
    "warden": "warden-1",
    "police": "police-1",
    "committee": "committee-1",
}


LEAVING = {"/api/me/leave", "/api/me/acting"}
"""After which a phone is not what it was."""


def unhurried(office: Office) -> None:
    """Have so much time pass between two requests that nobody asks too often."""
    ticks = iter(range(1 << 30))
    office.parts.clock = lambda: float(next(ticks) * 100)


def endpoints() -> list[Endpoint]:
    """Return all that end."""
    return [each for each in ALL if (each.method, each.path) != STREAM]


async def asked(client: httpx.AsyncClient, endpoint: Endpoint, request: Request) -> str:
    """Return what came of a request: `ok`, or the code of its refusal."""
    answer = await client.request(endpoint.method, request.path, **request.body)
    if answer.status_code in {200, 206, 303}:
        return "ok"
    assert answer.status_code < 500, (endpoint.path, answer.text)
    return str(answer.json()["error"])


def test_every_endpoint_and_page_has_its_case() -> None:
    assert {(each.method, each.path) for each in ALL} - {STREAM} == set(CASES)
    assert set(PEOPLE) == set(ROLES)


def test_only_what_lets_a_phone_in_is_open_to_everybody() -> None:
    everybody = {(each.method, each.path) for each in ALL if each.action is None}
    pages = {
        "/",
        "/pair",
        "/shell",
        "/room",
        "/shift",
        "/admin",
        "/looks",
        "/manifest.webmanifest",
        "/worker.js",
    }
    assert everybody == {("POST", "/api/pair"), *(("GET", page) for page in pages)}
    assert {each.path for each in ALL if each.nobody} == {"/api/me", "/api/me/acting", "/api/me/leave"}


def test_nobody_but_who_is_meant_opens_doors_silences_closes_alerts_or_lets_phones_in() -> None:
    """Written once more, apart from the table: what the other tests here ask the table for is what it should say."""
    helps = {Action.SEE, Action.NOTE, Action.REPORT, Action.ACKNOWLEDGE}
    keeps = {*helps, Action.WORK, Action.SILENCE, Action.DOORS, Action.DEVICES}
    assert {
        "administrator": {*keeps, Action.PEOPLE, Action.LOOKS},
        "duty_room": keeps,
        "property": keeps,
        "warden": {*helps, Action.WORK, Action.DOORS},
        "police": {*helps, Action.DOORS},
        "committee": {*helps, Action.LOOKS},
    } == ROLES
    assert {step for step, action in STEPS.items() if action is not Action.WORK} == {
        Step.ACKNOWLEDGE,
        Step.NOTE,
    }
    assert (STEPS[Step.ACKNOWLEDGE], STEPS[Step.NOTE]) == (Action.ACKNOWLEDGE, Action.NOTE)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_may_what_the_table_says_in_its_own_places_and_nothing_elsewhere(
    where: str, role: str
) -> None:
    async def body(office: Office) -> None:
        unhurried(office)
        client = await office.phone(PEOPLE[role])
        for endpoint in endpoints():
            for place in (HERE, THERE):
                request = await CASES[endpoint.method, endpoint.path](office, place)
                found = await asked(client, endpoint, request)
                if endpoint.path == "/api/me/leave":
                    client = await office.phone(PEOPLE[role])
                told = (endpoint.method, endpoint.path, place.compound, found)
                if endpoint.path == "/api/orders/{id}" and endpoint.action in ROLES[role]:
                    assert found == "none", told  # who gave an order is the only one told of it
                elif endpoint.path in {"/api/pair", "/api/me/acting"}:  # no such word; a phone of one's own
                    assert found in {"token", "forbidden"}, told
                elif (
                    endpoint.path == "/looks"
                ):  # a page that sends a strange phone to be let in, like the others
                    assert found == ("ok" if Action.LOOKS in ROLES[role] else "forbidden"), told
                elif endpoint.action is not None and endpoint.action not in ROLES[role]:
                    assert found == "forbidden", told
                elif request.scoped and place == THERE and role != "duty_room":  # who is everywhere
                    assert found in {"forbidden", "none"}, told
                else:
                    assert found == "ok", told

    run(where, body)


@pytest.mark.parametrize("phone", ["none", "revoked", "unknown", "shared"])
def test_a_phone_without_somebody_gets_nothing(where: str, phone: str) -> None:
    async def body(office: Office) -> None:
        unhurried(office)
        client = await _nobodys(office, phone)
        for endpoint in endpoints():
            request = await CASES[endpoint.method, endpoint.path](office, HERE)
            found = await asked(client, endpoint, request)
            if endpoint.path in LEAVING:
                client = await _nobodys(office, phone)
            told = (endpoint.method, endpoint.path, found)
            if endpoint.action is None:
                assert found in {"ok", "token"}, told
            elif phone == "shared" and endpoint.nobody:
                assert found == "ok", told
            else:
                assert found == ("nobody" if phone == "shared" else "no_phone"), told

    run(where, body)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_step_is_made_by_whose_role_may_make_it_and_by_nobody_elsewhere(where: str, role: str) -> None:
    more = {"assign": {"to": "duty-room"}, "note": {"note": "x"}, "resolve": {"verdict": "real"}}

    async def body(office: Office) -> None:
        client = await office.phone(PEOPLE[role])
        for step in Step:
            for place in (HERE, THERE):
                alert = (await raised(office, place)).alert
                made = {"id": f"{alert[-12:]}-{step.replace('_', '-')}", "step": step, **more.get(step, {})}
                answer = await client.post(f"/api/alerts/{alert}/steps", json=made)
                if place == THERE and role != "duty_room":
                    assert answer.status_code == 404, (step, answer.text)
                elif STEPS[step] in ROLES[role]:
                    assert answer.status_code == 200, (step, answer.text)
                else:
                    assert answer.json()["error"] == "forbidden", (step, answer.text)

    run(where, body)


def test_every_step_has_its_action() -> None:
    assert set(STEPS) == set(Step)
    assert set(Action) == {action for actions in ROLES.values() for action in actions}


async def _nobodys(office: Office, phone: str) -> httpx.AsyncClient:
    """Return a browser behind which there is nobody."""
    if phone == "none":
        return office.client()
    if phone == "unknown":
        client = office.client()
        client.cookies.set("desk", "A" * 43)
        return client
    if phone == "shared":
        return await office.phone(None, HERE)
    client = await office.phone("warden-1")
    async with office.database.transaction() as transaction:
        for each in await phones.everyone(transaction):
            if each.person == "warden-1":
                await phones.revoke(transaction, each.phone, office.at)
    return client
