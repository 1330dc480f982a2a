"""Is the camera still seeing what it should: frozen, covered, moved, out of focus? One sample a second, told the time.

Each trouble has a sign that must hold without a break for a while before it is said, and a weaker one that must be
gone for a while before the picture is fine again. What changes slowly (night, sun, weather) is learnt and never a
trouble; while a sign is there, nothing is learnt. Signs and times, and why they are so:

- frozen: pixels bit for bit the same for 30 s. A sensor's noise gets through every codec at each key frame; only
  groups of pictures longer than that, coded so low that nothing of the noise is left, could look the same. Or all but
  2 % the same for 60 s: many cameras still draw their clock over a picture that stands.
- covered: the structure is gone and what is left does not fit the view. Light switched off takes the structure too,
  but what is left lies where it was.
- moved: there is structure, but elsewhere. When the lamps switch to infrared the edges stay in place.
- defocused: what is fine is gone, what is coarse is in place.

A camera that was covered when its process ended is covered until there is something to be seen: the next process knows
no view that could be missed, and must not learn the cover. One that was moved or out of focus stays so until it shows
the view again that it had before: that is handed from process to process (`view`).
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from gateway.vision.messages import Look, View
from gateway.vision.scenery import Likeness, Scenery
from gateway.vision.sight import Luma

EVERY_S = 1.0
FIRST_SAMPLES = 20  # with fewer, the view is not known well enough to be missed
FINE_AFTER_S = 5.0
LONGEST_GAP_S = 10.0  # after a longer break in the stream a sign has to hold anew
DARK = 32  # mean grey level


@dataclass(frozen=True, slots=True)
class PictureState:
    """What the picture is from now on; `since_s` is when it began, in the stream's time."""

    what: Look
    since_s: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A trouble with its sign, how long that must hold, and the weaker sign it lasts by."""

    what: Look
    hold_s: float
    begins: Callable[[Likeness], bool]
    lasts: Callable[[Likeness], bool]


TROUBLES: tuple[Trouble, ...] = (  # in order of precedence
    Trouble("frozen", 30.0, lambda p: p.same == 1.0 and not p.plain, lambda p: p.same == 1.0),
    Trouble("frozen", 60.0, lambda p: p.same >= 0.98 and not p.plain, lambda p: p.same >= 0.98),
    Trouble(
        "covered",
        5.0,
        lambda p: p.structure < 0.25 and p.place < 0.5,
        lambda p: p.structure < 0.4 and p.place < 0.65,
    ),
    Trouble(
        "moved",
        10.0,
        lambda p: p.structure >= 0.25 and p.place < 0.5 and p.shift_px not in {None, (0, 0)},
        lambda p: p.place < 0.65 and p.shift_px != (0, 0),
    ),
    Trouble(
        "moved",
        30.0,
        lambda p: p.structure >= 0.25 and p.place < 0.35 and p.shift_px != (0, 0),
        lambda p: p.place < 0.65 and p.shift_px != (0, 0),
    ),
    Trouble(
        "defocused",
        60.0,
        lambda p: p.sharpness < 0.3 and p.place >= 0.5,
        lambda p: p.sharpness < 0.5,
    ),
)

HELD_AGAINST_A_VIEW: frozenset[Look] = frozenset(("moved", "defocused"))
COVERED_BEFORE = Trouble("covered", 0.0, lambda _: False, lambda p: p.plain)


class PictureHealth:
    """Judges a camera's pictures. Tell it every picture; it looks at one a second.

    `look` is how they were when they were last seen, `view` what they showed when they were fine; what is moved or
    out of focus without a view to be missed is not known any more.
    """

    def __init__(self, *, look: Look = "fine", view: View | None = None) -> None:
        self._scenery = Scenery()
        self._signs: dict[Trouble, float] = {}
        self._current = self._before(look, view)
        self.state = PictureState(self._current.what if self._current else "fine", 0.0)
        self._gone_since: float | None = None
        self._last_s: float | None = None

    def _before(self, look: Look, view: View | None) -> Trouble | None:
        if look == "covered":
            return COVERED_BEFORE
        if look not in HELD_AGAINST_A_VIEW or view is None:
            return None
        with contextlib.suppress(ValueError):
            self._scenery.take(view, FIRST_SAMPLES)
            return next(trouble for trouble in TROUBLES if trouble.what == look)
        return None

    def view(self) -> View | None:
        """Return the view that is missed, where the picture is held against one: the next process must know it."""
        return self._scenery.view() if self.state.what in HELD_AGAINST_A_VIEW else None

    def look(self, luma: Luma, time_s: float) -> PictureState | None:
        """Judge a picture at the stream's time; return the new state where it changed."""
        last_s = self._last_s
        if last_s is not None and time_s - last_s < EVERY_S:
            return None
        self._last_s = time_s
        step_s = EVERY_S if last_s is None else time_s - last_s
        if step_s > LONGEST_GAP_S:
            self._signs.clear()
        likeness, sample = self._scenery.compare(luma)
        if self._scenery.samples < FIRST_SAMPLES:
            likeness = Likeness(same=likeness.same, brightness=likeness.brightness, plain=likeness.plain)
        signs = [trouble for trouble in TROUBLES if trouble.begins(likeness)]
        self._signs = {trouble: self._signs.get(trouble, time_s) for trouble in signs}
        if not signs and self._current is None:
            self._scenery.learn(sample, min(step_s, LONGEST_GAP_S))
        return self._decide(likeness, time_s)

    def _decide(self, likeness: Likeness, time_s: float) -> PictureState | None:
        proven = next((t for t, since_s in self._signs.items() if time_s - since_s >= t.hold_s), None)
        current = self._current
        if current is None:
            return self._enter(proven, likeness, self._signs[proven]) if proven else None
        if current.lasts(likeness):
            self._gone_since = None
            return None
        if self._gone_since is None:
            self._gone_since = time_s
        if proven is not None and proven.what != current.what:
            return self._enter(proven, likeness, self._signs[proven])
        if time_s - self._gone_since < FINE_AFTER_S:
            return None
        return self._enter(None, likeness, self._gone_since)

    def _enter(self, trouble: Trouble | None, likeness: Likeness, since_s: float) -> PictureState:
        self._current, self._gone_since = trouble, None
        what: Look = trouble.what if trouble else "fine"
        self.state = PictureState(what, since_s, _detail(what, likeness))
        return self.state


def _detail(what: Look, likeness: Likeness) -> str:
    match what:
        case "frozen":
            return f"{likeness.same:.1%} of the picture stands still"
        case "covered":
            light = "dark" if likeness.brightness < DARK else "featureless"
            return f"{light}, {likeness.structure:.0%} of the usual structure"
        case "moved":
            return "by {} and {} px".format(*likeness.shift_px) if likeness.shift_px else "another view"
        case "defocused":
            return f"{likeness.sharpness:.0%} of the usual sharpness"
    return ""
