"""Evidence put on the disk, by a camera's own process: whole under its sum, or not at all.

Everything slow is done in a thread of its own, so that a slow SD card delays no frame. A piece is written under
another name, synced, given the name of its SHA-256, and only then its sidecar is written: what has a sidecar is
whole. When there is no room, or no disk, the alert has long gone out; all that is lost is told as missing.
"""

import contextlib
import errno
import hashlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from gateway.runtime import whole_file
from gateway.vision.messages import Kept, Missing, Up, What
from gateway.vision.store import SIDECAR, SUFFIXES, Facts

BEFORE_S: Final = 10.0
AFTER_S: Final = 10.0
GRACE_S: Final = 5.0  # on the clock: a stream that broke off gives what it had
JOBS: Final = 32
CHUNK: Final = 1024 * 1024


class Cut(Protocol):
    """What was written."""

    @property
    def start_s(self) -> float:
        """Return the stream time it begins at."""


class Cutter(Protocol):
    """Who has the encoded stream: the ring."""

    def hold(self, t0_s: float) -> None:
        """Keep what came from then on, until it is released."""

    def release(self, t0_s: float) -> None:
        """Keep it no longer than anything else."""

    def cut(self, t0_s: float, t1_s: float, path: Path) -> Cut:
        """Write what lies between two stream times as MP4; raises when it cannot."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """A clip whose end has not been seen yet; `until` is monotonic seconds at which it is cut whatever there is.

    `fell_s` is when the fall was over: a clip that begins later shows nothing of it.
    """

    fall: str
    fell_s: float
    start_s: float
    end_s: float
    until: float


class Recorder:
    """Writes stills and clips of one camera. `send` tells the gateway; `wall` and `clock` are asked for the time."""

    def __init__(
        self,
        folder: Path,
        camera: str,
        ring: Cutter,
        *,
        send: Callable[[Up], None],
        wall: Callable[[], float],
        clock: Callable[[], float],
        room: int,
    ) -> None:
        self._folder, self._camera, self._ring = folder, camera, ring
        self._send, self._wall, self._clock, self.room = send, wall, clock, room
        self._pending: list[_Pending] = []
        self._jobs: queue.Queue[tuple[Missing, Callable[[], None]] | None] = queue.Queue(JOBS)
        self._thread = threading.Thread(target=self._work, name="evidence", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def finish(self, within_s: float) -> None:
        """Write what is queued and end, if that can be done in time."""
        with contextlib.suppress(queue.Full):
            self._jobs.put_nowait(None)
            self._thread.join(within_s)

    def make_room(self, room: int) -> None:
        """Take in how many bytes may be written from now on."""
        self.room = room

    def still(self, fall: str, data: bytes, sha256: str) -> None:
        """Have a picture written; its sum is known already."""
        self._queue(Missing(fall, "still", "", sha256), lambda: self._write(fall, data, sha256))

    def clip(self, fall: str, start_s: float, end_s: float) -> None:
        """Have a clip cut around what fell between these stream times, once it is all there."""
        until = self._clock() + AFTER_S + GRACE_S
        clip = _Pending(fall, end_s, max(0.0, start_s - BEFORE_S), end_s + AFTER_S, until)
        self._ring.hold(clip.start_s)
        self._pending.append(clip)

    def tick(self, stream_s: float) -> None:
        """Cut the clips that are due; the newest frame is of `stream_s`."""
        now = self._clock()
        due = [each for each in self._pending if stream_s >= each.end_s or now >= each.until]
        self._pending = [each for each in self._pending if each not in due]
        for each in due:
            if not self._queue(Missing(each.fall, "clip", ""), lambda each=each: self._cut(each)):  # type: ignore[misc]
                self._ring.release(each.start_s)

    def _queue(self, missing: Missing, job: Callable[[], None]) -> bool:
        """Have it done by the thread that writes, else tell what is missing; return whether it will be."""
        try:
            self._jobs.put_nowait((missing, job))
        except queue.Full:
            self._miss(missing, "too much to write at once")
            return False
        return True

    def _miss(self, missing: Missing, reason: str) -> None:
        self._send(msgspec.structs.replace(missing, reason=reason[:200]))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            missing, write = job
            try:
                write()
            except OSError as error:
                self._miss(missing, error.strerror or type(error).__name__)
            except Exception as error:  # noqa: BLE001 - FFmpeg raises many things; the camera is watched on
                self._miss(missing, f"{type(error).__name__}: {error}")

    def _write(self, fall: str, data: bytes, sha256: str) -> None:
        part = self._part(fall, "still")
        with _removed_on_failure(part):
            self._need(len(data))
            part.write_bytes(data)
            self._keep(part, fall, "still", sha256, len(data))

    def _cut(self, clip: _Pending) -> None:
        try:
            part = self._part(clip.fall, "clip")
            with _removed_on_failure(part):
                self._need(1)
                if self._ring.cut(clip.start_s, clip.end_s, part).start_s > clip.fell_s:
                    raise OSError(errno.ENODATA, "the fall is no longer in what is kept of the stream")
                size = part.stat().st_size
                self._need(size)
                with part.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                self._keep(part, clip.fall, "clip", sha256, size)
        finally:
            self._ring.release(clip.start_s)

    def _part(self, fall: str, what: What) -> Path:
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        return self._folder / f"{fall}-{what}.part"

    def _need(self, size: int) -> None:
        if size > self.room:
            raise OSError(errno.ENOSPC, "no room: the quota is taken by open alerts, or the disk is full")

    def _keep(self, part: Path, fall: str, what: What, sha256: str, size: int) -> None:
        whole_file.flush(part)
        facts = Facts(sha256, what, self._camera, fall, self._wall(), size)
        part.rename(self._folder / (sha256 + SUFFIXES[what]))
        sidecar = self._folder / f"{sha256}.part"
        with _removed_on_failure(self._folder / facts.file), _removed_on_failure(sidecar):
            sidecar.write_bytes(msgspec.json.encode(facts))
            whole_file.flush(sidecar)
        sidecar.rename(self._folder / (sha256 + SIDECAR))
        whole_file.flush(self._folder)
        self.room -= size
        self._send(Kept(fall, what, sha256))


@contextlib.contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    """Leave nothing half written behind."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
