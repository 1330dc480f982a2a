"""A serial port under the event loop: pyserial opens and configures it, then only the file descriptor is used.

pyserial's own reads wait in a select of their own; a read of the ready descriptor costs a tenth of that. An
adapter that is pulled shows itself in three ways, all of them "lost": EIO, a read of nothing, and a bare
OSError. The kernel drives the direction pin of an RS-485 transceiver where the port can do that; RTS toggled
from user space comes 25-35 ms late, so a port that cannot is left to an adapter that finds the direction itself.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

import serial
from serial.rs485 import RS485Settings

from drivers.api import LineError, LineSettings

logger = logging.getLogger(__name__)

BY_ID = Path("/dev/serial/by-id")
READ_SIZE = 4096
PARITY = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}


def open_serial_port(
    settings: LineSettings, on_data: Callable[[bytes], None], on_lost: Callable[[Exception | None], None]
) -> "SerialStream":
    """Open a port for ourselves alone; LineError says what to do about it if that fails."""
    try:
        port = serial.Serial(
            settings.port,
            settings.baud,
            parity=PARITY[settings.parity],
            stopbits=settings.stop_bits,
            timeout=0,
            exclusive=True,
        )
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise LineError("open", settings.port, _hint(error)) from error
    _prefer_low_latency(port)
    if settings.rs485:
        _drive_direction(port)
    return SerialStream(port, on_data, on_lost)


class SerialStream:
    """An open serial port."""

    def __init__(
        self,
        port: serial.Serial,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[Exception | None], None],
    ) -> None:
        self._port, self._on_data, self._on_lost = port, on_data, on_lost
        self._fd: int = port.fd
        self._waiting = bytearray()
        self._open = True
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._fd, self._read)

    def write(self, data: bytes) -> None:
        """Send bytes; what the driver's buffer does not take at once follows when it has room."""
        if not self._open:
            return
        if not self._waiting:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                self._lost(error)
                return
            if sent == len(data):
                return
            data = data[sent:]
            self._loop.add_writer(self._fd, self._write_waiting)
        self._waiting += data

    def unsent(self) -> int:
        """Return how many bytes the driver has not put on the wire yet."""
        if not self._open:
            return 0
        try:
            return len(self._waiting) + int(self._port.out_waiting)
        except OSError:
            return len(self._waiting)

    def close(self) -> None:
        """Close the port; may be called twice."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        try:
            self._port.close()
        except OSError:
            logger.debug("%s: closing a port that is gone", self._port.port)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        if data:
            self._on_data(data)
        else:
            self._lost(None)

    def _write_waiting(self) -> None:
        data, self._waiting = bytes(self._waiting), bytearray()
        self._loop.remove_writer(self._fd)
        self.write(data)

    def _lost(self, error: Exception | None) -> None:
        self.close()
        self._on_lost(error)


def _prefer_low_latency(port: serial.Serial) -> None:
    """Have an FTDI adapter hand bytes over within 1 ms instead of 16, where the driver knows how."""
    try:
        port.set_low_latency_mode(True)
    except (OSError, ValueError, NotImplementedError):
        return  # most ports have no such thing, and need none


def _drive_direction(port: serial.Serial) -> None:
    try:
        port.rs485_mode = RS485Settings()
    except (OSError, ValueError, NotImplementedError) as error:
        logger.warning(
            "%s: the kernel cannot drive the RS-485 direction of this port (%s); going on without, which is"
            " right for an adapter that finds the direction itself",
            port.port,
            error,
        )


def _hint(error: OSError | ValueError) -> str:
    """Say what a person can do about a port that does not open."""
    match _errno(error):
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return f"not there; {_ports_there()}"
        case errno.EACCES | errno.EPERM:
            return "no permission: in group dialout?"
        case errno.EBUSY | errno.EAGAIN:
            return "another program has it open"
        case errno.ENOTTY | errno.EINVAL | errno.EISDIR:
            return "this is no serial port"
    return str(error)


def _errno(error: BaseException) -> int | None:
    """Return the system's error number; pyserial sometimes hides it in the exception it answers to."""
    number = error.errno if isinstance(error, OSError) else next(iter(error.args), None)
    if isinstance(number, int):
        return number
    return _errno(error.__context__) if error.__context__ is not None else None


def _ports_there() -> str:
    names = sorted(path.name for path in BY_ID.iterdir()) if BY_ID.is_dir() else []
    return f"{BY_ID} has {', '.join(names)}" if names else f"{BY_ID} is empty: adapter plugged in?"
