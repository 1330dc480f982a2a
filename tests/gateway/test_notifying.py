"""What a service manager hears from the daemon, and that neither a reload nor a dead disk has it killed."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway import app, configuration
from tests.gateway.test_daemon import CONFIG, environment

PATIENCE_S = 20.0
WATCHDOG_S = 0.6
FEEDS = 6


@contextmanager
def manager(folder: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(folder / "notify"))
        listening.settimeout(PATIENCE_S)
        yield listening


def heard(listening: socket.socket) -> set[str]:
    return set(listening.recv(4096).decode().splitlines())


def test_a_reload_is_told_as_one_and_only_the_end_as_an_end(tmp_path: Path) -> None:
    """STOPPING=1 on a reload would have systemd kill a gateway that lives."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG, encoding="utf-8")
    with manager(tmp_path) as listening:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "run", "-c", str(file)],
            stderr=subprocess.DEVNULL,
            env={**environment(), "NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            assert "READY=1" in until(listening, "READY=1")
            process.send_signal(signal.SIGHUP)
            assert "RELOADING=1" in until(listening, "RELOADING=1")
            assert "READY=1" in until(listening, "READY=1")
            process.send_signal(signal.SIGTERM)
            assert until(listening, "STOPPING=1") == {"STOPPING=1"}
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            process.wait()


def until(listening: socket.socket, line: str) -> set[str]:
    """Return the first message that is no feeding of the watchdog; it must hold `line`."""
    while (lines := heard(listening)) == {"WATCHDOG=1"}:
        pass
    assert line in lines, lines
    return lines


def test_a_journal_stuck_in_a_dead_disk_leaves_the_watchdog_fed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fire and doors go on without the disk, so its death is no reason to kill them."""
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(int(WATCHDOG_S * 1e6)))
    up, stuck, mended = threading.Event(), threading.Event(), threading.Event()

    def probe(point: str) -> None:
        if up.is_set() and point == "journal.before_commit":
            stuck.set()
            mended.wait(PATIENCE_S)

    async def main() -> None:
        with manager(tmp_path) as listening:
            stop = asyncio.Event()
            async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
                house = app.serve(configuration.load(file), stop=stop, ready=up.set, probe=probe)
                group.create_task(house, name="house")
                fed = 0
                while fed < FEEDS:
                    lines = await asyncio.to_thread(heard, listening)
                    fed += stuck.is_set() and lines == {"WATCHDOG=1"}
                assert not mended.is_set()
                mended.set()
                stop.set()

    asyncio.run(main())
