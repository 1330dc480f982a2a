"""Framed products as data: the frames drawn in their heads are true, mistakes are told, values go both ways."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import profile
from drivers.api import FrameError, Profile
from drivers.framed.codec import decode
from drivers.framed.values import TYPES, Field
from drivers.framed.values import decode as value_of
from drivers.framed.values import encode as write_value
from drivers.framed.wire import FramedWire

FRAMED = [name for name in profile.names() if profile.load(name).driver == "framed"]
DRAWN = re.compile(r"^ +([a-z ]*)((?:[0-9A-F]{2} ){2,}[0-9A-F]{2})(?: |$)", re.M)
MANUALS: list[tuple[str, str, dict[str, object]]] = [
    ("micradar-r60afd1", "53 59 83 01 00 01 01 32 54 43", {"fall": True}),
    ("micradar-r60afd1", "53 59 80 81 00 01 00 AE 54 43", {"presence": False, "vacant": True}),
    ("micradar-r60afd1", "53 59 80 81 00 01 0F BD 54 43", {"presence": None, "vacant": None}),
    ("micradar-r60abd1", "53 59 85 02 00 01 48 7C 54 43", {"heart": 72}),
    ("seeed-mr60fda2", "01 00 00 00 01 0E 02 F3 01 FE", {"fall": True}),
    ("seeed-mr60bha2", "01 00 00 00 04 0A 14 E4 00 00 70 41 CE", {"breath": 15.0}),
    ("dyp-a02yyuw", "FF 07 A1 A7", {"distance": 1953}),
    ("dyp-a02yyuw", "FF 00 0A 09", {"distance": None}),
    ("dyp-a01nyub", "FF 07 A1 A7", {"distance": 1953}),
    ("dyp-a01nyub", "FF 01 17 17", {"distance": None}),
    ("jsn-sr04t", "FF 07 A1 A7", {"distance": 1953}),
    ("jsn-sr04t", "FF 06 B5 BA", {"distance": 1717}),
    ("jsn-sr04t", "FF 06 BE C3", {"distance": 1726}),
    ("aj-sr04m", "FF 07 A1 A7", {"distance": 1953}),
    ("rion-inclinometer", "68 0D 00 84 10 02 87 00 01 23 00 00 00 4E", {"x": -2.87, "y": 1.23}),
]
"""Frames with what they say, of manuals and of real units as others recorded them; each profile names its sources."""
GOOD = """
# A sensor of nobody: frame FF | distance | sum
[profile]
driver = "framed"
category = "level"
title = { zh = "测距", en = "Distance" }
sources = ["somebody"]

[framed]
frame = ["FF", "data 2", "sum"]
heartbeat_s = 2

[[point]]
name = "distance"
type = "u16"
"""


def wire_of(found: Profile) -> FramedWire:
    assert isinstance(found.wire, FramedWire)
    return found.wire


@pytest.mark.parametrize("name", FRAMED)
def test_the_frames_drawn_at_the_head_of_a_profile_are_good_frames_of_its_layout(name: str) -> None:
    found = profile.load(name)
    drawn = [bytes.fromhex(text) for _, text in DRAWN.findall(found.layout)]
    assert drawn
    for frame in drawn:
        assert decode(wire_of(found).layout, bytearray(frame)) is not None, frame.hex(" ")


@pytest.mark.parametrize("name", FRAMED)
def test_every_question_has_an_answer_with_points_in_it(name: str) -> None:
    found = profile.load(name)
    for request in wire_of(found).requests:
        fields = [point.wire for point in found.points if isinstance(point.wire, Field)]
        assert any(not field.frames or set(field.frames) & set(request.answers) for field in fields)


@pytest.mark.parametrize(("name", "text", "values"), MANUALS)
def test_what_a_frame_says_is_what_the_manual_says(name: str, text: str, values: dict[str, object]) -> None:
    found = profile.load(name)
    frame = decode(wire_of(found).layout, bytearray.fromhex(text))
    assert frame is not None
    fields = {point.name: point.wire for point in found.points if isinstance(point.wire, Field)}
    told = {n: value_of(f, frame.data) for n, f in fields.items() if f.stands_in(frame.type)}
    assert told == values


def test_every_product_with_frames_of_its_own_is_held_against_a_frame_of_its_manual() -> None:
    assert {name for name, _, _ in MANUALS} == set(FRAMED)


@given(st.sampled_from([name for name in TYPES if name != "f32"]), st.integers(0, 100), st.booleans())
def test_values_go_both_ways(kind: str, value: int, low_first: bool) -> None:
    field, data = Field((), 1, kind, low_first, scale=0.5), bytearray(1)
    write_value(field, value / 2, data)
    assert value_of(field, bytes(data)) == value / 2


@given(st.sampled_from(TYPES), st.binary(max_size=12))
def test_any_bytes_are_a_value_or_none(kind: str, data: bytes) -> None:
    value = value_of(Field((), 0, kind), data)
    assert value is None or value == value  # noqa: PLR0124 - not a number is no value


@pytest.mark.parametrize(
    ("old", "new", "key", "wanted"),
    [
        ('"data 2", "sum"', '"data 2", "sume"', "framed.frame[2]", "crc16_modbus"),
        ('frame = ["FF", "data 2", "sum"]', "", "framed.frame", 'a part "data"'),
        ("heartbeat_s = 2", "", "framed", "heartbeat_s"),
        ("heartbeat_s = 2", "heart_s = 2", "framed.heart_s", "heartbeat_s"),
        ("heartbeat_s = 2", "baud = 9601\nheartbeat_s = 2", "framed.baud", "9600"),
        ("heartbeat_s = 2", '[[framed.request]]\nbytes = "5"', "framed.request[0].bytes", "55 AA"),
        ("heartbeat_s = 2", '[[framed.request]]\ndata = "00"', "framed.request[0]", "question"),
        (
            "heartbeat_s = 2",
            '[[framed.request]]\nbytes = "55"\ntype = 1',
            "framed.request[0].bytes",
            "either",
        ),
        ('type = "u16"', 'type = "u17"', "point[0].type", "did you mean u16"),
        ('type = "u16"', 'type = "f32"\nequals = 1', "point[0].equals", "whole number"),
        ('type = "u16"', 'type = "u16"\nscale = 0', "point[0].scale", "other than 0"),
        (
            'type = "u16"',
            'type = "u16"\n[[action]]\nname = "reset"\ntitle = { zh = "复位", en = "Reset" }',
            "action[0]",
            "listened to",
        ),
    ],
)
def test_a_mistake_names_file_key_found_and_wanted(old: str, new: str, key: str, wanted: str) -> None:
    assert profile.check(GOOD, "mine.toml") == []
    errors = profile.check(GOOD.replace(old, new), "mine.toml")
    told = [error for error in errors if error.key == key]
    assert told, [str(error) for error in errors]
    assert wanted in str(told[0])
    assert str(told[0]).startswith("mine.toml: ")


def test_a_frame_of_another_product_is_none_of_ours() -> None:
    radar = wire_of(profile.load("micradar-r60afd1")).layout
    buffer = bytearray.fromhex("01 00 00 00 01 0E 02 F3 01 FE")
    with pytest.raises(FrameError):
        decode(radar, buffer)
    assert not buffer
