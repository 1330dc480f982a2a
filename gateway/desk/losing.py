"""Tell people that the record was damaged: what was lost, where the old file lies, what to do.

An alert of the desk's own. It is not over by itself: somebody replaces the card and says so.
"""

import logging
from collections.abc import Collection
from typing import Final

import msgspec

from gateway.core.events import Change, Severity
from gateway.desk import texts
from gateway.desk.store import healing, losses
from gateway.desk.store.database import StoreError, Transaction
from gateway.desk.store.events import ingest
from gateway.desk.store.salvage import Lost
from gateway.desk.watching import Own, own_event

log = logging.getLogger(__name__)

DAMAGED: Final = "desk.damaged"


async def tell(transaction: Transaction, name: str, now: float) -> None:
    """Mend what hangs on lost rows, and raise an alert for each damage that nobody was told of."""
    events = []
    for row in await losses.untold(transaction):
        lost = {each.table: each.rows for each in msgspec.json.decode(row["lost"], type=list[Lost])}
        await _heal(transaction, lost, now)
        about = Own(name, DAMAGED, Severity.MAJOR, texts.damaged(row["aside"], lost))
        events.append(own_event(about, Change.RAISED, since=row["at"], now=now))
    if events:
        await ingest(transaction, events, now)
        await losses.told(transaction)


async def _heal(transaction: Transaction, lost: Collection[str], now: float) -> None:
    """Mend what can be mended; a desk that cannot do it starts all the same."""
    await transaction.execute("SAVEPOINT healing")
    try:
        await healing.heal(transaction, lost, now)
    except StoreError:
        raise
    except Exception:  # a row that has rotted may hold anything, and people must be paged for what comes
        log.exception("what hangs on lost rows of %s cannot be mended", ", ".join(lost))
        await transaction.execute("ROLLBACK TO healing")
    await transaction.execute("RELEASE healing")
