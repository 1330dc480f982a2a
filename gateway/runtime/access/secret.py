"""The gateway's secret for the access list: 32 bytes in a file of mode 0600, made when it is first needed.

A secret that is gone or broken makes the hashes of the list worthless: every entry's seal fails, the list is told to
be lost, and has to be imported again. A broken file is set aside, never overwritten.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.core.access import Secret
from gateway.runtime import whole_file

BYTES: Final = 32
MODE: Final = 0o600


def read_or_make(path: Path) -> Secret:
    """Return the secret in a file, a new one if there is none; OSError if it can be neither read nor made."""
    try:
        key = path.read_bytes()
        if len(key) == BYTES:
            return Secret(key)
        path.rename(free_name(path))
    except FileNotFoundError:
        pass
    return Secret(_make(path))


def free_name(path: Path) -> Path:
    """Return a name beside a file that is not taken, to set it aside under."""
    number = 1
    while (aside := path.with_name(f"{path.name}.set-aside-{number}")).exists():
        number += 1
    return aside


def _make(path: Path) -> bytes:
    """Make a secret that is either there whole or not at all: written aside, flushed, then given its name."""
    key = secrets.token_bytes(BYTES)
    fresh = path.with_name(path.name + ".new")
    with suppress(FileNotFoundError):
        fresh.unlink()
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    whole_file.flush(path.parent)
    return key
