"""Put a file in the place of another, whole or not at all: who reads it finds the old or the new, and never a half."""

import contextlib
import os
import tempfile
from pathlib import Path


def replace(path: Path, content: bytes, *, mode: int = 0o600, group: int = -1) -> None:
    """Put a file in the place of another, whole or not at all, also over a power cut; OSError if it cannot be."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if group >= 0:
                os.fchown(file.fileno(), -1, group)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    flush(path.parent)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk: they last through a power cut from then on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
