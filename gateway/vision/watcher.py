"""The watcher: frames of one camera in, falls out. No clock, no file, no thread; time is the stream's.

    Motion (what moves) -> Linker (tracks) -> gates -> tubelets -> network -> Merger -> Fall

A track is judged once, when it has ended: everything that tells a fall from a bird is known by then, and an end
is noticed a sixth of a second after the last sight. The gates before the network only spare it what no fall is.
What was told as nothing is remembered for a while: a fall may go on in it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from gateway.vision import floors, flying
from gateway.vision.caution import Caution
from gateway.vision.dripping import Dripping
from gateway.vision.linking import Linker
from gateway.vision.merging import Merger
from gateway.vision.motion import Motion
from gateway.vision.paths import filled, outlined, spot_of, standing, tubelet_of
from gateway.vision.remnants import Remnants
from gateway.vision.shake import Floats
from gateway.vision.sight import Fall, Frame, NearMiss, Outlook, Spot
from gateway.vision.tracks import ARCH, Hit, Track, bows
from gateway.vision.trimming import trimmed
from gateway.vision.tubelet import Tubelet

FEWEST_HITS = 6
MOST_APART_S = (
    0.16  # from one hit to the next, on average: with fewer pictures a second anything may be a fall
)
LEAST_DROP = 0.045  # of the picture's height
LEAST_DROP_PX = 18.0
LEAST_STRAIGHT = 0.45  # drop as a share of the way
LEAST_THROWN = 0.2  # ... of what was thrown aside: it bows down
LARGEST = 0.3  # of the picture's height: 2 m where it shows two storeys, and what leaves a window is smaller
SHRUNK = 0.43  # of its size at first: who lets an arm sink is followed from sleeve to finger, what falls is one thing
MOSTLY_DOWN = 0.7  # share of steps that go down
MOST_MISFIT_PX, MOST_MISFIT_S = (
    14.0,
    0.035,
)  # a film of 25 pictures a second shown at 30 is off by a third of a frame, and a picture may come one late
BENT, METRES = 1.2, (0.8, 800.0)  # bend from which the scale is known to some degree
NO_SCALE_M = 1e5  # no fall along the wall explains the path: what is thrown towards the camera tells no scale
AT_THE_EDGE = 0.02  # of the picture's height: what is thrown far may be first seen so far off the facade
ROSE = 0.1  # of its drop: what came up before was thrown up, or towards the camera: of that too
THROWN_UP = 0.6  # of its drop: what came up from nearly as far down, or further, was thrown from there
FAST = 0.3  # picture heights a second: of what comes down more slowly a quiet street says nothing
PIECE = 0.15  # from this score on a track may be a piece of a fall that another one tells of
DRIPPING = 0.3  # from this score on a track counts among those that went the same way
TELLING, TELLING_DROP = 0.05, 0.03  # a near miss below this score, or share of the height, is no line

REASONS = (
    "short",
    "shallow",
    "large",
    "shrank",
    "aside",
    "outside",
    "unphysical",
    "dripping",
    "thrown",
    "flying",
    "unlike",
)
"""Why a track was not taken for a fall; what each means is said in the words of the terminal, under `rejected`."""


class Judge(Protocol):
    """Says how likely tracks are falling objects: (n, classes) probabilities; a Classifier does."""

    def classify(self, tubelets: Sequence[Tubelet]) -> Floats:
        """Return the probabilities of `tubelet.CLASSES` for each tubelet."""
        ...


@dataclass(slots=True)
class WatcherStatistics:
    """What a watcher has done so far."""

    frames: int = 0
    candidates: int = 0
    tracks: int = 0
    classified: int = 0
    falls: int = 0
    blind: int = 0


class Watcher:
    """Watches one camera's frames. `explain` hears of near misses, `collect` of every tubelet before judgement.

    `height` in px is the whole picture's where the frames are only a part of it: lengths are told in shares of it.
    `patience_s` is for how long a verdict waits for more of the same fall, where nobody waits for the alarm; with
    `at_once` it does not wait, but a fall is told again, with its number, when it has.
    """

    def __init__(
        self,
        judge: Judge | None,
        *,
        threshold: float = 0.5,
        outlook: Outlook = Outlook(),  # noqa: B008  (frozen)
        explain: Callable[[NearMiss], None] | None = None,
        collect: Callable[[Tubelet], None] | None = None,
        height: int = 0,
        patience_s: float = 0.0,
        at_once: bool = False,
    ) -> None:
        self.statistics = WatcherStatistics()
        self._judge, self._threshold, self._outlook = judge, threshold, outlook
        self._explain, self._collect = explain, collect
        self._motion, self._linker = Motion(outlook), Linker(height)
        self._merger = Merger(patience_s, at_once=at_once)
        self._dripping, self._caution, self._remnants = Dripping(), Caution(), Remnants()
        self._height, self._now = height, 0.0

    def feed(self, frame: Frame) -> list[Fall]:
        """Take the next frame; return the falls whose verdict stands with it."""
        motion, self._now = self._motion, frame.time_s
        found = motion.feed(frame)
        ended = self._linker.feed(motion.picture, found, motion.ground, motion.earlier)
        self.statistics.frames += 1
        self.statistics.candidates += len(found)
        self.statistics.blind = motion.blind
        self._caution.pictured(len(found), frame.time_s)
        self._judge_tracks(ended)
        followed = self._linker.followed() if self._merger.waits else ()
        return self._told(self._merger.due(frame.time_s, [tuple(map(spot_of, hits)) for hits in followed]))

    def finish(self) -> list[Fall]:
        """End the stream: judge what is still in flight."""
        if self.statistics.frames:
            self._judge_tracks(self._linker.finish())
        return self._told(self._merger.finish())

    def _tall(self) -> int:
        return self._height or int(self._motion.background.shape[0])

    def _told(self, falls: list[Fall]) -> list[Fall]:
        self.statistics.falls = max([self.statistics.falls, *(fall.number for fall in falls)])
        return [self._whole(fall) for fall in falls]

    def _whole(self, fall: Fall) -> Fall:
        """Return a fall with the pieces of its way that nobody believed; the floor is told by its beginning."""
        before, beyond = self._remnants.around(fall.track, fall.decided_s)
        track = fall.track
        if before or beyond:
            track = filled([*outlined(before), *track, *outlined(beyond)])
        track = standing(track, self._linker.repeats)
        origin = floors.origin(track, self._outlook) if before else fall.origin
        return replace(fall, t_start=track[0].time_s, t_end=track[-1].time_s, track=track, origin=origin)

    def _judge_tracks(self, tracks: Sequence[Track]) -> None:
        height = self._tall()
        self.statistics.tracks += len(tracks)
        seen = [trimmed([hit for hit in track.hits if hit.crop is not None]) for track in tracks]
        hopeless = [_hopeless(hits, height) for hits in seen]
        for track, hits, reason in zip(tracks, seen, hopeless, strict=True):
            if reason and hits:
                self._remnants.take(tuple(map(spot_of, (*track.rise, *hits))))
                if hits[-1].y - hits[0].y >= TELLING_DROP * height:
                    self._miss(reason, 0.0, tuple(map(spot_of, hits)))
        tubelets = [
            tubelet_of(hits, height, rise=track.rise)
            for track, hits, reason in zip(tracks, seen, hopeless, strict=True)
            if not reason
        ]
        if not tubelets:
            return
        if self._collect is not None:
            for tubelet in tubelets:
                self._collect(tubelet)
        if self._judge is None:
            return
        self.statistics.classified += len(tubelets)
        for tubelet, likely in zip(tubelets, self._judge.classify(tubelets), strict=True):
            self._decide(tubelet, float(likely[0]))

    def _decide(self, tubelet: Tubelet, looks: float) -> None:
        track = tubelet.track
        score = flying.tempered(looks, track)
        drips = score >= DRIPPING and self._dripping.again(track, self._tall(), self._now)
        reason = self._doubt(score, looks, tubelet)
        self._caution.judged(self._now)
        reason = "dripping" if drips and not reason else reason
        if reason:
            self._reject(reason, score, tubelet)
        if not reason or (reason in {"unlike", "flying"} and score >= PIECE):
            way = tubelet.way
            origin = floors.origin(way, self._outlook)
            fall = Fall(way[0].time_s, way[-1].time_s, score, filled(outlined(way)), self._now, origin)
            self._merger.add(fall, sure=not reason)
        if reason:
            self._remnants.take(tubelet.way)

    def _doubt(self, score: float, looks: float, tubelet: Tubelet) -> str:
        """Return why a track is not to be told as a fall; "" if nothing speaks against it."""
        fast = tubelet.facts["pace_px"] >= FAST * self._tall()
        plain = fast and flying.sign(tubelet.track) < flying.PLAIN
        needed = self._caution.needed(self._threshold, self._now, plain=plain)
        if score < needed:
            return "flying" if looks >= needed else "unlike"
        if not _physical(tubelet.facts):
            return "unphysical"
        if tubelet.facts["rose"] > THROWN_UP:
            return "thrown"
        margin = AT_THE_EDGE * self._tall()
        return "" if floors.inside(tubelet.way[0].centre, self._outlook.watch, margin) else "outside"

    def _reject(self, reason: str, score: float, tubelet: Tubelet) -> None:
        if reason != "thrown":  # that is known for what it is, and says nothing of what else falls
            self._caution.rejected(score, self._now)
        if score >= TELLING:
            self._miss(reason, score, tubelet.track)

    def _miss(self, reason: str, score: float, track: tuple[Spot, ...]) -> None:
        if self._explain is not None:
            self._explain(NearMiss(track[0].time_s, track[-1].time_s, reason, score, track))


def _physical(facts: Mapping[str, float]) -> bool:
    """Say whether a path can be a fall: near some fall with drag, and what speeds up does so as gravity has it.

    A path that bends tells the scale of the picture, so how many metres high it is: no camera sees less than
    `METRES` or more of them. Where no fall along the wall explains it, or the thing rose first, the scale is not known.
    """
    low, high = METRES
    metres = facts["metres"]
    most_px = max(MOST_MISFIT_PX, MOST_MISFIT_S * facts["pace_px"])
    return facts["misfit_px"] <= most_px and (
        facts["bend"] < BENT or facts["rose"] >= ROSE or low <= metres <= high or metres > NO_SCALE_M
    )


def _hopeless(hits: Sequence[Hit], height: int) -> str:
    """Return why the network need not be asked about a track; "" when it must be."""
    if len(hits) < FEWEST_HITS or hits[-1].time_s - hits[0].time_s > MOST_APART_S * (len(hits) - 1):
        return "short"
    drop = hits[-1].y - hits[0].y
    if drop < max(LEAST_DROP_PX, LEAST_DROP * height):
        return "shallow"
    if sorted(hit.size for hit in hits)[len(hits) * 3 // 4] > LARGEST * height:
        return "large"
    if _grown(hits) < SHRUNK:
        return "shrank"
    steps = [(b.x - a.x, b.y - a.y) for a, b in pairwise(hits)]
    way = sum((x * x + y * y) ** 0.5 for x, y in steps)
    down = sum(y > -0.7 for _, y in steps) / len(steps)
    straight = LEAST_THROWN if bows(hits[-ARCH:]) else LEAST_STRAIGHT
    return "" if drop >= straight * way and down >= MOSTLY_DOWN else "aside"


def _grown(hits: Sequence[Hit]) -> float:
    """Return how many times as wide and tall a thing is in the last third of its hits as in the first."""
    areas = [(hit.box[2] - hit.box[0]) * (hit.box[3] - hit.box[1]) for hit in hits]
    few = max(2, len(hits) // 3)
    first, last = (sorted(part)[few // 2] for part in (areas[:few], areas[-few:]))
    return math.sqrt(last / max(first, 1e-6))
