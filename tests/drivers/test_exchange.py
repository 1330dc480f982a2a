"""One question and its answer, byte by byte: what is believed, what is not, what is owed."""

import itertools
from collections.abc import Callable

import hypothesis.strategies as st
import pytest
from hypothesis import given

from drivers.echo import Echo
from drivers.modbus.codec import (
    ExceptionReply,
    ReadReply,
    ReadRequest,
    Request,
    WriteReply,
    WriteSingle,
    crc16,
    find_reply,
    rtu_frame,
)
from drivers.modbus.exchange import Failure, Question, RtuConversation
from drivers.modbus.tcp import TcpConversation
from tests.drivers.test_codec_properties import addresses, requests

CHAR_S = 10 / 9600
GOOD = rtu_frame(1, bytes.fromhex("03020079"))
VALUE = ReadReply(3, (0x79,))
READ = ReadRequest(3, 0, 1)
UNLOCK = WriteSingle(5, 0x0200, 50)


class Wire:
    """A conversation and what it was told."""

    def __init__(self, unsent: Callable[[], int] = lambda: 0) -> None:
        self.late: list[tuple[int, float]] = []
        self.talk = RtuConversation(CHAR_S, unsent=unsent, on_late=lambda *late: self.late.append(late))

    def ask(self, request: Request = READ, *, address: int = 1, now: float = 0.0) -> Question:
        question = Question(address, request)
        assert self.talk.begin(question, now, timeout_s=0.1, late_s=2.0) == question.frame
        return question

    def learn(self, *, echo: bool) -> None:
        """Read once, so that it is known whether the line echoes."""
        sent = self.ask().frame
        assert self.talk.receive(sent * echo + GOOD, 0.02) == VALUE


def test_a_reply_is_found_however_the_line_cuts_it() -> None:
    wire = Wire()
    wire.ask()
    answers = [wire.talk.receive(bytes((byte,)), 0.02) for byte in GOOD]
    assert answers == [None] * 6 + [VALUE]


def test_the_same_bytes_again_are_the_same_reply_and_others_are_not() -> None:
    wire = Wire()
    question = wire.ask()
    other = rtu_frame(1, bytes.fromhex("0302007a"))
    wrong = GOOD[:-1] + bytes((GOOD[-1] ^ 1,))
    told = []
    for now, data in enumerate((GOOD, GOOD, other, GOOD, wrong + GOOD)):
        wire.talk.begin(question, now, timeout_s=0.1, late_s=2.0)
        told.append(wire.talk.receive(data, now + 0.02))
    assert told == [VALUE, VALUE, ReadReply(3, (0x7A,)), VALUE, VALUE]
    assert told[1] is told[0]  # so that whoever knows its values need not work them out again
    assert wire.talk.noise_bytes == len(wrong)


def test_a_whole_reply_before_our_request_has_left_answers_something_older() -> None:
    wire = Wire(unsent=lambda: 8)
    question = wire.ask()
    assert question.whole(GOOD) == VALUE
    assert wire.talk.receive(GOOD, 0.001) is None


@given(requests, addresses, st.binary(max_size=40))
def test_what_is_known_at_once_is_what_a_look_through_noise_finds(
    request: Request, address: int, garbage: bytes
) -> None:
    question = Question(address, request)
    size = question.reply_size - 2
    body = (question.head + garbage)[:size].ljust(size, b"\0")
    for data in (body + crc16(body).to_bytes(2, "little"), body + b"\0\0", garbage, question.frame):
        known = question.whole(data) if question.plain else None
        if known is not None:
            buffer = bytearray(data)
            assert not Echo().strip(buffer, question.frame)
            assert find_reply(buffer, address, request) == known
            assert not buffer


@pytest.mark.parametrize("noise", ["00 ff", "01", "01 03", "01 03 02", "01 83", "01 03 02 00 79"])
def test_a_reply_is_found_behind_noise_that_may_look_like_one(noise: str) -> None:
    wire = Wire()
    wire.ask()
    assert wire.talk.receive(bytes.fromhex(noise) + GOOD, 0.02) == VALUE
    assert wire.talk.noise_bytes == len(bytes.fromhex(noise))


@pytest.mark.parametrize(
    "frame",
    [
        rtu_frame(2, bytes.fromhex("03020079")),  # another device
        rtu_frame(1, bytes.fromhex("04020079")),  # another function
        rtu_frame(1, bytes.fromhex("030400790007")),  # another count
        GOOD[:-1] + b"\x00",  # another CRC
    ],
)
def test_what_is_not_exactly_the_reply_is_not_believed(frame: bytes) -> None:
    wire = Wire()
    wire.ask()
    assert wire.talk.receive(frame, 0.02) is None
    assert wire.talk.expire(0.1) is Failure.DAMAGED


def test_silence_is_not_damage() -> None:
    wire = Wire()
    wire.ask()
    assert wire.talk.expire(0.1) is Failure.SILENT


def test_a_reply_that_is_coming_in_at_the_deadline_is_waited_for() -> None:
    wire = Wire()
    wire.ask()
    wire.talk.receive(GOOD[:3], 0.099)
    assert wire.talk.expire(0.1) is None
    assert wire.talk.deadline > 0.1
    assert wire.talk.receive(GOOD[3:], 0.105) == VALUE


def test_a_reply_that_stops_half_way_is_waited_for_only_once() -> None:
    wire = Wire()
    wire.ask()
    wire.talk.receive(GOOD[:3], 0.099)
    assert wire.talk.expire(0.1) is None
    assert wire.talk.expire(wire.talk.deadline) is Failure.DAMAGED


def test_a_damaged_reply_ends_the_wait_early_and_is_not_owed() -> None:
    wire = Wire()
    wire.learn(echo=False)
    wire.ask(now=1.0)
    assert wire.talk.receive(GOOD[:-1] + b"\x00", 1.02) is None
    assert wire.talk.deadline == pytest.approx(1.05)
    assert wire.talk.expire(1.05) is Failure.DAMAGED
    assert wire.talk.free_at(Question(1, ReadRequest(3, 9, 1)), 1.06) == 1.06


def test_a_late_reply_is_never_taken_for_another_register() -> None:
    """Three common masters give register 9 the value of register 0 here."""
    wire = Wire()
    wire.ask()
    assert wire.talk.expire(0.1) is Failure.SILENT
    assert wire.talk.free_at(Question(1, ReadRequest(3, 9, 1)), 0.1) == pytest.approx(2.1)
    assert wire.talk.free_at(Question(1, ReadRequest(3, 9, 2)), 0.1) == 0.1
    assert wire.talk.free_at(Question(1, READ), 0.1) == 0.1


def test_noise_that_looks_like_the_beginning_of_a_reply_does_not_pay_for_it() -> None:
    """The true one may still come, and would be taken for the answer to what is asked next."""
    wire = Wire()
    wire.learn(echo=False)
    other = ReadRequest(3, 9, 16)
    wire.ask(ReadRequest(3, 0, 16), now=1.0)
    assert wire.talk.receive(bytes.fromhex("01 03 20 00 ff"), 1.02) is None
    assert wire.talk.expire(1.1) is Failure.DAMAGED
    assert wire.talk.free_at(Question(1, other), 1.2) == pytest.approx(3.1)


def test_a_reply_that_lost_a_few_bytes_is_not_owed() -> None:
    wire = Wire()
    wire.learn(echo=False)
    wire.ask(ReadRequest(3, 0, 16), now=1.0)
    assert wire.talk.receive(rtu_frame(1, bytes((3, 32, *range(32))))[:-3], 1.05) is None
    assert wire.talk.expire(1.1) is Failure.DAMAGED
    assert wire.talk.free_at(Question(1, ReadRequest(3, 9, 16)), 1.2) == 1.2


def test_a_port_opened_anew_forgives_no_debt_nor_the_question_it_was_closed_over() -> None:
    wire = Wire()
    wire.ask()
    wire.talk.expire(0.1)
    wire.ask(address=2, now=0.2)
    wire.talk.reset(0.25)
    assert wire.talk.free_at(Question(1, ReadRequest(3, 9, 1)), 0.25) == pytest.approx(2.1)
    assert wire.talk.free_at(Question(2, ReadRequest(3, 9, 1)), 0.25) == pytest.approx(2.25)


def test_a_late_reply_into_another_devices_exchange_is_told_and_harms_nobody() -> None:
    wire = Wire()
    wire.ask()
    wire.talk.expire(0.1)
    wire.ask(address=2, now=0.2)
    assert wire.talk.receive(GOOD, 0.21) is None
    assert [address for address, _ in wire.late] == [1]
    assert wire.late[0][1] == pytest.approx(0.21 - 8 * CHAR_S)
    assert wire.talk.receive(rtu_frame(2, bytes.fromhex("03020011")), 0.23) == ReadReply(3, (0x11,))


def test_a_late_reply_into_silence_is_told() -> None:
    wire = Wire()
    wire.ask()
    wire.talk.expire(0.1)
    wire.talk.stray(GOOD[:4], 0.5)
    wire.talk.stray(GOOD[4:], 0.51)
    assert [address for address, _ in wire.late] == [1]


def test_bytes_nobody_asked_for_are_noise() -> None:
    wire = Wire()
    wire.talk.stray(b"\x00\xff", 0.5)
    assert wire.talk.noise_bytes == 2


def test_an_exception_that_may_answer_an_older_question_means_nothing() -> None:
    wire = Wire()
    wire.ask(ReadRequest(3, 0, 1))
    wire.talk.expire(0.1)
    wire.ask(ReadRequest(3, 9, 2), now=0.2)
    assert wire.talk.receive(rtu_frame(1, b"\x83\x02"), 0.23) is Failure.DAMAGED


def test_an_exception_to_the_only_question_is_believed() -> None:
    wire = Wire()
    wire.ask()
    assert wire.talk.receive(rtu_frame(1, b"\x83\x02"), 0.02) == ExceptionReply(3, 2)


def test_what_comes_before_our_own_request_has_left_is_an_older_reply() -> None:
    waiting = [8]
    wire = Wire(lambda: waiting[0])
    wire.ask()
    assert wire.talk.receive(GOOD, 0.004) is None
    waiting[0] = 0
    assert wire.talk.receive(GOOD, 0.02) == VALUE


def test_echo_is_cancelled_and_learned_from_a_read() -> None:
    for echo in (True, False):
        wire = Wire()
        wire.learn(echo=echo)
        assert wire.talk.echo.heard is echo
        assert wire.talk.noise_bytes == 0


def test_the_echo_of_a_write_is_not_its_answer() -> None:
    wire = Wire()
    wire.learn(echo=True)
    sent = wire.ask(UNLOCK, now=1.0).frame
    assert wire.talk.receive(sent, 1.02) is None
    assert wire.talk.receive(sent, 1.04) == WriteReply(5, 0x0200, 50)


def test_the_echo_of_a_write_behind_noise_is_not_its_answer_either() -> None:
    wire = Wire()
    wire.learn(echo=True)
    sent = wire.ask(UNLOCK, now=1.0).frame
    assert wire.talk.receive(b"\x00" + sent, 1.02) is None
    assert wire.talk.expire(1.2) is Failure.SILENT


def test_without_echo_one_copy_answers_a_write() -> None:
    wire = Wire()
    wire.learn(echo=False)
    sent = wire.ask(UNLOCK, now=1.0).frame
    assert wire.talk.receive(sent, 1.02) == WriteReply(5, 0x0200, 50)


def test_while_echo_is_unknown_one_copy_of_a_write_proves_nothing() -> None:
    wire = Wire()
    sent = wire.ask(UNLOCK).frame
    assert wire.talk.receive(sent, 0.02) is None


def test_a_babbling_line_fills_no_memory() -> None:
    wire = Wire()
    wire.ask()
    for _ in range(100):
        wire.talk.receive(bytes(100), 0.02)
    assert wire.talk.receive(GOOD, 0.02) == VALUE
    assert wire.talk.noise_bytes == 10_000


def test_over_tcp_a_late_reply_is_told_apart_by_its_transaction() -> None:
    talk = TcpConversation()
    first = talk.begin(Question(1, READ), 0.0, timeout_s=0.1, late_s=2.0)
    assert talk.expire(0.1) is Failure.SILENT
    second = talk.begin(Question(1, ReadRequest(3, 9, 1)), 0.2, timeout_s=0.1, late_s=2.0)
    assert first[:2] != second[:2]
    late = first[:4] + bytes.fromhex("0005 01 03 02 0001")
    good = second[:4] + bytes.fromhex("0005 01 03 02 0002")
    talk.stray(late[:5], 0.2)
    assert talk.receive(late[5:] + good[:4], 0.21) is None
    assert talk.receive(good[4:], 0.22) == ReadReply(3, (2,))
    assert talk.turnaround_s(0.22) == pytest.approx(0.02)


def test_over_tcp_nonsense_means_a_new_connection() -> None:
    talk = TcpConversation()
    talk.begin(Question(1, READ), 0.0, timeout_s=0.1, late_s=2.0)
    assert talk.receive(b"HTTP/1.1 400", 0.1) is Failure.BROKEN
    talk.reset(0.0)
    sent = talk.begin(Question(1, READ), 0.2, timeout_s=0.1, late_s=2.0)
    assert talk.receive(sent[:4] + bytes.fromhex("0005 01 04 02 0002"), 0.3) is Failure.DAMAGED


def test_over_tcp_nothing_echoes_and_one_answer_to_a_write_is_enough() -> None:
    talk = TcpConversation()
    assert talk.echo.heard is False
    sent = talk.begin(Question(1, UNLOCK), 0.0, timeout_s=0.1, late_s=2.0)
    assert talk.receive(sent, 0.02) == WriteReply(5, 0x0200, 50)


def test_over_tcp_a_frame_that_has_only_begun_when_its_time_is_over_swallows_no_answer_to_the_next() -> None:
    talk = TcpConversation()
    first = talk.begin(Question(1, READ), 0.0, timeout_s=0.1, late_s=2.0)
    assert talk.receive(first[:4] + bytes.fromhex("00fd 01 03 02 0001"), 0.05) is None
    assert talk.expire(0.1) is Failure.BROKEN


def test_over_tcp_an_older_answer_that_came_before_the_question_breaks_nothing() -> None:
    talk = TcpConversation()
    first = talk.begin(Question(1, READ), 0.0, timeout_s=0.1, late_s=2.0)
    assert talk.expire(0.1) is Failure.SILENT
    talk.stray(first[:4] + bytes.fromhex("0005 01 03 02 0001"), 0.15)
    talk.begin(Question(2, READ), 0.2, timeout_s=0.1, late_s=2.0)
    assert talk.expire(0.3) is Failure.SILENT


def test_over_tcp_bytes_behind_an_answer_that_is_none_are_not_left_for_the_next() -> None:
    talk = TcpConversation()
    sent = talk.begin(Question(1, READ), 0.0, timeout_s=0.1, late_s=2.0)
    assert talk.receive(sent[:4] + bytes.fromhex("0003 01 03 02 0001"), 0.05) is Failure.BROKEN


def test_over_tcp_the_numbers_begin_anew_before_they_are_too_large_for_a_header() -> None:
    talk, question = TcpConversation(), Question(1, READ)
    seen = [talk.begin(question, 0.0, timeout_s=0.1, late_s=2.0)[:2] for _ in range(0x10000 + 1)]
    assert talk.deadline == 0.1
    assert b"\0\0" not in seen
    assert all(before != after for before, after in itertools.pairwise(seen))
