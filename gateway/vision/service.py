"""All cameras of the house: a keeper each, their evidence taken in, their state told. The gateway's own side.

The field never waits for any of this: nothing here touches the disk but in threads beside the loop, and queues
are bounded. Evidence is looked after by one task for all cameras: taken in, added to its alert, sent upstream
by whoever asks the store, and room made for the next. Should that task be held up by a dying disk, heartbeats
and falls still come through.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from gateway.core.events import Body
from gateway.runtime.threads import in_thread
from gateway.vision.child import Begin
from gateway.vision.keeper import SILENT_S, Evidence, Keeper
from gateway.vision.messages import Kept, Look, Missing, Setup, View, What
from gateway.vision.store import EvidenceStore, StoreStatistics
from gateway.vision.views import Views

TICK_S = 1.0
UPKEEP_S = 60.0
QUEUE = 64
LACKING: Final[dict[What, str]] = {"still": "缺现场图片", "clip": "缺现场录像"}


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera as configured. `setup` lacks only the password, which is read anew for every life."""

    setup: Setup
    password_file: str = ""

    def complete(self) -> Setup:
        """Return the setup with its password, or how it is called where it is. Blocks; raises OSError."""
        if not self.password_file:
            return self.setup
        if "/" not in self.password_file:  # a credential, and none of ours
            return msgspec.structs.replace(self.setup, credential=self.password_file)
        password = Path(self.password_file).read_text(encoding="utf-8").rstrip("\r\n")
        return msgspec.structs.replace(self.setup, password=password)


@dataclass(frozen=True, slots=True)
class CameraStatistics:
    """One camera as `status` shows it. Counts of frames are of the present life of its process."""

    camera: str
    up: bool | None
    picture: str
    reason: str
    frames: int
    fps: float
    slow: bool  # too few pictures to see a fall
    dropped: int
    decode_errors: int
    lag_s: float
    rss_bytes: int
    falls: int
    suppressed: int
    starts: int
    killed: dict[str, int]
    evidence_missing: int


class Vision:
    """Watches `cameras`. `open_evidence` gives the sums that open alerts speak of: those are never removed.

    `begin` starts their processes, `looks` gives how those look that an open alert tells of, `views` what those should
    see that were moved.
    """

    def __init__(
        self,
        cameras: Sequence[Camera],
        store: EvidenceStore,
        views: Views,
        *,
        submit: Callable[[Body], object],
        open_evidence: Callable[[], Collection[str]],
        begin: Begin,
        looks: Callable[[], Mapping[str, Look]],
        silent_s: float = SILENT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self.missed = 0  # pieces of evidence no room was left for in the queue; the next start finds them
        self._submit, self._open, self._clock = submit, open_evidence, clock
        self._queue: asyncio.Queue[tuple[Keeper, Evidence | View]] = asyncio.Queue(QUEUE)
        self._views, self._setups = views, {camera.setup.camera: camera.setup for camera in cameras}
        self.keepers = [
            Keeper(
                camera.setup.camera,
                setup=camera.complete,
                submit=submit,
                on_evidence=self._queue_up,
                on_missing=self._missing,
                on_view=self._queue_up,
                begin=begin,
                looks=looks,
                view_of=views.of,
                silent_s=silent_s,
                clock=clock,
            )
            for camera in cameras
        ]

    @property
    def services(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to be kept running, by name: a service a camera, and one for all."""
        if not self.keepers:
            return {}
        return {
            **{f"camera:{keeper.camera}": keeper.run for keeper in self.keepers},
            "cameras": self._tell,
            "evidence": self._look_after_evidence,
        }

    def statistics(self) -> tuple[CameraStatistics, ...]:
        """Return how each camera is."""
        return tuple(_statistics(keeper) for keeper in self.keepers)

    def evidence_statistics(self) -> StoreStatistics | None:
        """Return how much evidence there is; None without cameras."""
        return self.store.statistics() if self.keepers else None

    async def _tell(self) -> None:
        """Tell what changed about the cameras, once a second."""
        while True:
            for keeper in self.keepers:
                for body in keeper.presence.due(self._clock()):
                    self._submit(body)
            await asyncio.sleep(TICK_S)

    async def _look_after_evidence(self) -> None:
        await in_thread(self.store.load)
        while True:
            if self._queue.empty():  # what waits there is whole, and no stray
                await self._make_room()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(UPKEEP_S):
                    next_one = await self._queue.get()
                # with no limit of time: what was taken from the queue is in nobody's hands
                await self._take(*next_one)

    async def _take(self, keeper: Keeper, evidence: Evidence | View) -> None:
        match evidence:
            case View():
                with contextlib.suppress(OSError):  # it is known till the gateway's next start
                    setup = self._setups[keeper.camera]
                    await in_thread(functools.partial(self._views.keep, setup, evidence))
            case Kept():
                whole = await in_thread(functools.partial(self.store.take, evidence.sha256))
                if whole:
                    keeper.settle(evidence.fall, add=evidence.sha256)
                else:
                    why = "it is not in the folder"
                    self._missing(keeper, Missing(evidence.fall, evidence.what, why, evidence.sha256))
            case Missing():  # or whole after all, and the process ended before it could say so
                sha256 = evidence.sha256
                if not sha256 or not await in_thread(functools.partial(self.store.take, sha256)):
                    self._missing(keeper, evidence)

    def _missing(self, keeper: Keeper, missing: Missing) -> None:
        keeper.tally.evidence_missing += 1
        told = f"{LACKING[missing.what]} ({missing.what} missing): {missing.reason}"
        keeper.settle(missing.fall, drop=missing.sha256 or "", note=told)

    async def _make_room(self) -> None:
        needed = frozenset(self._open())
        room = await in_thread(functools.partial(self.store.make_room, needed))
        for keeper in self.keepers:
            keeper.tell_room(room // len(self.keepers))

    def _queue_up(self, keeper: Keeper, evidence: Evidence | View) -> None:
        if not self._queue.full():
            self._queue.put_nowait((keeper, evidence))
        elif isinstance(evidence, Missing):
            self._missing(keeper, evidence)
        else:
            self.missed += 1


def _statistics(keeper: Keeper) -> CameraStatistics:
    beat, tally, presence = keeper.beat, keeper.tally, keeper.presence
    return CameraStatistics(
        camera=keeper.camera,
        up=presence.up,
        picture=presence.look,
        reason="" if presence.up else presence.reason,
        frames=beat.frames if beat else 0,
        fps=round(beat.fps, 1) if beat else 0.0,
        slow=presence.pace.slow is True,
        dropped=beat.dropped if beat else 0,
        decode_errors=beat.decode_errors if beat else 0,
        lag_s=round(beat.lag_s, 3) if beat else 0.0,
        rss_bytes=beat.rss_bytes if beat else 0,
        falls=tally.falls,
        suppressed=tally.suppressed + (beat.suppressed if beat else 0),
        starts=tally.starts,
        killed=dict(tally.killed),
        evidence_missing=tally.evidence_missing,
    )
