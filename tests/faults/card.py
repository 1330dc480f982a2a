"""A pretend memory card whose power can be cut at any instant: an ext4 in a file on XFS, and reflink copies of it.

A copy is what an honest card would hold if the power went in that instant: what was flushed, and of the rest whatever
the kernel happened to have written. It is atomic, takes milliseconds, and the daemon on the card notices nothing. Each
copy is mounted like a card after the cut, so ext4 replays its own journal, and nothing of it is in a cache.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FICLONE: Final = 0x40049409  # linux/fs.h
TOOLS: Final = ("mkfs.xfs", "mke2fs", "mount", "umount")
TRIES: Final = 50
SHARED_MEMORY: Final = Path("/dev/shm")
OPTIONS: Final = "loop,noatime"
SETTLED: Final = "loop,noatime,noinit_itable"  # a card that was used for a while


def missing() -> str:
    """Return why there can be no such card here; nothing if there can."""
    if os.geteuid() != 0:
        return "mounting needs root"
    absent = [tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    return f"needs {', '.join(absent)}" if absent else ""


class Card:
    """A mounted card. `folder` is its root."""

    def __init__(self, shelf: Path, folder: Path, megabytes: int) -> None:
        self.folder = folder
        self._shelf, self._megabytes = shelf, megabytes
        self._image = shelf / "card.img"

    def insert(self) -> None:
        """Put in a fresh card."""
        self._image.unlink(missing_ok=True)
        with self._image.open("wb") as file:
            file.truncate(self._megabytes << 20)
        _run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", str(self._image))
        _run("mount", "-o", SETTLED, str(self._image), str(self.folder))

    def remove(self) -> None:
        """Take the card out, in order."""
        _unmount(self.folder)

    def cut(self, name: str) -> Path:
        """Return what the card would hold if the power went now."""
        return self.clone(self._image, name)

    def clone(self, image: Path, name: str) -> Path:
        """Return a copy of an image under another name."""
        copy = self._shelf / f"{name}.img"
        with image.open("rb") as old, copy.open("wb") as new:
            fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
        return copy

    def blank(self, name: str, megabytes: int) -> Path:
        """Return an empty image."""
        image = self._shelf / f"{name}.img"
        with image.open("wb") as file:
            file.truncate(megabytes << 20)
        return image

    @contextmanager
    def after(self, image: Path) -> Iterator[Path]:
        """Have the power come back on what a cut left: mount it, in the end unmount it and throw it away."""
        folder = Path(tempfile.mkdtemp(dir=self._shelf.parent))
        _run("mount", "-o", SETTLED, str(image), str(folder))
        try:
            yield folder
        finally:
            _unmount(folder)
            folder.rmdir()
            image.unlink()


@contextmanager
def card(megabytes: int = 1024, room_gb: int = 8) -> Iterator[Card]:
    """Have a fresh card; its copies lie in shared memory, so that this machine's own disk is spared."""
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as name:
        shelf, folder, image = Path(name, "shelf"), Path(name, "card"), Path(name, "shelf.img")
        shelf.mkdir()
        folder.mkdir()
        with image.open("wb") as file:
            file.truncate(room_gb << 30)
        _run("mkfs.xfs", "-q", "-m", "reflink=1", str(image))
        _run("mount", "-o", OPTIONS, str(image), str(shelf))
        try:
            made = Card(shelf, folder, megabytes)
            made.insert()
            try:
                yield made
            finally:
                made.remove()
        finally:
            _unmount(shelf)


def _unmount(folder: Path) -> None:
    """Unmount; a loop device lets go of its file a moment after what was mounted from it is gone.

    A container that was started meanwhile has the mount in its own name space, and keeps it busy while it lives.
    """
    for _ in range(TRIES):
        if subprocess.run(["umount", str(folder)], check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.2)
    _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
