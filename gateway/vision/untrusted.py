"""Files in a folder where somebody else writes: no link is followed, no pipe waited at, nothing read without end.

Whoever took over a camera's decoder may put there what they like: a link to a secret that we would send upstream, a
pipe that nobody writes to, a name that leads elsewhere. All of it blocks as much as a disk does, and no more.
"""

import contextlib
import os
import stat
from pathlib import Path
from typing import Final

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MARK: Final = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(file: Path, most: int, offset: int = 0) -> bytes:
    """Return up to `most` bytes of a plain file from `offset`; OSError for anything else."""
    descriptor = os.open(file, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(22, "no plain file", str(file))
        return os.pread(descriptor, most, offset)
    finally:
        os.close(descriptor)


def size(file: Path) -> int | None:
    """Return how large a plain file is; None for anything else, and for what is not there."""
    with contextlib.suppress(OSError):
        seen = file.lstat()
        if stat.S_ISREG(seen.st_mode):
            return seen.st_size
    return None


def mark(file: Path) -> None:
    """Make an empty file, unless there is one; OSError where a link or a pipe is in its place."""
    os.close(os.open(file, _MARK, 0o640))
