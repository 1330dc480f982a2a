"""Work that is spread over processes is all done, however much there is, and a failure is told."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.train.spread import JOBS_PER_PROCESS, spread


def double(number: int) -> int:
    return 2 * number


def refuse(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def tell_and_stay(folder: str) -> None:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)


def run(folder: str) -> None:
    list(spread(tell_and_stay, [folder] * 2, 2))


def lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("processes", [1, 2])
def test_every_job_is_done_once_also_when_processes_are_made_anew(processes: int) -> None:
    todo = range(2 * JOBS_PER_PROCESS * processes + 3)
    assert sorted(spread(double, todo, processes)) == [2 * number for number in todo]


def test_a_job_that_fails_ends_the_run() -> None:
    with pytest.raises(ValueError, match="three"):
        list(spread(refuse, range(8), 2))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells who lives")
def test_when_the_run_is_killed_its_processes_end(tmp_path: Path) -> None:
    folder = tmp_path / "pids"
    folder.mkdir()
    program = tmp_path / "program.py"
    program.write_text(
        f"from tests.models.test_spread import run\nif __name__ == '__main__':\n    run({str(folder)!r})\n"
    )
    parent = subprocess.Popen([sys.executable, program], env={**os.environ, "PYTHONPATH": os.getcwd()})
    try:
        deadline = time.monotonic() + 60
        while len(pids := [int(file.name) for file in folder.iterdir()]) < 2:
            assert parent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert all(lives(pid) for pid in pids)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        while any(lives(pid) for pid in pids):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.kill()
