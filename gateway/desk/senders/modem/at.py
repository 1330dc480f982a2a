"""What a modem says, line by line (3GPP TS 27.007, 27.005; V.250). Pure: eats its bytes, or waits for more.

A line ends a command, or belongs to its answer, or comes by itself at any moment (RING, +CMTI, ^RSSI). Nobody but the
command that was asked for can tell the last two apart, so the answers are looked for by their names.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 2048
PROMPT: Final = "> "
FAILURES: Final = ("ERROR", "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE")

_NUMBERED = re.compile(r"\+(CMS|CME) ERROR: *(.+)")
_CALL = re.compile(r"\+CLCC: *\d+, *0, *(\d)\b")


class FrameError(Exception):
    """Bytes are no line of a modem; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class End:
    """What ended a command: `good`, or a failure in the modem's words; `code` of +CMS and +CME, as "cms 38"."""

    good: bool
    said: str
    code: str = ""


def decode(buffer: bytearray) -> str | None:
    """Take a line without its end, or the prompt, out of `buffer`; None: more is needed. Raises FrameError."""
    while buffer and buffer[0] in b"\r\n\0":
        del buffer[0]
    if buffer.startswith(PROMPT.encode()):
        del buffer[: len(PROMPT)]
        return PROMPT
    at = min((found for end in b"\r\n" if (found := buffer.find(end)) >= 0), default=-1)
    if at < 0:
        if len(buffer) > LONGEST:
            buffer.clear()
            raise FrameError(f"a line of more than {LONGEST} bytes: another baud rate, or no modem")
        return None
    line = bytes(buffer[:at]).decode("ascii", "replace").strip()
    del buffer[: at + 1]
    return line


def end_of(line: str) -> End | None:
    """Return what a line means if it ends a command."""
    if line == "OK":
        return End(True, line)
    if line in FAILURES:
        return End(False, line)
    match = _NUMBERED.fullmatch(line)
    return End(False, line, f"{match[1].lower()} {match[2]}") if match else None


def call_state(line: str) -> int | None:
    """Return the state of a call we made, of +CLCC: 0 active, 2 dialling, 3 ringing there; None: another line."""
    match = _CALL.match(line)
    return int(match[1]) if match else None
