"""What comes again: a fire that burns again is told again, whatever people had made of it before."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.core.alerts import State
from gateway.core.events import Change, Severity
from gateway.desk.arrivals import Arrival
from gateway.desk.escalating import Escalation
from gateway.desk.store import events, notices, work
from gateway.desk.store.database import Database
from gateway.desk.workflow import Command, Step, Work
from tests.desk_parts import NOW, RULES, arrival, staffed


class Scene:
    """A fire that the desk was told of, on a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOW
        self.escalation = Escalation(database, RULES, now=lambda: self.now)

    async def take(self, *batch: Arrival) -> None:
        async with self.database.transaction() as transaction:
            await events.ingest(transaction, batch, self.now)

    async def step(self, name: Step) -> None:
        async with self.database.transaction() as transaction:
            command = Command(f"c-{name}", arrival(1).alert, name, "warden-1")
            await work.take_step(transaction, command, self.now)

    async def pages(self) -> list[str]:
        """Look for an hour; return the new pages: at which step, and to whom."""
        before = {row["id"] for row in await self._all()}
        for _ in range(60):
            self.now += 60.0
            await self.escalation.look()
        return [row["id"].rpartition(".")[2] for row in await self._all() if row["id"] not in before]

    async def work(self) -> Work:
        async with self.database.transaction() as transaction:
            found = await work.find(transaction, arrival(1).alert)
        assert found is not None
        return found

    async def _all(self) -> Any:
        async with self.database.transaction() as transaction:
            return await notices.everything(transaction)


def play(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test on a desk with its usual people, a fire among its alerts."""

    async def main() -> None:
        async with staffed(where) as database:
            scene = Scene(database)
            await scene.take(arrival(1))
            await scene.escalation.look()
            await body(scene)

    asyncio.run(main())


def later(
    seq: int, state: State, change: Change = Change.UPDATED, *, life: int = 1, kind: str = "fire.smoke"
) -> Arrival:
    """Return the next event of the fire, or of another alert."""
    return arrival(seq, life=life, change=change, kind=kind, state=state)


@pytest.mark.parametrize("step", [Step.ACKNOWLEDGE, Step.ARRIVE, Step.RESOLVE, Step.FALSE_ALARM])
def test_a_fire_that_burns_again_is_open_again_and_told_until_somebody_acknowledges_it(
    step: Step, where: str
) -> None:
    async def body(scene: Scene) -> None:
        await scene.step(step)
        await scene.take(later(2, State.ACTIVE_ACKED, Change.ACKNOWLEDGED), later(3, State.LATCHED_ACKED))
        assert await scene.pages() == []
        await scene.take(later(4, State.ACTIVE_UNACKED))
        told = await scene.pages()
        assert (told[0], "3|duty-room" in told) == ("0|warden-1", True)
        assert (await scene.work()).state == "raised"

    play(where, body)


def test_what_was_closed_here_alone_and_comes_again_is_told_again(where: str) -> None:
    """Without a key the desk tells no gateway of what people did: there the alert goes on living."""

    async def body(scene: Scene) -> None:
        await scene.step(Step.RESOLVE)
        await scene.take(later(2, State.CLEARED_UNACKED, Change.CLEARED))
        assert await scene.pages() == []
        await scene.take(later(3, State.ACTIVE_UNACKED, Change.RAISED))
        assert (await scene.pages())[0] == "0|warden-1"

    play(where, body)


def test_all_of_a_life_that_comes_at_once_is_told_as_it_stands_in_the_end(where: str) -> None:
    async def body(scene: Scene) -> None:
        life = [
            later(2, State.ACTIVE_ACKED, Change.ACKNOWLEDGED),
            later(3, State.LATCHED_ACKED),
            later(4, State.ACTIVE_UNACKED),
        ]
        await scene.take(*reversed(life))
        assert (await scene.work()).state == "raised"
        assert (await scene.pages())[0] == "0|warden-1"
        await scene.take(*life)  # known already
        await scene.step(Step.ACKNOWLEDGE)
        assert await scene.pages() == []

    play(where, body)


def test_an_acknowledgement_that_comes_after_the_fire_that_burned_again_stops_no_ladder(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(later(4, State.ACTIVE_UNACKED))
        await scene.take(later(2, State.ACTIVE_ACKED, Change.ACKNOWLEDGED), later(3, State.LATCHED_ACKED))
        assert (await scene.work()).state == "raised"
        assert "3|duty-room" in await scene.pages()

    play(where, body)


def test_a_return_is_known_also_when_what_was_before_it_comes_late(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.step(Step.RESOLVE)
        await scene.take(later(4, State.ACTIVE_UNACKED))
        await scene.take(later(2, State.ACTIVE_ACKED, Change.ACKNOWLEDGED), later(3, State.LATCHED_ACKED))
        assert (await scene.work()).state == "raised"
        assert (await scene.pages())[0] == "0|warden-1"

    play(where, body)


@pytest.mark.parametrize("step", [Step.ACKNOWLEDGE, Step.RESOLVE])
@pytest.mark.parametrize("also", [(), (6,)], ids=["alone", "with_more_of_the_same"])
def test_what_comes_late_opens_nothing_that_somebody_saw_to_when_what_followed_it_was_here(
    step: Step, also: tuple[int, ...], where: str
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(later(4, State.ACTIVE_UNACKED))
        scene.now += 60.0
        await scene.step(step)
        scene.now += 60.0
        await scene.take(later(5, State.ACTIVE_UNACKED))
        scene.now += 60.0
        before = await scene.work()
        await scene.take(later(3, State.LATCHED_UNACKED), *(later(seq, State.ACTIVE_UNACKED) for seq in also))
        await scene.take(later(2, State.CLEARED_UNACKED, Change.CLEARED))
        assert await scene.work() == before
        assert await scene.pages() == []

    play(where, body)


def test_a_return_after_somebody_saw_to_it_is_told_also_when_what_was_before_it_comes_a_minute_late(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(later(3, State.ACTIVE_UNACKED))
        scene.now += 60.0
        await scene.step(Step.ACKNOWLEDGE)
        scene.now += 60.0
        await scene.take(later(5, State.ACTIVE_UNACKED))
        scene.now += 60.0
        await scene.take(later(4, State.LATCHED_ACKED))
        assert (await scene.work()).state == "raised"
        assert (await scene.pages())[0] == "0|warden-1"

    play(where, body)


def test_more_of_the_same_is_no_return(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.step(Step.ACKNOWLEDGE)
        for seq in (2, 3):  # a picture, a count: the gateway has not heard yet that somebody has seen it
            await scene.take(later(seq, State.ACTIVE_UNACKED))
        await scene.take(later(4, State.ACTIVE_ACKED, Change.ACKNOWLEDGED), later(5, State.ACTIVE_ACKED))
        await scene.take(later(6, State.LATCHED_ACKED))
        assert await scene.pages() == []
        assert (await scene.work()).state == "acknowledged"

    play(where, body)


def test_what_nobody_acknowledged_yet_climbs_on_and_does_not_begin_anew(where: str) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(later(2, State.LATCHED_UNACKED), later(3, State.ACTIVE_UNACKED))
        assert "0|warden-1" not in await scene.pages()

    play(where, body)


def test_what_was_closed_and_becomes_worse_is_open_again_and_told_until_somebody_acknowledges_it(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        kind = "manhole.water"
        await scene.take(arrival(20, kind=kind, severity=Severity.MINOR))
        async with scene.database.transaction() as transaction:
            for number in (1, 20):
                command = Command(f"c-{number}", arrival(number).alert, Step.RESOLVE, "warden-1")
                await work.take_step(transaction, command, scene.now)
        assert await scene.pages() == []
        await scene.take(later(21, State.ACTIVE_UNACKED, life=20, kind=kind))
        told = await scene.pages()
        assert (told[0], "3|duty-room" in told) == ("0|warden-1", True)

    play(where, body)


def test_an_acknowledgement_at_the_gateway_that_comes_late_is_not_of_the_fire_that_burns_again(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(later(3, State.ACTIVE_UNACKED))
        before = await scene.work()
        await scene.take(later(2, State.ACTIVE_ACKED, Change.ACKNOWLEDGED))
        assert await scene.work() == before
        assert "0|warden-1" not in await scene.pages()

    play(where, body)


def test_what_comes_again_when_its_ladder_is_at_its_end_is_told_from_the_start(where: str) -> None:
    async def body(scene: Scene) -> None:
        door: dict[str, Any] = {"life": 2, "kind": "door.held", "severity": Severity.MAJOR}
        await scene.take(arrival(2, **door))
        assert "3|duty-room" in await scene.pages()
        await scene.take(arrival(3, **door, state=State.CLEARED_UNACKED, change=Change.CLEARED))
        await scene.take(arrival(4, **door))
        assert "0|warden-1" in await scene.pages()

    play(where, body)


def test_one_of_two_fires_that_burns_again_is_told_at_once_though_the_other_is_at_a_late_step(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(arrival(2))
        await scene.pages()
        await scene.step(Step.ACKNOWLEDGE)
        await scene.take(later(3, State.LATCHED_ACKED), later(4, State.ACTIVE_UNACKED))
        await scene.escalation.look()
        assert (await scene.pages())[:2] == ["1|warden-2", "2|property-1"]

    play(where, body)


def test_an_acknowledgement_at_the_gateway_counts_also_where_it_comes_behind_what_followed_it(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        await scene.take(later(3, State.LATCHED_ACKED))
        await scene.take(later(2, State.ACTIVE_ACKED, Change.ACKNOWLEDGED))
        assert (await scene.work()).state == "acknowledged"
        assert await scene.pages() == []

    play(where, body)
