"""`desk pair`: the running desk is asked for a word that lets one phone in; its address is shown, and as a QR code."""

import datetime
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import segno

from gateway import desk_client
from gateway.core.places import LEVELS
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import console
from gateway.terminal.help import DONE
from gateway.terminal.words import Words

EVERYWHERE: Final = "everywhere"


def run(path: Path | None, words: Words, *, person: str | None, shared: Sequence[str], label: str) -> int:
    """Show how to let a phone in; return the exit code."""
    if bool(person) == bool(shared):
        raise ToolError("desk_pair.whose")
    told = desk_client.ask(path, "pair", person=person or "", place=place_of(shared), label=label)
    out = console()
    until = datetime.datetime.fromtimestamp(told["until"]).astimezone()
    out.print(words("desk_pair.open", until=f"{until:%H:%M:%S}"), soft_wrap=True)
    out.print(told["url"], soft_wrap=True, highlight=False, markup=False)
    if not told["reachable"]:
        out.print(words("desk_pair.local"), soft_wrap=True)
    out.print(drawn(told["url"]), soft_wrap=True, highlight=False, markup=False)
    return DONE


def place_of(parts: Sequence[str]) -> dict[str, str]:
    """Return the place that `level=name` texts say; ToolError for what is no level."""
    place: dict[str, str] = {}
    for part in parts:
        if part == EVERYWHERE:
            continue
        level, equals, name = part.partition("=")
        if level not in LEVELS or not equals or not name:
            raise ToolError("desk_pair.place", found=part, levels=", ".join(LEVELS))
        place[level] = name
    return place


def drawn(url: str) -> str:
    """Return an address as a QR code of half blocks."""
    picture = io.StringIO()
    segno.make(url, error="m", micro=False).terminal(out=picture, border=2, compact=True)
    return picture.getvalue()
