"""Which alerts are one incident, and when its growth is worth another page. Pure.

Alerts of one kind in one compound, each within a while of the last, are one incident, and the ladder is climbed once
for it. The first few are told one by one, because the second smoke detector is news; after that growth is told at
10, 100, 1,000, ...: ten thousand alerts are eight pages. Nothing is left out of the record or of the list.
"""

from typing import Final

from gateway.desk.arrivals import Arrival

WINDOW_S: Final = 600.0
TOLD_SINGLY: Final = 5
OWN: Final = "@desk"
"""In front of a gateway's name: the desk's own alerts about it. No gateway can have such a name."""

BY_HAND: Final = "report."
"""In front of kinds that people report: what two people saw is not one thing, so each is an incident of its own."""


HOME: Final = "home:"
"""In front of an alert about a resident: two people who call for help are two calls, and two matters to see."""


def incident_key(arrival: Arrival) -> str:
    """Return what alerts of one incident have in common."""
    place = arrival.place
    where = f"{place.community}/{place.compound}" if place.compound else arrival.gateway.partition(":")[0]
    own = f"|{arrival.alert}" if arrival.kind.startswith(BY_HAND) else ""
    own = f"|{HOME}{arrival.alert}" if arrival.shown else own
    return f"{where}|{arrival.kind}{own}"


def home_of(incident: str) -> str | None:
    """Return the alert of an incident that is about a resident: such a one is never grouped with another's."""
    _, found, rest = incident.partition(f"|{HOME}")
    return rest.rpartition("#")[0] if found else None


def next_news(count: int) -> int:
    """Return at how many alerts people are told again, when they know of `count`."""
    if count < TOLD_SINGLY:
        return count + 1
    threshold = 10
    while threshold <= count:
        threshold *= 10
    return threshold
