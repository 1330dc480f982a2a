"""The port of a scan, over a pty: what came back, what came late, what is noise, and when the port is lost."""

import os
import threading
import tty
from collections.abc import Iterator

import pytest

from drivers.api import LineError
from drivers.modbus.codec import ExceptionReply, ReadReply, encode_reply, encode_request, rtu_frame
from drivers.scan.order import HOLDING, Answer, Setting
from drivers.scan.port import open_port

SETTING = Setting(115200, "none")
WAIT_S = 0.02


class Pty:
    """A port and its far end."""

    def __init__(self) -> None:
        self.far, self._near = os.openpty()
        tty.setraw(self._near)
        self.name = os.ttyname(self._near)

    def hang_up(self) -> None:
        for each in (self.far, self._near):
            if each >= 0:
                os.close(each)
        self.far = self._near = -1


@pytest.fixture
def pty() -> Iterator[Pty]:
    line = Pty()
    yield line
    line.hang_up()


def ask_after(pty: Pty, data: bytes) -> Answer:
    """Ask address 1 with these bytes waiting: on a pty nothing tells them from an answer that came at once."""
    with open_port(pty.name) as port:
        port.ask(SETTING, 1, HOLDING, 0.0)
        os.write(pty.far, data)
        return port.ask(SETTING, 1, HOLDING, WAIT_S)


def reply(address: int, value: int = 7) -> bytes:
    return rtu_frame(address, encode_reply(ReadReply(3, (value,))))


def test_silence_is_no_device(pty: Pty) -> None:
    assert ask_after(pty, b"") == Answer()


def test_a_whole_frame_of_another_address_is_a_late_answer(pty: Pty) -> None:
    assert ask_after(pty, reply(9)) == Answer(late_from=9)


def test_bytes_that_make_no_frame_are_counted(pty: Pty) -> None:
    assert ask_after(pty, b"\x00\xff\x55") == Answer(noise=3)


def test_our_own_echo_is_not_noise(pty: Pty) -> None:
    assert ask_after(pty, rtu_frame(1, encode_request(HOLDING))) == Answer()


@pytest.mark.parametrize("answer", [ReadReply(3, (7,)), ExceptionReply(3, 2)])
def test_a_reply_is_a_device_also_when_it_says_no(pty: Pty, answer: ReadReply | ExceptionReply) -> None:
    """The answer comes behind a byte of noise and torn in two, the way adapters hand bytes over."""
    frame = b"\x00" + rtu_frame(1, encode_reply(answer))

    def device() -> None:
        os.read(pty.far, 8)
        os.write(pty.far, frame[:3])
        os.write(pty.far, frame[3:])

    thread = threading.Thread(target=device)
    thread.start()
    with open_port(pty.name) as port:
        assert port.ask(SETTING, 1, HOLDING, 5.0).reply == answer
    thread.join()


def test_a_port_that_is_lost_says_so(pty: Pty) -> None:
    with open_port(pty.name) as port:
        pty.hang_up()
        with pytest.raises(LineError, match="the port is gone"):
            port.ask(SETTING, 1, HOLDING, WAIT_S)


def test_a_parity_a_pty_cannot_have_is_impossible_and_the_next_setting_works(pty: Pty) -> None:
    with open_port(pty.name) as port:
        assert port.ask(Setting(9600, "even"), 1, HOLDING, WAIT_S).impossible
        assert not port.ask(Setting(9600, "none"), 1, HOLDING, WAIT_S).impossible


@pytest.mark.parametrize(
    ("port", "hint"),
    [
        ("/dev/no-such-port", "plugged in"),
        ("tcp://10.0.0.1", "Modbus TCP"),
        ("/dev/null", "no serial port"),
        ("/tmp", "no serial port"),
        ("nonsense://x", "nonsense"),
    ],
)
def test_what_is_no_port_is_told(port: str, hint: str) -> None:
    with pytest.raises(LineError, match=hint), open_port(port):
        pass


def test_a_port_somebody_has_says_who_it_may_be(pty: Pty) -> None:
    with open_port(pty.name), pytest.raises(LineError, match="another program has it"), open_port(pty.name):
        pass
