"""Phones: let in once by a word, known by a cookie, shared, sent away; and nothing is changed from a foreign page."""

import pytest

from gateway.core.events import Place
from gateway.desk.routing import Directory, Duty
from gateway.desk.store import phones
from gateway.desk.store.phones import Phone
from gateway.desk.web.api_me import me_of
from gateway.desk.web.asking import COOKIE, asker
from tests.desk_parts import NOW, PLACE_OF_COMPOUND, arrival
from tests.desk_web import HOST, Office, run, staff


def test_a_phone_is_let_in_once_by_its_word_and_known_afterwards(where: str) -> None:
    async def body(office: Office) -> None:
        token = await office.token("warden-1")
        first, second = office.client(), office.client()
        answer = await first.post("/api/pair", json={"token": token, "label": "小米"})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert "Secure" not in cookie
        assert (await first.get("/api/me")).json()["person"] == "warden-1"
        again = await second.post("/api/pair", json={"token": token})
        assert (again.status_code, again.json()["error"]) == (403, "token")
        assert (await second.get("/api/me")).status_code == 401

    run(where, body)


def test_over_https_the_cookie_is_sent_over_https_only(where: str) -> None:
    async def body(office: Office) -> None:
        client = office.client(**{"x-forwarded-proto": "https"})
        answer = await client.post("/api/pair", json={"token": await office.token("warden-1")})
        assert "Secure" in answer.headers["set-cookie"]

    run(where, body)


def test_a_word_is_good_for_five_minutes(where: str) -> None:
    async def body(office: Office) -> None:
        token = await office.token("warden-1")
        office.at += phones.PAIRING_S + 1
        answer = await office.client().post("/api/pair", json={"token": token})
        assert answer.json()["error"] == "token"

    run(where, body)


def test_neither_word_nor_secret_stands_in_the_database(where: str) -> None:
    async def body(office: Office) -> None:
        token = await office.token("warden-1")
        client = office.client()
        await client.post("/api/pair", json={"token": token})
        secret = client.cookies[COOKIE]
        async with office.database.transaction() as transaction:
            columns = "hash, person, label, made_by"
            kept = [
                [row[name.strip()] for name in columns.split(",")]
                for table in ("phones", "pairings")
                for row in await transaction.fetch(f"SELECT {columns} FROM {table}")
            ]
        assert len(kept) == 2
        assert token not in str(kept)
        assert secret not in str(kept)

    run(where, body)


def test_a_phone_that_was_sent_away_is_out_at_once(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        assert (await client.post("/api/me/leave")).status_code == 200
        assert (await client.get("/api/me")).status_code == 401

    run(where, body)


def test_a_phone_that_is_let_in_anew_for_somebody_is_no_more_what_it_was_before(where: str) -> None:
    async def body(office: Office) -> None:
        client, other = await office.phone("administrator-1"), office.client()
        before = client.cookies[COOKIE]
        await client.post("/api/pair", json={"token": await office.token("warden-1")})
        assert (await client.get("/api/me")).json()["person"] == "warden-1"
        other.cookies.set(COOKIE, before)
        assert (await other.get("/api/me")).status_code == 401

    run(where, body)


def test_somebody_is_told_whether_they_are_on_duty_and_when_that_changes() -> None:
    def told(person: str, *duties: tuple[str, str]) -> tuple[bool, float | None]:
        made = tuple(
            Duty(PLACE_OF_COMPOUND, (), tuple(filter(None, [times])), (who,)) for who, times in duties
        )
        asked_by = asker(Phone("p", person, Place(), "", None, None, "", NOW, NOW), "secret", staff())
        found = me_of(asked_by, Directory({}, (), made), NOW)
        return found.on_duty, found.next_duty and round((found.next_duty - NOW) / 3_600, 1)

    day, night, tuesdays = "daily 08:00-20:00", "daily 20:00-08:00", "tue 08:00-20:00"  # it is Monday, 16:15
    assert told("warden-1", ("warden-1", day), ("warden-2", night)) == (True, 3.7)
    assert told("warden-2", ("warden-1", day), ("warden-2", night)) == (False, 3.7)
    assert told("warden-1", ("warden-1", day), ("warden-1", night)) == (True, None)
    assert told("warden-1", ("warden-1", tuesdays)) == (False, 15.7)
    assert told("warden-1", ("warden-1", day), ("warden-1", tuesdays)) == (True, 3.7)
    assert told("warden-1", ("warden-1", "")) == (True, None)
    assert told("warden-1", ("warden-2", "")) == (False, None)


def test_a_person_who_is_taken_out_of_the_file_is_out_within_seconds(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        async with office.database.transaction() as transaction:
            await transaction.execute("DELETE FROM roles WHERE person = 'warden-1'")
        office.parts.people.forget()
        assert (await client.get("/api/alerts")).status_code == 401

    run(where, body)


def test_a_shared_phone_asks_who_has_it_and_lends_no_more_than_its_place(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone(None, PLACE_OF_COMPOUND)
        me = (await client.get("/api/me")).json()
        assert me["shared"]
        assert me["person"] == ""
        assert "administrator-1" not in me["people"]
        assert "warden-9" not in me["people"]
        assert {"warden-1", "duty-room", "police-1"} <= set(me["people"])
        assert (await client.get("/api/alerts")).json()["error"] == "nobody"
        refused = await client.post("/api/me/acting", json={"person": "administrator-1"})
        assert refused.status_code == 403
        taken = await client.post("/api/me/acting", json={"person": "duty-room"})
        assert taken.json()["person"] == "duty-room"
        assert [role["place"] for role in taken.json()["roles"]] == [
            {"community": "中山二路", "grid": "3", "microgrid": "17", "compound": "红星亭坡 1 号院"}
        ]
        assert (await client.get("/api/alerts")).status_code == 200

    run(where, body)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-desk": ""},
        {"x-desk": "0" * 32},
        {"origin": "http://elsewhere.test"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_foreign_page_changes_nothing(where: str, headers: dict[str, str]) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        alert = (await client.get("/api/alerts")).json()["alerts"][0]
        step = {"id": "00000000-0000-0000-0000-000000000001", "step": "acknowledge"}
        refused = await client.post(f"/api/alerts/{alert['alert']}/steps", json=step, headers=headers)
        assert (refused.status_code, refused.json()["error"]) == (403, "csrf")
        done = await client.post(f"/api/alerts/{alert['alert']}/steps", json=step, headers={"origin": HOST})
        assert done.json()["outcome"] == "done"

    run(where, body)


def test_who_asks_too_often_is_told_to_wait(where: str) -> None:
    async def body(office: Office) -> None:
        office.parts.clock = lambda: 0.0
        client = await office.phone("warden-1")
        statuses = [(await client.get("/api/me")).status_code for _ in range(80)]
        assert statuses[0] == 200
        assert statuses[-1] == 429

    run(where, body)
