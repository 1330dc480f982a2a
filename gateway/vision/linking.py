"""Link what moves from picture to picture into tracks: each says where it goes on, the nearest thing takes it on.

Things in a line within three pictures begin a track; one that comes down, or goes as what was thrown does, up ever
more slowly or aside and ever more steeply, is looked for from the fourth on where it is expected, with a lower
threshold, also backwards through the last pictures, where it was slow and faint. It ends when it has not been seen
for a while, one that does neither ends soon. Things may turn, grow, and change from dark to bright before the wall;
what a noise filter leaves where they were, and specks beside them, are not they. A picture that shows the last one
again is passed over.
"""

import math
from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision import bridging
from gateway.vision.bending import after, bent
from gateway.vision.bridging import Place
from gateway.vision.gathering import Candidates
from gateway.vision.looking import Picture, look
from gateway.vision.seeking import alike, look_back, seen
from gateway.vision.shake import Floats
from gateway.vision.sight import Ground
from gateway.vision.tracks import FOLLOWED, LEAST_PULL, USUAL, Hit, Track

LOOK_BACK = 5  # hits from which its beginning is looked for
DOUBTFUL = 7  # hits within which it must have begun to sink
UNFOLLOWED_S = 0.1
UNEVEN_S = 0.022  # times of pictures are not better than that: a film of 25 a second may be shown at 30 ...
UNEVEN = 0.45  # ... or at 15, with two pictures of five left out: of the time from one to the next
LOST_S, LOST_PICTURES = 0.17, 3.2  # a followed track ends after so long unseen, and after so many pictures
LONGEST_S = 6.0
MOST_TRACKS = 160
SEED_SPEED = 0.06  # of the picture's height per frame of 40 ms: no track begins faster
LARGE_PIXELS, PER_SIZE = 40, 1.5  # what moves in more pixels may go so many times its size, and in pieces
LARGE_PX = 12.0  # what is as large is measured against the background at once: only its rims change
RISING_PIXELS = 12  # what moves in fewer and goes up begins no track
STUTTER_S = 2.0  # after a picture that was shown twice it is not known how far a thing ought to have come
REPEAT_PIXELS, REPEATED = 6, 0.15  # of so many pixels, changed by less than this share, it has not moved
GONE = 0.4  # where a thing was and no longer is, the picture has changed by more
REMEMBERED = 240  # repeats: longer than a fall is held back
SEEDS = 2  # tracks that one thing begins at most
BENT_FROM = 5  # hits by which it is told how a way bends
SLOW_S, SLOW_FROM = 0.055, 4  # where pictures come as seldom: a fall speeds up between two of them
RECENT = 8  # hits by which a track goes on
JOIN_S = 0.6  # a track may go on after so long
RISEN_S = 0.35  # ... or come down after so long, if it rose
FEWEST_JOINED = 3  # hits of the later piece that must lie after the earlier, into which it may reach back
STILL_HITS, STILL_PX = 12, 5.0


class Linker:
    """Keeps all tracks of one camera. `height` is the whole picture's, in px, where only a part of it is watched."""

    def __init__(self, height: int = 0) -> None:
        self._height = height
        self.tracks: list[Track] = []
        self.repeats: deque[int] = deque(maxlen=REMEMBERED)  # the frames that showed the one before again
        self._repeated, self._repeated_s = False, -math.inf
        self._lapse = 0.04  # s from picture to picture, as they come of late
        self._past: deque[Track] = deque(maxlen=64)  # ended of late; one may turn out to go on
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
        if self._loose is not None:
            self._lapse += 0.1 * (min(picture.time_s - self._loose[0].time_s, 0.1) - self._lapse)
        if self._repeats(picture, found, ground):
            return []
        taken = self._assign(picture, found, ground)
        free = _only(found, ~taken)
        self._seed(picture, free)
        self._loose = picture, free
        for track in self.tracks:
            if not track.looked_back and len(track.hits) >= LOOK_BACK and track.descending:
                track.looked_back = True
                look_back(track, ground, recent)
                self._join(track, ground, recent)
        for track in self.tracks:
            track.over = track.over or _ended(track, picture.time_s, max(LOST_S, LOST_PICTURES * self._lapse))
            if track.over and track.followed and not track.joined:
                self._join(track, ground, recent)
        ended = [track for track in self.tracks if track.over and track.looked_back]
        self._past.extend(track for track in self.tracks if track.over and len(track.hits) >= FOLLOWED)
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

    def _repeats(self, picture: Picture, found: Candidates, ground: Ground) -> bool:
        """Say whether a picture shows the last one again: nothing that is large enough, or followed, has moved.

        Cameras and recorders do so, some every sixth time. It says nothing new, and that all stood still is not true.
        """
        large = np.flatnonzero(found.pixels >= REPEAT_PIXELS).tolist()
        self._repeated = (
            bool(large)
            and not self._repeated
            and all(_changed(picture, ground, found.box[thing].tolist()) <= REPEATED for thing in large)
            and all(_changed(picture, ground, box) <= GONE for box in self._just_seen())
        )
        if self._repeated:
            self._repeated_s = picture.time_s
            self.repeats.append(picture.index)
        return self._repeated

    def _just_seen(self) -> list[Sequence[float]]:
        """Return where in the last picture the things of followed tracks were."""
        last = self._loose[0].index if self._loose else -1
        return [
            track.hits[-1].box for track in self.tracks if track.followed and track.hits[-1].index == last
        ]

    def _join(self, track: Track, ground: Ground, recent: Sequence[Picture]) -> None:
        """Put before a track the one it continues: things vanish for moments before a wall of their own shade."""
        past = None if track.rise else self._continued(track)
        for each in (past, track) if past else ():
            if not each.looked_back:
                each.looked_back = True
                look_back(each, ground, recent)
        if past is None or track.rise:  # what rose came from below, and goes on from nothing that sank
            self._join_rise(track)
            return
        rest = [hit for hit in track.hits if hit.index > past.hits[-1].index]
        track.hits, track.rise, track.joined = [*past.hits, *rest], past.rise, True
        self._past.remove(past)
        self._join_rise(track)

    def _join_rise(self, track: Track) -> None:
        """Put before a track the way up on which its thing was followed before, in pieces if need be."""
        while past := self._rising_to(track):
            track.rise = *past.hits, *track.rise
            self._past.remove(past)

    def _rising_to(self, track: Track) -> Track | None:
        """Return the ended track that rises to where another one begins, the nearest; None if none does."""
        best: tuple[float, Track] | None = None
        begin = bridging.first(_places([*track.rise, *track.hits]))
        for past in self._past:
            last = past.hits[-1]
            if not 0 < begin.time_s - last.time_s <= RISEN_S or not past.arching:
                continue
            off = bridging.off(bridging.last(_places(past.hits)), begin, past.size)
            if off < 1.0 and begin.y < last.y < past.hits[0].y and (best is None or off < best[0]):
                best = off, past
        return best and best[1]

    def _continued(self, track: Track) -> Track | None:
        """Return the ended track that leads to where another one begins, the nearest; None if none does."""
        best: tuple[float, Track] | None = None
        for past in self._past:
            rest = [hit for hit in track.hits if hit.index > past.hits[-1].index]
            if len(rest) < FEWEST_JOINED:
                continue
            last, first = past.hits[-1], rest[0]
            if first.time_s - last.time_s > JOIN_S:
                continue
            off = bridging.off(bridging.last(_places(past.hits)), bridging.first(_places(rest)), past.size)
            if off < 1.0 and first.y > last.y and (best is None or off < best[0]):
                best = off, past
        return best and best[1]

    def _assign(self, picture: Picture, found: Candidates, ground: Ground) -> NDArray[np.bool_]:
        """Give each track its nearest thing, the longest tracks first; say which things are taken."""
        taken = np.zeros(len(found), bool)
        if not self.tracks:
            return taken
        steady = picture.time_s - self._repeated_s > STUTTER_S
        bent_from = SLOW_FROM if self._lapse > SLOW_S else BENT_FROM
        uneven_s = max(UNEVEN_S, UNEVEN * self._lapse)
        for track in self.tracks:
            track.ahead = _ahead(track, picture.time_s, bent_from, uneven_s)
            track.waited = track.waited + 1 if steady else 1
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
            track = self.tracks[which]
            if which in served or taken[thing]:
                continue
            hit = _hit(picture, found, thing)
            if not track.goes_on_with(hit.x, hit.y, hit.size):
                continue
            taken[thing] = True
            served.add(which)
            _take(track, picture, hit, ground)
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
        tall = self._height or picture.height
        step = free.centre[:, None, :] - things.centre[None, :, :]
        far = np.hypot(step[..., 0], step[..., 1])
        fewer = np.minimum(free.pixels[:, None], things.pixels[None, :])
        large = fewer >= LARGE_PIXELS
        size = np.minimum(_sizes(free)[:, None], _sizes(things)[None, :])
        limit = SEED_SPEED * tall * max(1.0, lapse / 0.04) + np.where(large, PER_SIZE * size, 0.0)
        likely = (far <= limit) & (far >= 0.7)
        likely &= (step[..., 1] > -0.35 * far) | (fewer >= RISING_PIXELS)
        ratio = (free.pixels[:, None] + 4) / (things.pixels[None, :] + 4)
        likely &= large | ((ratio < 6) & (ratio > 1 / 6))
        now, then = np.nonzero(likely)
        order = np.lexsort((far[now, then], now))
        now, then = now[order], then[order]
        rank = np.arange(len(now)) - np.searchsorted(now, now)  # how many nearer ones the same thing has
        nearest = np.flatnonzero(rank < SEEDS)[: MOST_TRACKS - len(self.tracks)]
        for later, earlier in zip(now[nearest].tolist(), then[nearest].tolist(), strict=True):
            hits = [_hit(before, things, earlier), _hit(picture, free, later)]
            self.tracks.append(Track(hits, pull=LEAST_PULL * tall))


def _ahead(track: Track, time_s: float, bent_from: int, uneven_s: float) -> tuple[float, float, float]:
    """Return where a track goes on and how far off it may be: by its last steps, bent as they are bent."""
    hits = track.latest(RECENT)
    last = hits[-1]
    lapse = time_s - last.time_s
    if len(hits) < FOLLOWED:
        before = hits[-2]
        pace = lapse / max(last.time_s - before.time_s, 1e-3)
        step_x, step_y = (last.x - before.x) * pace, (last.y - before.y) * pace
        reach = 3.0 + 0.4 * math.hypot(step_x, step_y) + 0.25 * min(last.size, 40.0)
        return last.x + step_x, last.y + step_y, reach
    times = [hit.time_s - last.time_s for hit in hits]
    degree = 2 if len(hits) >= bent_from else 1
    ways = bent(times, [[hit.x for hit in hits], [hit.y for hit in hits]], degree)
    (x, pace_x), (y, pace_y) = (after(way, lapse) for way in ways)
    reach = 3.0 + max(0.16 * lapse, uneven_s) * math.hypot(pace_x, pace_y) + 0.2 * min(track.size, 40.0)
    return x, y, reach * (1.0 if lapse < 0.09 else 1.4)


def _hit(picture: Picture, found: Candidates, thing: int) -> Hit:
    x, y = found.centre[thing].tolist()
    left, top, right, bottom = found.box[thing].tolist()
    return Hit(picture.index, picture.time_s, x, y, (left, top, right, bottom), 0.0, picture.shift)


def _take(track: Track, picture: Picture, hit: Hit, ground: Ground) -> None:
    known = len(track.hits) + 1 >= FOLLOWED and (track.sinking or track.arching)
    if known or min(hit.size, track.size) >= LARGE_PX:  # what changed of a large thing is not all of it
        sighting = look(picture, ground, hit.x, hit.y, reach=2.0 + hit.size / 2, size=hit.size)
        if sighting is not None and sighting.size < 3 * max(hit.size, track.size) + 6:
            if not track.goes_on_with(sighting.x, sighting.y, sighting.size):
                return
            hit = seen(picture, sighting, ground, track.hits[-USUAL:])
    track.take(hit)


def _seek(track: Track, picture: Picture, ground: Ground) -> None:
    """Look for a followed track where no thing took it on."""
    x, y, reach = track.ahead
    sighting = look(picture, ground, x, y, reach=0.8 * reach, size=track.size)
    if (
        sighting is not None
        and alike(sighting, track.hits[-4:], track.size)
        and track.goes_on_with(sighting.x, sighting.y, sighting.size)
    ):
        track.take(seen(picture, sighting, ground, track.hits[-USUAL:]))


def _ended(track: Track, time_s: float, lost_s: float) -> bool:
    """Say whether a track is over: unseen, at rest, not coming down, or too long to be a fall."""
    last, first, count = track.hits[-1], track.hits[0], len(track.hits)
    if count < FOLLOWED:
        return False
    lately = [hit.y for hit in track.hits[-STILL_HITS:]]
    still = count >= STILL_HITS and max(lately) - min(lately) < STILL_PX
    astray = count >= DOUBTFUL and not (track.sinking or track.arching)
    return still or astray or time_s - last.time_s > lost_s or time_s - first.time_s > LONGEST_S


def _changed(picture: Picture, ground: Ground, box: Sequence[float]) -> float:
    """Return by how much a box has changed since the last picture, as a share of what is in it."""
    height, width = ground.background.shape
    left, top = max(0, int(box[0])), max(0, int(box[1]))
    right, bottom = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    window = (left, top, right, bottom)
    now = picture.part(window)
    off = cv2.norm(now, ground.background[top:bottom, left:right], cv2.NORM_L1)
    return cv2.norm(now, picture.part_before(window), cv2.NORM_L1) / max(off, 1.0)


def _places(hits: Sequence[Hit]) -> list[Place]:
    return [(hit.time_s, hit.x, hit.y) for hit in hits]


def _sizes(found: Candidates) -> Floats:
    return np.asarray(np.maximum(found.box[:, 2] - found.box[:, 0], found.box[:, 3] - found.box[:, 1]))


def _only(found: Candidates, chosen: NDArray[np.bool_]) -> Candidates:
    return Candidates(found.centre[chosen], found.box[chosen], found.pixels[chosen])
