"""What is known of a resident while others work on the same record: nothing waits, nothing open goes, nothing stays."""

import asyncio
from typing import Any

import msgspec

from gateway.core.events import Change
from gateway.desk import reading, service
from gateway.desk.retention import DAY_S, Retention
from gateway.desk.store import care, consents, work
from gateway.desk.store.database import Record, migrations
from gateway.desk.store.opening import open_database
from gateway.desk.workflow import Command, Step
from tests.desk_canary import CODE, DEVICE, REMARK, agreed, arrival, found_in
from tests.desk_parts import NOW
from tests.events import PLACE
from tests.gateway.desk.test_consent import FILE, agree, closed, homes, run, taken
from tests.postgres import Cluster

LATER = NOW + 31 * DAY_S


def test_no_alert_waits_behind_the_shredding_while_a_backup_reads(postgres: Cluster) -> None:
    async def body(database: Record) -> None:
        async with database.transaction() as backup:
            await backup.fetch("SELECT count(*) AS n FROM care")
            assert not await database.shred(consents.TABLES)
            await taken(database, arrival(1))
        assert await homes(database) == {arrival(1).alert}
        assert await database.shred(consents.TABLES)

    run(postgres.database(), body)


def test_what_cannot_be_shredded_now_is_with_the_next_look_and_the_rest_is_forgotten(
    postgres: Cluster,
) -> None:
    async def body(database: Record) -> None:
        retention = Retention(database, keep_days=730.0, now=lambda: LATER)
        await taken(database, arrival(1))
        await closed(database, arrival(1).alert, "x")
        async with database.transaction() as backup:
            await backup.fetch("SELECT count(*) AS n FROM consents")
            await retention.look()
        assert await homes(database) == set()
        async with database.transaction() as transaction:
            rows = await transaction.fetch("SELECT pg_relation_filenode('consents') AS file")
        await retention.look()
        async with database.transaction() as transaction:
            assert rows != await transaction.fetch("SELECT pg_relation_filenode('consents') AS file")

    run(postgres.database(), body)


def test_what_is_opened_again_at_that_moment_is_not_thrown_away(postgres: Cluster) -> None:
    async def body(database: Record) -> None:
        await taken(database, arrival(1))
        await closed(database, arrival(1).alert, "x")
        async with database.transaction() as transaction:
            await work.take_step(
                transaction, Command("r", arrival(1).alert, Step.REOPEN, "property-1"), LATER
            )
            async with database.transaction() as other:
                assert await consents.forget(other, LATER, 30.0) == 0
        assert await homes(database) == {arrival(1).alert}

    run(postgres.database(), body)


def test_what_is_written_of_an_alert_that_was_forgotten_stays_nowhere(where: str) -> None:
    async def body(database: Record) -> None:
        retention = Retention(database, keep_days=730.0, now=lambda: LATER)
        await taken(database, arrival(1))
        await closed(database, arrival(1).alert, "x")
        await retention.look()
        async with database.transaction() as transaction:
            step = Command("late", arrival(1).alert, Step.NOTE, "property-1", note=REMARK)
            await work.take_step(transaction, step, LATER)
            rows = await transaction.fetch("SELECT note FROM work")
        assert [row["note"] for row in rows] == [None]
        assert await homes(database) == set()

    run(where, body)


def test_what_a_sensor_says_after_consent_was_taken_back_goes_with_the_next_look(where: str) -> None:
    async def body(database: Record) -> None:
        retention = Retention(database, keep_days=730.0, now=lambda: NOW + 1)
        await agree(database, agreed("committee"))
        await taken(database, arrival(1))
        await closed(database, arrival(1).alert, "x")
        await agree(database)
        await retention.look()
        await taken(database, arrival(2, change=Change.CLEARED))
        await retention.look()
        assert await homes(database) == set()

    run(where, body)


def test_only_what_rings_and_speaks_to_one_person_goes_before_what_desk_toml_has_first() -> None:
    """Nobody reads mail at night, and a call has no words: neither may keep the door from the group that is read."""
    ring = '[[channel]]\nname = "ring"\nkind = "call"\nport = "/dev/modem"\n[[person]]'
    config = reading.parse(FILE.replace("[[person]]", ring, 1)).config()
    assert config is not None
    assert service.rules(config).behind == {"bot", "post", "ring"}


def test_a_record_of_the_release_before_is_masked_on_postgresql_as_well(postgres: Cluster) -> None:
    """Also what was about to be sent: without a word of theirs, and with the stairwell to go to."""
    where = postgres.database()

    async def of_before() -> None:
        import asyncpg

        old = await asyncpg.connect(where)
        for _, script in migrations("postgres")[:2]:
            await old.execute(script)
        await old.execute("CREATE TABLE schema_version (version BIGINT NOT NULL)")
        await old.execute("INSERT INTO schema_version VALUES (2)")
        body = msgspec.json.encode({"data": {"device": DEVICE, "note": REMARK}}).decode()
        await old.execute(
            "INSERT INTO alerts VALUES ('g/1', 'g', 1, 1, 'care.fall', 3, 'raised', 'active', $1, 0, 0, 1, $2, $2, $3)",
            msgspec.json.encode(PLACE).decode(), CODE, body,
        )  # fmt: skip
        await old.execute("INSERT INTO events VALUES ('g', 1, 1, NULL, 'g/1', 'raised', 0, 0, $1)", body)
        await old.execute(
            "INSERT INTO work (alert, incident, opened_at, state, version, note)"
            " VALUES ('g/1', 'i', 0, 'raised', 1, $1)",
            REMARK,
        )
        await old.execute(
            "INSERT INTO notifications (id, incident, person, language, channels, channel, attempts, rank, zh, en,"
            " created_at, due_at, state, owner, leased_until, answer)"
            " VALUES ('n', 'i', 'w', 'zh', '[]', 0, 0, 3, $1, $1, 0, 0, 'waiting', '', 0, '')",
            CODE,
        )
        await old.close()

    async def looked_at() -> None:
        database = await open_database(where)
        async with database.transaction() as transaction:
            rows: list[Any] = []
            for table in ("alerts", "events", "work", "notifications"):
                rows += await transaction.fetch(f"SELECT * FROM {table}")
            doors = await care.doors(transaction, ["g/1"])
        await database.close()
        shown = [dict(row) for row in rows]
        assert found_in(str(shown).encode()) == set()
        assert [row["zh"] for row in shown if "zh" in row] == ["2 栋 1 单元 有人需要看望"] * 2
        assert doors["g/1"].where.zh == CODE

    asyncio.run(of_before())
    asyncio.run(looked_at())
