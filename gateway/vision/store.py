"""The evidence on the disk: what there is, how much of it, what has to go. The gateway's side; blocks, no pictures.

How it works: a camera's process writes each piece under its SHA-256, the facts of it as JSON beside it, both
through a temporary name, so that what has a sidecar is whole. The folder is the index: a start reads the
sidecars and throws away what has none; so does a look for room where the folder is another one than was read (a disk
that was mounted late) or could not be read. Over the quota, or with the disk nearly full, the oldest goes first, but
never a piece whose alert is open. An empty file `<sum>.sent` says that a piece went upstream.

That process may be another user's and have lost its mind: nothing of the folder is believed (see untrusted.py), and
what it leaves there and never tells of is held to a share of the quota as well.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.vision import untrusted
from gateway.vision.messages import Count, Name, Sum, What

log = logging.getLogger(__name__)

SPARE_BYTES = 256 * 1024 * 1024  # of the disk: the journal must never lack room because of pictures
SPARE_SHARE = 0.1  # ... and on a small one this share of it
LEAST_ROOM = 32 * 1024 * 1024  # kept free of the quota: a clip of a good camera; a small one keeps an eighth
STRAY_SHARE = 8  # so many times less than the quota may lie there that nobody told of
MOST_PIECES = 20_000
AHEAD_S = 60.0
UNFINISHED_S = 600.0  # a file without its sidecar that is older than this was never finished
SUFFIXES = {"still": ".jpg", "clip": ".mp4"}
SIDECAR, SENT = ".json", ".sent"
LARGEST_SIDECAR = 4096


class Facts(msgspec.Struct, frozen=True):
    """What a piece of evidence is: the sidecar. `made_at` is wall seconds since 1970."""

    sha256: Sum
    what: What
    camera: Name
    fall: Name
    made_at: float
    size: Count

    @property
    def file(self) -> str:
        """Return the name of the file in the folder."""
        return self.sha256 + SUFFIXES[self.what]


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """The evidence as `status` shows it."""

    pieces: int
    bytes: int
    quota_bytes: int
    removed: int
    unsent: int
    trouble: str


class EvidenceStore:
    """All pieces in a folder. `spare` tells how many bytes of the disk evidence may still take.

    What blocks is called from threads beside the loop; so every walk is over a copy.
    """

    def __init__(self, folder: Path, *, quota_bytes: int, spare: Callable[[Path], int] | None = None) -> None:
        self.folder = folder
        self._quota, self._spare = quota_bytes, spare or spare_bytes
        self._pieces: dict[str, Facts] = {}
        self._read: tuple[int, int] | None = None  # the folder whose pieces those are: device and inode
        self._sent: set[str] = set()
        self._removed, self._trouble = 0, ""
        self._strays = 0  # bytes in files that nobody told of: half written ones, as a rule

    def load(self) -> None:
        """Read what there is from the disk. Blocks; never raises."""
        self._read = None
        try:
            self.folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            identity = self._identity()
            files = sorted(self.folder.iterdir())
        except OSError as error:
            self._say(f"{self.folder}: {error.strerror}")
            return
        self._read = identity
        names = {file.name for file in files}
        told = (facts for file in files if file.suffix == SIDECAR and (facts := _facts_of(file)) is not None)
        self._pieces = {facts.sha256: facts for facts in told if facts.file in names}
        self._sent = {name.removesuffix(SENT) for name in names if name.endswith(SENT)} & set(self._pieces)
        for file in files:
            if file.name.partition(".")[0] not in self._pieces and _is_ours(file):
                _unlink(file)

    def take(self, sha256: str) -> bool:
        """Take in a piece a camera's process says it has written; False when it is not there whole. Blocks."""
        facts = _facts_of(self.folder / (sha256 + SIDECAR))
        if facts is None or facts.sha256 != sha256:
            return False
        whole = untrusted.size(self.folder / facts.file) == facts.size
        if whole:
            self._pieces[sha256] = facts
        return whole

    def make_room(self, needed: Collection[str]) -> int:
        """Remove the oldest but what is `needed`, until quota and disk are met; return `room`. Blocks.

        What is dated later than now was made by a clock that was wrong, and counts as the oldest.
        """
        if not self._is_read():
            self.load()
        if not self._is_read():
            return 0
        self._clear_strays()
        latest = time.time() + AHEAD_S
        for facts in sorted(self._pieces.values(), key=lambda each: (each.made_at <= latest, each.made_at)):
            if self.room() >= min(LEAST_ROOM, self._quota // 8) and len(self._pieces) <= MOST_PIECES:
                break
            if facts.sha256 not in needed:
                self._remove(facts)
        return self.room()

    def room(self) -> int:
        """Return how many bytes may still be written; negative when too much is there. Blocks for a moment."""
        try:
            spare = self._spare(self.folder)
        except OSError as error:
            self._say(f"{self.folder}: {error.strerror}")
            return 0
        return min(self._quota - self.size - self._strays, spare)

    @property
    def size(self) -> int:
        """Return how large all of it is."""
        return sum(facts.size for facts in list(self._pieces.values()))

    def unsent(self) -> list[Facts]:
        """Return what did not go upstream yet: stills first, then oldest first."""
        waiting = (facts for sha256, facts in list(self._pieces.items()) if sha256 not in self._sent)
        return sorted(waiting, key=lambda facts: (facts.what != "still", facts.made_at))

    def read(self, sha256: str, offset: int, size: int) -> bytes | None:
        """Return a part of a piece; None when it is gone. Blocks."""
        facts = self._pieces.get(sha256)
        if facts is None:
            return None
        try:
            return untrusted.read(self.folder / facts.file, size, offset)
        except OSError as error:
            self._say(f"{facts.file}: {error.strerror}")
            return None

    def sent(self, sha256: str) -> None:
        """Note that a piece went upstream whole. Blocks."""
        self._sent.add(sha256)
        with contextlib.suppress(OSError):  # it is sent once more after a restart, no harm
            untrusted.mark(self.folder / (sha256 + SENT))

    def statistics(self) -> StoreStatistics:
        """Return how much there is."""
        unsent = len(self._pieces) - len(self._sent)
        return StoreStatistics(
            len(self._pieces), self.size, self._quota, self._removed, unsent, self._trouble
        )

    def _identity(self) -> tuple[int, int]:
        seen = self.folder.stat()
        return seen.st_dev, seen.st_ino

    def _is_read(self) -> bool:
        """Return whether the folder is the one whose pieces are known: else all that lies there looks like litter."""
        with contextlib.suppress(OSError):
            return self._read == self._identity()
        return False

    def _clear_strays(self) -> None:
        """Measure what belongs to no piece; remove all of it if it is more than may be half written at any time."""
        try:
            names = [entry.name for entry in os.scandir(self.folder)]
        except OSError:
            return
        strays = [self.folder / name for name in names if name.partition(".")[0] not in self._pieces]
        self._strays = sum(untrusted.size(stray) or 0 for stray in strays)
        if self._strays > max(LEAST_ROOM, self._quota // STRAY_SHARE) or len(strays) > MOST_PIECES:
            self._say(f"{self.folder}: {len(strays)} files nobody told of, {self._strays} bytes; removed")
            for stray in strays:
                _unlink(stray)
            self._strays = 0

    def _remove(self, facts: Facts) -> None:
        for name in (facts.file, facts.sha256 + SENT, facts.sha256 + SIDECAR):
            _unlink(self.folder / name)
        self._pieces.pop(facts.sha256, None)
        self._sent.discard(facts.sha256)
        self._removed += 1

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warning("evidence: %s", trouble)
        self._trouble = trouble


def spare_bytes(folder: Path) -> int:
    """Return how much of the disk evidence may still take; negative when it has taken too much."""
    disk = os.statvfs(folder)
    least = min(SPARE_BYTES, int(disk.f_blocks * disk.f_frsize * SPARE_SHARE))
    return disk.f_bavail * disk.f_frsize - least


def _facts_of(sidecar: Path) -> Facts | None:
    try:
        return msgspec.json.decode(untrusted.read(sidecar, LARGEST_SIDECAR), type=Facts)
    except (OSError, ValueError, RecursionError):  # whatever a decoder raises of bytes that are not its own
        return None


def _is_ours(file: Path) -> bool:
    """Return whether a file without a sidecar is one of ours that was never finished, and nobody writes any more."""
    suffixes = {*SUFFIXES.values(), SIDECAR, SENT, ".part"}
    try:
        age_s = time.time() - file.lstat().st_mtime
    except OSError:
        return False
    return file.suffix in suffixes and not 0 <= age_s < UNFINISHED_S


def _unlink(file: Path) -> None:
    with contextlib.suppress(OSError):
        file.unlink()
