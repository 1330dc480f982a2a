"""The uplink: follows the journal by cursor and speaks MQTT; what the broker confirmed moves the cursor.

How it works: brokers are tried in the order of the list, with a growing, jittered pause after each vain round.
While a connection stands a `Session` moves rows over it. On a broker that is not the first of the list the
first is tried again every ten minutes, and taken back as soon as it answers, before the other is left. When
nothing of a lane has been confirmed for 30 s although something waits (EN 54-21 allows a fire system 100 s),
the gateway itself is told, as an event: people on site must know that nobody upstream hears them. One row that is
refused while those behind it are taken is no such silence.
"""

import asyncio
import contextlib
import functools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from gateway.core import payload
from gateway.core.config import MqttTable
from gateway.core.events import Body, Event, LinkBody
from gateway.core.incoming import Incoming
from gateway.runtime.journal.feed import Rows
from gateway.runtime.journal.outbox import Outbox
from gateway.runtime.journal.rows import Lane, Position
from gateway.services.uplink import opening, receipts
from gateway.services.uplink.brokers import Broker, Pause, UplinkError, brokers
from gateway.services.uplink.certificates import LOOK_S, Certificates
from gateway.services.uplink.connection import Connection, Identity, Message, Receive, Subscription
from gateway.services.uplink.evidence import EvidenceLane, Pieces
from gateway.services.uplink.session import READINGS_SINK, SINKS, URGENT_SINK, House, Session, Tally
from gateway.services.uplink.states import States
from gateway.services.uplink.statistics import UplinkStatistics

log = logging.getLogger(__name__)

STALL_S: Final = 30.0
WATCH_S: Final = 1.0
RECEIPT_WAIT_S: Final = 300.0
REFUSAL_WAIT_S: Final = 30.0
HOME_S: Final = 600.0
URGENT_PAUSE_S: Final = 5.0
GOOD_S: Final = 10.0  # a connection that stood so long was good: the next try comes quickly
HIDES: Final = "MQTT 3.1.1 hides refusals: what the broker's rules forbid looks delivered"

Connect = Callable[[Broker, Identity, Receive], Awaitable[Connection]]


class Remote(Protocol):
    """Who takes orders from afar."""

    def heard(self, message: Incoming) -> None:
        """Take in a message of the command topic."""

    def greet(self) -> None:
        """Take note of a new connection."""


class Uplink:
    """The sink of the journal that speaks MQTT. Raises SetupError at once where the table makes no sense.

    `evidence` keeps the pictures that go up when nothing else wants to. `remote` takes orders; without it nobody
    can give us any. `at` is where `connect` goes, if not where the table says. `was_down` says that the gateway still
    believes nothing gets through, from before it was started.
    """

    def __init__(
        self,
        table: MqttTable,
        gateway_id: str,
        *,
        journal: Rows,
        states: Callable[[str], bytes | None],
        health: Callable[[], bytes],
        submit: Callable[[Body], Event],
        evidence: Pieces | None = None,
        remote: Remote | None = None,
        was_down: bool = False,
        resident: Callable[[str, str], str] = lambda _device, _point: "",
        probe: Callable[[str], None] = lambda _point: None,
        connect: Connect = opening.connect,
        at: tuple[Broker, ...] | None = None,
        chance: Callable[[], float] = random.random,
        renewal_s: float = LOOK_S,
    ) -> None:
        desk = table.confirm == "desk"
        self._receipts, self._orders = (payload.topic(gateway_id, what) for what in ("receipt", "command"))
        self._remote = remote
        wanted = [Subscription(self._receipts)] if desk else []
        wanted += [] if remote is None else [Subscription(self._orders, queued=False)]
        self._certificates = Certificates(table, every_s=renewal_s)
        self._brokers = brokers(table) if at is None else at
        self._identity = Identity(gateway_id, table, tuple(wanted))
        self._house = House(gateway_id, journal, states, health, probe, desk, resident)
        self._submit, self._connect, self._was_down = submit, connect, was_down
        self._pause, self._chance = Pause(chance), chance
        self._tally = Tally()
        wait_last_s = RECEIPT_WAIT_S if desk else REFUSAL_WAIT_S
        self._outbox = Outbox(journal.cursor(URGENT_SINK), wait_last_s=wait_last_s)
        self._states = States(journal.cursor(READINGS_SINK))
        self._evidence = None if evidence is None else EvidenceLane(evidence, gateway_id)
        self._link: Connection | None = None
        self._spare: Connection | None = None
        self._session: Session | None = None
        self._connections = 0
        self._trouble = "not connected yet"

    async def run(self) -> None:
        """Keep everything flowing until cancelled; then say goodbye and return within a second."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stay_connected(), name="uplink.connection")
            group.create_task(self._watch(), name="uplink.watch")
            if self._was_down:
                group.create_task(self._greet(), name="uplink.greet")

    def device_changed(self, device: str) -> None:
        """Have the state of a device told even though no row says so."""
        self._states.changed(device)

    def health_changed(self) -> None:
        """Have health told soon instead of at its next minute."""
        self._tally.health_changed = True

    def is_confirmed(self, position: Position) -> bool:
        """Return whether upstream has confirmed an urgent row: the desk by its receipt, or the broker."""
        return self._outbox.is_confirmed(position)

    def statistics(self) -> UplinkStatistics:
        """Return what the uplink did so far."""
        link, tally = self._link, self._tally
        hides = link is not None and link.protocol == "3.1.1"
        return UplinkStatistics(
            connected=link is not None,
            broker=link.broker if link else "",
            protocol=link.protocol if link else "",
            confirm=self._identity.table.confirm,
            window=link.window if link else self._identity.table.window,
            flying=link.flying if link else 0,
            waiting=self._outbox.waiting,
            confirmed=tally.confirmed[Lane.URGENT],
            states_confirmed=tally.confirmed[Lane.READINGS],
            resent=self._outbox.resent,
            refused=tally.refused,
            thinned=self._states.thinned,
            receipts_ignored=tally.receipts_ignored,
            evidence_parts=self._evidence.parts if self._evidence else 0,
            evidence_refused=self._evidence.refused if self._evidence else 0,
            connections=self._connections,
            last_confirmed_at=tally.last_confirmed_at,
            trouble=self._trouble if link is None else tally.refusal,
            note=self._certificates.trouble or (HIDES if hides else ""),
            certificate_until=self._certificates.good_until,
        )

    async def _stay_connected(self) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while True:
                link, self._spare = self._spare or await self._next_link(), None
                if link is None:
                    await self._rest()
                    continue
                began = clock()
                await self._serve(link)
                if clock() - began > GOOD_S:
                    self._pause.reset()
                if self._spare is None:
                    await self._rest()
        finally:
            await self._leave(self._spare)

    async def _rest(self) -> None:
        """Pause before the next try; never for long while an alert waits, nor when one comes meanwhile."""
        pause_s = self._pause.take()
        short_s = min(pause_s, URGENT_PAUSE_S * (0.5 + self._chance() / 2))
        await asyncio.sleep(short_s)
        journal = self._house.journal
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s - short_s):
                await journal.wait(Lane.URGENT, journal.cursor(URGENT_SINK))

    async def _next_link(self) -> Connection | None:
        """Return a connection to the first broker that takes us, or None when none does."""
        await self._certificates.take()
        for broker in self._brokers:
            try:
                return await self._connect(broker, self._identity, self._receive)
            except UplinkError as error:
                self._note(str(error))
        return None

    async def _serve(self, link: Connection) -> None:
        """Work on `link` until it is lost, or leave it in order when cancelled."""
        log.info("connected to %s with MQTT %s", link.broker, link.protocol)
        self._link, self._connections = link, self._connections + 1
        self._session = Session(
            link, self._house, self._outbox, self._states, self._tally, evidence=self._evidence
        )
        self._say(link, payload.ONLINE)
        if self._remote is not None:
            self._remote.greet()
        if not link.resumed:  # a broker that forgot our session may have forgotten what it retained
            self._states.refresh(asyncio.get_running_loop().time(), every_s=0.0)
        try:
            async with asyncio.TaskGroup() as group:
                home = group.create_task(self._go_home(link), name="uplink.home")
                renewal = group.create_task(self._renew(link), name="uplink.renewal")
                self._note(f"{link.broker}: {await self._session.run()}")
                home.cancel()
                renewal.cancel()
        finally:
            self._link = self._session = None
            self._outbox.link_lost()
            self._states.link_lost()
            await self._leave(link)

    async def _go_home(self, link: Connection) -> None:
        """Try the first broker of the list now and then, and change over to it when it answers."""
        first = self._brokers[0]
        while link.broker != first.url:
            await asyncio.sleep(HOME_S)
            try:
                self._spare = await self._connect(first, self._identity, self._receive)
            except UplinkError as error:
                log.debug("the first broker is still away: %s", error)
            else:
                await self._leave(link)
                return

    async def _renew(self, link: Connection) -> None:
        """Leave in order once the certificate files are renewed: the next connection is made with them."""
        await self._certificates.renewed()
        log.info("the certificate files are renewed: connecting anew")
        await self._leave(link)

    async def _leave(self, link: Connection | None) -> None:
        if link is not None and not link.lost.done():
            await link.close(self._availability(payload.OFFLINE))

    def publish(
        self,
        topic: str,
        content: bytes,
        *,
        content_type: str = payload.JSON,
        retain: bool = False,
        expiry_s: int | None = None,
        correlation: bytes | None = None,
        share: float = 1.0,
    ) -> bool:
        """Send what is no row of the journal, QoS 1; False when there is no connection, or no room on it.

        `share`: of the messages that may be under way; who sends many in no hurry leaves the rest to alerts.
        """
        link = self._link
        if link is None or link.lost.done() or link.flying >= link.window * share:
            return False
        message = Message(topic, content, retain, expiry_s, content_type, correlation)
        told = functools.partial(self._tally.answered, topic)
        link.publish(message, told if retain else lambda _refusal: None)  # nobody may wait for an answer
        return True

    def _receive(self, message: Incoming) -> None:
        """Take in a message. The broker may send those it kept for us before the session has begun."""
        if message.topic == self._orders and self._remote is not None:
            self._remote.heard(message)
        elif message.topic == self._receipts and not message.retained:
            self._receipt(message.content)

    def _receipt(self, data: bytes) -> None:
        try:
            receipt = receipts.decode(data)
        except receipts.ReceiptError as error:
            self._tally.receipts_ignored += 1
            log.warning("a receipt is ignored: %s", error)
            return
        now = asyncio.get_running_loop().time()
        count = self._outbox.receipted(receipt.epoch, receipt.stored, now)
        if count:
            self._tally.confirm(Lane.URGENT, count, now)
        if count and self._session is not None:
            self._session.confirmed()

    def _say(self, link: Connection, availability: bytes) -> None:
        link.publish(
            self._availability(availability), functools.partial(self._tally.answered, "availability")
        )

    def _availability(self, content: bytes) -> Message:
        return Message(self._identity.availability, content, retain=True, content_type="text/plain")

    def _note(self, trouble: str) -> None:
        """Log a trouble when it changes, not each time."""
        if trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble

    async def _greet(self) -> None:
        """Tell the first time that messages are confirmed, because an earlier life ended while none were."""
        flows = [asyncio.create_task(flowed.wait()) for flowed in self._tally.flowed.values()]
        try:
            await asyncio.wait(flows, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for flow in flows:
                flow.cancel()
        self._submit(LinkBody("uplink", self._identity.gateway_id, up=True, reason="messages are confirmed"))

    async def _watch(self) -> None:
        """Tell the gateway when nothing gets through any more, and when it does again."""
        name = self._identity.gateway_id
        while True:
            lane = await self._stalled()
            self._submit(LinkBody("uplink", name, up=False, reason=self._reason()))
            self._tally.flowed[lane].clear()
            await self._tally.flowed[lane].wait()
            self._submit(LinkBody("uplink", name, up=True, reason="messages are confirmed again"))

    async def _stalled(self) -> Lane:
        """Return the lane of which nothing was confirmed for 30 s although something waits."""
        clock, journal, confirmed = (
            asyncio.get_running_loop().time,
            self._house.journal,
            self._tally.confirmed,
        )
        since, seen = dict.fromkeys(SINKS, clock()), dict(confirmed)
        while True:
            await asyncio.sleep(WATCH_S)
            urgent_flows = confirmed[Lane.URGENT] != seen[Lane.URGENT]  # readings wait for what is urgent
            for lane, sink in SINKS.items():
                waits = journal.has(lane, journal.cursor(sink))
                if lane is Lane.URGENT and self._link is not None and self._outbox.passed_over:
                    waits = journal.has(lane, self._outbox.read_to)
                if urgent_flows or confirmed[lane] != seen[lane] or not waits:
                    since[lane] = clock()
                elif clock() - since[lane] >= STALL_S:
                    return lane
            seen = dict(confirmed)

    def _reason(self) -> str:
        """Return in words why nothing is confirmed."""
        if self._link is None:
            return self._trouble
        if self._tally.refusal:
            return self._tally.refusal
        if self._house.receipts_wanted:
            return "the desk sends no receipts"
        return "the broker acknowledges nothing"
