"""Figures: counted in one's own places, by day, by kind, by device; the same on both databases; kept some seconds."""

import statistics
import uuid
from datetime import date

import httpx
import msgspec
import pytest

from gateway.core.events import Severity
from gateway.core.installed import Asset, Reported, Written
from gateway.desk.store import assets, figures, gateways, lists, notices
from gateway.desk.store.notices import Notice
from gateway.desk.web import facts
from gateway.desk.web.facts import FRESH_S
from gateway.desk.web.figures import spans_of
from tests.desk_parts import GATEWAY, NOW, PLACE_OF_COMPOUND, arrival, compound
from tests.desk_web import Office, run
from tests.events import PLACE

DAY_S = 86_400.0


async def step(client: httpx.AsyncClient, alert: str, name: str, **more: object) -> None:
    """Make a step."""
    told = {"id": str(uuid.uuid4()), "step": name, **more}
    answer = await client.post(f"/api/alerts/{alert}/steps", json=told)
    assert answer.json()["outcome"] == "done", answer.text


async def alerts_of(client: httpx.AsyncClient) -> list[str]:
    return [each["alert"] for each in (await client.get("/api/alerts")).json()["alerts"]]


def test_counters_say_how_things_stand_now(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1), arrival(2, kind="door.held", severity=Severity.MINOR))
        due = Written(maintain_on=date(2026, 1, 1))
        devices = [
            Asset("g", "a", due, Reported(place=PLACE, online=True)),
            Asset("g", "b", due, Reported(place=PLACE, online=False)),
            Asset("g", "c", due, Reported(place=PLACE), gone_at=1.0),
        ]
        async with office.database.transaction() as transaction:
            await assets.write(transaction, devices, NOW)
            await assets.report(
                transaction, [msgspec.structs.replace(each, reported_at=NOW) for each in devices], NOW
            )
            await gateways.mark(transaction, GATEWAY, NOW, NOW)
            await gateways.heard(transaction, {GATEWAY: msgspec.json.encode(PLACE_OF_COMPOUND).decode()}, NOW)
            await gateways.mark(transaction, GATEWAY, NOW, NOW)
            (worst, *_) = await lists.opened(transaction, 10)
            incident = worst["incident"]
            lost = Notice("n", incident, "warden-1", "zh", (), 3, "火", "fire", NOW)
            await notices.write(transaction, [lost], NOW)
        client = await office.phone("duty-room")
        await step(client, (await alerts_of(client))[0], "acknowledge")
        await office.parts.showing.load()
        now = (await client.get("/api/statistics")).json()["now"]
        assert now == {
            "open": {"info": 0, "minor": 1, "major": 0, "critical": 1},
            "unacknowledged": 1,
            "gateways": 1,
            "gateways_quiet": 1,
            "undelivered": 1,
            "devices": 2,
            "devices_offline": 1,
            "devices_due": 2,
            "devices_gone": 1,
        }

    run(where, body)


def test_times_and_false_alarms_are_as_if_counted_by_hand(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("duty-room")
        waits = [5.0, 300.0, 20.0, 1.0, 60.0]
        for number, wait in enumerate(waits, start=1):
            await office.take(arrival(number))
            name = (await alerts_of(client))[0]
            office.at += wait
            await step(client, name, "acknowledge")
            await step(
                client, name, "resolve", verdict="false" if number <= 3 else "test" if number == 4 else "real"
            )
            await office.parts.showing.load()
        told = (await client.get("/api/statistics", params={"days": 1})).json()
        by_severity = {each["severity"]: each for each in told["acknowledged"]}
        assert by_severity["critical"] == {"severity": "critical", "count": 5, "median": 20.0, "p95": 300.0}
        assert by_severity["all"]["median"] == statistics.median(waits)
        assert [each["severity"] for each in told["resolved"]] == ["all", "critical"]
        assert told["false_alarms"] == [
            {"kind": "fire.smoke", "closed": 5, "untrue": 3, "tests": 1, "share": 0.75}
        ]
        assert [
            (each["gateway"], each["alerts"], each["untrue"], each["share"]) for each in told["nuisances"]
        ] == [(GATEWAY, 1, 1, 1.0)] * 3
        assert told["per_day"][0]["families"] == {"fire": 5}

    run(where, body)


def test_an_alert_counts_on_the_day_it_began_by_the_local_calendar(where: str) -> None:
    async def body(office: Office) -> None:
        midnight = spans_of(NOW, 1)[0][1]
        for number, at in enumerate(
            (midnight - 1, midnight, midnight + DAY_S - 1, NOW - 40 * DAY_S), start=1
        ):
            office.at = at
            await office.take(arrival(number, severity=Severity.MAJOR))
        office.at = midnight + DAY_S - 1
        client = await office.phone("duty-room")
        told = (await client.get("/api/statistics", params={"days": 3})).json()
        assert [each["total"] for each in told["per_day"]] == [0, 1, 2]
        assert told["per_day"][2]["severities"] == {"major": 2}
        assert told["per_day"][2]["day"] == "2026-11-23"

    run(where, body)


def test_figures_are_of_ones_own_places(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1), arrival(2, place=compound("别的院")))
        totals = {}
        for person in ("duty-room", "warden-1", "warden-9"):
            told = (await (await office.phone(person)).get("/api/statistics", params={"days": 1})).json()
            totals[person] = (told["per_day"][0]["total"], told["now"]["unacknowledged"])
        assert totals == {"duty-room": (2, 2), "warden-1": (1, 1), "warden-9": (1, 1)}

    run(where, body)


def test_a_day_longer_than_one_step_is_read_whole_and_each_alert_once(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(*(arrival(seq) for seq in range(1, figures.STEP * 2 + 2)))
        client = await office.phone("duty-room")
        told = (await client.get("/api/statistics", params={"days": 1})).json()
        assert (told["per_day"][0]["total"], told["complete"]) == (figures.STEP * 2 + 1, True)

    run(where, body)


def test_more_alerts_than_there_is_room_for_leave_the_oldest_days_out_and_it_is_said(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MOST", 3)

    async def body(office: Office) -> None:
        for ago, seqs in ((2, (1, 2)), (1, (3,)), (0, (4,))):
            office.at = NOW - ago * DAY_S
            await office.take(*(arrival(seq) for seq in seqs))
        client = await office.phone("duty-room")
        told = (await client.get("/api/statistics", params={"days": 3})).json()
        assert ([each["total"] for each in told["per_day"]], told["complete"]) == ([0, 1, 1], False)

    run(where, body)


def test_figures_are_worked_out_once_in_some_seconds(where: str) -> None:
    async def body(office: Office) -> None:
        clock = [0.0]
        office.parts.clock = lambda: clock[0]
        client = await office.phone("duty-room")
        first = (await client.get("/api/statistics")).json()
        await office.take(arrival(1))
        assert (await client.get("/api/statistics")).json() == first
        clock[0] += FRESH_S
        assert (await client.get("/api/statistics")).json()["now"]["unacknowledged"] == 1

    run(where, body)


@pytest.mark.parametrize("days", ["0", "93", "x", "-1", "1e9"])
def test_days_are_bounded(where: str, days: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("duty-room")
        assert (await client.get("/api/statistics", params={"days": days})).status_code == 400

    run(where, body)
