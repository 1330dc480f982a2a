"""The commands about upkeep: what is installed, what to test, what was tested. Asks the gateway, or reads its file.

A gateway that does not run is no reason to have no inventory: the configuration says what hangs where, and only what
was seen is left out, which is said.
"""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.table import Table

from gateway import configuration, site
from gateway.core import kinds
from gateway.core.config import Config
from gateway.core.csv_text import to_csv
from gateway.core.ledger_columns import COLUMNS, FOREIGN, Cell
from gateway.desk.registry import ledger
from gateway.terminal import calendar as calendars
from gateway.terminal import upkeep
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import FAINT, console
from gateway.terminal.upkeep import Row, Sheet
from gateway.terminal.words import Words

_EVERY: Final = (*(column.name for column in COLUMNS), *FOREIGN)
SHOWN: Final = tuple(
    _EVERY.index(name)
    for name in (
        "device", "model", "building", "unit", "floor", "line", "address", "serial", "firmware", "last_seen",
        "tested_on", "ends_on", "replaced", "due",
    )
)  # fmt: skip
"""The columns of the inventory that a screen has room for."""


def inventory(path: Path | None, socket: Path | None, form: str, output: Path | None, words: Words) -> None:
    """Show what is installed, or write it to a file."""
    sheet = _sheet(path, socket, words)
    if form == "json":
        _out(
            json.dumps(msgspec.to_builtins(sheet.rows), ensure_ascii=False, indent=1).encode() + b"\n", output
        )
        return
    rows = _inventory_rows(sheet, words)
    if form == "table":
        _table(rows, SHOWN)
        return
    _out(_xlsx(rows, words("upkeep.installed")) if form == "xlsx" else to_csv(rows), output)


def plan(path: Path | None, socket: Path | None, words: Words) -> None:
    """Show which detectors to test this month."""
    sheet = _sheet(path, socket, words)
    names = sheet.plan()
    late = set(sheet.overdue())
    rows = [
        [*row, words("upkeep.overdue") if row[0] in late else ""] for row in upkeep.named(names, sheet, words)
    ]
    _table([[words("upkeep.device"), words("upkeep.place"), words("upkeep.state")], *rows], range(3))


def report(path: Path | None, socket: Path | None, form: str, output: Path | None, words: Words) -> None:
    """Show which detectors were tested when, or write it as a page or a CSV."""
    sheet = _sheet(path, socket, words)
    if form == "html":
        _out(upkeep.page(sheet, words).encode(), output)
    elif form == "csv":
        _out(
            to_csv([*upkeep.report(sheet, words), *([line] for line in upkeep.summary(sheet, words))]), output
        )
    else:
        _table(upkeep.report(sheet, words), range(7))
        for line in upkeep.summary(sheet, words):
            console().print(line, style=FAINT, soft_wrap=True)


def calendar(path: Path | None, socket: Path | None, form: str, output: Path | None, words: Words) -> None:
    """Show what of maintenance is due when."""
    sheet = _sheet(path, socket, words)
    rows = calendars.calendar(sheet, words)
    if form == "csv":
        _out(to_csv(rows), output)
        return
    _table(rows, range(7))
    marked = sorted({row[-1] for row in rows[1:] if row[-1]})
    console().print(words("upkeep.sources", sources="；".join(marked)), style=FAINT, soft_wrap=True)
    console().print(words("upkeep.unchecked"), style=FAINT, soft_wrap=True)


def history(path: Path | None, socket: Path | None, form: str, output: Path | None, words: Words) -> None:
    """Show which units were swapped for others."""
    rows = calendars.history(_sheet(path, socket, words), words)
    if form == "csv":
        _out(to_csv(rows), output)
    else:
        _table(rows, range(5))


def done(path: Path | None, socket: Path | None, task: str, note: str, words: Words) -> None:
    """Tell that a round of the calendar was done."""
    _client(path, socket).ask("task_done", task=task, note=note)
    click.echo(words("calendar.noted", task=task))


def replaced(path: Path | None, socket: Path | None, device: str, serial: str, words: Words) -> None:
    """Tell that another unit hangs in the place of one."""
    before = _client(path, socket).ask("unit_replaced", device=device, serial=serial)["before"]
    unknown = words("calendar.unknown")
    click.echo(words("calendar.swapped", device=device, before=before or unknown, after=serial or unknown))


def begin(path: Path | None, socket: Path | None, place: Sequence[str], minutes: float, words: Words) -> None:
    """Begin a test round."""
    where = {}
    for told in place:
        level, _, name = told.partition("=")
        if not name:
            raise click.UsageError(words("usage.place", told=told), click.get_current_context())
        where[level] = name
    until = _client(path, socket).ask("test_begin", minutes=minutes, place=where)["until"]
    time = datetime.fromtimestamp(until, UTC).astimezone().strftime("%H:%M")
    click.echo(words("upkeep.begun", time=time))


def end(path: Path | None, socket: Path | None, words: Words) -> None:
    """End a test round."""
    _client(path, socket).ask("test_end")
    click.echo(words("upkeep.ended"))


def _client(path: Path | None, socket: Path | None) -> Client:
    return Client([socket] if socket else configuration.control_sockets(path or configuration.find()))


def _sheet(path: Path | None, socket: Path | None, words: Words) -> Sheet:
    file = path or configuration.find()
    checked = configuration.check(file)
    if checked.config is None:
        raise ToolError("upkeep.config", file=file)
    table = checked.config.gateway
    try:
        rows, done = upkeep.read(_client(path, socket).ask("upkeep"))
    except ToolError:
        click.echo(words("upkeep.not_running"), err=True)
        rows, done = _rows_of(checked.config, checked), {}
    things = frozenset(asset.kind for asset in checked.config.asset)
    today = _today(table.utc_offset_h)
    return Sheet(table.id, table.name, rows, today, table.utc_offset_h, done, things)


def _today(offset_h: float) -> date:
    return (datetime.now(UTC) + timedelta(hours=offset_h)).date()


def _rows_of(config: Config, checked: configuration.Checked) -> list[Row]:
    """Return what the file alone says of every device."""
    watched = site.watched_of(config, checked.profiles, kinds.built_in())
    return [
        Row(
            device=each.name,
            line=bus.name,
            address=each.address,
            profile=each.profile,
            category=watched[each.name].category,
            label=each.label,
            place=watched[each.name].place,
            serial=each.serial,
            installed_on=each.installed_on,
            service_years=each.service_years,
            detector=any(rule.kind.fire for rule in watched[each.name].rules),
        )
        for bus in config.bus
        for each in bus.device
    ]


def _inventory_rows(sheet: Sheet, words: Words) -> list[list[Cell]]:
    """Return the inventory in the columns of a desk's ledger, which takes it as it is, and some of its own behind."""
    head, *rows = ledger.table(sheet.assets(), words.language)
    more = [zh if words.language == "zh" else name.replace("_", " ") for name, zh in FOREIGN.items()]
    own = upkeep.foreign(sheet, words)
    return [[*head, *more], *([*row, *extra] for row, extra in zip(rows, own, strict=True))]


def _xlsx(rows: Sequence[Sequence[Cell]], title: str) -> bytes:
    try:
        from gateway.desk.registry import sheets
    except ImportError as error:  # openpyxl comes with the extra `desk`
        raise ToolError("upkeep.no_xlsx", name=error.name or error) from error
    return sheets.to_xlsx(rows, title)


def _table(rows: Sequence[Sequence[Cell]], columns: Sequence[int]) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    head, *body = [[_shown(row[column]) for column in columns] for row in rows]
    for at, name in enumerate(head):
        table.add_column(name, no_wrap=at == 0)
    for row in body:
        table.add_row(*row)
    console().print(table)


def _shown(cell: Cell) -> str:
    return "" if cell is None else f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _out(data: bytes, output: Path | None) -> None:
    """Write to a file, or to standard output."""
    try:
        if output is None:
            sys.stdout.buffer.write(data)
        else:
            output.write_bytes(data)
    except OSError as error:
        raise ToolError("upkeep.unwritable", path=output, reason=error.strerror or error) from error
