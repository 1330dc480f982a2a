"""Turn a finished track into what the network is shown: curves of its path, facts, and pictures along it."""

from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gateway.vision import falling
from gateway.vision.bending import bent
from gateway.vision.falling import FreeFall
from gateway.vision.sight import Spot
from gateway.vision.tracks import Hit
from gateway.vision.tubelet import CROPS, CURVES, FACTS, PATH_FEATURES, STEPS, Tubelet

EDGE_PX, WIDER = 1.0, 0.1  # on each side; share of width and height
BESIDE = 8  # spots before and behind by which it is told how large a thing is
MOST_FILLED = 20  # frames missed in a row that are put in again
NEAR, FEWEST_NEAR = 8, 6  # spots on either side of a gap that tell how the way bends there; fewest of them


def tubelet_of(hits: Sequence[Hit], height: int, *, rise: Sequence[Hit] = ()) -> Tubelet:
    """Return one track's tubelet; `height` is that of the picture in px. At least four hits, all with a crop.

    `rise` is its way up before.
    """
    times = np.array([hit.time_s for hit in hits])
    across, down = np.array([hit.x for hit in hits]), np.array([hit.y for hit in hits])
    fall = falling.fit(times, down)
    facts = facts_of(np.stack([times, across, down]), fall, hits, height)
    facts["rose"] = (rise[0].y - hits[0].y) / max(float(down[-1] - down[0]), 1.0) if rise else 0.0
    path = np.empty((PATH_FEATURES, STEPS), np.float32)
    path[: len(CURVES)] = _curves(np.stack([times, across, down]), hits, height)
    path[len(CURVES) :] = np.array([facts[name] for name in FACTS], np.float32)[:, None]
    track, up = (tuple(map(spot_of, part)) for part in (hits, rise))
    return Tubelet(_pictures(hits, times), np.clip(path, -8, 8), track, facts, up)


def spot_of(hit: Hit) -> Spot:
    """Return a hit in px of the input."""
    left, top, right, bottom = hit.box
    return Spot(hit.index, hit.time_s, left + hit.shift.x, top + hit.shift.y, right - left, bottom - top)


def outlined(track: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return a track with boxes around the whole thing, as large as it mostly is at that time.

    What was measured ends where a blurred edge has half faded; of what passes a wall of its own shade only a part is
    measured, and beside what trembles too much.
    """
    whole = []
    for at, spot in enumerate(track):
        near = track[max(0, at - BESIDE) : at + BESIDE + 1]
        w, h = (
            (1 + WIDER) * sorted(sides)[len(near) // 2] + 2 * EDGE_PX
            for sides in ([each.w for each in near], [each.h for each in near])
        )
        x, y = spot.centre
        whole.append(replace(spot, x=x - w / 2, y=y - h / 2, w=w, h=h))
    return tuple(whole)


def filled(track: Sequence[Spot]) -> tuple[Spot, ...]:
    """Return a track with the frames put in in which the thing was not seen for a moment, on the curve of its way."""
    spots = list(track[:1])
    for at, (before, after) in enumerate(pairwise(track), start=1):
        missed = after.frame - before.frame - 1
        if 0 < missed <= MOST_FILLED:
            pull = _pull(track[max(0, at - NEAR) : at + NEAR], before, after)
            spots += [_between(before, after, number / (missed + 1), pull) for number in range(1, missed + 1)]
        spots.append(after)
    return tuple(spots)


def standing(track: Sequence[Spot], repeats: Container[int]) -> tuple[Spot, ...]:
    """Return a track in which the thing stands still in frames that show the one before again."""
    spots = list(track[:1])
    for before, spot in pairwise(track):
        still = spot.frame in repeats and spot.frame == before.frame + 1
        spots.append(replace(spots[-1], frame=spot.frame, time_s=spot.time_s) if still else spot)
    return tuple(spots)


def _pull(near: Sequence[Spot], before: Spot, after: Spot) -> Sequence[float]:
    """Return by how many px, across and down, a thing lagged most behind an even pace in a gap, times four.

    No more than what falls from rest, or is thrown and comes to rest, lags.
    """
    times = [spot.time_s - before.time_s for spot in near]
    if len(near) < FEWEST_NEAR or times[0] == 0 or times[-1] == after.time_s - before.time_s:
        return 0.0, 0.0
    ways = [[spot.centre[axis] for spot in near] for axis in (0, 1)]
    pulls = [curve[2] * (after.time_s - before.time_s) ** 2 for curve in bent(times, ways, degree=2)]
    most = [abs(after.centre[axis] - before.centre[axis]) for axis in (0, 1)]
    return [min(max(pull, -limit), limit) for pull, limit in zip(pulls, most, strict=True)]


def _between(before: Spot, after: Spot, share: float, pull: Sequence[float]) -> Spot:
    time_s, x, y, w, h = (
        (1 - share) * getattr(before, name) + share * getattr(after, name)
        for name in ("time_s", "x", "y", "w", "h")
    )
    lag = share * (1 - share)
    frame = before.frame + round(share * (after.frame - before.frame))
    return Spot(frame, time_s, x - pull[0] * lag, y - pull[1] * lag, w, h)


def facts_of(
    path: NDArray[np.float64],
    fall: FreeFall,
    hits: Sequence[Hit],
    height: int,
) -> dict[str, float]:
    """Return the facts of a track: those of the network, each about within -2..2, and some for the gate behind it.

    span: logarithm of the drop in heights; seconds: logarithm of its duration; misfit: of the rms in px of free
    fall; bend: how much better that is than steady motion; pull: logarithm of the picture's height in metres, if
    it was free fall and everything as far off as where it begins; straight: drop as a share of the way; shrunk: how
    often the pictures were halved. `misfit_px` is misfit as it is, `metres` the height by the scale of the fit,
    `pace_px` is the drop a second.
    """
    times, across, down = path
    way = float(np.hypot(np.diff(across), np.diff(down)).sum())
    drop = float(down[-1] - down[0])
    metres = height / max(fall.scale_px, 1e-3)
    return {
        "span": float(np.log10(max(drop, 1.0) / height) + 1),
        "seconds": float(np.log10(times[-1] - times[0] + 0.04) + 0.3),
        "misfit": float(np.log10(fall.misfit_px + 0.1)),
        "bend": fall.bend,
        "pull": float(np.clip(np.log10(height / max(fall.first_px, 1e-3)) - 1.2, -2, 2)),
        "straight": drop / max(way, 1.0),
        "shrunk": float(np.log2(np.median([hit.shrunk for hit in hits]))),
        "misfit_px": fall.misfit_px,
        "metres": metres,
        "pace_px": drop / max(float(times[-1] - times[0]), 1e-3),
    }


def _curves(
    path: NDArray[np.float64],
    hits: Sequence[Hit],
    height: int,
) -> NDArray[np.float64]:
    times, across, down = path
    even = np.linspace(times[0], times[-1], STEPS)

    def sampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(even, times, values)

    lapse = max(float(even[1] - even[0]), 1e-3)
    x, y = sampled(across), sampled(down)
    off_x = x - np.polynomial.Polynomial.fit(even, x, 3)(even)
    off_y = y - np.polynomial.Polynomial.fit(even, y, 3)(even)
    size = np.array([np.hypot(hit.box[2] - hit.box[0], hit.box[3] - hit.box[1]) for hit in hits])
    nearest = np.abs(even[:, None] - times[None, :]).min(axis=1)
    usual = float(np.median(np.diff(times)))
    return np.stack(
        [
            (x - x[0]) / height * 2,
            (y - y[0]) / height * 2,
            np.gradient(x, lapse) / height,
            np.gradient(y, lapse) / height,
            off_x / 8,
            off_y / 8,
            np.log2(sampled(size) + 1) / 4 - 1,
            sampled(np.array([hit.contrast for hit in hits])) / 64,
            (nearest <= 0.75 * usual).astype(np.float64),
        ]
    )


def _pictures(hits: Sequence[Hit], times: NDArray[np.float64]) -> NDArray[np.uint8]:
    even = np.linspace(times[0], times[-1], CROPS)
    chosen = np.abs(even[:, None] - times[None, :]).argmin(axis=1)
    return np.stack([hits[which].crop for which in chosen.tolist()])
