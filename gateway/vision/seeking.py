"""Measure a track's thing where it was seen, and find it in pictures in which nobody noticed it yet.

A thing that sets off slowly is noticed late; looking back goes from picture to picture the way it must have come,
until it was at rest or cannot be seen.
"""

import math
from collections.abc import Sequence

from gateway.vision.bending import after, bent
from gateway.vision.looking import Picture, Sighting, cut, look
from gateway.vision.sight import Ground
from gateway.vision.tracks import USUAL, Hit, Track, usual_size

ALIKE = 0.3  # of its usual contrast: less is something else
ONCE_ALIKE = 0.22  # the same looking back: on its way it may have come before other walls
THROWN = 0.6  # px down a px aside, where a thing comes from that still rose
EARLIEST = 3  # hits there must be of the way down
EARLY = 6  # hits that tell where a track came from
RISING_GAP_S, FEWEST_RISING = 0.2, 3  # coming up it may be unseen so long, and must be seen so often
SCRAP, SCRAP_PX = 0.4, 1.0  # of its usual size, less px: what is smaller there is noise
BACK_SCRAP = 0.3  # the same looking back: it may come out of a window bit by bit
FASTER, FASTER_PX = 1.5, 4.0  # times its first pace, and px more: before, it was hardly faster
REST_HITS, REST_PX, RISE_PX = 4, 1.5, 3.0  # looking back, a thing that did not move so long had not set off


def seen(picture: Picture, sighting: Sighting, ground: Ground, near: Sequence[Hit]) -> Hit:
    """Return a sighting as a hit, with its little pictures, at the scale that suits the hits near it as well."""
    size = sorted([sighting.size, *(hit.size for hit in near)])[(len(near) + 1) // 2]
    crop, shrunk = cut(picture, ground.background, sighting.x, sighting.y, size=size)
    return Hit(
        picture.index, picture.time_s, sighting.x, sighting.y, sighting.box, sighting.contrast, picture.shift,
        crop, shrunk,
    )  # fmt: skip


def look_back(track: Track, ground: Ground, recent: Sequence[Picture]) -> None:
    """Measure the first hits again and go on backwards, until the thing was at rest or is not seen in two pictures.

    `recent` are the pictures before the present one, the newest first.
    """
    by_index = {picture.index: picture for picture in recent}
    hits = [_again(hit, by_index.get(hit.index), ground, track.hits[:USUAL]) for hit in track.hits]
    highest = _highest(hits)
    rise, hits = hits[:highest], hits[highest:]
    missed, pace = 0, _pace(hits[:EARLY])
    for picture in recent if not rise else ():
        if picture.index >= hits[0].index:
            continue
        x, y, reach = _behind(hits, picture.time_s)
        size = max(hit.size for hit in hits[:3])
        sighting = look(picture, ground, x, y, reach=reach, size=size)
        if (
            sighting is not None
            and sighting.y < hits[0].y + RISE_PX + THROWN * abs(sighting.x - hits[0].x)
            and sighting.size >= BACK_SCRAP * size - SCRAP_PX
            and math.hypot(sighting.x - hits[0].x, sighting.y - hits[0].y)
            <= FASTER * pace * (hits[0].time_s - picture.time_s) + FASTER_PX
            and alike(sighting, hits[:4], size, ONCE_ALIKE)
        ):
            hits.insert(0, seen(picture, sighting, ground, hits[:USUAL]))
            missed = 0
            if _resting(hits):
                del hits[: REST_HITS - 1]
                break
        elif (missed := missed + 1) >= 2:
            break
    track.hits, track.rise = hits, tuple(_risen(rise, hits, ground, recent))


def _highest(hits: Sequence[Hit]) -> int:
    """Return where the way down begins: 0 but for what was followed up before."""
    top = min(range(len(hits)), key=lambda at: hits[at].y)
    return top if top >= FEWEST_RISING and len(hits) - top >= EARLIEST else 0


def _risen(
    rise: Sequence[Hit], hits: Sequence[Hit], ground: Ground, recent: Sequence[Picture]
) -> Sequence[Hit]:
    """Return the way up to where hits begin, as far back as pictures are kept; `rise` is what is known of it."""
    way, size = [*rise, *hits[:EARLY]], usual_size(hits[:USUAL])
    for picture in recent:
        lapse = way[0].time_s - picture.time_s
        if picture.index >= way[0].index:
            continue
        if lapse > RISING_GAP_S:
            break
        x, y, reach = _behind(way, picture.time_s, from_below=True)
        sighting = look(picture, ground, x, y, reach=reach, size=size)
        if (
            sighting is not None
            and sighting.y > way[0].y
            and sighting.size >= SCRAP * size - SCRAP_PX
            and alike(sighting, way[:4], size, ONCE_ALIKE)
        ):
            hit = Hit(picture.index, picture.time_s, sighting.x, sighting.y, sighting.box, sighting.contrast,
                      picture.shift)  # fmt: skip
            way.insert(0, hit)
    found = way[: len(way) - len(hits[:EARLY])]
    return found if len(found) >= FEWEST_RISING else ()


def _pace(hits: Sequence[Hit]) -> float:
    """Return how fast a thing goes in some hits, in px per second."""
    first, last = hits[0], hits[-1]
    return math.hypot(last.x - first.x, last.y - first.y) / max(last.time_s - first.time_s, 1e-3)


def _resting(hits: Sequence[Hit]) -> bool:
    """Say whether the first hits lie in one place."""
    first, last = hits[0], hits[REST_HITS - 1] if len(hits) >= REST_HITS else None
    return last is not None and math.hypot(first.x - last.x, first.y - last.y) < REST_PX


def alike(sighting: Sighting, near: Sequence[Hit], size: float, share: float = ALIKE) -> bool:
    """Say whether what was found by looking is as strong as the thing was, and no much larger thing."""
    contrast = sorted(abs(hit.contrast) for hit in near if hit.crop is not None)
    least = share * contrast[len(contrast) // 2] if contrast else 0.0
    return sighting.size < 2.2 * size + 5 and abs(sighting.contrast) >= least


def _again(hit: Hit, picture: Picture | None, ground: Ground, near: Sequence[Hit]) -> Hit:
    if hit.crop is not None or picture is None:
        return hit
    sighting = look(picture, ground, hit.x, hit.y, reach=2.0 + hit.size / 2, size=hit.size)
    return hit if sighting is None else seen(picture, sighting, ground, near)


def _behind(hits: Sequence[Hit], time_s: float, *, from_below: bool = False) -> tuple[float, float, float]:
    """Return where a track came from: by its first steps, and down again only if it was thrown aside, or from below."""
    first = hits[0]
    early = hits[:EARLY]
    ways = [[hit.x for hit in early], [hit.y for hit in early]]
    curves = bent([hit.time_s - first.time_s for hit in early], ways, degree=2 if len(early) >= 5 else 1)
    lapse = time_s - first.time_s
    (x, _), (y, _) = (after(curve, lapse) for curve in curves)
    speed = math.hypot(curves[0][1], curves[1][1]) * abs(lapse)
    below = first.y + 1.0 + THROWN * abs(x - first.x)
    return (
        x,
        y if from_below else min(y, below),
        2.5 + 0.3 * speed + 0.2 * min(first.size, 40.0),
    )
