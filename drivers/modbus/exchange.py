"""One question on the wire and what comes back, told `now`: the strict half of an RTU master. No I/O.

    begin      the request goes out; t = 0 is when its last character is through the wire (write() returns at
               once, so that time is computed from the characters)
    receive    bytes come; the first frame that can be nothing but the reply ends the exchange
    expire     the deadline passed: silent, or damaged if there were bytes

What is believed: address, function, byte count or echoed write, CRC (codec.find_reply), not before our own
request has left the port, and for an exception only if it cannot be the late answer to something else. The
reply to a write of one coil or register equals its request, so on a line that may have echo (drivers/echo.py)
it takes two copies. What did not come in time is owed (drivers/quarantine.py).
"""

import enum
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeAlias

from drivers.echo import Echo
from drivers.modbus.codec import (
    MAX_FRAME,
    ExceptionReply,
    ReadRequest,
    Reply,
    Request,
    crc16,
    decode_reply,
    encode_request,
    find_reply,
    reply_length,
    rtu_frame,
)
from drivers.quarantine import Debt, Quarantine, Shape

SETTLE_S: Final = (
    0.03  # silence after a damaged reply; USB adapters and slow firmware pause up to 20 ms in one
)
FLOWING_S: Final = 0.02  # bytes this fresh at the deadline: the reply is on its way, let it come
LOST: Final = 3  # bytes a reply may lack and still be it; a beginning alone may be noise


class Failure(enum.Enum):
    """How an exchange fails."""

    SILENT = "silent"  # not a byte
    DAMAGED = "garbled"  # bytes, but no reply among them
    BUSY = "busy"  # it says so, and has said nothing else for too long (polling.py)
    BROKEN = "broken"  # the stream itself makes no sense any longer: open it anew


Answer: TypeAlias = Reply | Failure


class Question:
    """A request to a device, ready to send. Made once, asked often.

    Nearly every answer is the whole reply in one piece, and nearly always the same as before: `whole` knows it.
    """

    __slots__ = (
        "_known", "_reply", "address", "frame", "head", "is_read", "mirrored", "pdu", "plain", "reply_size",
        "request", "shape",
    )  # fmt: skip

    def __init__(self, address: int, request: Request) -> None:
        self.address, self.request = address, request
        self.pdu = encode_request(request)
        self.frame = rtu_frame(address, self.pdu)
        self.is_read = isinstance(request, ReadRequest)
        size = reply_length(request)
        self.reply_size = size + 3
        self.head = bytes((address, request.function, size - 2)) if self.is_read else self.frame[:6]
        self.shape: Shape = (request.function, size) if self.is_read else tuple(self.pdu[:5])
        self.mirrored = find_reply(bytearray(self.frame), address, request) is not None
        self.plain = self.is_read and not self.frame.startswith(
            self.head
        )  # no echo can be taken for its reply
        self._known = b""
        self._reply: Reply | None = None

    def whole(self, data: bytes) -> Reply | None:
        """Return the reply to a plain read that `data` is from its first byte to its last; None: look closer."""
        if data != self._known:
            if len(data) != self.reply_size or not data.startswith(self.head) or crc16(data):
                return None
            self._known, self._reply = data, decode_reply(self.request, data[1:-2])
        return self._reply


class Due(Protocol):
    """Something that waits for its turn since `due`."""

    due: float


class Conversation(Protocol):
    """What the driver needs of a wire protocol. `deadline` is valid while a question is open."""

    deadline: float
    noise_bytes: int
    echo: Echo

    def begin(self, question: Question, now: float, *, timeout_s: float, late_s: float) -> bytes:
        """Open a question; return the bytes to send. `late_s`: how long after its time-out a reply may come."""

    def receive(self, data: bytes, now: float) -> Answer | None:
        """Take bytes while a question is open; return what ends it, None to wait on."""

    def expire(self, now: float) -> Failure | None:
        """Close the question at its deadline; None: the deadline has moved, the reply is coming in."""

    def stray(self, data: bytes, now: float) -> None:
        """Take bytes that nobody asked for."""

    def free_at(self, question: Question, now: float, look_alikes: Sequence[Due] = ()) -> float:
        """Return from when on this may be asked; `look_alikes` are those whose replies look like its own."""

    def turnaround_s(self, now: float) -> float:
        """Return how long the device thought about the reply that is complete now."""

    def reset(self, now: float) -> None:
        """Begin anew: the port was opened anew."""


class RtuConversation:
    """RTU on one line. `on_late` is told address and turnaround of each late reply."""

    def __init__(
        self, char_s: float, *, unsent: Callable[[], int], on_late: Callable[[int, float], None]
    ) -> None:
        self.deadline = 0.0
        self.noise_bytes = 0
        self.echo = Echo()
        self._char_s, self._unsent, self._on_late = char_s, unsent, on_late
        self._quarantine: Quarantine[Request] = Quarantine()
        self._question: Question | None = None
        self._buffer = bytearray()
        self._tail = bytearray()  # where late replies are looked for; used only while something is owed
        self._sent_at = self._heard_at = self._reply_s = self._late_s = 0.0
        self._echoed = self._extended = False
        self._counted = 0  # bytes of this exchange that turned out to mean something

    def begin(self, question: Question, now: float, *, timeout_s: float, late_s: float) -> bytes:
        """Open a question; return the bytes to send. `late_s`: how long after its time-out a reply may come."""
        self._question = question
        self._buffer.clear()
        self._echoed = self._extended = False
        self._sent_at = now + len(question.frame) * self._char_s
        self._reply_s = question.reply_size * self._char_s
        self._late_s = late_s
        self.deadline = now + timeout_s
        return question.frame

    def receive(self, data: bytes, now: float) -> Answer | None:
        """Take bytes while a question is open; return what ends it, None to wait on."""
        question, buffer = self._question, self._buffer
        assert question is not None
        clear = question.plain and now >= self._sent_at and not buffer and not self._quarantine
        if clear and (whole := question.whole(data)) is not None:
            self._question = None
            self.echo.read_answered(echoed=False)
            return whole
        self._heard_at = now
        self.noise_bytes += len(data)  # until they turn out to mean something
        buffer += data
        if self._quarantine:
            self._look_for_late(data, now)
        reply = self._find(question, now)
        if reply is None:
            self._may_settle(question, now)
            return None
        self._question = None
        self.noise_bytes -= 5 if isinstance(reply, ExceptionReply) else question.reply_size
        if question.is_read and not question.mirrored:
            self.echo.read_answered(echoed=self._echoed)
        if self._quarantine:
            self._tail.clear()
            self._look_for_late(bytes(buffer), now)
            if isinstance(reply, ExceptionReply) and self._doubtful(question, now):
                self._owe(question, now)
                return Failure.DAMAGED
        return reply

    def expire(self, now: float) -> Failure | None:
        """Close the question at its deadline; None: the deadline has moved, the reply is coming in."""
        question = self._question
        assert question is not None
        if not self._extended and self._buffer and now - self._heard_at < FLOWING_S:
            self._extended = True
            self.deadline = now + self._reply_s + FLOWING_S
            return None
        self._question = None
        if question.address and not self._answered(question):
            self._owe(question, now)
        return Failure.DAMAGED if self._buffer else Failure.SILENT

    def stray(self, data: bytes, now: float) -> None:
        """Take bytes that nobody asked for."""
        self.noise_bytes += len(data)
        if self._quarantine:
            self._look_for_late(data, now)

    def free_at(self, question: Question, now: float, look_alikes: Sequence[Due] = ()) -> float:
        """Return from when on this may be asked; `look_alikes` are those whose replies look like its own."""
        if not self._quarantine:
            return now
        yields = any(other.due <= now for other in look_alikes)
        address, request, shape = question.address, question.request, question.shape
        return self._quarantine.free_at(address, request, shape, now, yields=yields)

    def turnaround_s(self, now: float) -> float:
        """Return how long the device thought about the reply that is complete now."""
        return max(0.0, now - self._sent_at - self._reply_s)

    def reset(self, now: float) -> None:
        """Begin anew: the port was opened anew. The devices saw nothing of that: what they owe may still come."""
        if self._question is not None and self._question.address:
            self._owe(self._question, now)
        self._question = None
        self._tail.clear()
        self.echo.forget()

    def _find(self, question: Question, now: float) -> Reply | None:
        """Return the reply if it has come."""
        buffer = self._buffer
        wants_copy = question.mirrored and self.echo.heard is not False
        if not self._echoed and (wants_copy or not question.mirrored):
            self._echoed = self.echo.strip(buffer, question.frame)
            if self._echoed:
                self.noise_bytes -= len(question.frame)
        reply = find_reply(buffer, question.address, question.request)
        if reply is None:
            if len(buffer) > 2 * MAX_FRAME:
                del buffer[:-MAX_FRAME]
            return None
        if now < self._sent_at and self._unsent():
            return None  # our own request has not left the port: this answers something older
        if wants_copy and not self._echoed and not isinstance(reply, ExceptionReply):
            self._echoed = True  # noise stood before it
            return find_reply(buffer, question.address, question.request)
        return reply

    def _answered(self, question: Question) -> bool:
        """Say whether the damaged bytes are the reply, so that it is not owed any longer."""
        if question.mirrored or not (self._echoed or self.echo.heard is False):
            return False
        start = self._buffer.find(question.head)
        return start >= 0 and len(self._buffer) - start >= question.reply_size - LOST

    def _may_settle(self, question: Question, now: float) -> None:
        """Give a reply up early that is all there and damaged."""
        if len(self._buffer) >= question.reply_size and self._answered(question):
            start = self._buffer.index(question.head)
            if len(self._buffer) - start >= question.reply_size:
                self.deadline = min(self.deadline, now + SETTLE_S)

    def _owe(self, question: Question, now: float) -> None:
        until = now + self._late_s
        self._quarantine.owe(Debt(question.address, question.request, question.shape, self._sent_at, until))

    def _doubtful(self, question: Question, now: float) -> bool:
        function = question.request.function
        return self._quarantine.doubtful_exception(question.address, question.request, function, now)

    def _look_for_late(self, data: bytes, now: float) -> None:
        """Look for replies to older questions among the bytes: they teach how slow a device is."""
        tail, question = self._tail, self._question
        tail += data
        for debt in self._quarantine.awaited(now):
            same_device = question is not None and question.address == debt.address
            if same_device and question is not None and question.request == debt.request:
                continue  # the open question takes it
            rest = bytearray(tail)
            reply = find_reply(rest, debt.address, debt.request)
            if reply is None or (same_device and isinstance(reply, ExceptionReply)):
                continue
            size = len(tail) - len(rest)
            tail[:] = rest
            self._quarantine.turned_up(debt)
            self.noise_bytes -= min(size, self.noise_bytes)
            self._on_late(debt.address, max(0.0, now - debt.sent_at))
        del tail[:-MAX_FRAME]
