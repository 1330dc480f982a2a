"""`desk status`: how the running desk is, in words or as JSON."""

import datetime
import json
from pathlib import Path
from typing import Any

from drivers.api import Text
from gateway import desk_client
from gateway.terminal.figures import console
from gateway.terminal.help import DONE, NO
from gateway.terminal.words import Words


def run(path: Path | None, words: Words, *, as_json: bool) -> int:
    """Show how the desk is; exit 1 when it does not hear a broker, a page reached nobody or its card fails."""
    told = desk_client.ask(path, "status")
    told.pop("ok", None)
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        out = console()
        for line in lines(told, words):
            out.print(line, soft_wrap=True, highlight=False, markup=False)
    silent = any(each["since"] is None for each in told["brokers"])
    return NO if told["failed"] or told["damaged"] or silent else DONE


def lines(told: dict[str, Any], words: Words) -> list[str]:
    """Return a line for each fact, what needs somebody last."""
    intake, evidence = told["intake"], told["evidence"]
    found = [
        words(
            "desk_status.took",
            name=told["name"],
            **{key: intake[key] for key in ("received", "stored", "alerts")},
        ),
        words("desk_status.work", open=told["open_alerts"], waiting=told["waiting"]),
        words("desk_status.evidence", kept=evidence["kept"], gone=evidence["thrown_away"]),
    ]
    for each in told["brokers"]:
        key = "desk_status.lost" if each["since"] is None else "desk_status.heard"
        found.append(words(key, url=each["url"], name=each["name"], since=_clock(each["since"])))
    for each in told["quiet"]:
        found.append(words("desk_status.quiet", gateway=each["gateway"], since=_clock(each["since"])))
    found += [words.of(Text(**each)) for each in told["damaged"]]
    if told["failed"]:
        found.append(words("desk_status.failed", count=told["failed"]))
    troubles = (intake["last_fault"], evidence["trouble"])
    return [*found, *(words("desk_status.trouble", what=each) for each in troubles if each)]


def _clock(at: float | None) -> str:
    return "" if at is None else f"{datetime.datetime.fromtimestamp(at).astimezone():%m-%d %H:%M}"
