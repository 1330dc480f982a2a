"""The watch over gateways while the clock is set: nobody is accused for it, and nobody's silence is missed for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gateway.desk.store import events, gateways
from gateway.desk.store.database import Database
from gateway.desk.watching import QUIET_S, Watch
from tests.desk_parts import GATEWAY, NOW, opened

DAY_S = 86_400.0


class Scene:
    """A desk that has listened for an hour to one gateway. `now`: wall seconds; `clock`: those that only count."""

    def __init__(self, database: Database) -> None:
        self.database, self.now, self.clock = database, NOW, 5_000.0
        self.since: float | None = NOW - 3_600
        self.watch = self.another()

    def another(self) -> Watch:
        return Watch(
            self.database,
            name="street",
            listening_since=lambda: self.since,
            now=lambda: self.now,
            clock=lambda: self.clock,
        )

    async def hear(self) -> None:
        async with self.database.transaction() as transaction:
            await gateways.heard(transaction, {GATEWAY: ""}, self.now)

    async def say(self, word: str, *, live: bool) -> None:
        async with self.database.transaction() as transaction:
            await gateways.available(transaction, GATEWAY, word, self.now, live=live)

    async def go_on(self, span_s: float, *, heard: bool) -> None:
        for _ in range(int(span_s / 10)):
            self.now, self.clock = self.now + 10, self.clock + 10
            if heard:
                await self.hear()
            await self.watch.look()

    async def told(self) -> list[tuple[str, str]]:
        async with self.database.transaction() as transaction:
            rows: Sequence[Any] = await events.alerts(transaction)
        return [(row["kind"], row["change"]) for row in rows]


def play(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test."""

    async def main() -> None:
        async with opened(where) as database:
            scene = Scene(database)
            await scene.hear()
            await scene.watch.look()
            await body(scene)

    asyncio.run(main())


def test_a_clock_set_forward_accuses_no_gateway_that_is_heard(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.now += DAY_S
        assert await scene.watch.look() == 0
        await scene.go_on(60, heard=True)
        await scene.go_on(QUIET_S - 10, heard=False)
        assert await scene.told() == []
        await scene.go_on(20, heard=False)
        assert await scene.told() == [("gateway.quiet", "raised")]

    play(where, body)


def test_a_clock_set_forward_makes_no_desk_deaf_that_has_just_lost_its_broker(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.since = None
        await scene.watch.look()
        scene.now += DAY_S
        await scene.go_on(50, heard=False)
        assert await scene.told() == []
        await scene.go_on(20, heard=False)
        assert await scene.told() == [("desk.deaf", "raised")]

    play(where, body)


def test_a_gateway_that_falls_silent_as_the_clock_is_set_back_is_told_of(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.now -= DAY_S
        await scene.go_on(QUIET_S + 20, heard=False)
        assert await scene.told() == [("gateway.quiet", "raised")]
        await scene.go_on(20, heard=True)
        assert await scene.told() == [("gateway.quiet", "cleared")]

    play(where, body)


def test_a_desk_started_anew_after_its_clock_was_set_back_tells_of_a_silent_gateway(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.now -= DAY_S
        scene.since, scene.watch = scene.now, scene.another()
        await scene.go_on(QUIET_S + 20, heard=False)
        assert await scene.told() == [("gateway.quiet", "raised")]

    play(where, body)


def test_a_silence_told_by_a_clock_that_was_ahead_is_over_when_the_gateway_is_heard(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.go_on(QUIET_S + 20, heard=False)
        assert await scene.told() == [("gateway.quiet", "raised")]
        scene.now -= DAY_S
        await scene.go_on(QUIET_S + 20, heard=True)
        assert await scene.told() == [("gateway.quiet", "cleared")]

    play(where, body)


def test_neither_what_the_broker_kept_nor_a_last_will_is_a_sign_of_life(where: str) -> None:
    async def body(scene: Scene) -> None:
        for word, live, heard in (("online", False, False), ("offline", True, False), ("online", True, True)):
            scene.now += 10
            await scene.say(word, live=live)
            async with scene.database.transaction() as transaction:
                (row,) = await gateways.everyone(transaction)
            assert (row["availability"], row["heard_at"] == scene.now) == (word, heard)

    play(where, body)


def test_a_quiet_gateway_whose_last_alert_comes_behind_its_last_will_is_not_back(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.say("offline", live=True)
        await scene.go_on(60, heard=False)
        assert await scene.told() == [("gateway.quiet", "raised")]
        await scene.go_on(20, heard=True)
        assert await scene.told() == [("gateway.quiet", "raised")]
        await scene.say("online", live=True)
        await scene.go_on(10, heard=True)
        assert await scene.told() == [("gateway.quiet", "cleared")]

    play(where, body)


def test_a_desk_that_said_it_is_deaf_says_when_it_hears_though_its_clock_was_set_back_meanwhile(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        scene.since = None
        await scene.go_on(80, heard=False)
        assert await scene.told() == [("desk.deaf", "raised")]
        scene.now -= DAY_S
        await scene.go_on(20, heard=False)
        scene.since = scene.now
        await scene.go_on(10, heard=True)
        assert await scene.told() == [("desk.deaf", "cleared")]

    play(where, body)
