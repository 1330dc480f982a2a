"""One camera kept watched: its process started, listened to, looked after, killed when it is no good any more.

`run` is one life of the process; it ends with a WorkerError that says why, and the supervisor starts the next
with back-off. A process is killed when its heartbeat stops (the frame loop hangs), when it grows over its
memory limit (a leak), and when it says what it should not (garbage, a flood). Nothing here waits for it.
"""

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from gateway.core.events import Body, FallBody
from gateway.runtime.threads import in_thread
from gateway.vision.allowance import Allowance
from gateway.vision.child import FAREWELL_S, Begin, Process, WorkerError
from gateway.vision.messages import (
    Ended,
    Heartbeat,
    Inbox,
    Kept,
    Link,
    Look,
    Missing,
    Picture,
    Room,
    Seen,
    Setup,
    View,
    What,
    WireError,
)
from gateway.vision.presence import Presence

SILENT_S = 10.0
START_S = 30.0  # until the first heartbeat: a Pi reads its libraries from an SD card
LOOK_S = 0.25
TOLD_MOST = 64  # falls whose evidence may still come
FALL = "falling.object"
ENDED = "the process ended"
GONE = "the camera's process ended before it was kept"
STOPPED = "the gateway was stopped or reloaded before it was kept"

Evidence = Kept | Missing
Heard = Heartbeat | Seen | Evidence | Picture | View | Link


@dataclass(slots=True)
class Tally:
    """What was counted over all lives of a camera's process."""

    falls: int = 0
    suppressed: int = 0  # over the limit of falls a minute
    starts: int = 0
    killed: Counter[str] = field(default_factory=Counter)  # by reason: hung, memory, garbage
    evidence_missing: int = 0


class Keeper:
    """Keeps one camera. `setup` is made anew for each life (it reads the password); `submit` takes events.

    `on_evidence` is handed what was kept or could not be; it must not wait. `on_missing` is told what is lost when
    all is stopped, and nobody takes in evidence any more. `on_view` is handed the view that a camera had before it was
    moved; it must not wait. `begin` starts a process, which is told how the camera last looked, by `looks`, and what
    it should see, by `view_of`, which may block.
    """

    def __init__(
        self,
        camera: str,
        *,
        setup: Callable[[], Setup],
        submit: Callable[[Body], object],
        on_evidence: Callable[["Keeper", Evidence], None],
        on_missing: Callable[["Keeper", Missing], None],
        on_view: Callable[["Keeper", View], None],
        begin: Begin,
        looks: Callable[[], Mapping[str, Look]],
        view_of: Callable[[Setup], View | None],
        silent_s: float = SILENT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.camera, self.tally = camera, Tally()
        self.presence = Presence(camera, clock())
        self.room = 0
        self.beat: Heartbeat | None = None
        self._setup, self._submit = setup, submit
        self._on_evidence, self._on_missing = on_evidence, on_missing
        self._on_view, self._looks, self._view_of = on_view, looks, view_of
        self._begin, self._silent_s, self._clock = begin, silent_s, clock
        self._child: Process | None = None
        self._told: dict[str, FallBody] = {}
        self._owed: dict[str, dict[What, str | None]] = {}  # by fall: what is to come, and under which sum
        self._allowance: Allowance | None = None
        self._beat_at = 0.0

    @property
    def pid(self) -> int | None:
        """Return the number of the process, while there is one."""
        return self._child.pid if self._child else None

    async def run(self) -> None:
        """Live one life of the process; raises WorkerError when it is over."""
        setup = await self._as_it_was(await self._set_up())
        self._allowance = self._allowance or Allowance(setup.max_falls_per_minute)
        child = await self._born(setup)
        self._child, self.tally.starts = child, self.tally.starts + 1
        self.presence.restarted()
        self._beat_at = self._clock() + START_S - self._silent_s
        tasks = [
            asyncio.create_task(self._listen(child, setup), name=f"camera.{self.camera}.listen"),
            asyncio.create_task(self._guard(child, setup), name=f"camera.{self.camera}.guard"),
        ]
        farewell_s = FAREWELL_S
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            farewell_s = 0.0
            for task in done:
                task.result()
        except WorkerError as error:
            self.presence.lost(f"{error.reason}: {error.last_words}" if error.last_words else error.reason)
            self._default()
            raise
        except asyncio.CancelledError:
            self._forgo()
            raise
        finally:
            self._child, self.beat = None, None
            try:
                await _cancelled(tasks)  # before the socket closes: the loop must never wait on a closed one
            finally:
                await child.end(farewell_s=farewell_s)

    async def _set_up(self) -> Setup:
        """Return the setup with its password; raises WorkerError, which holds nothing of what was read."""
        try:
            return await in_thread(self._setup)
        except OSError as error:
            reason = f"no password: {error.filename}: {error.strerror}"
        except UnicodeDecodeError:
            reason = "no password: its file is no UTF-8"
        self.presence.lost(reason)
        raise WorkerError(self.camera, reason)

    async def _as_it_was(self, setup: Setup) -> Setup:
        """Return the setup with how the camera looked when it was last seen, and with the view that is missed."""
        look = self._looks().get(self.camera, "fine")
        view = None if look == "fine" else await in_thread(functools.partial(self._view_of, setup))
        return msgspec.structs.replace(setup, look=look, view=view)

    async def _born(self, setup: Setup) -> Process:
        try:
            return await self._begin(self.camera, setup.password)
        except WorkerError as error:
            self.presence.lost(error.reason)
            raise

    def tell_room(self, room: int) -> None:
        """Have the process know how much it may write; it is told with its next heartbeat."""
        self.room = max(0, room)

    def _default(self) -> None:
        """Have told what a process that is gone was still to bring."""
        owed, self._owed = self._owed, {}
        for fall, pieces in owed.items():
            for what, sha256 in pieces.items():
                self._on_evidence(self, Missing(fall, what, GONE, sha256))

    def _forgo(self) -> None:
        """Have told at once which clips will never come; a picture was written long ago, and is found again."""
        owed, self._owed = self._owed, {}
        for fall in (fall for fall, pieces in owed.items() if "clip" in pieces):
            self._on_missing(self, Missing(fall, "clip", STOPPED))

    def settle(self, fall: str, *, add: str = "", drop: str = "", note: str = "") -> None:
        """Tell a fall once more: a piece of evidence came to it, or one that it was to have is missing."""
        body = self._told.get(fall)
        if body is None or add in body.evidence:
            return
        kept = tuple(each for each in body.evidence if each != drop)
        kept = (*kept, add) if add else kept
        self._told[fall] = body = msgspec.structs.replace(body, evidence=kept, note=note, more=True)
        self._submit(body)

    async def _listen(self, child: Process, setup: Setup) -> None:
        """Take in what the process says until it is gone."""
        inbox, room = Inbox(self._clock()), self.room
        try:
            await child.send(msgspec.structs.replace(setup, room=room))
            while data := await child.receive():
                for message in inbox.take(data, self._clock()):
                    if isinstance(message, Ended):
                        raise WorkerError(self.camera, ENDED, _masked(message.words, setup.password))
                    self._take(message)
                if self.room != room:
                    room = self.room
                    await child.send(Room(room))
        except WireError as error:
            self.tally.killed["garbage"] += 1
            raise WorkerError(self.camera, f"killed, because it sent {error}", child.last_words()) from error
        except OSError as error:
            raise WorkerError(self.camera, f"gone: {error.strerror}", child.last_words()) from error
        raise WorkerError(self.camera, ENDED, child.last_words())

    async def _guard(self, child: Process, setup: Setup) -> None:
        """Watch over heartbeat and memory; raise WorkerError when one is bad."""
        while True:
            await asyncio.sleep(LOOK_S)
            silent_s = self._clock() - self._beat_at
            if silent_s > self._silent_s:
                self.tally.killed["hung"] += 1
                what = "its frame loop stood still" if self.beat else "it said nothing"
                raise WorkerError(self.camera, f"killed, because {what} for {silent_s:.0f} s")
            rss = child.rss_bytes() or (self.beat.rss_bytes if self.beat else 0)
            if rss > setup.memory_max_bytes:
                self.tally.killed["memory"] += 1
                raise WorkerError(self.camera, f"killed, because it held {rss // 2**20} MB of memory")

    def _take(self, message: Heard) -> None:
        match message:
            case Heartbeat():
                self._beat_at, self.beat = self._clock(), message
                self.presence.beat(message.frames, message.picture, self._beat_at)
            case Seen():
                self._fell(message)
            case Kept() | Missing():
                self._owed.get(message.fall, {}).pop(message.what, None)
                self._on_evidence(self, message)
            case Picture():
                self.presence.look = message.look
            case View():
                self._on_view(self, message)
            case Link():
                self.presence.lost("" if message.up else message.reason)

    def _fell(self, seen: Seen) -> None:
        now = self._clock()
        assert self._allowance is not None
        if not self._allowance.take(now):
            self.tally.suppressed += 1
            return
        self.tally.falls += 1
        body = FallBody(
            camera=self.camera,
            kind=FALL,
            fall=seen.fall,
            seen_at=seen.seen_at if 0.0 <= seen.seen_at <= now else now,
            confidence=seen.confidence,
            floor=seen.floor,
            low=seen.low,
            high=seen.high,
            evidence=(seen.still,) if seen.still else (),
        )
        self._told[seen.fall] = body
        self._owed[seen.fall] = {"still": seen.still, "clip": None} if seen.still else {"clip": None}
        if len(self._told) > TOLD_MOST:
            oldest = next(iter(self._told))
            del self._told[oldest]
            self._owed.pop(oldest, None)
        self._submit(body)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _masked(words: str, secret: str) -> str:
    return words.replace(secret, "***") if secret else words
