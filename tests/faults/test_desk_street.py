"""Three desks on one PostgreSQL and one mosquitto, and a kill -9 of a desk, the broker or the database again and again.

Ten rounds in CI, fifty with DESK_ROUNDS=50. No alert is lost or stored twice, no receipt is given for what is not
stored, every ladder is climbed to its second rung, each step is written and told once, and a page that is open all
the while, resuming at whichever desk answers, is told of every alert without ever loading its list anew.

What is in a desk's hands as it dies goes out again under the same id: a double ring is better than none. All that is
due is sent at once, so one kill may repeat several pages, but none that was not in the hands of the killed. The other
kills repeat none: what was sent is written down as soon as the database is back.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.core.events import Place
from gateway.desk.store import notices, phones
from tests.broker import Mosquitto, free_port, mosquitto, needs_mosquitto, until
from tests.desk_parts import opened
from tests.desk_service import Service, paging
from tests.faults.desk_rig import Desk, Gateway
from tests.faults.open_page import OpenPage
from tests.postgres import Cluster, cluster

pytestmark = [needs_mosquitto, pytest.mark.slow]

ROUNDS = int(os.environ.get("DESK_ROUNDS", "10"))
ALERTS = 20  # of each gateway in each round; they are one incident
RUNG_MINUTES = 0.05
VICTIMS = ("desk", "broker", "database")


@dataclass(slots=True)
class Street:
    """All that runs, and what was done to it."""

    where: str
    broker: Mosquitto
    database: Cluster
    pager: Service
    desks: list[Desk]
    gateways: list[Gateway]
    page: OpenPage
    chance: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)  # pages in the hands of the killed

    def round(self, turn: int) -> None:
        """Have alerts come in, and kill something while they do."""
        for gateway in self.gateways:
            gateway.send(ALERTS, self.chance)
        time.sleep(self.chance.uniform(0.0, 0.5))  # the moment of the kill is what is tried out
        victim = VICTIMS[turn] if turn < len(VICTIMS) else self.chance.choice(("desk", *VICTIMS))
        self.killed[victim] += 1
        if victim == "desk":
            desk = self.desks[self.killed["desk"] % len(self.desks)]
            desk.wait()
            desk.kill()
            self.held.update(asyncio.run(in_hands(self.where, desk.name)))
            desk.launch()
            return
        other = self.broker if victim == "broker" else self.database
        other.kill()
        time.sleep(self.chance.uniform(0.0, 0.3))
        other.start()


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    """Run a street."""
    with ExitStack() as stack:
        database = stack.enter_context(cluster())
        broker = stack.enter_context(mosquitto(tmp_path))
        pager = stack.enter_context(paging())
        where, ports = database.database(), [free_port() for _ in range(3)]
        desks = [
            Desk(tmp_path, f"street-{name}", where, broker.port, pager.url, minutes=RUNG_MINUTES, web=port)
            for name, port in zip("abc", ports, strict=True)
        ]
        cookie = asyncio.run(let_in(where))
        for desk in desks:
            stack.callback(desk.kill)
            desk.launch()
        for desk in desks:
            desk.wait()
        page = OpenPage(ports, cookie)
        stack.callback(page.close)
        until(lambda: page.resets, what="the page")
        gateways = [Gateway(broker.port, f"gw-{number}", compounds_of=ALERTS) for number in range(3)]
        for gateway in gateways:
            stack.callback(gateway.close)
        yield Street(where, broker, database, pager, desks, gateways, page, random.Random(7))


async def let_in(where: str) -> str:
    """Let the duty room's browser in; return its cookie."""
    async with opened(where) as database, database.transaction() as transaction:
        token, _ = await phones.offer(
            transaction, person="duty-room", place=Place(), label="", by="test", now=time.time()
        )
        cookie = await phones.pair(transaction, token, "", time.time())
    assert cookie is not None
    return cookie


async def record(where: str) -> tuple[Counter[tuple[str, int]], set[str], dict[str, str]]:
    """Return the events in the record, the incidents, and the state of each notification by its id."""
    async with opened(where) as database, database.transaction() as transaction:
        events = await transaction.fetch("SELECT gateway, seq FROM events")
        incidents = await transaction.fetch("SELECT DISTINCT incident FROM work")
        told = {row["id"]: row["state"] for row in await notices.everything(transaction)}
    found = Counter((row["gateway"], row["seq"]) for row in events)
    return found, {row["incident"] for row in incidents}, told


async def in_hands(where: str, desk: str) -> list[str]:
    """Return the pages that a desk has claimed and not said to be delivered: what it may have sent as it died."""
    async with opened(where) as database, database.transaction() as transaction:
        rows = await notices.everything(transaction)
    return [row["id"] for row in rows if row["state"] == "waiting" and row["owner"].startswith(f"{desk}-")]


def test_nothing_is_lost_and_nobody_told_twice_while_three_desks_their_broker_and_database_are_killed(
    street: Street,
) -> None:
    for turn in range(ROUNDS):
        street.round(turn)
        receipts = {(each.name, seq) for each in street.gateways for seq in list(each.receipts)}
        stored, _, _ = asyncio.run(record(street.where))
        assert receipts <= stored.keys(), "a receipt for what is not stored"
    for desk in street.desks:
        desk.wait()
    for gateway in street.gateways:
        gateway.finish()
    everything = {(each.name, seq) for each in street.gateways for seq in range(1, each.sent + 1)}

    def all_told() -> bool:
        _, incidents, told = asyncio.run(record(street.where))
        rungs = {
            f"{each}|1.{rung}|{who}"
            for each in incidents
            for rung, who in enumerate(("warden-1", "duty-room"))
        }
        return rungs <= told.keys() and set(told.values()) == {"delivered"}

    until(all_told, what="every page of every ladder", within_s=60)
    until(lambda: len(street.page.alerts) == len(everything), what="every alert on the open page")
    stored, _, told = asyncio.run(record(street.where))
    assert stored.keys() == everything
    assert max(stored.values()) == 1
    assert street.page.resets == 1, "the page had to load its list anew"
    rung = Counter(message["id"] for message in street.pager.heard)
    assert rung.keys() == told.keys()
    doubled = rung - Counter(told.keys())
    assert not doubled - street.held, "somebody was paged twice, and by no desk that was killed"
    print(
        f"{ROUNDS} rounds, killed {dict(street.killed)}: {len(stored)} alerts, {len(told)} pages, of"
        f" {street.held.total()} in the hands of the killed {doubled.total()} doubled,"
        f" the page resumed {street.page.streams - 1} times"
    )
