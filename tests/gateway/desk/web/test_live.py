"""Open pages: told what changes where they look, told what they missed, ended when their phone is sent away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.core.events import Change
from gateway.desk.store import news, phones, work
from gateway.desk.web import live as lives
from gateway.desk.web.live import Scope
from gateway.desk.workflow import Command, Step
from tests.desk_parts import PLACE_OF_COMPOUND, arrival, compound
from tests.desk_web import Office, events_of, run

HERE: Scope = (PLACE_OF_COMPOUND,)
ELSEWHERE: Scope = (compound("别的院"),)


@asynccontextmanager
async def running(office: Office) -> AsyncIterator[None]:
    """Have feed and live stream running."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(office.parts.feed.run()), group.create_task(office.parts.live.run())]
        while not office.parts.feed._listeners or office.parts.feed._last is None:
            await asyncio.sleep(0)
        yield
        for task in tasks:
            task.cancel()


class Page:
    """An open page and all it was told."""

    def __init__(self, office: Office, scope: Scope, after: int | None = None, phone: str = "p") -> None:
        self._told = office.parts.live.follow(phone, scope, after)
        self._data = b""

    async def until(self, event: str) -> dict[str, object]:
        """Read until an event of this name comes, and return what it says."""
        while True:
            for name, data, number in events_of(self._data):
                if name == event:
                    self._data = self._data.partition(f"event: {event}\n".encode())[2].partition(b"\n\n")[2]
                    return {**data, "id": number}
            self._data += await anext(self._told)

    async def ended(self) -> None:
        """Read until the stream ends."""
        async for _ in self._told:
            continue


async def take(office: Office, seq: int, **more: Change) -> None:
    """Have an alert come in as the intake would."""
    await office.take(arrival(seq, **more))
    office.parts.changed()


def test_a_page_hears_of_an_alert_and_of_every_step_that_somebody_makes(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            page = Page(office, HERE, after=0)
            await page.until("at")
            await take(office, 1)
            told = await page.until("alert")
            assert told["state"] == "raised"
            async with office.database.transaction() as transaction:
                command = Command("12345678", str(told["alert"]), Step.ACKNOWLEDGE, "warden-1")
                await work.take_step(transaction, command, office.at)
            office.parts.changed()
            assert (await page.until("alert"))["acknowledged_by"] == "warden-1"

    run(where, body)


def test_a_page_of_another_compound_hears_nothing_of_it(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            page = Page(office, ELSEWHERE, after=0)
            await page.until("at")
            await take(office, 1)
            await page.until("at")
            assert "红星亭".encode() not in page._data

    run(where, body)


def test_a_page_that_comes_back_is_told_what_it_missed(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            await take(office, 1)
            page = Page(office, HERE, after=0)
            await page.until("at")
            async with office.database.transaction() as transaction:
                last = await news.latest(transaction)
            await take(office, 2)
            again = Page(office, HERE, after=last)
            names = [
                data["alert"] for name, data, _ in events_of(await anext(again._told)) if name == "alert"
            ]
            assert arrival(2).alert in names

    run(where, body)


def test_a_page_that_came_while_nobody_was_told_anything_is_sent_to_ask_again(where: str) -> None:
    """What came in meanwhile went past it; as it comes back it says from where, and is told."""

    async def body(office: Office) -> None:
        page = Page(office, HERE, after=0)
        await page.until("at")
        async with running(office), asyncio.timeout(10):
            await page.ended()

    run(where, body)


def test_a_page_from_before_everything_was_forgotten_loads_anew(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            for after in (None, 10**9):
                page = Page(office, HERE, after=after)
                assert await page.until("reset") == {"id": ""}
                await page.until("at")

    run(where, body)


def test_the_stream_of_a_phone_that_is_sent_away_ends(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            await (await office.phone("warden-1")).get("/api/me")
            async with office.database.transaction() as transaction:
                (phone,) = await phones.everyone(transaction)
            page, other = Page(office, HERE, 0, phone.phone), Page(office, HERE, 0)
            await page.until("at")
            await other.until("at")
            async with office.database.transaction() as transaction:
                await phones.revoke(transaction, phone.phone, office.at)
            office.parts.changed()
            async with asyncio.timeout(10):
                await page.ended()
            await take(office, 1)
            assert (await other.until("alert"))["kind"] == "fire.smoke"

    run(where, body)


def test_a_page_too_slow_to_keep_up_is_let_go_and_holds_up_nobody(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            slow, quick = Page(office, HERE, 0), Page(office, HERE, 0)
            await slow.until("at")
            await quick.until("at")
            for seq in range(1, lives.MOST_WAITING + 3):
                await take(office, seq)
                await quick.until("alert")
            async with asyncio.timeout(10):
                await slow.ended()
            assert office.parts.live.streams == 1

    run(where, body)


def test_a_page_hears_a_beat_so_that_it_knows_the_line_is_alive(where: str) -> None:
    async def body(office: Office) -> None:
        async with running(office):
            page = Page(office, HERE, after=0)
            assert float(str((await page.until("beat"))["at"])) > 0

    run(where, body)
