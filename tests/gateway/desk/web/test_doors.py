"""Doors on a phone: ordered by who may, once, now or never; and nobody else is told what came of it."""

import uuid
from typing import Any

import msgspec
import pytest

from gateway.desk import order_texts
from gateway.desk.orders import Settle, State
from gateway.desk.store import order_rows, orders, work
from tests.desk_cases import HERE, THERE, guarded
from tests.desk_web import Office, run


def wish(**more: Any) -> dict[str, Any]:
    """Return an order somebody gives."""
    return {"id": str(uuid.uuid4()), **more}


def test_a_door_is_opened_once_and_whoever_did_it_is_told_what_came_of_it(where: str) -> None:
    async def body(office: Office) -> None:
        woken = []
        office.parts.ordered = lambda: woken.append(1)
        path = await guarded(office, HERE)
        client, other = await office.phone("warden-1"), await office.phone("warden-2")
        (door,) = (await client.get("/api/doors")).json()["doors"]
        assert (door["door"], door["state"], door["hindrance"]) == ("gate-1", "locked", None)
        assert door["actions"] == [{"action": "unlock", "words": {"zh": "开门", "en": "Unlock"}}]
        told = wish(seconds=5)
        made = (await client.post(f"{path}/unlock", json=told)).json()
        assert (made["state"], made["until"] - made["made_at"]) == ("waiting", 10)
        assert (await client.post(f"{path}/unlock", json=told)).json() == made
        assert woken
        async with office.database.transaction() as transaction:
            assert len(await transaction.fetch("SELECT id FROM orders")) == 1
            order = await order_rows.find(transaction, told["id"])
            assert order is not None
            assert (order.who, order.phone, order.arguments) == ("warden-1", "手机", {"seconds": 5.0})
            await orders.settle(transaction, order, Settle(State.LATE, order_texts.NOT_SENT), office.at)
            trail = await work.trail(transaction, "hxtp-01/gate-1")
        assert [row["who"] for row in trail] == ["warden-1", "warden-1"]
        standing = (await client.get(f"/api/orders/{told['id']}")).json()
        assert (standing["state"], standing["detail"]["zh"]) == ("late", order_texts.NOT_SENT.zh)
        assert (await other.get(f"/api/orders/{told['id']}")).status_code == 404

    run(where, body)


@pytest.mark.parametrize(
    ("person", "action", "more", "status"),
    [
        ("warden-1", "unlock", {}, 200),
        ("warden-1", "unlock", {"seconds": 61}, 400),
        ("warden-1", "unlock", {"seconds": 0}, 400),
        ("warden-1", "unlock", {"minutes": 5}, 400),
        ("warden-1", "hold_open", {}, 403),
        ("warden-1", "lock_down", {}, 403),
        ("property-1", "hold_open", {"minutes": 30}, 200),
        ("property-1", "lock_down", {}, 403),
        ("police-1", "lock_down", {"minutes": 30}, 200),
        ("police-1", "normal", {"minutes": 30}, 400),
        ("committee-1", "unlock", {}, 403),
        ("warden-9", "unlock", {}, 404),
        ("duty-room", "normal", {}, 200),
        ("duty-room", "explode", {}, 404),
    ],
)
def test_who_may_order_what_is_the_gateways_own_table(
    where: str, person: str, action: str, more: dict[str, Any], status: int
) -> None:
    async def body(office: Office) -> None:
        path = await guarded(office, HERE)
        client = await office.phone(person)
        answer = await client.post(f"{path}/{action}", json=wish(**more))
        assert answer.status_code == status, answer.text
        async with office.database.transaction() as transaction:
            assert len(await transaction.fetch("SELECT id FROM orders")) == (status == 200)

    run(where, body)


def test_the_id_of_an_order_opens_no_other_door(where: str) -> None:
    async def body(office: Office) -> None:
        here, there = await guarded(office, HERE), await guarded(office, THERE)
        room = await office.phone("duty-room")
        told = wish()
        assert (await room.post(f"{here}/unlock", json=told)).status_code == 200
        answer = await room.post(f"{there}/unlock", json=told)
        assert (answer.status_code, answer.json()["error"]) == (409, "changed")
        unknown = await room.post("/api/doors/hxtp-01/gate-9/unlock", json=wish())
        assert unknown.status_code == 404

    run(where, body)


def test_a_shared_phone_opens_only_the_doors_of_its_place(where: str) -> None:
    async def body(office: Office) -> None:
        here, there = await guarded(office, HERE), await guarded(office, THERE)
        client = await office.phone(None, THERE)
        assert (await client.post(f"{there}/unlock", json=wish())).status_code == 401
        await client.post("/api/me/acting", json={"person": "duty-room"})
        assert (await client.post(f"{here}/unlock", json=wish())).status_code == 404
        assert (await client.post(f"{there}/unlock", json=wish())).status_code == 200

    run(where, body)


def test_a_desk_without_a_key_says_why_nothing_can_be_ordered(where: str) -> None:
    async def body(office: Office) -> None:
        await guarded(office, HERE)
        office.parts.signs = False
        (door,) = (await (await office.phone("warden-1")).get("/api/doors")).json()["doors"]
        assert door["hindrance"] == msgspec.to_builtins(order_texts.NO_KEY)

    run(where, body)


@pytest.mark.parametrize(
    ("mode", "why", "zh", "en"),
    [
        ("normal", "exit button", "出门按钮", "exit button"),
        ("normal", "…4567", "…4567", "…4567"),
        ("normal", "", "", ""),
        ("normal", "remote:desk/warden-1", "远程 desk/warden-1", "from afar: desk/warden-1"),
        ("lock_down", "local:root", "网关本机 root", "at the gateway: root"),
        ("free", "fire", "消防联动 fire", "interlock fire"),
        ("unlocked", "morning", "时段 morning", "schedule morning"),
        ("of tomorrow", "fire", "fire", "fire"),
    ],
)
def test_a_door_says_in_both_languages_what_made_it_so(
    where: str, mode: str, why: str, zh: str, en: str
) -> None:
    async def body(office: Office) -> None:
        await guarded(office, HERE, mode=mode, why=why)
        (door,) = (await (await office.phone("warden-1")).get("/api/doors")).json()["doors"]
        assert door["why"] == {"zh": zh, "en": en}

    run(where, body)
