"""`export`: journal rows as JSON lines or CSV, and times as people write them."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateway.core import outcomes
from gateway.core.presses import COUNTED
from gateway.terminal.errors import ToolError

CARE: Final = "care."
"""The family of kinds that are about people."""

COLUMNS = (
    "id", "time", "clock", "type", "device", "point", "value", "unit", "quality", "kind", "severity", "change",
    "state", "text_zh", "text_en", "detail",
)  # fmt: skip

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)")
_UNITS_S = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def moment(told: str, now: datetime) -> float:
    """Return wall seconds for "2h" (ago), "yesterday", "today", "now" or ISO 8601; ToolError for anything else.

    `now` carries the zone that times without one are meant in.
    """
    words = told.strip().lower()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if words in named:
        return named[words].timestamp()
    try:
        if span := _SPAN.fullmatch(words):
            return (now - timedelta(seconds=float(span[1]) * _UNITS_S[span[2]])).timestamp()
        then = datetime.fromisoformat(told.strip())
        return (then if then.tzinfo else then.replace(tzinfo=now.tzinfo)).timestamp()
    except (ValueError, OverflowError) as error:
        raise ToolError("export.moment", told=told) from error


_NAMES = ("device", "name", "door", "interlock", "reader", "camera")
_DETAILS = (
    "action",
    "mode",
    "result",
    "what",
    "why",
    "by",
    "cause",
    "holder",
    "card",
    "detail",
    "reason",
    "note",
)


def is_about_resident(event: Mapping[str, Any]) -> bool:
    """Return whether a row says something of a resident: its alert, where they are, what a watch has counted."""
    body = event.get("body", {})
    match body.get("type"):
        case "alert":
            return str(body.get("kind", "")).startswith(CARE)
        case "command" | "outcome":
            return outcomes.is_private(str(body.get("action", "")))
        case "memory":  # what a restart needs of it, and of other assets: of use to nobody else
            return True
        case "baseline":  # where a counter stood, and so when somebody pressed it
            return bool(body.get("origin") == COUNTED)
        case _:
            return False


def json_lines(events: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Yield an event a line."""
    for event in events:
        yield json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def csv_lines(events: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a heading and an event a line (RFC 4180, lines without their end)."""
    yield ",".join(COLUMNS)
    for event in events:
        row = io.StringIO()
        csv.DictWriter(row, COLUMNS, extrasaction="ignore", lineterminator="").writerow(_row(event))
        yield row.getvalue()


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    body = event.get("body", {})
    text = body.get("text") or {}
    value = body.get("value")
    told = [body.get(key) for key in _DETAILS]
    return {
        **body,
        "id": f"{event.get('epoch')}.{event.get('seq')}",
        "time": datetime.fromtimestamp(event.get("time", 0.0), UTC).isoformat(timespec="milliseconds"),
        "clock": event.get("clock"),
        "device": next((body[key] for key in _NAMES if body.get(key)), None),
        "value": str(value).lower() if isinstance(value, bool) else value,
        "text_zh": text.get("zh"),
        "text_en": text.get("en"),
        "detail": " ".join(each for each in told if isinstance(each, str) and each),
    }
