"""Every shipped product can be played, and at rest none of its own rules holds."""

from collections.abc import Mapping

import pytest

from drivers import profile as profiles
from drivers.api import Point, Value
from drivers.modbus.codec import ReadReply, decode_reply
from drivers.modbus.wire import ModbusWire, Register, decode
from drivers.sim.modbus import SimDevice
from drivers.sim.rest import at_rest
from tests.drivers.sim.products import number, product

NAMES = [name for name in profiles.names() if profiles.load(name).driver == "modbus"]


def holds(rule: Mapping[str, object], value: Value | None) -> bool:
    assert value is not None
    above, below = rule.get("above"), rule.get("below")
    if (isinstance(above, int | float) and value > above) or (
        isinstance(below, int | float) and value < below
    ):
        return True
    when = rule.get("when")
    return value in when if isinstance(when, list | tuple) else "when" in rule and value == when


@pytest.mark.parametrize("name", NAMES)
def test_at_rest_none_of_its_rules_holds(name: str) -> None:
    profile = profiles.load(name)
    device = SimDevice(profile, 1)
    device.advance(0.0)
    for rule in profile.rules:
        points = rule.get("points", [rule.get("point")])
        assert isinstance(points, list | tuple)
        for point in points:
            assert not holds(rule, device.get(point)), (rule, device.get(point))


@pytest.mark.parametrize("name", NAMES)
def test_each_point_is_read_as_it_was_set(name: str) -> None:
    device = SimDevice(profiles.load(name), 1)
    for point in device.profile.points:
        register = point.wire
        assert isinstance(register, Register)
        wanted: Value = not device.get(point.name) if register.type == "bit" else 5
        device.set(point.name, wanted)
        pdu = device.answer(register.request, 0.0)
        assert pdu is not None
        reply = decode_reply(register.request, pdu)
        assert isinstance(reply, ReadReply), point.name
        assert decode(register, reply.values) == device.get(point.name)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_recognised_by_its_own_identification(name: str) -> None:
    profile = profiles.load(name)
    assert isinstance(profile.wire, ModbusWire)
    if (identify := profile.wire.identify) is None:
        return
    pdu = SimDevice(profile, 1).answer(identify.register.request, 0.0)
    assert pdu is not None
    reply = decode_reply(identify.register.request, pdu)
    assert isinstance(reply, ReadReply)
    found = decode(identify.register, reply.values)
    assert found is not None
    assert identify.minimum <= found <= identify.maximum


@pytest.mark.parametrize(
    ("rule", "at_least", "at_most"),
    [
        ({"below": 20.0, "clear": 25.0}, 25.0, 1000.0),
        ({"above": 5.0, "clear": 4.0}, 0.0, 4.0),
        ({"below": 200.0}, 200.0, 1000.0),
        ({"deviates": 10.0}, 92.0, 92.0),
    ],
)
def test_rest_is_where_no_rule_finds_it_wrong(
    rule: dict[str, object], at_least: float, at_most: float
) -> None:
    battery = number("battery")
    made = product(battery, rules=({"kind": "any", "point": "battery", **rule},))
    rest = at_rest(made, battery)
    assert rest is not None
    assert at_least <= rest <= at_most


def test_rest_is_the_state_that_is_called_normal() -> None:
    mode = Point("mode", Register("holding", 0), states={0: "configure", 2: "test", 3: "normal"})
    assert at_rest(product(mode), mode) == 3


def test_a_bit_whose_rule_waits_for_false_rests_true() -> None:
    mounted = number("mounted", type="bit")
    assert at_rest(product(mounted, rules=({"points": ["mounted"], "when": False},)), mounted) is True


def test_a_usual_value_a_register_cannot_hold_is_what_zeros_mean() -> None:
    battery = number("battery", type="bcd16", scale=0.001)
    assert at_rest(product(battery), battery) == 0
