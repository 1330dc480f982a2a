"""A camera process that only pretends: speaks to the gateway as it is told to, well or badly."""

import signal
import socket
import sys
import time
from pathlib import Path

from gateway.vision.messages import (
    LARGEST,
    Heartbeat,
    Kept,
    Link,
    Look,
    Missing,
    Orders,
    Picture,
    Seen,
    Setup,
    View,
    encode,
)
from tests.vision.pieces import put

EVERY_S = 0.1
LINE = socket.socket(fileno=0)
ORDERS = Orders()
VIEW = View(3, 2, bytes(range(6)), 0.5, 4.0, 2.0, 0.9)


def setup() -> Setup:
    while data := LINE.recv(65536):
        for order in ORDERS.take(data):
            if isinstance(order, Setup):
                return order
    raise SystemExit


def beat(frames: int, picture: Look = "fine") -> None:
    LINE.sendall(encode(Heartbeat(frames, 25.0, 0, 0, 0.01, 1000, picture)))


def seen(fall: str, still: str | None = None) -> None:
    LINE.sendall(encode(Seen(fall, 1.0, 2.0, time.monotonic(), 0.97, 7, 6, 8, still)))


def keep(given: Setup, fall: str, what: str, data: bytes) -> str:
    return put(Path(given.evidence_dir), given.camera, fall, what, data)


def live(picture: Look = "fine") -> None:
    """Beat for ever, until the gateway is gone."""
    LINE.settimeout(EVERY_S)
    frames = 0
    while True:
        frames += 3
        beat(frames, picture)
        try:
            if not LINE.recv(65536):
                return
        except TimeoutError:
            continue


def good(_given: Setup) -> None:
    live()


def covered(_given: Setup) -> None:
    LINE.sendall(encode(Picture("covered")))
    live("covered")


def as_before(given: Setup) -> None:
    """Know of the view no more than what the gateway says."""
    live("covered" if given.look == "covered" else "moved" if given.view == VIEW else "fine")


def moved(given: Setup) -> None:
    """Be moved, and know where the camera should look."""
    LINE.sendall(encode(VIEW))
    LINE.sendall(encode(Picture("moved")))
    live("moved")


def seen_well(given: Setup, fall: str) -> None:
    """A fall, and its still."""
    still = keep(given, fall, "still", f"{fall} still".encode())
    seen(fall, still)
    LINE.sendall(encode(Kept(fall, "still", still)))


def falls(given: Setup) -> None:
    """Two falls at once, with their evidence."""
    beat(1)
    for fall in ("fall-1", "fall-2"):
        seen_well(given, fall)
        LINE.sendall(encode(Kept(fall, "clip", keep(given, fall, "clip", f"{fall} clip".encode() * 9000))))
    live()


def poor(_given: Setup) -> None:
    """A fall whose evidence finds no room."""
    beat(1)
    seen("fall-1", "0" * 64)
    LINE.sendall(encode(Missing("fall-1", "still", "no room", "0" * 64)))
    live()


def more(given: Setup) -> None:
    """A fall that goes on after it was told, and another of which the second still finds no room."""
    beat(1)
    for fall in ("fall-1", "fall-2"):
        seen_well(given, fall)
    LINE.sendall(encode(Kept("fall-1", "still", keep(given, "fall-1", "still", b"fall-1 whole"))))
    LINE.sendall(encode(Missing("fall-2", "still", "no room", "0" * 64)))
    live()


def dies_owing(given: Setup) -> None:
    """A fall with its still, and another; gone before the clip of the first and before anything of the second."""
    beat(1)
    seen_well(given, "fall-1")
    seen("fall-2", "0" * 64)
    seen("fall-3", keep(given, "fall-3", "still", b"fall-3 still"))  # whole, and it could not say so any more
    wait_for_the_word(given)
    raise SystemExit(3)


def seen_only(given: Setup) -> None:
    """A fall with its still, whose clip waits for its last seconds."""
    beat(1)
    seen_well(given, "fall-1")
    live()


def late_clip(given: Setup) -> None:
    """A fall whose clip comes a while after its still."""
    beat(1)
    seen_well(given, "fall-1")
    time.sleep(0.5)
    LINE.sendall(encode(Kept("fall-1", "clip", keep(given, "fall-1", "clip", b"clip" * 99))))
    live()


def seen_and_mad(_given: Setup) -> None:
    """A fall that is sent together with what nobody understands."""
    beat(1)
    fall = Seen("fall-1", 1.0, 2.0, float("nan"), 0.97, 7, 6, 8, None)
    LINE.sendall(encode(fall) + b"\x00\x00\x00\x20" + bytes(range(7, 39)))
    time.sleep(60)


def storm(_given: Setup) -> None:
    """More falls than anybody wants to hear of."""
    beat(1)
    for number in range(50):
        seen(f"fall-{number}")
    live()


def garbage(_given: Setup) -> None:
    beat(1)
    LINE.sendall(b"\x00\x00\x00\x20" + bytes(range(7, 39)))
    time.sleep(60)


def huge(_given: Setup) -> None:
    beat(1)
    LINE.sendall((LARGEST + 1).to_bytes(4, "big"))
    time.sleep(60)


def flood(_given: Setup) -> None:
    while True:
        beat(1)


def hog(_given: Setup) -> None:
    """Leak 20 MB every tenth of a second, and be in the best of health otherwise."""
    held, frames = [], 0
    while True:
        held.append(b"x" * 20_000_000)
        frames += 1
        beat(frames)
        time.sleep(EVERY_S)


def hangs(_given: Setup) -> None:
    beat(1)
    signal.pause()


def quits(given: Setup) -> None:
    beat(1)
    print(f"Traceback of {given.camera}: its password is {given.password}", file=sys.stderr)
    raise SystemExit(3)


def lost(_given: Setup) -> None:
    LINE.sendall(encode(Link(up=False, reason="rtsp://192.168.1.30/1: connection refused")))
    LINE.settimeout(EVERY_S)
    while True:
        beat(0)
        try:
            if not LINE.recv(65536):
                return
        except TimeoutError:
            continue


def wait_for_the_word(given: Setup) -> None:
    """Be in the best of health until the file `go` is beside the evidence."""
    go, frames = Path(given.evidence_dir).with_name("go"), 0
    while not go.exists():
        frames += 3
        beat(frames)
        time.sleep(EVERY_S)


if __name__ == "__main__":
    told, (later, mode) = setup(), sys.argv[1].rpartition(":")[::2]
    if later:
        wait_for_the_word(told)
    globals()[mode](told)
