"""Access as the rest of the house sees it: the list, its source, what happens at the readers, and the operations."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from drivers.api import Presented
from gateway.core.access import DoorFacts, Terms
from gateway.core.config import AccessTable
from gateway.core.events import Body
from gateway.core.schedule import Schedule
from gateway.runtime.stream import Stamp
from gateway.services.access.admission import Admission, Feedback, Grant
from gateway.services.access.book import Book
from gateway.services.access.operations import CardOperations, Operation
from gateway.services.access.source import Source

log = logging.getLogger(__name__)


class Access:
    """The local access list. `table` is None where nothing is configured: then the list comes by `cards import`.

    `folder` is the state directory. `services` are to be run by the supervisor, `operations` to be served on the
    control socket. `grant`, `feedback` and `locked_down` are called from `presented` and must return at once.
    """

    def __init__(
        self,
        table: AccessTable | None,
        doors: Sequence[DoorFacts],
        schedules: Mapping[str, Schedule],
        *,
        folder: Path,
        submit: Callable[[Body], object],
        grant: Grant,
        feedback: Callable[[str, Feedback], None],
        now: Callable[[], Stamp],
        locked_down: Callable[[str], bool] = lambda _: False,
        offset_h: float = 8.0,
    ) -> None:
        table = AccessTable() if table is None else table
        without_clock: Literal["grant", "deny"] = "deny" if table.without_clock == "deny" else "grant"
        self._book = Book(folder, doors, schedules, submit=submit, offset_h=offset_h)
        self._source = Source(table, self._book, wall=lambda: now().wall)
        admission = Admission(
            doors,
            Terms(schedules, without_clock),
            self._book,
            submit=submit,
            grant=grant,
            feedback=feedback,
            now=now,
            locked_down=locked_down,
        )
        self.presented: Callable[[Presented], None] = admission.presented
        self.services: dict[str, Callable[[], Awaitable[None]]] = {
            "access": admission.run,
            "access list": self._source.run,
        }
        self.operations: dict[str, Operation] = CardOperations(
            self._book, doors, source=self._source.status, now=now, offset_h=offset_h
        ).by_name

    def statistics(self) -> dict[str, Any]:
        """Return how many entries there are and where they come from, for the health document."""
        return {
            "entries": len(self._book.listed),
            "blocked_here": len(self._book.listed.barred),
            "ready": self._book.ready,
            "source": self._source.status(),
        }
