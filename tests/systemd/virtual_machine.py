"""A Debian in an emulated machine (qemu, TCG: no KVM is needed), with what this kernel lacks: dm-flakey, dm-log-writes.

It is bootstrapped from packages, gets the project's wheel with the locked versions of what it needs beside it, and runs
one program at boot, whose words come over the serial console. It has no network.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
INCLUDED: Final = (
    "systemd,systemd-sysv,dbus,udev,python3,procps,kmod,dmsetup,e2fsprogs,mosquitto,linux-image-amd64",
    "initramfs-tools",
)
TOOLS: Final = ("mmdebstrap", "qemu-system-x86_64", "mke2fs", "mount", "umount")
SITE: Final = "opt/gateway"
FOR_TESTS: Final = ("pytest", "pluggy", "iniconfig", "packaging")
UNIT: Final = """\
[Unit]
After=systemd-udev-settle.service
Wants=systemd-udev-settle.service

[Service]
Type=oneshot
Environment=PYTHONPATH=/{site} PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1
WorkingDirectory=/{site}
ExecStart=/usr/bin/python3 {command}
ExecStopPost=/usr/bin/systemctl poweroff --no-block
TimeoutStartSec=infinity
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
"""


def missing() -> str:
    """Return what is not there; nothing if a machine can be made."""
    absent = [tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    return f"needs {', '.join(absent)}" if absent else ""


def bootstrap(root: Path, suite: str = "bookworm") -> None:
    """Make a Debian in `root`, from the machine's own mirror; two minutes."""
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(INCLUDED)}",
        suite,
        str(root),
    ]
    subprocess.run(command, check=True)


def install(root: Path, uv: str) -> None:
    """Install the project's wheel, what it needs in the locked versions, and the tests, under /opt of a Debian."""
    site = root / SITE
    shutil.rmtree(site, ignore_errors=True)
    wheels = root / "opt" / "wheels"
    _run(uv, "build", "--quiet", "--wheel", "--out-dir", str(wheels), str(ROOT))
    locked = wheels / "requirements.txt"
    _run(
        uv, "export", "--quiet", "--locked", "--extra", "desk", "--no-emit-project",
        "--format", "requirements-txt", "--output-file", str(locked), cwd=ROOT,
    )  # fmt: skip
    where = [
        "--target",
        str(site),
        "--python",
        sys.executable,
        "--python-version",
        "3.11",
        "--only-binary",
        ":all:",
    ]
    _run(
        uv, "pip", "install", "--quiet", "--link-mode", "copy", *where, "--require-hashes", "-r", str(locked)
    )
    ours = [str(next(wheels.glob("*.whl"))), *(f"{name}=={version(name)}" for name in FOR_TESTS)]
    _run(uv, "pip", "install", "--quiet", "--link-mode", "copy", *where, "--no-deps", *ours)
    shutil.copytree(
        ROOT / "tests", site / "tests", ignore=shutil.ignore_patterns("__pycache__", "*.db", "films")
    )
    shutil.rmtree(wheels)
    _run("chroot", str(root), "/usr/bin/python3", "-m", "compileall", "-q", f"/{SITE}")


def take_tests(root: Path) -> None:
    """Put the tests as they are now beside what is installed."""
    target = root / SITE / "tests"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "tests", target, ignore=shutil.ignore_patterns("__pycache__", "*.db", "*.png"))


def image(root: Path, target: Path, command: str) -> None:
    """Make a disk of a Debian that runs `python3 <command>` at boot and powers off."""
    (root / "etc/systemd/system/task.service").write_text(UNIT.format(site=SITE, command=command))
    with target.open("wb") as file:
        file.truncate(3 << 30)
    _run("mke2fs", "-q", "-F", "-t", "ext4", "-d", str(root), "-L", "root", str(target))


def boot(root: Path, disks: Sequence[Path], log: Path, *, timeout_s: float) -> None:
    """Boot a machine with `disks` (the first is its root, they are vda, vdb, ...); return when it has powered off."""
    with log.open("wb") as output:
        subprocess.run(
            command(root, disks),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=True, timeout=timeout_s,
        )  # fmt: skip


def command(root: Path, disks: Sequence[Path]) -> list[str]:
    """Return what boots a machine with these disks."""
    kernel, initrd = (next((root / "boot").glob(name)) for name in ("vmlinuz-*", "initrd.img-*"))
    # a busy host answers late: no_timer_check, and one processor, so that none waits for one that does not run
    words = "root=/dev/vda rw console=ttyS0 panic=-1 no_timer_check systemd.wants=task.service"
    words += " systemd.mask=serial-getty@ttyS0.service"
    made = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1536", "-smp", "1"]
    made += ["-nographic", "-net", "none", "-no-reboot", "-kernel", str(kernel), "-initrd", str(initrd)]
    made += ["-append", words]
    for disk in disks:
        made += ["-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"]
    return made


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd)
