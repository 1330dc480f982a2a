"""The virtual loop: time passes only in the tests' minds."""

import asyncio
import time

import pytest

from tests import virtual


def test_a_week_passes_in_no_time() -> None:
    async def main() -> float:
        await asyncio.sleep(7 * 86400)
        return asyncio.get_running_loop().time()

    started = time.monotonic()
    assert virtual.run(main()) == pytest.approx(7 * 86400)
    assert time.monotonic() - started < 5


def test_timers_fire_in_their_order_and_at_their_time() -> None:
    async def main() -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        seen: list[tuple[str, float]] = []

        def note(name: str) -> None:
            seen.append((name, loop.time()))

        for name, at in (("late", 2.0), ("early", 0.001), ("middle", 1.0)):
            loop.call_at(at, note, name)
        await asyncio.sleep(3)
        return seen

    assert virtual.run(main()) == [("early", 0.001), ("middle", 1.0), ("late", 2.0)]


def test_a_thread_is_waited_for_when_nothing_else_is_pending() -> None:
    async def main() -> str:
        return await asyncio.to_thread(lambda: "done")

    assert virtual.run(main()) == "done"
