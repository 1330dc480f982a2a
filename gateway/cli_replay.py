"""`replay`: a rule tried against what was recorded, before it wakes anybody."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli_parts import FILE, config_option, json_option, option, words
from gateway.terminal.errors import ToolError
from gateway.terminal.help import Command

if TYPE_CHECKING:  # loaded when it is used
    from gateway.replaying import Spell, Told

FAULTY = 1


@click.command(cls=Command)
@click.argument("file", type=FILE)
@option("--rules", type=FILE, metavar="RULES.toml", help="option.rules")
@option("--alone", is_flag=True, help="option.alone")
@config_option
@json_option
def replay(file: Path, rules: Path | None, config: Path | None, alone: bool, as_json: bool) -> int:
    """Try rules against recorded readings."""
    from rich.console import Console

    from gateway import configuration, replaying
    from gateway.terminal.faults import show

    checked = configuration.check(config or configuration.find())
    faults = [fault for fault in checked.faults if not fault.warning]
    tables: list[dict[str, Any]] = []
    if not faults and rules is not None:
        tables, faults = replaying.rules_of(_text(rules), str(rules), checked)
    if faults:
        show(faults, words(), Console(stderr=True, highlight=False))
    if checked.config is None or any(not fault.warning for fault in faults):
        return FAULTY
    watched = replaying.watched_of(checked, tables, alone=alone)
    try:
        with file.open(encoding="utf-8") as lines:
            told = replaying.replay(watched, replaying.events_of(_watched_lines(lines, file)))
    except OSError as error:
        raise ToolError("replay.file", path=str(file), reason=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ToolError("replay.file", path=str(file), reason=str(error)) from error
    except replaying.RecordError as error:
        raise ToolError("replay.record", path=str(file), line=error.line, found=error.found) from error
    _print_json(told) if as_json else _print(told)
    return 0


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError("replay.file", path=str(path), reason=str(error)) from error


def _watched_lines(lines: Any, file: Path) -> Iterator[str]:
    """Yield the lines, with a progress bar on standard error where somebody looks and the file is long."""
    from rich.console import Console
    from rich.progress import Progress

    size = file.stat().st_size
    screen = Console(stderr=True)
    if size < 1 << 20 or not screen.is_terminal:
        yield from lines
        return
    with Progress(console=screen, transient=True) as progress:
        task = progress.add_task(file.name, total=size)
        for line in lines:
            progress.advance(task, len(line.encode()))
            yield line


def _print_json(told: "Told") -> None:
    import msgspec

    shape = msgspec.to_builtins(told)
    shape["by_kind"] = dict(Counter(spell.kind for spell in told.spells))
    click.echo(json.dumps(shape, ensure_ascii=False))


def _print(told: "Told") -> None:
    say = words()
    for spell in told.spells:
        text = spell.zh if say.language == "zh" else spell.en
        click.echo(f"{_time(spell.raised)}  {spell.kind:<20} {_length(spell):>8}  {text}")
    kinds = Counter(spell.kind for spell in told.spells)
    summary = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or say("replay.nothing")
    click.echo(say("replay.summary", readings=told.readings, alerts=len(told.spells), kinds=summary))
    if told.strangers:
        click.echo(say("replay.strangers", names=", ".join(sorted(told.strangers)[:8])), err=True)


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _length(spell: "Spell") -> str:
    if spell.cleared is None:
        return words()("replay.stands")
    return f"{spell.cleared - spell.raised:,.0f} s"
