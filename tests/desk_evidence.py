"""Pieces of evidence for tests of the desk, cut into parts as a gateway sends them."""

import hashlib

from gateway.core.payload import evidence_part

STILL = b"\xff\xd8\xff" + bytes(range(256)) * 8
CLIP = b"\x00\x00\x00\x18ftypisom" + bytes(range(255, -1, -1)) * 16


def sum_of(data: bytes) -> str:
    """Return the name of a piece."""
    return hashlib.sha256(data).hexdigest()


def part(
    data: bytes, start: int, end: int, *, what: str = "still", sha256: str = "", size: int | None = None
) -> bytes:
    """Return one part as it goes over the broker."""
    return evidence_part(
        sha256=sha256 or sum_of(data),
        what=what,
        camera="facade",
        made_at=0.0,
        size=len(data) if size is None else size,
        offset=start,
        data=data[start:end],
    )


def parts(data: bytes, step: int = 700, *, what: str = "still", sha256: str = "") -> list[bytes]:
    """Return all parts of a piece."""
    return [part(data, start, start + step, what=what, sha256=sha256) for start in range(0, len(data), step)]
