"""What somebody acknowledged at the desk, on its way to the gateway, so that its own list agrees.

An acknowledgement that came from a gateway is never sent back, and the echo of one that the desk sent is none of
somebody there: without the first two lists would acknowledge each other for ever, without the second an alert that
was reopened meanwhile would be taken for seen. The earliest acknowledgement stands (the table of workflow.py).
"""

import hashlib
import re
from typing import Final

from gateway.core.signed import clean
from gateway.desk.grouping import OWN
from gateway.desk.orders import ACKNOWLEDGE, Order, life_s
from gateway.desk.store.database import Transaction
from gateway.desk.store.order_rows import write

WANTING: Final = ("active_unacked", "cleared_unacked", "latched_unacked", "shelved_cleared")
"""States of an alert at its gateway in which an acknowledgement is wanted (gateway/core/alerts.py)."""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ORIGIN: Final = re.compile(r"remote:[^/]+/(.*)", re.S)


async def pass_on(transaction: Transaction, alert: str, who: str, version: int, now: float) -> None:
    """Have an alert acknowledged at its gateway, if it waits for that there; `version` is that of the work."""
    rows = await transaction.fetch("SELECT gateway, state FROM alerts WHERE alert = $1", alert)
    if not rows or rows[0]["gateway"].startswith(OWN) or rows[0]["state"] not in WANTING:
        return
    gateway: str = rows[0]["gateway"]
    subject = alert.removeprefix(f"{gateway}/")
    if not _NAME.fullmatch(subject):
        return  # no gateway of ours gives such a name, and none could be told of it
    name = f"ack-{hashlib.sha256(alert.encode()).hexdigest()[:24]}-{version}.0"
    made = Order(
        id=name,
        gateway=gateway,
        target=subject,
        action=ACKNOWLEDGE,
        arguments={},
        who=clean(who, 64) or "?",
        made_at=now,
        until=now + life_s(ACKNOWLEDGE),
    )
    await write(transaction, made)


async def is_echo(transaction: Transaction, gateway: str, alert: str, by: str) -> bool:
    """Return whether who acknowledged an alert at its gateway is somebody whose order we sent there."""
    match = _ORIGIN.fullmatch(by)
    if match is None:
        return False
    rows = await transaction.fetch(
        "SELECT who FROM orders WHERE gateway = $1 AND target = $2 AND action = 'acknowledge'",
        gateway,
        alert.removeprefix(f"{gateway}/"),
    )
    told = match[1].removesuffix("…")  # a long name is cut on its way
    return any(row["who"] == told or (told != match[1] and row["who"].startswith(told)) for row in rows)
