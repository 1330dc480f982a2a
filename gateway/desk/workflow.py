"""What people do about an alert, as one table: (state, step) to a new state, to "already so", or to "not now". Pure.

    raised -> acknowledged -> assigned -> on site -> resolved | false alarm,  reopened from anywhere

What the sensor says stands elsewhere: an alert that clears by itself still wants somebody to acknowledge it, and no
event of the sensor changes what is written here, but that one which comes again is open again (store/returning.py).
A second person who does what is done is told who did it and when, which is no error. A step that was made looking at an
older version is told so, with what is there now.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal


class State(enum.StrEnum):
    """How far people have come with an alert."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    ON_SITE = "on_site"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"


class Step(enum.StrEnum):
    """What somebody may do."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"  # to somebody: who sees to it
    ARRIVE = "arrive"
    RESOLVE = "resolve"  # with a cause
    FALSE_ALARM = "false_alarm"
    REOPEN = "reopen"
    NOTE = "note"


class Outcome(enum.StrEnum):
    """What came of a step."""

    DONE = "done"
    ALREADY = "already"  # somebody did it before: `work` says who and when
    CHANGED = "changed"  # it was made looking at an older version
    REFUSED = "refused"  # the table has no such step from here
    UNKNOWN = "unknown"  # there is no such alert


OPEN: Final = (State.RAISED, State.ACKNOWLEDGED, State.ASSIGNED, State.ON_SITE)
CLOSED: Final = (State.RESOLVED, State.FALSE_ALARM)

_Answer = State | Literal[Outcome.ALREADY, Outcome.REFUSED]

_FORWARD: Final[Mapping[State, Mapping[Step, _Answer]]] = {
    State.RAISED: {
        Step.ACKNOWLEDGE: State.ACKNOWLEDGED,
        Step.ASSIGN: State.ASSIGNED,
        Step.ARRIVE: State.ON_SITE,
        Step.REOPEN: Outcome.ALREADY,
    },
    State.ACKNOWLEDGED: {
        Step.ACKNOWLEDGE: Outcome.ALREADY,
        Step.ASSIGN: State.ASSIGNED,
        Step.ARRIVE: State.ON_SITE,
        Step.REOPEN: State.RAISED,
    },
    State.ASSIGNED: {
        Step.ACKNOWLEDGE: Outcome.ALREADY,
        Step.ASSIGN: State.ASSIGNED,  # to somebody else
        Step.ARRIVE: State.ON_SITE,
        Step.REOPEN: State.RAISED,
    },
    State.ON_SITE: {
        Step.ACKNOWLEDGE: Outcome.ALREADY,
        Step.ASSIGN: State.ASSIGNED,  # to somebody who is not there yet
        Step.ARRIVE: Outcome.ALREADY,
        Step.REOPEN: State.RAISED,
    },
}
_CLOSING: Final[Mapping[Step, State]] = {
    Step.RESOLVE: State.RESOLVED,
    Step.FALSE_ALARM: State.FALSE_ALARM,
}

TABLE: Final[Mapping[tuple[State, Step], _Answer]] = {
    **{(state, step): answer for state, row in _FORWARD.items() for step, answer in row.items()},
    **{(state, step): end for state in OPEN for step, end in _CLOSING.items()},
    **{(state, step): Outcome.ALREADY for state in CLOSED for step in (Step.ACKNOWLEDGE, *_CLOSING)},
    **{(state, step): Outcome.REFUSED for state in CLOSED for step in (Step.ASSIGN, Step.ARRIVE)},
    **{(state, Step.REOPEN): State.RAISED for state in CLOSED},
    **{(state, Step.NOTE): state for state in State},
}


@dataclass(frozen=True, slots=True)
class Work:
    """What people have done about one alert. Times are wall seconds."""

    alert: str
    incident: str
    opened_at: float
    state: State = State.RAISED
    version: int = 1
    assignee: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: float | None = None
    arrived_at: float | None = None
    closed_by: str | None = None
    closed_at: float | None = None
    cause: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A step somebody makes. `id` is a UUID made where it was made, once; `version` is what they were looking at."""

    id: str
    alert: str
    step: Step
    who: str
    version: int | None = None
    to: str = ""
    cause: str = ""
    note: str = ""
    phone: str = ""
    """Which phone it was made with, for the record."""


def advance(work: Work, command: Command, now: float) -> tuple[Outcome, Work]:
    """Return what comes of `command`, and the work as it is after it."""
    answer = TABLE[work.state, command.step]
    if isinstance(answer, Outcome):
        return answer, work
    if command.version is not None and command.version != work.version:
        return Outcome.CHANGED, work
    if command.step is Step.ASSIGN and command.to == work.assignee and work.state is State.ASSIGNED:
        return Outcome.ALREADY, work
    if command.step is Step.ASSIGN and not command.to:
        return Outcome.REFUSED, work
    return Outcome.DONE, _moved(replace(work, state=answer, version=work.version + 1), command, now)


def _moved(work: Work, command: Command, now: float) -> Work:
    """Write into the work what its new state is to remember."""
    if command.note:
        work = replace(work, note=command.note)
    if work.state is State.RAISED and command.step is Step.REOPEN:
        return replace(
            work, assignee=None, acknowledged_by=None, acknowledged_at=None, arrived_at=None,
            closed_by=None, closed_at=None, cause=None,
        )  # fmt: skip
    if command.step is not Step.NOTE and work.acknowledged_by is None:
        work = replace(work, acknowledged_by=command.who, acknowledged_at=now)
    match command.step:
        case Step.ASSIGN:
            return replace(work, assignee=command.to)
        case Step.ARRIVE:
            return replace(work, arrived_at=now)
        case Step.RESOLVE | Step.FALSE_ALARM:
            return replace(work, closed_by=command.who, closed_at=now, cause=command.cause or None)
        case _:
            return work
