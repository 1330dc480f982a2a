"""The classical way to watch for falls, as most public projects go it: the figure that ours is compared with.

Background subtraction (MOG2), a little morphology, contours, a Kalman filter per track with the nearest box each
frame (SORT with distances in place of overlap, because small boxes do not overlap themselves from frame to frame),
and a rule: seen often enough, going down nearly all the way, far enough, fast enough, faster at the end than at the
start. Written in good faith: the parameters are those of nine sets that found the most on clips of the validation
split (half resolution found more than full), the facade polygon that our watcher is told is told it too, frames that
light up as a whole are left out, and a fall reported twice within
a second at about the same place is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Fall, Frame, Outlook, Spot


@dataclass(frozen=True, slots=True)
class Rule:
    """The parameters; lengths in px of the reduced picture unless named otherwise, times in s."""

    reduce: int = 2
    history: int = 300
    var_threshold: float = 30.0
    least_area: float = 3.0
    most_boxes: int = 80
    crowded_share: float = 0.05
    lost_s: float = 0.16
    gate_px: float = 14.0
    gate_speed: float = 0.7
    hits: int = 6
    drop_share: float = 0.07
    down_share: float = 0.75
    faster: float = 1.1
    slant: float = 0.7
    warm_up_s: float = 1.0


@dataclass(slots=True)
class Follow:
    """One track: a Kalman filter with constant velocity and its spots so far."""

    state: NDArray[np.float64]
    spread: NDArray[np.float64]
    spots: list[Spot] = field(default_factory=list)
    told: bool = False

    def predict(self, lapse: float) -> None:
        """Move on by `lapse` seconds; what is not known of the acceleration makes it less certain."""
        step = np.eye(4)
        step[0, 2] = step[1, 3] = lapse
        self.state = step @ self.state
        noise = 900.0**2  # px/s^2: free fall seen from 20 m with a 1000 px lens is about half of that
        axis = np.array([[lapse**4 / 4, lapse**3 / 2], [lapse**3 / 2, lapse**2]]) * noise
        added = np.kron(axis, np.eye(2))
        self.spread = step @ self.spread @ step.T + added

    def update(self, x: float, y: float) -> None:
        """Take a measured centre, exact to about a pixel."""
        seen = self.spread[:2, :2] + np.eye(2) * 1.5
        gain = self.spread[:, :2] @ np.linalg.inv(seen)
        self.state = self.state + gain @ (np.array([x, y]) - self.state[:2])
        self.spread = self.spread - gain @ self.spread[:2]


class Classical:
    """Watches one camera; fed and finished as our watcher is."""

    def __init__(self, outlook: Outlook | None = None, rule: Rule | None = None) -> None:
        self.rule = rule or Rule()
        self._outlook = outlook or Outlook()
        self._model = cv2.createBackgroundSubtractorMOG2(
            history=self.rule.history, varThreshold=self.rule.var_threshold, detectShadows=False
        )
        self._tracks: list[Follow] = []
        self._told: list[Fall] = []
        self._mask: NDArray[np.uint8] | None = None
        self._last_s = self._first_s = float("nan")

    def feed(self, frame: Frame) -> list[Fall]:
        """Take the next frame; return the falls it brings to an end."""
        boxes = self._boxes(frame.luma)
        if np.isnan(self._first_s):
            self._first_s = self._last_s = frame.time_s
        if frame.time_s - self._first_s < self.rule.warm_up_s:
            boxes = []
        self._follow(boxes, frame)
        lost = [t for t in self._tracks if frame.time_s - t.spots[-1].time_s > self.rule.lost_s]
        self._tracks = [t for t in self._tracks if frame.time_s - t.spots[-1].time_s <= self.rule.lost_s]
        return self._verdicts(lost, frame.luma.shape[0], frame.time_s)

    def finish(self) -> list[Fall]:
        """Return the falls that were still being followed when the stream ended."""
        lost, self._tracks = self._tracks, []
        height = self._mask.shape[0] * self.rule.reduce if self._mask is not None else 1
        return self._verdicts(lost, height, self._last_s)

    def _boxes(self, luma: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
        """Return the boxes of what differs from the background, in px of the reduced picture."""
        rule = self.rule
        small = luma
        if rule.reduce > 1:
            size = luma.shape[1] // rule.reduce, luma.shape[0] // rule.reduce
            small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)
        if self._mask is None:
            self._mask = self._watched(small.shape[0], small.shape[1])
        moving = self._model.apply(small)
        moving = cv2.bitwise_and(moving, self._mask)
        if cv2.countNonZero(moving) > rule.crowded_share * moving.size:
            return []
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        contours, _ = cv2.findContours(moving, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        boxes = [cv2.boundingRect(contour) for contour in contours]
        large = [box for box in boxes if box[2] * box[3] >= rule.least_area]
        large.sort(key=lambda box: -box[2] * box[3])
        return [(int(x), int(y), int(w), int(h)) for x, y, w, h in large[: rule.most_boxes]]

    def _watched(self, height: int, width: int) -> NDArray[np.uint8]:
        mask = np.full((height, width), 255, np.uint8)
        for polygon in self._outlook.ignore:
            cv2.fillPoly(mask, [self._corners(polygon)], 0)
        return mask

    def _corners(self, polygon: Sequence[tuple[float, float]]) -> NDArray[np.int32]:
        return np.rint(np.array(polygon) / self.rule.reduce).astype(np.int32)

    def _follow(self, boxes: list[tuple[int, int, int, int]], frame: Frame) -> None:
        """Give each track its nearest box, nearest pairs first; begin tracks at the boxes that are left."""
        lapse = max(frame.time_s - self._last_s, 0.0)
        self._last_s = frame.time_s
        for track in self._tracks:
            track.predict(lapse)
        free = set(range(len(boxes)))
        centres = np.array([(x + w / 2, y + h / 2) for x, y, w, h in boxes]).reshape(-1, 2)
        for away, which, number in sorted(self._pairs(centres, lapse)):
            if number in free and self._tracks[which].spots[-1].frame != frame.index and np.isfinite(away):
                free.discard(number)
                self._tracks[which].update(*centres[number])
                self._tracks[which].spots.append(self._spot(boxes[number], frame))
        for number in free:
            state = np.array([*centres[number], 0.0, 0.0])
            spread = np.diag([2.0, 2.0, 300.0**2, 300.0**2])
            self._tracks.append(Follow(state, spread, [self._spot(boxes[number], frame)]))

    def _pairs(self, centres: NDArray[np.float64], lapse: float) -> list[tuple[float, int, int]]:
        """Return (distance, track, box) of all pairs that are near enough; a fast track may miss by more."""
        if not len(centres) or not self._tracks:
            return []
        states = np.array([track.state for track in self._tracks])
        away = np.hypot(*(states[:, None, :2] - centres[None]).transpose(2, 0, 1))
        speed = np.hypot(states[:, 2], states[:, 3])
        gate = self.rule.gate_px + self.rule.gate_speed * speed * lapse
        pairs = np.argwhere(away < gate[:, None])
        return [(float(away[i, j]), int(i), int(j)) for i, j in pairs]

    def _spot(self, box: tuple[int, int, int, int], frame: Frame) -> Spot:
        x, y, w, h = (float(value * self.rule.reduce) for value in box)
        return Spot(frame.index, frame.time_s, x, y, w, h)

    def _verdicts(self, tracks: list[Follow], height: int, now_s: float) -> list[Fall]:
        """Return the falls among ended tracks, each told once."""
        falls = []
        for track in tracks:
            if not self._fell(track.spots, height):
                continue
            fall = Fall(track.spots[0].time_s, track.spots[-1].time_s, 1.0, tuple(track.spots), now_s)
            if not any(abs(fall.t_start - old.t_start) < 1.0 and _beside(fall, old) for old in self._told):
                falls.append(fall)
            self._told = [*self._told[-20:], fall]
        return falls

    def _fell(self, spots: list[Spot], height: int) -> bool:
        """Return whether a track looks like a fall: the rule of thumb."""
        rule = self.rule
        if len(spots) < rule.hits:
            return False
        watch = self._outlook.watch
        centres = np.array([spot.centre for spot in spots])
        if (
            watch
            and cv2.pointPolygonTest(np.array(watch, np.float32), tuple(map(float, centres[0])), False) < 0
        ):
            return False
        steps = np.diff(centres, axis=0)
        drop, aside = centres[-1, 1] - centres[0, 1], abs(centres[-1, 0] - centres[0, 0])
        if drop < rule.drop_share * height or aside > rule.slant * drop:
            return False
        times = np.array([spot.time_s for spot in spots])
        speeds = steps[:, 1] / np.maximum(np.diff(times), 1e-3)
        third = max(2, len(speeds) // 3)
        faster = np.median(speeds[-third:]) > rule.faster * np.median(speeds[:third])
        return bool((steps[:, 1] > 0).mean() >= rule.down_share and faster)


def _beside(one: Fall, other: Fall) -> bool:
    return abs(one.track[0].centre[0] - other.track[0].centre[0]) < 60.0
