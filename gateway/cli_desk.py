"""The commands of the duty desk: desk, desk notify test, desk pair. Arguments only; cli.py takes them in."""

from pathlib import Path
from types import ModuleType
from typing import Any

import click

from gateway.cli_parts import FILE, json_option, option, words
from gateway.terminal.errors import ToolError
from gateway.terminal.help import Command, Group

config_option = option("-c", "--config", type=FILE, metavar="FILE", help="option.desk_config")


@click.group(cls=Group, invoke_without_command=True)
@config_option
@option("--check", "only_check", is_flag=True, help="option.desk_check")
@option("-v", "--verbose", count=True, help="option.verbose")
@click.option("--beside", is_flag=True, hidden=True)  # a gateway is at standard input
@click.pass_context
def desk(
    context: click.Context, config: Path | None, only_check: bool, verbose: int, beside: bool
) -> int | None:
    """Run the duty desk, or do something with it."""
    context.meta["config"] = config
    if context.invoked_subcommand is not None:
        return None
    duty = _parts().duty
    code: int = (
        duty.check(config, words()) if only_check else duty.run(config, words(), verbose, beside=beside)
    )
    return code


@desk.group(cls=Group)
def notify() -> None:
    """Try the ways to people."""


@notify.command(cls=Command)
@click.argument("channel", required=False)
@option("--to", "person", metavar="PERSON", help="option.to_person")
@option("--critical", is_flag=True, help="option.as_critical")
@config_option
@json_option
@click.pass_context
def test(context: click.Context, /, config: Path | None, **asked: Any) -> int:
    """Send a real test page and show what the service says."""
    code: int = _parts().trial.run(config or context.meta["config"], words(), **asked)
    return code


@desk.command(cls=Command)
@click.argument("person", required=False)
@option("--shared", multiple=True, metavar="PLACE", help="option.shared_phone")
@option("--label", default="", metavar="TEXT", help="option.phone_label")
@config_option
@click.pass_context
def pair(context: click.Context, /, config: Path | None, **asked: Any) -> int:
    """Let a phone in."""
    code: int = _parts().letting_in.run(config or context.meta["config"], words(), **asked)
    return code


@desk.command(cls=Command)
@config_option
@json_option
@click.pass_context
def status(context: click.Context, /, config: Path | None, as_json: bool) -> int:
    """Show how the running desk is."""
    code: int = _parts().desk_status.run(config or context.meta["config"], words(), as_json=as_json)
    return code


def _parts() -> ModuleType:
    """Return the package with what the commands do; ToolError where the extra is not installed, or not whole."""
    try:
        import gateway
        import gateway.desk_status
        import gateway.duty
        import gateway.letting_in
        import gateway.trial
    except ImportError as error:  # asyncpg or starlette
        raise ToolError("desk.missing", name=error.name or error) from error
    return gateway
