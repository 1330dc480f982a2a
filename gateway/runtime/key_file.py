"""A private Ed25519 key in a file of its own: PKCS 8 in PEM form, which openssl and every library read.

Nobody but its owner may read the file, or it is refused, as ssh does. One that systemd hands to this unit alone
(systemd.exec(5), Credentials) may be root's, with an access list that lets the unit's user in: the list's mask
shows as rights of the group. No error carries a byte of the key.
"""

import os
import stat
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.base64url import encoded

LARGEST = 10_000


class KeyFileError(Exception):
    """A key file is of no use: `why` is `read` (with `detail`), `open` to others, or no `key`."""

    def __init__(self, why: Literal["read", "open", "key"], file: Path, detail: str = "") -> None:
        super().__init__(why, str(file), detail)
        self.why, self.file, self.detail = why, file, detail

    def __str__(self) -> str:
        told = {"read": self.detail, "open": "others may read it", "key": "it holds no Ed25519 key"}[self.why]
        return f"{self.file}: {told}"


def load(file: Path) -> Ed25519PrivateKey:
    """Return the key a file holds; KeyFileError if it is none, or if others could read it."""
    try:
        with file.open("rb") as opened:
            if open_to_others(file, os.fstat(opened.fileno()).st_mode):
                raise KeyFileError("open", file)
            data = opened.read(LARGEST)
    except OSError as error:
        raise KeyFileError("read", file, error.strerror or str(error)) from error
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError):  # the cause might tell something of the key
        raise KeyFileError("key", file) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError("key", file)
    return key


def open_to_others(file: Path, mode: int) -> bool:
    """Say whether others than the owner may read a file of this mode, or than this unit, where it is a credential."""
    handed = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(stat.S_IMODE(mode) & (0o007 if handed and file.parent == Path(handed) else 0o077))


def make(file: Path) -> Ed25519PrivateKey:
    """Make a key and write it to a new file of its owner's alone; OSError if it cannot be, FileExistsError if it is."""
    key = Ed25519PrivateKey.generate()
    data = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(descriptor)  # the public half is about to be told
    except OSError:
        file.unlink(missing_ok=True)  # half a key would be left alone by the next try
        raise
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public half as it stands in `[[operator]]`."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return encoded(raw).decode()
