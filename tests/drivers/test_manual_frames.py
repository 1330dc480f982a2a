"""Modbus products against the worked frames of their makers; README.md says of which products there are none."""

import re
from pathlib import Path

import pytest

from drivers import profile
from drivers.api import Value
from drivers.modbus.blocks import register_of
from drivers.modbus.codec import (
    ReadReply,
    ReadRequest,
    WriteReply,
    encode_request,
    find_reply,
    find_request,
    rtu_frame,
)
from drivers.modbus.orders import orders
from drivers.modbus.wire import decode

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

# What a maker shows as asked and answered, and what the answer says. Sources: the profiles' own.
ANSWERED: list[tuple[str, str, str, dict[str, Value | None]]] = [
    ("sonbest-sm7571b", "01 03 00 00 00 01 84 0A", "01 03 02 00 79 79 A6", {"smoke": 121}),
    ("sqr-2-alarm", "FF 02 00 00 00 08 6C 12", "FF 02 01 01 51 A0", {"alarm": False}),
    ("sqr-2-alarm", "FF 02 00 00 00 08 6C 12", "FF 02 01 00 90 60", {"alarm": True}),
    ("witmotion-wt53r-485", "50 03 00 34 00 01 C8 45", "50 03 02 07 0B 06 7F", {"distance": 1803}),
]
# An order as the maker shows it: the device echoes it.
ORDERED: list[tuple[str, str, dict[str, float], str]] = [
    ("waveshare-door", "unlock", {"seconds": 5}, "01 05 02 00 00 32 4D A7"),
    ("waveshare-relay-8ch", "pulse", {"channel": 1, "seconds": 0.7}, "01 05 02 00 00 07 8D B0"),
    ("waveshare-io-8ch", "pulse", {"channel": 1, "seconds": 0.7}, "01 05 02 00 00 07 8D B0"),
]
# Only a question, with registers that must be those of points; what is answered is a table of registers.
ASKED: list[tuple[str, str, set[str]]] = [
    ("calectro-ug-3-o-mb-r", "01 02 00 00 00 04 79 C9", {"tamper", "contamination", "alarm", "relay"}),
    ("greystone-cmd5b4", "01 03 00 00 00 08 44 0C", {"co", "temperature", "test", "fault"}),
    ("faast-xm", "01 03 00 03 00 0B F4 0D", {"alarm", "test"}),
    ("sonbest-sm2130b-co", "01 03 00 00 00 01 84 0A", {"co"}),
    ("witmotion-wt901c485", "50 03 00 3D 00 03 99 86", {"roll", "pitch"}),
    ("witmotion-hwt905-485", "50 03 00 3D 00 03 99 86", {"roll", "pitch"}),
]
HELD = {name for name, *_ in ANSWERED} | {name for name, *_ in ORDERED}


def question(asked: str) -> tuple[int, ReadRequest]:
    found = find_request(bytearray.fromhex(asked))
    assert found is not None
    assert isinstance(found[1], ReadRequest)
    return found[0], found[1]


@pytest.mark.parametrize(("name", "asked", "answered", "values"), ANSWERED)
def test_what_a_maker_shows_as_answered_is_what_the_profile_reads(
    name: str, asked: str, answered: str, values: dict[str, Value | None]
) -> None:
    address, request = question(asked)
    reply = find_reply(bytearray.fromhex(answered), address, request)
    assert isinstance(reply, ReadReply)
    for point, value in values.items():
        register = register_of(profile.load(name).point(point))
        at = register.address - request.address
        assert register.request.function == request.function
        assert decode(register, reply.values[at : at + register.count]) == value


@pytest.mark.parametrize(("name", "action", "arguments", "frame"), ORDERED)
def test_an_order_has_the_bytes_its_maker_shows(
    name: str, action: str, arguments: dict[str, float], frame: str
) -> None:
    first = orders(profile.load(name).action(action), arguments)[0]
    sent = rtu_frame(1, encode_request(first.request))
    assert sent == bytes.fromhex(frame)
    assert isinstance(find_reply(bytearray(sent), 1, first.request), WriteReply)


@pytest.mark.parametrize(("name", "asked", "points"), ASKED)
def test_what_a_maker_asks_for_is_where_the_profile_has_its_points(
    name: str, asked: str, points: set[str]
) -> None:
    _, request = question(asked)
    registers = {point.name: register_of(point) for point in profile.load(name).points}
    there = {
        each
        for each, register in registers.items()
        if register.request.function == request.function
        and 0 <= register.address - request.address < request.count
    }
    assert points <= there


def test_the_readme_says_of_every_modbus_product_whether_its_maker_shows_a_frame() -> None:
    told = re.search(
        r"Worked frames of the maker[^:]*:\s(.*?)\. Only a question[^:]*:\s(.*?)\.\n", README, re.S
    )
    assert told is not None
    names = [set(re.split(r",\s", part)) for part in told.groups()]
    assert names == [HELD, {name for name, *_ in ASKED}]
