"""Block reads: which points share a request, and how a block falls apart when the device refuses it.

A poll has a price before its first register: 8 characters there, 5 back, and two silences. At 9600 baud that is
21.6 ms, as much as ten registers; so reading over a hole of registers nobody wants is cheaper than a second
poll. Only points of one table, priority and interval are merged: telemetry never makes a fire read longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from drivers.api import Point, Priority, Value
from drivers.modbus.codec import ReadReply, ReadRequest
from drivers.modbus.wire import BIT_TABLES, Register, decode

_OVERHEAD_CHARS = 13  # 8 in a read request, 5 in its reply besides the data
_MAX_BITS = 2000
WIDEST = 2  # registers of one value


@dataclass(frozen=True, slots=True)
class Block:
    """One read and the points it answers, in the order of their registers."""

    request: ReadRequest
    points: tuple[Point, ...]

    @property
    def priority(self) -> Priority:
        """The class of traffic it belongs to; all its points share it."""
        return self.points[0].priority

    @property
    def interval_s(self) -> float:
        """How often it is read; all its points share it."""
        return self.points[0].interval_s

    def values(self, reply: ReadReply) -> list[tuple[Point, Value | None]]:
        """Return every point with its value in the reply, None where the device says there is none."""
        first, words = self.request.address, reply.values
        return [
            (point, decode(register, words[(at := register.address - first) : at + WIDEST]))
            for point, register in zip(self.points, map(register_of, self.points), strict=True)
        ]


def register_of(point: Point) -> Register:
    """Return where a point of a Modbus profile stands."""
    assert isinstance(point.wire, Register)
    return point.wire


def plan(
    points: Sequence[Point], *, char_s: float, gap_s: float, max_read: int = 125, bridge: bool = True
) -> tuple[Block, ...]:
    """Return the reads that fetch these points with the least time on a wire of that speed.

    `char_s` is the time of a character, `gap_s` the silence between frames. `max_read` limits the registers of
    one read. Without `bridge` only neighbours share a read.
    """
    hole_s = _OVERHEAD_CHARS * char_s + 2 * gap_s
    blocks: list[Block] = []
    for (table, _, _), group in groupby(sorted(points, key=_order), key=_kind):
        bits = table in BIT_TABLES
        unit_s = char_s / 8 if bits else 2 * char_s
        hole = int(hole_s / unit_s) if bridge and unit_s else (_MAX_BITS if bridge else 0)
        blocks.extend(_runs(tuple(group), hole, _MAX_BITS if bits else max_read))
    return tuple(blocks)


def split(block: Block) -> tuple[Block, ...]:
    """Return the reads to try after the device refused a block: cut at its holes, or into single registers.

    A block that cannot be cut comes back alone: the device does not have that register.
    """
    limit = _MAX_BITS if block.request.function <= 2 else 125
    return next(
        (parts for parts in (_runs(block.points, 0, limit), _runs(block.points, 0, 1)) if len(parts) > 1),
        (block,),
    )


def _runs(points: Sequence[Point], hole: int, limit: int) -> tuple[Block, ...]:
    """Return the blocks that cover points, sorted by register, over holes of at most `hole`."""
    blocks: list[Block] = []
    for point in points:
        register = register_of(point)
        if blocks and _fits(blocks[-1].request, register, hole, limit):
            last = blocks[-1]
            end = max(last.request.address + last.request.count, register.address + register.count)
            wider = replace(last.request, count=end - last.request.address)
            blocks[-1] = Block(wider, (*last.points, point))
        else:
            blocks.append(Block(register.request, (point,)))
    return tuple(blocks)


def _fits(read: ReadRequest, register: Register, hole: int, limit: int) -> bool:
    end = read.address + read.count
    reach = register.address + register.count
    return register.address - end <= hole and (reach <= end or reach - read.address <= limit)


def _kind(point: Point) -> tuple[str, Priority, float]:
    return register_of(point).table, point.priority, point.interval_s


def _order(point: Point) -> tuple[Priority, float, str, int, int]:
    register = register_of(point)
    return point.priority, point.interval_s, register.table, register.address, -register.count
