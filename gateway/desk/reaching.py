"""Somebody who cannot be reached is an alert of the desk's own, over when a page gets through to them again.

It is raised and cleared in the transaction that writes down what became of the page: exactly once, whoever delivers.
A page about somebody may itself be given up; that person is known to be out of reach then and nothing more is raised,
unless people have closed the alert and the next page does not get through either.
"""

from typing import Final

from gateway.core.events import Change, Severity, Words
from gateway.desk import texts
from gateway.desk.store import unreached, work
from gateway.desk.store.database import Transaction
from gateway.desk.store.events import ingest
from gateway.desk.watching import Own, own_event
from gateway.desk.workflow import CLOSED

UNREACHABLE: Final = "desk.unreachable"


async def lost(transaction: Transaction, person: str, answer: str, now: float) -> bool:
    """Take in that no channel reached a person; return whether an alert was raised."""
    told = []
    if not await unreached.lose(transaction, person, answer, now):
        since = await unreached.since(transaction, person)
        over = own_event(_about(person, texts.unreachable(person)), Change.CLEARED, since=since, now=now)
        known = await work.find(transaction, over.alert)
        if known is None or known.state not in CLOSED:
            return False
        told.append(over)
        await unreached.find(transaction, person)
        await unreached.lose(transaction, person, answer, now)
    about = _about(person, texts.unreachable(person, answer))
    await ingest(transaction, [*told, own_event(about, Change.RAISED, since=now, now=now)], now)
    return True


async def reached(transaction: Transaction, person: str, now: float) -> bool:
    """Take in that a page got through to a person; return whether an alert was cleared."""
    since = await unreached.find(transaction, person)
    if since is None:
        return False
    about = _about(person, texts.unreachable(person))
    await ingest(transaction, [own_event(about, Change.CLEARED, since=since, now=now)], now)
    return True


def _about(person: str, text: Words) -> Own:
    return Own(person.replace("/", "_"), UNREACHABLE, Severity.MAJOR, text)
