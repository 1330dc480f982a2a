"""The sink of the journal that reports to a fire centre by GB/T 26875.3-2011: connects, stays, and says when it cannot.

How it works: the addresses of a centre are tried in order, every few seconds, for a fire may be waiting; one that
takes a connection and confirms nothing on it (a forwarded port whose centre is gone) is followed by the next. While a
connection stands a `Session` moves rows over it; what the centre confirmed moves the two cursors, of alerts and of
analog values. A centre that is named for the first time is told what stands and what comes, not the whole past.

After half a minute without a connection, with something waiting and nothing confirmed, or with a fire that stands and
is not confirmed, whatever else is, the gateway itself is told: people must know that the centre does not hear them.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gateway.core.events import LinkBody
from gateway.runtime.journal.cursors import UNSERVED
from gateway.runtime.journal.outbox import Outbox
from gateway.runtime.journal.rows import START, Lane, Position
from gateway.services.centre.drain import Drain
from gateway.services.centre.link import CentreError, Link
from gateway.services.centre.parts import House, Tally
from gateway.services.centre.session import Session

log = logging.getLogger(__name__)

AWAY_S: Final = 30.0
WATCH_S: Final = 1.0
PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 4.0
REFUSAL_WAIT_S: Final = 600.0

Open = Callable[[str, int], Awaitable[Link]]


@dataclass(frozen=True, slots=True)
class CentreStatistics:
    """One fire centre as `status` shows it. `confirmed` counts rows; `last_confirmed_at` is monotonic."""

    name: str
    connected: bool
    at: str
    waiting: int
    confirmed: int
    analogs: int
    resent: int
    refused: int
    ignored: int
    asked: int
    connections: int
    last_confirmed_at: float | None
    trouble: str


class Centre:
    """Reports to one centre. `addresses` are (host, port) in the order they are tried."""

    def __init__(
        self,
        house: House,
        addresses: tuple[tuple[str, int], ...],
        *,
        epoch: int,
        was_down: bool = False,
        open_link: Open = Link.open,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._house, self._addresses, self._open, self._chance = house, addresses, open_link, chance
        names = house.names
        urgent = self._begin(names.urgent, Lane.URGENT, epoch)
        readings = self._begin(names.readings, Lane.READINGS, epoch) if house.analog else START
        self._outbox = Outbox(urgent, wait_last_s=REFUSAL_WAIT_S)
        self._drain = Drain(house.facility, house.answers.stamper, readings)
        self._tally = Tally(trouble="not connected yet")
        self._session: Session | None = None
        self._at, self._connections, self._down = "", 0, was_down
        self._next = 0  # of the addresses, which is tried first
        self._logged = ""

    async def run(self) -> None:
        """Report until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stay_connected(), name="centre.connection")
            group.create_task(self._watch(), name="centre.watch")

    def statistics(self) -> CentreStatistics:
        """Return how it goes."""
        tally, exchange = self._tally, None if self._session is None else self._session.exchange
        return CentreStatistics(
            name=self._house.names.name,
            connected=exchange is not None,
            at=self._at if exchange is not None else "",
            waiting=self._outbox.waiting,
            confirmed=tally.confirmed,
            analogs=tally.analogs,
            resent=tally.resent + (exchange.resent if exchange is not None else 0),
            refused=tally.refused,
            ignored=tally.ignored,
            asked=tally.asked,
            connections=self._connections,
            last_confirmed_at=tally.proof_at,
            trouble=tally.trouble,
        )

    def _begin(self, sink: str, lane: Lane, epoch: int) -> Position:
        """Return where a sink stands; a new one, and one taken up again, begins with what comes from now on."""
        journal = self._house.journal
        at, last = journal.cursor(sink), journal.last(lane)
        if at in {START, UNSERVED}:
            at = max(last, (epoch, 0))
            journal.move_cursor(sink, at)
        return at

    async def _stay_connected(self) -> None:
        pause_s = PAUSE_S
        while True:
            link = await self._connect()
            if link is not None:
                before = self._tally.proof_at
                await self._serve(link)
                if self._tally.proof_at != before:
                    self._next, pause_s = 0, PAUSE_S
            await asyncio.sleep(pause_s * (0.5 + self._chance() / 2))
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _connect(self) -> Link | None:
        """Return a connection to the next address that takes one; it is another's turn after it."""
        for _ in self._addresses:
            host, port = self._addresses[self._next]
            self._next = (self._next + 1) % len(self._addresses)
            try:
                return await self._open(host, port)
            except CentreError as error:
                self._note(str(error))
        return None

    async def _serve(self, link: Link) -> None:
        """Report over `link` until it is lost."""
        log.info("connected to fire centre %s at %s", self._house.names.name, link.name)
        self._connections += 1
        self._at, self._tally.trouble = link.name, ""
        self._session = session = Session(link, self._house, self._outbox, self._drain, self._tally)
        try:
            self._note(await session.run())
        finally:
            self._session = None
            self._outbox.link_lost()
            await link.close()

    def _note(self, trouble: str) -> None:
        """Log a trouble when it changes, not each time."""
        if trouble != self._logged:
            log.warning("fire centre %s: %s", self._house.names.name, trouble)
        self._tally.trouble = self._logged = trouble

    async def _watch(self) -> None:
        """Tell the gateway when the centre hears nothing any more, and when it does again."""
        clock = asyncio.get_running_loop().time
        well_at = clock()
        while True:
            await asyncio.sleep(WATCH_S)
            untold = self._fire_is_untold(clock())
            proof_at = None if untold else self._tally.proof_at  # a heartbeat tells of no fire
            if self._down and proof_at is not None and proof_at > well_at and self._session is not None:
                self._tell(up=True, reason="it confirms again")
                well_at = clock()
            elif not self._down:
                well_at = max(well_at, proof_at or well_at)
                if self._is_well() and not untold:
                    well_at = clock()
                elif untold or clock() - well_at >= AWAY_S:
                    self._tell(up=False, reason=self._reason(untold=untold))
                    well_at = clock()

    def _is_well(self) -> bool:
        """Return whether it is connected, has shown on this connection that it answers, and owes us nothing."""
        session, proof_at = self._session, self._tally.proof_at
        if session is None or session.exchange.open:
            return False
        return not self._house.heartbeat_s or (proof_at is not None and proof_at >= session.began)

    def _fire_is_untold(self, now: float) -> bool:
        """Return whether a fire stands and one was told long ago and not taken; when none stands it is too late."""
        fires, facility = self._tally.fires, self._house.facility
        if not facility.burns:
            fires.clear()
        pictured = (at for place, at in self._tally.pictured.items() if facility.burns_at(place))
        return now - min([*fires.values(), *pictured], default=now) >= AWAY_S

    def _reason(self, *, untold: bool) -> str:
        if untold and self._session is not None:
            return "it does not take a fire: does it know this detector's address?"
        return self._tally.trouble or "it confirms nothing"

    def _tell(self, *, up: bool, reason: str) -> None:
        self._down = not up
        self._house.submit(LinkBody("centre", self._house.names.name, up=up, reason=reason))
