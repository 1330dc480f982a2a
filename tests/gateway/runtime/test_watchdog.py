"""The watchdog is fed while every service gets on or can be started again, and no longer."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from gateway.runtime.supervisor import STRIKES, Supervisor
from gateway.runtime.systemd import Notifier
from tests import virtual

PATIENCE_S = 60.0


class Told(Notifier):
    """A service manager that keeps when it was fed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__({"WATCHDOG_USEC": "30000000"})
        self._clock = clock
        self.fed_at: list[float] = []

    def send(self, *lines: str) -> None:
        assert lines == ("WATCHDOG=1",)
        self.fed_at.append(self._clock())


class Beat:
    """A pulse that a service sets itself."""

    patience_s = PATIENCE_S

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self, now: float) -> float:
        return min(self.at, now)


class Watched:
    """A supervisor, who was fed when, and how often its one service was started."""

    def __init__(self) -> None:
        self.told = Told(asyncio.get_running_loop().time)
        self.supervisor = Supervisor(self.told)
        self.starts = 0
        self.beat = Beat()

    async def live(self, run: Callable[[], Awaitable[None]], seconds: float) -> None:
        async def counted() -> None:
            self.starts += 1
            await run()

        self.supervisor.add("line", counted, pulse=self.beat)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.supervisor.run()


def fed_until(told: Told) -> float:
    return told.fed_at[-1]


def test_a_service_that_gets_on_is_left_alone_and_the_watchdog_is_fed_in_time() -> None:
    async def main() -> Watched:
        watched = Watched()

        async def steady() -> None:
            while True:
                watched.beat.at = asyncio.get_running_loop().time()
                await asyncio.sleep(20)

        await watched.live(steady, 1000)
        return watched

    watched = virtual.run(main())
    assert watched.starts == 1
    gaps = [
        later - earlier for earlier, later in zip(watched.told.fed_at, watched.told.fed_at[1:], strict=False)
    ]
    assert max(gaps) <= 10.0
    assert fed_until(watched.told) >= 990


def test_a_service_that_gets_nowhere_is_started_again_and_forgiven_when_it_gets_on() -> None:
    async def main() -> Watched:
        watched = Watched()

        async def stuck_at_first() -> None:
            if watched.starts % STRIKES:
                await asyncio.sleep(1e6)
            watched.beat.at = asyncio.get_running_loop().time()
            raise OSError("unplugged")

        await watched.live(stuck_at_first, 5000)
        return watched

    watched = virtual.run(main())
    assert watched.starts > 3 * STRIKES
    assert fed_until(watched.told) >= 4990


def test_one_that_never_gets_on_is_started_three_times_and_then_the_watchdog_starves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> Watched:
        watched = Watched()
        await watched.live(lambda: asyncio.sleep(1e6), 1000)
        return watched

    watched = virtual.run(main())
    assert watched.supervisor.states["line"].last_fault == "got nowhere and was ended"
    assert 3 * PATIENCE_S < fed_until(watched.told) < 5 * PATIENCE_S
    assert caplog.text.count("the watchdog is fed no more") == 1


def test_one_that_cannot_even_be_ended_starves_the_watchdog_soon() -> None:
    async def main() -> Watched:
        watched = Watched()
        let_go_at = 500.0

        async def deaf() -> None:
            loop = asyncio.get_running_loop()
            while loop.time() < let_go_at:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(let_go_at - loop.time())
            raise asyncio.CancelledError

        await watched.live(deaf, 400)
        return watched

    watched = virtual.run(main())
    assert watched.starts == 1
    assert PATIENCE_S <= fed_until(watched.told) <= PATIENCE_S + (STRIKES + 1) * 10


def test_one_that_fails_again_and_again_is_a_fault_of_its_own_and_starves_nobody() -> None:
    async def main() -> Watched:
        watched = Watched()

        async def failing() -> None:
            await asyncio.sleep(1)
            raise OSError("no such port")

        await watched.live(failing, 1000)
        return watched

    assert fed_until(virtual.run(main()).told) >= 990
