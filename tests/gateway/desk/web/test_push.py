"""Web Push on a phone: allowed for oneself, over the services of browsers only, taken back, never taken over."""

from pathlib import Path
from typing import Any

import pytest

from gateway.desk.channels import WebpushTable
from gateway.desk.service import web_push
from gateway.desk.store import pushes
from gateway.desk.tables import DeskConfig, DeskTable
from tests.desk_cases import HERE, PUSH
from tests.desk_web import Office, run

KEYS = {"p256dh": "B" * 87, "auth": "A" * 22}


def configured(tmp_path: Path) -> DeskConfig:
    """Return a desk that sends Web Push."""
    table = WebpushTable(
        name="web", kind="webpush", contact="mailto:a@b.example", key_file=str(tmp_path / "key")
    )
    return DeskConfig(desk=DeskTable(name="street"), channel=(table,))


def test_a_browser_gets_the_pages_of_its_holder_until_they_take_it_back(where: str, tmp_path: Path) -> None:
    async def body(office: Office) -> None:
        office.parts.push = web_push(configured(tmp_path))
        client = await office.phone("warden-1")
        assert len((await client.get("/api/push/key")).json()["key"]) == 87
        told = {"endpoint": PUSH, "keys": KEYS, "expirationTime": None}
        assert (await client.post("/api/push", json=told)).json() == {"on": True}
        async with office.database.transaction() as transaction:
            assert [push.endpoint for push in await pushes.of_person(transaction, "warden-1")] == [PUSH]
        other = await office.phone("warden-2")
        assert (await other.post("/api/push", json=told)).status_code == 409
        await other.delete("/api/push", params={"endpoint": PUSH})
        async with office.database.transaction() as transaction:
            assert await pushes.find(transaction, PUSH) == "warden-1"
        assert (await client.delete("/api/push", params={"endpoint": PUSH})).json() == {"on": False}
        async with office.database.transaction() as transaction:
            assert await pushes.find(transaction, PUSH) is None

    run(where, body)


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "http://fcm.googleapis.com/x"},
        {"endpoint": "https://127.0.0.1:8090/api"},
        {"endpoint": "https://fcm.googleapis.com.evil.example/x"},
        {"endpoint": "https://x@fcm.googleapis.com/x"},
        {"endpoint": "https://fcm.googleapis.com/" + "x" * 1_000},
        {"keys": {"p256dh": "B" * 87}},
        {"keys": {"p256dh": "B" * 87, "auth": "<"}},
    ],
)
def test_the_desk_is_made_to_send_to_no_address_but_a_push_services(
    where: str, tmp_path: Path, changes: dict[str, Any]
) -> None:
    async def body(office: Office) -> None:
        office.parts.push = web_push(configured(tmp_path))
        client = await office.phone("warden-1")
        answer = await client.post("/api/push", json={"endpoint": PUSH, "keys": KEYS, **changes})
        assert answer.status_code == 400

    run(where, body)


def test_a_shared_phone_gets_nobodys_pages_and_a_desk_without_web_push_takes_none(where: str) -> None:
    async def body(office: Office) -> None:
        own = await office.phone("warden-1")
        assert (await own.get("/api/push/key")).json() == {"key": ""}
        assert (await own.post("/api/push", json={"endpoint": PUSH, "keys": KEYS})).status_code == 400
        shared = await office.phone(None, HERE)
        await shared.post("/api/me/acting", json={"person": "warden-1"})
        assert (await shared.post("/api/push", json={"endpoint": PUSH, "keys": KEYS})).status_code == 403

    run(where, body)
    assert web_push(DeskConfig(desk=DeskTable(name="street"))) is None
