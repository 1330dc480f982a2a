"""A new peripheral gets its key, once, by a person: a deliberate step with the peripheral in install mode.

    challenge with the new key       it answers with it: it was paired already, all is well
    challenge with the default key   it answers with that: it is in install mode; the new key is sent
    challenge with the new key       only now it counts; then once more, in secure channel only

The default key is known to everybody, so whoever listens to the line in this second knows the new one, too: pair on
the bench, or at the door with nobody else on the line. The key is made by the caller, from `secrets`; libosdp's own
generator is not fit for it. What goes wrong is told as who must act: the wire (LineError) or the peripheral
(DeviceError).
"""

import asyncio
import enum
from collections.abc import Callable
from typing import Final

from drivers.api import DeviceError, DriverError, LineError, LineSettings
from drivers.osdp import frames
from drivers.osdp.installing import Session
from drivers.osdp.panel import PeripheralId, Seat
from drivers.transport import OpenStream, open_stream

__all__ = ["PeripheralId", "Stage", "pair", "probe"]

WITHIN_S: Final = 6.0


class Stage(enum.StrEnum):
    """How far a pairing is."""

    LOOKING = "looking"  # for the peripheral
    SENDING = "sending"  # the key
    CHECKING = "checking"  # that it holds


async def pair(
    settings: LineSettings,
    address: int,
    *,
    new_key: bytes,
    progress: Callable[[Stage], None] = lambda _stage: None,
    open_stream: OpenStream = open_stream,
) -> PeripheralId:
    """Give the peripheral at `address` a key, 16 bytes from `secrets`, and see that it holds; return who it is.

    A peripheral that has this very key already is only checked. Raises DriverError.
    """
    where = f"{settings.port}, address {address}"
    if len(new_key) != frames.KEY_BYTES or new_key == frames.DEFAULT_KEY or not any(new_key):
        raise DriverError("pair", where, f"a key is {frames.KEY_BYTES} random bytes")
    clock = asyncio.get_running_loop().time
    progress(Stage.LOOKING)
    session = Session(
        settings,
        Seat(address, new_key, secure=False),
        open_stream=open_stream,
        clock=clock,
        on_key_sent=lambda: progress(Stage.SENDING),
    )
    await session.run(WITHIN_S)
    if not session.secured:
        raise _why_not(session, where)
    progress(Stage.CHECKING)
    check = Session(settings, Seat(address, new_key), open_stream=open_stream, clock=clock)
    if not await check.run(WITHIN_S) or check.identity is None:
        raise DeviceError("pair", where, "it took the key, and does not come up with it: pair it again")
    return check.identity


async def probe(
    settings: LineSettings, address: int, *, key: bytes | None = None, open_stream: OpenStream = open_stream
) -> PeripheralId:
    """Ask a peripheral who it is and what it can do; with `key`, see that it holds, too. Raises DriverError."""
    where = f"{settings.port}, address {address}"
    clock = asyncio.get_running_loop().time
    session = Session(
        settings, Seat(address, key, secure=key is not None), open_stream=open_stream, clock=clock
    )
    up = await session.run(WITHIN_S)
    if not session.heard:
        raise _nobody("probe", session, where)
    if key is not None and not up:
        raise DeviceError(
            "probe", where, "it has no secure channel" if session.plain else "it has another key"
        )
    if session.identity is None:
        raise LineError("probe", where, "it answers, but not to the end: noise on the line?")
    return session.identity


def _why_not(session: Session, where: str) -> DriverError:
    if not session.heard:
        return _nobody("pair", session, where)
    if session.plain:
        return DeviceError("pair", where, "it has no secure channel; a reader without one is not used here")
    if session.key_sent and not session.key_taken:
        return DeviceError("pair", where, "it did not take the key: is it still in install mode?")
    if session.refuses:
        return DeviceError("pair", where, "it refuses the default key: it is not in install mode")
    if session.keeps_its_key:
        hint = "it is paired with another key: set it to install mode, or reset it, as its manual says"
        return DeviceError("pair", where, hint)
    return LineError("pair", where, "it answers, but not to the end: noise on the line?")


def _nobody(op: str, session: Session, where: str) -> LineError:
    if session.noise:
        return LineError(op, where, "bytes come that make no frame: another baud rate, or A and B swapped?")
    return LineError(op, where, "no answer: powered, at this address, at this baud rate?")
