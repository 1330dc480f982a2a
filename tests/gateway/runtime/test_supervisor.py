"""The supervisor restarts what fails, with pauses that grow, and leaves the others alone."""

import asyncio
import contextlib
import itertools
import logging

import pytest

from gateway.runtime.supervisor import PAUSE_LAST_S, Supervisor
from gateway.runtime.systemd import Notifier
from tests import virtual


async def run_for(supervisor: Supervisor, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await supervisor.run()


def test_a_failing_service_is_started_again_while_its_neighbour_runs_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    starts: list[float] = []
    beats: list[float] = []

    async def failing() -> None:
        starts.append(asyncio.get_running_loop().time())
        raise OSError("no such port")

    async def steady() -> None:
        while True:
            beats.append(asyncio.get_running_loop().time())
            await asyncio.sleep(1)

    async def main() -> Supervisor:
        supervisor = Supervisor(Notifier({}))
        supervisor.add("failing", failing)
        supervisor.add("steady", steady)
        await run_for(supervisor, 100)
        return supervisor

    with caplog.at_level(logging.ERROR):
        supervisor = virtual.run(main())
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert pauses[:4] == pytest.approx([0.5, 1.0, 2.0, 4.0])
    assert max(pauses) == pytest.approx(PAUSE_LAST_S)
    assert len(beats) == 100
    assert supervisor.states["failing"].last_fault == "OSError: no such port"
    assert supervisor.states["steady"].restarts == 0
    assert "service failing failed" in caplog.text


def test_a_service_that_ends_by_itself_is_started_again() -> None:
    starts: list[int] = []

    async def ends() -> None:
        starts.append(1)

    async def main() -> None:
        supervisor = Supervisor(Notifier({}))
        supervisor.add("ends", ends)
        await run_for(supervisor, 2)
        assert supervisor.states["ends"].last_fault == "ended by itself"

    virtual.run(main())
    assert len(starts) == 3


def test_a_service_that_ran_long_is_started_again_without_a_long_pause() -> None:
    starts: list[float] = []

    async def fails_late() -> None:
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(100)
        raise OSError("late")

    async def main() -> None:
        supervisor = Supervisor(Notifier({}))
        supervisor.add("late", fails_late)
        await run_for(supervisor, 1000)

    virtual.run(main())
    pauses = [later - earlier - 100 for earlier, later in itertools.pairwise(starts)]
    assert max(pauses) == pytest.approx(0.5)


def test_cancelling_ends_every_service_and_its_finally_runs() -> None:
    ended: list[str] = []

    async def tidy() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("tidy")

    async def main() -> None:
        supervisor = Supervisor(Notifier({}))
        supervisor.add("tidy", tidy)
        await run_for(supervisor, 1)

    virtual.run(main())
    assert ended == ["tidy"]
