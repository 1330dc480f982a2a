"""Killed at any moment of an import: one of the two lists is there whole, and never an older one than was said."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from gateway.runtime.access import AccessStore
from tests.faults.access_child import SECRET, entries

KILLS = 12


def life(folder: Path, number: int, after_s: float) -> list[int]:
    """Run the process, kill it a while after its first list, return what it said."""
    command = [sys.executable, "-m", "tests.faults.access_child", str(folder), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(after_s)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        return [int(line) for line in (first + process.stdout.read()).split()]


def test_killed_at_random_moments_one_list_is_there_whole(tmp_path: Path) -> None:
    chance, number = random.Random(4), 0
    for _ in range(KILLS):
        said = life(tmp_path, number, chance.uniform(0.0, 0.1))
        store = AccessStore(tmp_path / "access.db", SECRET)
        found = store.load()
        store.close()
        assert found.bad == 0
        assert found.aside is None, "a kill was taken for damage"
        holders = {entry.holder for entry in found.listed.entries.values()}
        assert len(holders) == 1, "part of one list and part of another"
        number = int(holders.pop().removeprefix("list "))
        assert number in {said[-1], said[-1] + 1}
        assert found.listed.entries == {entry.key: entry for entry in entries(number)}
