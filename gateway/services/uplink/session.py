"""The work on one connection: urgent rows first, then device states and health, never more than the window.

The journal is the store and the outbox the bookkeeping; a session only moves rows between them and the link,
and dies with the link. Urgent rows may fill the window; states may fill half of it, and only when no urgent
row is at hand, so an alert that has just been committed is always the next thing sent. Behind more than a
thousand urgent rows the first event of every critical alert overtakes the others, those raised just now and
those a scout finds in the backlog: a fire pre-empts all other traffic (GB 26875.1, 4.1.1.4), and within one
alert's life the order still holds. What is to be sent again is read beside them, one row at a time, and behind no
backlog: a fire that the broker refuses for a moment goes up again as soon as its time has come.
"""

import asyncio
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from gateway.core import outcomes, payload
from gateway.core.events import AlertBody, Change, Event, OutcomeBody, Severity
from gateway.runtime.journal.feed import Again, Feed, Rows
from gateway.runtime.journal.outbox import Outbox
from gateway.runtime.journal.rows import Lane, Position
from gateway.services.uplink.connection import Connection, Message
from gateway.services.uplink.evidence import EvidenceLane
from gateway.services.uplink.states import EXPIRY_S, States

URGENT_SINK: Final = "uplink.urgent"
READINGS_SINK: Final = "uplink.readings"
SINKS: Final = {Lane.URGENT: URGENT_SINK, Lane.READINGS: READINGS_SINK}

TICK_S: Final = 0.5
HEALTH_S: Final = 60.0
HEALTH_PAUSE_S: Final = 5.0  # a flapping bus must not flood the broker with health
BACKLOG: Final = 1_000  # with more rows than this to go, a fire overtakes them
RESERVE: Final = 2  # of the window, for health and availability


@dataclass(slots=True)
class Tally:
    """What was counted over all connections. `flowed` is set whenever a row of the lane is confirmed."""

    confirmed: dict[Lane, int] = field(default_factory=lambda: dict.fromkeys(Lane, 0))
    flowed: dict[Lane, asyncio.Event] = field(
        default_factory=lambda: {lane: asyncio.Event() for lane in Lane}
    )
    refused: int = 0
    refusals: dict[str, str] = field(default_factory=dict)  # of what was refused and not taken since
    receipts_ignored: int = 0
    last_confirmed_at: float | None = None
    health_changed: bool = False

    def confirm(self, lane: Lane, count: int, now: float) -> None:
        """Count confirmed messages."""
        self.confirmed[lane] += count
        self.flowed[lane].set()
        self.last_confirmed_at = now

    @property
    def refusal(self) -> str:
        """Return in words what was refused last and still is; empty where the broker takes everything."""
        return next(reversed(self.refusals.values()), "")

    def answered(self, what: str, refusal: str | None) -> None:
        """Take in what the broker said of a message: the reason why it was refused, None where it was taken."""
        self.refusals.pop(what, None)
        if refusal is not None:
            self.refused += 1
            self.refusals[what] = f"the broker refuses {what}: {refusal}"


@dataclass(frozen=True, slots=True)
class House:
    """What a session needs of the rest of the gateway."""

    gateway_id: str
    journal: Rows
    states: Callable[[str], bytes | None]
    health: Callable[[], bytes]
    probe: Callable[[str], None]
    receipts_wanted: bool
    resident: Callable[[str, str], str] = lambda _device, _point: ""


class Session:
    """Moves rows over one connection until it is lost."""

    def __init__(
        self,
        link: Connection,
        house: House,
        outbox: Outbox,
        states: States,
        tally: Tally,
        *,
        evidence: EvidenceLane | None = None,
    ) -> None:
        self._link, self._house, self._evidence = link, house, evidence
        self._outbox, self._states, self._tally = outbox, states, tally
        self._now = asyncio.get_running_loop().time
        self._nudge = asyncio.Event()
        self._urgent = Feed(house.journal, Lane.URGENT, outbox.read_to, self._nudge.set)
        self._readings = Feed(house.journal, Lane.READINGS, states.cursor, self._nudge.set)
        self._live = Feed(house.journal, Lane.URGENT, house.journal.last(Lane.URGENT), self._nudge.set)
        self._scout = Feed(house.journal, Lane.URGENT, outbox.read_to, self._nudge.set)
        self._again = Again(house.journal, self._nudge.set, lambda row: outbox.put_off(row, self._now()))
        self._cursors = {URGENT_SINK: outbox.cursor, READINGS_SINK: states.cursor}
        self._health_at = float("-inf")

    async def run(self) -> str:
        """Work until the connection is lost; return why it was."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._urgent.run(), name="uplink.urgent"),
                group.create_task(self._readings.run(), name="uplink.readings"),
                group.create_task(self._live.run(), name="uplink.live"),
                group.create_task(self._scout.run(), name="uplink.scout"),
                group.create_task(self._again.run(), name="uplink.again"),
                group.create_task(self._pump(), name="uplink.pump"),
                group.create_task(self._tick(), name="uplink.tick"),
            ]
            if self._evidence is not None:
                lane = self._evidence.run(self._link, self._is_free)
                tasks.append(group.create_task(lane, name="uplink.evidence"))
            await asyncio.wait([self._link.lost])
            for task in tasks:
                task.cancel()
        return self._link.lost.result()

    @property
    def _room(self) -> int:
        return max(self._link.window - RESERVE, 1)

    def _is_free(self) -> bool:
        """Return whether nothing that matters more than a picture wants the link."""
        waiting = self._urgent.ready or self._live.ready or not self._states.idle
        return not waiting and not self._link.lost.done() and self._link.flying < max(self._room // 4, 1)

    def confirmed(self) -> None:
        """Take note that the outbox was told of confirmed rows from outside: receipts."""
        self._move(URGENT_SINK, self._outbox.cursor)
        self._nudge.set()

    async def _tick(self) -> None:
        while True:
            self._link.tick()
            self._states.refresh(self._now())
            self._nudge.set()
            await asyncio.sleep(TICK_S)

    async def _pump(self) -> None:
        while True:
            await self._nudge.wait()
            self._nudge.clear()
            self._send_urgent()
            self._send_health()
            self._send_states()

    def _send_urgent(self) -> None:
        while self._link.flying < self._room:
            if self._outbox.room_again():
                self._urgent.rewind(self._outbox.read_to)
                self._scout.rewind(self._outbox.read_to)
            seen = self._live.take() or (self._scout.take() if self._outbox.room_ahead else None)
            if seen is not None:
                self._overtake(seen)
            elif (read := self._again.take()) is not None:
                self._send_again(*read)
            else:
                if self._again.idle and (due := self._outbox.due(self._now())) is not None:
                    self._again.want(*due)  # it is read meanwhile, one at a time: nothing waits for it
                if (event := self._urgent.take()) is None:
                    return
                self._send_first(event)

    def _overtake(self, event: Event) -> None:
        """Send a fire ahead of a long backlog."""
        if self._urgent.caught_up or not _is_new_and_critical(event):
            return
        backlog = self._house.journal.depth(URGENT_SINK, Lane.URGENT) - self._outbox.waiting
        position, receipt = (event.epoch, event.seq), self._house.receipts_wanted
        if backlog > BACKLOG and self._outbox.send_ahead(position, self._now(), receipt=receipt):
            self._publish(event)

    def _send_first(self, event: Event) -> None:
        if _is_told(event) and not self._outbox.had_ahead((event.epoch, event.seq)):
            self._send(event)
            return
        self._outbox.pass_over((event.epoch, event.seq))
        self._move(URGENT_SINK, self._outbox.cursor)

    def _send_again(self, position: Position, event: Event | None) -> None:
        if not self._outbox.waits(position):
            return
        if event is not None:
            self._send(event)
        else:
            self._outbox.gone(position)
            self._move(URGENT_SINK, self._outbox.cursor)

    def _send(self, event: Event) -> None:
        receipt = self._house.receipts_wanted and isinstance(event.body, AlertBody)
        self._outbox.sent((event.epoch, event.seq), self._now(), receipt=receipt)
        self._publish(event)

    def _publish(self, event: Event) -> None:
        position, house = (event.epoch, event.seq), self._house
        if isinstance(event.body, AlertBody):
            what, content = "alert", self._alert(event, event.body)
        else:
            what, content = "outcome", payload.outcome_event(event, house.gateway_id)
        topic = payload.topic(house.gateway_id, what)
        message = Message(topic, content, content_type=payload.CLOUD_EVENT)
        house.probe("uplink.before_publish")
        self._link.publish(message, functools.partial(self._answered, position, what))
        house.probe("uplink.after_publish")

    def _alert(self, event: Event, body: AlertBody) -> bytes:
        whose = self._house.resident(body.device, body.point or "") if body.device else ""
        return payload.alert_event(event, self._house.gateway_id, whose)

    def _answered(self, position: Position, what: str, refusal: str | None) -> None:
        self._house.probe("uplink.before_acknowledgement")
        if refusal is not None:
            self._outbox.refused(position)
            self._tally.answered(what, refusal)
        else:
            if self._outbox.acknowledged(position, self._now()):
                self._tally.confirm(Lane.URGENT, 1, self._now())
                self._move(URGENT_SINK, self._outbox.cursor)
            if not self._outbox.refuses:
                self._tally.answered(what, None)
        self._house.probe("uplink.after_acknowledgement")
        self._nudge.set()

    def _send_states(self) -> None:
        while self._link.flying < max(self._room // 2, 1) and not self._urgent.ready:
            if self._states.idle:
                rows = list(self._readings.ready)
                self._readings.ready.clear()
                self._readings.take()
                self._states.begin(rows)
                self._move(READINGS_SINK, self._states.cursor)
            device = self._states.due(self._now())
            if device is None and (not self._states.idle or not self._readings.ready):
                return
            if device is not None:
                self._send_state(device)

    def _send_state(self, device: str) -> None:
        content = self._house.states(device)
        if content is None:
            self._states.unknown(device)
            self._tally.answered(_state_of(device), None)
            self._move(READINGS_SINK, self._states.cursor)
            return
        self._states.sent(device, self._now())
        topic = payload.topic(self._house.gateway_id, "state", device)
        message = Message(topic, content, retain=True, expiry_s=EXPIRY_S)
        self._link.publish(message, functools.partial(self._state_answered, device))

    def _state_answered(self, device: str, refusal: str | None) -> None:
        self._tally.answered(_state_of(device), refusal)
        if refusal is not None:
            self._states.refused(device, self._now())
        else:
            self._states.confirmed(device)
            self._tally.confirm(Lane.READINGS, 1, self._now())
            self._move(READINGS_SINK, self._states.cursor)
        self._nudge.set()

    def _send_health(self) -> None:
        wanted_s = HEALTH_PAUSE_S if self._tally.health_changed else HEALTH_S
        if self._now() - self._health_at < wanted_s or self._link.flying >= self._link.window:
            return
        self._health_at, self._tally.health_changed = self._now(), False
        topic = payload.topic(self._house.gateway_id, "health")
        message = Message(topic, self._house.health(), retain=True, expiry_s=EXPIRY_S)
        self._link.publish(message, functools.partial(self._tally.answered, "health"))

    def _move(self, sink: str, position: Position) -> None:
        if position == self._cursors[sink]:
            return
        self._cursors[sink] = position
        self._house.probe("uplink.before_cursor")
        self._house.journal.move_cursor(sink, position)
        self._house.probe("uplink.after_cursor")


def _state_of(device: str) -> str:
    return f"the state of {device}"


def _is_told(event: Event) -> bool:
    """Return whether a row is for whoever is upstream."""
    body = event.body
    return isinstance(body, AlertBody) or (isinstance(body, OutcomeBody) and outcomes.leaves(body))


def _is_new_and_critical(event: Event) -> bool:
    """Return whether an event begins the life of a critical alert; its later events follow in order behind it."""
    body = event.body
    return isinstance(body, AlertBody) and body.change is Change.RAISED and body.severity is Severity.CRITICAL
