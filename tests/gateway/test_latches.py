"""Latched inputs: cleared when the alert is safe and never before, again and again until it is done."""

import asyncio

from drivers.api import Quality
from gateway.core.events import AlertBody, Event, OutcomeBody, ReadingBody
from tests.gateway.buttons import WALL, Boards, House, living, play


def test_a_press_of_fifty_milliseconds_is_an_alert_and_its_latch_is_cleared_after_the_commit() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            house.disk.slow_s = 2.0
            await asyncio.sleep(5.0)
            board = await house.latched(1)
            await asyncio.sleep(1.5)
            assert board.writes == []
            assert board.get("latched")
            committed = await house.until(lambda: house.disk.alerts)
            cleared = await house.until(lambda: not board.get("latched"))
            assert committed <= board.writes[0] <= cleared
            await asyncio.sleep(10.0)
            assert len(board.writes) == 1
            (alert,) = house.open("latching-1")
            assert (alert.count, alert.severity) == (1, "critical")
            assert "恢复正常" not in alert.text.zh
            house.alerting.acknowledge(alert.alert, "warden")
            assert house.open("latching-1") == []

    play(scenario)


def test_a_disk_that_takes_nothing_leaves_the_press_in_the_device() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            house.disk.slow_s = 1e9
            await asyncio.sleep(5.0)
            board = await house.latched(1)
            await asyncio.sleep(120.0)
            assert board.writes == []
            assert board.get("latched")

    play(scenario)


def test_a_button_is_heard_again_on_a_dead_disk_once_its_first_press_is_upstream() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            house.disk.slow_s = 1e9
            house.stream.follow(
                "uplink", lambda event: isinstance(event.body, AlertBody) and house.disk.deliver(event)
            )
            await asyncio.sleep(5.0)
            board = await house.latched(1)
            await house.until(lambda: not board.get("latched"))
            await asyncio.sleep(5.0)
            board.press_at(house.loop.time(), ["latched"])
            await house.until(lambda: house.pressed("latching-1") == 2)

    play(scenario)


def test_power_cut_before_the_commit_the_next_run_finds_the_press_in_the_device() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            house.disk.slow_s = 5.0
            await asyncio.sleep(6.0)
            board = await house.latched(1)
            kept = list(house.disk.events)
        async with living(House(boards, restore=kept)) as after:
            await after.until(lambda: after.open("latching-1"))
            await after.until(lambda: not board.get("latched"))
            assert after.open("latching-1")[0].count == 1

    play(scenario)


def test_power_cut_between_commit_and_clearing_it_is_one_alert_and_cleared_by_the_next_run() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            await asyncio.sleep(5.0)
            board = await house.latched(1)
            while not house.disk.alerts:
                await asyncio.sleep(0.0001)
            kept = list(house.disk.events)
        assert board.get("latched")
        assert board.writes == []
        async with living(House(boards, restore=kept, ended=WALL)) as after:
            await after.until(lambda: not board.get("latched"))
            await asyncio.sleep(10.0)
            (alert,) = after.open("latching-1")
            assert alert.count == 1
            assert {body.alert for body in after.told} <= {alert.alert}

    play(scenario)


def test_a_device_that_does_not_take_the_order_is_told_again_and_a_person_learns_that_it_is_deaf() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            await asyncio.sleep(5.0)
            board = boards.latching[1]
            deaf = board._do
            board._do = lambda effect, now: None  # type: ignore[method-assign]
            board._store = lambda table, address, words: None  # type: ignore[method-assign]
            refused = board._write
            board._write = lambda request, now: bytes([request.function | 0x80, 4])  # type: ignore[method-assign]
            board.press_at(house.loop.time(), ["latched"])
            await house.until(lambda: any(b.kind == "command.failed" for b in house.alerting.alerts()))
            await asyncio.sleep(60.0)
            tries = len(board.writes)
            assert 5 <= tries <= 20
            board._do, board._write = deaf, refused  # type: ignore[method-assign]
            await house.until(lambda: not board.get("latched"))
            told = [e.body for e in house.disk.events if isinstance(e.body, OutcomeBody)]
            assert [body.result for body in told] == ["failed"]
            await house.until(
                lambda: (
                    [e.body.result for e in house.disk.events if isinstance(e.body, OutcomeBody)]
                    == ["failed", "done"]
                )
            )

    play(scenario)


def test_a_latch_found_set_when_the_gateway_starts_is_a_press() -> None:
    """Pressed while the gateway was down, and never read: nothing is cleared that nobody was told of."""

    async def scenario(boards: Boards) -> None:
        boards.latching[2].press_at(0.0, ["latched"])
        async with living(House(boards)) as house:
            await house.until(lambda: house.open("latching-2"))
            await house.until(lambda: boards.latching[2].writes)

    play(scenario)


def test_a_latch_that_is_stale_or_bad_is_not_cleared() -> None:
    async def scenario(boards: Boards) -> None:
        async with living(House(boards)) as house:
            for quality in (Quality.STALE, Quality.BAD):
                body = ReadingBody("latching-3", "latched", True, quality, house.loop.time())
                house.latches.follow(Event(1, 1, WALL, house.loop.time(), house._stamp().clock, body))
            await asyncio.sleep(10.0)
            assert boards.latching[3].writes == []

    play(scenario)
