"""What the journal is told and what it tells: settings, statistics, salvage, its one error."""

from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How long rows are kept and how much room they may take.

    `readings_delay_s` is how long a reading may wait for company before it is committed, `cursor_delay_s` the
    same for a cursor. `retry_s` is the pause between two tries at a disk that refuses. `pending_readings` bounds
    the readings held in memory meanwhile (the oldest are thinned); what is urgent is never dropped. In a storm
    on a slow disk, when alerts came while others were being written, commits begin at least `storm_pace_s` apart
    unless `storm_rows` wait already: that halves what a storm writes to the card. A lone alert never waits for it.
    `first_epoch` is the least with which a journal begins that nobody remembers an earlier one of.
    """

    retention_days: float = 400.0
    max_bytes: int = 512 * MIB
    reserve_bytes: int = 12 * MIB
    readings_delay_s: float = 5.0
    cursor_delay_s: float = 1.0
    retry_s: float = 1.0
    storm_pace_s: float = 0.06
    storm_rows: int = 64
    upkeep_s: float = 60.0
    pending_readings: int = 5000
    check_bytes: int = 16 * MIB  # a larger file is looked through only when something in it was found damaged
    first_epoch: int = 1


@dataclass(frozen=True, slots=True)
class Salvage:
    """A damaged journal was set aside at `path` and `rows` of its rows were carried over into the fresh one."""

    path: Path
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class JournalStatistics:
    """The journal as `status` shows it. `failing` is why the disk refuses, None while it does not."""

    epoch: int
    rows: int
    bytes: int
    commits: int
    last_commit_s: float
    failing: str | None
    held: int  # urgent events in memory, not yet durable
    thinned: int  # readings dropped in memory while the disk refused
    damaged: int  # rows whose checksum is wrong, or that vanished
    reserve: bool
    lost: dict[str, int] = field(
        default_factory=dict
    )  # rows by kind that retention took before they were sent
    depth: dict[str, int] = field(default_factory=dict)  # "sink/lane" -> rows past its cursor


class StoreError(Exception):
    """The journal cannot be opened or read. `op` is what was tried, `where` on what, `hint` how to mend it."""

    def __init__(self, op: str, where: str, hint: str = "") -> None:
        super().__init__(op, where, hint)
        self.op, self.where, self.hint = op, where, hint

    def __str__(self) -> str:
        return f"{self.op}: {self.where}" + (f" ({self.hint})" if self.hint else "")
