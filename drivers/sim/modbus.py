"""A pretend Modbus product: registers, quirks and actions as its profile describes them.

Nothing here knows a product. What a value looks like in registers, which registers exist, how much can be
read at once, how long it warms up: all of it is what the profile tells the master. Actions work backwards
(`effects.py`): when a master has written the last step of one, the device does what the action is called. So
a strike's pulse ends by itself, a latched alarm wants its reset, and an address changes only after its
unlock, as on the real thing.
"""

from collections import defaultdict
from dataclasses import replace
from typing import Final

from drivers.api import Profile, Value
from drivers.modbus.codec import (
    COIL_OFF,
    COIL_ON,
    ExceptionReply,
    ReadReply,
    ReadRequest,
    WriteMultiple,
    WriteReply,
    WriteSingle,
    encode_reply,
)
from drivers.modbus.identity import write
from drivers.modbus.wire import ModbusWire, Register, Table, decode, encode
from drivers.sim.effects import Effect, Effects, action_registers
from drivers.sim.framing import Question
from drivers.sim.image import TABLE_OF, Image
from drivers.sim.rest import at_rest
from drivers.sim.thing import ChangeTo

ILLEGAL_FUNCTION: Final = 1
ILLEGAL_ADDRESS: Final = 2
ILLEGAL_VALUE: Final = 3
SELF_TEST_S: Final = 10.0
BEATS: Final = 3.0  # a heartbeat moves this often within the time after which the device counts as frozen


class SimDevice:
    """One product on a line: `set` what it measures, `get` what it shows, `answer` what it is asked.

    `alive` False is a dead device; `frozen` True one that answers, but shows the same for ever.
    """

    def __init__(
        self, profile: Profile, address: int, *, name: str = "", turnaround_s: float | None = None
    ) -> None:
        assert isinstance(profile.wire, ModbusWire)
        self.profile = profile
        self.name = name or f"{profile.name}-{address}"
        self.address = address
        self.turnaround_s = turnaround_s
        self.alive = True
        self.frozen = False
        self.on_change: ChangeTo = lambda _device, _point, _value: None
        self.registers = Image()
        self._wire = profile.wire
        self._points = {point.name: _register(point.wire) for point in profile.points}
        self._points_at: dict[tuple[Table, int], list[str]] = defaultdict(list)
        self._latching = _latching(profile)
        self._latched: set[str] = set()
        self._actual: dict[str, Value | None] = {}
        self._reference: dict[str, float] = {}
        self._measured: float | None = None  # what was set at the point by whose moving it is seen to live
        self._ends_at: dict[str, float] = {}  # points that go false by themselves
        self._effects = Effects(profile.actions)
        self._off_until = self._warm_until = float("-inf")
        self._warming = False
        self._build()
        self.introduce()

    @property
    def points(self) -> tuple[str, ...]:
        """The names of its points."""
        return tuple(self._points)

    def set(self, point: str, value: Value | None) -> None:
        """Let the device measure this; KeyError for an unknown point, ValueError for what it cannot show."""
        register = self._points[point]
        encode(register, value, self.registers.words(register))
        self._actual[point] = value
        if self._wire.freeze and point == self._wire.freeze.point:
            self._measured = None if value is None else float(value)
        if value and point in self._latching:
            self._latched.add(point)
        self._ends_at.pop(point, None)
        self._show(point)

    def introduce(self, *, serial: str = "1001", firmware: str = "1") -> None:
        """Be this unit of the product: what it says of itself, where its map has that."""
        for each in self._wire.identity:
            words = write(each, serial if each.what == "serial" else firmware)
            self.registers.write(each.register.table, each.register.address, words)

    def press(self, point: str) -> None:
        """Let something short happen at a point, over before anybody looks: a counter goes on, a latch is set."""
        each = self.profile.point(point)
        if each.counts:
            self.set(point, (int(self._actual[point] or 0) + 1) % each.counts)
        elif each.cleared_by is not None:
            self.set(point, True)

    def get(self, point: str) -> Value | None:
        """Return what the device shows for a point; KeyError for an unknown one."""
        register = self._points[point]
        return decode(register, self.registers.words(register))

    def answer(self, question: Question, now: float) -> bytes | None:
        """Return the reply's pdu, or None if the device keeps silent."""
        if not self.alive or now < self._off_until:
            return None
        self.advance(now)
        if isinstance(question, ReadRequest):
            return self._read(question)
        if isinstance(question, bytes):
            function = question[0] & 0x7F
            return _refuse(function, ILLEGAL_VALUE if function in TABLE_OF else ILLEGAL_FUNCTION)
        return self._write(question, now)

    def advance(self, now: float) -> None:
        """Let time pass: pulses end, the warm-up ends, the heartbeat beats, a measured value trembles."""
        if self._warming and now >= self._warm_until:
            self._warming = False
            self._show(*self._points)
        if self._ends_at:
            for point in [point for point, end in self._ends_at.items() if now >= end]:
                self.set(point, False)
        if freeze := self._wire.freeze:
            beat = int(now * BEATS / freeze.within_s)
            self._actual[freeze.point] = beat % 100 if self._measured is None else self._measured + beat % 2
            self._show(freeze.point)

    def restart(self, off_until: float) -> None:
        """Lose power until then: relays fall, latches and counts are forgotten, and then the device warms up."""
        self._off_until, self._warm_until = off_until, off_until + self.profile.timing.warm_up_s
        for point in list(self._ends_at):
            self.set(point, False)
        self._latched.clear()
        self._actual |= {each.name: 0 for each in self.profile.points if each.counts or each.cleared_by}
        self._warming = True
        for register in self._points.values():
            self.registers.write(register.table, register.address, (0,) * register.count)

    def _build(self) -> None:
        for point, register in self._points.items():
            self.registers.add(register)
            for address in range(register.address, register.address + register.count):
                self._points_at[register.table, address].append(point)
        if self._wire.identify:
            self.registers.add(self._wire.identify.register)
        if self._wire.bridge:
            self.registers.bridge()
        for register in action_registers(self.profile.actions):
            self.registers.add(register)
        for told in self._wire.identity:
            for at in range(told.words):
                self.registers.add(replace(told.register, address=told.register.address + at, type="u16"))
        if identify := self._wire.identify:
            register = identify.register
            words = encode(register, identify.minimum, self.registers.words(register))
            self.registers.write(register.table, register.address, words)
        for each in self.profile.points:
            rest = at_rest(self.profile, each)
            if identify and identify.register == each.wire and isinstance(rest, float):
                rest = min(max(rest, identify.minimum), identify.maximum)  # by this it is known
            self._actual[each.name] = rest
            self._show(each.name)

    def _show(self, *points: str) -> None:
        """Put what points measure into their registers, as far as the device shows it."""
        if self.frozen or self._warming:
            return
        for point in points:
            value = True if point in self._latched else self._actual[point]
            if point in self._reference and value is not None:
                value = (value - self._reference[point] + 180.0) % 360.0 - 180.0
            register = self._points[point]
            before = self.registers.words(register)
            if value == decode(register, before):
                continue  # it shows this already; writing it again could disturb neighbours in the same word
            words = encode(register, value, before)
            if words != before:
                self.registers.write(register.table, register.address, words)
                self.on_change(self.name, point, decode(register, words))

    def _store(self, table: Table, address: int, words: tuple[int, ...]) -> None:
        """Let a master's words stand; a point they belong to has changed."""
        touched = {
            p for at in range(address, address + len(words)) for p in self._points_at.get((table, at), ())
        }
        before = {point: self.get(point) for point in touched}
        self.registers.write(table, address, words)
        for point in touched:
            self._ends_at.pop(point, None)
            self._actual[point] = value = self.get(point)
            if value != before[point]:
                self.on_change(self.name, point, value)

    def _read(self, request: ReadRequest) -> bytes:
        table = TABLE_OF[request.function]
        if not self.registers.exists(table):
            return _refuse(request.function, ILLEGAL_FUNCTION)
        if request.count > self._wire.max_read:
            return _refuse(request.function, ILLEGAL_VALUE)
        words = self.registers.read(table, request.address, request.count)
        if words is None:
            return _refuse(request.function, ILLEGAL_ADDRESS)
        return encode_reply(ReadReply(request.function, words))

    def _write(self, request: WriteSingle | WriteMultiple, now: float) -> bytes:
        """Carry actions on, store what can be stored, and say what a real device says."""
        function, table, address = request.function, TABLE_OF[request.function], request.address
        words = (request.value,) if isinstance(request, WriteSingle) else request.values
        if not self.registers.exists(table):
            return _refuse(function, ILLEGAL_FUNCTION)
        if not self.registers.has(table, address, len(words)):
            return _refuse(function, ILLEGAL_ADDRESS)
        as_written = tuple(COIL_ON if word else COIL_OFF for word in words) if function == 15 else words
        effects = [
            effect
            for at, word in enumerate(as_written, start=address)
            for effect in self._effects.written(table, at, word, now)
        ]
        if table == "holding":
            self._store(table, address, words)
        elif set(as_written) <= {COIL_ON, COIL_OFF}:
            self._store(table, address, tuple(int(word == COIL_ON) for word in as_written))
        elif not effects:
            return _refuse(function, ILLEGAL_VALUE)
        for effect in effects:
            self._do(effect, now)
        value_or_count = request.value if isinstance(request, WriteSingle) else len(words)
        return encode_reply(WriteReply(function, address, value_or_count))

    def _do(self, effect: Effect, now: float) -> None:
        for each in self.profile.points:
            clearing = each.cleared_by
            if clearing and (clearing.action, clearing.arguments) == (effect.action, effect.arguments):
                self.set(each.name, False)
        if effect.new_address is not None:
            self.address = effect.new_address
        elif "seconds" in effect.arguments:
            self._pulse(self._relay(effect), now + effect.arguments["seconds"])
        elif effect.action == "reset":
            self._latched = {point for point in self._latched if self._actual[point]}
            self._show(*self._points)
        elif effect.action == "self_test" and "test" in self._points:
            self._pulse("test", now + SELF_TEST_S)
        elif effect.action == "zero":
            self._reference = {
                p.name: _number(self._actual[p.name]) for p in self.profile.points if p.unit == "°"
            }
            self._show(*self._points)

    def _pulse(self, point: str | None, until: float) -> None:
        if point is not None:
            self.set(point, True)
            self._ends_at[point] = until

    def _relay(self, effect: Effect) -> str | None:
        """Return the point a timed action switches on."""
        names = (f"relay_{effect.arguments.get('channel', 1):.0f}", "strike", "relay")
        order = names if "channel" in effect.arguments else names[::-1]
        return next((name for name in order if name in self._points), None)


def _refuse(function: int, code: int) -> bytes:
    return encode_reply(ExceptionReply(function, code))


def _register(wire: object) -> Register:
    assert isinstance(wire, Register)
    return wire


def _latching(profile: Profile) -> frozenset[str]:
    """Return the bits that stay set until a reset, in a product that has one: those of its latching rules."""
    if not any(action.name == "reset" for action in profile.actions):
        return frozenset()
    latched = {rule.get("point") for rule in profile.rules if rule.get("latch")}
    bits = (point.name for point in profile.points if _register(point.wire).type == "bit")
    return frozenset(name for name in bits if name in latched)


def _number(value: Value | None) -> float:
    return 0.0 if value is None else float(value)
