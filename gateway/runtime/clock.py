"""The time of day, and whether it can be trusted: the only place that asks the wall clock.

A Pi without a real-time clock boots in the past. The kernel knows whether somebody disciplines its clock
(STA_UNSYNC, adjtimex(2)); a clock that stands before this software was written is wrong whatever it says.
"""

import ctypes
import time

from gateway.core.events import Clock
from gateway.runtime.stream import Stamp

STA_UNSYNC = 0x0040  # <sys/timex.h>
RELEASED = 1_795_392_000.0  # 2026-11-23: no event is older than this software
_ASK_EVERY_S = 10.0


class _Timex(ctypes.Structure):
    """The head of struct timex; the rest is room for the kernel to write into."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


class SystemClock:
    """Stamps events; asks the kernel about its quality at most every ten seconds."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._asked_at = float("-inf")
        self._synced = False

    def __call__(self) -> Stamp:
        """Return the time now."""
        wall, monotonic = time.time(), time.monotonic()
        if monotonic - self._asked_at >= _ASK_EVERY_S:
            self._asked_at, self._synced = monotonic, self._kernel_is_synced()
        trusted = self._synced and wall > RELEASED
        return Stamp(wall, monotonic, Clock.SYNCED if trusted else Clock.UNSYNCED)

    def _kernel_is_synced(self) -> bool:
        timex = _Timex()
        self._libc.adjtimex(ctypes.byref(timex))
        return not timex.status & STA_UNSYNC
