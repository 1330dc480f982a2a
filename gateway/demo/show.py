"""The demo's terminal: scenes, alerts as they are raised, when each was safe at the desk, and whose phone rang.

One line a fact, so that it reads the same in a terminal, a pipe and a log. Colour, shape and word all say the
severity; the last line sums up what was raised, delivered, doubled and lost.
"""

import statistics
import time
from dataclasses import dataclass, field

import msgspec
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from drivers.sim.centre import Report, said
from gateway.core.events import AlertBody, Change, Event, Severity, Words

MARKS = {
    Severity.CRITICAL: ("◆", "bold red", "紧急"),
    Severity.MAJOR: ("▲", "bold yellow", "重要"),
    Severity.MINOR: ("●", "yellow", "次要"),
    Severity.INFO: ("■", "cyan", "提示"),
}
CHANGES = {
    Change.RAISED: ("报警", "raised"),
    Change.UPDATED: ("更新", "updated"),
    Change.CLEARED: ("恢复", "cleared"),
    Change.ACKNOWLEDGED: ("确认", "acknowledged"),
}


class _Receipt(msgspec.Struct, frozen=True):
    epoch: int
    stored: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Tally:
    """What was sent and what arrived, by event id; times are monotonic seconds."""

    raised_at: dict[str, float] = field(default_factory=dict)
    texts: dict[str, Words] = field(default_factory=dict)
    delays_s: list[float] = field(default_factory=list)
    arrived: set[str] = field(default_factory=set)
    doubled: int = 0

    @property
    def missing(self) -> int:
        """Return how many alert events have not arrived."""
        return len(self.raised_at.keys() - self.arrived)


class Show:
    """Prints the demo. `started` is the monotonic time its clock counts from."""

    def __init__(self, console: Console, started: float) -> None:
        self.tally = Tally()
        self._console = console
        self._started = started

    def opening(self, title: Words, facts: list[tuple[str, str]]) -> None:
        """Print what was built and where to look."""
        table = Table.grid(padding=(0, 2))
        for name, value in facts:
            table.add_row(Text(name, style="dim"), Text(value))
        self._console.print(
            Panel(table, title=f"{title.zh} · {title.en}", expand=False, border_style="green")
        )

    def scene(self, text: Words, now: float) -> None:
        """Print what happens in the compound."""
        self._line(now, "▶", "bold blue", text.zh, text.en)

    def alert(self, event: Event) -> None:
        """Print an alert event of the gateway, and note when it was made."""
        body = event.body
        if not isinstance(body, AlertBody):
            return
        self.tally.raised_at[event.id] = event.monotonic
        self.tally.texts[event.id] = body.text
        mark, style, word = MARKS[body.severity]
        if body.change in (Change.CLEARED, Change.ACKNOWLEDGED):
            mark, style = "✓", "green"
        zh, en = CHANGES[body.change]
        self._line(
            event.monotonic,
            mark,
            style,
            f"{word}{zh}  {body.text.zh}",
            f"{body.severity} {en}: {body.text.en}",
        )

    def stored(self, receipt: bytes, now: float) -> None:
        """Print which alert events the desk has committed, and how long after they were made."""
        told = msgspec.json.decode(receipt, type=_Receipt)
        for first, last in told.stored:
            for seq in range(first, last + 1):
                self._stored(f"{told.epoch}.{seq}", now)

    def paged(self, person: str, text: str) -> None:
        """Print what a person's phone is sent."""
        self._line(time.monotonic(), "☎", "bold magenta", f"通知 {person}：{text}", f"paged {person}")

    def centre(self, report: Report) -> None:
        """Print what a fire centre has taken and confirmed; that somebody is there is no news."""
        for line in said(report) if report.unit else ():
            self._line(report.at, "⇒", "bold cyan", f"消防监控中心收到：{line.zh}", f"fire centre: {line.en}")

    def closing(self, now: float) -> None:
        """Print the sum of it all."""
        tally = self.tally
        quick = _span(statistics.median(tally.delays_s)) if tally.delays_s else "–"
        slow = _span(max(tally.delays_s)) if tally.delays_s else "–"
        made, came = len(tally.raised_at), len(tally.arrived)
        zh = f"共 {made} 条告警消息，送达 {came} 条，重复 {tally.doubled} 条，未送达 {tally.missing} 条"
        en = f"{made} alert events, {came} delivered, {tally.doubled} doubled, {tally.missing} missing"
        style = "bold green" if not tally.missing else "bold red"
        self._line(now, "═", style, zh, f"{en}; median {quick}, slowest {slow}")

    def _stored(self, name: str, now: float) -> None:
        if name in self.tally.arrived:
            self.tally.doubled += 1
            return
        self.tally.arrived.add(name)
        took_s = now - self.tally.raised_at.get(name, now)
        self.tally.delays_s.append(took_s)
        text = self.tally.texts.get(name, Words("", ""))
        told = f"已送达值班台 {_span(took_s)}  {text.zh}"
        self._line(now, "→", "dim", told, f"at the desk after {_span(took_s)}", dim=True)

    def _line(self, now: float, mark: str, style: str, zh: str, en: str, *, dim: bool = False) -> None:
        minutes, seconds = divmod(max(0.0, now - self._started), 60)
        line = Text.assemble(
            (f"{int(minutes):02d}:{seconds:04.1f} ", "dim"),
            (f"{mark} ", style),
            (zh, "dim" if dim else style if mark in "◆▲" else ""),
            (f"  {en}", "dim"),
        )
        self._console.print(line, soft_wrap=True)


def _span(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
