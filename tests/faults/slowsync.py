"""Builds the slow disk of slowsync.c, or another library in C, and says how to run a process on it."""

import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def environment(folder: Path, delay_ms: float) -> dict[str, str]:
    """Return this process's environment, with every flush `delay_ms` slower; the library is built in `folder`."""
    return {**preloaded(folder, "slowsync"), "SLOWSYNC_US": str(int(delay_ms * 1000))}


def preloaded(folder: Path, name: str) -> dict[str, str]:
    """Return this process's environment with `name`.c between the process and libc."""
    library = folder / f"{name}.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, HERE / f"{name}.c", "-ldl"], check=True)
    return {**os.environ, "LD_PRELOAD": str(library)}
