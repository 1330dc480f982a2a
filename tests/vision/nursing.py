"""A nursery of pretended processes in a thread of this process; the real one is a process, see test_nursery.py."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateway.runtime.systemd import Notifier
from gateway.vision.nursery import Nursery
from tests.bench.rig import ENVIRONMENT
from tests.vision.keeping import PRETEND


def listening(path: Path) -> socket.socket:
    """Return a socket as systemd would hand it over."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(os.fspath(path))
    path.chmod(0o600)
    made.listen()
    return made


def pretended(mode: str) -> Sequence[str]:
    return (sys.executable, str(PRETEND), mode)


@contextmanager
def nursed(
    path: Path, command: Sequence[str], *, secrets: tuple[str, ...] = (), idle_s: float = 60.0
) -> Iterator[threading.Thread]:
    """Have a nursery at `path` whose processes are `command`; yield its thread."""
    stop, told = os.pipe()
    with listening(path) as there:
        nursery = Nursery(there, notifier=Notifier({}), command=command, secrets=secrets, idle_s=idle_s)
        thread = threading.Thread(target=nursery.run, args=(stop,))
        thread.start()
        try:
            yield thread
        finally:
            os.write(told, b"x")
            thread.join(20)
            os.close(stop)
            os.close(told)
            assert not thread.is_alive()


@contextmanager
def service(there: socket.socket, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command as systemd would, with the socket as its descriptor 3."""
    command = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" -m gateway nursery 3<&0 </dev/null'
    process = subprocess.Popen(
        ["sh", "-c", command, sys.executable],
        stdin=there.fileno(),
        stderr=subprocess.PIPE,
        env=ENVIRONMENT | environment,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        assert process.stderr is not None
        process.stderr.close()
