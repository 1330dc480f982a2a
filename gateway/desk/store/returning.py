"""An alert that comes again is told again, and stands open again: what somebody saw to was what came before.

A gateway keeps one life for what comes back before it is over there: a fire that burns again, a call for help that is
pressed again, a door held again whose alert was acknowledged here alone. It wants to be acknowledged again then (the
table of gateway/core/alerts.py). Of that state alone it is known; more of the same, a picture or a count is no return.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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


def returned(before: Mapping[str, Row], fresh: Iterable[Arrival]) -> Iterator[Arrival]:
    """Yield an event of each alert that is wanted now and stood otherwise in between, also where that comes late."""
    chains: dict[str, list[Arrival]] = {}
    for each in sorted(fresh, key=lambda each: (each.epoch, each.seq)):
        chains.setdefault(each.alert, []).append(each)
    for alert, chain in chains.items():
        states = [(each.epoch, each.seq, each.state) for each in chain]
        if known := before.get(alert):
            states.append((known["epoch"], known["seq"], known["state"]))
        if max(states)[2] == WANTED and any(state != WANTED for _, _, state in states):
            yield chain[-1]


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
