"""What was sent and never came: told after a while, over when it comes, and never said of what only came late."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gateway.desk.arrivals import Arrival
from gateway.desk.missing import GAP, GRACE_S, Gaps
from gateway.desk.store import events
from gateway.desk.store.database import Database
from tests.desk_parts import GATEWAY, NOW, PLACE_OF_COMPOUND, arrival, opened


class Scene:
    """A record, and a clock of our own."""

    def __init__(self, database: Database) -> None:
        self.database, self.now, self.woken = database, NOW, 0
        self.gaps = self.another()

    def another(self) -> Gaps:
        """Return another desk over the same record."""
        return Gaps(self.database, now=lambda: self.now, taken=[self._wake])

    async def take(self, *batch: Arrival) -> None:
        async with self.database.transaction() as transaction:
            await events.ingest(transaction, batch, self.now)

    async def told(self) -> list[tuple[str, str]]:
        """Return the desk's own alerts about what is missing."""
        async with self.database.transaction() as transaction:
            rows: Sequence[Any] = await events.alerts(transaction)
        return [(row["alert"], row["change"]) for row in rows if row["kind"] == GAP]

    def _wake(self) -> None:
        self.woken += 1


def run(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test over an open database."""

    async def main() -> None:
        async with opened(where) as database:
            await body(Scene(database))

    asyncio.run(main())


def chain(*numbers: int, epoch: int = 1, gateway: str = GATEWAY) -> list[Arrival]:
    """Return events each of which says that the number before it went before."""
    return [arrival(n, previous=n - 1 or None, epoch=epoch, gateway=gateway) for n in numbers]


def test_what_is_missing_is_told_once_after_a_while_and_is_over_when_it_comes(where: str) -> None:
    name = f"@desk:{GATEWAY}/{GAP}-1.4"

    async def body(scene: Scene) -> None:
        await scene.take(*chain(1, 2, 4, 5))
        assert await scene.gaps.look() == 0
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 1
        assert await scene.told() == [(name, "raised")]
        assert (await scene.gaps.look(), await scene.another().look(), scene.woken) == (0, 0, 1)
        await scene.take(*chain(3))
        assert await scene.gaps.look() == 1
        assert await scene.told() == [(name, "cleared")]
        assert await scene.another().look() == 0

    run(where, body)


def test_the_alert_says_where_and_what_in_both_languages(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(1, 4))
        async with scene.database.transaction() as transaction:
            await transaction.execute(
                "INSERT INTO gateways VALUES ($1, 'online', 0.0, 0.0, '', $2, NULL)",
                GATEWAY,
                '{"compound":"' + str(PLACE_OF_COMPOUND.compound) + '"}',
            )
        scene.now += GRACE_S + 1
        await scene.gaps.look()
        async with scene.database.transaction() as transaction:
            [row] = await events.standing(transaction, GAP)
        assert str(PLACE_OF_COMPOUND.compound) in row["place"]
        assert "1.3" in row["zh"]
        assert "1.3" in row["en"]
        assert row["rank"] == 2

    run(where, body)


def test_disorder_is_no_gap(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(1, 5, 3))
        scene.now += GRACE_S / 2
        await scene.take(*chain(4, 2))
        scene.now += GRACE_S
        assert await scene.gaps.look() == 0

    run(where, body)


def test_a_gateway_that_is_new_to_the_desk_misses_nothing_that_was_before(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(1042, 1043))
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 0

    run(where, body)


def test_a_new_epoch_begins_without_a_gap_and_one_in_it_is_its_own(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(7, 8), *chain(1, 2, epoch=2))
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 0
        await scene.take(*chain(4, epoch=2))
        await scene.take(arrival(2, epoch=3, previous=1))  # the first of the new journal is lost
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 2
        names = {name for name, _ in await scene.told()}
        assert names == {f"@desk:{GATEWAY}/{GAP}-2.4", f"@desk:{GATEWAY}/{GAP}-3.2"}

    run(where, body)


def test_gaps_of_two_gateways_and_a_silence_at_the_same_moment_are_alerts_of_their_own(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(1, 3), *chain(1, 3, gateway="hxtp-02"))
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 2
        assert len(await scene.told()) == 2

    run(where, body)


def test_a_broker_that_lost_something_of_every_gateway_of_a_street_is_told_of_each(where: str) -> None:
    names = [f"g-{number}" for number in range(events.MOST_GAPS + 20)]

    async def body(scene: Scene) -> None:
        await scene.take(*(each for name in names for each in chain(1, 3, gateway=name)))
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == events.MOST_GAPS
        assert await scene.gaps.look() == 20
        assert await scene.another().look() == 0
        assert {alert for alert, _ in await scene.told()} == {f"@desk:{name}/{GAP}-1.3" for name in names}

    run(where, body)


def test_what_is_missing_after_the_clock_was_set_back_is_told_of_all_the_same(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(1, 2))
        await scene.gaps.look()
        scene.now -= 86_400.0
        await scene.take(*chain(4))
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 1

    run(where, body)


def test_what_is_missing_of_a_new_journal_is_not_taken_for_come_by_its_number_in_the_old_one(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(*chain(1, 2, 3), *chain(1, 2, 4, epoch=2))
        scene.now += GRACE_S + 1
        assert await scene.gaps.look() == 1
        assert await scene.gaps.look() == 0
        assert await scene.told() == [(f"@desk:{GATEWAY}/{GAP}-2.4", "raised")]

    run(where, body)
