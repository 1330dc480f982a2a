"""Where the output goes: terminals without our signs, documents for scripts, a disk that is full."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent.parent.parent / "systemd" / "gateway.toml"


def check(
    *more: str, encoding: str = "utf-8", to: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "gateway", "--lang", "en", "check", "-c", str(SAMPLE), *more]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(
        command, stdout=to, stderr=subprocess.PIPE, env=environment, check=False, timeout=120
    )


@pytest.mark.parametrize("encoding", ["gbk", "latin-1"])
def test_a_terminal_that_has_not_our_signs_shows_all_the_rest(encoding: str) -> None:
    """A console in GBK has the words and no ✓: it was told of a fault in the program instead of its gateway."""
    told = check(encoding=encoding)
    assert told.stderr == b""
    assert "? good; lines:" in told.stdout.decode(encoding)


def test_what_a_script_reads_is_utf8_whatever_the_terminal_speaks() -> None:
    told = json.loads(check("--json", encoding="gbk").stdout.decode("utf-8"))
    assert told["good"] is True


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_fault_of_the_program() -> None:
    with Path("/dev/full").open("wb") as full:
        told = check(to=full.fileno())
    assert told.returncode == 1
    assert told.stderr.decode().startswith(
        "compound-gateway: cannot write: No space left on device; write else"
    )
    assert "Traceback" not in told.stderr.decode()
