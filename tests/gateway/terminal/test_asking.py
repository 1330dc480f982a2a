"""The tools against a control socket: what is asked, what is shown, and what is said when something is wrong."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.core.policy import PolicyError
from gateway.services.control import Control, Operation
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from tests.gateway.terminal.test_views import DOCUMENT, SMOKE


class Gateway:
    """A gateway that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.result, self.kept = "done", True
        self.rows: Sequence[Mapping[str, Any]] = ()
        self.operations: dict[str, Operation] = {
            "status": self._status, "alerts": self._alerts, "acknowledge": self._take, "shelve": self._take,
            "command": self._command, "export": self._export, "watch": self._export,
        }  # fmt: skip

    async def _status(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"status": DOCUMENT}

    async def _alerts(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {"alerts": [SMOKE]}

    async def _take(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        return {"kept": self.kept}

    async def _command(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        if request["action"] == "fly":
            raise PolicyError("door-1 has no action 'fly'", "it has: unlock")
        told = {
            "device": request["device"],
            "action": request["action"],
            "result": self.result,
            "detail": "read back",
        }
        return {"outcome": told, "kept": self.kept}

    async def _export(self, request: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        self.asked.append(request)
        for seq in (1, 2):
            yield {
                "event": {
                    "epoch": 1,
                    "seq": seq,
                    "time": 0.0,
                    "clock": "synced",
                    "body": {"type": "note", "what": "x"},
                }
            }
        for seq, body in enumerate(self.rows, 3):
            yield {"event": {"epoch": 1, "seq": seq, "time": 0.0, "clock": "synced", "body": body}}


@contextmanager
def serving(path: Path, operations: Mapping[str, Operation]) -> Iterator[None]:
    """Serve a control socket by a thread of its own."""
    ready = threading.Event()
    stops: list[Callable[[], object]] = []

    async def main() -> None:
        control = Control(path, operations)
        control.open()
        task = asyncio.create_task(control.run())
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(task.cancel))
        ready.set()
        await asyncio.wait([task])

    thread = threading.Thread(target=asyncio.run, args=[main()])
    thread.start()
    try:
        assert ready.wait(5)
        yield
    finally:
        stops[0]()
        thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def gateway(path: Path) -> Iterator[Gateway]:
    answering = Gateway()
    with serving(path, answering.operations):
        yield answering


def run(path: Path, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [command, "--socket", str(path), *arguments], env={"LC_ALL": "C.UTF-8"})


def test_status_shows_the_gateway(gateway: Gateway, path: Path) -> None:
    assert "riser-a" in run(path, "status").stdout


def test_status_is_there_for_scripts(gateway: Gateway, path: Path) -> None:
    assert json.loads(run(path, "status", "--json").stdout) == DOCUMENT


def test_alerts_are_listed_and_there_for_scripts(gateway: Gateway, path: Path) -> None:
    assert "Smoke alarm, floor 3" in run(path, "alerts").stdout
    assert json.loads(run(path, "alerts", "--json").stdout) == [SMOKE]


def test_an_alert_is_acknowledged_by_the_end_of_its_id(gateway: Gateway, path: Path) -> None:
    result = run(path, "alerts", "ack", "12ab34", "--note", "on my way")
    assert result.exit_code == 0
    assert (gateway.asked[0]["alert"], gateway.asked[0]["note"]) == (SMOKE["alert"], "on my way")


def test_an_alert_is_shelved_for_some_minutes(gateway: Gateway, path: Path) -> None:
    assert run(path, "alerts", "shelve", "12ab34", "--minutes", "30").exit_code == 0
    assert gateway.asked[0]["minutes"] == 30


def test_a_device_is_reset_by_a_command(gateway: Gateway, path: Path) -> None:
    assert run(path, "alerts", "reset", "smoke-1").exit_code == 0
    assert (gateway.asked[0]["device"], gateway.asked[0]["action"]) == ("smoke-1", "reset")


def test_a_command_says_what_the_device_answered(gateway: Gateway, path: Path) -> None:
    result = run(path, "command", "door-1", "unlock", "seconds=5")
    assert result.exit_code == 0
    assert "read back" in result.stdout
    assert gateway.asked[0]["arguments"] == {"seconds": 5.0}


@pytest.mark.parametrize("words", [("alerts", "ack", "12ab34"), ("command", "door-1", "unlock")])
def test_what_was_done_and_is_not_on_the_disk_is_told(
    gateway: Gateway, path: Path, words: tuple[str, ...]
) -> None:
    assert "power cut" not in run(path, *words).stdout
    gateway.kept = False
    result = run(path, *words)
    assert result.exit_code == 0
    assert "power cut" in result.stdout.replace("\n", " ")


@pytest.mark.parametrize("outcome", ["failed", "late", "refused"])
def test_a_command_that_was_not_done_exits_1(gateway: Gateway, path: Path, outcome: str) -> None:
    gateway.result = outcome
    assert run(path, "command", "door-1", "unlock").exit_code == 1


def test_a_refused_command_exits_1_and_says_what_there_is(gateway: Gateway, path: Path) -> None:
    result = run(path, "command", "door-1", "fly")
    assert result.exit_code == 1
    assert "no action 'fly'" in result.stderr
    assert "it has: unlock" in result.stderr


def test_export_writes_a_row_a_line(gateway: Gateway, path: Path) -> None:
    rows = [json.loads(line) for line in run(path, "export", "--since", "2h").stdout.splitlines()]
    assert [row["seq"] for row in rows] == [1, 2]
    assert gateway.asked[0]["until"] - gateway.asked[0]["since"] == pytest.approx(7200)


RESIDENTS = (
    {"type": "alert", "kind": "care.bed_exit", "text": {"zh": "鹊0901", "en": "鹊0901"}},
    {"type": "command", "device": "鹊0901", "action": "away", "origin": "console"},
    {"type": "outcome", "device": "鹊0901", "action": "home", "result": "done"},
    {"type": "memory", "asset": "鹊0901", "point": "out_min", "value": 15.0},
    {"type": "baseline", "device": "鹊0901", "point": "presses_7", "value": 8.0, "origin": "counted"},
)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_export_leaves_out_what_is_about_residents_and_says_so_unless_it_is_asked_for(
    gateway: Gateway, path: Path, form: str
) -> None:
    gateway.rows = RESIDENTS
    result = run(path, "export", "--format", form)
    assert "鹊0901" not in result.stdout
    assert "5 rows about residents are left out" in result.stderr
    whole = run(path, "export", "--format", form, "--residents")
    assert whole.stdout.count("鹊0901") >= 3
    assert "left out" not in whole.stderr


def test_export_writes_csv(gateway: Gateway, path: Path) -> None:
    assert run(path, "export", "--format", "csv").stdout.splitlines()[1].startswith("1.1,")


def test_watch_without_a_terminal_is_a_line_an_event(gateway: Gateway, path: Path) -> None:
    result = run(path, "watch")
    assert result.stdout.count("note") == 2
    assert result.exit_code == 1  # the gateway went away


def test_watch_in_a_terminal_draws_a_screen_until_ctrl_c(gateway: Gateway, path: Path) -> None:
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (30, 110))
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "watch", "--socket", str(path)],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    screen = ""
    while "broke off" not in screen:
        screen += os.read(ours, 65536).decode(errors="replace")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    os.close(ours)
    assert "Last events" in screen


# --- when something is wrong ----------------------------------------------------------------------


def test_the_first_socket_there_is_is_asked(gateway: Gateway, path: Path, tmp_path: Path) -> None:
    assert Client([tmp_path / "nope", path]).ask("alerts")["ok"]


def listening(path: Path, answer: bytes) -> threading.Thread:
    """Answer one client with some bytes, then hang up."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(os.fspath(path))
    server.listen()

    def serve() -> None:
        with server:
            client, _ = server.accept()
            with client:
                client.recv(1000)
                client.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "answer", [b"", b"rubbish\n", b"[]\n", b'{"ok": true', b'{"ok": true, "event": 1}\n']
)
def test_a_gateway_that_breaks_off_is_told(path: Path, answer: bytes) -> None:
    thread = listening(path, answer)
    with pytest.raises(ToolError) as error:
        list(Client([path]).stream("export"))
    thread.join()
    assert error.value.key == "client.broken"


def test_a_socket_nobody_answers_at_is_no_gateway(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    with pytest.raises(ToolError) as error:
        Client([path]).ask("status")
    assert error.value.key == "client.nobody"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_is_not_in_the_group_is_told_which_one_it_takes() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "control.sock"
        with serving(path, Gateway().operations), as_nobody(), pytest.raises(ToolError) as error:
            Client([path]).ask("status")
    assert error.value.key == "client.forbidden"
    assert error.value.values["group"] == "root"


@contextmanager
def as_nobody() -> Iterator[None]:
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
