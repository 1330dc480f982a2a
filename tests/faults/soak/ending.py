"""How it stands at the end, when every fault is over and everybody has answered: at the gateway as upstream. Pure.

Whoever folds the alert events that arrived has the gateway's list, and nothing is left on it. What was told from
memory alone, and died with a gateway whose disk took nothing, is no part of that: the next life never knew of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.faults.soak.ledger import Arrival

Number = tuple[int, int]
OF_THE_PLACE = ("board.", "clock.", "desk.no_last_resort")
OF_THE_PAST = ("journal.lost", "journal.damaged", "journal.thinned")  # counts, and said as such


def fold(arrivals: Iterable[Arrival], lost: Sequence[tuple[Number, Number]]) -> dict[str, Arrival]:
    """Return the last event of each life. `lost` are numbers that died with their gateway: after one, up to another."""
    last: dict[str, Arrival] = {}
    for each in arrivals:
        if any(after < each.number <= until for after, until in lost):
            continue
        if each.life not in last or last[each.life].number < each.number:
            last[each.life] = each
    return last


def standing(listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return in words what is not over; nobody sets the clock of the machine under the soak."""
    return [
        f"late: {alert['kind']} of {', '.join(alert['devices'])} is {alert['state']}"
        for alert in listed
        if alert["kind"] != "gateway.clock_unset"
    ]


def differences(last: Mapping[str, Arrival], listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return in words where the gateway's list and what arrived are not the same."""
    here = {alert["alert"]: alert for alert in listed}
    found = [
        f"stands: {alert['kind']} of {', '.join(alert['devices'])} is {alert['state']} at the gateway,"
        f" {last[life].state if life in last else 'unknown'} upstream"
        for life, alert in here.items()
        if life not in last or last[life].state != alert["state"]
    ]
    return found + [
        f"stands: {each.kind} of {each.device} is {each.state} upstream, over at the gateway"
        for life, each in last.items()
        if life not in here and each.state != "over"
    ]


def outdated(advice: Iterable[str]) -> list[str]:
    """Return in words what `status` advises on and is over."""
    return [f"advised: {each}" for each in advice if not each.startswith(OF_THE_PLACE + OF_THE_PAST)]
