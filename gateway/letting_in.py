"""`desk pair`: the running desk is asked for a word that lets one phone in; its address is shown, and as a QR code."""

import datetime
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import segno

from gateway import duty
from gateway.core.places import LEVELS
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import console
from gateway.terminal.help import DONE
from gateway.terminal.words import Words

SYSTEM_SOCKET: Final = Path("/run/compound-gateway-desk/desk.sock")
EVERYWHERE: Final = "everywhere"


def run(path: Path | None, words: Words, *, person: str | None, shared: Sequence[str], label: str) -> int:
    """Show how to let a phone in; return the exit code."""
    if bool(person) == bool(shared):
        raise ToolError("desk_pair.whose")
    config, faults = duty.load(path or duty.find())
    named = [Path(config.desk.control_socket)] if config is not None else []
    if config is None and path is not None:
        raise ToolError(
            "desk_pair.file", reason=next((str(each) for each in faults if not each.warning), path)
        )
    told = _asked([*named, SYSTEM_SOCKET], person=person or "", place=place_of(shared), label=label)
    out = console()
    until = datetime.datetime.fromtimestamp(told["until"]).astimezone()
    out.print(words("desk_pair.open", until=f"{until:%H:%M:%S}"), soft_wrap=True)
    out.print(told["url"], soft_wrap=True, highlight=False, markup=False)
    if not told["reachable"]:
        out.print(words("desk_pair.local"), soft_wrap=True)
    out.print(drawn(told["url"]), soft_wrap=True, highlight=False, markup=False)
    return DONE


def _asked(sockets: Sequence[Path], **wanted: object) -> dict[str, Any]:
    try:
        return Client(sockets).ask("pair", **wanted)
    except ToolError as error:
        if error.key != "client.nobody":
            raise
        raise ToolError("desk_pair.nobody", **error.values) from error


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
