"""Block reads: holes are bridged when that is cheaper on the wire, and a refused block falls apart."""

import hypothesis.strategies as st
from hypothesis import given

from drivers import profile
from drivers.api import LineSettings, Point, Priority
from drivers.modbus.blocks import Block, plan, split
from drivers.modbus.codec import ReadReply, ReadRequest
from drivers.modbus.wire import Kind, Register, Table

SLOW, FAST = LineSettings("a", "x", baud=9600), LineSettings("b", "x", baud=115200)


def point(
    address: int, table: Table = "holding", kind: Kind = "u16", priority: Priority = Priority.FIRE
) -> Point:
    return Point(
        f"{table}_{address}_{kind}", Register(table, address, kind), priority=priority, interval_s=1.0
    )


def reads(
    points: list[Point], line: LineSettings = SLOW, max_read: int = 125, bridge: bool = True
) -> list[ReadRequest]:
    blocks = plan(points, char_s=line.char_s, gap_s=line.gap_s, max_read=max_read, bridge=bridge)
    return [block.request for block in blocks]


def test_neighbours_share_one_read() -> None:
    assert reads([point(1), point(0), point(2)]) == [ReadRequest(3, 0, 3)]


def test_a_hole_of_ten_registers_is_bridged_at_9600_baud_and_one_of_eleven_is_not() -> None:
    """A poll costs 21.6 ms before its first register of 2.08 ms: ten of them are cheaper, eleven are not."""
    assert reads([point(0), point(11)]) == [ReadRequest(3, 0, 12)]
    assert reads([point(0), point(12)]) == [ReadRequest(3, 0, 1), ReadRequest(3, 12, 1)]


def test_faster_lines_bridge_wider_holes_because_their_silences_weigh_more() -> None:
    assert reads([point(0), point(27)], FAST) == [ReadRequest(3, 0, 28)]
    assert len(reads([point(0), point(28)], FAST)) == 2


def test_inputs_are_bits_and_bridge_sixteen_times_as_far() -> None:
    assert reads([point(0, "discrete", "bit"), point(150, "discrete", "bit")]) == [ReadRequest(2, 0, 151)]


def test_without_bridging_only_neighbours_share_a_read() -> None:
    assert reads([point(0), point(1), point(3)], bridge=False) == [ReadRequest(3, 0, 2), ReadRequest(3, 3, 1)]


def test_on_tcp_where_characters_cost_nothing_a_block_is_as_long_as_it_may_be() -> None:
    blocks = plan([point(0), point(100), point(130)], char_s=0.0, gap_s=0.0)
    assert [block.request for block in blocks] == [ReadRequest(3, 0, 101), ReadRequest(3, 130, 1)]
    apart = plan([point(0), point(2)], char_s=0.0, gap_s=0.0, bridge=False)
    assert len(apart) == 2


def test_no_read_is_longer_than_the_device_allows() -> None:
    assert reads([point(0), point(1)], max_read=1) == [ReadRequest(3, 0, 1), ReadRequest(3, 1, 1)]
    assert [read.count for read in reads([point(n) for n in range(200)])] == [125, 75]


def test_points_of_one_register_share_its_read_even_when_one_register_is_all_the_device_gives() -> None:
    two = [Point("a", Register("input", 1, "bit", mask=1)), Point("b", Register("input", 1, "bit", mask=64))]
    assert reads(two, max_read=1, bridge=False) == [ReadRequest(4, 1, 1)]


def test_telemetry_never_makes_a_fire_read_longer() -> None:
    assert len(reads([point(0), point(1, priority=Priority.TELEMETRY)])) == 2
    assert reads([point(0), point(0, "input")]) == [ReadRequest(3, 0, 1), ReadRequest(4, 0, 1)]


def test_a_block_gives_each_point_its_own_words() -> None:
    (block,) = plan([point(0), point(3, kind="u32"), point(2)], char_s=SLOW.char_s, gap_s=SLOW.gap_s)
    assert block.priority is Priority.FIRE
    assert block.interval_s == 1.0
    values = {p.name: value for p, value in block.values(ReadReply(3, (7, 0, 9, 1, 2)))}
    assert values == {"holding_0_u16": 7, "holding_2_u16": 9, "holding_3_u32": 65538}


def test_a_refused_block_is_cut_at_its_holes_and_then_into_registers() -> None:
    (block,) = plan([point(0), point(1), point(4)], char_s=SLOW.char_s, gap_s=SLOW.gap_s)
    pieces = split(block)
    assert [piece.request for piece in pieces] == [ReadRequest(3, 0, 2), ReadRequest(3, 4, 1)]
    assert [piece.request for piece in split(pieces[0])] == [ReadRequest(3, 0, 1), ReadRequest(3, 1, 1)]
    assert split(pieces[1]) == (pieces[1],)


def test_inputs_that_are_refused_fall_apart_the_same_way() -> None:
    (block,) = plan([point(0, "coil", "bit"), point(1, "coil", "bit")], char_s=SLOW.char_s, gap_s=SLOW.gap_s)
    assert [piece.request.count for piece in split(block)] == [1, 1]


def test_the_angles_of_a_tilt_sensor_are_read_as_its_manual_does() -> None:
    tilt = profile.load("witmotion-wt901c485")
    first, *_ = plan(tilt.points, char_s=SLOW.char_s, gap_s=SLOW.gap_s)
    assert first.request == ReadRequest(3, 0x3D, 3)


def test_a_shipped_door_costs_two_reads() -> None:
    door = profile.load("waveshare-door")
    assert reads(list(door.points)) == [ReadRequest(1, 0, 1), ReadRequest(2, 0, 2)]


kinds: st.SearchStrategy[Kind] = st.sampled_from(("u16", "u32", "f32"))
maps = st.lists(st.builds(point, st.integers(0, 300), st.just("holding"), kinds), min_size=1, max_size=40)


@given(maps, st.integers(2, 125), st.booleans())
def test_every_point_is_read_once_and_within_its_block(
    points: list[Point], max_read: int, bridge: bool
) -> None:
    blocks = plan(points, char_s=SLOW.char_s, gap_s=SLOW.gap_s, max_read=max_read, bridge=bridge)
    assert sorted(p.name for block in blocks for p in block.points) == sorted(p.name for p in points)
    for block in blocks:
        assert block.request.count <= max_read
        assert_covers(block)
        for piece in split(block):
            assert_covers(piece)


def assert_covers(block: Block) -> None:
    values = list(block.values(ReadReply(3, (0,) * block.request.count)))
    assert [value for _, value in values] == [0] * len(block.points)
