"""The commands about the access list: cards import, list, add, remove, block, unblock. Arguments only."""

from pathlib import Path
from typing import Any

import click

from gateway.cli_parts import FILE, config_option, json_option, option, socket_option, words
from gateway.terminal.help import DONE, NO, Command, Group


@click.group(cls=Group)
def cards() -> None:
    """Show or change who may come in with a card or a PIN."""


@cards.command("import", cls=Command)
@click.argument("file", type=FILE, metavar="FILE")
@option("--force", is_flag=True, help="option.force_cards")
@option("--dry-run", is_flag=True, help="option.dry_run_cards")
@config_option
@socket_option
@json_option
def import_(file: Path, force: bool, dry_run: bool, as_json: bool, **where: Path | None) -> int:
    """Put a list in the place of the one in force."""
    done = _cards(**where).bring(file, force=force, dry_run=dry_run, as_json=as_json)
    return DONE if done else NO


@cards.command("list", cls=Command)
@click.argument("holder", metavar="[HOLDER]", required=False)
@option("--door", metavar="NAME", help="option.door_of_cards")
@config_option
@socket_option
@json_option
def list_(holder: str | None, door: str | None, as_json: bool, **where: Path | None) -> None:
    """Show the list in force."""
    _cards(**where).show(holder or "", door or "", as_json=as_json)


@cards.command(cls=Command)
@click.argument("holder", metavar="HOLDER")
@option("--card", metavar="NUMBER", help="option.card")
@option("--pin", "with_pin", is_flag=True, help="option.pin")
@option("--doors", required=True, metavar="DOORS", help="option.doors_of_card")
@option("--schedule", metavar="NAMES", help="option.schedule_of_card")
@option("--from", "valid_from", metavar="DAY", help="option.from_of_card")
@option("--until", "valid_until", metavar="DAY", help="option.until_of_card")
@option("--note", metavar="TEXT", help="option.note")
@config_option
@socket_option
def add(with_pin: bool, config: Path | None, socket: Path | None, **told: str | None) -> int:
    """Add one card."""
    pin = click.prompt(words()("cards.ask_pin"), hide_input=True) if with_pin else ""
    return DONE if _cards(config, socket).add({**told, "pin": pin}) else NO


@cards.command(cls=Command)
@click.argument("who", metavar="HOLDER_OR_CARD")
@config_option
@socket_option
def remove(who: str, config: Path | None, socket: Path | None) -> None:
    """Remove cards from the list."""
    _cards(config, socket).change("cards_remove", who)


@cards.command(cls=Command)
@click.argument("who", metavar="HOLDER_OR_CARD")
@config_option
@socket_option
def block(who: str, config: Path | None, socket: Path | None) -> None:
    """Block cards, whatever list comes."""
    _cards(config, socket).change("cards_block", who)


@cards.command(cls=Command)
@click.argument("who", metavar="HOLDER_OR_CARD")
@config_option
@socket_option
def unblock(who: str, config: Path | None, socket: Path | None) -> None:
    """Take that back."""
    _cards(config, socket).change("cards_unblock", who)


def _cards(config: Path | None, socket: Path | None) -> Any:
    """Return what asks a running gateway about its access list."""
    from gateway import configuration
    from gateway.terminal.cards import Cards
    from gateway.terminal.client import Client

    paths = [socket] if socket else configuration.control_sockets(config or configuration.find())
    return Cards(Client(paths), words())
