"""The simulator as a program: it says where it is, obeys, tells what changes, and ends cleanly."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.codec import WriteSingle, encode_request, rtu_frame
from drivers.sim import __main__ as program
from drivers.sim.commands import Commands, parse_value
from drivers.sim.compound import compound
from drivers.sim.faults import PRESETS

Play = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Play]:
    """Run the program in this process with these arguments and this input, and return its code and facts."""

    def run(*arguments: str, says: str = "") -> tuple[int, list[dict[str, Any]]]:
        theirs, ours = os.pipe()
        os.write(ours, says.encode())
        os.close(ours)
        with os.fdopen(theirs) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            code = program.main(arguments)
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    yield run
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_it_says_first_where_everything_is_and_ends_with_its_input(play: Play, tmp_path: Path) -> None:
    code, (first, *rest) = play("--link", str(tmp_path), "--detectors", "3", "--covers", "1", "--doors", "1")
    assert code == 0
    assert first["ports"] == {name: str(tmp_path / name) for name in ("riser-1", "riser-2", "yard")}
    assert first["pid"] == os.getpid()
    yard = first["bus"][2]
    assert (yard["name"], yard["port"], yard["baud"], yard["parity"]) == (
        "yard",
        str(tmp_path / "yard"),
        9600,
        "none",
    )
    cover, door = yard["device"]
    assert (cover["name"], cover["profile"], cover["address"]) == ("cover-01", "witmotion-wt901c485", 1)
    assert set(cover["baseline"]) == {"roll", "pitch"}
    assert door["place"] == {"building": "1", "unit": "1", "floor": "1"}
    assert rest == []
    assert list(tmp_path.iterdir()) == []


def test_each_command_is_answered_with_its_time_and_each_change_told(play: Play) -> None:
    begin = time.monotonic()
    _, (_, changed, answered, shown) = play(
        "--profile",
        "sonbest-sm7571b",
        says="set device-1 smoke 77\n\nget device-1\nquit\nset device-1 smoke 1\n",
    )
    assert (changed["device"], changed["point"], changed["value"]) == ("device-1", "smoke", 77)
    assert answered["command"] == "set device-1 smoke 77"
    assert "error" not in answered
    assert shown["points"] == {"smoke": 77}
    assert begin <= changed["at"] <= time.monotonic()


def test_what_it_does_not_understand_it_says(play: Play) -> None:
    _, (_, *answers) = play("--profile", "sonbest-sm7571b", says="dance\nset device-1 smell 1\n\xff\n")
    assert [("error" in answer) for answer in answers] == [True, True, True]
    assert answers[1]["error"] == "set: device-1 has no smell; it has smoke"


@pytest.mark.parametrize("kind", ["--tcp", "--modbus-tcp"])
def test_tcp_ports_are_told_as_a_configuration_wants_them(play: Play, kind: str) -> None:
    _, (first, *_) = play("--profile", "waveshare-door", kind)
    assert first["ports"]["line"].startswith("socket://127.0.0.1:" if kind == "--tcp" else "tcp://127.0.0.1:")


def test_some_devices_may_be_dead_and_a_line_bad_from_the_start() -> None:
    world = program.world_of(
        program.make_parser().parse_args(["--dead", "2", "--faults", "late", "--turnaround-ms", "3"])
    )
    for name, there in world.on_line.items():
        assert [device.alive for device in there[-3:]] == [True, False, False]
        assert world.lines[name].faults is PRESETS["late"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--profile", "sonbest"), "no profile of this name"),
        (("--lines", "0"), "at least one line"),
        (("--faults", "terrible"), "invalid choice"),
        (("--link", "/proc/nowhere"), "No such file or directory"),
    ],
)
def test_bad_usage_ends_with_2_and_one_clear_line(
    play: Play, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        play(*arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(("how", "option"), [(signal.SIGTERM, "--paced"), (signal.SIGINT, "--spin")])
def test_a_signal_ends_it_and_leaves_no_link_behind(tmp_path: Path, how: signal.Signals, option: str) -> None:
    """It is a program of its own here, with nothing on its input, as a service would have it."""
    command = [
        sys.executable,
        "-m",
        "drivers.sim",
        "--profile",
        "waveshare-door",
        "--link",
        str(tmp_path),
        option,
    ]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        json.loads(process.stdout.readline())
        port = os.open(tmp_path / "line", os.O_RDWR | os.O_NOCTTY)
        os.write(port, rtu_frame(1, encode_request(WriteSingle(5, 0x200, 10))))
        told = [json.loads(process.stdout.readline()) for _ in range(2)]
        os.close(port)
        process.send_signal(how)
        assert process.wait(10) == (0 if how == signal.SIGTERM else 130)
    assert [(fact["point"], fact["value"]) for fact in told] == [("strike", True), ("strike", False)]
    assert 0.9 < told[1]["at"] - told[0]["at"] < 1.5, "the strike falls after its second"
    assert list(tmp_path.iterdir()) == []


def test_commands_cover_everything_that_can_be_asked() -> None:
    world = compound(detectors=2, covers=1, doors=1)
    world.step(0.0)
    commands = Commands(world)
    assert commands.obey("devices") == {
        "devices": {"riser-1": ["smoke-1-1-1"], "riser-2": ["smoke-2-1-1"], "yard": ["cover-01", "door-1-1"]}
    }
    assert commands.obey("faults yard noisy") == {}
    assert world.lines["yard"].faults is PRESETS["noisy"]
    assert "wanted one of" in str(commands.obey("faults yard awful")["error"])
    assert commands.obey("unplug yard") == {}
    assert commands.obey("counts") == {
        "counts": {"riser-1": {"faults": {}}, "riser-2": {"faults": {}}, "yard": {"unplug": 1, "faults": {}}}
    }
    assert commands.obey("lift cover-01 95") == {}
    assert "could not convert" in str(commands.obey("lift cover-01 high")["error"])
    assert "positional" in str(commands.obey("close door-1-1 5")["error"])
    assert "smoke" in str(commands.obey("help")["deeds"])
    assert "no device" in str(commands.obey("get nobody")["error"])


def test_values_are_words_or_numbers() -> None:
    assert [parse_value(word) for word in ("on", "false", "none", "3", "-2.5")] == [
        True,
        False,
        None,
        3,
        -2.5,
    ]
    with pytest.raises(ValueError, match="could not convert"):
        parse_value("maybe")
