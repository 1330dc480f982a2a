"""A card reader that speaks real OSDP: libosdp's peripheral behind a plain object whose world can be played.

    reader = SimReader(0, key)
    with PtyLine(ReaderLine(LineSettings("door", "pty", baud=9600), [reader])) as port:
        reader.present_card(26, bytes.fromhex("1f3a40c0"))
        reader.press("1234#")
        reader.set_input(0, True)

What it was told can be seen (`output`, `shown`) or heard of (`on_output`, with the time by the line's clock). Keys come
one by one, as from most keypads. libosdp's binding cannot answer a status question, and gives back one reference
too few of what its command callback returns: both are mended here, and told where it is done.
"""

import ctypes
import struct
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import osdp_sys

from drivers.sim.outputs import Output

OnOutput: TypeAlias = Callable[[int, bool, float], None]

KEY_CODES: Final = {"*": 0x7F, "#": 0x0D}
INPUT, OUTPUT, LOCAL = (
    osdp_sys.STATUS_REPORT_INPUT,
    osdp_sys.STATUS_REPORT_OUTPUT,
    osdp_sys.STATUS_REPORT_LOCAL,
)
IDENTITY: Final = {
    "version": 1, "model": 7, "vendor_code": 0x00CAFE, "serial_number": 20261101, "firmware_version": 0x010203
}  # fmt: skip
ROUNDS: Final = 3  # of libosdp, in which it takes a command and answers it


class SimReader:
    """One peripheral. Without `key` it is in install mode, as it leaves the factory; `secure` false: plain only;
    `tells` false: its states are told when it is asked for them, and never by itself.
    """

    def __init__(
        self,
        address: int,
        key: bytes | None,
        *,
        inputs: int = 2,
        outputs: int = 1,
        display: bool = True,
        secure: bool = True,
        tells: bool = True,
        turnaround_s: float = 0.003,
    ) -> None:
        self.address, self.key, self.secure, self.turnaround_s = address, key, secure, turnaround_s
        self.alive = True
        self.stubborn = False  # refuses to switch its outputs
        self.refusals = 0  # so many questions for its states are refused
        self.tells = tells
        self.inputs = [False] * inputs
        self.local = [False, False]  # tampered with, without supply
        self.outputs = [Output() for _ in range(outputs)]
        self.shown: dict[str, Mapping[str, Any]] = {}  # led, buzzer, text: the last command
        self.on_output: OnOutput = lambda _number, _on, _at: None
        self.now = 0.0  # as the line says
        self._display = display
        self._incoming = self._outgoing = b""
        self._told_on: list[bool] = [False] * outputs
        self._answers: dict[tuple[int, bytes], tuple[int, dict[str, object]]] = {}
        self._was_secure = False
        self._later: deque[dict[str, object]] = deque()
        self._device = self._new_device()

    # --- the world -------------------------------------------------------------------------------

    def present_card(self, bits: int, data: bytes) -> None:
        """Hold a card to it: `bits` bits, left aligned in `data`."""
        self._tell({
            "event": osdp_sys.EVENT_CARDREAD, "reader_no": 0, "format": osdp_sys.CARD_FMT_RAW_WIEGAND,
            "direction": 0, "length": bits, "data": data,
        })  # fmt: skip

    def press(self, keys: str, *, together: bool = False) -> None:
        """Type at it; each key is told on its own, or all at once."""
        codes = bytes(KEY_CODES.get(key, ord(key)) for key in keys)
        for data in [codes] if together else [bytes((code,)) for code in codes]:
            self._tell({"event": osdp_sys.EVENT_KEYPRESS, "reader_no": 0, "data": data})

    def set_input(self, number: int, on: bool) -> None:
        """Close or open what hangs on an input."""
        self.inputs[number] = on
        self._tell_states(INPUT)

    def tamper(self, on: bool = True) -> None:
        """Open its case, or shut it."""
        self.local[0] = on
        self._tell_states(LOCAL)

    def fail_power(self, on: bool = True) -> None:
        """Take its supply, or give it back."""
        self.local[1] = on
        self._tell_states(LOCAL)

    def restart(self) -> None:
        """Cut its power for a moment: it forgets the secure channel, what it had to tell, and its outputs."""
        self._device = self._new_device()
        self._later.clear()
        self.outputs = [Output() for _ in self.outputs]
        self._look_at_outputs()

    def output(self, number: int = 0) -> bool:
        """Say whether an output is energised."""
        return self.outputs[number].on

    @property
    def in_secure_channel(self) -> bool:
        """Whether somebody speaks to it in secure channel."""
        return bool(self._device.is_sc_active())

    def close(self) -> None:
        """Give libosdp back what it holds."""
        self._device = None

    # --- the wire --------------------------------------------------------------------------------

    def hear(self, data: bytes, now: float) -> bytes:
        """Take what is on the wire; return what it answers, if it does."""
        self.advance(now)
        if not self.alive or self._device is None:
            return b""
        self._incoming += data
        for _ in range(ROUNDS):
            self._device.refresh()
        if not self._was_secure and self.in_secure_channel:
            for kind in (LOCAL, INPUT, OUTPUT):
                self._tell_states(kind)
        self._was_secure = self.in_secure_channel
        answer, self._outgoing = self._outgoing, b""
        return answer

    def advance(self, now: float) -> None:
        """Let its timers run."""
        self.now = now
        for output in self.outputs:
            output.advance(now)
        self._look_at_outputs()

    def next_at(self) -> float | None:
        """Return when one of its timers ends."""
        return min((output.until for output in self.outputs if output.until is not None), default=None)

    def read(self, most: int) -> bytes:
        """Give libosdp what was heard (it calls this)."""
        data, self._incoming = self._incoming[:most], self._incoming[most:]
        return data

    def write(self, data: bytes) -> int:
        """Take what libosdp answers (it calls this)."""
        self._outgoing += data
        return len(data)

    def flush(self) -> None:
        """Forget what was not read (libosdp calls this)."""
        self._incoming = b""

    # ---------------------------------------------------------------------------------------------

    def _new_device(self) -> Any:
        osdp_sys.set_loglevel(osdp_sys.LOG_EMERG)
        self._incoming = self._outgoing = b""
        self._was_secure = False
        flags = osdp_sys.FLAG_ENFORCE_SECURE if self.key is not None and self.secure else 0
        info = {
            "name": f"pd-{self.address}", "address": self.address, "flags": flags, "scbk": self.key,
            "channel": _Channel(self), **IDENTITY,
        }  # fmt: skip
        has = {
            osdp_sys.CAP_CONTACT_STATUS_MONITORING: len(self.inputs),
            osdp_sys.CAP_OUTPUT_CONTROL: len(self.outputs),
            osdp_sys.CAP_CARD_DATA_FORMAT: 1,
            osdp_sys.CAP_READER_LED_CONTROL: 1,
            osdp_sys.CAP_READER_AUDIBLE_OUTPUT: 1,
            osdp_sys.CAP_READER_TEXT_OUTPUT: int(self._display),
            osdp_sys.CAP_COMMUNICATION_SECURITY: 1,
            osdp_sys.CAP_READERS: 1,
        }
        capabilities = [
            {"function_code": function, "compliance_level": 1, "num_items": number}
            for function, number in has.items()
            if number
        ]
        device = osdp_sys.PeripheralDevice(info, capabilities=capabilities)
        device.set_command_callback(self._obey)
        return device

    def _tell(self, event: dict[str, object]) -> None:
        if self.alive and self._device is not None:
            self._device.submit_event(event)

    def _tell_states(self, kind: int) -> None:
        if self.tells and (report := self._states(kind)):
            self._tell({"event": osdp_sys.EVENT_STATUS, "type": kind, "report": report})

    def _states(self, kind: int) -> bytes:
        return bytes(
            self.local if kind == LOCAL else self.inputs if kind == INPUT else [o.on for o in self.outputs]
        )

    def _look_at_outputs(self) -> None:
        """Tell of outputs that have switched."""
        on = [output.on for output in self.outputs]
        changed = [number for number, now_on in enumerate(on) if now_on != self._told_on[number]]
        self._told_on = on
        for number in changed:
            self.on_output(number, on[number], self.now)
        if changed and self._was_secure:
            self._tell_states(OUTPUT)

    def _obey(self, command: dict[str, Any]) -> tuple[int, dict[str, object] | None]:
        """Carry out a command of the master (libosdp calls this)."""
        answer = self._answer(command)
        ctypes.pythonapi.Py_IncRef(
            ctypes.py_object(answer[1])
        )  # the binding gives back one that it does not own
        return answer

    def _answer(self, command: dict[str, Any]) -> tuple[int, dict[str, object] | None]:
        match command["command"]:
            case osdp_sys.CMD_OUTPUT if self.stubborn:
                return REFUSED
            case osdp_sys.CMD_OUTPUT:
                self.outputs[command["output_no"]].obey(
                    command["control_code"], command["timer_count"], self.now
                )
                self._look_at_outputs()
            case osdp_sys.CMD_KEYSET:
                self.key = bytes(command["data"])
            case osdp_sys.CMD_STATUS:
                return self._status(command["type"])
            case osdp_sys.CMD_LED:
                self.shown["led"] = command
            case osdp_sys.CMD_BUZZER:
                self.shown["buzzer"] = command
            case osdp_sys.CMD_TEXT:
                self.shown["text"] = command
        return DONE

    def _status(self, kind: int) -> tuple[int, dict[str, object] | None]:
        """Return the states, written into the manufacturer's command, which lies where libosdp looks for them.

        The binding fills in no more than the type of a status; but struct osdp_cmd_mfg {u32 vendor; u8 data[64]} and
        struct osdp_status_report {int type; int count; u8 report[64]} are the same memory.
        """
        if self.refusals:
            self.refusals -= 1
            return REFUSED
        report = self._states(kind)
        if (kind, report) not in self._answers:
            data = struct.pack("=i", len(report)) + report
            answer: dict[str, object] = {"command": osdp_sys.CMD_MFG, "vendor_code": kind, "data": data}
            self._answers[kind, report] = 0, answer
        return self._answers[kind, report]


DONE: Final = (0, None)
REFUSED: Final = (-1, None)


class _Channel:
    """What libosdp reads from and writes to."""

    id = 0

    def __init__(self, reader: SimReader) -> None:
        self.read, self.write, self.flush = reader.read, reader.write, reader.flush
