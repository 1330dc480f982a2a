"""Phones let in and sent away: only by whoever keeps them, in their places, and never with more than they have."""

import httpx
import msgspec
import pytest

from gateway.core.events import Place
from gateway.desk.routing import Directory, Person, Role
from gateway.desk.store import work
from gateway.desk.web.permissions import covers
from tests.desk_parts import PLACE_OF_COMPOUND, compound
from tests.desk_web import HOST, Office, run, staff

HERE = msgspec.to_builtins(PLACE_OF_COMPOUND)
THERE = msgspec.to_builtins(compound("别的院"))


def city() -> Directory:
    """Return the staff, an administrator of everything, and somebody with a role here and one elsewhere."""
    base = staff()
    names = ("root-1", "both-1")
    roles = (
        Role("root-1", "administrator", Place()),
        Role("both-1", "warden", PLACE_OF_COMPOUND),
        Role("both-1", "property", compound("别的院")),
    )
    people = {name: Person(name, "zh", (("phones", name),)) for name in names}
    return Directory({**base.people, **people}, (*base.roles, *roles), base.duties)


async def phones(client: httpx.AsyncClient) -> list[str]:
    """Return whose phones a list has."""
    return [each["person"] or "shared" for each in (await client.get("/api/phones")).json()["phones"]]


def test_an_administrator_lets_a_phone_in_by_a_code_and_sends_it_away(where: str) -> None:
    async def body(office: Office) -> None:
        admin, new = await office.phone("administrator-1"), office.client()
        code = (await admin.post("/api/pairings", json={"person": "warden-1", "label": "小米"})).json()
        assert code["url"] == f"{HOST}/pair#{code['token']}"
        assert code["until"] == office.at + 300
        assert code["qr"].startswith("<svg")
        assert "style" not in code["qr"]
        me = (await new.post("/api/pair", json={"token": code["token"]})).json()
        assert (me["person"], me["label"]) == ("warden-1", "小米")
        listed = (await admin.get("/api/phones")).json()["phones"]
        (phone,) = [each for each in listed if each["person"] == "warden-1"]
        assert (phone["made_by"], phone["own"]) == ("administrator-1", False)
        assert (await admin.delete(f"/api/phones/{phone['phone']}")).json() == {"phone": phone["phone"]}
        assert (await new.get("/api/me")).status_code == 401
        assert (await admin.delete(f"/api/phones/{phone['phone']}")).status_code == 404
        async with office.database.transaction() as transaction:
            trail = await work.trail(transaction, phone["phone"])
        assert [(row["who"], row["step"]) for row in trail] == [
            ("warden-1", "is let in"),
            ("administrator-1", "sends the phone away"),
        ]

    run(where, body, city())


def test_the_address_of_a_code_is_the_one_the_desk_was_given(where: str) -> None:
    async def body(office: Office) -> None:
        office.parts.url = "https://desk.example/"
        admin = await office.phone("administrator-1")
        code = (await admin.post("/api/pairings", json={"person": "warden-1"})).json()
        assert code["url"] == f"https://desk.example/pair#{code['token']}"

    run(where, body, city())


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"person": "duty-room"}, 404),  # everywhere, of which this compound is a part
        ({"person": "root-1"}, 404),
        ({"person": "warden-9"}, 404),
        ({"person": "nobody-at-all"}, 404),
        ({"person": "both-1"}, 403),  # what they are elsewhere is not this administrator's to give
        ({"person": "administrator-1"}, 200),
        ({"person": "warden-1", "place": THERE}, 200),
        ({}, 403),  # a shared phone for everywhere
        ({"place": THERE}, 403),
        ({"place": {"compound": "红星亭坡 1 号院"}}, 403),  # of whatever community
        ({"place": HERE}, 200),
        ({"place": {**HERE, "building": "2"}}, 200),
        ({"place": {**HERE, "building": "\x00"}}, 400),
        ({"place": {**HERE, "roof": "2"}}, 400),
    ],
)
def test_nobody_lets_in_a_phone_with_more_than_they_have(
    where: str, wanted: dict[str, object], status: int
) -> None:
    async def body(office: Office) -> None:
        admin = await office.phone("administrator-1")
        assert (await admin.post("/api/pairings", json=wanted)).status_code == status

    run(where, body, city())


def test_who_keeps_phones_here_lets_nobody_in_elsewhere_though_they_do_the_same_work_there(
    where: str,
) -> None:
    base, elsewhere = city(), compound("别的院")
    roles = (
        Role("keeper-1", "administrator", PLACE_OF_COMPOUND),
        Role("keeper-1", "warden", elsewhere),
        Role("walker-1", "warden", PLACE_OF_COMPOUND),
        Role("walker-1", "warden", elsewhere),
    )
    people = {name: Person(name, "zh", (("phones", name),)) for name in ("keeper-1", "walker-1")}

    async def body(office: Office) -> None:
        keeper = await office.phone("keeper-1")
        assert (await keeper.post("/api/pairings", json={"person": "walker-1"})).status_code == 403

    run(where, body, Directory({**base.people, **people}, (*base.roles, *roles), base.duties))


def test_the_lists_have_people_and_phones_of_ones_places_only(where: str) -> None:
    async def body(office: Office) -> None:
        admin, root = await office.phone("administrator-1"), await office.phone("root-1")
        for person in ("warden-1", "warden-9", "duty-room", "both-1"):
            await office.phone(person)
        for place in (PLACE_OF_COMPOUND, compound("别的院"), Place()):
            await office.phone(None, place)
        assert sorted(await phones(admin)) == ["administrator-1", "shared", "warden-1"]
        assert len(await phones(root)) == 9
        told = (await admin.get("/api/people")).json()
        assert told["places"] == [HERE]
        known = {each["person"]: each for each in told["people"]}
        assert "warden-9" not in known
        assert "duty-room" not in known
        assert known["both-1"]["roles"] == [{"role": "warden", "place": HERE}]
        assert (known["both-1"]["pairable"], known["warden-1"]["pairable"]) == (False, True)
        assert known["warden-1"]["phones"] == 1
        assert "别的院" not in (await admin.get("/api/people")).text

    run(where, body, city())


def test_a_phone_out_of_ones_places_cannot_be_sent_away_nor_one_be_told_that_it_is_there(where: str) -> None:
    async def body(office: Office) -> None:
        admin, root = await office.phone("administrator-1"), await office.phone("root-1")
        foreign = await office.phone("warden-9")
        (name,) = [
            each["phone"]
            for each in (await root.get("/api/phones")).json()["phones"]
            if each["person"] == "warden-9"
        ]
        refused = await admin.delete(f"/api/phones/{name}")
        assert (refused.status_code, refused.json()) == (
            404,
            (await admin.delete("/api/phones/none-at-all")).json(),
        )
        assert (await foreign.get("/api/me")).status_code == 200

    run(where, body, city())


def test_the_phone_of_somebody_who_is_gone_is_sent_away_by_who_keeps_everything(where: str) -> None:
    async def body(office: Office) -> None:
        admin, root = await office.phone("administrator-1"), await office.phone("root-1")
        await office.phone("warden-9")
        async with office.database.transaction() as transaction:
            for table in ("people", "roles"):
                await transaction.execute(f"DELETE FROM {table} WHERE person = 'warden-9'")
        office.parts.people.forget()
        assert "warden-9" in await phones(root)
        assert "warden-9" not in await phones(admin)

    run(where, body, city())


def test_a_shared_phone_never_lends_the_keeping_of_phones(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone(None, PLACE_OF_COMPOUND)
        await client.post("/api/me/acting", json={"person": "property-1"})
        assert (await client.get("/api/people")).status_code == 403
        assert (await client.post("/api/pairings", json={"place": HERE})).status_code == 403

    run(where, body, city())


def test_a_role_covers_another_where_it_allows_as_much_in_as_many_places() -> None:
    everywhere, here = Place(), PLACE_OF_COMPOUND
    admin, warden = Role("a", "administrator", here), Role("b", "warden", here)
    assert covers([admin], [warden])
    assert not covers([warden], [admin])
    assert not covers([admin], [Role("b", "warden", everywhere)])
    assert not covers([], [warden])
    assert covers([Role("a", "administrator", everywhere)], [admin, warden])
