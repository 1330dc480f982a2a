"""Numbers as people read them: ages, times of day, shares as bars, bytes. Plain functions, no colour."""

import sys
import time

from rich.console import Console

from gateway.terminal.words import Words

WIDE = 140  # columns of a table nobody watches: a pipe, a file

SEVERITIES = ("critical", "major", "minor", "info")
MARKS = {
    "critical": ("◆", "bold red"),
    "major": ("▲", "bold yellow"),
    "minor": ("●", "yellow"),
    "info": ("■", "cyan"),
}
"""Shape and colour of a severity; the word stands beside them, since not everybody sees colours."""

GOOD, WARN, BAD, FAINT = "green", "yellow", "bold red", "dim"


def console() -> Console:
    """Return a console on standard output, wide enough for tables when it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def age(seconds: float | None, words: Words) -> str:
    """Return how long ago something was, in its two largest units: "3 h 12 min"."""
    if seconds is None:
        return words("age.never")
    if seconds < 60:
        return words("age.seconds", s=f"{max(seconds, 0.0):.1f}" if seconds < 10 else f"{seconds:.0f}")
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if hours < 1:
        return words("age.minutes", m=minutes)
    if days < 1:
        return words("age.hours", h=hours, m=minutes % 60)
    return words("age.days", d=days, h=hours % 24)


def clock(wall: float) -> str:
    """Return the time of day here, with the date when it was not today."""
    then, today = time.localtime(wall), time.localtime()
    same_day = (then.tm_year, then.tm_yday) == (today.tm_year, today.tm_yday)
    return time.strftime("%H:%M:%S" if same_day else "%m-%d %H:%M:%S", then)


def bar(share: float, width: int = 12) -> str:
    """Return a share of one as a bar; anything above nothing shows at least one mark."""
    share = min(max(share, 0.0), 1.0)
    full = max(round(share * width), 1 if share > 0.001 else 0)
    return "━" * full + "╌" * (width - full)


def milliseconds(seconds: float | None) -> str:
    """Return a round trip in milliseconds."""
    return (
        "–"
        if seconds is None
        else f"{seconds * 1000:.0f} ms"
        if seconds >= 0.01
        else f"{seconds * 1000:.1f} ms"
    )


def size(count: float) -> str:
    """Return a number of bytes."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
