"""The line keeps the time of the wire to the microsecond, and makes the faults it is told to make."""

import pytest

from drivers.api import LineSettings
from drivers.modbus.codec import ReadReply, ReadRequest, Request, encode_reply, encode_request, rtu_frame
from drivers.sim.faults import PRESETS, Faults
from drivers.sim.line import Outage, SimLine, collide
from drivers.sim.modbus import SimDevice
from tests.drivers.sim.products import number, product

FIVE = product(*(number(f"value_{n}", n) for n in range(100)))
REQUEST = rtu_frame(1, encode_request(ReadRequest(3, 0, 1)))
REPLY = rtu_frame(1, encode_reply(ReadReply(3, (42,))))


def device(address: int = 1, *, turnaround_s: float | None = None) -> SimDevice:
    made = SimDevice(FIVE, address, turnaround_s=turnaround_s)
    made.set("value_0", 42)
    return made


def line(*devices: SimDevice, baud: int = 9600, parity: str = "none", **rest: object) -> SimLine:
    settings = LineSettings("line", str(rest.pop("port", "")), baud, parity)
    return SimLine(settings, devices or (device(),), **rest)  # type: ignore[arg-type]


def frame(request: Request, address: int = 1) -> bytes:
    return rtu_frame(address, encode_request(request))


def everything(line: SimLine) -> list[tuple[float, bytes]]:
    """Return all that comes off the line and when."""
    came = []
    while (at := line.next_at()) is not None:
        if data := line.take(at):
            came.append((at, data))
    return came


@pytest.mark.parametrize(
    ("baud", "parity", "count", "turnaround_s", "milliseconds"),
    [  # a poll without its closing gap, by the formula: 8c + max(turn, t35) + (5+2N)c
        (9600, "none", 1, 0.0, 19.6354),
        (9600, "none", 1, 0.02, 35.6250),
        (9600, "none", 8, 0.0, 34.2187),
        (9600, "even", 1, 0.0, 21.1979),
        (4800, "none", 16, 0.0, 101.7708),
        (19200, "none", 1, 0.005, 12.8125),
        (115200, "none", 1, 0.0, 3.0521),
        (115200, "none", 1, 0.01, 11.3021),
    ],
)
def test_a_reply_is_through_when_the_wire_would_have_carried_it(
    baud: int, parity: str, count: int, turnaround_s: float, milliseconds: float
) -> None:
    slow = line(baud=baud, parity=parity, turnaround_s=turnaround_s)
    slow.receive(frame(ReadRequest(3, 0, count)), 100.0)
    assert (everything(slow)[-1][0] - 100.0) * 1000 == pytest.approx(milliseconds, abs=0.0002)


def test_nothing_comes_a_moment_before_its_time() -> None:
    slow = line()
    slow.receive(REQUEST, 5.0)
    at = slow.next_at()
    assert at is not None
    assert slow.take(at - 1e-6) == b""
    assert slow.take(at) == REPLY
    assert slow.next_at() is None


def test_being_asked_late_delays_no_later_reply() -> None:
    slow = line(turnaround_s=0.0)
    slow.receive(REQUEST, 0.0)
    first = slow.next_at()
    slow.take(50.0)
    slow.receive(REQUEST, 50.0)
    second = slow.next_at()
    assert first is not None
    assert second is not None
    assert second - 50.0 == pytest.approx(first)


def test_long_replies_come_in_sixteens_as_from_a_uart() -> None:
    slow = line(turnaround_s=0.0)
    slow.receive(frame(ReadRequest(3, 0, 20)), 0.0)
    came = everything(slow)
    assert [len(data) for _, data in came] == [16, 16, 13]
    assert came[1][0] - came[0][0] == pytest.approx(16 * 10 / 9600)


def test_each_device_has_its_own_turnaround() -> None:
    slow = line(device(1, turnaround_s=0.3), device(2))
    slow.receive(frame(ReadRequest(3, 0, 1), 1), 0.0)
    (lazy, _), *_ = everything(slow)
    slow.receive(frame(ReadRequest(3, 0, 1), 2), 10.0)
    (quick, _), *_ = everything(slow)
    assert lazy - (quick - 10.0) == pytest.approx(0.29)


def test_without_pacing_the_reply_is_there_at_once() -> None:
    quick = line(paced=False)
    quick.receive(REQUEST, 7.0)
    assert quick.next_at() == 7.0
    assert quick.take(7.0) == REPLY


def test_a_request_in_pieces_is_one_request_that_ends_with_its_last_byte() -> None:
    slow = line(turnaround_s=0.0)
    slow.receive(REQUEST[:3], 0.0)
    assert slow.next_at() is None
    slow.receive(REQUEST[3:], 0.010)
    assert slow.next_at() == pytest.approx(0.010 + 5 * 10 / 9600 + 38.5 / 9600 + 7 * 10 / 9600)


def test_half_a_request_is_forgotten_after_a_silence() -> None:
    slow = line()
    slow.receive(REQUEST[:5], 0.0)
    slow.receive(REQUEST, 1.0)
    assert slow.take(2.0) == REPLY
    assert slow.counts == {"cut_off": 1, "requests": 1, "replies": 1}


def test_a_request_behind_noise_is_heard() -> None:
    slow = line()
    slow.receive(b"\x00\xff\x01" + REQUEST, 0.0)
    assert slow.take(1.0) == REPLY


def test_nobody_answers_for_an_address_that_is_not_there() -> None:
    slow = line()
    slow.receive(frame(ReadRequest(3, 0, 1), 9), 0.0)
    assert slow.next_at() is None
    assert slow.counts["requests"] == 1


def test_two_devices_of_one_address_garble_each_other() -> None:
    slow = line(device(), device())
    slow.receive(REQUEST, 0.0)
    heard = slow.take(1.0)
    assert len(heard) == len(REPLY)
    assert heard != REPLY
    assert slow.counts["collisions"] == 1


def test_a_collision_is_as_long_as_the_longer_reply() -> None:
    assert collide([b"\xff\x0f"]) == b"\xff\x0f"
    assert collide([b"\xff\xff", b"\xff"]) == b"\x7f\xff"
    assert collide([b"\xff", b"\xff\xff", b"\xf0"]) == b"\x3c\xff"


def test_the_master_hears_itself_on_a_line_with_echo() -> None:
    echoing = line(faults=Faults(echo=1.0), turnaround_s=0.0)
    echoing.receive(REQUEST, 0.0)
    (echo_at, echo), (_, reply) = everything(echoing)
    assert (echo, reply) == (REQUEST, REPLY)
    assert echo_at == pytest.approx(8 * 10 / 9600)
    assert echoing.fault_counts == {"echo": 1}


def test_idle_noise_comes_without_any_reply() -> None:
    noisy = line(faults=Faults(idle_noise=1.0))
    noisy.receive(frame(ReadRequest(3, 0, 1), 9), 0.0)
    assert len(everything(noisy)) == 1


def test_a_late_reply_does_not_hold_up_the_next_exchange() -> None:
    slow = line(device(1), device(2), faults=Faults(late=1.0), turnaround_s=0.0)
    slow.receive(frame(ReadRequest(3, 0, 1), 1), 0.0)
    slow.faults = Faults()
    slow.receive(frame(ReadRequest(3, 0, 1), 2), 0.1)
    (_, prompt), (late_at, late) = everything(slow)
    assert (prompt[0], late[0]) == (2, 1)
    assert 0.3 <= late_at <= 1.6


def test_a_delayed_reply_holds_the_line() -> None:
    slow = line(device(1), device(2), faults=Faults(delay=1.0, delay_s=5.0), turnaround_s=0.0)
    slow.receive(frame(ReadRequest(3, 0, 1), 1), 0.0)
    slow.faults = Faults()
    slow.receive(frame(ReadRequest(3, 0, 1), 2), 0.1)
    assert [data[0] for _, data in everything(slow)] == [1, 2]


def test_a_silent_fate_is_no_reply() -> None:
    mute = line(faults=Faults(silent=1.0))
    mute.receive(REQUEST, 0.0)
    assert mute.next_at() is None
    assert mute.fault_counts == {"silent": 1}


def test_a_confused_device_sends_a_good_crc_with_the_wrong_address() -> None:
    confused = line(faults=Faults(wrong_address=1.0))
    confused.receive(REQUEST, 0.0)
    assert confused.take(1.0) == rtu_frame(2, REPLY[1:-2])


def test_a_request_damaged_on_its_way_gets_no_reply() -> None:
    for faults in (Faults(request_flip=1.0), Faults(request_lose=1.0)):
        bad = line(faults=faults)
        for second in range(20):
            bad.receive(REQUEST, float(second))
        assert bad.next_at() is None
        assert bad.counts["requests"] == 0


def test_the_same_seed_gives_the_same_line() -> None:
    def play(seed: int) -> list[tuple[float, bytes]]:
        worst = line(device(1), device(2), faults=PRESETS["everything"], seed=seed)
        for index in range(100):
            worst.receive(frame(ReadRequest(3, 0, 5), 1 + index % 2), index * 0.05)
        return everything(worst)

    assert play(1) == play(1)
    assert play(1) != play(2)


def test_a_broadcast_is_heard_by_all_and_answered_by_none() -> None:
    one, two = device(1), device(2)
    slow = line(one, two)
    slow.receive(bytes.fromhex("00 06 00 00 00 07") + bytes.fromhex("C9 D9"), 0.0)
    assert (one.get("value_0"), two.get("value_0")) == (7, 7)
    assert slow.next_at() is None


def test_modbus_tcp_frames_are_not_paced_as_on_a_wire() -> None:
    tcp = line(port="tcp://127.0.0.1:502", turnaround_s=0.25)
    tcp.receive(bytes.fromhex("1234 0000 0006 01 03 0000 0001"), 0.0)
    assert everything(tcp) == [(0.25, bytes.fromhex("1234 0000 0005 01 03 02 002A"))]


def test_modbus_tcp_requests_the_standard_forbids_get_an_exception() -> None:
    tcp = line(port="tcp://127.0.0.1:502", paced=False)
    tcp.receive(bytes.fromhex("0001 0000 0006 01 03 0000 0000 0002 0000 0002 01 2B"), 0.0)
    assert tcp.take(0.0) == bytes.fromhex("0001 0000 0003 01 83 03 0002 0000 0003 01 AB 01")


def test_a_stream_without_modbus_tcp_headers_is_dropped() -> None:
    tcp = line(port="tcp://127.0.0.1:502", paced=False)
    tcp.receive(b"GET / HTTP/1.1\r\n\r\n", 0.0)
    tcp.receive(bytes.fromhex("1234 0000 0006 01 03 0000 0001"), 0.0)
    assert len(tcp.take(0.0)) == 11


def test_rtu_requests_the_standard_forbids_get_an_exception() -> None:
    slow = line()
    slow.receive(rtu_frame(1, bytes((0x2B, 14, 1, 0))), 0.0)
    assert slow.take(1.0) == rtu_frame(1, bytes((0xAB, 1)))
    slow.receive(rtu_frame(1, bytes((3, 0, 0, 0, 0))), 1.0)
    assert slow.take(2.0) == rtu_frame(1, bytes((0x83, 3)))


def test_an_unplugged_line_hears_nothing_and_says_nothing() -> None:
    slow = line()
    told: list[bool] = []
    slow.on_plug = told.append
    slow.receive(REQUEST, 0.0)
    slow.unplug()
    slow.unplug()
    assert slow.next_at() is None
    slow.receive(REQUEST, 1.0)
    assert slow.next_at() is None
    slow.plug()
    slow.plug()
    slow.receive(REQUEST, 2.0)
    assert slow.take(3.0) == REPLY
    assert told == [False, True]
    assert slow.counts["unplug"] == 1


def test_outages_come_and_go_by_schedule() -> None:
    slow = line(outages=(Outage("power_cut", 10.0, 2.0), Outage("unplug", 1.0, 2.0)))
    plugged: list[bool] = []
    slow.on_plug = plugged.append
    slow.receive(REQUEST, 100.0)
    assert slow.take(100.5) == REPLY
    assert slow.next_at() == 101.0
    slow.advance(101.0)
    assert plugged == [False]
    assert slow.next_at() == 103.0
    slow.take(103.0)
    assert plugged == [False, True]
    slow.receive(REQUEST, 111.0)
    assert slow.take(111.5) == b""
    slow.receive(REQUEST, 112.5)
    assert len(slow.take(113.0)) == len(REPLY)
    assert slow.counts["power_cut"] == 1
