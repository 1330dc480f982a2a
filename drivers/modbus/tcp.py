"""The same exchange over Modbus TCP: a transaction id tells replies apart, so nothing is owed and nothing echoes.

Behind a TCP address there is often a converter with an RTU line, so one question is open at a time here too.
A reply to an older transaction is dropped by the codec, whoever it came from.
"""

from collections.abc import Sequence

from drivers.api import FrameError
from drivers.echo import Echo
from drivers.modbus.codec import find_mbap_reply, mbap_frame
from drivers.modbus.exchange import Answer, Due, Failure, Question


class TcpConversation:
    """Modbus TCP on one connection."""

    def __init__(self) -> None:
        self.deadline = 0.0
        self.noise_bytes = 0
        self.echo = Echo()
        self.echo.read_answered(echoed=False)
        self._transaction = 0
        self._question: Question | None = None
        self._buffer = bytearray()
        self._sent_at = 0.0

    def begin(self, question: Question, now: float, *, timeout_s: float, late_s: float) -> bytes:
        """Open a question; return the bytes to send. A late reply has another transaction id: `late_s` is moot."""
        self._transaction = self._transaction % 0xFFFF + 1
        self._question, self._sent_at = question, now
        self.deadline = now + timeout_s
        return mbap_frame(self._transaction, question.address, question.pdu)

    def receive(self, data: bytes, now: float) -> Answer | None:
        """Take bytes while a question is open; return what ends it, None to wait on."""
        question = self._question
        assert question is not None
        self._buffer += data
        try:
            reply = find_mbap_reply(self._buffer, self._transaction, question.address, question.request)
        except FrameError:
            self._question = None
            # What stands behind it would be misread.
            return Failure.BROKEN if self._buffer else Failure.DAMAGED
        if reply is not None:
            self._question = None
        return reply

    def expire(self, now: float) -> Failure:
        """Close the question at its deadline. A frame that has only begun would swallow the next answers: broken."""
        answer = self.receive(b"", now)  # drops older replies that came before the question
        self._question = None
        if isinstance(answer, Failure):
            return answer
        return Failure.BROKEN if self._buffer else Failure.SILENT

    def stray(self, data: bytes, now: float) -> None:
        """Keep the bytes of an older reply: the next `receive` finds its end and drops it."""
        self._buffer += data

    def free_at(self, question: Question, now: float, look_alikes: Sequence[Due] = ()) -> float:
        """Return `now`: anything may be asked at any time."""
        return now

    def turnaround_s(self, now: float) -> float:
        """Return how long the reply that is complete now took."""
        return now - self._sent_at

    def reset(self, now: float) -> None:
        """Begin a new stream."""
        self._question = None
        self._buffer.clear()
