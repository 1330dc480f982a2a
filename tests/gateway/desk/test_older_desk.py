"""A desk of an older version that still runs beside newer ones on one record: no resident is shown, no fire waits."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.core import payload
from gateway.desk.arrivals import Arrival
from gateway.desk.intake import Intake
from gateway.desk.masking import Home
from gateway.desk.store import care
from gateway.desk.store.database import Record, Transaction
from tests.desk_canary import told
from tests.desk_parts import GATEWAY, NOW, opened
from tests.events import PLACE, alert_body, event
from tests.gateway.desk.test_consent import of_before
from tests.postgres import Cluster

OF_BEFORE = (
    "INSERT INTO alerts (alert, gateway, epoch, seq, kind, rank, change, state, place, time, first_seen, count, zh, en,"
    " body, device) VALUES ('g/1', 'g', 1, 1, $1, 3, 'raised', 'active', $2, 0, 0, 1, '', '', '{}', '')"
)
"""As the desk before 003.sql writes an alert: it knows of no `shown`."""


async def as_it_came(
    transaction: Transaction, arrivals: Sequence[Arrival]
) -> tuple[list[Arrival], dict[tuple[str, int, int], Home]]:
    """Part nothing, as the desk before did."""
    del transaction
    return list(arrivals), {}


async def offered(database: Record) -> tuple[list[str], Intake]:
    """Offer a fall and a fire to a desk in one batch; return what was settled once both were looked at."""
    settled: list[str] = []
    desk, looked = Intake(database, now=lambda: NOW), asyncio.Event()
    fire = payload.alert_event(event(2, alert_body(2)), GATEWAY)
    for content, name in ((told(1)[0], "fall"), (fire, "fire")):
        desk.offer(f"compound/v1/{GATEWAY}/alert", content, lambda name=name: settled.append(name))  # type: ignore[misc]
    desk.ears.stored.append(looked.set)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(desk.run())
        await looked.wait()
        running.cancel()
    return settled, desk


def test_it_is_told_to_stop_and_what_it_cannot_write_is_left_with_the_broker_for_a_newer_one(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with opened(postgres.database()) as database:
            with monkeypatch.context() as older:
                older.setattr(care, "part", as_it_came)
                settled, desk = await offered(database)
            assert (settled, desk.tally.set_aside) == (["fire"], 1)
            async with database.transaction() as transaction:
                rows = await transaction.fetch("SELECT kind FROM alerts")
            assert [row["kind"] for row in rows] == ["fire.smoke"]
            settled, desk = await offered(database)
            assert (sorted(settled), desk.tally.set_aside) == (["fall", "fire"], 0)

    asyncio.run(main())
    assert "the database will not take alert no. 1.1" in caplog.text


def test_its_log_says_what_to_do(postgres: Cluster) -> None:
    async def main() -> None:
        async with opened(postgres.database()) as database, database.transaction() as transaction:
            await transaction.execute(OF_BEFORE, "fire.smoke", "{}")
            with pytest.raises(Exception, match=r"older version must not run beside newer ones.*upgrade it"):
                await transaction.execute(OF_BEFORE.replace("g/1", "g/2"), "care.fall", "{}")

    asyncio.run(main())


def test_an_absence_that_the_release_before_told_the_stairwell_is_nobodys_any_more(tmp_path: Path) -> None:
    of_before(tmp_path / "desk.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "desk.db", isolation_level=None)) as old:
        old.execute("UPDATE alerts SET kind = 'care.away' WHERE alert = 'g/1'")

    async def main() -> None:
        async with opened(str(tmp_path / "desk.db")) as database, database.transaction() as transaction:
            (row,) = await transaction.fetch("SELECT * FROM alerts WHERE alert = 'g/1'")
            doors = await care.doors(transaction, ["g/1"])
        assert (row["place"], row["zh"]) == ("{}", "住户外出，家中动静看护暂停")
        assert doors["g/1"].place == PLACE

    asyncio.run(main())
