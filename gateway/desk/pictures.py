"""Stills put together from their parts, whatever order and however often those come. Pure, and bounded.

A part says of which picture it is and where in it; the picture is whole when its parts are and have the SHA-256
it is called by. Anybody who may publish at the broker may send parts, so nothing is believed: a picture of too
many bytes or parts is refused, and one whose sum is wrong is thrown away. Clips are not for this page.
"""

import hashlib
import re
from typing import Annotated, Final, TypeVar

import msgspec

LARGEST: Final = 1024 * 1024
MOST_PARTS: Final = 64
MOST_KEPT: Final = 40
MOST_UNFINISHED: Final = 8
LONGEST_HEAD: Final = 2048
JPEG: Final = b"\xff\xd8\xff"

T = TypeVar("T")
_SUM = re.compile(r"[0-9a-f]{64}")
_Size = Annotated[int, msgspec.Meta(gt=0, le=LARGEST)]
_Offset = Annotated[int, msgspec.Meta(ge=0, lt=LARGEST)]


class _What(msgspec.Struct, frozen=True):
    what: str


class _Head(msgspec.Struct, frozen=True):
    sha256: str
    size: _Size
    offset: _Offset
    length: _Size


class Pictures:
    """The latest pictures by their sums. `refused` counts parts and pictures that were thrown away."""

    def __init__(self) -> None:
        self.refused = 0
        self._whole: dict[str, bytes] = {}
        self._parts: dict[str, dict[int, bytes]] = {}

    @property
    def sums(self) -> tuple[str, ...]:
        """Return which pictures there are, oldest first."""
        return tuple(self._whole)

    def get(self, sha256: str) -> bytes | None:
        """Return a picture as JPEG; None when there is none of that sum."""
        return self._whole.get(sha256)

    def receive(self, sha256: str, payload: bytes) -> bool:
        """Take in a part that came under this sum; return whether a picture is whole with it."""
        line, _, data = payload.partition(b"\n")
        try:
            if len(line) > LONGEST_HEAD or not _SUM.fullmatch(sha256):
                return self._refuse()
            if msgspec.json.decode(line, type=_What).what != "still":
                return False
            head = msgspec.json.decode(line, type=_Head)
        except (msgspec.DecodeError, RecursionError):
            return self._refuse()
        if (head.sha256, head.length) != (sha256, len(data)) or head.offset + head.length > head.size:
            return self._refuse()
        return sha256 not in self._whole and self._add(head, data)

    def _add(self, head: _Head, data: bytes) -> bool:
        parts = self._parts.setdefault(head.sha256, {})
        parts[head.offset] = data
        picture = _joined(parts)
        whole = len(picture) >= head.size
        if whole or len(parts) >= MOST_PARTS:
            del self._parts[head.sha256]
            if not whole or hashlib.sha256(picture).hexdigest() != head.sha256 or picture[:3] != JPEG:
                return self._refuse()
            self._whole[head.sha256] = picture
        _shorten(self._whole, MOST_KEPT)
        _shorten(self._parts, MOST_UNFINISHED)
        return whole

    def _refuse(self) -> bool:
        self.refused += 1
        return False


def _joined(parts: dict[int, bytes]) -> bytes:
    """Return the parts in order, up to the first gap; where they overlap, the later counts."""
    joined = bytearray()
    for offset in sorted(parts):
        if offset > len(joined):
            break
        joined[offset : offset + len(parts[offset])] = parts[offset]
    return bytes(joined)


def _shorten(table: dict[str, T], most: int) -> None:
    while len(table) > most:
        del table[next(iter(table))]
