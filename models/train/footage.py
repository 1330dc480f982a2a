"""Real footage of a camera that stands still: its longest piece without a cut, at a steady rate, decoded.

Good for laying falls over it and for nothing else: none of it is trained on, and none is kept in this repository.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Frame, Luma
from models.train.real import frames

MOST_BYTES = 600_000_000
SLOWEST_FPS, FEWEST = 8.0, 40
THUMB = (64, 36)
ALIKE = 0.9  # correlation of two thumbnails in a row, less of which is a cut
EDGES_FROM = 0.85  # the steepest pixels are edges
STILL_LEVELS, STILL_SHARE = 14, 0.7
"""Edges within so many grey levels of the usual picture stand still; so many of them do before a fixed camera."""

MOST_NOISE = 8  # grey levels: what differs by more has moved
OF_MEAN = 1.2533  # sigma of what is normally distributed, from the mean of its size


class FootageError(ValueError):
    """A clip is no footage of a fixed camera to lay falls over; it says why."""


@dataclass(frozen=True, slots=True)
class Footage:
    """Pictures (n, height, width) at `fps` a second; `noise` is the sigma of two in a row, in grey levels."""

    name: str
    fps: int
    pictures: tuple[Luma, ...]
    noise: float

    @property
    def seconds(self) -> float:
        """Return how long it is."""
        return len(self.pictures) / self.fps


def footage(path: Path, *, fps: int | None = None) -> Footage:
    """Read a clip; raises FootageError where its camera moves, or there is too little of it.

    With `fps` its pictures are shown at that rate, so that what is in it hurries or dawdles.
    """
    piece = longest(_read(path))
    if len(piece) < FEWEST:
        raise FootageError(f"{path.name}: {len(piece)} pictures without a cut, {FEWEST} are needed")
    rate = fps or (len(piece) - 1) / (piece[-1].time_s - piece[0].time_s)
    if rate < SLOWEST_FPS:
        raise FootageError(
            f"{path.name}: {rate:.1f} pictures a second, {SLOWEST_FPS:g} are needed to see a fall"
        )
    pictures = tuple(each.luma for each in piece)
    still = stillness(pictures)
    if still < STILL_SHARE:
        raise FootageError(f"{path.name}: the camera moves: {100 * still:.0f} % of its edges stand still")
    return Footage(path.name, round(rate), pictures, noise_of(pictures))


def _read(path: Path) -> list[Frame]:
    """Return the first pictures of a clip, as many as there is room for."""
    kept: list[Frame] = []
    room = MOST_BYTES
    for frame in frames(path, spread=True):
        room -= frame.luma.nbytes
        if room < 0 or (kept and frame.luma.shape != kept[0].luma.shape):
            break
        kept.append(frame)
    return kept


def longest(pieces: Sequence[Frame]) -> Sequence[Frame]:
    """Return the longest piece in which no picture is another scene than the one before it."""
    thumbs = [cv2.resize(each.luma, THUMB, interpolation=cv2.INTER_AREA).ravel() for each in pieces]
    cuts = [number + 1 for number, (a, b) in enumerate(pairwise(thumbs)) if _alike(a, b) < ALIKE]
    spans = pairwise([0, *cuts, len(pieces)])
    start, end = max(spans, key=lambda span: span[1] - span[0])
    return pieces[start:end]


def _alike(one: NDArray[Any], other: NDArray[Any]) -> float:
    a, b = (each.astype(np.float64) - each.mean() for each in (one, other))
    return float((a * b).sum() / max(np.sqrt((a * a).sum() * (b * b).sum()), 1e-9))


def stillness(pictures: Sequence[Luma]) -> float:
    """Return how much of the edges in a picture is as usual, typically of nine: plain walls and skies tell nothing."""
    sample = [
        cv2.GaussianBlur(each, (0, 0), 1.0)[::2, ::2] for each in pictures[:: max(1, len(pictures) // 9)]
    ]
    usual = np.median(sample, axis=0)
    shares = []
    for each in sample:
        across, down = (cv2.Sobel(each, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
        steep = np.hypot(across, down)
        edges = steep >= np.quantile(steep, EDGES_FROM)
        shares.append(float((np.abs(each - usual) < STILL_LEVELS)[edges].mean()))
    return float(np.median(shares))


def noise_of(pictures: Sequence[Luma]) -> float:
    """Return the sigma of the noise in grey levels, from what differs little in two pictures in a row."""
    sigmas = []
    for a, b in list(pairwise(pictures))[:: max(1, len(pictures) // 12)]:
        off = np.abs(a[::3, ::3].astype(np.int16) - b[::3, ::3])
        sigmas.append(float(off[off <= MOST_NOISE].mean()))
    return float(np.median(sigmas) * OF_MEAN / 2**0.5)
