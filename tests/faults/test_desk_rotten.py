"""A desk whose card has rotted: it ends, is started anew as systemd would, and pages people again within a minute.

What was damaged is set aside; phones, acknowledgements and open alerts are taken over; nobody has to do anything.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from gateway.core.events import Place
from gateway.desk.store import phones, replacing
from gateway.desk.store.database import Transaction
from tests.broker import Mosquitto, free_port, needs_mosquitto, until
from tests.desk_parts import opened
from tests.desk_record import stored
from tests.desk_rot import cut, is_whole, roots, rot, scramble
from tests.desk_service import Service
from tests.faults.desk_rig import Desk, Gateway

pytestmark = [needs_mosquitto, pytest.mark.slow]

WITHIN_S = 60.0
BEFORE = 200
ROTTEN: dict[str, Callable[[Path], None]] = {
    "news": lambda path: rot(path, roots(path, "news")),
    "alerts": lambda path: rot(path, roots(path, "alerts")),
    "phones": lambda path: rot(path, roots(path, "phones")),
    "events and their index": lambda path: rot(path, roots(path, "events", "events_of_alert")),
    "the first page": lambda path: rot(path, [1]),
    "half of it is gone": cut,
    "no database any more": scramble,
}
AT_ONCE = ("the first page", "half of it is gone", "no database any more")
"""Found by the opening itself: no desk has to end for it."""


class House:
    """A desk with its pages, and whoever starts it anew when it has ended."""

    def __init__(self, folder: Path, broker: Mosquitto, pager: Service) -> None:
        self.port, self.path = free_port(), folder / "desk.db"
        self.desk = Desk(folder, "street", str(self.path), broker.port, pager.url, web=self.port)
        self.gateway = Gateway(broker.port, "hxtp-01", compounds_of=10)
        self.secret = asyncio.run(self._pair())

    def stands(self) -> bool:
        """Start the desk if it does not run, as systemd does; return whether it runs."""
        if not self.desk.runs:
            self.desk.launch()
        return self.desk.runs

    def may(self) -> bool:
        """Return whether the phone of warden-1 is known."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port}/api/me", cookies={"desk": self.secret})
        except httpx.TransportError:
            return False
        return answer.status_code == 200 and answer.json()["person"] == "warden-1"

    def take(self, count: int) -> None:
        """Have so many alerts sent, and their receipts come, however often the desk ends meanwhile."""
        self.gateway.send(count, random.Random(self.gateway.sent))
        again = time.monotonic() + 1.0
        end = time.monotonic() + WITHIN_S
        while not self.gateway.done:
            self.stands()
            if time.monotonic() > again:
                self.gateway.send_again()
                again += 1.0
            assert time.monotonic() < end, f"no receipts: {self.desk.log[-2000:]}"
            time.sleep(0.01)

    async def _pair(self) -> str:
        async with opened(str(self.path)) as database, database.transaction() as transaction:
            return await paired(transaction)


async def paired(transaction: Transaction) -> str:
    """Let a phone of warden-1 in; return its secret."""
    now = time.time()
    token, _ = await phones.offer(
        transaction, person="warden-1", place=Place(), label="phone", by="root", now=now
    )
    secret = await phones.pair(transaction, token, "phone", now)
    assert secret
    return secret


@pytest.fixture
def house(tmp_path: Path, broker: Mosquitto, pager: Service) -> Iterator[House]:
    """Return a desk that has taken in some hundred alerts, and was stopped."""
    with ExitStack() as stack:
        made = House(tmp_path, broker, pager)
        stack.callback(made.desk.kill)
        stack.callback(made.gateway.close)
        made.desk.start()
        made.take(BEFORE)
        assert made.may()
        assert made.desk.stop() == 0
        yield made


@pytest.mark.parametrize("how", ROTTEN)
def test_a_desk_whose_record_has_rotted_pages_people_again_within_a_minute(
    house: House, pager: Service, how: str
) -> None:
    ROTTEN[how](house.path)
    began = time.monotonic()
    house.take(10)
    new = f"hxtp-01 {BEFORE // 10}"
    until(lambda: house.stands() and paged(pager, new), what="the page", within_s=WITHIN_S)
    if how != "no database any more":
        until(lambda: house.stands() and house.may(), what="the phone's answer", within_s=WITHIN_S)
    until(
        lambda: house.stands() and paged(pager, "desk.damaged"), what="the page about it", within_s=WITHIN_S
    )
    assert time.monotonic() - began < WITHIN_S
    assert house.desk.stop() == 0
    assert "lies at" in house.desk.log
    assert "desk.db" in house.desk.log.partition("the desk's database cannot be used")[2] or how in AT_ONCE
    assert len(list(house.path.parent.glob("desk.db.set-aside-*"))) == 1
    assert is_whole(house.path)
    assert {("hxtp-01", seq) for seq in range(BEFORE + 1, BEFORE + 11)} <= set(stored(str(house.path)))


def test_a_desk_killed_while_it_saves_what_can_be_read_begins_anew_and_loses_nothing(
    house: House, pager: Service
) -> None:
    grow(house.path)
    rot(house.path, roots(house.path, "news"))
    replacing.mark(house.path)
    saving = house.path.with_name("desk.db.saving")
    for size in (0, 1 << 20, 8 << 20):
        house.desk.launch()
        until(lambda size=size: saving.exists() and saving.stat().st_size > size, what="some of it saved")  # type: ignore[misc]
        house.desk.kill()
        assert saving.exists(), "it was over before the kill"
    house.take(10)
    until(
        lambda: house.stands() and paged(pager, "desk.damaged"), what="the page about it", within_s=WITHIN_S
    )
    assert house.desk.stop() == 0
    assert not saving.exists()
    assert is_whole(house.path)
    assert {("hxtp-01", seq) for seq in range(1, BEFORE + 11)} <= set(stored(str(house.path)))


def grow(path: Path) -> None:
    """Give a record the history of some months, so that saving it takes a while."""
    with closing(sqlite3.connect(path)) as record, record:
        record.executemany(
            "INSERT INTO audit (subject, at, who, step, outcome, detail) VALUES (?, 1.0, 'w', 'note', 'done', ?)",
            ((f"old/{number}", "x" * 400) for number in range(60_000)),
        )


def paged(pager: Service, what: str) -> bool:
    """Return whether somebody was told of a compound or a kind."""
    return any(
        what in message["id"].partition("#")[0].replace("|", "/").split("/") for message in pager.heard
    )
