"""An alert that comes again is told again, and stands open again: what somebody saw to was what came before.

A gateway keeps one life for what comes back before it is over there: a fire that burns again, a call for help that is
pressed again, a door held again whose alert was acknowledged here alone. It wants to be acknowledged again then (the
table of gateway/core/alerts.py). Of that state alone it is known; more of the same, a picture or a count is no return.
Nor is what comes late, where somebody saw to the alert when what followed it was here already.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from gateway.desk.arrivals import Arrival
from gateway.desk.store import timers, work
from gateway.desk.store.database import Row, Transaction, among
from gateway.desk.workflow import Command, State, Step

WANTED: Final = "active_unacked"
"""The state of an alert that is so now and that nobody at its gateway has acknowledged."""


async def standing(transaction: Transaction, alerts: Sequence[str]) -> dict[str, Row]:
    """Return how alerts stand, as far as they are known: epoch, seq and state."""
    rows = await among(transaction, "SELECT alert, epoch, seq, state FROM alerts WHERE alert", alerts)
    return {row["alert"]: row for row in rows}


async def returned(
    transaction: Transaction, before: Mapping[str, Row], fresh: Iterable[Arrival]
) -> list[Arrival]:
    """Return an event of each alert that is wanted now, stood otherwise in between, and was not seen to since."""
    chains: dict[str, list[Arrival]] = {}
    for each in sorted(fresh, key=lambda each: (each.epoch, each.seq)):
        chains.setdefault(each.alert, []).append(each)
    found: list[Arrival] = []
    for alert, chain in chains.items():
        states = [(each.epoch, each.seq, each.state) for each in chain]
        if known := before.get(alert):
            states.append((known["epoch"], known["seq"], known["state"]))
        others = [each for each in states if each[2] != WANTED]
        if others and max(states)[2] == WANTED and not await _is_seen(transaction, alert, *max(others)[:2]):
            found.append(chain[-1])
    return found


async def _is_seen(transaction: Transaction, alert: str, epoch: int, seq: int) -> bool:
    """Return whether somebody saw to an alert after something that followed this event had come."""
    rows = await transaction.fetch(
        "SELECT 1 AS found FROM work w JOIN events e ON e.alert = w.alert WHERE w.alert = $1"
        " AND (e.epoch, e.seq) > ($2, $3) AND e.received < coalesce(w.closed_at, w.acknowledged_at) LIMIT 1",
        alert,
        epoch,
        seq,
    )
    return bool(rows)


def is_past(before: Mapping[str, Row], late: Arrival) -> bool:
    """Return whether an event comes after a newer one by which its alert is wanted: it was seen to, and came again."""
    known = before.get(late.alert)
    return (
        known is not None
        and known["state"] == WANTED
        and (late.epoch, late.seq) < (known["epoch"], known["seq"])
    )


async def begin_anew(transaction: Transaction, arrivals: Iterable[Arrival], now: float) -> None:
    """Have these stand open again, and their ladders climbed from the beginning; one that is being climbed goes on."""
    for each in arrivals:
        found = await work.find(transaction, each.alert)
        if found is None:
            continue
        if found.state is State.RAISED:
            await timers.rearm(transaction, found.incident, now)
            continue
        name = f"{each.gateway}/{each.epoch}.{each.seq} again"
        await work.take_step(transaction, Command(name, each.alert, Step.REOPEN, each.gateway), now)
        await timers.again(transaction, found.incident, now)
