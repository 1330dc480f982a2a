"""SIGHUP has the configuration read again, whenever it comes."""

import asyncio
import gc
import math
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway import app, configuration, daemon
from gateway.configuration import Checked
from gateway.core.events import Event
from gateway.runtime import logs
from gateway.runtime.journal import Journal
from gateway.terminal.words import Words
from tests.events import alert
from tests.gateway.runtime.test_journal_refused import Card
from tests.uplink_parts import until

PATIENCE_S = 10.0
CONFIG = '[gateway]\nid = "hxtp-01"\nname = "{name}"\nstate_dir = "state"\n'


def test_a_configuration_changed_while_the_house_goes_down_for_the_one_before_comes_into_force_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    seen: list[str] = []

    def change(name: str, reload: Callable[[], None]) -> None:
        file.write_text(CONFIG.format(name=name), encoding="utf-8")
        reload()

    async def serve(
        checked: Checked, *, stop: asyncio.Event, reload: Callable[[], None], **_around: object
    ) -> None:
        assert checked.config is not None
        seen.append(checked.config.gateway.name)
        if len(seen) == 1:
            change("second", reload)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE_S):
            await stop.wait()
        if len(seen) == 1:  # the second one is read already
            change("third", reload)

    monkeypatch.setattr(app, "serve", serve)
    file.write_text(CONFIG.format(name="first"), encoding="utf-8")
    daemon.run(file, 0, Words("en"))
    assert seen == ["first", "second", "third"]


def test_a_life_told_to_stop_while_it_came_up_leaves_its_control_socket_to_the_next(tmp_path: Path) -> None:
    """Two reloads in one breath: the second house found the first one's socket answering, and gave up."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.format(name="first"), encoding="utf-8")

    async def lives() -> None:
        for _ in range(3):
            stop = asyncio.Event()
            stop.set()
            await app.serve(configuration.load(file), stop=stop)

    gc.disable()  # or luck closes the socket
    try:
        asyncio.run(lives())
    finally:
        gc.enable()
    assert list(tmp_path.rglob("*.sock")) == []


class Watch:
    """Lives on a card that refuses once a fire is raised, and is told to reload then and when it takes it."""

    def __init__(self, capture: pytest.LogCaptureFixture) -> None:
        self.lives: list[Journal] = []
        self.fire: Event | None = None
        self.known: list[Event] = []
        self._card, self._capture, self._real = Card(sqlite3.SQLITE_IOERR), capture, app.serve

    async def serve(self, checked: Checked, *, opened: Callable[[Journal], None], **around: Any) -> None:
        """Serve a house, and play what this life is about."""

        def told(journal: Journal) -> None:
            opened(journal)
            self.lives.append(journal)

        async with asyncio.TaskGroup() as group:
            group.create_task(self._real(checked, opened=told, probe=self._card.probe, **around))
            count = len(self.lives)
            await until(lambda: len(self.lives) > count, what="the house")
            await (self._first() if count == 0 else self._second())

    async def _first(self) -> None:
        journal = self.lives[-1]
        await until(lambda: journal.statistics().commits, what="the house is up")
        self._card.refuses = True
        self.fire = alert(journal.last_seq + 1000, epoch=journal.epoch)
        journal.append(self.fire)
        await until(lambda: journal.failing, what="the disk refuses")
        os.kill(os.getpid(), signal.SIGHUP)
        await until(lambda: len(self.lives) > 1 or "configuration in force stays" in self._capture.text)
        self._card.refuses = False
        await until(
            lambda: len(self.lives) > 1 or not journal.failing, what="the disk takes everything again"
        )
        assert len(self.lives) == 1
        os.kill(os.getpid(), signal.SIGHUP)

    async def _second(self) -> None:
        self.known = [event async for event in self.lives[-1].export(0.0, math.inf)]
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_life_whose_alerts_are_nowhere_but_in_memory_is_not_ended_by_a_reload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They were gone with it: the next life knew no fire."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.format(name="first"), encoding="utf-8")
    watch = Watch(caplog)
    monkeypatch.setattr(app, "serve", watch.serve)
    monkeypatch.setattr(logs, "set_up", lambda *_: None)  # it would take the log away from us
    assert daemon.run(file, 0, Words("en")) == 0
    assert watch.fire in watch.known
    assert "mend it" in caplog.text
