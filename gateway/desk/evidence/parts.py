"""A part of a still or clip, read with distrust, and how much of a piece is there. Pure.

A part is a line of JSON that says of which piece it is and where in it, then the bytes. Anybody who may publish at the
broker may send parts, so nothing is believed: not its size, not its place, and not its sum until the piece is whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

MIB: Final = 1024 * 1024
LARGEST: Final = {"still": 4 * MIB, "clip": 64 * MIB}
LARGEST_PART: Final = 256 * 1024
LONGEST_HEAD: Final = 2048

What: TypeAlias = Literal["still", "clip"]
Span: TypeAlias = tuple[int, int]

SUM: Final = re.compile(r"[0-9a-f]{64}")
_Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST["clip"])]


class PartError(ValueError):
    """The bytes are no part of a still or clip."""


class _Head(msgspec.Struct, frozen=True):
    sha256: str
    what: What
    size: _Count
    offset: _Count
    length: _Count


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `offset` to `end` of a piece."""

    sha256: str
    what: What
    size: int
    offset: int
    data: bytes

    @property
    def end(self) -> int:
        """Return where the part ends."""
        return self.offset + len(self.data)


_decoder = msgspec.json.Decoder(_Head)


def read(sha256: str, content: bytes) -> Part:
    """Return the part that came under this sum; raises PartError."""
    if not SUM.fullmatch(sha256):
        raise PartError("no SHA-256 in its topic")
    line, _, data = content[: LONGEST_HEAD + LARGEST_PART + 1].partition(b"\n")
    if len(line) > LONGEST_HEAD or len(data) > LARGEST_PART:
        raise PartError(f"{len(content)} bytes")
    try:
        head = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise PartError(str(error)) from error
    if head.sha256 != sha256:
        raise PartError("its topic says another sum")
    if head.length != len(data) or not data or head.offset + len(data) > head.size:
        raise PartError(f"{len(data)} bytes at {head.offset} of {head.size}, said to be {head.length}")
    if head.size > LARGEST[head.what]:
        raise PartError(f"a {head.what} of {head.size} bytes, {LARGEST[head.what]} at most")
    return Part(sha256, head.what, head.size, head.offset, data)


def covered(spans: Sequence[Span], new: Span) -> list[Span]:
    """Return the spans with one more among them, in order, those that meet made one."""
    joined: list[Span] = []
    for start, end in sorted([*spans, new]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def has(spans: Sequence[Span], start: int, end: int) -> bool:
    """Return whether these bytes are all there."""
    return any(first <= start and end <= last for first, last in spans)
