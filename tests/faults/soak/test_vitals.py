"""Whether the soak would see a leak: real processes that leak memory, descriptors or threads, and one that does not."""

import subprocess
import sys

import pytest

from tests.faults.soak import vitals

LOOKS = 30
LEAK = """
import os, sys, threading, time
held, waiting = [], threading.Event()
deeds = {
    "memory_mb": lambda: held.append(b"x" * 200_000),
    "descriptors": lambda: held.append(os.open("/dev/null", os.O_RDONLY)),
    "threads": lambda: threading.Thread(target=waiting.wait, daemon=True).start(),
    "nothing": lambda: held.append(b"x" * 200_000) or held.pop(),
}
print("ready", flush=True)
for _ in sys.stdin:
    deeds[sys.argv[1]]()
    print("done", flush=True)
"""


def looks(what: str) -> list[vitals.Sample]:
    """Return looks at a process that does one thing before each of them."""
    command = [sys.executable, "-c", LEAK, what]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        samples = []
        process.stdout.readline()
        for age in range(LOOKS):
            process.stdin.write("\n")
            process.stdin.flush()
            process.stdout.readline()
            sample = vitals.look(process.pid, age * 60.0)
            assert sample is not None
            samples.append(sample)
        process.stdin.close()
    return samples


@pytest.mark.parametrize("what", ["memory_mb", "descriptors", "threads"])
def test_a_leak_of_each_sort_is_seen(what: str) -> None:
    (found,) = vitals.judge("life 1", looks(what))
    assert found.startswith(f"life 1: {what} grew")


def test_a_process_that_leaks_nothing_is_flat() -> None:
    assert vitals.judge("life 1", looks("nothing")) == []


def test_a_life_too_short_to_tell_is_not_judged() -> None:
    life = looks("descriptors")
    assert vitals.judge("life 1", life[:8]) == []


def test_a_process_that_is_gone_has_no_vitals() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert vitals.look(process.pid, 0.0) is None
