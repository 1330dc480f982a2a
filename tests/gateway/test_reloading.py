"""SIGHUP has the configuration read again, whenever it comes."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import app, configuration, daemon
from gateway.configuration import Checked
from gateway.terminal.words import Words

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

    async def serve(checked: Checked, *, stop: asyncio.Event, reload: Callable[[], None]) -> None:
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
