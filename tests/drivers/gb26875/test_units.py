"""Data units, times, texts and tables of GB/T 26875.3."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import FrameError
from drivers.gb26875 import stamps, text, units
from drivers.gb26875.tables import standard
from drivers.gb26875.units import LAYOUTS, Analog, Bare, ComponentState, SystemState, Unit, Users

STRATEGIES = {
    "stamp": st.binary(min_size=6, max_size=6),
    "place": st.integers(0, (1 << 32) - 1),
    "value": st.integers(-32768, 32767),
}


@st.composite
def any_unit(draw: st.DrawFn) -> Unit:
    """Draw a unit of any type the standard has, full or empty."""
    kind = draw(st.sampled_from(sorted(LAYOUTS)))
    layout = LAYOUTS[kind]

    def field(name: str) -> st.SearchStrategy[object]:
        if name == "text":
            return st.binary(max_size=255) if layout.worded else st.binary(min_size=31, max_size=31)
        if name == "state":
            return st.integers(0, 255 if kind == 21 else 65535)
        return STRATEGIES.get(name, st.integers(0, 255))

    one: st.SearchStrategy[units.Object] = st.builds(
        layout.make, **{each.name: field(each.name) for each in fields(layout.make)}
    )
    return Unit(kind, tuple(draw(st.lists(one, max_size=min(layout.most, 5)))))


@given(any_unit())
def test_a_unit_of_any_type_is_read_as_it_was_written(unit: Unit) -> None:
    assert units.decode(units.encode(unit)) == unit


@given(any_unit(), st.integers(0, 40))
def test_a_unit_cut_short_or_followed_by_more_is_an_error(unit: Unit, cut: int) -> None:
    data = units.encode(unit)
    with pytest.raises(FrameError):
        units.decode(data + b"\0" * (cut + 1))
    if cut < len(data) - 2:
        with pytest.raises(FrameError):
            units.decode(data[: 2 + cut])


@given(st.binary(max_size=100))
def test_any_bytes_are_a_unit_or_an_error(data: bytes) -> None:
    try:
        unit = units.decode(data)
    except FrameError:
        return
    assert units.encode(unit) == data


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_as_many_objects_as_the_standard_allows_fit_into_a_packet(kind: int) -> None:
    layout = LAYOUTS[kind]
    longest = (255 if layout.worded else 0) + layout.wire.size
    assert 2 + layout.most * longest <= 1024


def test_more_objects_than_the_standard_allows_are_refused_both_ways() -> None:
    many = tuple(SystemState(1, 1, 1, bytes(6)) for _ in range(103))
    with pytest.raises(ValueError, match="102 at most"):
        units.encode(Unit(1, many))
    with pytest.raises(FrameError, match="102 at most"):
        units.decode(b"\1\x67" + bytes(1030))


def test_a_users_type_is_handed_on_as_it_is_and_a_reserved_one_is_not() -> None:
    unit = Unit(200, (Users(3, b"\1\2\3"),))
    assert units.decode(units.encode(unit)) == unit
    for reserved in (0, 9, 92, 127, 255):
        with pytest.raises(FrameError, match="not known"):
            units.decode(bytes([reserved, 1, 0]))


def test_an_object_of_another_type_or_a_value_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="Bare"):
        units.encode(Unit(1, (Bare(0),)))
    with pytest.raises(ValueError, match="Analog"):
        units.encode(Unit(3, (Analog(1, 1, 40, 0, 3, 40000, bytes(6)),)))


def test_a_component_is_addressed_by_zone_and_number() -> None:
    assert units.zone_and_number(0x0002000A) == (10, 2)  # "2号10区" of the first sample
    assert units.place_of(10, 2) == 0x0002000A
    with pytest.raises(ValueError, match="65535"):
        units.place_of(65536, 0)


def test_the_time_is_that_of_the_place() -> None:
    assert stamps.stamp(1348624682.9, 8.0) == bytes.fromhex("023A091A090C")
    assert stamps.wall(bytes.fromhex("023A091A090C"), 8.0) == 1348624682.0


@given(st.integers(946684800, 4102444799))
def test_a_time_of_this_century_comes_back(second: int) -> None:
    assert stamps.wall(stamps.stamp(second, 0.0), 0.0) == second


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_time_can_be_written(wall: float) -> None:
    assert 0.0 < stamps.wall(stamps.stamp(wall, 8.0), 8.0) < 1e10


@pytest.mark.parametrize(
    "bad", ["3C0000010118", "000018010118", "000000000118", "000000200118", "000000010D18", "0000000101FF"]
)
def test_six_bytes_that_are_no_time_are_an_error(bad: str) -> None:
    with pytest.raises(ValueError):
        stamps.wall(bytes.fromhex(bad), 8.0)


@given(st.text(max_size=60), st.integers(0, 40))
def test_a_text_is_cut_between_characters_and_no_earlier_than_it_must(words: str, size: int) -> None:
    data = text.fit(words, size)
    assert len(data) <= size
    decoded = data.decode("gb18030")
    clean = "".join(each if each.isprintable() else " " for each in words)
    assert clean.encode("gb18030", "replace").startswith(data)
    if len(decoded) < len(clean):
        assert len(data) + len(clean[len(decoded)].encode("gb18030", "replace")) > size


def test_a_long_chinese_place_keeps_its_whole_characters_in_31_bytes() -> None:
    place = "2 栋 1 单元 3 楼 东侧走廊尽头配电间门口"
    assert text.read(text.fill(place, 31)) == "2 栋 1 单元 3 楼 东侧走廊尽头配"
    assert len(text.fill(place, 31)) == 31


def test_every_number_of_a_table_is_there_once() -> None:
    for name, table in standard().named.items():
        numbers = [each.number for each in table.values()]
        assert len(numbers) == len(set(numbers)), name


def test_bits_are_named_both_ways() -> None:
    tables = standard()
    word = tables.bits("state", ["normal", "fire", "fire"])
    assert word == 0x0003
    assert [each.name for each in tables.set_bits("state", word)] == ["normal", "fire"]
    assert tables.title("component", 42).zh == "点型光电感烟火灾探测器"
    assert tables.title("component", 200).en == "type 200"


def test_a_value_without_a_number_in_the_standard_is_not_told() -> None:
    quantities = standard().quantities
    assert quantities["temperature"].told(-12.34) == -123
    assert quantities["gas"].told(101.0) is None
    assert quantities["temperature"].told(float("nan")) is None
    assert quantities["height"].told(320) == 32000


def test_a_component_state_is_forty_bytes_and_its_time() -> None:
    each = ComponentState(1, 1, 40, 1, 3, bytes(31), bytes(6))
    assert len(units.encode(Unit(2, (each,)))) == 2 + 40 + 6
