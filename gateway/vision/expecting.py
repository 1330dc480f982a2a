"""Where a track goes on: by its last steps, bent as they plainly are bent, and never back to where it was.

What falls is pulled down, so its way down is a parabola wherever that bends downwards. Its way aside is a straight
line, unless a parabola explains it plainly better than chance would make it: a large thing that turns shows now its
head and now its foot, and a parabola through such places leads anywhere. And it does not stop in the air: what is
seen where it was is its afterglow, left by a camera's noise filter or an encoder while the thing itself passes
before a wall of its own shade. Who takes that for the thing has lost it.
"""

import math
import operator
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.vision.shake import Floats
from gateway.vision.tracks import FOLLOWED, Hit, Track

RECENT = 8  # hits by which a track goes on
UNEVEN_S = 0.022  # times of pictures are not better than that: a film of 25 a second may be shown at 30
NEAREST_PX = 3.0  # how far off it may be at least
YOUNG, YOUNG_SIZE = 0.4, 0.25  # and share of the step, and of the size, of a track of few hits
DOUBT, OF_SIZE, LARGEST_PX = 0.16, 0.2, 40.0  # of the pace, for each second; of the size; px
LATE_S, LATE = 0.09, 1.4  # unseen so long it may be so many times as far off
LEAST_BENT, PLAINLY, EXACT_PX = 5, 6.0, 0.3  # hits; how much better than chance a parabola must be; px
EARLY = 8  # hits from which it is told where a thing came from
BACK_PX, BACK = 2.5, 0.3  # how far off that may be: px, and share of its way
THROWN = 0.6  # px down a px aside, where a thing comes from that still rose
LEAST_STEP, SHOWS_IN_PARTS = 0.4, 0.25  # of the step to come; of the size, by which a thing may seem back


def ahead(track: Track, time_s: float) -> tuple[float, float, float]:
    """Return where a track is at a time after its last hit, and how far off it may be: x, y, reach in px."""
    hits = track.hits[-RECENT:]
    last = hits[-1]
    lapse = time_s - last.time_s
    if len(hits) < FOLLOWED:
        before = hits[-2]
        pace = lapse / max(last.time_s - before.time_s, 1e-3)
        step_x, step_y = (last.x - before.x) * pace, (last.y - before.y) * pace
        reach = NEAREST_PX + YOUNG * math.hypot(step_x, step_y) + YOUNG_SIZE * min(last.size, 40.0)
        return last.x + step_x, last.y + step_y, reach
    times = [hit.time_s - last.time_s for hit in hits]
    x, pace_x = _after(lapse, times, [hit.x - last.x for hit in hits], pulled=False)
    y, pace_y = _after(lapse, times, [hit.y - last.y for hit in hits], pulled=True)
    reach = NEAREST_PX + max(DOUBT * lapse, UNEVEN_S) * math.hypot(pace_x, pace_y)
    reach += OF_SIZE * min(track.size, LARGEST_PX)
    return last.x + x, last.y + y, reach * (1.0 if lapse < LATE_S else LATE)


def behind(hits: Sequence[Hit], time_s: float, *, from_below: bool = False) -> tuple[float, float, float]:
    """Return where hits came from at a time before their first, and how far off that may be: x, y, reach in px.

    What was thrown aside may have risen first; what came `from_below` rose as steeply as its way is bent.
    """
    first, early = hits[0], hits[:EARLY]
    lapse, times = time_s - first.time_s, [hit.time_s - first.time_s for hit in early]
    x, pace_x = _after(lapse, times, [hit.x - first.x for hit in early], pulled=False)
    y, pace_y = _after(lapse, times, [hit.y - first.y for hit in early], pulled=True)
    reach = BACK_PX + BACK * math.hypot(pace_x, pace_y) * -lapse + OF_SIZE * min(first.size, LARGEST_PX)
    return first.x + x, first.y + (y if from_below else min(y, 1.0 + THROWN * abs(x))), reach


def moved_on(tracks: Sequence[Track], places: Floats) -> NDArray[np.bool_]:
    """Return (tracks, n): to which of the places (n, 2) each track can have come, and not stayed where it was.

    The tracks know already where they go on (`Track.ahead`).
    """
    last = np.array([(track.hits[-1].x, track.hits[-1].y, track.size) for track in tracks], np.float32)
    step = np.array([track.ahead[:2] for track in tracks], np.float32) - last[:, :2]
    far = np.hypot(step[:, 0], step[:, 1])
    came = (places @ step.T).T - (last[:, :2] * step).sum(axis=1)[:, None]
    least = (LEAST_STEP * far - SHOWS_IN_PARTS * last[:, 2]) * far
    return np.asarray(came >= least[:, None])


def _after(
    lapse: float, times: Sequence[float], way: Sequence[float], *, pulled: bool
) -> tuple[float, float]:
    """Return (place, speed) of a way after `lapse` by the least squares line or parabola; plain sums, asked often.

    `pulled` ways bend as gravity bends them or not at all, others where that is plain. All count from the last hit.
    """
    n, s1 = float(len(times)), sum(times)
    squares = [t * t for t in times]
    s2, p0, p1 = sum(squares), sum(way), sum(map(operator.mul, times, way))
    below = n * s2 - s1 * s1
    place, slope = (p0 * s2 - p1 * s1) / below, (n * p1 - s1 * p0) / below
    if n < LEAST_BENT:
        return place + slope * lapse, slope
    s3, s4 = sum(map(operator.mul, squares, times)), sum(map(operator.mul, squares, squares))
    p2 = sum(map(operator.mul, squares, way))
    # the inverse of [[n, s1, s2], [s1, s2, s3], [s2, s3, s4]], which is symmetric, row by row
    aa, ab, ac = s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2
    bb, bc, cc = n * s4 - s2 * s2, s1 * s2 - n * s3, below
    whole = n * aa + s1 * ab + s2 * ac
    a, b, c = ((p0 * i + p1 * j + p2 * k) / whole for i, j, k in ((aa, ab, ac), (ab, bb, bc), (ac, bc, cc)))
    if pulled:
        bends = c > 0
    else:
        left = sum(map(operator.mul, way, way)) - a * p0 - b * p1 - c * p2
        gained = a * p0 + b * p1 + c * p2 - place * p0 - slope * p1
        bends = gained >= PLAINLY * (max(left, 0.0) / (n - 3) + EXACT_PX**2)
    return (a + (b + c * lapse) * lapse, b + 2 * c * lapse) if bends else (place + slope * lapse, slope)
