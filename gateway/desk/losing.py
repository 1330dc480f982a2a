"""Tell people that the record was damaged: what was lost, where the old file lies, what to do.

An alert of the desk's own. It is not over by itself: somebody replaces the card and says so.
"""

from typing import Final

import msgspec

from gateway.core.events import Change, Severity
from gateway.desk import texts
from gateway.desk.store import healing, losses
from gateway.desk.store.database import Transaction
from gateway.desk.store.events import ingest
from gateway.desk.store.salvage import Lost
from gateway.desk.watching import Own, own_event

DAMAGED: Final = "desk.damaged"


async def tell(transaction: Transaction, name: str, now: float) -> None:
    """Mend what hangs on lost rows, and raise an alert for each damage that nobody was told of."""
    events = []
    for row in await losses.untold(transaction):
        lost = {each.table: each.rows for each in msgspec.json.decode(row["lost"], type=list[Lost])}
        await healing.heal(transaction, lost, now)
        about = Own(name, DAMAGED, Severity.MAJOR, texts.damaged(row["aside"], lost))
        events.append(own_event(about, Change.RAISED, since=row["at"], now=now))
    if events:
        await ingest(transaction, events, now)
        await losses.told(transaction)
