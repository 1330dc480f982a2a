"""What is told out of an emulated machine and into it: JSON on a raw disk, its length in text on the line before."""

import json
import os
from pathlib import Path
from typing import Any


def blank(disk: Path, megabytes: int) -> None:
    """Make a disk on which nothing stands yet."""
    with disk.open("wb") as file:
        file.truncate(megabytes << 20)


def write(disk: Path, told: object) -> None:
    """Put `told` on the disk; it is there when this returns."""
    content = json.dumps(told, ensure_ascii=False).encode()
    with disk.open("r+b") as file:
        file.write(f"{len(content)}\n".encode() + content)
        file.flush()
        os.fsync(file.fileno())


def read(disk: Path) -> Any:
    """Return what stands on the disk, None if nothing does."""
    with disk.open("rb") as file:
        length = file.readline(20)
        return json.loads(file.read(int(length))) if length.strip(b"\0\n") else None
