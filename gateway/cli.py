"""The command line: arguments only. What each command does stands in the modules it calls.

Everything heavy is imported inside the commands: `--help` is quick, and the daemon never loads what draws tables.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from gateway import __version__, cli_assets, cli_cards, cli_desk, cli_doors, cli_replay, cli_sign, cli_upkeep
from gateway.cli_parts import (
    FILE,
    asking,
    config_option,
    for_machines,
    json_option,
    option,
    socket_option,
    words,
)
from gateway.terminal.errors import ToolError
from gateway.terminal.help import DONE, INTERRUPTED, NO, PROGRAM, Command, Group, Option, Program
from gateway.terminal.words import LANGUAGES

HELP_NAMES = {"help_option_names": ["-h", "--help"]}
FORMATS = ("jsonl", "csv")


@click.group(cls=Program, context_settings=HELP_NAMES)
@option("--lang", type=click.Choice(LANGUAGES), help="option.lang")
@option("--debug", is_flag=True, help="option.debug")
@click.version_option(__version__, cls=Option, prog_name=PROGRAM, help="option.version")
def cli(lang: str | None, debug: bool) -> None:
    """Stand for all commands; `Program` takes --lang and --debug out of the arguments wherever they are."""
    del lang, debug


@cli.command(cls=Command)
@config_option
@option("-v", "--verbose", count=True, help="option.verbose")
def run(config: Path | None, verbose: int) -> int:
    """Run the daemon."""
    from gateway import daemon

    return daemon.run(config, verbose, words())


@cli.command(cls=Command)
@option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="option.port")
@option("--script", type=FILE, metavar="FILE", help="option.script")
@option("--only", metavar="SYSTEM,...", default="", help="option.only")
@option("--seconds", type=click.FloatRange(min=0), help="option.seconds")
@option("--port-only", is_flag=True, help="option.port_only")
def demo(port: int, script: Path | None, only: str, seconds: float | None, port_only: bool) -> int:
    """Play the demo."""
    from gateway.demo import play

    systems = tuple(filter(None, map(str.strip, only.split(","))))
    return play.main(
        port=port,
        script=script,
        only=systems,
        seconds=seconds,
        port_only=port_only,
    )


@cli.command(cls=Command)
@config_option
@json_option
def check(config: Path | None, as_json: bool) -> int:
    """Check a configuration."""
    from gateway import inspection

    return inspection.check(config, words(), as_json=as_json)


@cli.command(cls=Command)
@click.argument("port")
@option("--baud", type=click.IntRange(300, 4_000_000), multiple=True, help="option.baud")
@option("--parity", type=click.Choice(["none", "even", "odd"]), multiple=True, help="option.parity")
@option("--address", metavar="LIST", help="option.address")
@option("--wait", type=click.IntRange(5, 10_000), default=100, show_default=True, help="option.wait")
@option("--thorough", is_flag=True, help="option.thorough")
@config_option
@json_option
def scan(port: str, address: str | None, as_json: bool, config: Path | None, **narrowed: Any) -> int:
    """Scan a line."""
    from gateway import inspection

    return inspection.scan(port, address, config, words(), as_json=as_json, **narrowed)


@cli.command(cls=Command)
@option("-o", "--output", type=FILE, metavar="FILE", help="option.setup_output")
@option("--answers", type=FILE, metavar="FILE", help="option.setup_answers")
@option("--yes", "hurried", is_flag=True, help="option.setup_yes")
@option("--baud", type=click.IntRange(300, 4_000_000), multiple=True, help="option.baud")
@option("--address", metavar="LIST", help="option.address")
def setup(
    output: Path | None, answers: Path | None, hurried: bool, baud: tuple[int, ...], address: str | None
) -> int:
    """Set up a gateway."""
    from gateway import inspection

    return inspection.setup(output, answers, words(), hurried=hurried, addresses=address, baud=baud)


@cli.command(cls=Command)
@config_option
@socket_option
@json_option
def status(config: Path | None, socket: Path | None, as_json: bool) -> None:
    """Show the status."""
    asking(config, socket).status(as_json=as_json)


@cli.group(cls=Group, invoke_without_command=True)
@config_option
@socket_option
@json_option
@click.pass_context
def alerts(context: click.Context, config: Path | None, socket: Path | None, as_json: bool) -> None:
    """List the alerts, or do something about one."""
    context.meta["asking"] = told = asking(config, socket)
    if context.invoked_subcommand is None:
        told.alerts(as_json=as_json)


@alerts.command(cls=Command)
@click.argument("alert", metavar="ID")
@option("--note", metavar="TEXT", help="option.note")
@click.pass_context
def ack(context: click.Context, alert: str, note: str | None) -> None:
    """Acknowledge an alert."""
    context.meta["asking"].acknowledge(alert, note)


@alerts.command(cls=Command)
@click.argument("device")
@click.pass_context
def reset(context: click.Context, device: str) -> int:
    """Reset a device."""
    return DONE if context.meta["asking"].order(device, "reset", {}, as_json=False) else NO


@alerts.command(cls=Command)
@click.argument("alert", metavar="ID")
@option("--minutes", type=click.FloatRange(1, 10_080), default=60, show_default=True, help="option.minutes")
@click.pass_context
def shelve(context: click.Context, alert: str, minutes: float) -> None:
    """Put an alert aside."""
    context.meta["asking"].shelve(alert, minutes)


@cli.command(cls=Command)
@config_option
@socket_option
@option("--plain", is_flag=True, help="option.plain")
def watch(config: Path | None, socket: Path | None, plain: bool) -> int:
    """Show the live view."""
    try:
        asking(config, socket).watch(plain=plain or not sys.stdout.isatty())
    except KeyboardInterrupt:  # the way to leave it
        return DONE
    return NO


@cli.command(cls=Command)
@click.argument("name", required=False)
@config_option
@json_option
def profiles(name: str | None, config: Path | None, as_json: bool) -> int:
    """Show the products."""
    from gateway import inspection

    return inspection.profiles(name, config, words(), as_json=as_json)


@cli.command(cls=Command)
@click.argument("source", metavar="FILE_OR_URL")
@json_option
@option("--annotate", type=FILE, metavar="OUT.mp4", help="option.annotate")
@option("--stills", type=FILE, metavar="DIR", help="option.stills")
@option("--explain", is_flag=True, help="option.explain")
@option("--floors", metavar="LIST", help="option.floors")
@option("--watch", metavar="POINTS", help="option.watch")
@option("--ignore", metavar="POINTS", multiple=True, help="option.ignore")
@config_option
@option("--camera", metavar="NAME", help="option.camera")
def vision(
    source: str, as_json: bool, annotate: Path | None, stills: Path | None, explain: bool, **view: Any
) -> int:
    """Watch a video."""
    try:
        from gateway import footage
    except ImportError as error:  # av, cv2, numpy or onnxruntime: the extra is not installed, or not whole
        raise ToolError("vision.missing", name=error.name or error) from error
    output = footage.Output(as_json=as_json, explain=explain, annotate=annotate, stills=stills)
    return footage.vision(source, words(), footage.View(**view), output)


@cli.command(cls=Command)
@click.argument("source", metavar="NAME_OR_FILE_OR_URL")
@config_option
@option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="option.host")
@option("--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="option.port")
def camera(source: str, config: Path | None, host: str, port: int) -> int:
    """Mark floors and facade in a camera's picture."""
    try:
        from gateway import marking
    except ImportError as error:  # the extras desk and vision are not installed, or not whole
        raise ToolError("camera.missing", name=error.name or error) from error
    return marking.mark(source, config, words(), host=host, port=port)


@cli.command(cls=Command, hidden=True)  # for systemd, not for people
@option("-v", "--verbose", count=True, help="option.verbose")
def nursery(verbose: int) -> int:
    """Start the processes of cameras for a gateway beside us."""
    from gateway import nursing

    return nursing.run(verbose)


@cli.command(cls=Command)
@click.argument("device")
@click.argument("action")
@click.argument("arguments", nargs=-1, metavar="[NAME=VALUE]...")
@config_option
@socket_option
@json_option
def command(device: str, action: str, arguments: tuple[str, ...], as_json: bool, **where: Any) -> int:
    """Tell a device to do something."""
    given = dict(_argument(told) for told in arguments)
    return DONE if asking(**where).order(device, action, given, as_json=as_json) else NO


@cli.command(cls=Command)
@option("--since", default="today", show_default=True, metavar="TIME", help="option.since")
@option("--until", default="now", show_default=True, metavar="TIME", help="option.until")
@option(
    "--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True, help="option.format"
)
@option("--residents", is_flag=True, help="option.residents")
@config_option
@socket_option
def export(since: str, until: str, form: str, *, residents: bool, **where: Any) -> int:
    """Write out journal rows."""
    for_machines(None, None, True)
    try:
        asking(**where).export(since, until, form, residents=residents)
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


@cli.command(cls=Command)
@config_option
@socket_option
@option("-o", "--output", type=FILE, metavar="FILE.tar.gz", help="option.report")
def report(config: Path | None, socket: Path | None, output: Path | None) -> None:
    """Put together what whoever maintains it asks for."""
    from gateway import reporting

    click.echo(reporting.make(config, socket, output, words()))


for each in (
    cli_doors.doors,
    cli_doors.drill,
    cli_doors.osdp,
    cli_assets.assets,
    cli_assets.bins,
    cli_upkeep.inventory,
    cli_upkeep.tests,
    cli_upkeep.maintenance,
    cli_cards.cards,
    cli_sign.sign,
    cli_desk.desk,
    cli_replay.replay,
):
    cli.add_command(each)


def main() -> None:
    """Run the console script; what is said where an output was closed (`>&-`) goes nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        cli()


def _argument(told: str) -> tuple[str, float]:
    name, _, value = told.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise click.UsageError(words()("usage.argument", told=told), click.get_current_context()) from None
