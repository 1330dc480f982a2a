"""The live view: state at once and each second, events between, and a slow watcher that harms nobody."""

import asyncio
from collections.abc import Mapping
from typing import Any

from gateway.core.events import Clock, Event, NoteBody
from gateway.services.watching import QUEUE, Watching
from tests import virtual


def event(seq: int) -> Event:
    return Event(1, seq, 0.0, 0.0, Clock.SYNCED, NoteBody("test", str(seq)))


def watching() -> Watching:
    return Watching(lambda: {"gateway": {"id": "x"}}, list)


async def first(watched: Watching, count: int, *, events: int = 0) -> list[Mapping[str, Any]]:
    """Return the first answers of a watcher who finds `events` waiting when it comes back from the first."""
    stream = watched.stream({})
    answers: list[Mapping[str, Any]] = [await anext(stream)]
    for seq in range(events):
        watched.follow(event(seq))
    answers += [await anext(stream) for _ in range(count - 1)]
    await stream.aclose()  # type: ignore[attr-defined]
    return answers


def test_the_state_comes_at_once_and_then_every_second() -> None:
    async def main() -> float:
        await first(watching(), 4)
        return asyncio.get_running_loop().time()

    assert 3.0 <= virtual.run(main()) < 3.1


def test_events_come_between_the_states_in_their_order() -> None:
    answers = virtual.run(first(watching(), 4, events=2))
    assert [next(iter(answer)) for answer in answers] == ["status", "event", "event", "status"]
    assert [answer["event"].seq for answer in answers[1:3]] == [0, 1]


def test_a_watcher_that_is_too_slow_is_told_how_much_it_missed() -> None:
    answers = virtual.run(first(watching(), QUEUE + 2, events=QUEUE + 7))
    assert answers[-1]["missed"] == 7


def test_nothing_is_kept_for_a_watcher_that_has_gone() -> None:
    async def main() -> int:
        watched = watching()
        await first(watched, 1)
        for seq in range(QUEUE + 5):
            watched.follow(event(seq))
        return watched.missed

    assert virtual.run(main()) == 0
