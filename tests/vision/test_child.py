"""A camera's process is gone when its life is over, whatever is cancelled, whenever, however often."""

import asyncio
import gc
import os
import threading
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gateway.runtime import loop
from gateway.vision.child import Child, WorkerError, own
from gateway.vision.keeper import Keeper
from tests.vision import keeping

DEAF = "exec sleep 60"  # does not mind that the gateway is gone
GARBAGE = r"printf '\377\377\377\377' >&0; exec sleep 60"  # announces a message too large
STEPS = range(10)  # of the loop: more than there are until nothing but the process is waited for


def shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


def left_open_by(main: Coroutine[Any, Any, None]) -> list[str]:
    """Run `main`, close its loop at once; return what was not closed by then."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        loop.run(main)
        for thread in threading.enumerate():
            if thread.name == "aside":
                thread.join(10)
        gc.collect()
    return [str(each.message) for each in seen]


def is_child(pid: int) -> bool:
    """Return whether a process is there or waits to be reaped."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def keeper(folder: Path, script: str) -> Keeper:
    return Keeper(
        "north",
        setup=lambda: keeping.setup(folder),
        submit=lambda _body: None,
        on_evidence=lambda _keeper, _evidence: None,
        on_missing=lambda _keeper, _missing: None,
        on_view=lambda _keeper, _view: None,
        looks=dict,
        view_of=lambda _setup: None,
        begin=own(shell(script)),
    )


async def cancelled(keeper: Keeper, since: Callable[[], object], *steps: int) -> int:
    """Have a keeper live, cancel it so many steps after `since` and again each so many later; return the pid."""
    life = asyncio.create_task(keeper.run())
    while keeper.pid is None:
        await asyncio.sleep(0)
    pid = keeper.pid
    while not since():
        await asyncio.sleep(0)
    for count in steps:
        for _ in range(count):
            await asyncio.sleep(0)
        life.cancel()
    await asyncio.wait([life])
    return pid


@pytest.mark.parametrize("first", range(4))
def test_a_deaf_process_is_gone_when_its_life_is_cancelled_and_cancelled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    async def live() -> None:
        for second in STEPS:
            pids.append(await cancelled(keeper(tmp_path, DEAF), lambda: True, first, second))

    pids: list[int] = []
    monkeypatch.setattr("gateway.vision.keeper.FAREWELL_S", 0.05)
    assert left_open_by(live()) == []
    assert [pid for pid in pids if is_child(pid)] == []


@pytest.mark.parametrize("steps", STEPS)
def test_a_process_that_is_being_killed_is_reaped_when_the_gateway_stops_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """One cancellation is enough: it takes away who waits for the killed process, and the loop is closed at once."""

    async def live() -> None:
        ended = keeper(tmp_path, GARBAGE)
        pids.append(await cancelled(ended, lambda: ended.tally.killed["garbage"], steps))

    pids: list[int] = []
    monkeypatch.setattr("gateway.vision.keeper.FAREWELL_S", 0.05)
    assert left_open_by(live()) == []
    assert [pid for pid in pids if is_child(pid)] == []


def test_a_process_that_shouts_when_the_gateway_goes_can_say_it_all_and_end_by_itself() -> None:
    async def live() -> None:
        child = Child.start(shell("cat >/dev/null; head -c 1000000 /dev/zero >&2; exit 7"), "north")
        async with asyncio.timeout(10):
            assert await child.end(farewell_s=30) == 7

    assert left_open_by(live()) == []


def test_a_process_that_cannot_be_started_leaves_nothing_open() -> None:
    async def live() -> None:
        with pytest.raises(WorkerError, match="cannot be started: No such file"):
            Child.start(("/nonexistent/worker",), "north")

    assert left_open_by(live()) == []


def test_the_last_words_are_known_as_soon_as_the_line_is_closed() -> None:
    """The loop need not have looked at standard error since they were said, and a secret is not in them."""

    async def live() -> None:
        child = Child.start(shell("echo 'no such key: hunter2' >&2"), "north", secret="hunter2")
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        words.append(child.last_words())
        await child.end()

    words: list[str] = []
    assert left_open_by(live()) == []
    assert words == ["no such key: ***"]
