"""A signed order taken apart: from bytes of an unknown sender to claims that a known key has signed. Pure.

An order is a JSON Web Signature in compact form (RFC 7515, section 3.1), algorithm EdDSA over Ed25519 (RFC 8037).
What is cheap comes first, and nothing is believed before the signature holds: `opened` looks at size, shape and
header and reads two claims only to know which key and which nonce to look up; `verified` reads the claims anew
from the bytes that the signature covers.

Only one algorithm and one type of token exist here, so there is nothing to choose and nothing to confuse (RFC 8725,
sections 3.1 and 3.11). Ed25519 leaves four bits of a signature's last base64url letter unused; those must be zero,
or one order would have sixteen spellings.
"""

import enum
import re
from collections.abc import Iterator
from typing import Annotated, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.core.base64url import decoded

LARGEST: Final = 8_192
ALGORITHM: Final = "EdDSA"
TYPE: Final = "compound-command+jwt"
LONGEST_LIFE_S: Final = 120

_SHAPE = re.compile(rb"([A-Za-z0-9_-]{1,512})\.([A-Za-z0-9_-]{1,8192})\.([A-Za-z0-9_-]{86})")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_jws = jwt.PyJWS(algorithms=[ALGORITHM])


class Reason(enum.StrEnum):
    """Why an order is refused; the first word of its outcome's detail."""

    SIZE = "size"
    RETAINED = "retained"
    SHAPE = "shape"
    KEY = "key"
    NONCE = "nonce"
    RATE = "rate"
    SIGNATURE = "signature"
    AUDIENCE = "audience"
    CLAIMS = "claims"
    FUTURE = "future"
    EXPIRED = "expired"
    ROLE = "role"
    PLACE = "place"
    ORDER = "order"
    REPEATED = "repeated"
    BUSY = "busy"


class RefusedError(Exception):
    """An order will not be carried out; `detail` says why in words and carries no byte of a stranger's."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class Envelope(msgspec.Struct, frozen=True):
    """What a message says before anybody has proved it; `id` is clean, or empty."""

    token: bytes
    operator: str
    nonce: str
    id: str


Short = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9._-]{1,64}$")]
Second = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
Argument = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,31}$")]
Value = float | Annotated[str, msgspec.Meta(max_length=200)]


class Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an order says (the first seven are RFC 7519's); all of it must be there, and nothing else."""

    iss: Name  # the operator, as in the header's kid
    sub: Short  # the person who gives the order, for the audit
    aud: Annotated[str, msgspec.Meta(max_length=64)]  # "/compound/<gateway>"
    jti: Name  # the order's id
    iat: Second
    exp: Second
    nonce: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{22}$")]
    target: Name  # a device, a door, an alert, or the gateway itself
    action: Argument
    arguments: Annotated[dict[Argument, Value], msgspec.Meta(max_length=8)]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    typ: str
    kid: str


class _Glimpse(msgspec.Struct, frozen=True):
    """The two claims that are looked at before the signature; the others are passed over."""

    nonce: str
    jti: str = ""


def public_key(text: str) -> Ed25519PublicKey:
    """Return the key that an `[[operator]]` table holds; ValueError if it is none."""
    return Ed25519PublicKey.from_public_bytes(decoded(text.encode()))


def opened(content: bytes) -> Envelope:
    """Return a message as far as it can be read without a key; raises RefusedError."""
    if len(content) > LARGEST:
        raise RefusedError(Reason.SIZE, f"{len(content)} bytes, at most {LARGEST} are read")
    parts = _SHAPE.fullmatch(content)
    if parts is None:
        raise RefusedError(Reason.SHAPE, "no JSON Web Signature in compact form")
    try:
        header = msgspec.json.decode(decoded(parts[1]), type=_Header)
        glimpse = msgspec.json.decode(decoded(parts[2]), type=_Glimpse)
        decoded(parts[3])
    except (ValueError, RecursionError):
        raise RefusedError(Reason.SHAPE, "header, claims or signature cannot be read") from None
    if header.alg != ALGORITHM or header.typ != TYPE:
        raise RefusedError(Reason.SHAPE, f"alg must be {ALGORITHM} and typ {TYPE}")
    return Envelope(content, header.kid, glimpse.nonce, glimpse.jti if _ID.fullmatch(glimpse.jti) else "")


def verified(envelope: Envelope, key: Ed25519PublicKey, audience: str) -> Claims:
    """Return the claims the key has signed for us; raises RefusedError."""
    try:
        payload = _jws.decode(envelope.token.decode(), key, algorithms=[ALGORITHM])
    except jwt.PyJWTError:
        raise RefusedError(Reason.SIGNATURE, "not signed by this operator's key, or altered since") from None
    try:
        claims = msgspec.json.decode(payload, type=Claims)
    except (ValueError, RecursionError) as error:
        raise RefusedError(Reason.CLAIMS, clean(str(error), 200)) from None
    if claims.aud != audience:
        raise RefusedError(Reason.AUDIENCE, f"meant for another gateway; this one is {audience}")
    if not all(text.isprintable() for text in _texts(claims)):  # a pattern's $ lets a last newline pass
        raise RefusedError(Reason.CLAIMS, "only printable text")
    if claims.iss != envelope.operator:
        raise RefusedError(Reason.CLAIMS, "iss is the operator whose key signs, as in kid")
    if not 0 < claims.exp - claims.iat <= LONGEST_LIFE_S:
        raise RefusedError(Reason.CLAIMS, f"exp lies after iat, by at most {LONGEST_LIFE_S} s")
    return claims


def _texts(claims: Claims) -> Iterator[str]:
    for each in (*msgspec.structs.astuple(claims), *claims.arguments, *claims.arguments.values()):
        if isinstance(each, str):
            yield each


def sealed(claims: Claims, key: Ed25519PrivateKey) -> str:
    """Return the order that `claims` make, signed: the other end of `opened` and `verified`."""
    headers = {"kid": claims.iss, "typ": TYPE}
    return _jws.encode(msgspec.json.encode(claims), key, algorithm=ALGORITHM, headers=headers)


def clean(text: str, size: int) -> str:
    """Return `text` cut to a size, with nothing in it that a terminal or a log would take for more than text."""
    return "".join(each if each.isprintable() else "?" for each in text[:size])
