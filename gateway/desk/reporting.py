"""A hazard or a request that somebody reports by hand, as an alert like any other. Pure.

It is an event of the desk's own, numbered by the report itself: its id was made on the phone once, so the same report
sent twice is one alert. Each is an incident of its own, because what two people saw is not one thing to be told once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from gateway.core.events import Change, Place, Severity, Words
from gateway.core.payload import rfc3339
from gateway.core.places import LEVELS, cut, over, within
from gateway.core.texts import Subject, where
from gateway.desk.arrivals import Arrival
from gateway.desk.grouping import OWN

What = Literal["hazard", "request"]

REPORT: Final = f"{OWN}:report"
LONGEST: Final = 300  # of the text in the list and on a page; the whole stands in the timeline
_WORDS: Final[dict[What, Words]] = {
    "hazard": Words("{where} 有人上报隐患：{text}", "Hazard reported, {where}: {text}"),
    "request": Words("{where} 有人提出诉求：{text}", "Request, {where}: {text}"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says is the matter, and where."""

    id: str
    what: What
    text: str
    place: Place
    severity: Severity
    who: str


def alert_of(name: str) -> str:
    """Return the alert that a report of this id is."""
    return f"{REPORT}/{name}"


def arrival(report: Report, now: float) -> Arrival:
    """Return the event that a report is."""
    words = _words(report)
    data = {
        "kind": f"report.{report.what}",
        "severity": report.severity,
        "certainty": "observed",
        "state": "active_unacked",
        "place": report.place,
        "text": {"zh": words.zh, "en": words.en},
        "first_seen": rfc3339(now),
        "count": 1,
        "by": report.who,
        "note": report.text,
    }
    return Arrival(
        gateway=alert_of(report.id),
        epoch=1,
        seq=1,
        previous=None,
        alert=alert_of(report.id),
        change=Change.RAISED,
        time=now,
        kind=f"report.{report.what}",
        severity=report.severity,
        state="active_unacked",
        place=report.place,
        text=words,
        first_seen=now,
        count=1,
        body=msgspec.json.encode({"source": REPORT, "subject": report.id, "data": data}).decode(),
        by=report.who,
    )


def completed(told: Place, known: Iterable[Place]) -> Place:
    """Return a place with the levels above it that were left out, where what is known leaves no doubt.

    People say "building 2 of this compound"; who is on duty for the community must find it as well.
    """
    places = tuple(known)
    for level in reversed(LEVELS):
        if not getattr(told, level):
            continue
        short = cut(told, level)
        found = {cut(place, level) for place in places if within(place, short)}
        if len(found) == 1:
            return over(told, found.pop())
    return told


def _words(report: Report) -> Words:
    told, there = _WORDS[report.what], where(Subject(place=report.place))
    text = " ".join(report.text.split())
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return Words(
        told.zh.format(where=there.zh, text=text).strip(),
        told.en.format(where=there.en, text=text).replace(", :", ":"),
    )
