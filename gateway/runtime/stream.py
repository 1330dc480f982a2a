"""The stream: numbers every event once, stamps it once, hands it to every follower, before the disk is touched.

Followers are plain callables and run in order of joining; none may block. An event submitted by a follower is
numbered at once but delivered only after the present one has reached everybody, so that all followers see
the same order. Readings are nearly all events, hundreds a second: who has no use for them says so, or which points it
wants, and is not called for the others. A follower that raises is a programming error in one wing of the house: it is
logged, counted and told to the rest of the followers no differently, because a door must not wait for a broken
listener.
"""

import logging
from collections import deque
from collections.abc import Callable, Container

import msgspec

from gateway.core.events import AlertBody, Body, Clock, Event, ReadingBody

log = logging.getLogger(__name__)

Follower = Callable[[Event], None]
Points = Container[tuple[str, str]]  # (device, point)


class Stamp(msgspec.Struct, frozen=True):
    """The time as one event sees it: wall seconds since 1970, monotonic seconds, whether the wall is right."""

    wall: float
    monotonic: float
    clock: Clock


class Stream:
    """The one place where events get their number and their time."""

    def __init__(self, *, epoch: int, last_seq: int, last_alert_seq: int, now: Callable[[], Stamp]) -> None:
        self.faults = 0
        self._epoch = epoch
        self._seq = last_seq
        self._alert_seq = last_alert_seq
        self._now = now
        self._followers: list[tuple[str, Follower]] = []
        self._wants: list[bool | Points] = []  # of readings, each of them
        self._of_point: dict[tuple[str, str], list[tuple[str, Follower]]] = {}  # found at its first reading
        self._waiting: deque[Event] = deque()
        self._delivering = False

    def follow(self, name: str, follower: Follower, *, readings: bool | Points = True) -> None:
        """Give every later event to `follower`, of readings all, none, or those of points that do not change.

        `name` stands in the log when it fails.
        """
        self._followers.append((name, follower))
        self._wants.append(readings)
        self._of_point.clear()

    def submit(self, body: Body) -> Event:
        """Number and stamp `body`, hand it to every follower, return the event."""
        event = self._number(body)
        if self._delivering:
            self._waiting.append(event)
            return event
        self._delivering = True
        try:
            self._deliver(event)
            while self._waiting:
                self._deliver(self._waiting.popleft())
        finally:
            self._delivering = False
        return event

    def _number(self, body: Body) -> Event:
        stamp = self._now()
        self._seq += 1
        previous = None
        if isinstance(body, AlertBody):
            previous, self._alert_seq = self._alert_seq, self._seq
        return Event(self._epoch, self._seq, stamp.wall, stamp.monotonic, stamp.clock, body, previous)

    def _wanting(self, body: ReadingBody) -> list[tuple[str, Follower]]:
        """Return who wants a reading, in order of joining."""
        point = (body.device, body.point)
        if (found := self._of_point.get(point)) is None:
            found = self._of_point[point] = [
                follower
                for follower, wants in zip(self._followers, self._wants, strict=True)
                if (wants if isinstance(wants, bool) else point in wants)
            ]
        return found

    def _deliver(self, event: Event) -> None:
        body = event.body
        for name, follower in self._wanting(body) if isinstance(body, ReadingBody) else self._followers:
            try:
                follower(event)
            except Exception:  # a broken follower must not keep an event from the others
                self.faults += 1
                log.exception("follower %s failed on event %s", name, event.id)
