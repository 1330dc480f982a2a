"""A Debian of its own with systemd as its process 1, in a container without a network: booted, spoken to, taken down.

systemd-nspawn wants a cgroup tree it may write in. It gets a cgroup2 mount that only it sees, in a mount namespace
of its own, so nothing on the machine outside is touched. Needs root, mmdebstrap and systemd-container.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.systemd.place import Place

INCLUDED = "systemd,systemd-sysv,dbus,udev,python3,procps,ca-certificates"
TOOLS = ("mmdebstrap", "systemd-nspawn", "unshare", "nsenter", "dpkg-deb")
BOOT_S = 60.0
PRIVATE = ("unshare", "-m", "--propagation", "private", "bash", "-c")
# The shell becomes nspawn, so that nspawn's number is the one we started.
BOOT = """
umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
mkdir /sys/fs/cgroup/{name}; echo $$ > /sys/fs/cgroup/{name}/cgroup.procs
exec systemd-nspawn -q --register=no --keep-unit -D {root} --private-network --boot --console=pipe
"""
TIDY = """
umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
find /sys/fs/cgroup/{name} -depth -type d -exec rmdir {{}} \\;
"""


def missing() -> str:
    """Return why no container can be booted here; nothing if it can."""
    if os.getuid() != 0:
        return "needs root"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"needs {', '.join(absent)}" if absent else ""


def bootstrap(suite: str, root: Path) -> None:
    """Make a Debian in `root`, from the machine's own mirror; takes a minute or two."""
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={INCLUDED}", suite, str(root)]
    subprocess.run(command, check=True)


def children(pid: int) -> list[int]:
    """Return the numbers of a process's children."""
    with contextlib.suppress(OSError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Container(Place):
    """A Debian that boots; `root` is its root folder as seen from outside, `leader` its process 1 while it is up."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.leader = 0
        self._name = f"compound-gateway-{os.getpid()}"
        self._nspawn: subprocess.Popen[bytes] | None = None

    def way_in(self) -> tuple[str, ...]:
        return ("nsenter", "-t", str(self.leader), "-m", "-p", "-u", "-i", "-n", "--")

    def boot(self) -> None:
        """Start it, and wait until its systemd has started everything."""
        self._nspawn = subprocess.Popen(
            [*PRIVATE, BOOT.format(name=self._name, root=self.root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        give_up_at = time.monotonic() + BOOT_S
        while not self._up():
            assert self._nspawn.poll() is None, "systemd-nspawn ended"
            assert time.monotonic() < give_up_at, "it does not boot"
            time.sleep(0.2)

    def off(self) -> None:
        """Power it off in order; kill it if that takes too long."""
        assert self._nspawn is not None
        if self.leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.leader, signal.SIGRTMIN + 4)  # systemd(1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._nspawn.wait(30)
        self._nspawn.kill()
        self._nspawn.wait()
        self.leader = 0
        subprocess.run([*PRIVATE, TIDY.format(name=self._name)], check=False, stderr=subprocess.DEVNULL)

    def _up(self) -> bool:
        assert self._nspawn is not None
        if not (born := children(self._nspawn.pid)):
            return False
        self.leader = born[0]
        try:
            state = self.run("systemctl", "is-system-running", timeout_s=20).stdout.strip()
        except subprocess.TimeoutExpired:
            return False
        return state in {"running", "degraded"}


@contextmanager
def booted(root: Path) -> Iterator[Container]:
    """Boot the Debian in `root`, and power it off in the end."""
    container = Container(root)
    try:
        container.boot()
        yield container
    finally:
        container.off()
