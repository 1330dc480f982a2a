"""Operators for tests: fixed keys, orders made with them, and all the ways an order can be wrong."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.config import OperatorTable
from gateway.core.events import Place
from gateway.core.signed import TYPE
from gateway.runtime.key_file import public_text

GATEWAY = "bench"
NONCE = "n" * 22


def b64(data: bytes) -> str:
    """Return base64url without padding, made by hand: tests do not lean on the code they test."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody with a key. The key is made of the name, so that it is the same in every run."""

    name: str
    role: str = "duty_room"
    places: tuple[Place, ...] = ()

    @property
    def key(self) -> Ed25519PrivateKey:
        """Return the private key."""
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.name.encode()).digest())

    @property
    def table(self) -> OperatorTable:
        """Return the operator as gateway.toml has it."""
        return OperatorTable(
            name=self.name,
            key=public_text(self.key),
            role=self.role,
            places=list(self.places),
            per_minute=600,
        )

    @property
    def toml(self) -> str:
        """Return the table as text."""
        places = ", ".join(f'{{ building = "{place.building}" }}' for place in self.places)
        return (
            f'\n[[operator]]\nname = "{self.name}"\nkey = "{public_text(self.key)}"\nrole = "{self.role}"\n'
            f"per_minute = 600\nplaces = [{places}]\n"
        )

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return good claims, but for what is changed; None takes one out."""
        good = {
            "iss": self.name,
            "sub": "warden-1",
            "aud": f"/compound/{GATEWAY}",
            "jti": "order-1",
            "iat": 1_000,
            "exp": 1_020,
            "nonce": NONCE,
            "target": "door-1-1",
            "action": "unlock",
            "arguments": {"seconds": 5},
        } | changed
        return {key: value for key, value in good.items() if value is not None}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> bytes:
        """Return claims as an order signed with our key; `header` changes what stands there."""
        head = {"alg": "EdDSA", "typ": TYPE, "kid": self.name} | header
        text = ".".join(
            b64(json.dumps({k: v for k, v in part.items() if v is not None}).encode())
            for part in (head, claims)
        )
        return f"{text}.{b64(self.key.sign(text.encode()))}".encode()

    def order(self, **changed: Any) -> bytes:
        """Return a good order, but for what is changed in its claims."""
        return self.sign(self.claims(**changed))


DESK = Operator("desk")
WARDEN = Operator("warden-2", "warden", (Place(building="2"),))
COMMITTEE = Operator("committee", "committee")
SETUP = Operator("setup", "administrator")
STRANGER = Operator("stranger")
EVERYBODY = (DESK, WARDEN, COMMITTEE, SETUP)


def hs256(claims: Mapping[str, Any], secret: bytes, kid: str) -> bytes:
    """Return an order "signed" with a public key taken for a shared secret: the old trick against JWT libraries."""
    head = {"alg": "HS256", "typ": TYPE, "kid": kid}
    text = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}".encode()


def unsigned(claims: Mapping[str, Any], kid: str, signature: str = "") -> bytes:
    """Return an order with alg none."""
    head = {"alg": "none", "typ": TYPE, "kid": kid}
    return (".".join(b64(json.dumps(part).encode()) for part in (head, claims)) + f".{signature}").encode()
