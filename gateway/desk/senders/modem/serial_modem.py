"""A modem at a serial port, and the channels over it: texts (`sms`) and calls (`call`). One errand at a time.

The port is opened for each errand and closed after it: a stick that was pulled out and put back is found again, and
in between nobody holds it. Errands run in threads, because serial ports know no event loop; each ends by itself.
"""

import threading
from typing import Final, Protocol

import serial

from gateway.core.events import Words
from gateway.desk.senders.modem.pdu import is_number
from gateway.desk.senders.modem.talking import Talk
from gateway.desk.sending import Message, Rejected, Result
from gateway.runtime.threads import in_thread

READ_S: Final = 0.1
WRITE_S: Final = 5.0
TURN_S: Final = 40.0  # an errand before ours takes no longer

_PORT: Final = Words(
    "打不开串口：检查 port，用户是否在 dialout 组，是否被 ModemManager 占用",
    "the port cannot be opened: look at port, at the group dialout, and whether ModemManager holds it",
)
_NUMBER: Final = Words(
    "不是电话号码：改 [[person]] 的 channels", "no telephone number: mend the person's channels"
)


class Modem(Protocol):
    """What has a SIM: sends texts and makes telephones ring."""

    async def text(self, number: str, text: str, name: str) -> Result:
        """Send a text; `name` is its id."""

    async def call(self, number: str, ring_s: float) -> Result:
        """Have a telephone ring for so long."""


class SerialModem:
    """A modem with AT commands at a serial port."""

    def __init__(self, port: str, baud: int) -> None:
        self._port, self._baud = port, baud
        self._turn = threading.Lock()

    async def text(self, number: str, text: str, name: str) -> Result:
        """Send a text; `name` is its id."""
        return await in_thread(lambda: self._errand(lambda talk: talk.text(number, text, name)))

    async def call(self, number: str, ring_s: float) -> Result:
        """Have a telephone ring for so long."""
        return await in_thread(lambda: self._errand(lambda talk: talk.call(number, ring_s)))

    def _errand(self, work: "Errand") -> Result:
        if not self._turn.acquire(timeout=TURN_S):
            return Rejected("the modem is busy", retryable=True)
        try:
            with serial.Serial(
                self._port, self._baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=True
            ) as port:
                return work(Talk(_PortLine(port)))
        except (OSError, ValueError) as error:  # SerialException is an OSError
            return Rejected(f"{self._port}: {error}", retryable=True, means=_PORT)
        finally:
            self._turn.release()


class Errand(Protocol):
    """What is done in one opening of the port."""

    def __call__(self, talk: Talk, /) -> Result:
        """Do it."""


class Sms:
    """Texts over a modem; addresses are telephone numbers."""

    def __init__(self, modem: Modem) -> None:
        self._modem = modem

    async def send(self, message: Message) -> Result:
        """Send one message."""
        if not is_number(message.address):
            return Rejected(f"no number: {message.address!r}", retryable=False, means=_NUMBER)
        return await self._modem.text(message.address, message.text, message.id)


class Call:
    """Calls over a modem that say nothing and ring; addresses are telephone numbers."""

    def __init__(self, modem: Modem, ring_s: float) -> None:
        self._modem, self._ring_s = modem, ring_s

    async def send(self, message: Message) -> Result:
        """Ring one telephone."""
        if not is_number(message.address):
            return Rejected(f"no number: {message.address!r}", retryable=False, means=_NUMBER)
        return await self._modem.call(message.address, self._ring_s)


class _PortLine:
    """A serial port as a line."""

    def __init__(self, port: serial.Serial) -> None:
        self._port = port

    def read(self) -> bytes:
        """Return what has come, or nothing after a moment."""
        got: bytes = self._port.read(max(1, self._port.in_waiting))
        return got

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._port.write(data)
