"""Hours of the whole gateway on virtual time: a short one; `python -m tests.faults.soak.virtual --hours 168` by hand.

In a process of its own, because no clock of it is real.
"""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

HOURS = float(os.environ.get("SOAK_VIRTUAL_HOURS", "0.15"))

pytestmark = pytest.mark.slow


def soak(*arguments: str, hours: float) -> tuple[int, list[str], dict[str, Any]]:
    """Return exit code, violations and figures of a virtual soak."""
    command = [sys.executable, "-m", "tests.faults.soak.virtual", "--hours", str(hours), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return done.returncode, [line for line in lines if line.startswith("VIOLATION")], json.loads(lines[-1])


def test_hours_of_every_fault_lose_and_invent_nothing() -> None:
    code, violations, figures = soak("--seed", "7", hours=HOURS)
    assert violations == []
    assert code == 0
    assert figures["alerts"] >= figures["deeds"] > 0
    assert figures["faults"] > 0


def test_the_virtual_soak_sees_what_is_planted() -> None:
    code, violations, _ = soak("--seed", "7", "--plant", "lost,invented", hours=0.1)
    assert code == 1
    assert any(each.startswith("VIOLATION  lost") for each in violations), violations
    assert any(each.startswith("VIOLATION  invented: fire.smoke") for each in violations), violations
