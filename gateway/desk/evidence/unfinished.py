"""Pieces that are not whole yet, or that no alert has named yet, on the disk. Blocks: called from threads.

Each is a file of the messages as they came, one behind the other with its length in front. So any order and any repeat
is right, a restart reads them again with the code that read them first, and what a power cut left half is cut off.

Bounded, because anybody may send: so many pieces and bytes for each gateway and in all, and not for ever. When there is
no room the oldest goes, of the gateway that has the most: one that floods loses its own and nobody else's.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.desk.evidence import parts
from gateway.desk.evidence.parts import MIB, Part, PartError, Span, What, covered, has
from gateway.runtime import whole_file

MOST_PIECES: Final = 16  # of one gateway
MOST_BYTES: Final = 128 * MIB
MOST_PIECES_OF_ALL: Final = 256
MOST_BYTES_OF_ALL: Final = 512 * MIB
OLDEST_S: Final = 86_400.0
_SLACK: Final = 64 * 1024  # a piece in tiny parts costs more in heads than in bytes, and is none of ours


@dataclass(slots=True)
class Piece:
    """One still or clip as far as it has come. `bytes` are those of its file, heads and all."""

    gateway: str
    sha256: str
    what: What
    size: int
    path: Path
    touched: float
    bytes: int = 0
    spans: list[Span] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Return whether all its bytes are there, whatever their sum."""
        return has(self.spans, 0, self.size)


class Unfinished:
    """The folder of what is on its way; `<folder>/<gateway>/<sha256>`."""

    def __init__(self, folder: Path) -> None:
        self.dropped = 0
        self._folder = folder
        self._pieces: dict[tuple[str, str], Piece] = {}

    @property
    def whole(self) -> list[Piece]:
        """Return the pieces whose bytes are all there, oldest first; asked also while a thread adds some."""
        pieces = list(self._pieces.values())
        return sorted((each for each in pieces if each.whole), key=lambda each: each.touched)

    def has(self, piece: Piece) -> bool:
        """Return whether a piece is still there."""
        return self._pieces.get((piece.gateway, piece.sha256)) is piece

    def load(self) -> None:
        """Read what an earlier life left."""
        self._pieces.clear()
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*/*")):
            piece = _again(path)
            if piece is None:
                path.unlink(missing_ok=True)
            else:
                self._pieces[piece.gateway, piece.sha256] = piece

    def add(self, gateway: str, content: bytes, part: Part, now: float) -> Path:
        """Write a part down, if it is new; return the file to flush. Raises PartError, OSError."""
        key = gateway, part.sha256
        piece = self._pieces.get(key)
        if piece is None:
            path = self._folder / gateway / part.sha256
            path.parent.mkdir(mode=0o750, exist_ok=True)
            piece = Piece(gateway, part.sha256, part.what, part.size, path, now)
        elif (piece.size, piece.what) != (part.size, part.what):
            raise PartError("an earlier part of it said another size or kind")
        elif has(piece.spans, part.offset, part.end):
            return piece.path
        _append(piece, content)
        piece.spans, piece.touched = covered(piece.spans, (part.offset, part.end)), now
        self._pieces[key] = piece
        if piece.bytes > 2 * piece.size + _SLACK:
            self.drop(piece)
            self.dropped += 1
            raise PartError("more heads than bytes")
        self._shorten(now)
        return piece.path

    def drop(self, piece: Piece) -> None:
        """Let go of a piece."""
        self._pieces.pop((piece.gateway, piece.sha256), None)
        piece.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others are in it
            piece.path.parent.rmdir()

    def shorten(self, now: float) -> None:
        """Drop what nobody finished or named in a day."""
        for piece in [each for each in self._pieces.values() if now - each.touched > OLDEST_S]:
            self.drop(piece)
            self.dropped += 1

    def _shorten(self, now: float) -> None:
        self.shorten(now)
        while victim := self._too_much():
            self.drop(victim)
            self.dropped += 1

    def _too_much(self) -> Piece | None:
        """Return what must go next."""
        of: dict[str, list[Piece]] = {}
        for piece in self._pieces.values():
            of.setdefault(piece.gateway, []).append(piece)
        sizes = {name: sum(each.bytes for each in pieces) for name, pieces in of.items()}
        for name, pieces in of.items():
            if len(pieces) > MOST_PIECES or sizes[name] > MOST_BYTES:
                return min(pieces, key=lambda each: each.touched)
        if len(self._pieces) > MOST_PIECES_OF_ALL or sum(sizes.values()) > MOST_BYTES_OF_ALL:
            most = max(of, key=lambda name: (sizes[name], len(of[name])))
            return min(of[most], key=lambda each: each.touched)
        return None


def assemble(piece: Piece, target: Path) -> bool:
    """Write a whole piece to `target` and flush it; say no when its bytes have not the sum it is called by."""
    with target.open("w+b") as file:
        file.truncate(piece.size)
        for content in _messages(piece.path):
            part = parts.read(piece.sha256, content)
            file.seek(part.offset)
            file.write(part.data)
        file.seek(0)
        sound = hashlib.file_digest(file, "sha256").hexdigest() == piece.sha256
        if sound:
            file.flush()
            os.fsync(file.fileno())
    return sound


def flush(path: Path) -> None:
    """Have what was written to a file, and its name, on the disk; one that was dropped meanwhile needs none."""
    for each in (path, path.parent):
        with contextlib.suppress(FileNotFoundError):
            whole_file.flush(each)


def free_bytes(folder: Path) -> int:
    """Return how many bytes of the disk are free."""
    return shutil.disk_usage(folder).free


def _append(piece: Piece, content: bytes) -> None:
    """Write one message behind the others, all of it or nothing."""
    record = len(content).to_bytes(4, "big") + content
    with piece.path.open("ab", buffering=0) as file:  # a buffer would write its rest when it is closed
        try:
            rest = memoryview(record)
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            os.truncate(piece.path, piece.bytes)
            raise
    piece.bytes += len(record)


def _again(path: Path) -> Piece | None:
    """Return a piece as an earlier life left it, its last half message cut off; None for what is none."""
    stat = path.stat()
    piece: Piece | None = None
    try:
        for content in _messages(path):
            part = parts.read(path.name, content)
            if piece is None:
                piece = Piece(path.parent.name, path.name, part.what, part.size, path, stat.st_mtime)
            piece.spans = covered(piece.spans, (part.offset, part.end))
            piece.bytes += 4 + len(content)
    except PartError:
        return None
    if piece is not None and piece.bytes < stat.st_size:
        os.truncate(path, piece.bytes)
    return piece


def _messages(path: Path) -> Iterator[bytes]:
    """Yield the messages of a file up to one that is not whole."""
    with path.open("rb") as file:
        while len(head := file.read(4)) == 4:
            length = int.from_bytes(head, "big")
            if (
                length > parts.LONGEST_HEAD + parts.LARGEST_PART + 1
                or len(content := file.read(length)) < length
            ):
                return
            yield content
