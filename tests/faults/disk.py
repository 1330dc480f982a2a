"""A small disk of our own that can be filled, stalled, broken and mended: ext4 on a loop device. Needs root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

SHARED_MEMORY: Final = Path("/dev/shm")

needs_disks = pytest.mark.skipif(os.geteuid() != 0, reason="making a file system and mounting it needs root")


class Disk:
    """An ext4 of `size_mib`, mounted at `folder`."""

    def __init__(self, folder: Path, image: Path, *, size_mib: int = 64) -> None:
        self.folder = folder
        self.stalled = self.broken = False
        self._image = image
        self._ballast = folder / "ballast.new"  # somebody's half-written file, not a gateway's
        folder.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(size_mib << 20)
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,nodiscard", str(image))
        self.mount()

    def mount(self) -> None:
        """Mount it, as a boot would: what is damaged is repaired first.

        A broken one goes on as a copy: while some other mount namespace of this machine still holds the old mount,
        the kernel would give the broken one back.
        """
        if self.broken:
            mended = self._image.with_name(self._image.name + "+")
            shutil.copyfile(self._image, mended)
            self._image.unlink()
            self._image = mended
            subprocess.run(["e2fsck", "-fy", str(self._image)], check=False, capture_output=True)
        _run("mount", "-o", "loop,errors=remount-ro", str(self._image), str(self.folder))
        self.broken = False

    @property
    def full(self) -> bool:
        """Return whether it was filled."""
        return self._ballast.exists()

    def unmount(self) -> None:
        """Unmount it; nobody may have a file open on it."""
        self.resume()
        _run("umount", str(self.folder))

    def discard(self) -> None:
        """Unmount it for good."""
        self.unmount()
        self._image.unlink()

    def fill(self) -> None:
        """Take all the room that is left, in a file of its own."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def empty(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def stall(self) -> None:
        """Let every write and flush hang, as a card does that is busy with itself."""
        _run("fsfreeze", "--freeze", str(self.folder))
        self.stalled = True

    def resume(self) -> None:
        """Let them go on."""
        if self.stalled:
            _run("fsfreeze", "--unfreeze", str(self.folder))
            self.stalled = False

    def break_(self) -> None:
        """Let the kernel find an error in it: from now on it is read-only, until it is mounted anew."""
        device = Path(_run("findmnt", "-no", "SOURCE", str(self.folder)).strip()).name
        Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1", encoding="ascii")
        self.broken = True

    def remount(self) -> None:
        """Have it read-only for whoever asks, as a boot does that cannot repair it, and older kernels on an error.

        After `break_` a newer one only refuses each write: access(2) goes on saying yes.
        """
        _run("mount", "-o", "remount,ro", str(self.folder))
        self.broken = True


@contextmanager
def disk(folder: Path, *, size_mib: int = 64) -> Iterator[Disk]:
    """Have such a disk at `folder` while the block lasts; whoever uses it must have ended by then.

    It lies in shared memory: how long a flush takes is no matter of this machine's own disk.
    """
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as shelf:
        made = Disk(folder, Path(shelf, "disk.img"), size_mib=size_mib)
        try:
            yield made
        finally:
            made.discard()


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
