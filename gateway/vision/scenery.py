"""The view a camera has, learnt slowly, and how like it a picture is: structure, place, sharpness.

Judged on the picture at an eighth of its size (areas averaged, so that noise and small things vanish) by the strength
of its edges, which light changes little. Three samples are averaged. `Likeness` compares with what was learnt:

- `structure`: how much of the usual edge strength is left (clouds and dusk take some, a hand takes all);
- `place`: correlation of the edge map with the learnt one, as a share of the usual correlation;
- `shift_px`: where the learnt edges lie now, by phase correlation; only looked for when `place` is low;
- `sharpness`: differences of neighbours at full resolution against those at an eighth; noise is taken off;
- `same`: share of sampled pixels that are bit for bit those of the last sample.

Learning follows with minutes, so night may fall and the sun may wander; whoever judges decides when to learn.
"""

import math
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.messages import LARGEST_VIEW, View
from gateway.vision.sight import Luma

GRAIN = 8  # px of the picture to one of the map
LEARN_S, LEARN_SHARPNESS_S = 600.0, 1800.0
SAMPLES = 3
EDGE_PERCENTILE, FINE_PERCENTILE = 90, 99
NOISE_RATIO = 3.8  # 99th percentile over median of |x| for normally distributed x: that much of F is noise
NOISE_HIDES = 1.5  # what is not so much stronger than noise cannot be told from it
LEAST_STRUCTURE, LEAST_FINE = 1.5, 4.0  # grey levels: with less there is nothing to compare with

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a picture is to the learnt view: shares of the usual, 1 is as usual."""

    structure: float = 1.0
    place: float = 1.0
    sharpness: float = 1.0
    same: float = 0.0
    shift_px: tuple[int, int] | None = (
        None  # where the learnt view was found again; None: not found, or in place
    )
    brightness: float = 128.0
    plain: bool = False  # nothing to be seen by itself, whatever was learnt


@dataclass(frozen=True, slots=True)
class Sample:
    """What is measured of one picture."""

    edges: Map
    structure: float
    fine: float
    noise: float


class Scenery:
    """The learnt view, of which `samples` were learnt. `compare` then perhaps `learn`, once per sample."""

    def __init__(self) -> None:
        self.samples = 0
        self._edges: Map | None = None
        self._structure = self._fineness = self._place = 0.0
        self._recent: deque[Map] = deque(maxlen=SAMPLES)
        self._last: Luma | None = None

    def view(self) -> View | None:
        """Return what was learnt, for another process; None before anything was, or where it is too large."""
        if self._edges is None or self._edges.size > LARGEST_VIEW:
            return None
        height, width = self._edges.shape
        step = max(float(self._edges.max()) / 255.0, 1e-3)
        edges = np.round(self._edges / step).astype(np.uint8).tobytes()
        return View(width, height, edges, step, self._structure, self._fineness, self._place)

    def take(self, view: View, samples: int) -> None:
        """Know a view that another process learnt; ValueError where it is none."""
        known = view.step, view.structure, view.fineness, view.place
        if len(view.edges) != view.width * view.height or not all(0.0 <= each < math.inf for each in known):
            raise ValueError("no view of a camera")
        edges = np.frombuffer(view.edges, np.uint8).reshape(view.height, view.width)
        self._edges = edges.astype(np.float32) * np.float32(view.step)
        self._structure, self._fineness, self._place = known[1:]
        self.samples = samples

    def measure(self, luma: Luma) -> tuple[Sample, float, float]:
        """Return a picture's measures, its share of unchanged pixels, and its mean brightness."""
        sparse = luma[::GRAIN, ::GRAIN].copy()
        known = self._last is not None and self._last.shape == sparse.shape
        same = float(np.mean(sparse == self._last)) if known else 0.0
        self._last = sparse
        small = cv2.resize(luma, sparse.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._recent and self._recent[-1].shape != small.shape:
            self._recent.clear()
        self._recent.append(small)
        edges = _edges(np.mean(self._recent, axis=0, dtype=np.float32))
        structure = float(np.percentile(edges, EDGE_PERCENTILE))
        return Sample(edges, structure, *_fine(luma)), same, float(small.mean())

    def compare(self, luma: Luma) -> tuple[Likeness, Sample]:
        """Return how like the picture is to the learnt view, and what can be learnt from it."""
        sample, same, brightness = self.measure(luma)
        plain = sample.structure < LEAST_STRUCTURE
        learnt = self._edges
        if learnt is None or learnt.shape != sample.edges.shape or self._structure < LEAST_STRUCTURE:
            return Likeness(same=same, brightness=brightness, plain=plain), sample
        structure = sample.structure / self._structure
        usual = max(self._place, 0.2)
        place = _correlation(learnt, sample.edges) / usual
        shift = _shift(learnt, sample.edges, 0.5 * usual) if place < 0.65 else None
        return Likeness(structure, place, self._sharpness(sample), same, shift, brightness, plain), sample

    def _sharpness(self, sample: Sample) -> float:
        """Return the share of the fineness usual at this contrast; as usual where noise would hide it."""
        expected = self._fineness * sample.structure
        return sample.fine / expected if expected >= max(LEAST_FINE, NOISE_HIDES * sample.noise) else 1.0

    def learn(self, sample: Sample, step_s: float) -> None:
        """Take a sample into what is known; the first ones count as much as they can."""
        if self._edges is not None and self._edges.shape != sample.edges.shape:
            self.samples, self._edges = 0, None
        self.samples += 1
        first = 1.0 / self.samples
        slow, slower = max(first, step_s / LEARN_S), max(first, step_s / LEARN_SHARPNESS_S)
        if self._edges is None:
            self._edges, self._place = sample.edges.copy(), 1.0
        else:
            self._place += slow * (_correlation(self._edges, sample.edges) - self._place)
            self._edges += np.float32(slow) * (sample.edges - self._edges)
        self._structure += slow * (sample.structure - self._structure)
        if sample.structure >= LEAST_STRUCTURE and sample.fine >= 0.5 * sample.noise:
            self._fineness += slower * (sample.fine / sample.structure - self._fineness)


def _edges(picture: Map) -> Map:
    """Return the strength of the edges at each place, borders left out."""
    across = picture[1:-1, 2:] - picture[1:-1, :-2]
    down = picture[2:, 1:-1] - picture[:-2, 1:-1]
    strength: Map = np.sqrt(across * across + down * down)
    return strength


def _fine(luma: Luma) -> tuple[float, float]:
    """Return how strong the sharpest edges are from pixel to pixel, noise taken off, and the noise, in grey levels."""
    rows = luma[::GRAIN].astype(np.int16)
    steps = np.abs(np.diff(rows, axis=1))
    high, middle = np.percentile(steps, (FINE_PERCENTILE, 50))
    noise = NOISE_RATIO * float(middle)
    return max(0.0, float(high) - noise), noise


def _correlation(a: Map, b: Map) -> float:
    """Return the normalised correlation of two edge maps; 0 where one of them is flat."""
    a, b = a - a.mean(), b - b.mean()
    power = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))
    return float(np.sum(a * b)) / power if power > 1e-3 else 0.0


def _shift(learnt: Map, now: Map, least: float) -> tuple[int, int] | None:
    """Return by how many pixels of the picture the view moved; (0, 0) is in place, None is not found again."""
    window = cv2.createHanningWindow(learnt.shape[::-1], cv2.CV_32F)
    (dx, dy), _ = cv2.phaseCorrelate(learnt, now, window)
    x, y = round(dx), round(dy)
    if abs(x) <= 1 and abs(y) <= 1:
        return 0, 0
    height, width = learnt.shape
    if abs(x) > width * 0.8 or abs(y) > height * 0.8:
        return None
    before = learnt[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)]
    after = now[max(0, y) : height - max(0, -y), max(0, x) : width - max(0, -x)]
    return (x * GRAIN, y * GRAIN) if _correlation(before, after) >= least else None
