"""What only one browser can open (RFC 8291, in one record of RFC 8188), and who sent it (RFC 8292). Pure."""

import os
import struct
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.core import base64url
from gateway.desk.senders import vapid

RECORD: Final = 4096  # bytes: a push service need take no more (RFC 8030, 7.2), and a page is one record
SALT, AUTH, POINT, KEY, NONCE, SECRET, TAG = 16, 16, 65, 16, 12, 32, 16  # bytes
LAST: Final = b"\x02"  # ends the last record (RFC 8188, 2)
MOST: Final = RECORD - SALT - 5 - POINT - len(LAST) - TAG  # bytes that a service takes whole, as sealed


def seal(
    content: bytes,
    keys: Mapping[str, str],
    *,
    own: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return `content` so that the browser with these keys (p256dh, auth; base64url) alone can read it.

    `own` and `salt` are new ones each time; only the example of RFC 8291 gives its own. Raises ValueError where the
    keys are none, or the content is longer than a record.
    """
    theirs, auth = (base64url.decoded(keys.get(name, "").rstrip("=").encode()) for name in ("p256dh", "auth"))
    if (len(theirs), len(auth)) != (POINT, AUTH):
        raise ValueError(f"keys of {len(theirs)} and {len(auth)} bytes, {POINT} and {AUTH} wanted")
    if len(content) > MOST:
        raise ValueError(f"{len(content)} bytes, at most {MOST}")
    browser = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    own = own or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(SALT)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = _derived(own.exchange(ec.ECDH(), browser), auth, b"WebPush: info\0" + theirs + point, SECRET)
    key = _derived(shared, salt, b"Content-Encoding: aes128gcm\0", KEY)
    nonce = _derived(shared, salt, b"Content-Encoding: nonce\0", NONCE)
    head = salt + struct.pack("!LB", RECORD, len(point)) + point
    return head + AESGCM(key).encrypt(nonce, content + LAST, None)


def authorization(endpoint: str, contact: str, expires: int, key: ec.EllipticCurvePrivateKey) -> str:
    """Return the header by which a push service knows the desk; `expires` in Unix seconds, at most 24 hours ahead."""
    address = urlsplit(endpoint)
    claims = {"aud": f"{address.scheme}://{address.netloc}", "exp": expires, "sub": contact}
    return f"vapid t={jwt.encode(claims, key, 'ES256')},k={vapid.public_text(key)}"


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
