"""What nobody upstream has confirmed, whether the desk is silent, and what the gateway must tell by itself. Pure.

Each alert has an entry from its first event that is not confirmed until all its events are. A critical one that is
still unacknowledged after a while is told by the gateway itself, over each of its lines, once: whatever the reason,
a broker that is away, a desk that is dead, a network that swallows everything. One that comes again after it was normal
is told again: a second call for help out of the same flat is no repetition of the first.

The desk is silent when an alert has waited that long and nothing was confirmed meanwhile; it speaks again with the
first event it confirms. What somebody acknowledged on the spot is not told any more, and still waits to be confirmed.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from gateway.core.alerts import State, is_active
from gateway.core.events import AlertBody, Event, NoteBody, Severity, Words

Position: TypeAlias = tuple[int, int]

TOLD: Final = "last_resort.told"
"""What a note says that an alert was told: its detail begins with the alert and the line."""
UNACKED: Final = "_unacked"
SPELT_OUT: Final = 6
LONGEST: Final = 120  # letters of one alert in a list
MOST: Final = 10_000
PASSED_OVER_S: Final = 600.0  # what was passed over for so long while others were confirmed proves no silence
GAP_S: Final = 10.0  # between two messages over one line: what comes meanwhile is one message
FIRST_PAUSE_S: Final = 2.0
LAST_PAUSE_S: Final = 60.0


@dataclass(slots=True)
class Entry:
    """An alert with events that are not confirmed: the first of them, since when, and the last."""

    body: AlertBody
    first: Position
    since: float
    last: Position
    last_since: float
    critical_since: float | None = None

    @property
    def is_worth_telling(self) -> bool:
        """Return whether somebody must hear of it by whatever way there is."""
        return self.critical_since is not None and _is_urgent(self.body)


class Unheard:
    """All alerts that wait to be confirmed. `after_s`: so long nothing may be confirmed before the desk is silent.

    `upstream` False: there is nobody to confirm anything, and an alert that somebody has seen is done with.
    """

    def __init__(self, *, after_s: float, silent: bool = False, upstream: bool = True) -> None:
        self.silent = silent
        self._after_s, self._upstream = after_s, upstream
        self._entries: dict[str, Entry] = {}
        self._confirmed_at = float("-inf")

    def follow(self, event: Event, now: float) -> bool:
        """Take in one event; return whether it was an alert's."""
        body = event.body
        if not isinstance(body, AlertBody):
            return False
        if not self._upstream and not body.state.endswith(UNACKED):
            self._entries.pop(body.alert, None)
            return True
        position = (event.epoch, event.seq)
        entry = self._entries.get(body.alert)
        if entry is None:
            entry = self._entries[body.alert] = Entry(body, position, now, position, now)
            self._make_room()
        entry.body, entry.last, entry.last_since = body, position, now
        if _is_urgent(body):
            entry.critical_since = now if entry.critical_since is None else entry.critical_since
        return True

    def confirm(self, is_confirmed: Callable[[Position], bool], now: float) -> None:
        """Look which events are confirmed by now."""
        for alert, entry in list(self._entries.items()):
            if not is_confirmed(entry.first):
                continue
            self._confirmed_at = now
            if entry.last == entry.first or is_confirmed(entry.last):
                del self._entries[alert]
            else:
                entry.first, entry.since = entry.last, entry.last_since
                entry.critical_since = entry.last_since if _is_urgent(entry.body) else None

    def settle(self, now: float) -> bool:
        """Decide whether the desk is silent; return whether that has changed."""
        before = self.silent
        if before:
            self.silent = bool(self._entries) and now - self._confirmed_at >= self._after_s
        else:
            floor = self._confirmed_at - PASSED_OVER_S
            oldest = min((each.since for each in self._entries.values() if each.since >= floor), default=now)
            self.silent = now - max(oldest, self._confirmed_at) >= self._after_s
        return self.silent is not before

    def overdue(self, now: float, after_s: float) -> list[AlertBody]:
        """Return the alerts that must be told now, oldest first."""
        return [
            entry.body
            for entry in self._entries.values()
            if entry.is_worth_telling
            and entry.critical_since is not None
            and now - entry.critical_since >= after_s
        ]

    @property
    def waiting(self) -> int:
        """Return how many alerts are not confirmed."""
        return len(self._entries)

    def _make_room(self) -> None:
        """Forget the oldest where there are too many: one that need not be told, if there is one."""
        while len(self._entries) > MOST:
            idle = (alert for alert, entry in self._entries.items() if not entry.is_worth_telling)
            del self._entries[next(idle, next(iter(self._entries)))]


@dataclass(slots=True)
class Line:
    """One line of last resort: what was told over it, when it may be used again, which alerts are `normal` by now."""

    name: str
    after_s: float
    told: set[str] = field(default_factory=set)
    normal: set[str] = field(default_factory=set)
    due_at: float = float("-inf")
    failures: int = 0
    owes_news: bool = False  # it told of a silent desk, and has not told that it speaks again

    def follow(self, body: AlertBody) -> None:
        """Take in how an alert stands: what was told and comes again is to be told again."""
        if body.state == State.OVER or (body.alert in self.normal and is_active(body.state)):
            self.told.discard(body.alert)
            self.normal.discard(body.alert)
        elif not is_active(body.state):
            self.normal.add(body.alert)

    def due(self, unheard: Unheard, now: float) -> list[AlertBody]:
        """Return the alerts to tell over this line now."""
        if now < self.due_at:
            return []
        return [body for body in unheard.overdue(now, self.after_s) if body.alert not in self.told]

    def delivered(self, alerts: Iterable[str], now: float) -> None:
        """Take note that alerts were told."""
        self.told.update(alerts)
        self.failures, self.due_at = 0, now + GAP_S

    def failed(self, now: float, *, retryable: bool) -> None:
        """Take note that the line did not take a message: it is tried again, for as long as it is worth telling."""
        pause_s = (
            min(FIRST_PAUSE_S * 2.0 ** min(self.failures, 10), LAST_PAUSE_S) if retryable else LAST_PAUSE_S
        )
        self.failures, self.due_at = self.failures + 1, now + pause_s


def _is_urgent(body: AlertBody) -> bool:
    return body.severity is Severity.CRITICAL and body.state.endswith(UNACKED)


def message(gateway: str, bodies: Sequence[AlertBody]) -> Words:
    """Return what is told of alerts nobody upstream has heard of."""
    if len(bodies) == 1:
        text = bodies[0].text
        return Words(
            f"【紧急】{text.zh}；值班台没有应答，由网关 {gateway} 直接通知",
            f"Critical: {text.en}; the duty desk does not answer, gateway {gateway} tells you itself",
        )
    more = len(bodies) - SPELT_OUT
    zh = [f"【紧急】{len(bodies)} 条报警；值班台没有应答，由网关 {gateway} 直接通知"]
    en = [
        f"Critical: {len(bodies)} alerts; the duty desk does not answer, gateway {gateway} tells you itself"
    ]
    for number, body in enumerate(bodies[:SPELT_OUT], 1):
        zh.append(f"{number}. {body.text.zh[:LONGEST]}")
        en.append(f"{number}. {body.text.en[:LONGEST]}")
    if more > 0:
        zh.append(f"另有 {more} 条")
        en.append(f"and {more} more")
    return Words("\n".join(zh), "\n".join(en))


def speaks_again(gateway: str) -> Words:
    """Return what is told once when the desk answers again."""
    return Words(
        f"网关 {gateway}：值班台已恢复应答，此后由值班台通知",
        f"Gateway {gateway}: the duty desk answers again",
    )


def name_of(alerts: Iterable[str]) -> str:
    """Return the id of a message about these alerts: the same again when it is sent again."""
    return "last-resort-" + hashlib.sha256("\n".join(sorted(alerts)).encode()).hexdigest()[:32]


def note(alert: str, line: str, answer: str) -> NoteBody:
    """Return what is written down of an alert that was told."""
    return NoteBody(TOLD, f"{alert} {line} {answer[:200]}".rstrip())


def told_before(body: object) -> tuple[str, str] | None:
    """Return (alert, line) of such a note; None for any other body."""
    if not isinstance(body, NoteBody) or body.what != TOLD:
        return None
    alert, _, rest = body.detail.partition(" ")
    return alert, rest.partition(" ")[0]
