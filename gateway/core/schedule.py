"""Times of the week, as people write them: when a door is not locked, when a card is good.

    "mon-fri 07:00-09:00"   "sat,sun 08:00-22:00"   "daily 22:00-06:00" (over midnight)   "always"

A day that begins a span over midnight owns all of it. On the days listed as closed no span begins. Times are
those of the gateway's own zone, an offset from UTC: China has one and no summer time.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WANTED: Final = '"mon-fri 07:00-09:00", "sat,sun 08:00-22:00", "daily 22:00-06:00" or "always"'
WANTED_WEEKLY: Final = '"mon 10:00"'
WEEK_S: Final = 7 * 86_400.0
_DAY_MINUTES: Final = 1440
_SPAN = re.compile(r"(?P<days>[a-z,\-]+)\s+(?P<from>\d{1,2}:\d{2})\s*-\s*(?P<to>\d{1,2}:\d{2})")
_LONGEST_CLOSED = 3660


class ScheduleError(ValueError):
    """A text is no time of the week, or no day; `found` is the text."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(f"found {found!r}, wanted {wanted}")
        self.found, self.wanted = found, wanted


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes of one weekday, 0 is Monday; `end` may lie past 1440, on the next day."""

    day: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Spans of the week, and the days on which none begins. `offset_h` is local time minus UTC, in hours."""

    spans: tuple[Span, ...]
    closed: frozenset[date] = frozenset()
    offset_h: float = 8.0

    def holds(self, wall: float) -> bool:
        """Return whether the schedule holds at a time, seconds since 1970."""
        local = datetime.fromtimestamp(wall, UTC) + timedelta(hours=self.offset_h)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.date(), local.date() - timedelta(days=1)
        return self._within(today, minute) or self._within(yesterday, minute + _DAY_MINUTES)

    def changes_after(self, wall: float) -> float:
        """Return when the schedule may next begin or end to hold, at most a day ahead."""
        local = datetime.fromtimestamp(wall, UTC) + timedelta(hours=self.offset_h)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        edges = {edge % _DAY_MINUTES for span in self.spans for edge in (span.begin, span.end)} | {0}
        since_s = (local - midnight).total_seconds()
        ahead = min((edge * 60 - since_s) % (_DAY_MINUTES * 60) or _DAY_MINUTES * 60 for edge in edges)
        return wall + ahead

    def _within(self, day: date, minute: int) -> bool:
        if day in self.closed:
            return False
        return any(span.day == day.weekday() and span.begin <= minute < span.end for span in self.spans)


def parse(times: Sequence[str], closed: Sequence[str] = (), *, offset_h: float = 8.0) -> Schedule:
    """Return the schedule these texts describe; ScheduleError names the first that is wrong."""
    spans = [span for text in times for span in _spans(text)]
    days = {day for text in closed for day in _days(text)}
    return Schedule(tuple(spans), frozenset(days), offset_h)


@dataclass(frozen=True, slots=True)
class Weekly:
    """A minute of the week, 0 is Monday."""

    day: int
    minute: int
    offset_h: float = 8.0

    def latest(self, wall: float) -> float:
        """Return when it last was, at `wall` or before."""
        second = math.floor(wall)
        local = self._local(second)
        monday = local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=local.weekday())
        ago_s = (local - monday - timedelta(days=self.day, minutes=self.minute)).total_seconds()
        return second - ago_s % WEEK_S

    def week(self, wall: float) -> str:
        """Return the name of a time's week, as ISO 8601 has it: 2026-W48."""
        year, week, _ = self._local(wall).isocalendar()
        return f"{year}-W{week:02d}"

    def _local(self, wall: float) -> datetime:
        return datetime.fromtimestamp(wall, UTC) + timedelta(hours=self.offset_h)


def weekly(text: str, *, offset_h: float = 8.0) -> Weekly:
    """Return the minute of the week that a text like "mon 10:00" names; raises ScheduleError."""
    day, _, minute = text.strip().lower().partition(" ")
    if day not in DAYS or not re.fullmatch(r"\d{1,2}:\d{2}", minute.strip()):
        raise ScheduleError(text, WANTED_WEEKLY)
    return Weekly(DAYS.index(day), _minute(minute.strip(), text), offset_h)


def _spans(text: str) -> list[Span]:
    told = text.strip().lower()
    if told == "always":
        return [Span(day, 0, _DAY_MINUTES) for day in range(7)]
    match = _SPAN.fullmatch(told)
    if match is None:
        raise ScheduleError(text, WANTED)
    begin, end = _minute(match["from"], text), _minute(match["to"], text)
    if begin == end:
        raise ScheduleError(text, "a beginning and an end that differ")
    return [
        Span(day, begin, end if end > begin else end + _DAY_MINUTES) for day in _weekdays(match["days"], text)
    ]


def _weekdays(told: str, text: str) -> list[int]:
    if told == "daily":
        return list(range(7))
    days: list[int] = []
    for part in told.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ScheduleError(text, "days of " + ", ".join(DAYS) + " or daily")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        days += [day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)]
    return sorted(set(days))


def _minute(told: str, text: str) -> int:
    hour, _, minute = told.partition(":")
    at = int(hour) * 60 + int(minute)
    if at > _DAY_MINUTES or int(minute) > 59:
        raise ScheduleError(text, "times from 00:00 to 24:00")
    return at


def _days(text: str) -> list[date]:
    first, _, last = text.partition("..")
    try:
        begin, end = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise ScheduleError(text, 'a day like "2026-10-01", or days like "2026-10-01..2026-10-07"') from None
    count = (end - begin).days
    if not 0 <= count <= _LONGEST_CLOSED:
        raise ScheduleError(text, "a last day that is not before the first")
    return [begin + timedelta(days=day) for day in range(count + 1)]
