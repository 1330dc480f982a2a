"""`run` as a process: it answers its tools, refuses a second one, and stops when told."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker import until

CONFIG = """
[gateway]
id = "hxtp-01"
state_dir = "state"
[[bus]]
name = "riser-a"
port = "/dev/no-such-port"
[[bus.device]]
name = "smoke-1"
profile = "sonbest-sm7571b"
address = 1
place = { building = "1" }
"""
PATIENCE_S = 20.0


def environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in {"JOURNAL_STREAM", "NOTIFY_SOCKET"}
    }
    return {**kept, "LC_ALL": "C.UTF-8"}


def start(file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "run", "-c", str(file)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )


def tool(file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments, "-c", str(file)],
        capture_output=True, text=True, check=False, env=environment(), timeout=PATIENCE_S,
    )  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def half_written(file: Path) -> None:
    """Leave a certificate as a power cut does while it is renewed, there and empty; and a camera's password gone."""
    told = '[mqtt]\nurl = "mqtts://127.0.0.1:1"\nca_file = "ca.pem"\n'
    told += '[[camera]]\nname = "north"\nurl = "rtsp://127.0.0.1:1/stream"\npassword_file = "./gone"\n'
    file.write_text(CONFIG + told, encoding="utf-8")
    (file.parent / "ca.pem").touch()


@pytest.fixture
def daemon(file: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(file)
    give_up_at = time.monotonic() + PATIENCE_S
    while tool(file, "status").returncode != 0:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < give_up_at
    yield process
    process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


def test_a_missing_port_does_not_keep_the_gateway_from_starting(
    file: Path, daemon: subprocess.Popen[str]
) -> None:
    status = json.loads(tool(file, "status", "--json").stdout)
    assert status["gateway"]["id"] == "hxtp-01"
    assert [line["up"] for line in status["buses"]] == [False]


@pytest.mark.usefixtures("half_written")
def test_a_certificate_or_password_that_a_power_cut_left_half_written_keeps_no_line_from_being_polled(
    file: Path, daemon: subprocess.Popen[str]
) -> None:
    def status() -> dict[str, Any]:
        told: dict[str, Any] = json.loads(tool(file, "status", "--json").stdout)
        return told

    assert len(status()["buses"]) == 1
    until(lambda: "ca.pem" in status()["uplink"]["trouble"])
    assert [camera["camera"] for camera in status()["cameras"]] == ["north"]
    assert tool(file, "check").returncode == 1, "a person is told of it as a mistake"


def test_a_second_gateway_is_refused_in_one_line(file: Path, daemon: subprocess.Popen[str]) -> None:
    second = tool(file, "run")
    assert second.returncode == 1
    assert "Traceback" not in second.stderr
    assert "running" in second.stderr or "locked" in second.stderr
    assert tool(file, "status").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_within_five_seconds(
    file: Path, daemon: subprocess.Popen[str], number: signal.Signals
) -> None:
    daemon.send_signal(number)
    assert daemon.wait(5) == 0
    assert not list(file.parent.glob("state/*.sock"))
    assert tool(file, "status").returncode == 1
