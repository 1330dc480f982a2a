"""The OSDP part of a profile: from TOML tables to places, steps and factory settings.

    [osdp]     baud, address
    [[point]]  input | output = 0, local = "tamper" | "power"; invert
    [[action]] steps = [
                 { output = 0, code = "on_timed", seconds = "seconds" }   on off on_timed off_timed on_after off_after
                 { led = 0, color = "green", blink = "black", on_s, off_s, seconds = 3, reader = 0 }
                 { buzzer = 2, on_s = 0.1, off_s = 0.1, reader = 0 }      how many times; 0: until told otherwise
                 { text = "请进", seconds = 3, reader = 0 } ]

`seconds` is a number or the name of an argument of the action. Every function takes a reader, notes mistakes in it,
and returns something of the right type all the same.
"""

from collections.abc import Sequence
from typing import cast

from drivers.osdp.wire import (
    CODES,
    COLORS,
    KINDS,
    LOCAL,
    MOST_TEXT,
    MOST_TIMED_S,
    TIMED,
    ActionWire,
    BuzzerStep,
    Kind,
    LedStep,
    OsdpWire,
    OutputStep,
    Place,
    Seconds,
    Step,
    TextStep,
)
from drivers.reader import TableReader

BAUDS = (9600, 19200, 38400, 57600, 115200, 230400)  # IEC 60839-11-5, 5.1
LAST_ADDRESS = 0x7E
LAST_NUMBER = 63  # libosdp takes that many bytes of status
STEPS = ("output", "led", "buzzer", "text")


def wire_of_profile(table: TableReader, points: Sequence[str]) -> OsdpWire:
    """Return what `[osdp]` says of the product."""
    del points
    baud = table.integer("baud", 9600, maximum=1_000_000)
    if baud not in BAUDS:
        table.error("baud", str(baud), "one of " + ", ".join(str(known) for known in BAUDS))
    return OsdpWire(baud, table.integer("address", 0, maximum=LAST_ADDRESS))


def wire_of_point(table: TableReader) -> Place:
    """Return the place of a `[[point]]`."""
    kind = cast("Kind", table.one_of(KINDS) or "local")
    if kind == "local":
        name = table.text("local", LOCAL[0], choices=LOCAL)
        number = LOCAL.index(name) if name in LOCAL else 0
    else:
        number = table.integer(kind, maximum=LAST_NUMBER)
    return Place(kind, number, table.flag("invert", False))


def wire_of_action(table: TableReader, arguments: tuple[str, ...]) -> ActionWire:
    """Return the steps of an `[[action]]` that takes these arguments."""
    steps = table.tables("steps")
    if not steps:
        table.error("steps", "nothing", "at least one step")
    return ActionWire(tuple(_step(step, arguments) for step in steps))


def _step(table: TableReader, arguments: tuple[str, ...]) -> Step:
    kind = table.one_of(STEPS) or "output"
    step = {"output": _output, "led": _led, "buzzer": _buzzer, "text": _text}[kind](table, arguments)
    table.finish()
    return step


def _output(table: TableReader, arguments: tuple[str, ...]) -> Step:
    code = table.text("code", choices=CODES)
    seconds = _seconds(table, arguments)
    if (code in TIMED) != table.has("seconds"):
        table.error("seconds", "it" if table.has("seconds") else "nothing", "a time for a timed code only")
    return OutputStep(table.integer("output", 0, maximum=LAST_NUMBER), code, seconds)


def _led(table: TableReader, arguments: tuple[str, ...]) -> Step:
    color = table.text("color", choices=COLORS)
    blink = table.text("blink", color, choices=COLORS)
    return LedStep(
        table.integer("led", maximum=255),
        color,
        blink,
        _pulse(table, "on_s", 0.5),
        _pulse(table, "off_s", 0.5 if blink != color else 0.0),
        _seconds(table, arguments),
        _reader(table),
    )


def _buzzer(table: TableReader, arguments: tuple[str, ...]) -> Step:
    del arguments
    times = table.integer("buzzer", maximum=255)
    return BuzzerStep(_pulse(table, "on_s", 0.1), _pulse(table, "off_s", 0.1), times, _reader(table))


def _text(table: TableReader, arguments: tuple[str, ...]) -> Step:
    text = table.text("text")
    if len(text.encode()) > MOST_TEXT:
        table.error("text", repr(text), f"at most {MOST_TEXT} bytes of UTF-8")
    return TextStep(text, _seconds(table, arguments), _reader(table))


def _seconds(table: TableReader, arguments: tuple[str, ...]) -> Seconds:
    if isinstance(table.raw("seconds"), str):
        choices = arguments or ("(this action has no arguments)",)
        return Seconds(argument=table.text("seconds", choices=choices))
    return Seconds(table.number("seconds", 0.0, minimum=0.0, maximum=MOST_TIMED_S))


def _pulse(table: TableReader, name: str, default: float) -> float:
    return table.number(name, default, minimum=0.0, maximum=MOST_TIMED_S)


def _reader(table: TableReader) -> int:
    return table.integer("reader", 0, maximum=255)
