"""A pretend product shows, refuses and does what its profile says, and no more."""

import pytest

from drivers.api import Value
from drivers.modbus.codec import (
    ExceptionReply,
    ReadReply,
    ReadRequest,
    Reply,
    Request,
    WriteMultiple,
    WriteReply,
    WriteSingle,
    decode_reply,
)
from drivers.modbus.orders import Amount, Step
from drivers.sim.modbus import SimDevice
from tests.drivers.sim.products import COUNTING, DETECTOR, DOOR, RELAYS, TILT, action, bit, number, product


def ask(device: SimDevice, request: Request, now: float = 0.0) -> Reply:
    pdu = device.answer(request, now)
    assert pdu is not None
    return decode_reply(request, pdu)


def refusal(device: SimDevice, request: Request) -> int | None:
    reply = ask(device, request)
    return reply.code if isinstance(reply, ExceptionReply) else None


def test_a_value_set_is_a_value_read() -> None:
    device = SimDevice(product(number("ppm", 5, scale=0.1)), 1)
    device.set("ppm", 12.3)
    assert ask(device, ReadRequest(3, 5, 1)) == ReadReply(3, (123,))
    assert device.get("ppm") == 12.3


@pytest.mark.parametrize(("table", "function"), [("coil", 1), ("discrete", 2), ("holding", 3), ("input", 4)])
def test_every_table_is_read_by_its_own_function(table: str, function: int) -> None:
    point = bit("on", 7, table=table) if function < 3 else number("on", 7, table=table)
    device = SimDevice(product(point), 1)
    device.set("on", True)
    assert ask(device, ReadRequest(function, 7, 1)) == ReadReply(function, (1,))
    for other in {1, 2, 3, 4} - {function}:
        assert refusal(device, ReadRequest(other, 7, 1)) == 1


def test_what_is_not_there_is_an_illegal_address() -> None:
    device = SimDevice(RELAYS, 1)
    assert refusal(device, ReadRequest(1, 3, 2)) == 2
    assert refusal(device, WriteSingle(5, 9, 0)) == 2
    assert refusal(device, WriteMultiple(15, 2, (1, 1, 1))) == 2
    assert refusal(device, WriteMultiple(15, 2, (1, 1))) is None


def test_small_holes_are_bridged_where_the_product_does_and_only_there() -> None:
    points = number("a", 0), number("b", 9), number("c", 500)
    assert ask(SimDevice(product(*points), 1), ReadRequest(3, 0, 10)) == ReadReply(3, (0,) * 10)
    assert refusal(SimDevice(product(*points), 1), ReadRequest(3, 400, 1)) == 2
    assert refusal(SimDevice(COUNTING, 1), ReadRequest(3, 4, 1)) == 2


def test_reading_more_than_the_product_gives_is_an_illegal_value() -> None:
    device = SimDevice(COUNTING, 1)
    assert refusal(device, ReadRequest(3, 3, 3)) == 3


def test_a_pdu_that_is_no_request_is_refused() -> None:
    device = SimDevice(COUNTING, 1)
    assert device.answer(b"\x03\x00", 0.0) == b"\x83\x03"
    assert device.answer(b"\x2b\x0e", 0.0) == b"\xab\x01"


def test_a_product_without_coils_knows_no_function_for_them() -> None:
    device = SimDevice(COUNTING, 1)
    assert refusal(device, WriteSingle(5, 0, 0xFF00)) == 1


def test_a_coil_takes_on_and_off_and_nothing_else() -> None:
    device = SimDevice(RELAYS, 1)
    assert ask(device, WriteSingle(5, 1, 0xFF00)) == WriteReply(5, 1, 0xFF00)
    assert device.get("relay_2") is True
    assert refusal(device, WriteSingle(5, 1, 0x1234)) == 3
    assert ask(device, WriteMultiple(15, 0, (1, 0, 1, 1))) == WriteReply(15, 0, 4)
    assert [device.get(f"relay_{n}") for n in (1, 2, 3, 4)] == [True, False, True, True]


def test_registers_keep_what_is_written() -> None:
    device = SimDevice(product(number("a", 0), number("b", 1)), 1)
    assert ask(device, WriteMultiple(16, 0, (5, 6))) == WriteReply(16, 0, 2)
    assert ask(device, WriteSingle(6, 1, 7)) == WriteReply(6, 1, 7)
    assert ask(device, ReadRequest(3, 0, 2)) == ReadReply(3, (5, 7))


def test_changes_are_told_whoever_makes_them_and_only_when_something_changed() -> None:
    told: list[tuple[str, str, Value | None]] = []
    device = SimDevice(RELAYS, 3, name="board")
    device.on_change = lambda *change: told.append(change)
    device.set("relay_1", True)
    device.set("relay_1", True)
    ask(device, WriteSingle(5, 1, 0xFF00))
    ask(device, WriteSingle(5, 1, 0xFF00))
    assert told == [("board", "relay_1", True), ("board", "relay_2", True)]


def test_a_strike_is_timed_by_the_device_and_falls_by_itself() -> None:
    door = SimDevice(DOOR, 1)
    assert ask(door, WriteSingle(5, 0x200, 50), now=100.0) == WriteReply(5, 0x200, 50)
    assert ask(door, ReadRequest(1, 0, 1), now=104.9) == ReadReply(1, (1,))
    assert ask(door, ReadRequest(1, 0, 1), now=105.0) == ReadReply(1, (0,))
    assert door.get("strike") is False


def test_a_pulse_that_is_ended_by_hand_stays_ended_and_a_new_one_lasts_its_own_time() -> None:
    door = SimDevice(DOOR, 1)
    ask(door, WriteSingle(5, 0x200, 50), now=0.0)
    ask(door, WriteSingle(5, 0, 0), now=1.0)
    assert door.get("strike") is False
    ask(door, WriteSingle(5, 0x200, 50), now=2.0)
    door.advance(6.9)
    assert door.get("strike") is True
    door.advance(7.0)
    assert door.get("strike") is False


def test_a_channel_chooses_the_relay() -> None:
    device = SimDevice(RELAYS, 1)
    ask(device, WriteSingle(5, 0x202, 10))
    assert [device.get(f"relay_{n}") for n in (1, 2, 3, 4)] == [False, False, True, False]


def test_a_time_the_action_does_not_allow_is_refused() -> None:
    assert refusal(SimDevice(RELAYS, 1), WriteSingle(5, 0x200, 4)) == 3
    assert refusal(SimDevice(RELAYS, 1), WriteSingle(5, 0x200, 601)) == 3


def latching() -> SimDevice:
    rules: tuple[dict[str, object], ...] = (
        {"kind": "fire.smoke", "point": "alarm", "when": True, "latch": True},
    )
    return SimDevice(product(*DETECTOR.points, actions=DETECTOR.actions, rules=rules), 1)


def test_an_alarm_stays_until_it_is_reset_after_the_smoke_has_gone() -> None:
    device = latching()
    device.set("alarm", True)
    ask(device, WriteSingle(6, 0, 234))
    assert device.get("alarm") is True, "there is still smoke"
    device.set("alarm", False)
    assert device.get("alarm") is True
    ask(device, WriteSingle(6, 0, 233))
    assert device.get("alarm") is True, "that was not the code"
    ask(device, WriteSingle(6, 0, 234))
    assert device.get("alarm") is False


def test_a_self_test_shows_and_ends() -> None:
    device = latching()
    ask(device, WriteSingle(6, 1, 7), now=0.0)
    assert device.get("test") is True
    device.advance(10.0)
    assert device.get("test") is False
    before = [device.get(point) for point in device.points if point != "silence_code"]
    ask(device, WriteSingle(6, 1, 9))
    assert [device.get(point) for point in device.points if point != "silence_code"] == before


def test_a_self_test_needs_a_point_to_show_it() -> None:
    device = SimDevice(product(number("a", 0), actions=DETECTOR.actions), 1)
    assert refusal(device, WriteSingle(6, 1, 7)) is None


def test_an_address_changes_after_its_unlock_and_in_time_only() -> None:
    device = SimDevice(TILT, 0x50)
    ask(device, WriteSingle(6, 0x1A, 0x51))
    assert device.address == 0x50, "not unlocked"
    ask(device, WriteSingle(6, 0x69, 0xB588), now=0.0)
    ask(device, WriteSingle(6, 0x1A, 0x51), now=10.5)
    assert device.address == 0x50, "too late"
    ask(device, WriteSingle(6, 0x69, 0xB588), now=20.0)
    ask(device, WriteSingle(6, 0x69, 0xB588), now=25.0)
    ask(device, WriteSingle(6, 0x1A, 0x51), now=30.0)
    assert device.address == 0x51
    ask(device, WriteSingle(6, 0x00, 0), now=31.0)
    assert device.address == 0x51


def test_anything_else_between_the_steps_of_an_action_ends_it() -> None:
    device = SimDevice(TILT, 0x50)
    ask(device, WriteSingle(6, 0x69, 0xB588))
    ask(device, WriteSingle(6, 0x69, 0x1111))
    ask(device, WriteSingle(6, 0x1A, 0x51))
    assert device.address == 0x50


def test_an_action_is_known_by_its_table_too() -> None:
    coil, register = Step("coil", Amount(5), Amount(1)), Step("holding", Amount(5), Amount(1))
    actions = action("self_test", coil), action("reset", register)
    device = SimDevice(product(bit("test", 0), actions=actions), 1)
    ask(device, WriteSingle(6, 5, 1))
    assert device.get("test") is False
    ask(device, WriteSingle(5, 5, 1))
    assert device.get("test") is True


def test_an_action_that_only_reads_has_no_effect() -> None:
    device = SimDevice(
        product(number("a", 0), actions=(action("zero", Step("holding", Amount(0), expect=True)),)), 1
    )
    assert ask(device, WriteSingle(6, 0, 1)) == WriteReply(6, 0, 1)


def test_a_timed_action_without_a_relay_to_show_it_is_done_in_silence() -> None:
    device = SimDevice(product(number("a", 0), actions=DOOR.actions[:1]), 1)
    assert refusal(device, WriteSingle(5, 0x200, 50)) is None


def test_an_address_out_of_range_is_no_address() -> None:
    device = SimDevice(TILT, 0x50)
    ask(device, WriteSingle(6, 0x69, 0xB588))
    ask(device, WriteSingle(6, 0x1A, 248))
    assert device.address == 0x50


def test_zero_takes_the_present_position_as_the_origin() -> None:
    device = SimDevice(TILT, 0x50)
    device.set("roll", 170.0)
    ask(device, WriteSingle(6, 1, 8))
    assert device.get("roll") == pytest.approx(0.0, abs=0.01)
    device.set("roll", -170.0)
    assert device.get("roll") == pytest.approx(20.0, abs=0.01)
    assert device.get("pitch") == pytest.approx(0.0, abs=0.01)


def test_a_dead_device_is_silent_and_a_frozen_one_says_the_same_for_ever() -> None:
    device = SimDevice(COUNTING, 1)
    device.alive = False
    assert device.answer(ReadRequest(3, 3, 1), 0.0) is None
    device.alive, device.frozen = True, True
    device.set("ppm", 500)
    assert ask(device, ReadRequest(3, 3, 1), now=60.0) == ReadReply(3, (0,))
    assert ask(device, ReadRequest(3, 8, 1), now=60.0) == ReadReply(3, (0,))


def test_a_heartbeat_moves_within_the_time_that_counts_as_frozen() -> None:
    device = SimDevice(COUNTING, 1)
    beats = [ask(device, ReadRequest(3, 8, 1), now=now) for now in (0.0, 6.0, 12.0, 18.0)]
    assert len({str(beat) for beat in beats}) == 4


def test_after_a_power_cut_a_device_is_silent_and_then_warms_up() -> None:
    device = SimDevice(COUNTING, 1)
    device.set("ppm", 77)
    device.restart(5.0)
    assert device.answer(ReadRequest(3, 3, 1), 4.9) is None
    assert ask(device, ReadRequest(3, 3, 1), now=5.0) == ReadReply(3, (0,))
    device.set("ppm", 78)
    assert ask(device, ReadRequest(3, 3, 1), now=34.9) == ReadReply(3, (0,))
    assert ask(device, ReadRequest(3, 3, 1), now=35.0) == ReadReply(3, (78,))


def test_a_power_cut_drops_relays_and_forgets_latches() -> None:
    door = SimDevice(DOOR, 1)
    ask(door, WriteSingle(5, 0x200, 600), now=0.0)
    door.restart(1.0)
    door.advance(1.0)
    assert door.get("strike") is False
    device = latching()
    device.set("alarm", True)
    device.set("alarm", False)
    device.restart(1.0)
    device.advance(1.0)
    assert device.get("alarm") is False


def test_no_value_is_shown_by_the_sentinel() -> None:
    device = SimDevice(COUNTING, 1)
    device.set("ppm", None)
    assert ask(device, ReadRequest(3, 3, 1)) == ReadReply(3, (0xFFFF,))
    assert device.get("ppm") is None


def test_points_and_values_that_cannot_be_are_refused_and_change_nothing() -> None:
    device = SimDevice(COUNTING, 1)
    device.set("ppm", 5)
    with pytest.raises(KeyError):
        device.set("smell", 5)
    with pytest.raises(ValueError, match="does not fit"):
        device.set("ppm", 70_000)
    assert device.get("ppm") == 5


def test_a_scan_recognises_it() -> None:
    assert ask(SimDevice(COUNTING, 1), ReadRequest(3, 0x100, 1)) == ReadReply(3, (7,))


def test_bits_of_one_word_do_not_disturb_each_other() -> None:
    mode = {"table": "holding", "address": 6}
    device = SimDevice(product(bit("test", equals=(2,), **mode), bit("off", equals=(4,), **mode)), 1)  # type: ignore[arg-type]
    device.set("test", True)
    device.set("off", False)
    assert ask(device, ReadRequest(3, 6, 1)) == ReadReply(3, (2,))


def test_a_device_has_a_name_of_its_own_if_nobody_gives_it_one() -> None:
    assert SimDevice(DOOR, 7).name == "product-7"
