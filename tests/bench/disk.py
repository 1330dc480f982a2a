"""Counts the bytes that reach the device: those of an ext4 of its own where we are root, else the process's own.

The ext4 lies on a loop device in a file, so that its counter (/sys/block/loopN/stat, sectors written) sees our
writes, the file system's journal, and nobody else's. Without root it is `write_bytes` of /proc/self/io, which
counts pages the process made dirty and leaves out the file system's own.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE_MIB = 256


@dataclass(frozen=True, slots=True)
class Disk:
    """A folder to work in, how many bytes have been written to the device under it, and who counts them."""

    folder: Path
    written: Callable[[], int]
    counted_by: str
    by_device: bool


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """Yield a disk whose writes can be counted; `folder` is where its image may lie."""
    image, mount = folder / "disk.img", folder / "disk"
    mount.mkdir()
    if os.geteuid() != 0 or not _mounted(image, mount):
        yield Disk(mount, process_bytes, "/proc/self/io", by_device=False)
        return
    device = subprocess.check_output(["findmnt", "-n", "-o", "SOURCE", mount], text=True).strip()
    counter = Path("/sys/block", Path(device).name, "stat")
    try:
        yield Disk(mount, lambda: _sectors(counter), "loop device with ext4", by_device=True)
    finally:
        subprocess.run(["umount", mount], check=True)


def process_bytes() -> int:
    """Return how many bytes this process has had written."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["write_bytes"])


def _sectors(counter: Path) -> int:
    os.sync()
    return int(counter.read_text().split()[6]) * 512


def _mounted(image: Path, mount: Path) -> bool:
    with image.open("wb") as file:
        file.truncate(SIZE_MIB << 20)
    make = ["mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", str(image)]
    return all(
        _succeeds(command) for command in (make, ["mount", "-o", "loop,noatime", str(image), str(mount)])
    )


def _succeeds(command: list[str]) -> bool:
    nowhere = subprocess.DEVNULL
    try:
        return subprocess.run(command, check=False, stdout=nowhere, stderr=nowhere).returncode == 0
    except FileNotFoundError:
        return False
