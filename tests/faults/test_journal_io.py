"""The n-th call to the disk fails, for every n: an error, a full disk, half a write; once, and until it is mended.

Each run is a whole life of the journal: opened, written, read by a sink, closed. At the end everything must be
there, in order, a sink must have been given every alert once, and nothing may have been taken for damaged.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.slowsync import preloaded

EVERY = 1  # n goes up by this; 1 is all of them


@pytest.mark.slow
def test_no_failing_call_to_the_disk_loses_anything(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.faults.journal_io_child", str(EVERY)]
    done = subprocess.run(
        command, env=preloaded(tmp_path, "faultyio"), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *problems, last = map(json.loads, done.stdout.splitlines())
    assert last["runs"] > 600 // EVERY
    assert not problems, problems[:5]
