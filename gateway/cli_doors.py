"""The commands about doors: doors, drill, osdp. Arguments only; cli.py takes them in."""

from pathlib import Path

import click

from gateway.cli_parts import asking, config_option, json_option, option, socket_option, words
from gateway.terminal.help import DONE, NO, Command, Group


@click.command(cls=Command)
@config_option
@socket_option
@json_option
def doors(config: Path | None, socket: Path | None, as_json: bool) -> None:
    """Show every door and interlock."""
    asking(config, socket).doors(as_json=as_json)


@click.group(cls=Group)
def drill() -> None:
    """Try an interlock as if it burnt."""


@drill.command(cls=Command)
@click.argument("interlock")
@option(
    "--minutes", type=click.FloatRange(1, 120), default=15, show_default=True, help="option.drill_minutes"
)
@config_option
@socket_option
def start(interlock: str, minutes: float, config: Path | None, socket: Path | None) -> int:
    """Begin a drill."""
    told = asking(config, socket).order(interlock, "drill", {"minutes": minutes}, as_json=False)
    return DONE if told else NO


@drill.command(cls=Command)
@click.argument("interlock")
@config_option
@socket_option
def stop(interlock: str, config: Path | None, socket: Path | None) -> int:
    """End a drill, or release an interlock after a fire."""
    return DONE if asking(config, socket).order(interlock, "release", {}, as_json=False) else NO


@click.group(cls=Group)
def osdp() -> None:
    """Card readers over OSDP."""


@osdp.command(cls=Command)
@click.argument("device")
@option("--again", is_flag=True, help="option.again")
@config_option
def pair(device: str, again: bool, config: Path | None) -> int:
    """Give a reader its key."""
    from gateway import pairing

    return pairing.pair(device, config, words(), again=again)
