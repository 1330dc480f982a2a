"""The service manager in miniature does what systemd does: real processes that end, hang, and say that they live."""

import os
import signal
import sys
from pathlib import Path

from tests.broker import until
from tests.faults.soak.manager import Manager

SERVICE = """
import os, socket, sys, time
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(os.environ["NOTIFY_SOCKET"])
notify.send(b"READY=1")
while True:
    notify.send(b"WATCHDOG=1")
    time.sleep(0.05)
"""


def managed(folder: Path) -> Manager:
    manager = Manager([sys.executable, "-c", SERVICE], folder, watchdog_s=1.0, environment=dict(os.environ))
    alive(manager, lives=1)
    return manager


def alive(manager: Manager, *, lives: int) -> None:
    """Wait until it is ready in this life."""

    def ready() -> bool:
        manager.tick()
        return manager.ready and manager.lives == lives

    until(ready, what=f"life {lives}")


def test_what_is_killed_is_started_again(tmp_path: Path) -> None:
    manager = managed(tmp_path)
    manager.kill()
    alive(manager, lives=2)
    assert manager.ended == [-signal.SIGKILL]
    assert manager.starved == 0
    assert manager.stop() == -signal.SIGTERM


def test_what_hangs_starves_and_is_replaced(tmp_path: Path) -> None:
    manager = managed(tmp_path)
    manager.kill(signal.SIGSTOP)
    alive(manager, lives=2)
    assert manager.starved == 1
    manager.stop()
