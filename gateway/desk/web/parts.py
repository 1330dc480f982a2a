"""What handlers work with: the database, who there is, what pages are shown, whom to wake."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gateway.desk.feed import Feed
from gateway.desk.registry.keeping import Registry
from gateway.desk.store.database import Database
from gateway.desk.web.asking import People
from gateway.desk.web.figures import Figures
from gateway.desk.web.live import Live
from gateway.desk.web.showing import Showing


class Files(Protocol):
    """Where photos are kept, and everything else that belongs to alerts."""

    async def photo(self, content: bytes, who: str) -> str:
        """Keep a photo of a person's and return its SHA-256; raises ValueError for what is none, OSError."""

    def path(self, sha256: str) -> Path:
        """Return where a file is, if this desk has it."""


@dataclass(frozen=True, slots=True)
class WebPush:
    """What a browser must know to get pages over Web Push, and which push services are asked."""

    key: str
    allowed: Callable[[str], bool]


@dataclass(slots=True)
class Parts:
    """The parts of the desk that its pages need. `now` is wall seconds, `clock` monotonic ones."""

    database: Database
    feed: Feed
    showing: Showing
    live: Live
    people: People
    files: Files
    url: str = ""
    """How phones reach the desk, where that is not how this very page is reached."""
    wake: Callable[[], None] = lambda: None
    """Has the escalation look at once."""
    signs: bool = False
    """Whether the desk has a key to sign orders with."""
    ordered: Callable[[], None] = lambda: None
    """Has orders sent at once."""
    push: WebPush | None = None
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    registry: Registry = field(init=False)
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        """Have a registry and figures over the same database."""
        self.registry = Registry(self.database)
        self.figures = Figures(self.database, self.showing, self.registry, self._clock)

    def _clock(self) -> float:
        return self.clock()

    def changed(self) -> None:
        """Have open pages told, and ladders climbed, after a commit."""
        self.feed.wake()
        self.wake()
