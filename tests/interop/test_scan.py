"""`scan` over real ports: simulated devices behind ptys are found at every usual speed, and never written to.

A pty carries bytes whatever speed is set on it, so the rig looks at the speed the master has set: at a wrong one
the devices hear rubbish, and the master hears rubbish when one of them speaks.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from drivers import profile as profiles
from drivers import scan as scanning
from drivers.api import LineError, LineSettings, Profile
from drivers.modbus.codec import ReadReply, Request
from drivers.scan import BAUDS, Found, Noise, Options
from drivers.scan.order import HOLDING, Answer, Search, Setting, settings_of
from drivers.scan.port import SerialPort, open_port
from drivers.sim.line import SimLine
from drivers.sim.modbus import SimDevice
from drivers.sim.pty_line import PtyLine

SPEED = {getattr(termios, f"B{baud}"): baud for baud in BAUDS}
PRODUCTS = [profiles.load(name) for name in profiles.names()]


class StrictPty(PtyLine):
    """A pty that minds the speed its master has set."""

    def _receive(self) -> None:
        if SPEED.get(termios.tcgetattr(self._theirs)[5]) == self.line.settings.baud:
            super()._receive()
        else:
            os.read(self._ours, 4096)


@contextmanager
def served(line: SimLine) -> Iterator[str]:
    """Serve a line on a pty by a thread of its own; yield the port."""
    ready, stop = threading.Event(), asyncio.Event()
    port = loop = None

    async def main() -> None:
        nonlocal port, loop
        loop = asyncio.get_running_loop()
        with StrictPty(line) as pty:
            port = pty.path
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=[main()])
    thread.start()
    try:
        assert ready.wait(5)
        assert port is not None
        yield port
    finally:
        assert loop is not None
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def line_of(baud: int, *devices: tuple[str, int]) -> SimLine:
    """Return a line of products at addresses. Not paced: what is tested is what is found, not how fast."""
    slaves = [SimDevice(profiles.load(name), address) for name, address in devices]
    return SimLine(LineSettings("sim", "pty", baud=baud), slaves, paced=False)


def found_on(line: SimLine, options: Options) -> list[Found]:
    with served(line) as port:
        return [event for event in scanning.scan(port, PRODUCTS, options) if isinstance(event, Found)]


@pytest.mark.parametrize("baud", BAUDS)
def test_a_device_is_found_at_every_usual_speed(baud: int) -> None:
    options = Options(addresses=(1, 2), wait_s=0.02, parities=("none",))
    (found,) = found_on(line_of(baud, ("sonbest-sm7571b", 2)), options)
    assert (found.address, found.setting) == (2, Setting(baud, "none"))


def test_all_devices_of_a_line_are_found_and_named() -> None:
    devices = [
        ("greystone-cmd5b4", 1),
        ("witmotion-wt901c485", 0x50),
        ("calectro-ug-3-o-mb-r", 33),
        ("waveshare-door", 9),
    ]
    found = found_on(line_of(9600, *devices), Options(bauds=(9600,), wait_s=0.005))
    named = {each.address: [fit.profile for fit in each.fits] for each in found}
    assert sorted(named) == sorted(address for _, address in devices)
    for name, address in devices:
        assert name in named[address], f"{name} is none of {named[address]}"


def test_the_product_that_explains_most_of_a_device_comes_first() -> None:
    (found,) = found_on(
        line_of(9600, ("greystone-cmd5b4", 1)), Options(bauds=(9600,), addresses=(1,), wait_s=0.02)
    )
    assert [fit.profile for fit in found.fits] == ["greystone-cmd5b4"]
    assert found.fits[0].as_shipped


class Overheard:
    """A port that notes what is asked. Without a real one behind it, all it ever hears is rubbish."""

    def __init__(self, behind: SerialPort | None = None) -> None:
        self.asked: list[Request] = []
        self._behind = behind

    def __enter__(self) -> "Overheard":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def ask(self, setting: Setting, address: int, request: Request, wait_s: float) -> Answer:
        self.asked.append(request)
        return self._behind.ask(setting, address, request, wait_s) if self._behind else Answer(noise=3)


def test_nothing_is_ever_written_to_a_device() -> None:
    options = Options(bauds=(9600,), parities=("none",), addresses=range(1, 20), wait_s=0.01, thorough=True)
    with served(line_of(9600, ("waveshare-door", 1))) as port, open_port(port) as opened:
        overheard = Overheard(opened)
        found = [
            each
            for each in scanning.scan(port, PRODUCTS, options, opened=overheard)
            if isinstance(each, Found)
        ]
    assert [each.address for each in found] == [1]
    assert {request.function for request in overheard.asked} == {1, 2, 3, 4}


def test_bytes_that_make_no_frame_are_told_as_noise() -> None:
    options = Options(bauds=(9600,), parities=("none",), addresses=(1,))
    events = list(scanning.scan("/dev/none", [], options, opened=Overheard()))
    assert [event for event in events if isinstance(event, Noise)] == [Noise(Setting(9600, "none"), 1, 3)]


def test_a_parity_the_port_cannot_have_is_passed_over() -> None:
    options = Options(bauds=(9600,), parities=("even", "none"), addresses=(1,), wait_s=0.02)
    (found,) = found_on(line_of(9600, ("waveshare-door", 1)), options)
    assert found.setting.parity == "none"


def test_a_port_that_is_not_there_says_so() -> None:
    with pytest.raises(LineError, match="adapter plugged in"):
        list(scanning.scan("/dev/no-such-port", [], Options()))


# --- the order of asking --------------------------------------------------------------------------


def asked_by(search: Search, there: dict[int, Setting], *, most: int = 100_000) -> list[tuple[int, str]]:
    """Play a search against devices that answer at a speed; return what was asked where."""
    asked: list[tuple[int, str]] = []
    while (step := search.next()) is not None and len(asked) < most:
        asked.append((step.address, str(step.setting)))
        is_there = there.get(step.address) == step.setting
        search.heard(step, Answer(ReadReply(3, (0,))) if is_there else Answer())
    return asked


def search(profiles_: Sequence[Profile] = (), *, thorough: bool = False) -> Search:
    settings = settings_of((9600, 19200), ("none", "even"))
    return Search(settings, range(1, 248), profiles_, wait_s=0.1, thorough=thorough)


def test_the_usual_addresses_come_first_at_every_speed() -> None:
    asked = asked_by(search(), {}, most=12)
    assert asked[:3] == [(1, "9600 8N1"), (2, "9600 8N1"), (3, "9600 8N1")]
    assert {setting for _, setting in asked} == {"9600 8N1", "19200 8N1", "9600 8E1", "19200 8E1"}


def test_once_one_answers_its_whole_speed_is_asked_and_no_other() -> None:
    there = {2: Setting(19200, "none"), 200: Setting(19200, "none")}
    asked = asked_by(search(), there)
    assert {address for address, setting in asked if setting == "19200 8N1"} == set(range(1, 248))
    assert len([setting for _, setting in asked if setting == "9600 8N1"]) <= 3


def test_when_nothing_answers_every_address_is_asked_at_every_speed_once() -> None:
    asked = asked_by(search(), {})
    assert len(asked) == len(set(asked)) == 4 * 247


def test_a_slow_device_that_answers_late_is_asked_again_and_given_time() -> None:
    looking = search()
    first = looking.next()
    assert first is not None
    looking.heard(first, Answer())
    second = looking.next()
    assert second is not None
    looking.heard(second, Answer(late_from=first.address))
    again = looking.next()
    assert again is not None
    assert (again.address, again.request) == (first.address, HOLDING)
    assert again.wait_s > first.wait_s


def test_a_port_that_minds_no_speed_is_searched_at_one_only() -> None:
    looking = search()
    asked = set()
    while (step := looking.next()) is not None:
        asked.add((step.address, step.setting))
        looking.heard(step, Answer(ReadReply(3, (0,))) if step.address == 1 else Answer())
    assert {setting for address, setting in asked if address > 3} == {Setting(9600, "none")}


def test_what_is_left_to_do_shrinks_to_nothing() -> None:
    looking = search(PRODUCTS)
    asked_by(looking, {2: Setting(9600, "none")})
    assert looking.remaining_s == pytest.approx(0.0, abs=1e-6)
    assert looking.done_s > 0


# --- the command ----------------------------------------------------------------------------------


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", "--lang", "en", "scan", *arguments]


def test_the_command_prints_tables_that_check_accepts(tmp_path: Path) -> None:
    with served(line_of(19200, ("greystone-cmd5b4", 3), ("witmotion-wt901c485", 0x50))) as port:
        narrowed = ["--baud", "19200", "--parity", "none", "--address", "1-3,80", "--wait", "20"]
        done = subprocess.run(
            command(port, *narrowed), capture_output=True, text=True, timeout=60, check=True
        )
        text = f'[gateway]\nid = "x"\nstate_dir = "{tmp_path}"\n' + done.stdout.replace(
            'building = ""', 'building = "1"'
        )
        file = tmp_path / "gateway.toml"
        file.write_text(text, encoding="utf-8")
        checked = subprocess.run(
            [sys.executable, "-m", "gateway", "check", "--json", "-c", str(file)],
            capture_output=True,
            text=True,
            check=True,
        )
    assert json.loads(checked.stdout)["faults"] == []
    assert "witmotion-wt901c485" in done.stdout
    assert "2 found" in done.stderr


def test_the_command_keeps_what_it_found_when_it_is_interrupted() -> None:
    with served(line_of(9600, ("greystone-cmd5b4", 1))) as port:
        process = subprocess.Popen(
            command(port, "--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        assert process.stdout is not None
        while "address 1" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        told = json.loads(process.stdout.read())
        assert process.wait(10) == 130
        assert "cut short" in process.stderr.read()
        process.stdout.close()
        process.stderr.close()
    assert [device["address"] for device in told["devices"]] == [1]
    assert told["complete"] is False


def test_the_command_says_what_to_look_at_when_nothing_answers() -> None:
    with served(line_of(9600)) as port:
        narrowed = ["--baud", "9600", "--parity", "none", "--address", "1-3", "--wait", "5"]
        done = subprocess.run(
            command(port, *narrowed), capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert "A and B swapped" in done.stderr
    assert done.stdout == ""
