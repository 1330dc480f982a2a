"""Cut from the ends of a track what is no longer its thing: specks it ran on into, and the place where it came to rest.

A track is followed until nothing is seen any more, and while its thing is gone something always trembles nearby: a
leaf, the noise of the encoder, the shadow of where it fell. Such sightings are much smaller than the thing was or stay
where they are. Only the ends are cut; in between a thing may well turn its narrow side to the camera.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from gateway.vision.tracks import Hit

SPECK, FAINT = 0.4, 0.5  # of the usual size and contrast: less than both is something else
TINY, LARGE = 0.3, 6.0  # of the usual size is too little even if it is strong; px from which that can be said
SLOW = 0.35  # of the usual pace: a thing that falls does not stop in the air
LEAST = 5  # hits that are left in any case
SURE = 2  # hits in a row that are the thing itself: there the cutting ends


def trimmed(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits without doubtful ones at either end; all of them when hardly any would be left."""
    if len(hits) <= LEAST:
        return list(hits)
    size, contrast = _middle([hit.size for hit in hits]), _middle([abs(hit.contrast) for hit in hits])
    speck = [
        (hit.size < SPECK * size and abs(hit.contrast) < FAINT * contrast)
        or (size > LARGE and hit.size < TINY * size)
        for hit in hits
    ]
    steps = [math.hypot(b.x - a.x, b.y - a.y) / max(b.time_s - a.time_s, 1e-3) for a, b in pairwise(hits)]
    usual = _middle(steps)
    rests = [False, *(step < SLOW * usual for step in steps)]
    start = _first_sure(speck)
    end = len(hits) - _first_sure([a or b for a, b in zip(speck, rests, strict=True)][::-1])
    return list(hits[start:end]) if end - start >= LEAST else list(hits)


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _first_sure(doubtful: Sequence[bool]) -> int:
    """Return where `SURE` hits in a row are beyond doubt; 0 if there is no such place."""
    for place in range(len(doubtful) - SURE + 1):
        if not any(doubtful[place : place + SURE]):
            return place
    return 0
