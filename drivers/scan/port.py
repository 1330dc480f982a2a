"""A serial port for a scan: blocking, since nobody waits but the person who watches the progress bar."""

import errno
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import serial

from drivers.api import LineError
from drivers.modbus.codec import Request, encode_request, find_foreign, find_reply, rtu_frame
from drivers.scan.order import Answer, Setting

PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
SILENCE_S = 0.03  # between bytes of one frame: an FTDI adapter holds them back up to 16 ms
MAX_FRAME = 256


@contextmanager
def open_port(port: str) -> "Iterator[SerialPort]":
    """Open a port for ourselves alone; LineError says what to do if that fails."""
    if port.startswith("tcp://"):
        raise LineError("open", port, "Modbus TCP has no speeds to scan; give each unit id as an address")
    try:
        opened = serial.serial_for_url(port, timeout=0, **({} if "://" in port else {"exclusive": True}))
    except (OSError, ValueError) as error:
        raise LineError("open", port, _hint(error)) from error
    try:
        yield SerialPort(opened)
    finally:
        opened.close()


class SerialPort:
    """An open port that asks and waits."""

    def __init__(self, opened: serial.SerialBase) -> None:
        self._serial = opened
        self._setting: Setting | None = None
        self._quiet_at = 0.0  # when the silence between two frames is over

    def ask(self, setting: Setting, address: int, request: Request, wait_s: float) -> Answer:
        """Send a request and return what came back; LineError when the port is lost."""
        frame = rtu_frame(address, encode_request(request))
        try:
            if not self._set(setting):
                return Answer(impossible=True)
            time.sleep(max(self._quiet_at - time.monotonic(), 0.0))
            self._serial.timeout = 0
            late = bytes(self._serial.read(MAX_FRAME))  # what a slow device sent after we had given it up
            self._serial.write(frame)
            return self._wait(setting, address, request, wait_s, late=late, sent=frame)
        except (OSError, serial.SerialException) as error:
            raise LineError("scan", str(self._serial.port), f"the port is gone: {error}") from error

    def _set(self, setting: Setting) -> bool:
        """Set speed and parity; False if this port cannot: a pseudo terminal has no parity, some chips no 57600."""
        if setting == self._setting:
            return True
        try:
            self._serial.parity = PARITY[setting.parity]
            self._serial.baudrate = setting.baud
        except (termios.error, ValueError):
            self._serial.parity = serial.PARITY_NONE
            return False
        self._serial.reset_input_buffer()
        self._setting = setting
        return True

    def _wait(
        self, setting: Setting, address: int, request: Request, wait_s: float, *, late: bytes, sent: bytes
    ) -> Answer:
        heard = bytearray(late)
        until = time.monotonic() + len(sent) * setting.char_s + wait_s
        last = until + MAX_FRAME * setting.char_s + SILENCE_S
        while (left := min(until, last) - time.monotonic()) > 0:
            self._serial.timeout = left
            data = self._serial.read(1)
            if not data:
                continue
            heard += data + self._serial.read(self._serial.in_waiting)
            self._quiet_at = time.monotonic() + 4 * setting.char_s
            if reply := find_reply(bytearray(heard), address, request):
                return Answer(reply)
            until = max(until, time.monotonic() + SILENCE_S + 4 * setting.char_s)
        return _what_else(heard, sent)


def _what_else(heard: bytearray, sent: bytes) -> Answer:
    """Return what bytes are that hold no reply: another's late one, our own echo, or noise."""
    if foreign := find_foreign(heard):
        return Answer(late_from=foreign[0])
    return Answer(noise=len(heard.replace(sent, b"")))


def _hint(error: OSError | ValueError) -> str:
    match error.errno if isinstance(error, OSError) else None:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return "no such port; is the adapter plugged in?"
        case errno.EACCES | errno.EPERM:
            return "no permission: in group dialout?"
        case errno.EBUSY | errno.EAGAIN:
            return "another program has it; a running gateway? systemctl stop compound-gateway"
        case errno.EISDIR | errno.ENOTTY:
            return "this is no serial port"
    return "this is no serial port" if "ioctl" in str(error) else str(error)
