"""The folder of what is whole: `<folder>/<first two of the sum>/<sum>`, each file whole or not there. Blocks."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.desk.evidence.parts import SUM
from gateway.desk.evidence.unfinished import Piece, assemble, flush
from gateway.desk.media import media_of, suits


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file is. `media` None: nothing that is kept."""

    media: str | None
    size: int
    made_at: float


class Folder:
    """Files by their sums."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new = folder / "new"

    def open(self) -> None:
        """Make the folder; what an earlier life was about to give its name is thrown away."""
        self._new.mkdir(mode=0o750, parents=True, exist_ok=True)
        for left in self._new.iterdir():
            left.unlink()

    def path(self, sha256: str) -> Path:
        """Return where a file is, if it is there."""
        if not SUM.fullmatch(sha256):
            raise ValueError(f"no SHA-256: {sha256[:80]}")
        return self._folder / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Keep bytes and return their sum; on the disk when this returns."""
        sha256 = hashlib.sha256(content).hexdigest()
        fresh = self._fresh()
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._name(fresh, sha256)
        return sha256

    def take(self, piece: Piece) -> str | None:
        """Keep a piece that is whole and return its media type; None where it is not what it says it is."""
        fresh = self._fresh()
        try:
            media = _beginning(fresh) if assemble(piece, fresh) else None
            if media is None or not suits(piece.what, media):
                return None
            self._name(fresh, piece.sha256)
            return media
        finally:
            fresh.unlink(missing_ok=True)

    def facts(self, sha256: str) -> Facts:
        """Return what a file that is there is."""
        path = self.path(sha256)
        stat = path.stat()
        return Facts(_beginning(path), stat.st_size, stat.st_mtime)

    def remove(self, *sums: str) -> None:
        """Throw files away, those that are there."""
        for sha256 in sums:
            self.path(sha256).unlink(missing_ok=True)

    def sums(self) -> Iterator[str]:
        """Yield all files that are there."""
        for path in self._folder.glob("[0-9a-f][0-9a-f]/*"):
            if SUM.fullmatch(path.name):
                yield path.name

    def _fresh(self) -> Path:
        return self._new / uuid.uuid4().hex

    def _name(self, fresh: Path, sha256: str) -> None:
        path = self.path(sha256)
        path.parent.mkdir(mode=0o750, exist_ok=True)
        fresh.replace(path)
        flush(path)
        flush(path.parent)


def _beginning(path: Path) -> str | None:
    with path.open("rb") as file:
        return media_of(file.read(16))
