"""MemoryMax and TasksMax of the gateway's unit, enforced by the kernel: chapters of `machine_inside.py`.

What eats memory and tasks is put into the unit's own group, as if the gateway had started it.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.systemd.story import UNIT, Story, until

GROUP: Final = Path("/sys/fs/cgroup/system.slice") / UNIT
LEAK: Final = (
    "held = []\nwhile True: held.append(b'leak' * (1 << 18))"  # a megabyte, written to, so it is there
)
FORKS: Final = """\
import os, signal
count = 0
try:
    while os.fork():
        count += 1
except BlockingIOError:
    print(count, flush=True)
signal.pause()
"""
TOO_LITTLE: Final = "20M"  # a gateway is twice that
TASKS: Final = 512


@contextmanager
def inside(code: str) -> Iterator[subprocess.Popen[str]]:
    """Run Python as one more process of the gateway's unit, and end it and its children."""
    enter = ("sh", "-c", f'echo $$ > {GROUP}/cgroup.procs && exec python3 -SEc "$1"', "sh")
    process = subprocess.Popen([*enter, code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):  # the kernel may have done it
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def memory(story: Story) -> str:
    """What leaks in the unit is killed at MemoryMax, and not held back before, the gateway with it; it polls on."""
    most = number("memory.max")
    there = int(re.findall(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text(encoding="ascii"))[0]) * 1024
    limits = (round(most / there, 2), number("memory.swap.max"), text("memory.high"))
    assert limits == (0.5, 0, "max"), limits
    before, count, killed = story.pid(), story.polls(), events("memory.events", "oom_kill")
    with inside(LEAK) as leak:
        took = until(lambda: leak.poll() is not None, "the end of what leaks", 60)
    assert leak.returncode == -signal.SIGKILL, leak.returncode
    assert events("memory.events", "oom_kill") == killed + 1
    polled_on(story, before, count)
    story.burn()
    return (
        f"50 % of {there >> 20} MB, no swap; killed at {most >> 20} MB by the kernel after {took:.0f} s, process "
        f"{before} polls on; {story.nothing_lost()}"
    )


def too_little(story: Story) -> str:
    """The gateway itself over MemoryMax: killed by the kernel, started again, until it fits; no alert lost."""
    before = story.pid()
    story.there.out("systemctl", "set-property", "--runtime", UNIT, f"MemoryMax={TOO_LITTLE}")
    until(lambda: int(story.there.show(UNIT, "NRestarts")) >= 2, "two restarts", 60)
    log = story.there.out("journalctl", "-b", "-u", UNIT, "--no-pager", "-n", "40")
    story.there.out("systemctl", "set-property", "--runtime", UNIT, "MemoryMax=50%")
    assert "killed by the OOM killer" in log, log
    took = until(lambda: story.pid() not in {0, before} and story.polls() > 0, "polls", 60)
    story.burn()
    return (
        f"killed by the kernel at {TOO_LITTLE}, twice and more; with its share again it polls "
        f"{took:.0f} s later; {story.nothing_lost()}"
    )


def tasks(story: Story) -> str:
    """What forks without end in the unit comes to TasksMax: the machine has tasks left, the gateway polls on."""
    before, count = story.pid(), story.polls()
    with inside(FORKS) as forks:
        assert forks.stdout is not None
        forked = int(forks.stdout.readline())
        assert number("pids.max") == TASKS
        assert number("pids.current") == TASKS, number("pids.current")
        refused = events("pids.events", "max")
        assert refused > 0
        story.burn()
        polled_on(story, before, count)
    until(lambda: number("pids.current") < TASKS // 2, "the children gone", 30)
    return (
        f"{forked} forks, then refused: {TASKS} tasks with the gateway's own; a fire meanwhile is an alert, "
        f"process {before} polls on; {story.nothing_lost()}"
    )


def polled_on(story: Story, pid: int, count: int) -> None:
    """Wait for polls beyond `count`, of the same process."""
    until(lambda: story.polls() > count, "polls", 30)
    assert story.pid() == pid, "the gateway was started anew"


def number(name: str) -> int:
    """Return a number of the unit's group; an absent limit is no number, and raises ValueError."""
    return int(text(name))


def text(name: str) -> str:
    """Return what stands in a file of the unit's group."""
    return (GROUP / name).read_text(encoding="ascii").strip()


def events(name: str, which: str) -> int:
    """Return how often something happened to the unit's group."""
    told = text(name).splitlines()
    return next(int(line.split()[1]) for line in told if line.split()[0] == which)
