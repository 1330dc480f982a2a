"""Room kept back on the disk, to be given up when the disk is full.

On a full disk even a DELETE fails, because it has to write. The reserve is a file of really allocated blocks:
unlinking it lets the alerts of the next hours be stored while somebody makes room.
"""

import os
from pathlib import Path


class Reserve:
    """The reserve file. `held` is False once it was given up, until `make` succeeds again."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size
        self.held = False

    def make(self) -> bool:
        """Allocate it unless it is there; False when the disk has no room for it and as much again."""
        try:
            status = self._path.stat()
            self.held = status.st_blocks * 512 >= self._size
        except OSError:
            self.held = False
        if not self.held and self._room() >= 2 * self._size:
            self.held = self._allocate()
        return self.held

    def release(self) -> bool:
        """Give the room back to the disk; False when there was none to give."""
        self.held = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _room(self) -> int:
        try:
            disk = os.statvfs(self._path.parent)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize

    def _allocate(self) -> bool:
        try:
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
                os.fsync(file.fileno())
        except OSError:
            self.release()
            return False
        return True
