"""The n-th call to the disk fails, for every n: an error, a full disk, half a write; once, and until it is mended.

Each run is a whole life of the journal: opened, written, read by a sink, closed. At the end everything must be
there, in order, a sink must have been given every alert once, and nothing may have been taken for damaged.
"""

import itertools
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.journal_io_child import CODES
from tests.faults.slowsync import preloaded


@pytest.mark.slow
def test_no_failing_call_to_the_disk_loses_anything(tmp_path: Path) -> None:
    """They mostly wait, so all ways are tried side by side."""
    environment = preloaded(tmp_path, "faultyio")

    def tried(way: tuple[str, str]) -> int:
        command = [sys.executable, "-m", "tests.faults.journal_io_child", *way]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=600
        )
        assert done.returncode == 0, done.stderr[-2000:]
        *problems, last = map(json.loads, done.stdout.splitlines())
        assert not problems, problems[:5]
        return int(last["runs"])

    ways = list(itertools.product(CODES, ("once", "sticky")))
    with ThreadPoolExecutor(len(ways)) as pool:
        runs = list(pool.map(tried, ways))
    assert sum(runs) > 600
    assert min(runs) > 50
