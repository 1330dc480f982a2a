"""The shell around one line: owns the stream and one timer, sends what the bus picks, hands answers on.

Everything happens in two callbacks, bytes and timer, without a task per exchange: at 115200 baud a poll takes
4.8 ms and a hundred devices may cost no more than a twentieth of a core. After the last byte of a reply the
next request goes out exactly one silence (t3.5) later, whatever the answer's handling took. A timer comes
0.1-0.2 ms late, and to find out what is next takes as long again, together a tenth of such a poll; so the line
learns how long that is, sets its timers that much earlier, and turns on the spot for the few microseconds it may
then be early.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from drivers.api import LateError, LineError, LineSettings, Priority
from drivers.bus import NEVER, Bus
from drivers.modbus.exchange import Answer, Conversation, Failure, Question, RtuConversation
from drivers.modbus.member import Ask, Ended, Member
from drivers.modbus.tcp import TcpConversation
from drivers.port_keeper import PortKeeper
from drivers.statistics import Utilisation
from drivers.transport import ByteStream, OpenStream

logger = logging.getLogger(__name__)

BROADCAST_S: Final = 0.1  # every device gets that long to digest a broadcast (Serial Line V1.02, 2.4.1)
EARLY_S: Final = 1e-6  # a timer may fire a hair before its time
LEAD_STEP_S: Final = 2e-6
MAX_LEAD_S: Final = 0.0005

Finished = Callable[[Ask, Answer, Ended], None]


class Errand(Ask):
    """A question asked once, for a command that waits for the answer."""

    __slots__ = ("answer", "sent")

    def __init__(self, member: Member, question: Question, answer: "asyncio.Future[Answer]") -> None:
        super().__init__(member, question, Priority.COMMAND, 0.0)
        self.answer = answer
        self.sent = False


class Line:
    """One line. `finished` gets every answer to a poll; `port_changed` hears of the port: None, or what is wrong."""

    def __init__(
        self,
        settings: LineSettings,
        asks: Iterable[Ask],
        *,
        open_stream: OpenStream,
        clock: Callable[[], float],
        timeout_of: Callable[[Ask, float], float],
        finished: Finished,
        late: Callable[[int, float], None],
        port_changed: Callable[[LineError | None, float], None],
    ) -> None:
        self.settings = settings
        now = clock()
        asks = list(asks)
        self.bus: Bus[Ask] = Bus(asks, self._ready_at, now)
        self.utilisation = Utilisation(now)
        self.opened = 0
        tcp = settings.port.startswith("tcp://")
        self._char_s, self._gap_s = (0.0, 0.0) if tcp else (settings.char_s, settings.gap_s)
        self.conversation: Conversation = (
            TcpConversation() if tcp else RtuConversation(self._char_s, unsent=self._unsent, on_late=late)
        )
        self._open_stream, self._clock = open_stream, clock
        self._timeout_of, self._finished, self._port_changed = timeout_of, finished, port_changed
        self._stream: ByteStream | None = None
        self._loop: asyncio.AbstractEventLoop  # known once it runs
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at = now
        self._lead_s = 0.0  # from a timer to a request that is ready; a fifth of them need less
        self._current: Ask | None = None
        self._members = {ask.member for ask in asks}
        self._goes_on = False  # made anew for one senseless answer, which says nothing of the others
        self._began_at = self._free_at = self._now = now
        self._keeper = PortKeeper(settings.port, lambda error: port_changed(error, clock()))

    async def run(self) -> None:
        """Keep the port open and the line talking until cancelled."""
        self._loop = asyncio.get_running_loop()
        await self._keeper.run(self._serve)

    def answered(self) -> None:
        """Somebody answers."""
        self._keeper.answered()

    def reopen(self) -> None:
        """Close the port and open it anew."""
        self._keeper.reopen()

    def kick(self) -> None:
        """Look at the queue again: something more urgent is in it."""
        if self._stream is not None and self._current is None:
            self._arm(max(self._free_at, self._clock()))

    async def ask(self, member: Member, question: Question, *, deadline: float) -> Answer:
        """Ask once, ahead of all polls; LateError if the line was not free before `deadline`."""
        loop = asyncio.get_running_loop()
        errand = Errand(member, question, loop.create_future())
        late = loop.call_at(deadline, self._give_up, errand)
        self.bus.queue(errand, self._clock())
        self.kick()
        try:
            return await errand.answer
        finally:
            late.cancel()
            self.bus.park(errand)

    def wire_s(self, question: Question) -> float:
        """Return how long request and reply are on the wire."""
        return (len(question.frame) + question.reply_size) * self._char_s

    async def _serve(self) -> LineError | None:
        """Open the port and serve it until it is gone; return why, None if it is only to be opened anew."""
        gone = self._keeper.gone()
        goes_on, self._goes_on = self._goes_on, False
        self.conversation.reset(self._clock())
        self._stream = await self._open_stream(
            self.settings, lambda data: self._keeper.guard(self._on_data, data), self._keeper.lost
        )
        self.opened += 1
        try:
            self._free_at = self._clock() + self._gap_s
            if not goes_on:
                self._port_changed(None, self._clock())
            self._arm(self._free_at)
            return await gone
        finally:
            self._stop(self._clock())

    def _stop(self, now: float) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        ask, self._current = self._current, None
        if isinstance(ask, Errand):
            _resolve(ask, Failure.SILENT)
        elif ask is not None:
            self.bus.queue(ask, now)

    def _on_data(self, data: bytes) -> None:
        now = self._clock()
        if self._current is None:
            self.conversation.stray(data, now)
            return
        before = self.conversation.deadline
        answer = self.conversation.receive(data, now)
        if answer is not None:
            self._end(answer, now)
        elif self.conversation.deadline != before:
            self._arm(self.conversation.deadline)

    def _on_timer(self) -> None:
        self._timer = None
        now = self._clock()
        if self._current is None:
            self._send_next(now)
        elif now < self.conversation.deadline - EARLY_S:
            self._arm(self.conversation.deadline)
        elif (failure := self.conversation.expire(now)) is not None:
            self._end(failure, now)
        else:
            self._arm(self.conversation.deadline)

    def _send_next(self, now: float) -> None:
        if self._stream is None:
            return
        if now <= self._free_at - MAX_LEAD_S:
            self._arm(self._free_at)
            return
        self._now = max(now, self._free_at)
        ask = self.bus.next(self._now)
        if ask is None:
            if self.bus.wake_at < NEVER:
                self._arm(self.bus.wake_at)
            return
        self._current = ask
        question, timing = ask.question, ask.member.device.profile.timing
        wire_s = self.wire_s(question)
        timeout_s = self._timeout_of(ask, wire_s) if question.address else wire_s + BROADCAST_S
        if isinstance(ask, Errand):
            ask.sent = True
        self._began_at = now = self._punctual()
        self._stream.write(self.conversation.begin(question, now, timeout_s=timeout_s, late_s=timing.late_s))
        self._arm(now + timeout_s)

    def _punctual(self) -> float:
        """Return the time when the silence is over; learn whether the timer was set early enough for that."""
        now = self._clock()
        if self._armed_at <= self._free_at:
            late = now > self._free_at + EARLY_S
            step_s = LEAD_STEP_S if late else -4 * LEAD_STEP_S
            self._lead_s = min(max(self._lead_s + step_s, 0.0), MAX_LEAD_S)
        while now < self._free_at - EARLY_S:
            now = self._clock()
        return now

    def _end(self, answer: Answer, now: float) -> None:
        ask = self._current
        assert ask is not None
        self._current = None
        self._free_at = now + self._gap_s
        self._arm(self._free_at - self._lead_s)
        round_trip_s = now - self._began_at
        took_s = round_trip_s + self._gap_s
        self.utilisation.busy(took_s, now)
        timing = ask.member.device.profile.timing
        silence_s = timing.gap_s if ask.question.is_read else max(timing.gap_s, timing.after_write_s)
        if silence_s:
            ask.member.ready_at = now + silence_s
        self._finished(ask, answer, Ended(now, took_s, round_trip_s, self.conversation.turnaround_s(now)))
        if answer is Failure.BROKEN:
            self._make_no_sense(ask.member)
        elif isinstance(answer, Failure) and self._is_held_back(ask):
            self.reopen()
        if isinstance(ask, Errand):
            self.bus.spend(ask, took_s)
            _resolve(ask, answer)

    def _make_no_sense(self, member: Member) -> None:
        """Open a stream anew that makes no sense; patiently if nobody makes any: another protocol lives there."""
        again, member.senseless = member.senseless, True
        if again and all(each.senseless for each in self._members):
            self._keeper.lost(ConnectionError("what comes is no Modbus TCP"))
        else:
            self._goes_on = True
            self.reopen()

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_at = at
        self._timer = self._loop.call_at(at, self._keeper.guard, self._on_timer)

    def _ready_at(self, ask: Ask) -> float:
        at = self.conversation.free_at(ask.question, self._now, ask.look_alikes)
        return at if at > ask.member.ready_at else ask.member.ready_at

    def _is_held_back(self, ask: Ask) -> bool:
        """Say whether an order is still on this side of the wire: it must not go out when nobody waits for it."""
        return isinstance(ask, Errand) and not ask.question.is_read and self._unsent() > 0

    def _unsent(self) -> int:
        return self._stream.unsent() if self._stream is not None else 0

    def _give_up(self, errand: Errand) -> None:
        if not errand.sent and not errand.answer.done():
            hint = "the line was busy" if self._stream is not None else "the port is not open"
            errand.answer.set_exception(LateError("act", errand.member.device.name, hint))


def _resolve(errand: Errand, answer: Answer) -> None:
    if not errand.answer.done():
        errand.answer.set_result(answer)
