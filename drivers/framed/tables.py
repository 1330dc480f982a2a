"""The framed part of a profile: from TOML tables to a layout, places in frames and questions.

    [framed]   baud, parity, stop_bits, address
               frame = ["53 59", "type 2", "length 2", "data", "sum", "54 43"]   see layout.py
               longest = 64                    bytes of data that are believed
               heartbeat_s = 60                it speaks by itself, at least so often; `heartbeat` with which frame
               freeze = { point, within_s }    a point that must change
    [[framed.request]]  type = 0x8381, data = "0F", answers = [0x8381]   or bytes = "55": asked as often as the
               most impatient of the points in its answer wants
    [[point]]  frame = 0x8301 or [...], at = 0, type = "u8" u16 u32 s8 s16 s32 f32 sign_bcd decimal, low_first,
               equals, scale, offset, sentinels, minimum, maximum, holds         see values.py

Every function takes a reader, notes mistakes in it, and returns something of the right type all the same.
"""

from collections.abc import Sequence
from typing import Final

from drivers.framed.codec import Frame, encode
from drivers.framed.layout import Data, Layout, LayoutError, Mark, parse
from drivers.framed.values import BCD, TEXT, TYPES, Field
from drivers.framed.wire import FramedWire, Freeze, Request
from drivers.reader import TableReader

BAUDS: Final = (1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200, 230400)
MOST_TYPE: Final = 0xFFFFFFFF
MOST_DATA: Final = 1024
STAND_IN: Final = Layout((Mark(b"\xff"), Data(1)))


def wire_of_profile(table: TableReader, points: Sequence[str]) -> FramedWire:
    """Return what `[framed]` says of the product with these points."""
    baud = table.integer("baud", 9600, maximum=1_000_000)
    if baud not in BAUDS:
        table.error("baud", str(baud), "one of " + ", ".join(str(known) for known in BAUDS))
    layout = _layout(table)
    requests = tuple(_request(each, layout) for each in table.tables("request"))
    wire = FramedWire(
        layout,
        baud=baud,
        parity=table.text("parity", "none", choices=("none", "even", "odd")),
        stop_bits=table.integer("stop_bits", 1, minimum=1, maximum=2),
        address=table.integer("address", 1, maximum=255),
        heartbeat_s=table.number("heartbeat_s", 0.0, minimum=0.0, maximum=86400),
        heartbeat=table.integer("heartbeat", maximum=MOST_TYPE) if table.has("heartbeat") else None,
        requests=requests,
        freeze=_freeze(table.table("freeze"), points) if table.has("freeze") else None,
    )
    if not requests and not wire.heartbeat_s:
        wanted = "heartbeat_s, the longest time it is silent by itself, or a [[framed.request]]"
        table.error("", "nothing that would show it is gone", wanted)
    return wire


def wire_of_point(table: TableReader) -> Field:
    """Return where a `[[point]]` stands."""
    kind = table.text("type", "u8", choices=TYPES)
    equals = table.integers("equals", maximum=MOST_TYPE)
    scale = table.number("scale", 1.0)
    if scale == 0:
        table.error("scale", "0", "a number other than 0")
    if equals and kind in {"f32", BCD, TEXT}:
        table.error("equals", kind, "a whole number's type: u8, u16, u32, s8, s16, s32")
    return Field(
        table.integers("frame", maximum=MOST_TYPE),
        table.integer("at", 0, maximum=MOST_DATA - 1),
        kind if kind in TYPES else "u8",
        low_first=table.flag("low_first", False),
        equals=equals,
        scale=scale or 1.0,
        offset=table.number("offset", 0.0),
        sentinels=table.integers("sentinels", maximum=MOST_TYPE),
        minimum=table.number("minimum") if table.has("minimum") else None,
        maximum=table.number("maximum") if table.has("maximum") else None,
        holds=table.flag("holds", False),
    )


def wire_of_action(table: TableReader, arguments: tuple[str, ...]) -> None:
    """Note that there are no actions: no maker says how one of these devices confirms an order."""
    del arguments
    table.error("", "an [[action]]", "none: framed devices are asked and listened to, not told what to do")


def _layout(table: TableReader) -> Layout:
    phrases = table.texts("frame")
    longest = table.integer("longest", 64, minimum=1, maximum=MOST_DATA)
    try:
        return parse(phrases, longest=longest)
    except LayoutError as error:
        table.error(f"frame[{error.index}]" if phrases else "frame", error.found, error.wanted)
        return STAND_IN


def _request(table: TableReader, layout: Layout) -> Request:
    plain = _bytes(table, "bytes") if table.has("bytes") else b""
    request = Request(
        type=table.integer("type", 0, maximum=MOST_TYPE),
        data=_bytes(table, "data") if table.has("data") else b"",
        plain=plain,
        answers=table.integers("answers", maximum=MOST_TYPE),
    )
    if plain and (table.has("type") or table.has("data")):
        table.error("bytes", "type or data as well", "either bytes as they are, or type and data of a frame")
    elif not plain and layout is not STAND_IN:
        try:
            encode(layout, Frame(request.type, request.data))
        except ValueError as error:
            table.error("", str(error), "a question the frame can carry")
    table.finish()
    return request


def _bytes(table: TableReader, name: str) -> bytes:
    text = table.text(name)
    try:
        return bytes.fromhex(text)
    except ValueError:
        table.error(name, repr(text), 'bytes such as "0F" or "55 AA"')
        return b""


def _freeze(table: TableReader, points: Sequence[str]) -> Freeze:
    freeze = Freeze(table.text("point", choices=points), table.number("within_s", minimum=0.1))
    table.finish()
    return freeze
