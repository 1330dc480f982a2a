"""The still of a fall: the whole track in one picture, drawn, dated, and blurred where it is nobody's business.

While a camera is watched a few whole pictures a second are kept for some seconds (`Glances`; a bound on memory,
not on time). When something fell, the patches around it are taken out of those pictures and laid over the last
one: the object is seen several times along its way, as in a stroboscope. Then the track is drawn, with a box
around each sight that is shown, and the largest of them enlarged in a corner. All of it is as large as what is
watched: pictures of 4K take four times as long to write, several times a second. The clip keeps every pixel.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision import annotate
from gateway.vision.sight import Fall, Frame, Spot
from gateway.vision.sizing import scaled, shrunk

EVERY_S = 0.2
MOST_BYTES = 6 * 1024 * 1024
GLANCE_QUALITY = 92
QUALITY = 88
MARGIN = 10  # px around a patch
BAND = 0.05  # of the height: what stays sharp on each side of the track
COARSE = 24  # px: what is blurred has no detail finer than this
ENLARGED = 0.22  # of the height: side of the enlargement
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Glance:
    """A frame as JPEG: a tenth of the memory for some milliseconds five times a second."""

    index: int
    time_s: float
    data: bytes


class Glances:
    """A few recent frames, as large as they are watched, never more than `most_bytes` of them."""

    def __init__(self, *, every_s: float = EVERY_S, most_bytes: int = MOST_BYTES) -> None:
        self._every_s, self._most = every_s, most_bytes
        self._kept: deque[_Glance] = deque()
        self._size = 0
        self._next_s = float("-inf")

    def look(self, frame: Frame) -> None:
        """Keep the frame, if it is time for one. Raises cv2.error for what is no picture."""
        if self._kept and frame.time_s < self._kept[-1].time_s:
            self._next_s = float("-inf")  # the stream began anew
        if frame.time_s < self._next_s:
            return
        self._next_s = frame.time_s + self._every_s
        _, data = cv2.imencode(".jpg", shrunk(frame.luma), [cv2.IMWRITE_JPEG_QUALITY, GLANCE_QUALITY])
        self._kept.append(_Glance(frame.index, frame.time_s, data.tobytes()))
        self._size += len(self._kept[-1].data)
        while self._size > self._most and len(self._kept) > 1:
            self._size -= len(self._kept.popleft().data)

    def during(self, fall: Fall) -> Iterator[Frame]:
        """Yield the frames kept in which it was seen, each read when it is asked for: whole, they are large."""
        seen = {spot.frame for spot in fall.track}
        return (_frame(glance) for glance in self._kept if glance.index in seen)


def _frame(glance: _Glance) -> Frame:
    luma = cv2.imdecode(np.frombuffer(glance.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    return Frame(glance.index, glance.time_s, np.asarray(luma, np.uint8))


def jpeg(
    last: Frame, fall: Fall, glances: Iterable[Frame], *, title: str, when: float, privacy: bool = False
) -> bytes:
    """Return the still as JPEG; `when` is wall seconds since 1970. Raises ValueError where it cannot be drawn.

    `last` and `fall` are in px of the camera, `glances` as they were kept.
    """
    now = shrunk(last.luma)
    down, across = (small / whole for small, whole in zip(now.shape, last.luma.shape, strict=True))
    fall = replace(fall, track=scaled(fall.track, across, down))
    luma = _blurred(now, fall) if privacy else now.copy()
    sights, largest = _lay_in(luma, fall, glances)
    picture: Picture = np.asarray(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR), np.uint8)
    if largest:
        _enlarge(picture, *largest)
    annotate.draw(picture, fall, fall.track[-1].frame)
    for spot in sights:  # after the line, which would hide what it leads through
        top, bottom, left, right = _around(spot, luma.shape, annotate.BOX_AWAY)
        picture[top:bottom, left:right] = luma[top:bottom, left:right, None]
        cv2.rectangle(picture, (left, top), (right, bottom), annotate.YELLOW, 1)
    del luma  # what is written next is large enough
    _caption(picture, f"{title}   {_time(when)}   {annotate.label(fall)}")
    good, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not good:
        raise ValueError(f"a picture of {picture.shape[1]} x {picture.shape[0]} cannot be written as JPEG")
    return data.tobytes()


def _lay_in(
    luma: Picture, fall: Fall, glances: Iterable[Frame]
) -> tuple[list[Spot], tuple[Spot, Picture] | None]:
    """Lay the sights into the picture, one frame at a time; return them, and the largest with what is around."""
    spots = {spot.frame: spot for spot in fall.track}
    sights: list[Spot] = []
    largest: tuple[Spot, Picture] | None = None
    for frame in glances:
        if (spot := spots.get(frame.index)) is None:
            continue
        top, bottom, left, right = _around(spot, luma.shape, MARGIN)
        luma[top:bottom, left:right] = frame.luma[top:bottom, left:right]
        sights.append(spot)
        if largest is None or spot.w * spot.h > largest[0].w * largest[0].h:
            largest = spot, _surroundings(spot, frame.luma)
    return sights, largest


def _surroundings(spot: Spot, luma: Picture) -> Picture:
    """Return a copy of a sight with as much again on each side."""
    half = max(8, round(max(spot.w, spot.h)))
    x, y = spot.centre
    centre = Spot(spot.frame, spot.time_s, x - half, y - half, 2 * half, 2 * half)
    top, bottom, left, right = _around(centre, luma.shape, 0)
    return luma[top:bottom, left:right].copy()


def _around(spot: Spot, shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right of a box with a margin, inside the picture."""
    height, width = shape[:2]
    top, left = max(0, int(spot.y) - margin), max(0, int(spot.x) - margin)
    bottom, right = (
        min(height, int(spot.y + spot.h) + margin + 1),
        min(width, int(spot.x + spot.w) + margin + 1),
    )
    return top, max(top, bottom), left, max(left, right)


def _blurred(luma: Picture, fall: Fall) -> Picture:
    """Return the picture without detail anywhere but along the track."""
    height, width = luma.shape
    small = cv2.resize(
        luma, (max(1, width // COARSE), max(1, height // COARSE)), interpolation=cv2.INTER_AREA
    )
    blurred = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    band = np.zeros_like(luma)
    line = np.array([spot.centre for spot in fall.track]).round().astype(np.int32)
    wide = max(8, round(2 * BAND * height), *(round(max(spot.w, spot.h)) for spot in fall.track))
    cv2.polylines(band, [line], isClosed=False, color=255, thickness=min(wide, 255))
    return np.where(band > 0, luma, np.asarray(blurred, np.uint8))


def _enlarge(picture: Picture, spot: Spot, patch: Picture) -> None:
    """Lay an enlargement of one sight into the upper corner that is further from the track."""
    side = round(picture.shape[0] * ENLARGED)
    if not patch.size or side >= picture.shape[1]:
        return
    large = cv2.cvtColor(cv2.resize(patch, (side, side), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR)
    at = 0 if spot.centre[0] > picture.shape[1] / 2 else picture.shape[1] - side
    picture[:side, at : at + side] = large
    cv2.rectangle(picture, (at, 0), (at + side - 1, side - 1), annotate.RED, 1)


def _caption(picture: Picture, text: str) -> None:
    """Write a line into the lower left corner; OpenCV draws ASCII only."""
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, max(0.4, picture.shape[0] / 1440)
    told = text.encode("ascii", "replace").decode()
    (wide, high), below = cv2.getTextSize(told, font, scale, 1)
    height, away = picture.shape[0], round(6 * scale)
    cv2.rectangle(
        picture, (0, height - high - below - 2 * away), (wide + 2 * away, height), BLACK, cv2.FILLED
    )
    cv2.putText(picture, told, (away, height - below - away), font, scale, WHITE, 1, cv2.LINE_AA)


def _time(when: float) -> str:
    return datetime.fromtimestamp(when).astimezone().isoformat(" ", "milliseconds")
