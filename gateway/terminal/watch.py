"""`watch`: the whole gateway on one screen, as it happens. Lines of text where there is no terminal.

The screen is drawn from a `View`, which folds what the gateway tells; losing the gateway is a state of the view,
and it is asked again every second, so that `watch` may be left open across a restart.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.terminal import alerts as alert_list
from gateway.terminal import status as status_screen
from gateway.terminal.client import Client
from gateway.terminal.document import Alert, Line, Status, read
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import BAD, FAINT, GOOD, WARN, bar, clock
from gateway.terminal.lines import event_line
from gateway.terminal.words import Words

DRAW_EVERY_S = 0.2
RETRY_S = 1.0
TICKER = 50


class View:
    """What is on the screen, folded from the gateway's answers."""

    def __init__(self, words: Words) -> None:
        self.status = Status()
        self.alerts: tuple[Alert, ...] = ()
        self.missed = 0
        self.lost = ""  # why there is no gateway to see, when there is none
        self.ticker: deque[Text] = deque(maxlen=TICKER)
        self._words = words
        self._seen: dict[tuple[str, str], tuple[object, object]] = {}  # last value and quality of each point

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take in one answer of the gateway's `watch`."""
        self.lost = ""
        if "event" in answer and self._is_news(answer["event"].get("body", {})):
            self.ticker.append(event_line(answer["event"], self._words))
        if "status" in answer:
            self.status = read(Status, answer["status"])
            self.alerts = tuple(read(Alert, each) for each in answer.get("alerts", ()))
            self.missed = int(answer.get("missed", 0))

    def _is_news(self, body: Mapping[str, Any]) -> bool:
        """Return whether an event is worth a line: measured numbers change all the time, contacts do not."""
        if body.get("type") != "reading":
            return True
        key = (str(body.get("device")), str(body.get("point")))
        now, before = (body.get("value"), body.get("quality")), self._seen.get(key)
        self._seen[key] = now
        if before is None:
            return False
        return now[1] != before[1] or (isinstance(now[0], bool) and now != before)

    def screen(self, height: int) -> Layout:
        """Return the screen, cut to `height` rows: what is wrong keeps its place before what merely happens."""
        words = self._words
        wanted = max(len(self.status.buses), 3) + 2
        lines = min(wanted, max(height // 3, 4))
        layout = Layout()
        layout.split_column(
            Layout(self._header(), size=1), Layout(name="top", size=lines), Layout(name="rest")
        )
        layout["top"].split_row(
            Layout(_panel(self._lines(lines - 2), words("watch.lines")), ratio=3),
            Layout(_panel(self._facts(), words("watch.upstream")), ratio=4),
        )
        layout["rest"].split_column(
            Layout(_panel(self._alerts(), words("watch.alerts")), ratio=3),
            Layout(_panel(self._events(height), words("watch.events")), ratio=2),
        )
        return layout

    def _header(self) -> Text:
        if self.lost:
            return Text(f"✗ {self.lost}", BAD)
        told = status_screen.header(self.status, self._words)
        return told.append(f"   {clock(time.time())}", FAINT)

    def _lines(self, rows: int) -> RenderableType:
        """Return a row a line; the busiest trouble first when there is no room for all."""
        table = Table.grid(padding=(0, 1), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True, justify="right")
        table.add_column(no_wrap=True)
        for line in sorted(self.status.buses, key=_is_well)[:rows]:
            online = sum(device.online for device in line.devices)
            well = _is_well(line)
            name = Text("● " if line.up else "✗ ", GOOD if line.up else BAD).append(line.line, "")
            load = Text(bar(line.utilisation, 10), GOOD if line.utilisation < 0.9 else WARN)
            table.add_row(
                name,
                Text(f"{online}/{len(line.devices)}", GOOD if well else WARN),
                load.append(f" {line.utilisation:4.0%}", ""),
            )
        return table

    def _facts(self) -> RenderableType:
        """Return three rows, each cut to the width: a long reason must not push the alerts out."""
        labels = {key: self._words(f"status.{key}") for key in ("uplink", "journal", "alerts")}
        table = Table.grid(padding=(0, 1))
        table.add_column(no_wrap=True, min_width=max(map(cell_len, labels.values())))
        table.add_column(no_wrap=True, overflow="ellipsis")
        for key, told in (
            ("uplink", status_screen.uplink(self.status.uplink, self._words)),
            ("journal", status_screen.journal(self.status.journal, self._words)),
            ("alerts", status_screen.alert_counts(self.status.alerts, self._words)),
        ):
            table.add_row(Text(labels[key], FAINT), told)
        return table

    def _alerts(self) -> RenderableType:
        if not self.alerts:
            return Text(f"● {self._words('status.no_alerts')}", GOOD)
        return alert_list.listed(self.alerts, self._words)

    def _events(self, height: int) -> RenderableType:
        """Return the last events, newest first, so that the newest is never cut off."""
        rows: list[RenderableType] = []
        if self.missed:
            rows.append(Text(self._words("watch.missed", n=self.missed), WARN))
        for line in list(reversed(self.ticker))[:height]:
            row = line.copy()
            row.no_wrap, row.overflow = True, "ellipsis"
            rows.append(row)
        return Group(*rows)


def live(client: Client, words: Words, console: Console) -> None:
    """Show the screen until Ctrl-C."""
    view = View(words)

    def draw() -> Layout:
        return view.screen(console.size.height)

    with Live(draw(), console=console, screen=True, auto_refresh=False) as shown:
        drawn_at = 0.0

        def take(answer: Mapping[str, Any]) -> None:
            nonlocal drawn_at
            view.take(answer)
            if "status" in answer or time.monotonic() - drawn_at >= DRAW_EVERY_S:
                drawn_at = time.monotonic()
                shown.update(draw(), refresh=True)

        while True:
            view.lost = _follow(client, take, words)
            shown.update(draw(), refresh=True)
            time.sleep(RETRY_S)


def plain(client: Client, words: Words, console: Console) -> None:
    """Print a line an event until the gateway goes, then say so; ToolError at once if there is none."""
    for answer in client.stream("watch"):
        if "event" in answer:
            console.print(event_line(answer["event"], words), soft_wrap=True)


def _follow(client: Client, take: Callable[[Mapping[str, Any]], None], words: Words) -> str:
    """Hand over what the gateway tells until it goes; return why."""
    try:
        for answer in client.stream("watch"):
            take(answer)
    except ToolError as error:
        return words(error.key, **error.values)
    return words("client.broken")


def _is_well(line: Line) -> bool:
    return line.up and all(device.online for device in line.devices)


def _panel(content: RenderableType, title: str) -> Panel:
    return Panel(content, title=title, title_align="left", border_style=FAINT, padding=(0, 1))
