"""What is said to a modem to send a text or to make a telephone ring, and what its answers mean.

A text counts as delivered when the network took every part of it (+CMGS); a call when the other telephone rang, for
that is all a call is to do: nobody speaks. Before either the SIM and the network are looked at, so that a refusal says
what is wrong with the modem and not with the message.
"""

import time
import zlib
from collections.abc import Callable
from typing import Final

from gateway.core.events import Words
from gateway.desk.senders.judging import meaning
from gateway.desk.senders.modem.at import FAILURES, call_state
from gateway.desk.senders.modem.dialog import Dialog, Line, RefusedError, SilentError
from gateway.desk.senders.modem.pdu import submit
from gateway.desk.sending import Delivered, Rejected, Result, Unknown

SHORT_S: Final = 3.0
PART_S: Final = 12.0
DIAL_S: Final = 15.0  # until it rings there
ANSWERED_S: Final = 3.0  # silence that somebody who answered hears
LOOK_S: Final = 0.5
ACTIVE, RINGING = 0, 3
AT_HOME, ROAMING = "1", "5"

_SILENT: Final = Words(
    "调制解调器没有回答：检查 port、baud 和供电", "the modem does not answer: look at port, baud and power"
)
_PIN: Final = Words(
    "SIM 卡要 PIN 或没插好：先在手机上取消 PIN",
    "the SIM wants its PIN, or is not in: take the PIN off in a phone",
)
_NO_NETWORK: Final = Words(
    "没有手机信号：检查天线和 SIM 卡是否欠费",
    "no network: look at the antenna, and whether the SIM is paid for",
)
_NOT_RUNG: Final = Words(
    "对方没有响铃：关机、不在服务区或占线", "it did not ring there: off, out of reach or busy"
)


class Talk:
    """One errand at a modem."""

    def __init__(self, line: Line, now: Callable[[], float] = time.monotonic) -> None:
        self._dialog, self._now = Dialog(line, now), now

    def text(self, number: str, text: str, name: str) -> Result:
        """Send a text; `name` is its id, a repeat has the same reference. Raises OSError where the line fails."""
        refused = self._ready()
        if refused is not None:
            return refused
        sent = []
        try:
            self._dialog.ask("AT+CMGF=0", SHORT_S)
            parts = submit(number, text, reference=zlib.crc32(name.encode()) & 0xFF)
            for part in parts:
                lines = self._dialog.hand_over(f"AT+CMGS={part.length}", part.text, PART_S)
                sent += [line.partition(":")[2].strip() for line in lines if line.startswith("+CMGS:")]
        except RefusedError as error:
            return _refused(error)
        except SilentError as error:
            return Unknown(f"no answer to {error.command}")
        return Delivered(f"+CMGS: {', '.join(sent)} ({len(parts)})")

    def call(self, number: str, ring_s: float) -> Result:
        """Have a telephone ring for so long, then hang up. Raises OSError where the line fails."""
        refused = self._ready()
        if refused is not None:
            return refused
        try:
            self._dialog.ask(f"ATD{number};", DIAL_S)
            return self._follow(ring_s)
        except RefusedError as error:
            return Rejected(error.end.said, retryable=True, means=_NOT_RUNG)
        except SilentError as error:
            return Unknown(f"no answer to {error.command}")
        finally:
            self._hang_up()

    def _ready(self) -> Rejected | None:
        """Return why the modem can send nothing; None if it can."""
        try:
            self._dialog.ask("ATE0", SHORT_S)
            self._dialog.ask("AT+CMEE=1", SHORT_S)
            pin = self._dialog.ask("AT+CPIN?", SHORT_S)
            if not any("READY" in line for line in pin):
                return Rejected(" ".join(pin), retryable=False, means=_PIN)
            states = self._dialog.ask("AT+CREG?", SHORT_S) + self._optional("AT+CEREG?")
        except SilentError as error:
            return Rejected(f"no answer to {error.command}", retryable=True, means=_SILENT)
        except RefusedError as error:
            return _refused(error)
        if not any(_registered(line) for line in states):
            return Rejected(" ".join(states), retryable=True, means=_NO_NETWORK)
        return None

    def _optional(self, command: str) -> list[str]:
        try:
            return self._dialog.ask(command, SHORT_S)
        except RefusedError:
            return []

    def _follow(self, ring_s: float) -> Result:
        """Watch a call until it rang long enough, was answered, or ended."""
        dialled_at, rang_at = self._now(), None
        while True:
            state = self._state()
            now = self._now()
            if state == ACTIVE:
                list(self._dialog.lines(ANSWERED_S))
                return Delivered("answered")
            if state == RINGING and rang_at is None:
                rang_at = now
            if state is None:
                if rang_at is None:
                    return Rejected("ended before it rang", retryable=True, means=_NOT_RUNG)
                return Delivered(f"rang {now - rang_at:.0f} s, then declined or diverted")
            if rang_at is not None and now - rang_at >= ring_s:
                return Delivered(f"rang {ring_s:.0f} s")
            if rang_at is None and now - dialled_at >= DIAL_S:
                return Rejected(f"did not ring in {DIAL_S:.0f} s", retryable=True, means=_NOT_RUNG)
            if any(line in FAILURES for line in self._dialog.lines(LOOK_S)) and rang_at is None:
                return Rejected("ended before it rang", retryable=True, means=_NOT_RUNG)

    def _state(self) -> int | None:
        states = [call_state(line) for line in self._dialog.ask("AT+CLCC", SHORT_S)]
        return next((state for state in states if state is not None), None)

    def _hang_up(self) -> None:
        for command in ("AT+CHUP", "ATH"):
            try:
                self._dialog.ask(command, SHORT_S)
                return
            except (RefusedError, SilentError, OSError):
                continue


def _registered(line: str) -> bool:
    """Return whether a line of +CREG or +CEREG says that the network has us: "+CREG: 0,1"."""
    name, _, values = line.partition(":")
    fields = [each.strip() for each in values.split(",")]
    return name in {"+CREG", "+CEREG"} and len(fields) > 1 and fields[1] in {AT_HOME, ROAMING}


def _refused(error: RefusedError) -> Rejected:
    means = meaning("modem", error.end.code)
    answer = f"{error.command}: {error.end.said}"
    return Rejected(answer, means.again if means else True, means.words if means else None)
