"""The commands about assets: assets, bins. Arguments only; cli.py takes them in."""

from pathlib import Path

import click

from gateway.cli_parts import asking, config_option, json_option, option, socket_option
from gateway.terminal.help import Command


@click.command(cls=Command)
@option("--kind", metavar="KIND", help="option.asset_kind")
@config_option
@socket_option
@json_option
def assets(kind: str | None, config: Path | None, socket: Path | None, as_json: bool) -> None:
    """Show everything that is made of several devices."""
    asking(config, socket).assets(kind, as_json=as_json)


@click.command(cls=Command)
@option("--over", type=click.FloatRange(0, 100), metavar="PERCENT", help="option.bins_over")
@option("--csv", "as_csv", is_flag=True, help="option.csv")
@config_option
@socket_option
@json_option
def bins(over: float | None, as_csv: bool, config: Path | None, socket: Path | None, as_json: bool) -> None:
    """Show which bins to empty today."""
    asking(config, socket).bins(over, as_json=as_json, as_csv=as_csv)
