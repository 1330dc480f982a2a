"""The key by which push services know the desk (VAPID, RFC 8292): P-256 in a file nobody else may read.

It is made when there is none. A browser's permission is bound to it, so it is never replaced; several desks that
share a database must share the file.
"""

import contextlib
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.core.base64url import encoded
from gateway.runtime.key_file import open_to_others


class VapidError(Exception):
    """A key file is of no use; the text says why and has no byte of the key."""


def load_or_make(file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key a file holds, or that of a new file; raises VapidError, OSError."""
    if not file.exists():
        _make(file)
    with file.open("rb") as opened:
        if open_to_others(file, os.fstat(opened.fileno()).st_mode):
            raise VapidError(f"{file}: others may read it: chmod 600")
        data = opened.read(10_000)
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError):  # the cause might tell something of the key
        raise VapidError(f"{file}: it holds no key") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise VapidError(f"{file}: it holds no P-256 key")
    return key


def public_text(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public half as a browser's `applicationServerKey` has it."""
    raw = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return encoded(raw).decode()


def _make(file: Path) -> None:
    """Write a new key; whoever writes first has made it, and it is whole when it is there."""
    data = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    new = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(new, file)
    finally:
        new.unlink(missing_ok=True)
