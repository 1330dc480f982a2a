"""Who is on duty now and who comes next, place by place; and when somebody's own duties begin and end. Pure.

By the roster as it stands. Nothing is looked for further ahead than eight days: a week has every duty once.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from gateway.core import schedule
from gateway.core.events import Place, Words
from gateway.core.places import within
from gateway.core.schedule import Schedule
from gateway.core.texts import Subject, where
from gateway.desk.routing import Duty

AHEAD_S: Final = 8 * 86_400.0
MOST_CHANGES: Final = 500


class Watch(msgspec.Struct, frozen=True):
    """Who is on duty in a place for these kinds (none: all), until when, and who after that."""

    place: Place
    where: Words
    kinds: tuple[str, ...]
    now: tuple[str, ...]
    until: float | None
    next: tuple[str, ...]


class Span(msgspec.Struct, frozen=True):
    """A duty of one's own. `ends` None: for good."""

    place: Place
    where: Words
    begins: float
    ends: float | None


def watches(duties: Iterable[Duty], places: Sequence[Place], now: float) -> list[Watch]:
    """Return who is on duty where these places are, in or around them."""
    groups: dict[tuple[Place, tuple[str, ...]], list[Duty]] = {}
    for duty in duties:
        if any(within(duty.place, place) or within(place, duty.place) for place in places):
            groups.setdefault((duty.place, duty.kinds), []).append(duty)
    found = []
    for (place, kinds), group in groups.items():
        times = [(_schedule(duty), duty.people) for duty in group]
        present = _people(times, now)
        until = next((at for at in _changes(times, now) if _people(times, at) != present), None)
        after = () if until is None else _people(times, until)
        found.append(Watch(place, where(Subject(place=place)), kinds, present, until, after))
    return found


def spans(duties: Iterable[Duty], person: str, now: float) -> list[Span]:
    """Return somebody's duties of the week to come, the one they are in among them, in order."""
    found = []
    for duty in duties:
        if person not in duty.people:
            continue
        times, told = _schedule(duty), where(Subject(place=duty.place))
        if times is None:
            found.append(Span(duty.place, told, now, None))
            continue
        begun = now if times.holds(now) else None
        for at in _changes([(times, duty.people)], now):
            if times.holds(at) == (begun is not None):
                continue
            if begun is not None:
                found.append(Span(duty.place, told, begun, at))
            begun = at if begun is None else None
        if begun is not None:
            found.append(Span(duty.place, told, begun, None))
    return sorted(found, key=lambda span: (span.begins, span.ends or span.begins + AHEAD_S))


def _schedule(duty: Duty) -> Schedule | None:
    """Return when a duty is; None: always."""
    return schedule.parse(duty.times) if duty.times else None


def _people(times: Sequence[tuple[Schedule | None, tuple[str, ...]]], at: float) -> tuple[str, ...]:
    there = (people for each, people in times if each is None or each.holds(at))
    return tuple(dict.fromkeys(person for people in there for person in people))


def _changes(times: Sequence[tuple[Schedule | None, tuple[str, ...]]], now: float) -> Iterable[float]:
    """Yield the moments at which one of these may begin or end."""
    at, known = now, [each for each, _ in times if each is not None]
    for _ in range(MOST_CHANGES if known else 0):
        at = min(each.changes_after(at) for each in known)
        if at > now + AHEAD_S:
            return
        yield at
