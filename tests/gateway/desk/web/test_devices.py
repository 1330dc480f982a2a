"""The registry on the pages: found, written, imported whole or not at all, exported; in one's own places only."""

from typing import Any

import httpx
import msgspec
import pytest

from gateway.core.events import Place
from gateway.core.installed import Asset, Reported, Written
from gateway.desk.registry import sheets
from gateway.desk.store import assets, work
from tests.desk_parts import NOW, compound
from tests.desk_web import Office, run
from tests.events import PLACE

SMOKE = "/api/devices/hxtp-01/smoke-1"


async def reported(office: Office, device: str = "smoke-1", place: Place = PLACE, **more: Any) -> None:
    """Have a gateway report a device."""
    told = Reported("smoke", "renke-rs-yg-n01", "走廊", place, online=True)
    made = Asset("hxtp-01", device, reported=msgspec.structs.replace(told, **more), reported_at=NOW)
    async with office.database.transaction() as transaction:
        await assets.report(transaction, [made], NOW)
    office.parts.registry.forget()


async def listed(client: httpx.AsyncClient, **wanted: Any) -> list[str]:
    """Return the names of devices."""
    answer = await client.get("/api/devices", params=wanted)
    assert answer.status_code == 200, answer.text
    return [each["device"] for each in answer.json()["devices"]]


def test_devices_are_found_by_place_kind_state_and_what_is_due(where: str) -> None:
    async def body(office: Office) -> None:
        await reported(office)
        await reported(
            office, "gas-1", msgspec.structs.replace(PLACE, building="9"), kind="gas", online=False
        )
        client = await office.phone("property-1")
        old = {"version": 0, "installed_on": "2010-01-01", "tested_on": "2026-11-01"}
        told = (await client.put(SMOKE, json=old)).json()
        assert (told["due"], told["ends_on"], told["service_years"]) == (["life"], "2022-01-01", 12.0)
        assert told["where"]["zh"].endswith("走廊")
        assert await listed(client) == ["gas-1", "smoke-1"]
        assert await listed(client, kind="gas") == ["gas-1"]
        assert await listed(client, building="9") == ["gas-1"]
        assert await listed(client, due=True) == ["smoke-1"]
        assert await listed(client, state="offline") == ["gas-1"]

    run(where, body)


def test_who_looks_at_an_older_state_is_told_so_and_changes_nothing(where: str) -> None:
    async def body(office: Office) -> None:
        await reported(office)
        client = await office.phone("property-1")
        assert (await client.put(SMOKE, json={"version": 0, "note": "甲"})).json()["version"] == 1
        answer = await client.put(SMOKE, json={"version": 0, "note": "乙"})
        assert (answer.status_code, answer.json()["error"]) == (409, "changed")
        (device,) = (await client.get("/api/devices")).json()["devices"]
        assert (device["note"], device["version"]) == ("甲", 1)

    run(where, body)


def test_a_registry_is_seen_and_written_in_ones_own_places_only(where: str) -> None:
    async def body(office: Office) -> None:
        await reported(office)
        own, foreign, warden = [await office.phone(each) for each in ("property-1", "warden-9", "warden-1")]
        assert await listed(foreign) == []
        assert "smoke-1" not in (await foreign.get("/api/devices.csv")).text
        assert (await warden.put(SMOKE, json={"version": 0})).status_code == 403
        elsewhere = msgspec.to_builtins(compound("别的院"))
        assert (await own.put(SMOKE, json={"version": 0, "place": elsewhere})).status_code == 403
        new = "/api/devices/hxtp-09/smoke-9"
        assert (await own.put(new, json={"version": 0})).status_code == 403  # nobody knows where that is
        assert (
            await own.put(new, json={"version": 0, "place": msgspec.to_builtins(PLACE)})
        ).status_code == 200
        ledger = "网关,设备,小区\nhxtp-01,smoke-1,别的院\n".encode()
        told = (await own.post("/api/devices/import", content=ledger)).json()
        assert (told["done"], told["faults"][0]["row"]) == (False, 2)

    run(where, body)


def test_a_ledger_is_tried_first_and_then_put_in_whole(where: str) -> None:
    async def body(office: Office) -> None:
        await reported(office)
        client = await office.phone("duty-room")
        ledger = (
            "网关,设备,类型,小区,安装日期,备注\n"
            "hxtp-01,smoke-1,,,2020/1/2,换过电池\nhxtp-01,gas-7,燃气,红星亭坡 1 号院,,\n"
        )
        tried = (await client.post("/api/devices/import?dry=1", content=ledger.encode("gb18030"))).json()
        assert (tried["done"], tried["rows"], tried["new"], tried["changed"], tried["faults"]) == (
            False,
            2,
            1,
            1,
            [],
        )
        assert tried["changes"][0]["changes"] == [
            {"column": "installed_on", "before": "", "after": "2020-01-02"},
            {"column": "note", "before": "", "after": "换过电池"},
        ]
        assert await listed(client) == ["smoke-1"]
        done = (await client.post("/api/devices/import", content=ledger.encode("gb18030"))).json()
        assert (done["done"], done["new"]) == (True, 1)
        assert await listed(client) == ["gas-7", "smoke-1"]
        again = (await client.post("/api/devices/import", content=ledger.encode())).json()
        assert (again["done"], again["new"], again["changed"]) == (True, 0, 0)

    run(where, body)


def test_one_bad_cell_and_nothing_of_a_ledger_is_put_in(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("duty-room")
        ledger = "gateway,device,installed on\nhxtp-01,smoke-1,2020-01-02\nhxtp-01,smoke-2,昨天\n".encode()
        told = (await client.post("/api/devices/import", content=ledger)).json()
        (fault,) = told["faults"]
        assert (told["done"], fault["row"], fault["found"]["zh"]) == (False, 3, "昨天")
        assert await listed(client) == []

    run(where, body)


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_is_exported_and_imported_again_changes_nothing(where: str, suffix: str) -> None:
    async def body(office: Office) -> None:
        await reported(office)
        client = await office.phone("duty-room")
        await client.put(
            SMOKE, json={"version": 0, "note": "=1+1", "installed_on": "2020-01-02", "service_years": 2.5}
        )
        for language in ("zh", "en"):
            file = await client.get(f"/api/devices.{suffix}", params={"lang": language})
            assert "attachment" in file.headers["content-disposition"]
            told = (await client.post("/api/devices/import", content=file.content)).json()
            assert (told["done"], told["rows"], told["changed"], told["faults"]) == (True, 1, 0, [])

    run(where, body)


def test_a_file_that_is_none_or_too_large_is_refused_in_words(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("duty-room")
        told = (await client.post("/api/devices/import", content=sheets.ZIP + b"rubbish")).json()
        assert (told["done"], told["faults"][0]["row"]) == (False, None)
        large = await client.post("/api/devices/import", content=b"x" * (sheets.MOST_BYTES + 1))
        assert large.status_code == 413
        assert (await client.post("/api/devices/import?dry=perhaps", content=b"")).status_code == 400

    run(where, body)


BAD: list[dict[str, Any]] = [
    {"version": -1},
    {"version": 0, "kind": "ufo"},
    {"version": 0, "service_years": 0},
    {"version": 0, "installed_on": "morgen"},
    {"version": 0, "model": "a\nb"},
    {"version": 0, "place": {"compound": "a\nb"}},
    {"version": 0, "place": {"compound": "a" * 101}},
]


@pytest.mark.parametrize("told", BAD)
def test_what_is_no_device_is_refused(where: str, told: dict[str, Any]) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("duty-room")
        assert (await client.put(SMOKE, json=told)).status_code == 400
        assert (await client.put("/api/devices/HXTP/x", json={"version": 0})).status_code == 400

    run(where, body)


def test_everything_somebody_wrote_is_in_the_audit_trail(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("duty-room")
        await client.put(SMOKE, json={"version": 0, "serial": "SN7"})
        async with office.database.transaction() as transaction:
            rows = await work.trail(transaction, "asset/hxtp-01/smoke-1")
            (kept,) = await assets.everything(transaction)
        assert (rows[0]["who"], "SN7" in rows[0]["detail"]) == ("duty-room", True)
        assert kept.written == Written(serial="SN7")

    run(where, body)
