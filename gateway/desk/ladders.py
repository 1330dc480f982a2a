"""What a timer that is due has to do: whom to page, and when it is due again. Pure.

A ladder is climbed per incident as long as something in it waits for somebody to acknowledge it. After its last
rung the last is repeated, so a critical alert that nobody answers is never given up. Quiet hours put a page off to
their end; a silence puts the whole ladder off. Neither holds for what is vital, nor quiet hours for critical alerts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from gateway.core.events import Place
from gateway.core.schedule import Schedule
from gateway.desk.routing import Audience
from gateway.desk.silences import is_vital
from gateway.desk.store.timers import Timer

CRITICAL: Final = 3
DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Rung:
    """After so many seconds from the ladder's beginning, tell these."""

    after_s: float
    to: Audience


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs of one severity, in order of time. `repeat_s` 0: the last rung is not repeated.

    `while_active`: what the sensor itself has cleared is told no further.
    """

    rungs: tuple[Rung, ...]
    repeat_s: float = 0.0
    while_active: bool = False


NO_LADDER: Final = Ladder(())


@dataclass(frozen=True, slots=True)
class Standing:
    """How an incident stands. `waiting`: alerts nobody has acknowledged; the words are those of the worst of them.

    `open`: alerts that nobody has closed.
    """

    waiting: int
    active: int
    total: int
    open: int
    rank: int
    kind: str
    place: Place
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Page:
    """Tell these; `label` names the step within the incident, `not_before` is when quiet hours end."""

    to: Audience
    label: str
    not_before: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, and how the timer goes on. `due_at` None: the ladder is at its end.

    `again`: what has become worse is still to be told, for a silence kept it back.
    """

    pages: tuple[Page, ...]
    step: int
    due_at: float | None
    again: bool = False


def decide(
    timer: Timer,
    standing: Standing,
    ladder: Ladder,
    now: float,
    *,
    silent_until: float | None = None,
    quiet: Schedule | None = None,
) -> Decision:
    """Return what a timer that is due or has news comes to."""
    if not ladder.rungs or not _goes_on(timer, standing, ladder):
        return Decision((), timer.step, None)
    if silent_until is not None:
        return Decision((), timer.step, silent_until, timer.again)
    not_before = quiet_ends(standing, now, quiet)
    if timer.news:
        reached = ladder.rungs[: max(timer.step, 1)]
        told = dict.fromkeys(rung.to for rung in reached)
        pages = tuple(Page(to, f"{timer.round}.+{standing.total}", not_before) for to in told)
        return Decision(pages, timer.step, timer.due_at)
    rung = ladder.rungs[min(timer.step, len(ladder.rungs) - 1)]
    page = Page(rung.to, f"{timer.round}.{timer.step}", not_before)
    return Decision((page,), timer.step + 1, _next(ladder, timer.step, now))


def quiet_ends(standing: Standing, now: float, quiet: Schedule | None) -> float:
    """Return the earliest time to tell somebody: now, or the end of the quiet hours."""
    if quiet is None or standing.rank >= CRITICAL or is_vital(standing.kind):
        return now
    at = now
    while quiet.holds(at) and at < now + 7 * DAY_S:
        at = quiet.changes_after(at)
    return at


def in_order(rungs: Sequence[Rung]) -> bool:
    """Return whether rungs are in order of time."""
    return all(first.after_s <= second.after_s for first, second in pairwise(rungs))


def _goes_on(timer: Timer, standing: Standing, ladder: Ladder) -> bool:
    if timer.again:
        return standing.open > 0
    return standing.waiting > 0 and not (ladder.while_active and standing.active == 0)


def _next(ladder: Ladder, step: int, now: float) -> float | None:
    """Return when the rung after `step` is due: rungs keep their distance however late this one came."""
    rungs = ladder.rungs
    if step + 1 < len(rungs):
        return now + rungs[step + 1].after_s - rungs[step].after_s
    return now + ladder.repeat_s if ladder.repeat_s else None
