"""Link what moves from picture to picture into tracks: each says where it goes on, the nearest thing takes it on.

Things in a line within three pictures begin a track; one that comes down is looked for from the fourth on where it
is expected, with a lower threshold, also backwards through the last pictures, where it was slow and faint. It ends
when it has not been seen for a while, one that does not come down ends soon. Things may turn, grow, and change
from dark to bright before the wall.
"""

import math
import operator
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gateway.vision.looking import Picture, look
from gateway.vision.motion import Candidates
from gateway.vision.seeking import alike, look_back, seen
from gateway.vision.sight import Ground
from gateway.vision.tracks import FOLLOWED, Hit, Track

LOOK_BACK = 5  # hits from which its beginning is looked for
DOUBTFUL = 7  # hits within which it must have begun to sink
UNFOLLOWED_S = 0.1
UNEVEN_S = 0.022  # times of pictures are not better than that: a film of 25 a second may be shown at 30
LOST_S = 0.17  # a followed track ends after so long unseen
LONGEST_S = 6.0
MOST_TRACKS = 160
SEED_SPEED = 0.06  # of the picture's height per frame of 40 ms: no track begins faster
SEEDS = 2  # tracks that one thing begins at most
RECENT = 8  # hits by which a track goes on
JOIN_S, JOIN_PX, JOIN_SHARE = 0.6, 8.0, 0.3  # a track may go on after so long, so far off (share: of the way)
FEWEST_JOINED = 3  # hits of the later piece that must lie after the earlier, into which it may reach back
STILL_HITS, STILL_PX = 12, 5.0


class Linker:
    """Keeps all tracks of one camera. `height` is the whole picture's, in px, where only a part of it is watched."""

    def __init__(self, height: int = 0) -> None:
        self._height = height
        self.tracks: list[Track] = []
        self._past: deque[Track] = deque(maxlen=32)  # ended of late; one may turn out to go on
        self._loose: tuple[Picture, Candidates] | None = (
            None  # the last picture, and what no track took of it
        )

    def feed(
        self,
        picture: Picture,
        found: Candidates,
        ground: Ground,
        recent: Sequence[Picture],
    ) -> list[Track]:
        """Take what moves in the next picture; return the tracks that ended with it."""
        if self._loose is not None and picture.index <= self._loose[0].index:
            return []
        taken = self._assign(picture, found, ground)
        free = _only(found, ~taken)
        self._seed(picture, free)
        self._loose = picture, free
        for track in self.tracks:
            if not track.looked_back and len(track.hits) >= LOOK_BACK and track.sinking:
                track.looked_back = True
                look_back(track, ground, recent)
                self._join(track)
        for track in self.tracks:
            track.over = track.over or _ended(track, picture.time_s)
        ended = [track for track in self.tracks if track.over and track.looked_back]
        self._past.extend(ended)
        self.tracks = [track for track in self.tracks if not track.over]
        return ended

    def finish(self) -> list[Track]:
        """End all tracks."""
        ended, self.tracks = [track for track in self.tracks if track.looked_back], []
        self._loose = None
        return ended

    def followed(self) -> list[list[Hit]]:
        """Return the hits of the tracks that are followed and not over."""
        return [track.hits for track in self.tracks if track.followed]

    def _join(self, track: Track) -> None:
        """Put before a track the one it continues: things vanish for moments before a wall of their own shade."""
        best: tuple[float, Track, list[Hit]] | None = None
        for past in self._past:
            rest = [hit for hit in track.hits if hit.index > past.hits[-1].index]
            if len(rest) < FEWEST_JOINED or not past.followed:
                continue
            last, first = past.hits[-1], rest[0]
            if first.time_s - last.time_s > JOIN_S:
                continue
            x, y, _ = _ahead(past, first.time_s)
            between = math.hypot(x - last.x, y - last.y)
            off = math.hypot(x - first.x, y - first.y) / (JOIN_PX + JOIN_SHARE * between + past.size / 2)
            if off < 1.0 and first.y > last.y and (best is None or off < best[0]):
                best = off, past, rest
        if best is not None:
            track.hits, track.rose_px = [*best[1].hits, *best[2]], best[1].rose_px
            self._past.remove(best[1])

    def _assign(self, picture: Picture, found: Candidates, ground: Ground) -> NDArray[np.bool_]:
        """Give each track its nearest thing, the longest tracks first; say which things are taken."""
        taken = np.zeros(len(found), bool)
        if not self.tracks:
            return taken
        for track in self.tracks:
            track.ahead = _ahead(track, picture.time_s)
        goals = np.array([track.ahead for track in self.tracks], np.float32)
        away = np.hypot(
            goals[:, 0, None] - found.centre[None, :, 0], goals[:, 1, None] - found.centre[None, :, 1]
        )
        rank = away / goals[:, 2, None]
        pairs = np.argwhere(rank < 1.0)
        length = np.minimum([len(track.hits) for track in self.tracks], 8)
        served: set[int] = set()
        order = np.argsort(rank[pairs[:, 0], pairs[:, 1]] - 0.3 * length[pairs[:, 0]])
        for which, thing in pairs[order].tolist():
            if which in served or taken[thing]:
                continue
            taken[thing] = True
            served.add(which)
            _take(self.tracks[which], picture, _hit(picture, found, thing), ground)
        for which, track in enumerate(self.tracks):
            if which in served:
                continue
            if track.followed:
                _seek(track, picture, ground)
            elif len(track.hits) < 3 or picture.time_s - track.hits[-1].time_s > UNFOLLOWED_S:
                track.over = True
        return taken

    def _seed(self, picture: Picture, free: Candidates) -> None:
        """Begin tracks of two from things that no track has taken."""
        if not len(free) or self._loose is None or len(self.tracks) >= MOST_TRACKS:
            return
        before, things = self._loose
        lapse = picture.time_s - before.time_s
        if not len(things) or lapse <= 0:
            return
        step = free.centre[:, None, :] - things.centre[None, :, :]
        far = np.hypot(step[..., 0], step[..., 1])
        limit = SEED_SPEED * (self._height or picture.height) * max(1.0, lapse / 0.04)
        likely = (far <= limit) & (far >= 0.7) & (step[..., 1] > -0.35 * far)
        ratio = (free.pixels[:, None] + 4) / (things.pixels[None, :] + 4)
        likely &= (ratio < 6) & (ratio > 1 / 6)
        now, then = np.nonzero(likely)
        order = np.lexsort((far[now, then], now))
        now, then = now[order], then[order]
        rank = np.arange(len(now)) - np.searchsorted(now, now)  # how many nearer ones the same thing has
        nearest = np.flatnonzero(rank < SEEDS)[: MOST_TRACKS - len(self.tracks)]
        for later, earlier in zip(now[nearest].tolist(), then[nearest].tolist(), strict=True):
            self.tracks.append(Track([_hit(before, things, earlier), _hit(picture, free, later)]))


def _ahead(track: Track, time_s: float) -> tuple[float, float, float]:
    """Return where a track goes on and how far off it may be: by its last steps, bent as they are bent."""
    hits = track.hits[-RECENT:]
    last = hits[-1]
    lapse = time_s - last.time_s
    if len(hits) < FOLLOWED:
        before = hits[-2]
        pace = lapse / max(last.time_s - before.time_s, 1e-3)
        step_x, step_y = (last.x - before.x) * pace, (last.y - before.y) * pace
        reach = 3.0 + 0.4 * math.hypot(step_x, step_y) + 0.25 * min(last.size, 40.0)
        return last.x + step_x, last.y + step_y, reach
    times = [hit.time_s - last.time_s for hit in hits]
    degree = 2 if len(hits) >= 5 else 1
    (x, pace_x), (y, pace_y) = _on(times, [[hit.x for hit in hits], [hit.y for hit in hits]], lapse, degree)
    reach = 3.0 + max(0.16 * lapse, UNEVEN_S) * math.hypot(pace_x, pace_y) + 0.2 * min(track.size, 40.0)
    return x, y, reach * (1.0 if lapse < 0.09 else 1.4)


def _on(
    times: Sequence[float], ways: Sequence[Sequence[float]], lapse: float, degree: int
) -> list[tuple[float, float]]:
    """Return (place, speed) of each way after `lapse` by the least squares line or parabola.

    Plain sums: it is asked often, of few numbers.
    """
    n, s1 = float(len(times)), sum(times)
    squares = [t * t for t in times]
    s2 = sum(squares)
    sums = [(sum(way), sum(map(operator.mul, times, way))) for way in ways]
    if degree == 1:
        below = n * s2 - s1 * s1
        slopes = [(n * p1 - s1 * p0) / below for p0, p1 in sums]
        return [((p0 - m * s1) / n + m * lapse, m) for (p0, _), m in zip(sums, slopes, strict=True)]
    s3, s4 = sum(map(operator.mul, squares, times)), sum(map(operator.mul, squares, squares))
    # the inverse of [[n, s1, s2], [s1, s2, s3], [s2, s3, s4]], which is symmetric, row by row
    aa, ab, ac = s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2
    bb, bc, cc = n * s4 - s2 * s2, s1 * s2 - n * s3, n * s2 - s1 * s1
    whole = n * aa + s1 * ab + s2 * ac
    found = []
    for (p0, p1), way in zip(sums, ways, strict=True):
        p2 = sum(map(operator.mul, squares, way))
        a, b, c = p0 * aa + p1 * ab + p2 * ac, p0 * ab + p1 * bb + p2 * bc, p0 * ac + p1 * bc + p2 * cc
        found.append(((a + (b + c * lapse) * lapse) / whole, (b + 2 * c * lapse) / whole))
    return found


def _hit(picture: Picture, found: Candidates, thing: int) -> Hit:
    x, y = found.centre[thing].tolist()
    left, top, right, bottom = found.box[thing].tolist()
    return Hit(picture.index, picture.time_s, x, y, (left, top, right, bottom), 0.0, picture.shift)


def _take(track: Track, picture: Picture, hit: Hit, ground: Ground) -> None:
    if len(track.hits) + 1 >= FOLLOWED and track.sinking:
        sighting = look(picture, ground, hit.x, hit.y, reach=2.0 + hit.size / 2, size=hit.size)
        if sighting is not None and sighting.size < 3 * max(hit.size, track.size) + 6:
            hit = seen(picture, sighting, ground)
    track.hits.append(hit)


def _seek(track: Track, picture: Picture, ground: Ground) -> None:
    """Look for a followed track where no thing took it on."""
    x, y, reach = track.ahead
    sighting = look(picture, ground, x, y, reach=0.8 * reach, size=track.size)
    if sighting is not None and alike(sighting, track.hits[-4:], track.size):
        track.hits.append(seen(picture, sighting, ground))


def _ended(track: Track, time_s: float) -> bool:
    """Say whether a track is over: unseen, at rest, not coming down, or too long to be a fall."""
    last, first, count = track.hits[-1], track.hits[0], len(track.hits)
    if count < FOLLOWED:
        return False
    still = count >= STILL_HITS and abs(last.y - track.hits[-STILL_HITS].y) < STILL_PX
    astray = count >= DOUBTFUL and not track.sinking
    return still or astray or time_s - last.time_s > LOST_S or time_s - first.time_s > LONGEST_S


def _only(found: Candidates, chosen: NDArray[np.bool_]) -> Candidates:
    return Candidates(found.centre[chosen], found.box[chosen], found.pixels[chosen])
