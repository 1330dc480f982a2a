"""The work on one connection to a fire centre: what goes first, what may be on its way, what answers mean.

Order: a fire that breaks out; the picture of what stands, once at the beginning; the rows of the journal; values.
At most one packet that is no fire waits for its answer at a time, as small centres expect; fires have four places of
their own beside it, so no backlog, no slow answer and no refusal ever stands before one (GB 26875.1, 4.1.2.3). Only a
packet that is not answered to the last has a heartbeat beside it, which tells a centre that is gone from one that
ignores this packet: what it ignores counts as refused.

A row counts as told when every packet it went in is confirmed. What is refused to the last is tried again later, at
growing intervals, and meanwhile holds up nobody; the cursor stays before it. Told so late, or in a packet that was sent
again, it may come behind its own end: then what is so now is told after it, and is part of the row.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.units import ComponentState, Object
from gateway.core.events import Event, NoteBody
from gateway.runtime.journal.feed import Again, Feed
from gateway.runtime.journal.outbox import Outbox
from gateway.runtime.journal.rows import Lane, Position
from gateway.services.centre.answers import DUTY_KIND
from gateway.services.centre.drain import Drain
from gateway.services.centre.exchange import QUESTIONS, Asked, Exchange, Ignored, Settled
from gateway.services.centre.facility import COMPONENT_STATES, Saying
from gateway.services.centre.link import Heard, Link
from gateway.services.centre.parts import Batch, House, Kind, Packing, Row, Tally

FIRES: Final = 4  # packets of fires that may wait for their answer at a time
AHEAD: Final = 22  # objects made ready beforehand
NOISE_MOST: Final = 256  # pieces in a row that are no packet, after which whoever is there is no centre
ASKED_MOST: Final = 50  # questions and orders a second; a centre that sends more gets no answer to the rest
RECORD_EVERY_S: Final = 60.0
DUTY_EVERY_S: Final = 10.0
RETRY_S: Final = 0.5  # how often it is looked whether a refused row's time has come
SHOW_AGAIN_S: Final = 60.0  # after which a fire of the picture that was not taken is told again


class Session:
    """Moves rows over one connection until it is lost. `outbox` and `drain` outlive it."""

    def __init__(self, link: Link, house: House, outbox: Outbox, drain: Drain, tally: Tally) -> None:
        self._link, self._house, self._tally = link, house, tally
        self._outbox, self._drain = outbox, drain
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._lost: asyncio.Future[str] = loop.create_future()
        self._nudge = asyncio.Event()
        journal = house.journal
        self._urgent = Feed(journal, Lane.URGENT, outbox.read_to, self._nudge.set)
        self._live = Feed(journal, Lane.URGENT, journal.last(Lane.URGENT), self._nudge.set)
        self._again = Again(journal, self._nudge.set, lambda row: outbox.put_off(row, self._now()))
        self._exchange = Exchange(house.ends, house.patience, self._stamp)
        self._fires, self._rows = Packing(fire=True), Packing()
        self._picture = Packing()
        behind = house.journal.depth(house.names.urgent, Lane.URGENT) > AHEAD
        self._show(house.facility.picture(house.answers.stamper, outbox.cursor, all_fires=behind))
        self._in_hand: dict[Position, Row] = {}
        self._cursors = {house.names.urgent: outbox.cursor, house.names.readings: drain.cursor}
        self.began = self._now()
        self._shown_at = self.began
        self._sent_at = self.began - house.heartbeat_s  # so that it shows at once whether anybody answers
        self._asked: deque[float] = deque(maxlen=ASKED_MOST)
        self._recorded: dict[str, float] = {}

    @property
    def exchange(self) -> Exchange:
        """Return what is open on this connection."""
        return self._exchange

    async def run(self) -> str:
        """Work until the connection is lost; return why it was."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._urgent.run(), name="centre.urgent"),
                group.create_task(self._live.run(), name="centre.live"),
                group.create_task(self._again.run(), name="centre.again"),
                group.create_task(self._listen(), name="centre.listen"),
                group.create_task(self._pump(), name="centre.pump"),
            ]
            if self._house.analog:
                readings = self._drain.feed(self._house.journal, self._nudge.set)
                tasks.append(group.create_task(readings.run(), name="centre.readings"))
            await asyncio.wait([self._lost])
            for task in tasks:
                task.cancel()
        self._tally.resent += self._exchange.resent
        return self._lost.result()

    async def _listen(self) -> None:
        noise = 0
        while (heard := await self._link.receive()) is not None:
            self._hear(heard)
            self._nudge.set()
            noise = 0 if heard.frame is not None else noise + 1
            if noise >= NOISE_MOST:
                self._end(f"{self._link.name} sends what is no packet")
                return
            await asyncio.sleep(0)  # a flood is in the buffer already: fires and doors have their turn
        self._end(f"{self._link.name} closed the connection")

    async def _pump(self) -> None:
        while not self._lost.done():
            self._nudge.clear()
            self._work()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_due()):
                    await self._nudge.wait()

    def _work(self) -> None:
        again = self._exchange.due(self._now())
        if again is None:
            self._end(f"{self._link.name} answers nothing")
            return
        for each in again:
            if isinstance(each, Settled):
                self._settled(each)
            else:
                self._send(each)
        self._overtake()
        self._take()
        self._show_again()
        while len(self._fires) and self._flying(fire=True) < FIRES:
            self._begin(self._fires.take())
        if self._exchange.doubtful and self._house.heartbeat_s and Kind.HEARTBEAT not in self._exchange.keys:
            self._begin_with(Kind.HEARTBEAT, lambda: b"")
        if self._flying(fire=False) or len(self._fires):  # the end of a fire never before the fire
            return
        batch = self._picture.take() or self._rows.take()
        if batch is not None:
            self._begin(batch)
        elif self._house.analog and not self._urgent.ready and (values := self._drain.take(self._now())):
            self._begin_with(Kind.VALUES, lambda: values)
        elif self._house.heartbeat_s and self._now() >= self._beat_at:
            self._begin_with(Kind.HEARTBEAT, lambda: b"")
        self._move(self._house.names.readings, self._drain.cursor)

    def _overtake(self) -> None:
        """Send a fire ahead of whatever waits before it."""
        while (event := self._live.take()) is not None:
            if not self._house.facility.is_fire(event) or not (said := self._says(event)):
                continue
            position = (event.epoch, event.seq)
            if self._outbox.send_ahead(position, self._now(), receipt=False):
                self._put(event, said, self._fires)

    def _take(self) -> None:
        """Take rows whose turn has come again, then those in order, a packet's worth ahead."""
        if (read := self._again.take()) is not None:
            self._take_again(*read)
        room = len(self._rows) < AHEAD and self._again.idle
        if room and (due := self._outbox.due(self._now())) is not None:
            self._again.want(*due)
        if self._outbox.room_again():
            self._urgent.rewind(self._outbox.read_to)
        while len(self._rows) < AHEAD and (event := self._urgent.take()) is not None:
            position = (event.epoch, event.seq)
            if self._outbox.had_ahead(position):
                continue
            if said := self._says(event):
                self._outbox.sent(position, self._now(), receipt=False)
                fire = self._house.facility.is_fire(event)
                self._put(event, said, self._fires if fire else self._rows)
            else:
                self._outbox.pass_over(position)
        self._move(self._house.names.urgent, self._outbox.cursor)

    def _take_again(self, position: Position, event: Event | None) -> None:
        if not self._outbox.waits(position):
            return
        if event is not None:
            self._outbox.sent(position, self._now(), receipt=False)
            fire = self._house.facility.is_fire(event)
            self._put(event, self._says(event), self._fires if fire else self._rows, again=True)
        else:
            self._outbox.gone(position)

    def _show(self, stands: Iterable[Saying]) -> None:
        """Have what stands told, and keep in mind which fires of it are not confirmed: no row of them waits."""
        sayings, told = list(stands), self._tally.pictured
        places = [each.place for _, each in sayings if isinstance(each, ComponentState)]
        burning = [place for place in places if self._house.facility.burns_at(place)]
        self._tally.pictured = {place: told.get(place, self._now()) for place in burning}
        self._picture.put(None, sayings)

    def _show_again(self) -> None:
        """Tell again of the fires that a centre did not take from the picture, if they still stand."""
        if not self._tally.pictured or len(self._picture) or self._now() - self._shown_at < SHOW_AGAIN_S:
            return
        self._shown_at, moment, house = self._now(), self._house.now(), self._house
        names = (house.facility.name_at(place) for place in self._tally.pictured)
        now = (moment.wall, moment.clock)
        states = [house.facility.component_state(name, house.answers.stamper, now) for name in names if name]
        self._show((COMPONENT_STATES, state) for state in states if house.facility.burns_at(state.place))

    def _says(self, event: Event) -> list[Saying]:
        return self._house.facility.says(event, self._house.answers.stamper)

    def _put(self, event: Event, said: list[Saying], packing: Packing, *, again: bool = False) -> None:
        row = Row((event.epoch, event.seq), len(said), self._house.facility.is_fire(event), again)
        self._in_hand[row.position] = row
        if row.fire:
            self._tally.fires.setdefault(row.position, self._now())
        packing.put(row, said)

    def _begin(self, batch: Batch | None) -> None:
        if batch is not None:
            self._begin_with(batch, lambda: batch.unit(self._house.facility.fresh))

    def _begin_with(self, key: object, unit: Callable[[], bytes]) -> None:
        self._house.probe("centre.before_send")
        self._send(self._exchange.begin(unit, key, self._now()))
        self._house.probe("centre.after_send")

    def _send(self, frame: Frame) -> None:
        self._sent_at = self._now()
        self._link.send(frame)

    def _hear(self, heard: Heard) -> None:
        if heard.frame is None:
            self._tally.ignored += 1
            self._tally.trouble = f"{self._link.name}: {heard.reason}"
            broken = heard.broken
            mine = broken and (broken.source, broken.destination) == (
                self._house.ends.theirs,
                self._house.ends.ours,
            )
            if broken is not None and mine and broken.command in QUESTIONS:
                self._link.send(self._exchange.answer(broken, Command.DENY))
            return
        match self._exchange.receive(heard.frame, self._now()):
            case Settled() as settled:
                self._settled(settled)
            case Asked(frame=frame):
                self._answer(frame)
            case Ignored(why=why):
                self._tally.ignored += 1
                self._tally.trouble = f"{self._link.name}: {why}"
            case Frame() as again:
                self._send(again)

    def _settled(self, settled: Settled) -> None:
        key, confirmed = settled.key, settled.confirmed
        self._house.probe("centre.before_confirmation")
        if confirmed:
            self._tally.proof_at = self._now()
            self._tally.trouble = self._tally.trouble if self._outbox.waiting else ""
        else:
            self._tally.refused += 1
            self._tally.trouble = f"{self._link.name} refuses or ignores what it is told"
        if isinstance(key, Batch):
            if not confirmed and len(key.objects) > 1:
                (self._fires if key.fire else self._rows).alone.extend(key.alone())
                return
            for row, each in zip(key.rows, key.objects, strict=True):
                if confirmed and isinstance(each, ComponentState):
                    self._tally.pictured.pop(each.place, None)
                if row is None or self._in_hand.get(row.position) is not row:
                    continue  # begun anew since, on this connection or the next
                if not (confirmed and (row.again or settled.tries > 1) and self._amend(row, each)):
                    self._told(row, confirmed=confirmed)
            self._move(self._house.names.urgent, self._outbox.cursor)
        elif key is Kind.VALUES:
            self._tally.analogs += self._drain.settled(confirmed=confirmed, now=self._now())
            self._move(self._house.names.readings, self._drain.cursor)
        self._house.probe("centre.after_confirmation")

    def _amend(self, row: Row, each: Object) -> bool:
        """Tell what is so now after an object that came late; say whether there is any need of it."""
        moment, answers = self._house.now(), self._house.answers
        saying = self._house.facility.amended(each, answers.stamper, (moment.wall, moment.clock))
        if saying is not None:
            self._picture.put(row, [saying])
        return saying is not None

    def _told(self, row: Row, *, confirmed: bool) -> None:
        """Take note that one of the packets of a row is answered."""
        row.left -= 1
        if not confirmed:
            del self._in_hand[row.position]
            self._outbox.refused(row.position)
        elif not row.left:
            del self._in_hand[row.position]
            self._outbox.acknowledged(row.position, self._now())
            self._tally.fires.pop(row.position, None)
            self._tally.confirmed += 1

    def _answer(self, frame: Frame) -> None:
        now = self._now()
        if len(self._asked) == ASKED_MOST and now - self._asked[0] < 1.0:
            self._tally.ignored += 1
            return
        self._asked.append(now)
        self._tally.asked += 1
        answer = self._house.answers.answer(frame, self._house.now())
        self._link.send(self._exchange.answer(frame, answer.command, answer.unit))
        if answer.record is not None:
            self._record(*answer.record, now)

    def _record(self, what: str, detail: str, now: float) -> None:
        """Put on record what a centre wanted; the same thing not each second."""
        every_s = DUTY_EVERY_S if what == DUTY_KIND else RECORD_EVERY_S
        if now - self._recorded.get(what, float("-inf")) >= every_s:
            self._recorded[what] = now
            self._house.submit(NoteBody(what, f"{self._house.names.name}: {detail}"))

    @property
    def _beat_at(self) -> float:
        """When the next heartbeat is due: one sum for asking and for waiting, or a rounding has it spin."""
        return self._sent_at + self._house.heartbeat_s

    def _flying(self, *, fire: bool) -> int:
        return sum((isinstance(key, Batch) and key.fire) is fire for key in self._exchange.keys)

    def _next_due(self) -> float | None:
        idle = not self._flying(fire=False)
        beat = self._beat_at if idle and self._house.heartbeat_s else None
        waits = self._outbox.waiting or self._tally.pictured
        again = self._now() + RETRY_S if waits else None
        due = [self._exchange.next_due(), beat, again, self._drain.next_due() if idle else None]
        return min((each for each in due if each is not None), default=None)

    def _move(self, sink: str, position: Position) -> None:
        if position <= self._cursors[sink]:
            return
        self._cursors[sink] = position
        self._house.probe("centre.before_cursor")
        self._house.journal.move_cursor(sink, position)
        self._house.probe("centre.after_cursor")

    def _stamp(self) -> bytes:
        now = self._house.now()
        return self._house.answers.stamper(now.wall, now.clock)

    def _end(self, reason: str) -> None:
        if not self._lost.done():
            self._lost.set_result(reason)
