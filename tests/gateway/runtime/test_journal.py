"""The journal keeps what it was given, in order, and knows how far each sink has come."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from gateway.core.events import Clock, Event, NoteBody
from gateway.runtime.journal import START, Journal, JournalSettings, Lane, StoreError
from tests.events import MORNING, alert, baseline, event, note, reading
from tests.gateway.runtime.journal_use import SMALL, every, running, served, store


def test_what_was_appended_comes_back_in_order(tmp_path: Path) -> None:
    events = [alert(n) for n in range(1, 301)]

    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, events)
            assert await every(journal, Lane.URGENT) == events

    asyncio.run(scene())
    assert served(tmp_path) == events


def test_rows_far_behind_are_read_from_the_disk(tmp_path: Path) -> None:
    """Only the last few hundred are in memory."""
    events = [alert(n) for n in range(1, 1001)]

    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, events)
            assert await journal.rows(Lane.URGENT, (1, 10), 5) == events[10:15]
            assert await journal.rows(Lane.URGENT, (1, 990), 50) == events[990:]

    asyncio.run(scene())


def test_the_lanes_do_not_mix(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            journal.append(reading(1))
            await store(journal, Lane.URGENT, [alert(2)])
            assert [e.seq for e in await every(journal, Lane.URGENT)] == [2]
            assert [e.seq for e in await every(journal, Lane.READINGS)] == [1]

    asyncio.run(scene())


def test_a_reading_rides_along_with_an_alert(tmp_path: Path) -> None:
    """It does not wait for its own time when a commit is made anyway."""
    slow = JournalSettings(reserve_bytes=0, readings_delay_s=3600.0)

    async def scene() -> None:
        async with running(tmp_path, slow) as journal:
            journal.append(reading(1))
            await store(journal, Lane.URGENT, [alert(2)])
            assert journal.last(Lane.READINGS) == (1, 1)

    asyncio.run(scene())


def test_a_reading_alone_is_durable_after_its_delay(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.READINGS, [reading(1)])
            assert journal.statistics().commits == 1

    asyncio.run(scene())


def test_alerts_that_come_together_share_a_commit(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [alert(n) for n in range(1, 101)])
            assert journal.statistics().commits <= 2

    asyncio.run(scene())


def test_what_is_queued_when_the_journal_stops_is_written(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path, JournalSettings(reserve_bytes=0)) as journal:
            journal.append(reading(1))
            journal.append(alert(2))

    asyncio.run(scene())
    assert [e.seq for e in served(tmp_path)] == [2]
    assert [e.seq for e in served(tmp_path, Lane.READINGS)] == [1]


def test_numbers_go_on_past_the_last_event(tmp_path: Path) -> None:
    async def first() -> None:
        async with running(tmp_path) as journal:
            assert (journal.epoch, journal.last_seq, journal.last_alert_seq) == (1, 0, 0)
            await store(journal, Lane.URGENT, [alert(7), note(8)])

    async def second() -> None:
        async with running(tmp_path) as journal:
            assert journal.epoch == 1
            assert 8 <= journal.last_seq < 12
            assert journal.last_alert_seq == 7

    asyncio.run(first())
    asyncio.run(second())


def test_a_cursor_survives_and_never_runs_ahead_of_its_rows(tmp_path: Path) -> None:
    async def first() -> None:
        async with running(tmp_path) as journal:
            assert journal.cursor("uplink.urgent") == START
            await store(journal, Lane.URGENT, [alert(n) for n in range(1, 11)])
            journal.move_cursor("uplink.urgent", (1, 6))

    async def second() -> None:
        async with running(tmp_path) as journal:
            assert journal.cursor("uplink.urgent") == (1, 6)
            assert journal.depth("uplink.urgent", Lane.URGENT) == 4

    asyncio.run(first())
    asyncio.run(second())


def test_depth_counts_what_lies_past_the_cursor_of_its_own_lane(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            for sink in ("uplink.urgent", "uplink.readings", "centre"):
                journal.cursor(sink)
            journal.append(reading(1))
            await store(journal, Lane.URGENT, [alert(2), alert(3)])
            journal.move_cursor("uplink.urgent", (1, 2))
            journal.move_cursor("centre", (1, 1))
            while journal.depth("uplink.urgent", Lane.URGENT) != 1:
                await asyncio.sleep(0.005)
            assert journal.depth("uplink.urgent", Lane.READINGS) == 0
            assert journal.depth("uplink.readings", Lane.READINGS) == 1
            assert journal.depth("centre", Lane.URGENT) == 2
            assert journal.depth("centre", Lane.READINGS) == 0

    asyncio.run(scene())


def test_waiting_ends_when_a_row_comes(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal, asyncio.timeout(5):
            waiting = asyncio.ensure_future(journal.wait(Lane.URGENT, START))
            await asyncio.sleep(0)
            assert not waiting.done()
            journal.append(alert(1))
            await waiting

    asyncio.run(scene())


def test_standing_gives_the_last_event_of_each_alert_that_is_not_over_and_the_last_baselines(
    tmp_path: Path,
) -> None:
    events = [
        alert(1),
        baseline(2, 0.5),
        alert(3, state="cleared_unacked"),
        event(4, alert(1).body),
        event(5, alert(3, state="over").body),
        baseline(6, 1.5),
        note(7),
    ]

    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, events)
            assert [e.seq for e in await journal.standing()] == [4, 6]

    asyncio.run(scene())


def test_an_event_is_committed_when_it_is_on_the_disk_and_not_before(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal, asyncio.timeout(5):
            assert not journal.failing
            waiting = asyncio.ensure_future(journal.committed(alert(3)))
            journal.append(alert(2))
            await journal.wait(Lane.URGENT, START)
            assert not waiting.done()
            journal.append(alert(3))
            await waiting
            assert journal.last(Lane.URGENT) == (1, 3)

    asyncio.run(scene())


def test_export_gives_both_lanes_in_one_order_between_two_times(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            for seq in range(1, 1500):
                journal.append(alert(seq) if seq % 3 == 0 else reading(seq))
            await journal.wait(Lane.URGENT, (1, 1496))
            await journal.wait(Lane.READINGS, (1, 1498))
            found = [e.seq async for e in journal.export(MORNING + 100, MORNING + 1400)]
            assert found == list(range(100, 1400))

    asyncio.run(scene())


def test_an_event_of_an_untrusted_clock_keeps_its_time(tmp_path: Path) -> None:
    early = event(1, NoteBody("gateway.started", ""), time=5.0, clock=Clock.UNSYNCED)

    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [early])

    asyncio.run(scene())
    assert served(tmp_path) == [early]


def test_a_second_gateway_on_the_same_directory_is_told_so(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path):
            with pytest.raises(StoreError, match="another gateway is running"):
                await Journal.open(tmp_path / "journal.db", settings=SMALL)

    asyncio.run(scene())


def test_a_missing_directory_is_told_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does the state directory exist"):
        asyncio.run(Journal.open(tmp_path / "nowhere" / "journal.db"))


def test_the_lock_keeps_every_other_connection_out(tmp_path: Path) -> None:
    """Two connections that write and checkpoint can lose committed rows in the SQLite of Debian 12 and 13."""

    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [alert(1)])
            other = sqlite3.connect(f"file:{tmp_path}/journal.db?mode=ro", uri=True, timeout=0)
            with closing(other), pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("SELECT 1 FROM urgent")

    asyncio.run(scene())


def test_a_body_the_reader_does_not_know_is_passed_over(tmp_path: Path) -> None:
    """A row written by a newer version is whole and yet not to be understood: it must not stop the others."""
    from gateway.runtime.journal.compress import shrink
    from gateway.runtime.journal.rows import Row, checksum, pack

    body = shrink(b'{"epoch":1,"seq":2,"body":{"type":"hologram"}}')
    strange = Row(
        pack((1, 2)), "hologram", 0.0, checksum(pack((1, 2)), Lane.URGENT, "hologram", 0.0, body), body
    )

    async def scene() -> None:
        told: list[Event | NoteBody] = []
        async with running(tmp_path) as journal:
            journal.report = told.append
            journal.append(alert(1))
            journal._writer.pending.add(Lane.URGENT, strange, 0.0)
            await store(journal, Lane.URGENT, [alert(3)])
        async with running(tmp_path) as journal:
            journal.report = told.append
            assert [e.seq for e in await every(journal, Lane.URGENT)] == [1, 3]
            assert journal.statistics().damaged == 1
        assert "1.2" in str(told)

    asyncio.run(scene())


def test_the_newest_time_is_that_of_the_last_row_of_either_lane_that_can_be_trusted(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            assert await journal.newest() == 0.0
            [first] = await store(journal, Lane.URGENT, [alert(1)])
            assert await journal.newest() == first.time
            [later] = await store(journal, Lane.READINGS, [reading(5)])
            assert await journal.newest() == max(first.time, later.time)
            doubtful = msgspec.structs.replace(alert(9), clock=Clock.UNSYNCED, time=later.time + 1e6)
            await store(journal, Lane.URGENT, [doubtful])
            assert await journal.newest() == later.time

    asyncio.run(scene())


def test_a_life_whose_clock_was_never_set_does_not_hide_when_the_one_before_it_looked(tmp_path: Path) -> None:
    """Or a long dark time after it is taken for a short restart."""

    def doubtful(event: Event) -> Event:
        return msgspec.structs.replace(event, clock=Clock.UNSYNCED, time=0.0)

    async def scene() -> None:
        async with running(tmp_path) as journal:
            await store(journal, Lane.URGENT, [alert(1)])
            [last] = await store(journal, Lane.READINGS, [reading(2)])
            await store(journal, Lane.READINGS, [doubtful(reading(n)) for n in range(3, 700)])
            await store(journal, Lane.URGENT, [doubtful(alert(n)) for n in range(700, 720)])
            assert await journal.newest() == last.time

    asyncio.run(scene())
