"""A network that answers every name with its own portal, as guest networks do until somebody has logged in."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.broker import needs_mosquitto

ROOT = Path(__file__).parents[2]

pytestmark = [
    needs_mosquitto,
    pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"), reason="needs namespaces"
    ),
]


def test_an_alert_waits_behind_a_captive_portal_and_goes_out_when_the_name_leads_to_the_broker() -> None:
    command = ["unshare", "-mn", sys.executable, "-m", "tests.faults.captive_dns"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=150)
    if "unshare failed" in done.stderr:
        pytest.skip("no namespaces here")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["asked"] > 0
    assert found["waiting"] == 1
    assert "connect" in found["trouble"]
    assert found["took_s"] < 30
