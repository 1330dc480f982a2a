"""The alert list, newest first: colour, shape and word for the severity, an age, and words in one's language."""

import time
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from gateway.terminal.document import Alert
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import FAINT, MARKS, age
from gateway.terminal.words import Words

SHORT = 6  # last characters of an alert's id: enough to tell one from another, the first ones are its time


def newest_first(alerts: Sequence[Alert]) -> list[Alert]:
    """Return the alerts as people want them."""
    return sorted(alerts, key=lambda alert: alert.first_seen, reverse=True)


def listed(alerts: Sequence[Alert], words: Words, *, now: float | None = None) -> Table:
    """Return the list as a table; `now` is wall time."""
    wall = time.time() if now is None else now
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("severity", "alert", "age", "text", "count", "state"):
        table.add_column(
            words(f"column.{key}"), no_wrap=key != "text", justify="right" if key == "age" else "left"
        )
    for alert in newest_first(alerts):
        quiet = FAINT if alert.state in {"cleared", "acknowledged", "shelved"} else ""
        table.add_row(
            mark(alert.severity, words),
            Text(alert.alert[-SHORT:], FAINT),
            age(wall - alert.first_seen, words),
            Text(words.of(alert.text), quiet),
            f"×{alert.count}" if alert.count > 1 else "",
            Text(state(alert, words), FAINT),
        )
    return table


def mark(severity: str, words: Words) -> Text:
    """Return a severity as shape, colour and word."""
    shape, style = MARKS.get(severity, MARKS["info"])
    return Text(f"{shape} {words(f'severity.{severity}')}" if severity in MARKS else severity, style)


def state(alert: Alert, words: Words) -> str:
    """Return the state of an alert, and who acknowledged it."""
    key = f"state.{alert.state}"
    told = words(key) if key in words else alert.state.replace("_", " ")
    return f"{told} ({alert.by.removeprefix('local:')})" if alert.by else told


def chosen(wanted: str, alerts: Sequence[Alert]) -> Alert:
    """Return the one alert whose id ends, or begins, with `wanted`; ToolError if there is none or more than one."""
    ids = [
        alert
        for alert in alerts
        if wanted and (alert.alert.endswith(wanted) or alert.alert.startswith(wanted))
    ]
    if len(ids) == 1:
        return ids[0]
    raise ToolError("alerts.several" if ids else "alerts.unknown", wanted=wanted, n=len(ids))
