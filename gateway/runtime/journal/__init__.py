"""The journal: an append-only log of events on disk, read by sinks that each have a cursor."""

from gateway.runtime.journal.contract import JournalSettings, JournalStatistics, Salvage, StoreError
from gateway.runtime.journal.journal import Journal
from gateway.runtime.journal.rows import START, Lane, Position
from gateway.runtime.journal.summary import Needed

__all__ = [
    "START",
    "Journal",
    "JournalSettings",
    "JournalStatistics",
    "Lane",
    "Needed",
    "Position",
    "Salvage",
    "StoreError",
]
