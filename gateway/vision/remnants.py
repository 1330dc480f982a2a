"""What was followed and told as nothing: the way of a fall may go on in it, before or after what was believed.

A bag drifts, or passes a wall of its own shade, and is lost and found again; pieces of its way are too short or too
flat to be taken for a fall. When one piece is told, those that lead to it or on from it are told with it: where it
must have gone, as fast and about as large. They make no alarm, only longer what it tells of.
"""

import math
from collections import deque
from collections.abc import Sequence

from gateway.vision import bridging
from gateway.vision.bridging import PLACES, Place
from gateway.vision.sight import Spot

KEPT = 64
CROWD, CROWD_S = 24, 3.0  # so many that ended so lately: among more, as in snow, one fits by chance
AGO_S = 6.0  # what began longer ago is not told: the film that is kept reaches ten seconds further
FEWEST = 3  # spots of a piece
GAP_S = 1.2  # from one piece to the next, at most
LARGER, LARGER_PX = 2.2, 8.0  # times as large as the other piece, and px more, at most


class Remnants:
    """Remembers the ways of what was told as nothing of late. All times are of the stream."""

    def __init__(self) -> None:
        self._ways: deque[Sequence[Spot]] = deque(maxlen=KEPT)

    def take(self, way: Sequence[Spot]) -> None:
        """Remember one more way."""
        self._ways.append(way)

    def around(self, track: Sequence[Spot], now: float) -> tuple[list[Spot], list[Spot]]:
        """Return the spots that lead to a track and those that lead on from it, each in order of time."""
        ways = [way for way in self._ways if now - way[0].time_s <= AGO_S]
        before: list[Spot] = []
        beyond: list[Spot] = []
        if sum(now - way[-1].time_s < CROWD_S for way in ways) > CROWD:
            return before, beyond
        while piece := _leading_to([*before, *track], ways):
            before = [*piece, *before]
        while piece := _leading_on([*track, *beyond], ways):
            beyond += piece
        return before, beyond


def _leading_to(track: Sequence[Spot], ways: Sequence[Sequence[Spot]]) -> Sequence[Spot]:
    pieces = [[spot for spot in way if spot.frame < track[0].frame] for way in ways]
    return _nearest([(_off(piece, track), piece) for piece in pieces if len(piece) >= FEWEST])


def _leading_on(track: Sequence[Spot], ways: Sequence[Sequence[Spot]]) -> Sequence[Spot]:
    pieces = [[spot for spot in way if spot.frame > track[-1].frame] for way in ways]
    return _nearest([(_off(track, piece), piece) for piece in pieces if len(piece) >= FEWEST])


def _nearest(pieces: Sequence[tuple[float, Sequence[Spot]]]) -> Sequence[Spot]:
    """Return the piece that is least off, if one is near enough to be of the same thing."""
    off, piece = min(pieces, key=lambda each: each[0], default=(math.inf, ()))
    return piece if off < 1.0 else ()


def _off(earlier: Sequence[Spot], later: Sequence[Spot]) -> float:
    """Return how far off a piece begins from where one before it must have gone, as a share of what is allowed."""
    small, large = sorted((_size(earlier[-PLACES:]), _size(later[:PLACES])))
    if later[0].time_s - earlier[-1].time_s > GAP_S or large > LARGER * small + LARGER_PX:
        return math.inf
    return bridging.off(bridging.last(_places(earlier)), bridging.first(_places(later)), small)


def _places(spots: Sequence[Spot]) -> list[Place]:
    return [(spot.time_s, *spot.centre) for spot in spots]


def _size(spots: Sequence[Spot]) -> float:
    return sorted(max(spot.w, spot.h) for spot in spots)[len(spots) // 2]
