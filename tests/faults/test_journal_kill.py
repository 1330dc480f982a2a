"""Killed at any moment and at every named point: what was said to be durable is there, and no number comes twice.

Some 60 kills in CI, as many as KILLS says.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gateway.runtime.journal import Lane, Position
from tests.gateway.runtime.journal_use import served

KILLS = int(os.environ.get("KILLS", "60"))
POINTS = [
    f"journal.{when}_{what}"
    for what in ("open", "begin", "commit", "cursor", "checkpoint")
    for when in ("before", "after")
]


def life(folder: Path, *, after_s: float = 30.0, point: str = "", hit: int = 0) -> list[tuple[str, Position]]:
    """Start the process, kill it after a while unless it does so itself, return what it said."""
    command = [sys.executable, "-m", "tests.faults.journal_child", str(folder), point, str(hit)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = "" if point else process.stdout.readline()
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
        assert process.wait() == -signal.SIGKILL
        lines = (first + process.stdout.read()).splitlines()
    # the last line may be half written
    said = [line.split() for line in lines]
    return [(what, (int(epoch), int(seq))) for what, epoch, seq in said]


def check(folder: Path, said: list[tuple[str, Position]], durable: list[Position]) -> None:
    """Assert that all that was ever said to be durable is there, in order and once."""
    durable += [position for what, position in said if what == "durable"]
    rows = [(e.epoch, e.seq) for e in served(folder)]
    assert rows == sorted(set(rows))
    assert set(durable) <= set(rows)
    # a child skips no number: up to the last it said to be durable, every alert of its life is there
    for lived in lives(said):
        (epoch, first), (_, last) = lived[0], lived[-1]
        assert {(epoch, n) for n in range(first + 1, last + 1) if (n - first) % 4} <= set(rows)


def lives(said: list[tuple[str, Position]]) -> list[list[Position]]:
    """Return per life where its numbers began and what it said to be durable."""
    found: list[list[Position]] = []
    for what, position in said:
        if what == "start":
            found.append([])
        found[-1].append(position)
    return found


@pytest.mark.slow
def test_killed_at_random_moments_it_loses_nothing(tmp_path: Path) -> None:
    chance, durable, said = random.Random(1), list[Position](), list[tuple[str, Position]]()
    for _ in range(KILLS):
        said += life(tmp_path, after_s=chance.uniform(0.0, 0.1))
    check(tmp_path, said, durable)
    starts = [position for what, position in said if what == "start"]
    assert len(durable) > KILLS
    assert starts == sorted(set(starts))
    assert not list(tmp_path.glob("*set-aside*")), "a kill was taken for damage"


@pytest.mark.parametrize("hit", [1, 3])
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_named_point_it_loses_nothing(tmp_path: Path, point: str, hit: int) -> None:
    durable: list[Position] = []
    check(tmp_path, life(tmp_path, after_s=0.15), durable)
    started = time.monotonic()
    said = life(tmp_path, after_s=20.0, point=point, hit=1 if point.endswith("open") else hit)
    assert time.monotonic() - started < 20.0, "it never came there"
    check(tmp_path, said, durable)
    assert served(tmp_path, Lane.READINGS)
