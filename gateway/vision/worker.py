"""A camera's own process: frames in, falls, evidence and heartbeats out. Started by the gateway, ends with it.

Four threads: one decodes, one (the main one) watches, one writes evidence, one beats the heart; a fifth takes
orders. The line to the gateway is standard input, a socket: when it closes, the gateway is gone, and so is this
process. Its name and arguments say which camera it is and nothing else.
"""

import ctypes
import os
import resource
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.classifier import Classifier, ModelError
from gateway.vision.intake import Intake
from gateway.vision.lookout import Lookout
from gateway.vision.merging import PATIENCE_S
from gateway.vision.messages import Orders, Room, Setup, Up, WireError, encode
from gateway.vision.picture import PictureHealth
from gateway.vision.ring import Ring
from gateway.vision.shedding import shed_unused_code
from gateway.vision.sight import Outlook

BEAT_S: Final = 1.0
SHED_BEATS: Final = 30  # a fall runs through much that nothing else does
LAST_WORK_S: Final = 0.8  # for evidence in work when the gateway goes
CHUNK: Final = 64 * 1024
STUCK_S: Final = 120.0  # name, connection and first picture take a minute at worst, and then that is a fault
BACKSTOP: Final = 4  # times the memory limit: then the kernel says no

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15  # <linux/prctl.h>


class Line:
    """The socket to the gateway. Whoever sends when the gateway is gone ends the process."""

    def __init__(self, line: socket.socket) -> None:
        self._socket, self._lock = line, threading.Lock()
        self._orders, self._ending = Orders(), False

    def send(self, message: Up) -> None:
        """Tell the gateway something; any thread may."""
        try:
            with self._lock:
                self._socket.sendall(encode(message))
        except OSError:
            if not self._ending:
                os._exit(0)

    def end(self) -> None:
        """Nobody listens any more; what is still to be done may be done."""
        self._ending = True

    def setup(self) -> Setup:
        """Wait for the first order: what to watch."""
        while data := self._socket.recv(CHUNK):
            for order in self._orders.take(data):
                if isinstance(order, Setup):
                    return order
        raise SystemExit(0)

    def obey(self, room: Callable[[int], None]) -> None:
        """Take orders until the gateway is gone."""
        try:
            while data := self._socket.recv(CHUNK):
                for order in self._orders.take(data):
                    if isinstance(order, Room):
                        room(order.room)
        except (OSError, WireError):
            return


def main(arguments: list[str]) -> NoReturn:
    """Watch the camera named in the arguments as the line says, until the gateway is gone."""
    _belong_to_the_gateway(arguments[-1] if arguments else "camera")
    threading.excepthook = _end_all
    line = Line(socket.socket(fileno=0))
    setup = _with_password(line.setup())
    _call_it(setup.camera)  # a nursery did not know
    most = BACKSTOP * setup.memory_max_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    try:
        judge = Classifier.default()
    except ModelError as error:
        sys.exit(str(error))
    watcher = watcher_of(judge, Outlook(setup.watch, setup.ignore, setup.floors, setup.marked_in))
    ring = Ring()
    health = PictureHealth(look=setup.look, view=setup.view)
    lookout = Lookout(setup, send=line.send, watcher=watcher, health=health, ring=ring)
    intake = Intake(setup, ring, send=line.send, take=lookout.decoded)
    shed_unused_code()
    lookout.recorder.start()
    for name, run in {
        "decode": intake.run,
        "orders": lambda: _obey(line, lookout),
        "heart": lambda: _beat(line, lookout, intake),
    }.items():
        threading.Thread(target=run, name=name, daemon=True).start()
    lookout.watch()


def watcher_of(judge: Classifier, outlook: Outlook) -> AdaptedWatcher:
    """Return a camera's watcher: it tells a fall at once, and again when its whole way is known."""
    return AdaptedWatcher(
        judge, threshold=judge.card.threshold, outlook=outlook, patience_s=PATIENCE_S, at_once=True
    )


def _obey(line: Line, lookout: Lookout) -> NoReturn:
    """Take orders; when the gateway is gone, finish what evidence is being written, and end."""
    line.obey(lookout.recorder.make_room)
    line.end()
    lookout.recorder.finish(LAST_WORK_S)
    os._exit(0)


def _beat(line: Line, lookout: Lookout, intake: Intake) -> NoReturn:
    beats = 0
    while True:
        time.sleep(BEAT_S)
        beats += 1
        if (stuck_s := intake.stuck_s(time.monotonic())) > STUCK_S:
            _end(lookout, f"it hung in the camera's driver or decoder for {stuck_s:.0f} s")
        if beats % SHED_BEATS == 0:
            shed_unused_code()
        beat = lookout.heartbeat(decode_errors=intake.decode_errors, rss_bytes=_rss_bytes())
        if beat is not None:
            line.send(beat)


def _end(lookout: Lookout, why: str) -> NoReturn:
    """End the process with these last words: the next one opens the camera anew."""
    print(why, file=sys.stderr, flush=True)
    lookout.recorder.finish(LAST_WORK_S)
    os._exit(1)


def _end_all(problem: threading.ExceptHookArgs) -> None:
    """End the process when one of its threads failed: half a camera is worse than a new one."""
    traceback.print_exception(problem.exc_value)
    sys.stderr.flush()
    os._exit(1)


def _with_password(setup: Setup) -> Setup:
    """Read the password where only this process's service has it, a credential; end where there is none."""
    if not setup.credential:
        return setup
    file = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) / Path(setup.credential).name
    try:
        password = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        sys.exit(f"no password: {setup.credential} is no LoadCredential= of compound-gateway-vision")
    return msgspec.structs.replace(setup, password=password)


def _belong_to_the_gateway(camera: str) -> None:
    """Die with whoever started it, and be called by the camera's name in `ps`."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _call_it(camera)


def _call_it(camera: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_NAME, f"cam:{camera}".encode()[:15])


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main(sys.argv[1:])
