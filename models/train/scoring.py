"""What the watcher's answers are worth: the metric protocol, pure, on boxes and spans.

Three views of the same answers. Frames: precision, recall and F of boxes with IoU >= 0.3, counted over all frames
of all clips (boxes in frames without truth are false), and the same by distance of centres, because IoU of a box
3 px wide is brittle. Spans: TRO, the overlap in time of alarm and truth; and TRO as the code of the public
benchmark computes it, whose alarm lasts from the first right box to the last frame of the video. Events: a fall is
hit when an alarm has half its spots on it and begins at most 2 s after it; false alarms are counted per camera-day
after alarms less than 3 s apart became one. Shares come with Wilson's interval, rates with Poisson's upper bound.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.vision.sight import Fall, Spot

Box: TypeAlias = tuple[float, float, float, float]

IOU = 0.3
LATE_S = 2.0
MERGE_S = 3.0
NEAR_PX = 4.0
SHARE_ON_TRUTH = 0.5
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Tally:
    """Right boxes, false boxes and missed boxes."""

    right: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.right + other.right, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Return the share of boxes that are right; 0 when there are none."""
        return self.right / max(self.right + self.false, 1)

    @property
    def recall(self) -> float:
        """Return the share of true boxes that were found; 0 when there are none."""
        return self.right / max(self.right + self.missed, 1)

    @property
    def f(self) -> float:
        """Return the harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many, with Wilson's 95 % interval."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """Return the share; 0 of nothing is 0."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of Wilson (1927); (0, 1) of nothing."""
        if not self.of:
            return 0.0, 1.0
        z, n = 1.959964, self.of
        middle = self.value + z * z / (2 * n)
        reach = z * math.sqrt(self.value * (1 - self.value) / n + z * z / (4 * n * n))
        below, above = (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)
        return max(0.0, below), min(1.0, above)


@dataclass(frozen=True, slots=True)
class Matched:
    """Which alarms of one clip tell of which fall. `hits[i]` are the alarms of truth i; `strays` belong to none."""

    hits: tuple[tuple[int, ...], ...] = field(default=())
    strays: tuple[int, ...] = ()


def box_of(spot: Spot) -> Box:
    """Return the box of a spot."""
    return spot.x, spot.y, spot.w, spot.h


def iou(one: Box, other: Box) -> float:
    """Return intersection over union of two boxes."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    common = across * down
    return common / (one[2] * one[3] + other[2] * other[3] - common)


def near(seen: Spot, true: Spot) -> bool:
    """Return whether a spot lies on a true one: centres within 4 px or half the true box's longer side."""
    (x, y), (u, v) = seen.centre, true.centre
    return math.hypot(x - u, y - v) <= max(NEAR_PX, 0.5 * max(true.w, true.h))


def overlaps(seen: Spot, true: Spot) -> bool:
    """Return whether two boxes overlap as the benchmark wants it."""
    return iou(box_of(seen), box_of(true)) >= IOU


def by_frame(tracks: Iterable[Sequence[Spot]]) -> dict[int, list[Spot]]:
    """Return the spots of several tracks by frame."""
    frames: dict[int, list[Spot]] = {}
    for track in tracks:
        for spot in track:
            frames.setdefault(spot.frame, []).append(spot)
    return frames


def tally(
    alarms: Iterable[Sequence[Spot]], truths: Iterable[Sequence[Spot]], *, by_distance: bool = False
) -> Tally:
    """Count boxes over the frames of one clip; every true box serves one alarm's box only."""
    fits = near if by_distance else overlaps
    seen, true = by_frame(alarms), by_frame(truths)
    total = Tally()
    for frame in seen.keys() | true.keys():
        left = list(true.get(frame, ()))
        right = 0
        for spot in seen.get(frame, ()):
            match = next((each for each in left if fits(spot, each)), None)
            if match is not None:
                left.remove(match)
                right += 1
        total += Tally(right, len(seen.get(frame, ())) - right, len(left))
    return total


def overlap_in_time(alarm: tuple[int, int] | None, truth: tuple[int, int]) -> float:
    """Return TRO: frames common to both spans over frames from the first to the last; 0 without an alarm."""
    if alarm is None or min(alarm[1], truth[1]) < max(alarm[0], truth[0]):
        return 0.0
    return (min(alarm[1], truth[1]) - max(alarm[0], truth[0]) + 1) / (
        max(alarm[1], truth[1]) - min(alarm[0], truth[0]) + 1
    )


def span(track: Sequence[Spot]) -> tuple[int, int]:
    """Return the first and last frame of a track."""
    return track[0].frame, track[-1].frame


def benchmark_span(
    alarms: Iterable[Sequence[Spot]], truth: Sequence[Spot], last_frame: int
) -> tuple[int, int] | None:
    """Return the alarm as the benchmark's code spans it: from the first right box to the end of the video."""
    true = {spot.frame: spot for spot in truth}
    right = [s.frame for track in alarms for s in track if s.frame in true and overlaps(s, true[s.frame])]
    return (min(right), last_frame) if right else None


def on_truth(track: Sequence[Spot], truth: Sequence[Spot]) -> float:
    """Return the share of a track's spots that lie on a truth in the same frame."""
    true = {spot.frame: spot for spot in truth}
    return sum(s.frame in true and near(s, true[s.frame]) for s in track) / max(len(track), 1)


def tells_of(alarm: Fall, truth: Sequence[Spot]) -> bool:
    """Return whether an alarm is about this fall: half its spots on it, begun at most 2 s after it."""
    return (
        bool(truth)
        and alarm.t_start - truth[0].time_s <= LATE_S
        and on_truth(alarm.track, truth) >= SHARE_ON_TRUTH
    )


def match(alarms: Sequence[Fall], truths: Sequence[Sequence[Sequence[Spot]]]) -> Matched:
    """Sort the alarms of one clip to its falls; a fall is given as its own spots and those of its mirror images."""
    hits: list[list[int]] = [[] for _ in truths]
    strays = []
    for number, alarm in enumerate(alarms):
        fits = [i for i, looks in enumerate(truths) if any(tells_of(alarm, look) for look in looks)]
        if fits:
            hits[fits[0]].append(number)
        else:
            strays.append(number)
    return Matched(tuple(tuple(each) for each in hits), tuple(strays))


def merged(times: Iterable[float], *, within_s: float = MERGE_S) -> int:
    """Count false alarms as a person hears them: one less than 3 s after the one before it is the same."""
    count, last = 0, -math.inf
    for time in sorted(times):
        count += time - last >= within_s
        last = time
    return count


def poisson_upper(count: int, *, confidence: float = 0.95) -> float:
    """Return the largest mean that still gives so few events with 5 % probability: 3.0 for none (rule of three)."""
    low, high = 0.0, 3.0 * count + 20.0
    for _ in range(80):
        mean = (low + high) / 2
        total = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count + 1))
        low, high = (mean, high) if total > 1 - confidence else (low, mean)
    return high


def per_day(count: int, seconds: float) -> tuple[float, float]:
    """Return false alarms per camera-day and the upper bound of its 95 % interval."""
    days = seconds / DAY_S
    return (count / days, poisson_upper(count) / days) if days else (0.0, math.inf)


def strata(rows: Iterable[tuple[Mapping[str, str], bool]]) -> dict[str, dict[str, Share]]:
    """Return the recall of every stratum: rows say which strata an event belongs to and whether it was hit."""
    counts: dict[str, dict[str, list[int]]] = {}
    for belongs, hit in rows:
        for kind, name in belongs.items():
            count = counts.setdefault(kind, {}).setdefault(name, [0, 0])
            count[0] += hit
            count[1] += 1
    return {k: {n: Share(*c) for n, c in sorted(names.items())} for k, names in counts.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed; NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
