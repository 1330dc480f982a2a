"""An incident as one card of the list: which alert speaks for it, how many there are, how long it has waited. Pure.

The page's script makes the same of the same alerts (page/cards.js); the markup of both is page/card.html.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.core.events import Place, Words
from gateway.desk.web.shapes import Alert

MINUTE, HOUR, DAY = 60, 3_600, 86_400
JUST_NOW: Final = 5


@dataclass(frozen=True, slots=True)
class Card:
    """An incident: the alert that most wants somebody, how many it has, how many of them nobody has acknowledged."""

    alert: Alert
    count: int
    waiting: int


def cards(alerts: Iterable[Alert]) -> list[Card]:
    """Return alerts, in the order of the list, as incidents in that order."""
    incidents: dict[str, list[Alert]] = {}
    for each in alerts:
        incidents.setdefault(each.incident, []).append(each)
    return [
        Card(group[0], len(group), sum(each.state == "raised" for each in group))
        for group in incidents.values()
    ]


def age(seconds: float, words: Mapping[str, str]) -> str:
    """Return how long ago something was, as people say it."""
    whole = int(seconds)
    if whole < JUST_NOW:
        return words["age.now"]
    if whole < MINUTE:
        return words["age.seconds"].format(n=whole)
    if whole < HOUR:
        return words["age.minutes"].format(n=whole // MINUTE)
    if whole < DAY:
        return words["age.hours"].format(n=whole // HOUR, m=whole % HOUR // MINUTE)
    return words["age.days"].format(n=whole // DAY)


_NONE: Final = Words("", "")
BLANK: Final = Card(
    Alert(
        alert="", gateway="", subject="", incident="", kind="", rank=0, severity="info", state="raised",
        change="raised", version=0, zh="", en="", what=_NONE, place=Place(), where=_NONE, first_seen=0.0,
        time=0.0, count=1, opened_at=0.0, acknowledged_by=None, acknowledged_at=None, assignee=None,
        arrived_at=None, closed_by=None, closed_at=None, cause=None, note=None, evidence=(), device="", vital=False,
        hidden=False,
    ),
    1,
    0,
)  # fmt: skip
"""What the page's script fills in for an incident it hears of later."""
