"""Frames of one camera from wherever they come, for ever, in a thread of their own; each packet into the ring.

A camera that breaks off is asked again (live.py); every change is told in words. A film in a file is played at
its own speed, again and again, as if it were a camera: for a demonstration, and to try a view before it hangs.

Whoever hangs in a driver comes back from nowhere: a USB camera that stalls is waited for without end (V4L2's dequeue).
So it is told for how long nothing has got on, and the process is to end by that.
"""

import time
from collections.abc import Callable

from gateway.vision.frames import Source, open_source
from gateway.vision.live import Connected, LiveState, Lost, live_frames
from gateway.vision.messages import Link, Setup, Up
from gateway.vision.ring import Ring
from gateway.vision.sight import Frame

LONGEST_NAP_S = 1.0


class Intake:
    """Opens the source and hands its frames on. `send` tells the gateway of losses."""

    def __init__(
        self,
        setup: Setup,
        ring: Ring,
        *,
        send: Callable[[Up], None],
        take: Callable[[Frame], None],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._setup, self._ring, self._send, self._take = setup, ring, send, take
        self._clock, self._sleep = clock, sleep
        self._source: Source | None = None
        self._earlier_errors = 0
        self._ahead: float | None = None  # stream time minus clock of a film
        self._got_on_at, self._rests = clock(), False

    @property
    def decode_errors(self) -> int:
        """Return how many pictures could not be decoded so far."""
        return self._earlier_errors + (self._source.statistics.corrupt if self._source else 0)

    def stuck_s(self, now: float) -> float:
        """Return for how long neither picture nor fault has come; 0 while the next try is waited for."""
        return 0.0 if self._rests else now - self._got_on_at

    def run(self) -> None:
        """Hand frames on for ever."""
        frames = live_frames(self._open, clock=self._clock, sleep=self._rest, on_state=self._told)
        for frame in frames:
            self._got_on_at = self._clock()
            if self._source is not None and not self._source.live:
                self._keep_pace(frame.time_s)
            self._take(frame)

    def _open(self) -> Source:
        source = open_source(self._setup.url, password=self._setup.password or None)
        self._ring.follow(source)
        if self._source is not None:
            self._earlier_errors += self._source.statistics.corrupt
        self._source = source
        return source

    def _told(self, state: LiveState) -> None:
        match state:
            case Connected():
                self._send(Link(up=True, reason=""))
            case Lost():
                self._send(Link(up=False, reason=str(state.error)[:200]))

    def _keep_pace(self, time_s: float) -> None:
        """Wait until a film's frame is due by the clock; after a break the film goes on from now."""
        now = self._clock()
        if self._ahead is None or abs(time_s - now - self._ahead) > LONGEST_NAP_S:
            self._ahead = time_s - now
        if (wait_s := time_s - now - self._ahead) > 0:
            self._rest(wait_s)

    def _rest(self, seconds: float) -> None:
        self._rests = True
        self._sleep(seconds)
        self._got_on_at = self._clock()
        self._rests = False
