"""Readers that die, lines that are pulled, noise: told soon, mended soon, and never a card out of nothing."""

import asyncio
import contextlib
import statistics
import sys
from pathlib import Path

import pytest

from drivers.api import Device, LineSettings, Presented, Report
from drivers.osdp import line as osdp_line
from drivers.osdp.driver import OsdpDriver
from drivers.osdp.panel import Panel, Seat
from drivers.sim.faults import NO_FAULTS, PRESETS, Faults
from drivers.sim.osdp import SimReader
from drivers.sim.osdp_line import ReaderLine
from drivers.sim.pty_line import PtyLine
from drivers.sim.tcp_line import TcpLine
from tests.drivers.osdp.rig import CARD, KEY, READER, Rig, on_line


def test_a_silent_reader_is_offline_within_five_seconds_and_back_within_another_few() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().alive = False
        assert 2.0 < await rig.until(lambda: not rig.online(), within_s=8.0) < 5.0
        assert rig.told()[-1].reason == "silent"
        assert rig.driver.statistics().reopened == 0
        rig.reader().restart()
        rig.reader().alive = True
        assert await rig.until(rig.online, within_s=8.0) < 4.0
        await rig.settled()
        rig.reader().present_card(26, CARD)
        await rig.until(rig.presented)

    on_line(scenario, SimReader(0, KEY))


def test_an_adapter_that_hangs_is_opened_anew_and_the_doors_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes what is written and passes nothing on until its port is closed: nobody would pull it out for a week."""
    monkeypatch.setattr(osdp_line, "REOPEN_AFTER_S", 1.0)

    async def scenario(rig: Rig) -> None:
        passes_on = rig.line.receive

        def hang(data: bytes, now: float) -> None:
            if rig.driver.statistics().reopened:
                passes_on(data, now)

        rig.line.receive = hang  # type: ignore[method-assign]
        await rig.until(lambda: rig.driver.statistics().reopened, within_s=8.0)
        await rig.settled()
        rig.reader().present_card(26, CARD)
        await rig.until(rig.presented)
        await asyncio.sleep(1.5)
        assert rig.driver.statistics().reopened == 1

    on_line(scenario, SimReader(0, KEY))


def test_a_dead_neighbour_does_not_make_anybody_wait() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader(1).alive = False
        waits: list[float] = []
        for _ in range(12):
            count = len(rig.presented())
            rig.reader(0).present_card(26, CARD)
            waits.append(await rig.until(lambda count=count: len(rig.presented()) > count))  # type: ignore[misc]
            await asyncio.sleep(0.33)
        assert not rig.online("r1")
        assert statistics.median(waits) < 0.15
        assert max(waits) < 0.45

    on_line(scenario, SimReader(0, KEY), SimReader(1, KEY), baud=9600)


def test_what_was_presented_while_nobody_asked_opens_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        rig.line.unplug()
        await rig.until(lambda: not rig.lines()[-1].up)
        rig.reader().present_card(26, CARD)
        rig.reader().press("1#")
        await asyncio.sleep(3.2)
        rig.line.plug()
        await rig.until(lambda: rig.lines()[-1].up and rig.reader().in_secure_channel, within_s=8.0)
        await asyncio.sleep(0.6)
        assert rig.presented() == []
        rig.reader().present_card(26, CARD)
        await rig.until(rig.presented)

    on_line(scenario, SimReader(0, KEY))


def test_a_pulled_adapter_is_a_line_down_and_up_again(tmp_path: Path) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: list[Report] = []
        line = ReaderLine(LineSettings("door", "pty", baud=115200), [SimReader(3, KEY)])
        with PtyLine(line, link=tmp_path / "door") as port:
            settings = LineSettings("door", port.path, baud=115200)
            driver = OsdpDriver(settings, [Device("r3", READER, 3, KEY)], seen.append, clock=loop.time)
            rig = Rig(line, driver, seen)
            await rig.until(lambda: rig.online("r3"))
            line.unplug()
            await rig.until(lambda: not rig.lines()[-1].up, within_s=1.0)
            assert "lost" in rig.lines()[-1].reason
            line.plug()
            await rig.until(lambda: rig.lines()[-1].up, within_s=4.0)
            await rig.settled()
            line.reader(3).present_card(26, CARD)
            await rig.until(lambda: rig.presented("r3"))
            assert driver.statistics().reopened >= 1
            await rig.end()
        line.close()

    asyncio.run(main(), debug=True)


def test_a_reader_behind_a_converter_is_as_near_as_one_on_a_port() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        seen: list[Report] = []
        line = ReaderLine(LineSettings("door", "socket", baud=115200), [SimReader(0, KEY)])
        async with TcpLine(line) as converter:
            settings = LineSettings("door", converter.path, baud=115200)
            driver = OsdpDriver(settings, [Device("r0", READER, 0, KEY)], seen.append, clock=loop.time)
            rig = Rig(line, driver, seen)
            await rig.settled()
            line.reader(0).present_card(26, CARD)
            assert await rig.until(rig.presented) < 0.25
            assert await rig.act("unlock", seconds=1.0) == "acknowledged"
            await rig.end()
        line.close()

    asyncio.run(main(), debug=True)


@pytest.mark.parametrize("preset", ["noisy", "bad_wiring"])
def test_noise_makes_no_card_and_ends_nothing(preset: str) -> None:
    async def scenario(rig: Rig) -> None:
        rig.line.faults = PRESETS[preset]
        await asyncio.sleep(3.0)
        assert not rig.running.done()
        assert rig.presented() == []
        rig.line.faults = NO_FAULTS
        await rig.until(rig.online, within_s=12.0)
        await asyncio.sleep(0.5)
        rig.reader().present_card(26, CARD)
        await rig.until(lambda: [p.data for p in rig.presented()] == [CARD])

    on_line(scenario, SimReader(0, KEY))


def test_a_line_that_hears_itself_is_no_trouble() -> None:
    async def scenario(rig: Rig) -> None:
        rig.reader().present_card(26, CARD)
        await rig.until(rig.presented)
        assert rig.driver.statistics().echo is True
        assert rig.driver.statistics().devices[0].timeouts == 0

    on_line(scenario, SimReader(0, KEY), faults=Faults(echo=1.0))


def test_a_line_of_garbage_has_no_readers_and_no_cards() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(2.0)
        assert not rig.running.done()
        assert not any(isinstance(report, Presented) for report in rig.reports)
        assert not rig.online()

    reader = SimReader(0, KEY)
    reader.hear = lambda data, now: bytes(range(0x40, 0xC0))  # type: ignore[method-assign]
    on_line(scenario, reader, up=False)


def test_a_clock_that_is_set_back_stops_no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """libosdp waits until the time of day has caught up: as long as it does, it sends nothing."""

    async def scenario(rig: Rig) -> None:
        stuck = [True]
        pump = Panel.pump
        monkeypatch.setattr(Panel, "pump", lambda panel: None if stuck[0] else pump(panel))
        await rig.until(lambda: rig.driver.statistics().reopened, within_s=4.0)
        stuck[0] = False
        rig.reader().present_card(26, CARD)
        await rig.until(rig.presented)
        assert [report.online for report in rig.told()] == [True]

    on_line(scenario, SimReader(0, KEY))


def test_libosdp_keeps_nothing_of_the_events_it_made() -> None:
    """Its binding forgets to release them: a card a minute would stay in memory for ever, and be found there."""
    reader, sent, told = SimReader(0, KEY), list[bytes](), list[int]()
    panel = Panel(
        Seat(0, KEY), write=sent.append, on_event=lambda _e: told.append(1), on_link=lambda _up: None,
        on_done=lambda _ok: None,
    )  # fmt: skip

    def exchange() -> None:
        panel.pump()
        while sent:
            if answer := reader.hear(sent.pop(0), 0.0):
                panel.feed(answer)

    for _ in range(20):
        exchange()
    states = {"command": 9, "type": 0}

    def ask(times: int) -> int:
        before = sys.getallocatedblocks()
        for _ in range(times):
            assert panel.submit(states)
            exchange()
        return sys.getallocatedblocks() - before

    ask(50)
    assert ask(1000) < 200
    assert len(told) >= 1050
    panel.close()
    reader.close()


def test_a_driver_that_is_cancelled_leaves_nothing_running() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.end()
        assert rig.running.cancelled()
        before = rig.line.counts["requests"]
        await asyncio.sleep(0.3)
        assert rig.line.counts["requests"] == before
        with contextlib.suppress(Exception):
            await rig.act("unlock", within_s=0.2)

    on_line(scenario, SimReader(0, KEY))
