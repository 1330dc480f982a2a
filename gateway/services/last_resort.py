"""The last resort: when nobody upstream hears a critical alert, the gateway itself tells people.

How it works: it follows the stream and asks the uplink, once a second while anything waits, what is confirmed; a
second is the most it adds to the time the configuration gives the desk. Each line has a task of its own, so that
one that hangs holds up no other, and sends from a thread; nothing here is ever waited for by field, doors or journal.
What was told is a note in the journal, so that no restart tells it again. What it decides stands in
gateway/core/last_resort.py.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.core.events import AlertBody, Body, Event, LinkBody, Words
from gateway.core.last_resort import (
    Line,
    Position,
    Unheard,
    message,
    name_of,
    note,
    speaks_again,
    told_before,
)

log = logging.getLogger(__name__)

AFTER_S: Final = 30.0  # that the desk may take to confirm
LOOK_S: Final = 1.0
NEWS_S: Final = 600.0  # so long it is tried to tell that the desk speaks again
SILENT: Final = "uplink.desk_silent"
"""The kind of alert, in kinds.toml."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one message. `retryable`: the line may take it later."""

    delivered: bool
    retryable: bool
    said: str


@dataclass(frozen=True, slots=True)
class Way:
    """A way to people: its name, after how long it is used, `send(id, text, rank)`, and how long that may take."""

    name: str
    after_s: float
    send: Callable[[str, Words, int], Awaitable[Answer]]
    longest_s: float


@dataclass(frozen=True, slots=True)
class LastResortStatistics:
    """The last resort as `status` shows it."""

    silent: bool
    waiting: int
    told: int
    failed: int
    lines: dict[str, str]  # what each said last


class LastResort:
    """Watches what upstream confirms. `is_confirmed` None: there is no upstream, and no desk to be silent.

    With neither upstream nor ways it rests: it has no service and no statistics.
    """

    def __init__(
        self,
        gateway: tuple[str, str],
        ways: Sequence[Way],
        *,
        after_s: float,
        is_confirmed: Callable[[Position], bool] | None,
        submit: Callable[[Body], object],
        clock: Callable[[], float],
        restored: Iterable[Event] = (),
    ) -> None:
        before = list(restored)
        self._id, self._name = gateway
        self._is_confirmed, self._submit, self._clock = is_confirmed, submit, clock
        self._lines = {way.name: Line(way.name, way.after_s) for way in ways}
        self._ways = {way.name: way for way in ways}
        self._said = {way.name: "" for way in ways}
        self._told = self._failed = 0
        self._changed = {way.name: asyncio.Event() for way in ways}
        self._heard = asyncio.Event()
        silence = f"{SILENT}/{self._id}"
        was_silent = any(isinstance(each.body, AlertBody) and each.body.key == silence for each in before)
        upstream = is_confirmed is not None
        self._left_over = was_silent and not upstream
        self._unheard = Unheard(after_s=after_s, silent=was_silent and upstream, upstream=upstream)
        self._restore(before)

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        if not self.services:
            return
        if self._unheard.follow(event, event.monotonic):
            self._heard.set()
        self._follow(event.body)

    @property
    def services(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run."""
        wanted = self._ways or self._is_confirmed is not None or self._left_over
        return {"last resort": self.run} if wanted else {}

    def statistics(self) -> LastResortStatistics | None:
        """Return how it stands."""
        if not self.services:
            return None
        unheard = self._unheard
        return LastResortStatistics(
            unheard.silent, unheard.waiting, self._told, self._failed, dict(self._said)
        )

    async def run(self) -> None:
        """Watch, and tell, until cancelled."""
        if self._left_over:  # of a desk that nobody expects any more
            self._left_over = False
            self._submit(LinkBody("desk", self._id, up=True, reason="no desk is to confirm alerts any more"))
        async with asyncio.TaskGroup() as group:
            for name in self._lines:
                group.create_task(self._serve(name), name=f"last resort {name}")
            while True:
                self.look()
                self._heard.clear()
                if not self._unheard.waiting and not self._unheard.silent:
                    await self._heard.wait()
                await asyncio.sleep(LOOK_S)

    def look(self) -> None:
        """See what is confirmed, and whether the desk is silent."""
        now = self._clock()
        if self._is_confirmed is not None:
            self._unheard.confirm(self._is_confirmed, now)
        if self._unheard.settle(now) and self._is_confirmed is not None:
            silent = self._unheard.silent
            told = "no alert is confirmed any more" if silent else "alerts are confirmed again"
            log.warning("the duty desk is silent: %s" if silent else "the duty desk answers: %s", told)
            self._submit(LinkBody("desk", self._id, up=not silent, reason=told))
        for changed in self._changed.values():
            changed.set()

    async def _serve(self, name: str) -> None:
        """Tell over one line what is due, then that the desk speaks again."""
        line, changed = self._lines[name], self._changed[name]
        while True:
            await changed.wait()
            changed.clear()
            due = line.due(self._unheard, self._clock())
            if due:
                await self._tell(line, due)
            elif (
                line.owes_news and not self._unheard.silent and not self._unheard.overdue(self._clock(), 0.0)
            ):
                line.owes_news = False
                await self._tell_news(line)

    async def _tell(self, line: Line, due: Sequence[AlertBody]) -> None:
        alerts = [body.alert for body in due]
        answer = await self._send(line, name_of(alerts), message(self._name, due), 3)
        if not answer.delivered:
            line.failed(self._clock(), retryable=answer.retryable)
            return
        self._told += len(alerts)
        line.delivered(alerts, self._clock())
        line.owes_news = self._is_confirmed is not None
        for alert in alerts:
            self._submit(note(alert, line.name, answer.said))

    async def _tell_news(self, line: Line) -> None:
        """Say once that the desk answers again; give up when it is silent again, or nobody takes it."""
        end, pause_s = self._clock() + NEWS_S, LOOK_S
        name = name_of([self._name, line.name, f"{end:.0f}"])
        while not (await self._send(line, name, speaks_again(self._name), 1)).delivered:
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 60.0)
            if self._unheard.silent or self._clock() > end:
                return

    async def _send(self, line: Line, name: str, text: Words, rank: int) -> Answer:
        way = self._ways[line.name]
        try:
            async with asyncio.timeout(way.longest_s):
                answer = await way.send(name, text, rank)
        except TimeoutError:
            answer = Answer(delivered=False, retryable=True, said=f"no answer in {way.longest_s:.0f} s")
        except Exception as fault:  # a fault of one line must not silence the others
            log.exception("the line of last resort %s failed", line.name)
            answer = Answer(delivered=False, retryable=True, said=f"{type(fault).__name__}")
        self._failed += not answer.delivered
        if self._said[line.name] != answer.said:
            log.log(
                logging.INFO if answer.delivered else logging.ERROR, "%s says: %s", line.name, answer.said
            )
        self._said[line.name] = answer.said
        return answer

    def _follow(self, body: Body) -> None:
        if isinstance(body, AlertBody):
            for line in self._lines.values():
                line.follow(body)

    def _restore(self, before: Sequence[Event]) -> None:
        """Take up what stood: alerts that may not be confirmed, and what was told of them already."""
        now = self._clock()
        for event in before:
            known = told_before(event.body)
            if known is not None and known[1] in self._lines:
                line = self._lines[known[1]]
                line.told.add(known[0])
                line.owes_news = self._unheard.silent
            self._follow(event.body)
            if self._is_confirmed is None or not self._is_confirmed((event.epoch, event.seq)):
                self._unheard.follow(event, now)
