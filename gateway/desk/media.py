"""What bytes are, by their first few: the pictures and films that the desk keeps, and nothing else. Pure.

A name or a declared type is the sender's word; what a browser is given must be what it says, or a "photo" may be a page
with a script in it.
"""

from typing import Final

_BEGINNINGS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
)

IMAGES: Final = ("image/jpeg", "image/png", "image/webp")
FILM: Final = "video/mp4"


def media_of(beginning: bytes) -> str | None:
    """Return the media type of a file that begins so; None for whatever else."""
    for magic, media in _BEGINNINGS:
        if beginning.startswith(magic):
            return media
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    if beginning[4:8] == b"ftyp":  # ISO 14496-12, 4.3: a file begins with its type
        return FILM
    return None


def suits(what: str, media: str | None) -> bool:
    """Return whether a piece called so may be of this type."""
    return media == "image/jpeg" if what == "still" else media == FILM if what == "clip" else media in IMAGES
