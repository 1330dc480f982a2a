"""The maintenance calendar: what the standards ask for of each kind of device, as data; the batch of a month. Pure."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Final, Literal

import msgspec

MONTHS: Final = 12
AHEAD: Final = timedelta(days=31)


class Task(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing a standard asks for; the head of maintenance.toml says what each field means."""

    name: str
    does: Literal["life", "test", "check", "care"]
    kinds: tuple[str, ...]
    zh: str
    en: str
    source: str
    checked: bool
    years: float | None = None
    days: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    task: tuple[Task, ...]


@cache
def built_in() -> tuple[Task, ...]:
    """Return the calendar of this release. The file is part of the code: it is read as an import is."""
    text = resources.files("gateway.core").joinpath("maintenance.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File).task


def years_of(kind: str) -> float | None:
    """Return how long a kind serves; None: no standard says."""
    return next((task.years for task in built_in() if kind in task.kinds and task.does == "life"), None)


def test_days_of(kind: str) -> int | None:
    """Return how often a kind is tested at least; None: no standard says."""
    return next((task.days for task in built_in() if kind in task.kinds and task.does == "test"), None)


def tasks_of(kind: str) -> Sequence[Task]:
    """Return all that is asked for of a kind."""
    return [task for task in built_in() if kind in task.kinds]


@dataclass(frozen=True, slots=True)
class Entry:
    """A task of the calendar: when it was done last, by when it is to be done next, and how that stands."""

    task: Task
    last: date | None
    next: date | None
    state: Literal["never", "overdue", "due", "good"]


def rounds() -> list[Task]:
    """Return what a person does for all devices of its kinds together, and tells: checks, cleaning, calibration."""
    return [task for task in built_in() if task.does in ("check", "care")]


def calendar(kinds: Iterable[str], done: Mapping[str, date], today: date) -> list[Entry]:
    """Return the rounds for these kinds, the most pressing first. `done` is the last day of each, by its name.

    Due is what falls within the last third of its time, a month at most; what nobody ever told of is never done.
    """
    there = set(kinds)
    entries = [_entry(task, done.get(task.name), today) for task in rounds() if there & set(task.kinds)]
    return sorted(entries, key=lambda entry: (entry.next or date.min, entry.task.name))


def _entry(task: Task, last: date | None, today: date) -> Entry:
    if last is None or task.days is None:
        return Entry(task, last, None, "never")
    following = last + timedelta(days=task.days)
    if following < today:
        return Entry(task, last, following, "overdue")
    is_due = following - min(AHEAD, timedelta(days=task.days) / 3) <= today
    return Entry(task, last, following, "due" if is_due else "good")


def batch(tested: Mapping[str, date | None], every_days: Mapping[str, int], today: date) -> list[str]:
    """Return which devices to test this month, the longest waiting first.

    Those whose time is up within a month, and so many more that each month has a twelfth of all: so every one has its
    turn in a year, and no month has them all. `tested` is the last day of each, None for never.
    """
    waiting = sorted(tested, key=lambda name: (tested[name] or date.min, name))
    due = [name for name in waiting if _next(tested[name], every_days[name]) <= today + AHEAD]
    this_month = [name for name in waiting if _is_this_month(tested[name], today)]
    share = -(-len(waiting) // MONTHS) - len(this_month)
    rest = [name for name in waiting if name not in due and name not in this_month]
    return [*due, *rest[: max(0, share - len(due))]]


def overdue(tested: Mapping[str, date | None], every_days: Mapping[str, int], today: date) -> list[str]:
    """Return which were never tested, or not for too long."""
    return [name for name in tested if _next(tested[name], every_days[name]) <= today]


def sources(kinds: Iterable[str]) -> list[str]:
    """Return the clauses that speak of these kinds, those that nobody has read here with a *."""
    there = set(kinds)
    return [f"{task.source}{'' if task.checked else ' *'}" for task in built_in() if there & set(task.kinds)]


def _next(tested: date | None, every_days: int) -> date:
    return date.min if tested is None else tested + timedelta(days=every_days)


def _is_this_month(tested: date | None, today: date) -> bool:
    return tested is not None and (tested.year, tested.month) == (today.year, today.month)
