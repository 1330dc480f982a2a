"""One picture from a camera or a film, as the watcher sees it: the same reader, the same pixels, as JPEG.

Not the very first: a camera that was just asked sends what is grey or half there, and a webcam's exposure has to
settle. A source that ends or breaks before that gives the last picture it had.
"""

from dataclasses import dataclass

import cv2

from gateway.vision.frames import SourceError, open_source
from gateway.vision.sight import Frame

SETTLED_S = 1.0
QUALITY = 90


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A picture and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


def glimpse(url: str, *, password: str | None = None) -> Glimpse:
    """Return a picture of what `url` names. Blocks for some seconds; raises SourceError where none comes."""
    last: Frame | None = None
    problem: SourceError | None = None
    with open_source(url, password=password) as source:
        try:
            for frame in source.frames():
                last = frame
                if frame.time_s >= SETTLED_S:
                    break
        except SourceError as error:
            problem = error
    if last is None:
        raise problem or SourceError("no_video", source.where, "no picture in it could be decoded")
    height, width = last.luma.shape
    good, data = cv2.imencode(".jpg", last.luma, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not good:
        raise SourceError(
            "broken", source.where, f"a picture of {width} x {height} cannot be written as JPEG"
        )
    return Glimpse(data.tobytes(), width, height)
