"""A warden of another compound finds nothing of this one in any answer, whichever way they ask."""

import httpx
import pytest

from tests.desk_cases import ALL, CASES, HERE, STREAM, THERE, Request, fill
from tests.desk_web import Office, run

FOREIGN = (
    "红星亭", "hxtp-01", "warden-1", "warden-2", "property-1", "police-1", "committee-1", "administrator-1",
)  # fmt: skip
ESCAPED = tuple(name.encode("unicode_escape") for name in FOREIGN)
NAMING = {
    "/", "/api/alerts", "/api/alerts/{gateway}/{subject}", "/api/deliveries", "/api/devices", "/api/devices.csv",
    "/api/doors", "/api/duty", "/api/gateways", "/api/places", "/api/silences",
}  # fmt: skip


def names_in(content: bytes) -> set[str]:
    """Return which of the compound's names an answer has, however they are written."""
    return {
        name
        for name, escaped in zip(FOREIGN, ESCAPED, strict=True)
        if name.encode() in content or escaped in content
    }


async def everything(office: Office, client: httpx.AsyncClient) -> dict[str, httpx.Response]:
    """Return the answer of everything that can be looked at, asked about something in this compound."""
    found = {}
    for endpoint in ALL:
        if endpoint.method == "GET" and (endpoint.method, endpoint.path) != STREAM:
            request: Request = await CASES["GET", endpoint.path](office, HERE)
            found[endpoint.path] = await client.get(request.path)
    return found


def test_a_warden_of_another_compound_finds_no_name_of_this_one_and_its_own_warden_does(where: str) -> None:
    async def body(office: Office) -> None:
        for place in (HERE, THERE):
            await fill(office, place)
        foreign, own = await office.phone("warden-9"), await office.phone("warden-1")
        for path, answer in (await everything(office, foreign)).items():
            assert answer.status_code < 500, path
            assert names_in(answer.content) == set(), path
            assert names_in(str(answer.headers).encode()) == set(), path
        named = {path for path, answer in (await everything(office, own)).items() if names_in(answer.content)}
        assert named >= NAMING

    run(where, body)


@pytest.mark.parametrize("query", ["state=closed", "state=open&limit=500", "state=closed&before=1e12"])
def test_no_way_to_ask_for_the_list_shows_more(where: str, query: str) -> None:
    async def body(office: Office) -> None:
        await fill(office, HERE)
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        (alert, *_) = (await own.get("/api/alerts")).json()["alerts"]
        step = {"id": "00000000-0001", "step": "resolve", "verdict": "real", "note": "老人独居"}
        await own.post(f"/api/alerts/{alert['alert']}/steps", json=step)
        assert names_in((await foreign.get(f"/api/alerts?{query}")).content) == set()

    run(where, body)


def test_a_shared_phone_of_another_compound_in_the_hands_of_the_duty_room_shows_no_more(where: str) -> None:
    async def body(office: Office) -> None:
        for place in (HERE, THERE):
            await fill(office, place)
        client = await office.phone(None, THERE)
        assert (await client.post("/api/me/acting", json={"person": "duty-room"})).status_code == 200
        for path, answer in (await everything(office, client)).items():
            assert names_in(answer.content) == set(), path

    run(where, body)
