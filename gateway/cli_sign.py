"""The command `sign`: keys of operators, and orders signed with them. Arguments only."""

from pathlib import Path
from typing import Any

import click

from gateway.cli_parts import FILE, json_option, option, words
from gateway.terminal.help import Command, Defaulting


@click.group(cls=Defaulting, default="order")
def sign() -> None:
    """Sign orders from afar."""


@sign.command(cls=Command)
@click.argument("name")
@option("--file", type=FILE, metavar="FILE", help="option.key_out")
def keygen(name: str, file: Path | None) -> int:
    """Make an operator's key."""
    from gateway import signing

    return signing.keygen(name, file, words())


@sign.command(cls=Command)
@click.argument("gateway")
@click.argument("target")
@click.argument("action")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@option("--key", type=FILE, required=True, metavar="FILE", help="option.key")
@option("--person", required=True, metavar="NAME", help="option.person")
@option("--operator", default="", metavar="NAME", help="option.operator")
@option("--seconds", type=click.IntRange(1, 120), default=20, show_default=True, help="option.life")
@option("--nonce", default="", help="option.nonce")
@option("--broker", metavar="URL", help="option.broker")
@option("--username", default="", metavar="NAME", help="option.username")
@option("--password-file", default="", metavar="FILE", help="option.password_file")
@option("--ca-file", default="", metavar="FILE", help="option.ca_file")
@json_option
def order(
    key: Path, nonce: str, broker: str | None, as_json: bool, arguments: tuple[str, ...], **told: Any
) -> int:
    """Sign an order, and send it."""
    from gateway import signing

    access = {name: told.pop(name) for name in ("username", "password_file", "ca_file")}
    wish = signing.Wish(arguments=signing.arguments_of(arguments), **told)
    way = None if broker is None else {"url": broker, **access}
    return signing.order(wish, key, words(), nonce=nonce, broker=way, as_json=as_json)
