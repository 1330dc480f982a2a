"""The command `sign`: makes an operator's key, signs orders, and sends them when told where to.

A private key lies in a file of its own, PKCS 8 in PEM form, which openssl and every library read; nobody but its
owner may read the file, or it is refused, as ssh does. The file's name says whose key it is unless told otherwise.
"""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.core.operator_checks import NAME
from gateway.core.signed import Claims, sealed
from gateway.errand import Answer, Errand
from gateway.runtime.key_file import KeyFileError, load, make, public_text
from gateway.services.uplink.brokers import credential
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import BAD, FAINT, GOOD, console
from gateway.terminal.help import DONE, NO
from gateway.terminal.words import Words

TRIES = 3
"""How often an order is given anew when somebody else was quicker with its nonce."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as a person gives it. `operator` is empty where the key's file says it."""

    gateway: str
    target: str
    action: str
    arguments: Mapping[str, float | str]
    person: str
    operator: str = ""
    seconds: int = 20


def keygen(name: str, file: Path | None, words: Words) -> int:
    """Make a key, keep it in a file only its owner can read, and show the table for gateway.toml."""
    if not NAME.fullmatch(name):
        raise ToolError("sign.name", name=name)
    path = file or Path(f"{name}.key")
    try:
        key = make(path)
    except FileExistsError:
        raise ToolError("sign.exists", file=path) from None
    except OSError as error:
        raise ToolError("sign.write", file=path, error=error.strerror) from error
    click.echo(words("sign.made", file=path), err=True)
    click.echo(
        f'[[operator]]\nname = "{name}"\nkey = "{public_text(key)}"\nrole = "duty_room"\n'
        f'# places = [{{ building = "2" }}]\n'
    )
    return DONE


def order(
    wish: Wish,
    key_file: Path,
    words: Words,
    *,
    nonce: str = "",
    broker: Mapping[str, Any] | None = None,
    as_json: bool = False,
) -> int:
    """Sign an order and print it, or send it and show what came of it."""
    key = load_key(key_file)
    if broker is None:
        if not nonce:
            raise ToolError("sign.nonce")
        click.echo(token(wish, key, key_file, nonce, now=time.time(), name=_new_name()))
        return DONE
    answer = _sent(wish, key, key_file, broker)
    if as_json:
        click.echo(json.dumps(answer.event, ensure_ascii=False, indent=2))
    else:
        _show(answer, words)
    return DONE if answer.result == "done" else NO


def token(wish: Wish, key: Ed25519PrivateKey, file: Path, nonce: str, *, now: float, name: str) -> str:
    """Return the signed order; ToolError says what of it no gateway would read."""
    operator = wish.operator or file.stem
    made = {
        "iss": operator,
        "sub": wish.person,
        "aud": f"/compound/{wish.gateway}",
        "jti": name,
        "iat": int(now),
        "exp": int(now) + wish.seconds,
        "nonce": nonce,
        "target": wish.target,
        "action": wish.action,
        "arguments": dict(wish.arguments),
    }
    try:
        return sealed(msgspec.convert(made, Claims), key)
    except msgspec.ValidationError as error:
        raise ToolError("sign.claims", error=error) from error


def load_key(file: Path) -> Ed25519PrivateKey:
    """Return the key a file holds; ToolError if it is none, or if others could read it."""
    try:
        return load(credential(str(file)))
    except KeyFileError as error:
        raise ToolError(f"sign.{error.why}", file=error.file, error=error.detail) from None


def arguments_of(told: Sequence[str]) -> dict[str, float | str]:
    """Return NAME=VALUE pairs, numbers as numbers; ToolError for what is no pair."""
    found: dict[str, float | str] = {}
    for each in told:
        name, equals, value = each.partition("=")
        if not equals:
            raise ToolError("sign.argument", told=each)
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def _sent(wish: Wish, key: Ed25519PrivateKey, file: Path, broker: Mapping[str, Any]) -> Answer:
    """Send an order until a nonce was still good; its id stays, so that it can never be done twice."""
    name = _new_name()
    with Errand(wish.gateway, broker) as errand:
        for _ in range(TRIES):
            nonce = errand.nonce(wish.seconds)
            made = token(wish, key, file, nonce, now=time.time(), name=name)
            answer = errand.give(made, name, within_s=wish.seconds)
            if not answer.is_stale:
                break
    return answer


def _show(answer: Answer, words: Words) -> None:
    done = answer.result == "done"
    key = f"result.{answer.result}"
    told = words(key) if key in words else answer.result
    screen = console()
    screen.print(
        f"{'✓' if done else '✗'} {answer.device} {answer.action}  {told}", style=GOOD if done else BAD
    )
    screen.print(f"  {answer.detail}", style=FAINT, markup=False)


def _new_name() -> str:
    return secrets.token_hex(16)
