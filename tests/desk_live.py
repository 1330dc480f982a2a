"""The duty desk as it runs, for tests with real browsers: on loopback over SQLite, stopped and started at will."""

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway.core.events import AlertBody, Place, Severity, Words
from gateway.core.texts import Subject, where
from gateway.desk import server
from gateway.desk.arrivals import Arrival, read
from gateway.desk.routing import Directory
from gateway.desk.store import events, phones
from gateway.desk.web.app import WebServer
from tests.broker import free_port, listening, until
from tests.browser import Browser, browser
from tests.desk_parts import GATEWAY, published, told
from tests.desk_web import EVERYWHERE, Office, office
from tests.events import PLACE

T = TypeVar("T")


class LiveDesk:
    """A desk in a thread of its own. What is asked of it from the test's thread is done in the desk's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, made: Office) -> None:
        self._loop, self.office = loop, made
        self._port = free_port()
        self._serving: asyncio.Task[None] | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Have something done in the desk's loop and return what came of it."""
        return asyncio.run_coroutine_threadsafe(question, self._loop).result(20)

    def take(self, *batch: Arrival) -> None:
        """Take alerts in as from a gateway, and have open pages told."""

        async def taken() -> None:
            async with self.office.database.transaction() as transaction:
                await events.ingest(transaction, batch, self.office.parts.now())
            self.office.parts.changed()

        self.ask(taken())

    def let_in(self, window: Browser, person: str | None, place: Place = EVERYWHERE) -> None:
        """Let a browser in as a person is, by the address out of a QR code."""

        async def offer() -> str:
            async with self.office.database.transaction() as transaction:
                now = self.office.parts.now()
                token, _ = await phones.offer(
                    transaction, person=person, place=place, label="", by="test", now=now
                )
            return token

        window.open("about:blank")
        window.open(f"{self.url}/pair#{self.ask(offer())}")
        until(lambda: window.run("return location.pathname") == "/", what="the phone page")
        ready(window)

    def audit(self, step: str) -> list[str]:
        """Return who made a step, once for each time it was made."""

        async def read() -> list[str]:
            async with self.office.database.transaction() as transaction:
                rows = await transaction.fetch(
                    "SELECT who FROM audit WHERE step = $1 AND outcome = 'done' ORDER BY id", step
                )
            return [row["who"] for row in rows]

        return self.ask(read())

    def made(self, step: str) -> int:
        """Return how often a step was asked for, whatever came of it; the same one sent again is one."""

        async def read() -> int:
            async with self.office.database.transaction() as transaction:
                rows = await transaction.fetch("SELECT count(*) AS n FROM audit WHERE step = $1", step)
            return int(rows[0]["n"])

        return self.ask(read())

    def start(self) -> None:
        """Serve."""

        async def begin() -> asyncio.Task[None]:
            web = WebServer(self.office.parts)
            return asyncio.create_task(server.serve(web, listener=listening(self._port)))

        self._serving = self.ask(begin())

    def stop(self) -> None:
        """Serve no more: whoever asks is refused the connection."""
        task, self._serving = self._serving, None
        if task is None:
            return

        async def end() -> None:
            task.cancel()
            await asyncio.wait([task])

        self.ask(end())


def alarm(
    seq: int,
    *,
    zh: str = "烟感报警",
    en: str = "Smoke alarm",
    kind: str = "fire.smoke",
    severity: Severity = Severity.CRITICAL,
    place: Place = PLACE,
    **changes: Any,
) -> Arrival:
    """Return an alert as the desk reads it, in these words and somewhere."""
    made = told(seq, kind=kind, severity=severity, place=place, **changes)
    spot = where(Subject("", "", place))
    body = made.body
    assert isinstance(body, AlertBody)
    body = msgspec.structs.replace(body, text=Words(f"{spot.zh} {zh}", f"{en}, {spot.en}"))
    return read(GATEWAY, published(msgspec.structs.replace(made, body=body)))


@contextmanager
def desk(folder: Path, directory: Directory | None = None) -> Iterator[LiveDesk]:
    """Have a desk running over a new database."""
    loop = asyncio.new_event_loop()
    made: list[LiveDesk] = []
    ended = asyncio.Event()

    async def main() -> None:
        async with office(str(folder / "desk.db"), directory) as opened, asyncio.TaskGroup() as group:
            opened.parts.now = time.time
            work = [
                group.create_task(each, name=name)
                for name, each in (("feed", opened.parts.feed.run()), ("live", opened.parts.live.run()))
            ]
            made.append(LiveDesk(loop, opened))
            await ended.wait()
            for each in work:
                each.cancel()

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="desk")
    thread.start()
    try:
        until(lambda: made or not thread.is_alive(), what="the desk")
        made[0].start()
        try:
            yield made[0]
        finally:
            made[0].stop()
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)
        loop.close()


def ready(window: Browser) -> None:
    """Wait until a page's script has taken over."""
    until(
        lambda: window.run(
            "return document.readyState === 'complete' && !!document.querySelector('#start:not([hidden]), .who')"
        ),
        what="the page's script",
    )


@contextmanager
def opened(
    folder: Path, person: str | None = "warden-1", language: str = "zh-CN", place: Place = EVERYWHERE
) -> Iterator[tuple[LiveDesk, Browser]]:
    """Have a desk running, and the page open on somebody's phone."""
    with desk(folder) as running, browser(language) as window:
        running.let_in(window, person, place)
        yield running, window


def shows(window: Browser, text: str) -> None:
    """Wait until a page shows a text."""
    until(lambda: text in window.text(), what=text)
