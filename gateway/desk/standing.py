"""How a running desk is: what it took in, whom it hears, what waits and what failed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from gateway.desk.broker import Broker
from gateway.desk.evidence.keeping import Tally as EvidenceTally
from gateway.desk.intake import Tally
from gateway.desk.losing import DAMAGED
from gateway.desk.store import losses
from gateway.desk.store.database import Database

_COUNTS: Final = """
SELECT (SELECT count(*) FROM work WHERE state NOT IN ('resolved', 'false_alarm')) AS open_alerts,
  (SELECT count(*) FROM notifications WHERE state = 'waiting') AS waiting,
  (SELECT count(*) FROM notifications WHERE state = 'failed') AS failed
"""


async def standing(
    database: Database, *, name: str, brokers: Iterable[Broker], intake: Tally, evidence: EvidenceTally
) -> Mapping[str, Any]:
    """Return how a desk is, as a document."""
    async with database.transaction() as transaction:
        [counts] = await transaction.fetch(_COUNTS)
        quiet = await transaction.fetch(
            "SELECT gateway, quiet_since FROM gateways WHERE quiet_since IS NOT NULL ORDER BY gateway"
        )
        damaged = await losses.open_alerts(transaction, DAMAGED)
    return {
        "name": name,
        **{key: counts[key] for key in ("open_alerts", "waiting", "failed")},
        "quiet": [{"gateway": row["gateway"], "since": row["quiet_since"]} for row in quiet],
        "damaged": [{"zh": row["zh"], "en": row["en"]} for row in damaged],
        "brokers": [
            {"url": each.url, "name": each.name, "since": each.listening_since()} for each in brokers
        ],
        "intake": asdict(intake),
        "evidence": asdict(evidence),
    }
