"""The Modbus part of a profile: from TOML tables to registers, steps and factory settings.

    [modbus]   baud, parity, stop_bits, address, max_read, bridge, identify = { ... }, freeze = { ... }
               serial, firmware = { input = 270, type = "u32" }   what a unit says of itself (identity.py); type also
                                                                  "hex" or "text" of so many `words`
    [[point]]  coil | discrete | holding | input = 0     where it stands: PDU address, counted from 0
               type = "u16"                              bit u16 s16 u32 s32 f32 bcd16 bcd32
               bit = 3 | any_of = 0x07FE | equals = 2    true or false out of a register (with `mask`)
               mask, invert, word_order, scale, offset, sentinels
    [[action]] steps = [{ coil | holding = 0x0200, plus = "channel", first = 1, stride = 1,
                          value = "seconds", times = 10, add = 0, expect, multiple, broadcast,
                          pause_s, within_s, to_address }]

Every function takes a reader, notes mistakes in it, and returns something of the right type all the same.
"""

from collections.abc import Sequence
from typing import Final, Literal, cast

from drivers.modbus.orders import ActionWire, Amount, Step, coil_word
from drivers.modbus.wire import (
    BIT_TABLES,
    KINDS,
    READ_FUNCTION,
    Freeze,
    Identify,
    Identity,
    Kind,
    ModbusWire,
    Register,
    Table,
    WordOrder,
)
from drivers.reader import TableReader

IDENTITY: Final[tuple[Literal["serial", "firmware"], ...]] = ("serial", "firmware")
BAUDS = (1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200, 230400)


def wire_of_profile(table: TableReader, points: Sequence[str]) -> ModbusWire:
    """Return what `[modbus]` says of the product with these points."""
    baud = table.integer("baud", 9600, maximum=1_000_000)
    if baud not in BAUDS:
        table.error("baud", str(baud), "one of " + ", ".join(str(known) for known in BAUDS))
    return ModbusWire(
        baud=baud,
        parity=table.text("parity", "none", choices=("none", "even", "odd")),
        stop_bits=table.integer("stop_bits", 1, minimum=1, maximum=2),
        address=table.integer("address", 1, minimum=1, maximum=255),
        max_read=table.integer("max_read", 125, minimum=1, maximum=125),
        bridge=table.flag("bridge", True),
        identify=_identify(table.table("identify")) if table.has("identify") else None,
        freeze=_freeze(table.table("freeze"), points) if table.has("freeze") else None,
        identity=tuple(_identity(table.table(what), what) for what in IDENTITY if table.has(what)),
    )


def wire_of_point(table: TableReader) -> Register:
    """Return the register of a `[[point]]`."""
    where = cast("Table", table.one_of(tuple(READ_FUNCTION)) or "holding")
    address = table.integer(where, 0) if table.has(where) else 0
    if where in BIT_TABLES:
        return Register(where, address, "bit", invert=table.flag("invert", False))
    mask, equals = _condition(table)
    is_flag = bool(equals) or table.has("bit") or table.has("any_of")
    kind = cast("Kind", table.text("type", "bit" if is_flag else "u16", choices=KINDS))
    if (kind == "bit") != is_flag:
        table.error("type", kind, "bit together with one of bit, any_of, equals; else a number's type")
    scale = table.number("scale", 1.0)
    if scale == 0:
        table.error("scale", "0", "a number other than 0")
    return Register(
        where,
        address,
        kind,
        mask=mask,
        equals=equals,
        invert=table.flag("invert", False),
        word_order=cast("WordOrder", table.text("word_order", "big", choices=("big", "little"))),
        scale=scale or 1.0,
        offset=table.number("offset", 0.0),
        sentinels=table.integers("sentinels", maximum=0xFFFFFFFF),
    )


def wire_of_action(table: TableReader, arguments: tuple[str, ...]) -> ActionWire:
    """Return the steps of an `[[action]]` that takes these arguments."""
    steps = table.tables("steps")
    if not steps:
        table.error("steps", "nothing", "at least one step")
    return ActionWire(tuple(_step(step, arguments) for step in steps))


def _condition(table: TableReader) -> tuple[int, tuple[int, ...]]:
    """Return mask and matching words from `bit`, `any_of`, `equals` and `mask`."""
    given = [name for name in ("bit", "any_of", "equals") if table.has(name)]
    if len(given) > 1:
        table.error(given[1], f"{given[0]} as well", "only one of bit, any_of, equals")
    mask = table.integer("mask", 0, maximum=0xFFFFFFFF)
    bit = table.integer("bit", 0, maximum=15)
    any_of = table.integer("any_of", 0)
    equals = table.integers("equals")
    if table.has("bit"):
        return 1 << bit, ()
    return any_of or mask, equals


def _identify(table: TableReader) -> Identify:
    minimum = table.number("minimum")
    maximum = table.number("maximum")
    identify = Identify(wire_of_point(table), minimum, maximum)
    table.finish()
    return identify


def _identity(table: TableReader, what: Literal["serial", "firmware"]) -> Identity:
    form = table.raw("type")
    if form in ("hex", "text"):
        where = cast("Table", table.one_of(("holding", "input")) or "holding")
        register = Register(where, table.integer(where, 0))
        words = table.integer("words", 1, minimum=1, maximum=32)
        identity = Identity(what, register, cast('Literal["hex", "text"]', table.text("type")), words)
    else:
        register = wire_of_point(table)
        identity = Identity(what, register, "", register.count)
    table.finish()
    return identity


def _freeze(table: TableReader, points: Sequence[str]) -> Freeze:
    freeze = Freeze(table.text("point", choices=points), table.number("within_s", minimum=0.1))
    table.finish()
    return freeze


def _step(table: TableReader, arguments: tuple[str, ...]) -> Step:
    where = cast("Table", table.one_of(("coil", "holding")) or "holding")
    expect = table.has("expect")
    within_s = table.number("within_s", 0.0, minimum=0.0)
    step = Step(
        where,
        _address(table, where, arguments),
        _amount(table, "expect" if expect else "value", where, arguments, as_word=not expect),
        expect=expect,
        multiple=table.flag("multiple", False),
        broadcast=table.flag("broadcast", False),
        pause_s=table.number("pause_s", 0.0, minimum=0.0),
        within_s=within_s or None,
        to_address=_reference(table, "to_address", arguments) if table.has("to_address") else None,
    )
    table.finish()
    return step


def _address(table: TableReader, where: str, arguments: tuple[str, ...]) -> Amount:
    base = table.integer(where, 0)
    if not table.has("plus"):
        return Amount(base)
    first, stride = table.integer("first", 0), table.integer("stride", 1, minimum=1)
    return Amount(base - first * stride, table.text("plus", choices=arguments), stride)


def _amount(
    table: TableReader, name: str, where: str, arguments: tuple[str, ...], *, as_word: bool
) -> Amount:
    """Return the value of a step: true or false, a word, or an argument * times + add."""
    value = table.raw(name)
    if isinstance(value, bool):
        return Amount(coil_word(value) if where == "coil" and as_word else int(value))
    if isinstance(value, int):
        return Amount(table.integer(name))
    if value is None or isinstance(value, str):
        return Amount(
            table.integer("add", 0), _reference(table, name, arguments).argument, table.number("times", 1.0)
        )
    table.error(name, repr(value), "true, false, a word, or the name of an argument")
    return Amount()


def _reference(table: TableReader, name: str, arguments: tuple[str, ...]) -> Amount:
    return Amount(argument=table.text(name, choices=arguments or ("(this action has no arguments)",)))
