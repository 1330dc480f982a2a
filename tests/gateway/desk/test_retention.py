"""Forgetting: what is closed long enough goes with all that hangs on it, what is open stays, and no gap is invented."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.core.events import Change, Place
from gateway.desk.missing import GRACE_S, Gaps
from gateway.desk.retention import AUDIT_TIMES, DAY_S, EVEN_S, Retention
from gateway.desk.silences import Silence
from gateway.desk.store import events, files, forgetting, news, notices, people, work
from gateway.desk.store.database import Record
from gateway.desk.store.notices import Notice
from gateway.desk.workflow import Command, Step
from tests.desk_evidence import STILL, sum_of
from tests.desk_parts import GATEWAY, NOW, arrival, opened

KEEP_DAYS = 30.0
LATER = NOW + KEEP_DAYS * DAY_S + 1000
TABLES = (
    "events", "alerts", "work", "attachments", "incidents", "timers", "notifications", "audit", "silences",
    "orders", "pairings", "news",
)  # fmt: skip


class Scene:
    """A record with two alerts, the first of which was closed."""

    def __init__(self, database: Record) -> None:
        self.database, self.now, self.clock = database, NOW, 0.0
        self.retention = Retention(
            database, keep_days=KEEP_DAYS, now=lambda: self.now, clock=lambda: self.clock
        )

    async def fill(self) -> None:
        """Have an alert closed and another open, with everything that can hang on them."""
        async with self.database.transaction() as transaction:
            await events.ingest(transaction, [arrival(1), arrival(2, life=1, change=Change.CLEARED)], NOW)
            await events.ingest(transaction, [arrival(3, kind="door.held", previous=2)], NOW)
            first, second = arrival(1).alert, arrival(3).alert
            for alert, sha256 in ((first, sum_of(b"1")), (second, sum_of(b"2")), (first, sum_of(STILL)),
                                  (second, sum_of(STILL))):  # fmt: skip
                await files.add(
                    transaction, sha256, kind="still", media="image/jpeg", size=1, who="a", now=NOW
                )
                await files.attach(transaction, [(alert, sha256, "a")], NOW)
            for row in await transaction.fetch("SELECT alert, incident FROM work"):
                notice = Notice(
                    row["incident"] + "|1.0|a", row["incident"], "a", "zh", (("p", "a"),), 3, "", "", NOW
                )
                await notices.write(transaction, [notice], NOW)
                await notices.delivered(transaction, notice, "", channel="p", answer="ok", now=NOW)
            for number, step in enumerate((Step.ACKNOWLEDGE, Step.FALSE_ALARM)):
                await work.take_step(transaction, Command(f"c-{number}", first, step, "a"), NOW)
            await people.silence(transaction, Silence("s", Place(), "bin", NOW + 60, "full", "a"), NOW)
            for state in ("done", "sent"):
                await transaction.execute(
                    "INSERT INTO orders VALUES ($1, 'g', 'd', 'open', '{}', 'a', 'p', $2, $2, $1, '{}', 1, 0, '', 0.0)",
                    state,
                    NOW,
                )
            await transaction.execute(
                "INSERT INTO pairings (hash, label, place, made_by, until) VALUES ('h', 'p', '{}', 'a', $1)",
                NOW,
            )

    async def counts(self) -> dict[str, int]:
        """Return how many rows each table has."""
        async with self.database.transaction() as transaction:
            found = {}
            for table in TABLES:
                found[table] = (await transaction.fetch(f"SELECT count(*) AS n FROM {table}"))[0]["n"]
            found["files"] = len(await files.known(transaction, [sum_of(b"1"), sum_of(b"2"), sum_of(STILL)]))
            return found


def run(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test over a record that is filled."""

    async def main() -> None:
        async with opened(where) as database:
            scene = Scene(database)
            await scene.fill()
            await body(scene)

    asyncio.run(main())


def test_nothing_goes_before_its_time(where: str) -> None:
    async def body(scene: Scene) -> None:
        before = await scene.counts()
        scene.now = NOW + 60
        await scene.retention.look()
        assert await scene.counts() == before

    run(where, body)


def test_a_clock_that_is_years_ahead_for_some_hours_makes_nobody_forget(where: str) -> None:
    async def body(scene: Scene) -> None:
        before = await scene.counts()
        for step in (LATER, NOW + EVEN_S, LATER):
            scene.now = step
            await scene.retention.turn()
            scene.now, scene.clock = scene.now + EVEN_S - 1, scene.clock + EVEN_S - 1
            await scene.retention.turn()
            assert await scene.counts() == before
        scene.now, scene.clock = scene.now + 1, scene.clock + 1
        await scene.retention.turn()
        assert (await scene.counts())["alerts"] == 1

    run(where, body)


def test_what_was_closed_goes_with_all_that_hangs_on_it_and_what_is_open_stays(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.now = LATER
        await scene.retention.look()
        assert await scene.counts() == {
            "events": 1, "alerts": 1, "work": 1, "attachments": 2, "incidents": 1, "timers": 1,
            "notifications": 1, "audit": 2, "silences": 0, "orders": 3, "pairings": 0, "news": 1, "files": 2,
        }  # fmt: skip
        async with scene.database.transaction() as transaction:
            # two orders wait on: what a person acknowledged is told to its gateway
            assert await files.known(transaction, [sum_of(b"1")]) == set()  # the one of nobody else
            assert [row["alert"] for row in await events.alerts(transaction)] == [arrival(3).alert]

    run(where, body)


def test_the_audit_trail_is_kept_longer(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.now = NOW + AUDIT_TIMES * KEEP_DAYS * DAY_S - 10
        await scene.retention.look()
        assert (await scene.counts())["audit"] == 2
        scene.now += 20
        await scene.retention.look()
        assert (await scene.counts())["audit"] == 0

    run(where, body)


def test_hundreds_go_in_small_steps(where: str) -> None:
    async def body(scene: Scene) -> None:
        numbers = range(10, 10 + 2 * forgetting.MOST + 5)
        async with scene.database.transaction() as transaction:
            await events.ingest(transaction, [arrival(n) for n in numbers], NOW)
            await transaction.execute("UPDATE work SET state = 'resolved', closed_at = $1", NOW)
        async with scene.database.transaction() as transaction:
            assert await forgetting.alerts(transaction, LATER, LATER) == forgetting.MOST
        scene.now = LATER
        await scene.retention.look()
        counts = await scene.counts()
        assert (counts["alerts"], counts["work"]) == (0, 0)

    run(where, body)


def test_a_gateway_that_was_quiet_for_years_misses_nothing_when_it_speaks_again(where: str) -> None:
    """Its last event stays, though its alert is forgotten: the next one says that it follows that one."""

    async def body(scene: Scene) -> None:
        async with scene.database.transaction() as transaction:
            await transaction.execute("UPDATE work SET state = 'resolved', closed_at = $1", NOW)
        scene.now = LATER
        await scene.retention.look()
        counts = await scene.counts()
        assert (counts["events"], counts["alerts"]) == (1, 0)
        async with scene.database.transaction() as transaction:
            await events.ingest(transaction, [arrival(9, previous=3)], LATER)
        gaps = Gaps(scene.database, now=lambda: LATER + GRACE_S + 1)
        assert await gaps.look() == 0
        async with scene.database.transaction() as transaction:
            assert await events.has(transaction, GATEWAY, 1, 3)

    run(where, body)


def test_news_are_of_use_for_a_day(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.now = NOW + DAY_S + 1
        async with scene.database.transaction() as transaction:
            await news.tell(transaction, "alert", ["x"], scene.now - 5)
        await scene.retention.look()
        assert (await scene.counts())["news"] == 1

    run(where, body)


def test_pages_about_no_incident_and_files_that_were_thrown_away_leave_no_row_for_ever(where: str) -> None:
    async def body(scene: Scene) -> None:
        async with scene.database.transaction() as transaction:
            for state in ("waiting", "failed"):
                notice = Notice(f"test|w|{state}", "test|w", "a", "zh", (("p", "a"),), 1, "", "", NOW)
                await notices.write(transaction, [notice], NOW)
            await notices.failed(transaction, notice, "", "no")
            await transaction.execute("UPDATE files SET gone_at = $1 WHERE sha256 = $2", NOW, sum_of(b"2"))
        scene.now = LATER
        await scene.retention.look()
        async with scene.database.transaction() as transaction:
            assert await transaction.fetch("SELECT 1 FROM files WHERE sha256 = $1", sum_of(b"2")) == []
            rows = await notices.of_incident(transaction, "test|w")
        assert [row["id"] for row in rows] == ["test|w|waiting"]

    run(where, body)
