"""The command of the duty desk: desk. Arguments only; cli.py takes it in."""

from pathlib import Path

import click

from gateway.cli_parts import FILE, option, words
from gateway.terminal.errors import ToolError
from gateway.terminal.help import Command


@click.command(cls=Command)
@option("-c", "--config", type=FILE, metavar="FILE", help="option.desk_config")
@option("--check", "only_check", is_flag=True, help="option.desk_check")
@option("-v", "--verbose", count=True, help="option.verbose")
def desk(config: Path | None, only_check: bool, verbose: int) -> int:
    """Run the duty desk."""
    try:
        from gateway import duty
    except ImportError as error:  # asyncpg or starlette: the extra is not installed, or not whole
        raise ToolError("desk.missing", name=error.name or error) from error
    return duty.check(config, words()) if only_check else duty.run(config, words(), verbose)
