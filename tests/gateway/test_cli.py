"""The command line as a person or a script meets it: help, exit codes, one clear line, and never a trace."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import __version__
from gateway.cli import cli

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "systemd" / "gateway.toml"
COMMANDS = [
    "run",
    "demo",
    "check",
    "scan",
    "setup",
    "status",
    "alerts",
    "watch",
    "profiles",
    "vision",
    "camera",
    "command",
    "export",
    "report",
    "doors",
    "drill",
    "osdp",
    "assets",
    "bins",
    "inventory",
    "tests",
    "upkeep",
    "cards",
    "sign",
    "desk",
    "replay",
]
ENGLISH = {"LC_ALL": "C.UTF-8"}
CHINESE = {"LC_ALL": "zh_CN.UTF-8"}


def run(*arguments: str, env: Mapping[str, str] = ENGLISH) -> Result:
    return CliRunner().invoke(cli, arguments, env=env)


def process(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, **ENGLISH, **env}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        env=whole,
        timeout=60,
        check=False,
    )


def every_command(command: click.Command = cli, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    below = command.commands.items() if isinstance(command, click.Group) else ()
    return [path, *(each for name, child in below for each in every_command(child, (*path, name)))]


# --- help -----------------------------------------------------------------------------------------


def test_the_commands_are_those_of_the_contract() -> None:
    assert [name for name, command in cli.commands.items() if not command.hidden] == COMMANDS


@pytest.mark.parametrize("path", every_command(), ids=" ".join)
@pytest.mark.parametrize("env", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...], env: dict[str, str]) -> None:
    result = run(*path, "--help", env=env)
    assert result.exit_code == 0
    assert (
        " ".join(("compound-gateway", *path))
        in result.stdout.split(("Example" if env is ENGLISH else "示例") + ":")[1]
    )


def test_help_is_chinese_where_the_locale_is() -> None:
    assert "用法" in run("--help", env=CHINESE).stdout
    assert "Usage" in run("--help", env=ENGLISH).stdout


@pytest.mark.parametrize("where", [["--lang", "zh", "check", "--help"], ["check", "--help", "--lang=zh"]])
def test_the_language_can_be_asked_for_anywhere(where: list[str]) -> None:
    assert "检查配置文件" in run(*where).stdout


def test_the_version_is_told() -> None:
    assert __version__ in run("--version").stdout


# --- bad usage ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "no such command: bogus"),
        (["statsu"], "did you mean status?"),
        (["status", "--foo"], "no such option: --foo"),
        (["status", "--lang", "fr"], "--lang"),
        (["scan"], "missing PORT"),
        (["command", "door-1"], "missing ACTION"),
        (["command", "door-1", "unlock", "seconds"], "name=number"),
        (["command", "door-1", "unlock", "seconds=long"], "name=number"),
        (["scan", "/dev/null", "--address", "9-1"], "1-32"),
        (["scan", "/dev/null", "--address", "0-400"], "1-32"),
        (["scan", "/dev/null", "--baud", "fast"], "--baud"),
        (["export", "--format", "xml"], "--format"),
        (["alerts", "ack"], "missing ID"),
        (["demo", "--port", "70000"], "--port"),
    ],
)
def test_bad_usage_exits_2_with_one_line(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_no_arguments_at_all_show_the_help_and_exit_2() -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


# --- nobody to ask --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["alerts"], ["watch"], ["export"], ["command", "a", "b"], ["alerts", "ack", "x"]],
    ids=" ".join,
)
def test_without_a_gateway_it_says_where_it_looked_and_how_to_start_one(
    arguments: list[str], tmp_path: Path
) -> None:
    group, *rest = arguments
    socket = tmp_path / "control.sock"
    result = run(group, "--socket", str(socket), *rest)
    assert result.exit_code == 1
    assert str(socket) in result.stderr
    assert "compound-gateway run" in result.stderr


# --- check ----------------------------------------------------------------------------------------


def test_the_sample_configuration_is_good() -> None:
    result = run("check", "-c", str(SAMPLE))
    assert result.exit_code == 0, result.output
    assert "good" in result.stdout


def test_check_tells_every_fault_with_line_found_wanted_and_hint(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(
        '[gateway]\nid = "a"\nstate_dri = "x"\n[[bus]]\nname = "b"\nport = "socket://h:1"\nbaud = "9600"\n'
    )
    result = run("check", "-c", str(file))
    assert result.exit_code == 1
    for said in (
        "gateway.state_dri",
        "did you mean state_dir?",
        f"{file}:7",
        'found  "9600"',
        "without quotes: 9600",
    ):
        assert said in result.stdout
    plain = json.loads(run("check", "--json", "-c", str(file)).stdout)
    assert [fault["key"] for fault in plain["faults"]] == ["gateway.state_dri", "bus[0].baud"]
    assert plain["good"] is False


@pytest.mark.parametrize(
    "command",
    [["inventory"], ["tests", "plan"], ["tests", "report"], ["upkeep", "calendar"], ["upkeep", "history"]],
)
def test_what_reads_a_faulty_configuration_says_that_it_is_faulty_and_who_tells_how(
    tmp_path: Path, command: list[str]
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[gateway]\nid = "a"\nnmae = "b"\n', encoding="utf-8")
    result = run(*command, "-c", str(file))
    assert result.exit_code == 1
    assert f"{file} cannot be read, or has mistakes\n`compound-gateway check` tells them all" in result.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_command_does_its_work_where_an_output_was_closed(tmp_path: Path, closed: str) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(f'[gateway]\nid = "a"\nstate_dir = "{tmp_path}"\n', encoding="utf-8")
    command = f"{sys.executable} -m gateway check -c {file} {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, "fault in the program" in done.stderr) == (0, False), done.stderr


def test_run_refuses_a_faulty_configuration_in_plain_lines(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[gateway]\nid = "A"\n')
    done = process("run", "-c", str(file))
    assert done.returncode == 1
    assert f"{file}:2: gateway.id" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_without_any_configuration_says_how_to_name_one(tmp_path: Path) -> None:
    done = process("run", "-c", str(tmp_path / "nope.toml"))
    assert done.returncode == 1
    assert "No such file" in done.stderr


SAMPLE_LINES = SAMPLE.read_text(encoding="utf-8").splitlines()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(0, len(SAMPLE_LINES) - 1), max_size=4),
    st.integers(0, len(SAMPLE_LINES) - 1),
    st.text(max_size=30)
    | st.sampled_from(["[[bus]]", "[mqtt]", "address = 1", 'name = "\\u0000"', "[bus.device]", "x ="]),
)
def test_check_of_a_mangled_sample_never_fails_with_a_trace(
    tmp_path: Path, lost: list[int], at: int, put: str
) -> None:
    """Lines lost, lines put in: whatever it is, check ends with 0 or 1 and says something."""
    lines = [line for number, line in enumerate(SAMPLE_LINES) if number not in lost]
    file = tmp_path / "gateway.toml"
    file.write_bytes("\n".join([*lines[:at], put, *lines[at:]]).encode("utf-8", "surrogatepass"))
    result = run("check", "-c", str(file))
    assert result.exit_code in {0, 1}, result.output
    assert result.stdout


# --- profiles -------------------------------------------------------------------------------------


def test_profiles_lists_products_and_marks_the_unverified() -> None:
    told = run("profiles").stdout
    assert "sonbest-sm7571b" in told
    assert "? unverified" in told


def test_one_profile_is_shown_with_its_wire_layout() -> None:
    told = run("profiles", "waveshare-door").stdout
    assert "register" in told
    assert "unlock" in told


def test_a_profile_that_is_not_there_suggests_the_nearest() -> None:
    result = run("profiles", "sonbest-sm7571")
    assert result.exit_code == 1
    assert "sonbest-sm7571b" in result.stderr


def test_profiles_are_there_for_scripts() -> None:
    names = [each["name"] for each in json.loads(run("profiles", "--json").stdout)]
    assert "waveshare-door" in names


def test_a_profile_of_the_site_stands_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    shipped = (ROOT / "drivers" / "profiles" / "sonbest-sm7571b.toml").read_text(encoding="utf-8")
    (tmp_path / "profiles" / "our-own.toml").write_text(shipped, encoding="utf-8")
    assert "our-own" in run("profiles", "-c", str(tmp_path / "gateway.toml")).stdout


# --- the process ----------------------------------------------------------------------------------


def test_a_fault_of_the_program_is_one_line_and_a_trace_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("our own fault")

    monkeypatch.setattr("gateway.configuration.check", fail)
    result = run("check")
    assert result.exit_code == 70
    assert result.stderr.count("\n") == 1
    assert "--debug" in result.stderr
    assert "Traceback" in run("check", "--debug").stderr


def test_a_pipe_that_closes_early_is_no_fault() -> None:
    told = subprocess.run(
        f"{sys.executable} -m gateway profiles | head -1; echo ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=True, env={**os.environ, **ENGLISH},
    )  # fmt: skip
    assert told.stderr == ""


CTRL_C_WHILE_IT_IS_LOADED = """
import runpy, signal, sys

class PressesIt:
    def find_spec(self, name, *_):
        if name == "gateway.cli":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, PressesIt())
runpy.run_module("gateway", run_name="__main__")
"""


def test_ctrl_c_while_it_is_still_loaded_ends_it_without_a_trace() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CTRL_C_WHILE_IT_IS_LOADED, "--version"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGINT
    assert done.stderr == ""


def test_the_command_line_itself_loads_nothing_heavy() -> None:
    """`--help` is quick, and the daemon never loads what draws tables."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, gateway.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"rich", "asyncio", "msgspec", "serial"} & set(told.stdout.split())


def test_the_daemon_loads_neither_what_draws_tables_nor_what_fetches_pages() -> None:
    """What a list of cards is fetched with takes 1 MB, and few gateways fetch one."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, gateway.cli, gateway.daemon; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"rich", "drivers.scan", "http.client", "email"} & set(told.stdout.split())
