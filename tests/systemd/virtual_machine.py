"""A Debian in an emulated machine (qemu, TCG: no KVM is needed), with what this kernel lacks: dm-flakey, dm-log-writes.

It is bootstrapped from packages, of amd64 or arm64, gets the project's wheel with the locked versions of what it needs
beside it, and runs one program at boot, whose words come over the serial console. It has no network.
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
INCLUDED: Final = (
    "systemd,systemd-sysv,dbus,udev,python3,procps,kmod,dmsetup,e2fsprogs,mosquitto,ca-certificates",
    "initramfs-tools",
)
TOOLS: Final = ("mmdebstrap", "mke2fs", "mount", "umount")
SITE: Final = "opt/gateway"
FOR_TESTS: Final = ("pytest", "pluggy", "iniconfig", "packaging")


@dataclass(frozen=True, slots=True)
class Processor:
    """What a processor's architecture changes: how qemu is called, and where the kernel's console is."""

    qemu: tuple[str, ...]
    console: str


PROCESSORS: Final = {
    "amd64": Processor(("qemu-system-x86_64", "-cpu", "max"), "ttyS0"),
    # A Raspberry Pi 4's processor, on the board that qemu made up: its own has no PCI for disks and a watchdog.
    "arm64": Processor(("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"), "ttyAMA0"),
}
UNIT: Final = """\
[Unit]
After=systemd-udev-settle.service
Wants=systemd-udev-settle.service

[Service]
Type=oneshot
Environment=PYTHONPATH=/{site} PYTHONUNBUFFERED=1 ORT_DISABLE_TELEMETRY=1 STORY_PATIENCE=8
WorkingDirectory=/{site}
ExecStart=/usr/bin/python3 {command}
ExecStopPost=/usr/bin/systemctl poweroff --no-block
TimeoutStartSec=infinity
StandardOutput=tty
StandardError=tty
TTYPath=/dev/{console}
"""


def missing(architecture: str = "amd64") -> str:
    """Return what is not there; nothing if such a machine can be made."""
    tools = (*TOOLS, PROCESSORS[architecture].qemu[0])
    absent = [tool for tool in tools if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    return f"needs {', '.join(absent)}" if absent else ""


def bootstrap(root: Path, suite: str = "bookworm", architecture: str = "amd64") -> None:
    """Make a Debian in `root`, from the machine's own mirror; two minutes.

    One of another architecture than this machine's takes ten, and wants what runs its programs here: qemu-user-static,
    registered with the kernel (binfmt_misc), and arch-test.
    """
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--architectures={architecture}",
        f"--include={','.join(INCLUDED)},linux-image-{architecture}",
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
    """Put the tests as they are now beside what is installed, if anything is."""
    target = root / SITE / "tests"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ROOT / "tests", target, ignore=shutil.ignore_patterns("__pycache__", "*.db", "*.png"))


def image(root: Path, target: Path, command: str) -> None:
    """Make a disk of a Debian that runs `python3 <command>` at boot and powers off."""
    (root / "etc/systemd/system/task.service").write_text(
        UNIT.format(site=SITE, command=command, console=PROCESSORS[architecture(root)].console)
    )
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


def architecture(root: Path) -> str:
    """Return for which processor a Debian is, as its kernel's name says."""
    return next((root / "boot").glob("vmlinuz-*")).name.rpartition("-")[2]


def command(root: Path, disks: Sequence[Path], *words: str) -> list[str]:
    """Return what boots a machine with these disks, with more words for its kernel."""
    kernel, initrd = (next((root / "boot").glob(name)) for name in ("vmlinuz-*", "initrd.img-*"))
    processor = PROCESSORS[architecture(root)]
    told = ["root=/dev/vda", "rw", f"console={processor.console}", "panic=-1", "systemd.wants=task.service"]
    # a busy host answers late: no_timer_check, and one processor, so that none waits for one that does not run
    told += ["no_timer_check", f"systemd.mask=serial-getty@{processor.console}.service", *words]
    made = [*processor.qemu, "-accel", "tcg", "-m", "1536", "-smp", "1"]
    made += ["-nographic", "-net", "none", "-no-reboot", "-kernel", str(kernel), "-initrd", str(initrd)]
    made += ["-append", " ".join(told)]
    for disk in disks:
        made += ["-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"]
    return made


def _run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, check=True, cwd=cwd)
