"""The open alerts as pages show them, kept in memory and read anew where the feed says that one has changed.

Ten thousand phones that look at the list ask the database nothing: they are shown what stands here, and told what
changes here. What is closed or older stands in the database only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from gateway.core.events import Place
from gateway.desk.store import lists
from gateway.desk.store.database import Database, Row, Transaction
from gateway.desk.web.permissions import reaches
from gateway.desk.web.shapes import Alert, File, alert_of
from gateway.desk.workflow import OPEN

MOST: Final = 20_000


class Showing:
    """All open alerts, as of the last time they were looked at."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: dict[str, Alert] = {}
        self._sorted: list[Alert] | None = None

    async def load(self) -> None:
        """Read all open alerts."""
        async with self._database.transaction() as transaction:
            found = await with_files(transaction, await lists.opened(transaction, MOST))
        self._open = {each.alert: each for each in found}
        self._sorted = None

    async def refresh(self, alerts: Collection[str]) -> Mapping[str, Alert]:
        """Read these anew; return them as they are now, closed ones among them."""
        async with self._database.transaction() as transaction:
            found = await with_files(transaction, await lists.these(transaction, sorted(alerts)))
        for each in found:
            if each.state in OPEN:
                self._open[each.alert] = each
            else:
                self._open.pop(each.alert, None)
        self._sorted = None
        return {each.alert: each for each in found}

    def open_in(self, places: Sequence[Place]) -> list[Alert]:
        """Return the open alerts in these places: unacknowledged ones first, then the worst, then the oldest."""
        if self._sorted is None:
            self._sorted = sorted(self._open.values(), key=_order)
        return [each for each in self._sorted if reaches(places, each.place)]


async def with_files(transaction: Transaction, rows: Iterable[Row]) -> list[Alert]:
    """Return rows of `lists.SELECT` as alerts with what was kept of them."""
    kept = list(rows)
    files: dict[str, list[File]] = {}
    for row in await lists.files(transaction, [each["alert"] for each in kept]):
        files.setdefault(row["alert"], []).append(File(row["sha256"], row["kind"]))
    return [alert_of(row, files.get(row["alert"], ())) for row in kept]


def _order(alert: Alert) -> tuple[bool, int, float, str]:
    return alert.state != "raised", -alert.rank, alert.opened_at, alert.alert
