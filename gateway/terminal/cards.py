"""The commands about the access list: bring a file, show the list, change one card. No number is ever shown whole.

A file is looked at here first, so that its faults are told at once and with nobody to ask; the gateway looks again.
"""

import csv
import dataclasses
import io
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.core.access_file import COLUMNS, MOST_BYTES, decode, read, read_bytes
from gateway.core.faults import Fault
from gateway.terminal import faults as fault_list
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import BAD, FAINT, GOOD, WARN, console
from gateway.terminal.words import Words

PART: Final = 5000
"""Characters of a file in one request: JSON takes twelve bytes for one at most, and a request has 64 kB."""
FAULTS_SHOWN: Final = 50
CARDS_SHOWN: Final = 500  # of a table; nobody reads more, and drawing them takes seconds
FEW_PINS: Final = 10_000  # fewer than that for one that fits are soon tried


class Cards:
    """Asks one gateway about its access list. Every method raises ToolError when there is nobody to ask."""

    def __init__(self, client: Client, words: Words) -> None:
        self._client, self._words = client, words

    def bring(self, file: Path, *, force: bool, dry_run: bool, as_json: bool) -> bool:
        """Put a file in the place of the list in force; return whether that was, or could be, done."""
        data = _bytes(file)
        found = read_bytes(data).faults
        if found:
            self._faults(found, file, as_json=as_json)
            return False
        answer = self._send(decode(data), force=force, dry_run=dry_run)
        changes, faults = answer.get("changes") or {}, _faults(answer)
        refused = not answer["taken"] and not (dry_run and changes)
        if as_json:
            click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        elif faults:
            self._faults(faults, file, as_json=False, more=answer.get("more", 0))
        else:
            self._changes(changes, refused=refused, dry_run=dry_run, source=answer["source"])
        return not refused

    def show(self, holder: str, door: str, *, as_json: bool) -> None:
        """Show the list in force, or those whose name has `holder` in it, or who may open one door."""
        head: dict[str, Any] = {}
        found: list[dict[str, Any]] = []
        for answer in self._client.stream("cards_list", door=door):
            head = answer if "total" in answer else head
            found += [card for card in answer.get("cards", []) if holder in card["holder"]]
        if as_json:
            told = {"total": head.get("total"), "source": head.get("source"), "cards": found}
            click.echo(json.dumps(told, ensure_ascii=False, indent=2))
            return
        out = console()
        shown = found[:CARDS_SHOWN]
        if shown:
            out.print(listed(shown, self._words, head.get("offset_h", 0.0)))
        out.print(Text(self._words("cards.total", shown=len(shown), total=head.get("total", 0)), FAINT))
        if len(found) > len(shown):
            out.print(Text(f"  {self._words('cards.more', n=len(found) - len(shown))}", WARN))
        self._source(head.get("source") or {}, out)

    def add(self, told: Mapping[str, str | None]) -> bool:
        """Add one card, or change the one with this number; return whether it was done."""
        line = io.StringIO()
        writer = csv.DictWriter(line, [name for name in COLUMNS if told.get(name)], lineterminator="\n")
        writer.writeheader()
        writer.writerow({name: value for name, value in told.items() if value})
        found: Sequence[Fault] = read(line.getvalue()).faults
        answer = {} if found else self._client.ask("cards_add", text=line.getvalue())
        found = found or _faults(answer)
        if found:
            self._faults(found, Path(), as_json=False)
            return False
        self._told("cards.added", answer)
        return True

    def change(self, op: str, who: str) -> None:
        """Remove, block or unblock what a holder has, or one card."""
        answer = self._client.ask(op, who=who)
        self._told(
            {"cards_remove": "cards.removed", "cards_block": "cards.blocked"}.get(op, "cards.unblocked"),
            answer,
        )

    def _send(self, text: str, *, force: bool, dry_run: bool) -> dict[str, Any]:
        """Send a text in parts, since a request has at most 64 kB; return the answer to the last."""
        upload = secrets.token_hex(8)
        parts = [text[at : at + PART] for at in range(0, len(text), PART)]
        for number, part in enumerate(parts[:-1]):
            self._client.ask("cards_import", upload=upload, part=number, text=part)
        return self._client.ask(
            "cards_import",
            upload=upload,
            part=len(parts) - 1,
            text=parts[-1],
            last=True,
            force=force,
            dry_run=dry_run,
        )

    def _faults(self, found: Sequence[Fault], file: Path, *, as_json: bool, more: int = 0) -> None:
        if as_json:
            told = {"taken": False, "faults": [fault_list.plain(fault, self._words) for fault in found]}
            click.echo(json.dumps(told, ensure_ascii=False, indent=2))
            return
        name = str(file) if file.name else self._words("cards.here")
        shown = [dataclasses.replace(fault, file=name) for fault in found[:FAULTS_SHOWN]]
        fault_list.show(shown, self._words, console())
        count = len(found) + more
        console().print(Text(f"✗ {self._words('cards.faulty', n=count, shown=len(shown))}", BAD))

    def _changes(
        self, changes: Mapping[str, Any], *, refused: bool, dry_run: bool, source: Mapping[str, Any]
    ) -> None:
        out = console()
        numbers = {name: changes[name] for name in ("new", "changed", "gone", "same")}
        counted = self._words("cards.changes", **numbers)
        if refused or changes["drops_half"]:
            style, mark = (BAD, "✗") if refused else (WARN, "!")
            out.print(Text(f"{mark} {self._words('cards.drops_half', gone=changes['gone'])}", style))
            out.print(Text(f"  {counted}", FAINT))
        if not refused:
            told = self._words("cards.would" if dry_run else "cards.taken", changes=counted)
            out.print(Text(f"✓ {told}", GOOD))
        if changes["elsewhere"]:
            out.print(Text(f"  {self._words('cards.elsewhere', n=changes['elsewhere'])}", WARN))
        if 0 < changes["guess_one_in"] < FEW_PINS:
            out.print(Text(f"  {self._words('cards.guessable', n=changes['guess_one_in'])}", WARN))
        self._source(source, out)

    def _told(self, key: str, answer: Mapping[str, Any]) -> None:
        out = console()
        out.print(Text(f"✓ {self._words(key, n=max(answer.get('count', 1), 1))}", GOOD))
        if answer.get("cards"):
            out.print(listed(answer["cards"], self._words, answer.get("offset_h", 0.0)))
        if key in {"cards.added", "cards.removed"}:
            self._source(answer.get("source") or {}, out)

    def _source(self, source: Mapping[str, Any], out: Console) -> None:
        """Say that the list has a source which will take this one's place."""
        if source.get("from"):
            out.print(Text(f"  {self._words('cards.source', where=source['from'])}", FAINT))
        if source.get("wrong"):
            out.print(Text(f"  {self._words('cards.wrong', what=source['wrong'])}", WARN))


def listed(cards: Sequence[Mapping[str, Any]], words: Words, offset_h: float) -> Table:
    """Return entries as a table; `offset_h` is local time at the gateway minus UTC."""
    zone = timezone(timedelta(hours=offset_h))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("holder", "card", "pin", "doors", "schedule", "valid", "note"):
        table.add_column(words(f"cards.{key}"), no_wrap=key in {"card", "pin", "valid"})
    for card in cards:
        table.add_row(
            Text(card["holder"], "" if not card["blocked"] else f"{BAD} strike"),
            Text(card["card"] or "–", FAINT),
            "●" if card["pin"] else "",
            " ".join(card["doors"]),
            " ".join(card["schedules"]),
            _valid(card, words, zone),
            Text(card["note"], FAINT),
        )
    return table


def _valid(card: Mapping[str, Any], words: Words, zone: timezone) -> Text:
    if card["blocked"]:
        return Text(words("cards.is_blocked_here" if card["blocked_here"] else "cards.is_blocked"), BAD)
    begin, end = card["valid_from"], card["valid_until"]
    if begin is None and end is None:
        return Text("")
    now = time.time()
    timely = (begin is None or begin <= now) and (end is None or now < end)
    first, last = _moment(begin, zone), _moment(end, zone, end=True)
    return Text(f"{first}–{last}", FAINT if timely else WARN)


def _moment(wall: float | None, zone: timezone, *, end: bool = False) -> str:
    """Return a day, or a day and a time; an end at midnight is the day before, as it was written."""
    if wall is None:
        return ""
    at = datetime.fromtimestamp(wall, zone)
    if (at.hour, at.minute) != (0, 0):
        return f"{at:%Y-%m-%d %H:%M}"
    return f"{at - timedelta(days=end):%Y-%m-%d}"


def _faults(answer: Mapping[str, Any]) -> list[Fault]:
    return [msgspec.convert(each, Fault) for each in answer.get("faults", [])]


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise ToolError("cards.unreadable", file=file, reason=error.strerror or error) from error
