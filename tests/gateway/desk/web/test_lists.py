"""What the pages list beside alerts: duty, places, gateways, deliveries; each cut to the places of who asks."""

import msgspec

from gateway.core.events import Place, Severity
from gateway.desk.routing import Directory, Duty
from gateway.desk.store import gateways, notices
from gateway.desk.store.notices import Notice
from gateway.desk.web.api_gateways import health_of
from gateway.desk.web.shifts import spans, watches
from tests.desk_parts import GATEWAY, NOW, PLACE_OF_COMPOUND, arrival, compound
from tests.desk_web import Office, run, staff
from tests.events import PLACE

DAY = 86_400.0
ELSEWHERE = compound("别的院")
MORNING, NIGHT = ("daily 08:00-20:00",), ("daily 20:00-08:00",)  # NOW is 16:15 in China


def test_who_is_on_duty_now_and_next_is_told_by_place() -> None:
    duties = [
        Duty(PLACE_OF_COMPOUND, (), MORNING, ("warden-1",)),
        Duty(PLACE_OF_COMPOUND, (), NIGHT, ("warden-2", "property-1")),
        Duty(PLACE_OF_COMPOUND, ("fire",), (), ("duty-room",)),
        Duty(ELSEWHERE, (), (), ("warden-9",)),
    ]
    general, fire = watches(duties, [PLACE_OF_COMPOUND], NOW)
    assert (general.now, general.next) == (("warden-1",), ("warden-2", "property-1"))
    assert general.until is not None
    assert 0 < general.until - NOW < DAY / 2
    assert watches(duties, [PLACE_OF_COMPOUND], general.until)[0].now == general.next
    assert (fire.kinds, fire.now, fire.until, fire.next) == (("fire",), ("duty-room",), None, ())


def test_ones_own_duties_of_the_week_are_told_with_beginning_and_end() -> None:
    duties = [Duty(PLACE_OF_COMPOUND, (), MORNING, ("warden-1",)), Duty(ELSEWHERE, (), (), ("warden-2",))]
    own = spans(duties, "warden-1", NOW)
    assert own[0].begins == NOW
    assert len(own) in {8, 9}
    assert all(each.ends is not None and each.ends - each.begins == DAY / 2 for each in own[1:-1])
    (always,) = spans(duties, "warden-2", NOW)
    assert (always.begins, always.ends) == (NOW, None)
    assert spans(duties, "nobody", NOW) == []


def test_duties_without_a_gap_between_them_never_end() -> None:
    whole = Duty(PLACE_OF_COMPOUND, (), ("mon 00:00-24:00", "tue-sun 00:00-24:00"), ("warden-1",))
    (watch,) = watches([whole], [PLACE_OF_COMPOUND], NOW)
    assert (watch.now, watch.until) == (("warden-1",), None)


def test_the_roster_is_that_of_ones_own_places_with_the_numbers_to_call(where: str) -> None:
    directory = staff()
    duties = (
        Duty(PLACE_OF_COMPOUND, (), (), ("police-1",)),
        Duty(ELSEWHERE, (), MORNING, ("warden-9",)),
    )
    directory = Directory(directory.people, directory.roles, duties)

    async def body(office: Office) -> None:
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        told = (await own.get("/api/duty")).json()
        assert [watch["now"] for watch in told["places"]] == [["police-1"]]
        assert told["phones"] == {"police-1": "13800000000"}
        assert told["own"] == []
        assert "police-1" not in (await foreign.get("/api/duty")).text
        assert len((await foreign.get("/api/duty")).json()["own"]) >= 8

    run(where, body, directory)


def test_places_are_a_tree_with_what_is_open_in_each(where: str) -> None:
    async def body(office: Office) -> None:
        tenth, second = (msgspec.structs.replace(PLACE, building=name) for name in ("10", "2"))
        await office.take(
            arrival(1, place=tenth, kind="door.held", severity=Severity.MINOR),
            arrival(2, place=second),
            arrival(3, place=ELSEWHERE),
        )
        warden, room = await office.phone("warden-1"), await office.phone("duty-room")
        (community,) = (await warden.get("/api/places")).json()["places"]
        here = community
        while here["level"] != "compound":
            assert (here["open"], here["worst"]) == (2, 3)
            (here,) = here["children"]
        houses = [(each["name"], each["open"], each["worst"]) for each in here["children"]]
        assert houses == [("2", 1, 3), ("10", 1, 1)]
        assert msgspec.json.decode(here["path"])[-1] == ["compound", PLACE.compound]
        assert msgspec.convert(here["place"], Place) == PLACE_OF_COMPOUND
        assert "别的院" not in (await warden.get("/api/places")).text
        assert "别的院" in (await room.get("/api/places")).text

    run(where, body)


def test_gateways_of_ones_places_are_listed_with_what_matters_of_their_health(where: str) -> None:
    document = {
        "gateway": {"version": "1.2", "clock": "synced"},
        "buses": [
            {
                "devices": [
                    {"device": "smoke-1", "online": True, "polls": 7},
                    {"device": "smoke-2", "online": False, "polls": 7},
                    {"device": "smoke-3", "online": False, "polls": 0},  # nobody has asked it yet
                ]
            }
        ],
        "journal": {"depth": {"mqtt/alert": 3, "mqtt/reading": 4}},
    }

    async def body(office: Office) -> None:
        async with office.database.transaction() as transaction:
            places = {GATEWAY: PLACE_OF_COMPOUND, "other-01": ELSEWHERE}
            told = {name: msgspec.json.encode(place).decode() for name, place in places.items()}
            await gateways.heard(transaction, {**told, "new-01": ""}, NOW)
            text = msgspec.json.encode(document).decode()
            await gateways.healthy(transaction, GATEWAY, text, NOW, live=True)
        warden, room = await office.phone("warden-1"), await office.phone("duty-room")
        (own,) = (await warden.get("/api/gateways")).json()["gateways"]
        assert (own["gateway"], own["availability"], own["heard_at"]) == (GATEWAY, "online", NOW)
        assert own["health"] == {
            "version": "1.2", "clock": "synced", "devices": 3, "silent": ["smoke-2"], "cameras": 0, "waiting": 7,
        }  # fmt: skip
        assert len((await room.get("/api/gateways")).json()["gateways"]) == 3

    run(where, body)


def test_a_health_document_that_was_cut_or_made_up_costs_nothing() -> None:
    for document in ("", "{", "[]", "5", '{"buses": 5, "gateway": [], "journal": {"depth": {"a": "b"}}}'):
        health = health_of(document)
        assert health is None or (health.devices, health.waiting) == (0, 0)


def test_what_reached_nobody_is_shown_where_it_matters(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1), arrival(2, place=ELSEWHERE))
        async with office.database.transaction() as transaction:
            rows = await transaction.fetch("SELECT alert, incident FROM work")
            lost = [
                Notice(str(n), row["incident"], f"warden-{n}", "zh", (), 3, f"页 {row['alert']}", "", NOW)
                for n, row in enumerate(rows)
            ]
            other = Notice("t", "test", "warden-9", "zh", (), 0, "试呼", "test page", NOW)
            await notices.write(transaction, [*lost, other], NOW)
        seen = {}
        for person in ("warden-2", "warden-9", "duty-room"):
            client = await office.phone(person)
            told = (await client.get("/api/deliveries")).json()["deliveries"]
            assert all(each["answer"] == "no channel" for each in told)
            seen[person] = {each["zh"] for each in told}
        assert seen["warden-2"] == {f"页 {arrival(1).alert}"}
        assert seen["warden-9"] == {f"页 {arrival(2, place=ELSEWHERE).alert}", "试呼"}
        assert len(seen["duty-room"]) == 3
        assert (await client.get("/api/deliveries?state=waiting")).json() == {"deliveries": []}
        assert (await client.get("/api/deliveries?state=lost")).status_code == 400

    run(where, body)
