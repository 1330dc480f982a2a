"""A modem on a pseudo-terminal, pretended: echoes, speaks unasked, chops its answers, refuses as real ones do.

The PDUs it is given it decodes by itself, from 3GPP TS 23.040, and joins the parts as a phone does.
"""

import contextlib
import os
import pty
import threading
import time
import tty
from dataclasses import dataclass

GSM = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPED = {
    0x0A: "\f",
    0x3C: "[",
    0x3E: "]",
    0x65: "€",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3D: "~",
    0x40: "|",
    0x14: "^",
}


@dataclass(frozen=True, slots=True)
class Received:
    """One message as a network reads it: reference, how many, which; (0, 1, 1) alone."""

    number: str
    text: str
    part: tuple[int, int, int]
    validity: int


def receive(pdu: str, length: int) -> Received:
    """Return what an SMS-SUBMIT says; AssertionError where it is none."""
    data = bytes.fromhex(pdu)
    centre, body = data[0], data[1:]
    assert centre == 0
    assert len(body) == length
    first, digits = body[0], body[2]
    assert first & 0x03 == 1, "SMS-SUBMIT"
    assert first & 0x18 == 0x10, "relative validity"
    octets = (digits + 1) // 2
    number = "".join(f"{each & 15:x}{each >> 4:x}" for each in body[4 : 4 + octets])[:digits]
    number = ("+" if body[3] == 0x91 else "") + number
    _, coding, validity, size = body[4 + octets : 8 + octets]
    user, part, skip = body[8 + octets :], (0, 1, 1), 0
    if first & 0x40:
        assert user[:3] == bytes([5, 0, 3])
        part, skip = (user[3], user[4], user[5]), 6
    if coding == 8:
        assert size == len(user) <= 140
        return Received(number, user[skip:].decode("utf-16-be"), part, validity)
    assert coding == 0
    assert size <= 160
    bits = "".join(f"{each:08b}"[::-1] for each in user)
    codes = [int(bits[index * 7 : index * 7 + 7][::-1], 2) for index in range(size)][(skip * 8 + 6) // 7 :]
    return Received(number, _seven(codes), part, validity)


def _seven(codes: list[int]) -> str:
    text, escaped = "", False
    for code in codes:
        if escaped:
            text, escaped = text + GSM_ESCAPED[code], False
        elif code == 0x1B:
            escaped = True
        else:
            text += GSM[code]
    return text


class PretendModem:
    """A modem that does as its fields say. `port` is what is opened."""

    def __init__(self) -> None:
        self.pin, self.registered, self.echo = "READY", "0,1", True
        self.answers: dict[str, str] = {}  # said instead, to commands that begin so
        self.silent: set[str] = set()
        self.text_answers: list[str] = []  # to texts, in turn: "" takes it
        self.rings: list[
            int
        ] = []  # what +CLCC says, one look after the other; the last stays; empty: no call
        self.chatter = b""
        self.received: list[Received] = []
        self.dialled: list[str] = []
        self.hung_up = 0
        self._calling = False
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        for each in (self._slave, self._master):
            with contextlib.suppress(OSError):
                os.close(each)
        self._thread.join(5)

    def texts(self) -> list[str]:
        """Return the texts as a phone shows them, parts joined."""
        found: dict[int, list[Received]] = {}
        for each in self.received:
            found.setdefault(each.part[0] if each.part[1] > 1 else -len(found) - 1, []).append(each)
        for parts in found.values():
            assert [each.part[2] for each in parts] == list(range(1, parts[0].part[1] + 1))
        return ["".join(each.text for each in parts) for parts in found.values()]

    def _run(self) -> None:
        buffer, length = b"", 0
        try:
            while data := os.read(self._master, 1024):
                buffer += data
                while buffer:
                    if length:
                        if b"\x1b" in buffer:
                            buffer, length = b"", 0
                            break
                        if b"\x1a" not in buffer:
                            break
                        pdu, _, buffer = buffer.partition(b"\x1a")
                        self._text(pdu.decode(), length)
                        length = 0
                        continue
                    if b"\r" not in buffer:
                        break
                    line, _, buffer = buffer.partition(b"\r")
                    length = self._command(line.decode().strip("\x1b"))
        except OSError:
            return

    def _command(self, line: str) -> int:
        """Answer a command; return the length of the text that follows."""
        if self.echo:
            self._put(line.encode() + b"\r\r\n")
        if self.chatter:
            self._put(self.chatter)
        if any(line.startswith(each) for each in self.silent):
            return 0
        for start, said in self.answers.items():
            if line.startswith(start):
                self._say(said)
                return 0
        if line.startswith("AT+CMGS="):
            self._put(b"\r\n> ")
            return int(line.partition("=")[2])
        self._plain(line)
        return 0

    def _plain(self, line: str) -> None:
        if line == "ATE0":
            self.echo = False
            self._say("OK")
        elif line == "AT+CPIN?":
            self._say(f"+CPIN: {self.pin}", "OK")
        elif line == "AT+CREG?":
            self._say(f"+CREG: {self.registered}", "OK")
        elif line == "AT+CLCC":
            state = self._next_state()
            self._say(*([f'+CLCC: 1,0,{state},0,0,"138",129'] if state is not None else []), "OK")
        elif line.startswith("ATD"):
            assert line.endswith(";"), "a voice call"
            self.dialled.append(line[3:-1])
            self._calling = True
            self._say("OK")
        elif line in {"AT+CHUP", "ATH"}:
            self.hung_up += 1
            self._calling = False
            self._say("OK")
        elif line in {"AT+CMEE=1", "AT+CMGF=0"}:
            self._say("OK")
        else:
            self._say("ERROR")

    def _next_state(self) -> int | None:
        if not self._calling or not self.rings:
            return None
        state = self.rings.pop(0) if len(self.rings) > 1 else self.rings[0]
        return state if state >= 0 else None

    def _text(self, pdu: str, length: int) -> None:
        said = self.text_answers.pop(0) if self.text_answers else ""
        if said == "silence":
            return
        if said:
            self._say(said)
            return
        self.received.append(receive(pdu, length))
        self._say(f"+CMGS: {len(self.received)}", "OK")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self._put(b"\r\n" + line.encode() + b"\r\n")

    def _put(self, data: bytes) -> None:
        """Write in two pieces with a breath between, as a USB serial port does."""
        middle = len(data) // 2
        for piece in (data[:middle], data[middle:]):
            if piece:
                os.write(self._master, piece)
            time.sleep(0.001)
