"""Why a fall was not told: which part of the watcher lost it, by what that part itself says of it. Pure but for motion.

The watcher is followed backwards. An alarm lies partly on the fall: it was told too late, or with too much beside it.
A track on it was judged: the network or a check of what it looks like held it for something else. A track on it was
not judged: too short, too shallow, aside, large. No track is on it: where motion was seen on it in a few pictures,
they were not linked; else it moved too little to be seen.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from gateway.vision.motion import Motion
from gateway.vision.sight import Fall, Frame, NearMiss, Outlook, Spot
from gateway.vision.tubelet import Tubelet
from models.train.render.settings import Truth
from models.train.scoring import SHARE_ON_TRUTH, near, on_truth

Part: TypeAlias = Literal["told", "network", "checks", "gate", "mixed", "linking", "motion"]
PARTS: dict[Part, str] = {
    "motion": "it moved too little to be seen",
    "linking": "it was seen, and no track lies on it",
    "mixed": "its tracks hold more of something else",
    "gate": "its tracks are too short, too shallow, shrink, go aside or are too large",
    "network": "the network holds it for something else",
    "checks": "a check after the network does: physics, a bird's sign, drips",
    "told": "told, but too late or with too much beside it",
}
GATE = frozenset({"short", "shallow", "large", "shrank", "aside"})
FEWEST_SEEN = 5
"""Pictures with motion on the fall, out of which a track could have been made."""
PARTLY = 0.15


@dataclass(slots=True)
class Notes:
    """What a watcher says beside its alarms: give it `misses.append` and `tubelets.append`."""

    misses: list[NearMiss] = field(default_factory=list)
    tubelets: list[Tubelet] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Loss:
    """Which part lost a fall, its own word for it, the best score of a track on it, and the longest such track."""

    part: Part
    word: str = ""
    score: float = 0.0
    longest: int = 0
    seen: int = 0


def loss_of(truth: Truth, alarms: Sequence[Fall], notes: Notes, frames: Iterable[Frame]) -> Loss:
    """Return what lost the fall; `frames` are gone through again where no track lies on it."""
    if any(on_truth(alarm.track, truth.spots) > PARTLY for alarm in alarms):
        return Loss("told")
    tracks = [(m.reason, m.score, m.track) for m in notes.misses]
    tracks += [("unlike", 0.0, each.track) for each in notes.tubelets]
    mine = [each for each in tracks if on_truth(each[2], truth.spots) >= SHARE_ON_TRUTH]
    longest = max((len(track) for _, _, track in mine), default=0)
    judged = [each for each in mine if each[0] not in GATE]
    if judged:
        word, score, _ = max(judged, key=lambda each: each[1])
        return Loss("network" if word == "unlike" else "checks", word, score, longest)
    if mine:
        return Loss("gate", max(mine, key=lambda each: len(each[2]))[0], 0.0, longest)
    if any(on_truth(track, truth.spots) > PARTLY for _, _, track in tracks):
        return Loss("mixed")
    seen = seen_moving(truth.spots, frames)
    return Loss("linking" if seen >= FEWEST_SEEN else "motion", seen=seen)


def seen_moving(spots: Sequence[Spot], frames: Iterable[Frame]) -> int:
    """Return in how many of its pictures motion is found on a fall."""
    motion, true, seen = Motion(Outlook()), {spot.frame: spot for spot in spots}, set()
    for frame in frames:
        found = motion.feed(frame)
        spot = true.get(motion.picture.index) if len(found) else None
        if spot is not None:
            boxes = (Spot(0, 0.0, x, y, r - x, b - y) for x, y, r, b in found.box.tolist())
            if any(near(box, spot) for box in boxes):
                seen.add(spot.frame)
    return len(seen)
