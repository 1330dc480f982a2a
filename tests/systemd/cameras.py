"""The cameras' own unit under a real systemd: watched, hung, killed, out of memory; chapters of `real.py`."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.systemd.container import Container
from tests.systemd.story import Story, until

CAMERAS = "compound-gateway-vision.service"
USER = "compound-vision"
EVIDENCE = "var/lib/compound-gateway/evidence"
MEMORY = Path("/sys/fs/cgroup/memory")  # of the machine outside, where it still has version 1
FORBIDDEN = {
    "-r /var/lib/compound-gateway/journal.db": "the journal",
    "-r /etc/compound-gateway/gateway.toml": "the configuration",
    "-e /run/compound-gateway/control.sock": "the control socket",
    "-r /etc/secrets/mqtt-password": "the broker's password",
    "-w /run/compound-gateway-vision.sock": "its own socket",
    "-w /etc/hostname": "the file system",
}


def pid(story: Story) -> int:
    """Return the number of the nursery's process."""
    return int(story.there.show(CAMERAS, "MainPID"))


def as_camera(story: Story, script: str) -> str:
    """Run a shell in the sandbox of the cameras' service, as its user; return what it said.

    Its file system and groups, that is: the filter of system calls is looked at in the kernel's own words.
    """
    inside = ("nsenter", "-t", str(pid(story)), "-m", "--", "setpriv", "--reuid", USER, "--regid", USER)
    return story.there.run(*inside, "--init-groups", "--no-new-privs", "sh", "-c", script).stdout.strip()


def apart(story: Story) -> str:
    """The camera's process belongs to the cameras' unit, and that to a user who reaches nothing of the gateway's."""
    child = story.there.out("pgrep", "-f", "gateway.vision.worker").split()[0]
    unit, user = story.there.out("ps", "-o", "unit=,user:20=", "-p", child).split()
    assert (unit, user) == (CAMERAS, USER), (unit, user)
    groups = {name: story.there.out("id", "-nG", name).split() for name in ("compound-gateway", USER)}
    assert "video" not in groups["compound-gateway"], groups
    assert set(groups[USER]) == {USER, "video"}, groups
    for test, what in FORBIDDEN.items():
        assert story.there.run("sh", "-c", f"[ {test} ]").returncode == 0, f"{what} is not even there"
        assert as_camera(story, f"[ {test} ] || echo no") == "no", f"it reaches {what}"
    written = as_camera(story, f"touch /{EVIDENCE}/trial.part && rm /{EVIDENCE}/trial.part && echo yes")
    assert written == "yes", written
    return f"process {child} in {unit} as {user}; out of its reach: {', '.join(FORBIDDEN.values())}"


def evidence(story: Story) -> str:
    """A fall is an alert with pictures, which the cameras' service wrote and the gateway took in."""
    until(lambda: "falling.object" in story.kinds(), "the fall", 90)
    until(lambda: story.status()["evidence"]["pieces"] >= 2, "a still and a clip", 90)
    folder = story.there.root / EVIDENCE
    owners = story.there.out("sh", "-c", f"stat -c '%U %a' /{EVIDENCE}/*.jpg | sort -u")
    assert owners == f"{USER} 640", owners
    pieces = story.status()["evidence"]["pieces"]
    return f"{pieces} pieces of {owners} in {folder.name}, read by the gateway"


@contextmanager
def polled_meanwhile(story: Story) -> Iterator[Callable[[], str]]:
    """Do something to the cameras while the same gateway's process goes on polling."""
    before, count, began = story.pid(), story.polls(), time.monotonic()

    def told() -> str:
        return (
            f"process {story.pid()} polled {story.polls() - count} times in {time.monotonic() - began:.0f} s"
        )

    yield told
    assert story.pid() == before, "the gateway was started anew"
    assert story.polls() > count, "the gateway did not poll"


def back(story: Story, before: int, within_s: float) -> float:
    """Wait until another nursery has the cameras' pictures coming."""
    took = until(lambda: pid(story) not in {0, before}, "another process", within_s)
    frames = story.frames()
    return took + until(lambda: story.frames() > frames > 0 or story.frames() > 20, "frames", within_s)


def hung(story: Story) -> str:
    """All of the unit stands still: the watchdog kills it, the gateway polls on and says that there is no picture."""
    before = pid(story)
    with polled_meanwhile(story) as told:
        story.there.out("systemctl", "kill", "-s", "STOP", CAMERAS)
        until(lambda: "camera.frozen" in story.standing(), "the alert", 60)
        took = back(story, before, 90)
        until(lambda: "camera.frozen" not in story.standing(), "the end of the alert", 60)
        polled = told()
    log = story.there.out("journalctl", "-u", CAMERAS, "--no-pager", "-n", "40")
    assert "Watchdog timeout" in log, log
    return f"told as camera.frozen; killed by the watchdog, pictures after {took:.1f} s; {polled}"


def killed(story: Story) -> str:
    longest = 0.0
    with polled_meanwhile(story) as told:
        for _ in range(5):
            before = pid(story)
            story.there.out("kill", "-KILL", str(before))
            longest = max(longest, back(story, before, 60))
        polled = told()
    return f"5 times, pictures again at most {longest:.1f} s later; {polled}; {story.nothing_lost()}"


def out_of_memory(story: Story) -> str:
    """The machine's own limit, from outside: the container has no memory controller to give to the unit."""
    if not (MEMORY / "memory.limit_in_bytes").exists():
        return "not done: this machine has no memory controller of version 1"
    group = MEMORY / f"compound-gateway-{os.getpid()}"
    group.mkdir()
    nursery = outside(story, pid(story))
    child = int(story.there.out("pgrep", "-f", "gateway.vision.worker").split()[0])
    too_little = own_memory(story, child) // 2
    try:
        (group / "memory.limit_in_bytes").write_text(str(too_little))
        (group / "cgroup.procs").write_text(str(nursery))
        with polled_meanwhile(story) as told:
            story.there.out("kill", "-KILL", str(child))
            until(lambda: "camera.frozen" in story.standing(), "the alert", 60)
            until(lambda: kills(group), "a kill by the kernel", 60)
            count = kills(group)
            (group / "memory.limit_in_bytes").write_text("-1")
            # Not the end of the alert: what comes and goes so often is told as one trouble for a while.
            until(lambda: story.status()["cameras"][0]["up"], "pictures", 120)
            polled = told()
    finally:
        os.kill(nursery, signal.SIGKILL)
        until(lambda: not (group / "cgroup.procs").read_text(), "the group empty", 20)
        group.rmdir()
    return f"{count} processes killed at {too_little >> 20} MB, told; with more it is back; {polled}"


def own_memory(story: Story, process: int) -> int:
    """Return the bytes a process has for itself; a limit counts them, and not the files that others read before it."""
    told = story.there.out("cat", f"/proc/{process}/status").splitlines()
    return next(int(line.split()[1]) * 1024 for line in told if line.startswith("RssAnon:"))


def kills(group: Path) -> int:
    """Return how many processes of a group the kernel has killed for want of memory."""
    told = (group / "memory.oom_control").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in told if line.startswith("oom_kill ")))


def outside(story: Story, inside: int) -> int:
    """Return the number that a process of the container has on the machine."""
    assert isinstance(story.there, Container)
    home = os.stat(f"/proc/{story.there.leader}/ns/pid").st_ino
    for entry in Path("/proc").glob("[0-9]*/status"):
        try:
            numbers = next(
                line.split()[1:] for line in entry.read_text().splitlines() if line.startswith("NSpid:")
            )
            if int(numbers[-1]) == inside and os.stat(entry.parent / "ns/pid").st_ino == home:
                return int(numbers[0])
        except (OSError, StopIteration):
            continue
    raise AssertionError(f"no process {inside}")
