"""The frame loop of one camera: watches, judges the picture, tells falls at once, has evidence kept, counts.

Where a thing is seen again after it was told, a second still shows its whole way.

`watch` goes round for ever in one thread, also while no frame comes; `heartbeat` is what another thread tells
once a second, and it is None when the loop has not gone round since: a hang shows by silence.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn, Protocol

from gateway.core.uuid7 import RANDOM_BITS, uuid7
from gateway.vision import still
from gateway.vision.allowance import Allowance
from gateway.vision.backlog import Arrival, Backlog
from gateway.vision.evidence import Cutter, Recorder
from gateway.vision.film import Watching
from gateway.vision.merging import same_thing
from gateway.vision.messages import Heartbeat, Look, Missing, Picture, Seen, Setup, Up, View
from gateway.vision.sight import Fall, Frame, Luma

ROUND_S: Final = 0.5  # the loop goes round at least so often
LULL_S: Final = 3.0  # without a frame: a fall that was in flight is told now, and not when the camera is back
MORE, MORE_SPOTS = 0.2, 3  # of the way that was told must be new, and spots: then it is drawn anew


class State(Protocol):
    """What the picture is from now on."""

    @property
    def what(self) -> Look:
        """Return it in a word."""


class LiveWatching(Watching, Protocol):
    """Watches frames that may stop coming for a while."""

    def pause(self) -> list[Fall]:
        """Return what is still undecided; more frames may follow."""
        ...


class Health(Protocol):
    """Judges the picture itself."""

    @property
    def state(self) -> State:
        """Return how it looks now."""
        ...

    def look(self, luma: Luma, time_s: float) -> State | None:
        """Take the next picture; return how it looks from now on, when that changed."""
        ...

    def view(self) -> View | None:
        """Return the view that is missed, if one is."""
        ...


class Lookout:
    """Watches one camera's frames. `send` tells the gateway; any thread may call it."""

    def __init__(
        self, setup: Setup, *, send: Callable[[Up], None], watcher: LiveWatching, health: Health, ring: Cutter
    ) -> None:
        self._setup, self._send, self._watcher, self._health = setup, send, watcher, health
        self._glances = still.Glances()
        self._backlog = Backlog()
        self._allowance = Allowance(setup.max_falls_per_minute)
        self.recorder = Recorder(
            Path(setup.evidence_dir),
            setup.camera,
            ring,
            send=send,
            wall=time.time,
            clock=time.monotonic,
            room=setup.room,
        )
        self._rounds = self._told_rounds = self._frames = self._told_frames = 0
        self._told_at = time.monotonic()
        self._lag_s = self._stream_s = 0.0
        self._suppressed = 0
        self._last: Arrival | None = None  # and None in a lull
        self._look = health.state.what
        self._told: dict[int, tuple[str, Fall]] = {}  # by number until told whole; "" for one too many

    def decoded(self, frame: Frame) -> None:
        """Take a frame from the decoder's thread."""
        self._backlog.put(Arrival(frame, time.monotonic()))

    def watch(self) -> NoReturn:
        """Go round for ever: a frame, if there is one, and what is due."""
        while True:
            self.go_round(ROUND_S)

    def go_round(self, wait_s: float) -> bool:
        """Watch one frame, if one comes in time, and do what is due; return whether one came."""
        arrival = self._backlog.get(wait_s)
        if arrival is not None:
            self._lag_s = time.monotonic() - arrival.at
            self._see(arrival.frame)
            self._last = arrival
        elif self._last is not None and time.monotonic() - self._last.at > LULL_S:
            last, self._last = self._last.frame, None
            for fall in self._watcher.pause():
                self._take(fall, last, more=False)
        self.recorder.tick(self._stream_s)
        self._rounds += 1
        return arrival is not None

    def heartbeat(self, *, decode_errors: int, rss_bytes: int) -> Heartbeat | None:
        """Return how it goes, or None when it does not go."""
        now = time.monotonic()
        if self._rounds == self._told_rounds:
            return None
        fps = (self._frames - self._told_frames) / max(now - self._told_at, 1e-3)
        self._told_rounds, self._told_frames, self._told_at = self._rounds, self._frames, now
        return Heartbeat(
            frames=self._told_frames,
            fps=fps,
            dropped=self._backlog.dropped,
            decode_errors=decode_errors,
            lag_s=self._lag_s,
            rss_bytes=rss_bytes,
            picture=self._look,
            suppressed=self._suppressed,
        )

    def _see(self, frame: Frame) -> None:
        falls = self._watcher.feed(frame)
        for fall in falls:
            self._take(fall, frame)
        self._glances.look(frame)
        state = self._health.look(frame.luma, frame.time_s)
        if state is not None:
            self._look = state.what
            if (view := self._health.view()) is not None:
                self._send(view)
            self._send(Picture(state.what))
        self._frames, self._stream_s = self._frames + 1, frame.time_s

    def _take(self, fall: Fall, last: Frame, *, more: bool = True) -> None:
        """Tell a fall, or have more kept of one that was told; `more` says whether that may still come."""
        if fall.number in self._told:
            self._fell_on(fall, last, *self._told.pop(fall.number))
            return
        name = self._fell(fall, last)
        if more:
            self._told[fall.number] = name, fall

    def _fell(self, fall: Fall, last: Frame) -> str:
        """Tell a fall at once and return its name; "" where there were too many of late.

        Its picture is made before, in some milliseconds, and written after.
        """
        if not self._allowance.take(time.monotonic()):
            self._suppressed += 1
            return ""
        name = uuid7(time.time_ns() // 1_000_000, secrets.randbits(RANDOM_BITS))
        seen_at = self._seen_at(fall)
        data, trouble = self._picture(fall, last, seen_at)
        sha256 = hashlib.sha256(data).hexdigest() if data else None
        origin = fall.origin
        self._send(
            Seen(
                fall=name,
                t_start=fall.t_start,
                t_end=fall.t_end,
                seen_at=seen_at,
                confidence=min(1.0, max(0.0, fall.confidence)),
                floor=origin.floor if origin else None,
                low=origin.low if origin else None,
                high=origin.high if origin else None,
                still=sha256,
            )
        )
        if data and sha256:
            self.recorder.still(name, data, sha256)
        else:
            self._send(Missing(name, "still", trouble))
        self.recorder.clip(name, fall.t_start, fall.t_end)
        return name

    def _fell_on(self, fall: Fall, last: Frame, name: str, told: Fall) -> None:
        """Have a second picture kept of what was told, where that was not most of the way, or only of its image.

        The floor stays as it was told.
        """
        known = {spot.frame for spot in told.track}
        more = sum(spot.frame not in known for spot in fall.track)
        known_well = more < max(MORE_SPOTS, MORE * len(known)) and same_thing(told.track, fall.track)
        if not name or known_well:
            return
        data, _ = self._picture(replace(fall, origin=told.origin), last, self._seen_at(fall))
        if data:
            self.recorder.still(name, data, hashlib.sha256(data).hexdigest())

    def _seen_at(self, fall: Fall) -> float:
        """Return when its last sight came, in monotonic seconds."""
        return self._backlog.arrived(fall.track[-1].frame) or time.monotonic()

    def _picture(self, fall: Fall, last: Frame, seen_at: float) -> tuple[bytes, str]:
        """Return the still, or why there is none: an alert goes out without one rather than not at all."""
        when = time.time() - (time.monotonic() - seen_at)
        title = self._setup.title if self._setup.title.isascii() else self._setup.camera
        glances, drawn = self._glances.during(fall), [(b"", "")]

        def draw() -> None:
            try:
                privacy = self._setup.privacy
                drawn[0] = still.jpeg(last, fall, glances, title=title, when=when, privacy=privacy), ""
            except Exception as error:  # noqa: BLE001 - whatever it is, the alert goes out
                drawn[0] = b"", f"{type(error).__name__}: {error}"[:200]

        # OpenCV keeps its fonts, 6 MB, as long as the thread that wrote a word with them.
        thread = threading.Thread(target=draw, name="still")
        try:
            thread.start()
        except RuntimeError as error:  # no more threads for this process, or this user
            return b"", str(error)
        thread.join()
        return drawn[0]
