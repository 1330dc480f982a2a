"""A modem over a pseudo-terminal: what the network took is delivered, what it refused says why."""

import asyncio
import contextlib
import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.desk.senders.modem import talking
from gateway.desk.senders.modem.at import FrameError, call_state, decode, end_of
from gateway.desk.senders.modem.serial_modem import Call, SerialModem, Sms
from gateway.desk.sending import Delivered, Message, Rejected, Result, Sender, Unknown
from tests.desk_modem import PretendModem

TEXT = "【紧急】2 栋 1 单元 3 楼 烟感报警"


@pytest.fixture
def modem(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendModem]:
    """Have a modem, and less patience with it."""
    for name, seconds in (
        ("SHORT_S", 0.6),
        ("PART_S", 0.6),
        ("DIAL_S", 0.6),
        ("ANSWERED_S", 0.05),
        ("LOOK_S", 0.02),
    ):
        monkeypatch.setattr(talking, name, seconds)
    made = PretendModem()
    yield made
    made.close()


def send(sender: Sender, address: str = "13800001111", text: str = TEXT) -> Result:
    """Send a page."""
    return asyncio.run(sender.send(Message("i|1.0|warden-1", address, text, 3)))


def sms(modem: PretendModem) -> Sms:
    return Sms(SerialModem(modem.port, 115_200))


def call(modem: PretendModem, ring_s: float = 0.2) -> Call:
    return Call(SerialModem(modem.port, 115_200), ring_s)


def test_a_chinese_text_arrives_as_it_was_written(modem: PretendModem) -> None:
    assert send(sms(modem)) == Delivered("+CMGS: 1 (1)")
    assert [(each.number, each.text) for each in modem.received] == [("13800001111", TEXT)]


def test_a_long_text_arrives_joined(modem: PretendModem) -> None:
    assert send(sms(modem), text=TEXT * 8) == Delivered("+CMGS: 1, 2, 3 (3)")
    assert modem.texts() == [TEXT * 8]


def test_two_pages_one_after_the_other_share_the_modem(modem: PretendModem) -> None:
    sender = sms(modem)

    async def both() -> list[Result]:
        return await asyncio.gather(
            *(sender.send(Message(f"{n}", "10086", f"page {n}", 1)) for n in range(2))
        )

    assert all(isinstance(each, Delivered) for each in asyncio.run(both()))
    assert sorted(each.text for each in modem.received) == ["page 0", "page 1"]


def test_what_the_modem_says_by_itself_confuses_nobody(modem: PretendModem) -> None:
    modem.chatter = b'\r\n+CMTI: "SM",3\r\n\r\nRING\r\n\r\n^RSSI:18\r\n'
    assert isinstance(send(sms(modem)), Delivered)


@pytest.mark.parametrize(
    ("said", "again", "word"),
    [
        ("+CMS ERROR: 38", True, "network"),
        ("+CMS ERROR: 28", False, "number"),
        ("+CMS ERROR: 500", True, "paid"),
        ("+CME ERROR: 10", False, "SIM"),
        ("ERROR", True, ""),
    ],
)
def test_a_refusal_by_the_network_is_none_of_success(
    modem: PretendModem, said: str, again: bool, word: str
) -> None:
    modem.text_answers = [said]
    result = send(sms(modem))
    assert isinstance(result, Rejected)
    assert result.retryable is again
    assert said in result.answer
    assert word in (result.means.en if result.means else "")


def test_a_text_of_which_one_part_was_refused_was_refused(modem: PretendModem) -> None:
    modem.text_answers = ["", "+CMS ERROR: 42"]
    result = send(sms(modem), text=TEXT * 8)
    assert isinstance(result, Rejected)
    assert result.retryable


def test_a_network_that_never_answers_a_text_may_have_sent_it(modem: PretendModem) -> None:
    modem.text_answers = ["silence"]
    assert isinstance(send(sms(modem)), Unknown)


def test_a_modem_that_never_prompts_has_not_sent_it_and_takes_the_next(modem: PretendModem) -> None:
    modem.silent = {"AT+CMGS"}
    result = send(sms(modem))
    assert isinstance(result, Rejected)
    modem.silent = set()
    assert isinstance(send(sms(modem)), Delivered)


@pytest.mark.parametrize(
    ("field", "value", "word", "again"),
    [
        ("pin", "SIM PIN", "PIN", False),
        ("registered", "0,2", "antenna", True),
        ("registered", "0,3", "antenna", True),
    ],
)
def test_what_is_wrong_with_the_modem_is_told_before_anything_is_sent(
    modem: PretendModem, field: str, value: str, word: str, again: bool
) -> None:
    setattr(modem, field, value)
    for sender in (sms(modem), call(modem)):
        result = send(sender)
        assert isinstance(result, Rejected)
        assert result.retryable is again
        assert result.means is not None
        assert word in result.means.en
    assert (modem.received, modem.dialled) == ([], [])


def test_a_modem_without_a_sim_says_so(modem: PretendModem) -> None:
    modem.answers = {"AT+CPIN?": "+CME ERROR: 10"}
    result = send(sms(modem))
    assert isinstance(result, Rejected)
    assert result.means is not None
    assert "SIM" in result.means.en


def test_a_modem_on_lte_only_is_on_the_network(modem: PretendModem) -> None:
    modem.registered = "0,0"
    modem.answers = {"AT+CEREG?": "+CEREG: 0,1\r\n\r\nOK"}
    assert isinstance(send(sms(modem)), Delivered)


def test_a_dead_modem_is_told(modem: PretendModem) -> None:
    modem.silent = {"AT"}
    result = send(sms(modem))
    assert isinstance(result, Rejected)
    assert result.retryable
    assert result.means is not None
    assert "port" in result.means.en


def test_garbage_instead_of_answers_is_a_dead_modem(modem: PretendModem) -> None:
    modem.silent, modem.chatter = {"AT"}, os.urandom(4000).replace(b"\r", b"").replace(b"\n", b"")
    assert isinstance(send(sms(modem)), Rejected)


def test_a_port_that_is_not_there_is_told_and_may_come_back() -> None:
    result = send(Sms(SerialModem("/dev/no-such-port", 9600)))
    assert isinstance(result, Rejected)
    assert result.retryable
    assert result.means is not None
    assert "dialout" in result.means.en


def test_a_telephone_rings_and_the_call_is_ended(modem: PretendModem) -> None:
    modem.rings = [2, 3]
    assert send(call(modem)) == Delivered("rang 0 s")
    assert (modem.dialled, modem.hung_up) == (["13800001111"], 1)


def test_a_call_that_is_answered_or_declined_has_rung(modem: PretendModem) -> None:
    modem.rings = [2, 3, 0]
    assert send(call(modem, 5.0)) == Delivered("answered")
    modem.rings = [2, 3, -1]
    declined = send(call(modem, 5.0))
    assert isinstance(declined, Delivered)
    assert "declined" in declined.answer


@pytest.mark.parametrize("rings", [[2], [2, -1], []])
def test_a_telephone_that_never_rang_was_not_reached(modem: PretendModem, rings: list[int]) -> None:
    modem.rings = rings
    result = send(call(modem))
    assert isinstance(result, Rejected)
    assert result.retryable
    assert modem.hung_up == 1


@pytest.mark.parametrize("said", ["NO CARRIER", "BUSY", "NO DIALTONE", "+CME ERROR: 30", "ERROR"])
def test_a_call_that_is_refused_was_refused(modem: PretendModem, said: str) -> None:
    modem.answers = {"ATD": said}
    result = send(call(modem))
    assert isinstance(result, Rejected)
    assert said in result.answer


def test_what_is_no_number_is_never_dialled(modem: PretendModem) -> None:
    for address in ("112;AT+CMGD=1,4", "warden-1", ""):
        for sender in (sms(modem), call(modem)):
            result = send(sender, address)
            assert isinstance(result, Rejected)
            assert not result.retryable
    assert modem.dialled == []


def test_lines_are_taken_whatever_way_they_are_cut() -> None:
    data = b"AT+CPIN?\r\r\n+CPIN: READY\r\n\r\nOK\r\n> "
    buffer, found = bytearray(), []
    for each in data:
        buffer.append(each)
        while (line := decode(buffer)) is not None:
            found.append(line)
    assert [line for line in found if line] == ["AT+CPIN?", "+CPIN: READY", "OK", "> "]


@given(st.binary(max_size=5000))
def test_bytes_are_lines_or_told_as_none(data: bytes) -> None:
    buffer = bytearray(data)
    with contextlib.suppress(FrameError):
        while decode(buffer) is not None:
            pass
    assert len(buffer) <= 2048


def test_ends_and_calls_are_known_by_their_words() -> None:
    assert end_of("+CMS ERROR: 500") is not None
    assert end_of("+CMGS: 3") is None
    assert (call_state('+CLCC: 1,0,3,0,0,"138",129'), call_state('+CLCC: 1,1,4,0,0,"138",129')) == (3, None)
