"""What to do with pages that are due: which go out alone, which as one summary, which wait for their channel. Pure.

A channel takes so many messages a minute (a group bot 20). When one person has many pages waiting on one channel
they become one summary; critical ones only when there is no room to tell each by itself. When the channel's minute is
used up, pages wait for the next. Nothing is dropped. The worst come first.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.core.events import Words
from gateway.desk import texts
from gateway.desk.ladders import CRITICAL
from gateway.desk.sending import Message
from gateway.desk.store.notices import Notice

SINGLY: Final = 3
"""So many pages at once to one person go out one by one; more are a summary, unless they are critical."""
TRIES: Final = 3  # on one channel, before the next
LAST_TRIES: Final = 12  # on the last one: some eight minutes, for there is no other way to that person
FIRST_PAUSE_S: Final = 2.0
LONGEST_PAUSE_S: Final = 60.0


_NOWHERE: Final[Mapping[str, Words]] = {}


@dataclass(frozen=True, slots=True)
class Pace:
    """How a channel may be used: so many messages a minute (0: any number) and at once, each within its time."""

    per_minute: int = 0
    at_once: int = 16
    longest_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message and the notifications it tells; the first of them gives it its id."""

    channel: str
    message: Message
    notices: tuple[Notice, ...]
    doors: tuple[str, ...] = ()
    """What of the message is written down nowhere, also not in what a service answers."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes out now, and what waits until its channel may send again."""

    parcels: tuple[Parcel, ...]
    waiting: tuple[Notice, ...]


def plan(claimed: Sequence[Notice], room: Mapping[str, int], doors: Mapping[str, Words] = _NOWHERE) -> Plan:
    """Return what to send. `room` is how many messages each channel may still take; one not named has no limit.

    `doors` say where to go, by incident: they are told and stand in no notice.
    """
    groups: dict[tuple[str, str, bool], list[Notice]] = {}
    for notice in claimed:
        channel, address = notice.channels[notice.channel]
        groups.setdefault((channel, address, notice.rank >= CRITICAL), []).append(notice)
    left = dict(room)
    parcels: list[Parcel] = []
    waiting: list[Notice] = []
    for (channel, address, critical), group in groups.items():
        free = left.get(channel, len(claimed))
        if free <= 0:
            waiting += group
            continue
        together = len(group) > (free if critical else min(SINGLY, free))
        made = [
            _parcel(channel, address, part, doors)
            for part in ([group] if together else [[each] for each in group])
        ]
        if channel in left:
            left[channel] = free - len(made)
        parcels += made
    return Plan(tuple(parcels), tuple(waiting))


@dataclass(frozen=True, slots=True)
class Retry:
    """When and on which channel to try again; `given_up`: no channel is left. `hurry`: let others be told meanwhile."""

    due_at: float
    channel: int
    attempts: int
    given_up: bool = False
    hurry: bool = False


def after_failure(notice: Notice, now: float, *, retryable: bool) -> Retry:
    """Return how to go on: the same channel after a pause, then the next one, then none."""
    attempts = notice.attempts + 1
    last = notice.channel + 1 == len(notice.channels)
    if retryable and attempts < (LAST_TRIES if last else TRIES):
        pause_s = min(FIRST_PAUSE_S * 2**notice.attempts, LONGEST_PAUSE_S)
        return Retry(now + pause_s, notice.channel, attempts, hurry=attempts == TRIES)
    if not last:
        return Retry(now, notice.channel + 1, 0)
    return Retry(now, notice.channel, attempts, given_up=True, hurry=attempts <= TRIES)


def blanked(answer: str, doors: Iterable[str]) -> str:
    """Return what a service answered without what it was told of a resident: some say it all again, as text or JSON."""
    for each in doors:
        for written in (each, json.dumps(each)[1:-1]):
            answer = answer.replace(written, "…")
    return answer


def _parcel(channel: str, address: str, group: Sequence[Notice], doors: Mapping[str, Words]) -> Parcel:
    told = texts.summary([texts.located(Words(each.zh, each.en), doors.get(each.incident)) for each in group])
    first = group[0]
    text = told.zh if first.language == "zh" else told.en
    message = Message(first.id, address, text, max(each.rank for each in group), first.language)
    there = [doors[each.incident] for each in group if each.incident in doors]
    return Parcel(
        channel, message, tuple(group), tuple(text for each in there for text in (each.zh, each.en))
    )
