"""Events in memory on their way to the disk: what is urgent, what may wait, and until when. Pure.

Urgent rows are never dropped here, however long the disk refuses. Readings are bounded: the oldest go first,
and are counted. What is being written stays here until it is durable.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from gateway.runtime.journal.contract import JournalSettings
from gateway.runtime.journal.rows import Lane, Row
from gateway.runtime.journal.statements import Batch

MOST_ROWS = 2000  # in one transaction


class Pending:
    """The queue before the disk. Times are monotonic seconds."""

    def __init__(self, settings: JournalSettings) -> None:
        self.thinned = 0
        self._settings = settings
        self._rows: dict[Lane, deque[Row]] = {lane: deque() for lane in Lane}
        self._marks: dict[str, int] = {}
        self._flight: Batch | None = None
        self._readings_due = float("inf")
        self._marks_due = float("inf")

    def add(self, lane: Lane, row: Row, now: float) -> None:
        """Queue a row."""
        rows = self._rows[lane]
        rows.append(row)
        if lane is Lane.URGENT:
            return
        self._readings_due = min(self._readings_due, now + self._settings.readings_delay_s)
        if len(rows) > self._settings.pending_readings:
            rows.popleft()
            self.thinned += 1

    def mark(self, name: str, value: int, now: float) -> None:
        """Queue a mark; it rides in the next transaction, or causes one a little later."""
        self._marks[name] = value
        self._marks_due = min(self._marks_due, now + self._settings.cursor_delay_s)

    def due(self) -> float:
        """Return when a transaction is due: 0 is at once, infinity never."""
        return 0.0 if self._rows[Lane.URGENT] else min(self._readings_due, self._marks_due)

    def take(self, now: float) -> Batch:
        """Return the next batch, everything that is queued up to a bound; then say `written` or `refused`.

        Cursors come along once they are due: in a storm they would cost every commit a page of its own.
        """
        rows = {
            lane: [queue.popleft() for _ in range(min(len(queue), MOST_ROWS))]
            for lane, queue in self._rows.items()
        }
        marks: dict[str, int] = {}
        if self._marks_due <= now:
            marks, self._marks, self._marks_due = self._marks, {}, float("inf")
        self._flight = Batch(rows, marks)
        if not self._rows[Lane.READINGS]:
            self._readings_due = float("inf")
        return self._flight

    def written(self) -> None:
        """Forget the batch: it is durable."""
        self._flight = None

    def refused(self) -> None:
        """Put the batch back in front of what came meanwhile."""
        if self._flight is None:
            return
        for lane, rows in self._flight.rows.items():
            self._rows[lane].extendleft(reversed(rows))
        self._marks = {**self._flight.marks, **self._marks}
        self._readings_due = self._marks_due = 0.0
        self._flight = None

    def held(self, lane: Lane, after: int = -1) -> list[Row]:
        """Return the rows of a lane that are not yet durable, past `after`."""
        flight = self._flight.rows[lane] if self._flight else ()
        return [row for rows in (flight, self._rows[lane]) for row in rows if row.position > after]

    def count(self, lane: Lane) -> int:
        """Return how many rows of a lane are not yet durable."""
        return len(self._rows[lane]) + (len(self._flight.rows[lane]) if self._flight else 0)


class Tail:
    """The last durable rows of the urgent lane, in memory.

    A live alert is read from here: it does not queue for the disk behind the next commit, and can be had when
    the disk can no longer be read.
    """

    def __init__(self, after: int, size: int = 256) -> None:
        self._rows: deque[Row] = deque()
        self._after, self._size = after, size

    def extend(self, rows: Sequence[Row]) -> None:
        """Add rows that have become durable."""
        self._rows.extend(rows)
        while len(self._rows) > self._size:
            self._after = self._rows.popleft().position

    def covers(self, after: int) -> bool:
        """Return whether every durable row past `after` is here."""
        return after >= self._after

    def past(self, after: int, limit: int) -> list[Row]:
        """Return up to `limit` rows past `after`."""
        return list(islice((row for row in self._rows if row.position > after), limit))
