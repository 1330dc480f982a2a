"""The commands about upkeep: inventory, tests, upkeep. Arguments only; cli.py takes them in."""

from pathlib import Path

import click

from gateway.cli_parts import FILE, config_option, json_option, option, socket_option, words
from gateway.terminal.help import Command, Group

output_option = option("-o", "--output", type=FILE, metavar="FILE", help="option.output")


@click.command(cls=Command)
@option(
    "--format", "form", type=click.Choice(("table", "csv", "xlsx")), default="table", help="option.format"
)
@output_option
@config_option
@socket_option
@json_option
def inventory(
    form: str, output: Path | None, config: Path | None, socket: Path | None, as_json: bool
) -> None:
    """Show what is installed."""
    from gateway import upkeep

    upkeep.inventory(config, socket, "json" if as_json else form, output, words())


@click.group(cls=Group)
def tests() -> None:
    """Test detectors, and tell of it."""


@tests.command(cls=Command)
@config_option
@socket_option
def plan(config: Path | None, socket: Path | None) -> None:
    """Show which detectors to test this month."""
    from gateway import upkeep

    upkeep.plan(config, socket, words())


@tests.command(cls=Command)
@option("--place", metavar="LEVEL=NAME", multiple=True, help="option.test_place")
@option(
    "--minutes", type=click.FloatRange(1, 480), default=120, show_default=True, help="option.test_minutes"
)
@config_option
@socket_option
def start(place: tuple[str, ...], minutes: float, config: Path | None, socket: Path | None) -> None:
    """Begin a test round."""
    from gateway import upkeep

    upkeep.begin(config, socket, place, minutes, words())


@tests.command(cls=Command)
@config_option
@socket_option
def stop(config: Path | None, socket: Path | None) -> None:
    """End a test round."""
    from gateway import upkeep

    upkeep.end(config, socket, words())


@tests.command(cls=Command)
@option(
    "--format", "form", type=click.Choice(("table", "csv", "html")), default="table", help="option.format"
)
@output_option
@config_option
@socket_option
def report(form: str, output: Path | None, config: Path | None, socket: Path | None) -> None:
    """Show which detectors were tested when."""
    from gateway import upkeep

    upkeep.report(config, socket, form, output, words())


@click.group("upkeep", cls=Group)
def maintenance() -> None:
    """Maintain what is installed, and tell of it."""


@maintenance.command(cls=Command)
@option("--format", "form", type=click.Choice(("table", "csv")), default="table", help="option.format")
@output_option
@config_option
@socket_option
def calendar(form: str, output: Path | None, config: Path | None, socket: Path | None) -> None:
    """Show what of maintenance is due when."""
    from gateway import upkeep

    upkeep.calendar(config, socket, form, output, words())


@maintenance.command(cls=Command)
@click.argument("task")
@option("--note", default="", metavar="TEXT", help="option.note")
@config_option
@socket_option
def done(task: str, note: str, config: Path | None, socket: Path | None) -> None:
    """Tell that a round was done."""
    from gateway import upkeep

    upkeep.done(config, socket, task, note, words())


@maintenance.command(cls=Command)
@click.argument("device")
@option("--serial", default="", metavar="NUMBER", help="option.serial")
@config_option
@socket_option
def replaced(device: str, serial: str, config: Path | None, socket: Path | None) -> None:
    """Tell that another unit hangs there."""
    from gateway import upkeep

    upkeep.replaced(config, socket, device, serial, words())


@maintenance.command(cls=Command)
@option("--format", "form", type=click.Choice(("table", "csv")), default="table", help="option.format")
@output_option
@config_option
@socket_option
def history(form: str, output: Path | None, config: Path | None, socket: Path | None) -> None:
    """Show which units were swapped for others."""
    from gateway import upkeep

    upkeep.history(config, socket, form, output, words())
