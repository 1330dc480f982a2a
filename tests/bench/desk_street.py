"""A street for the desk's bench: a mosquitto, one desk or three in processes of their own, a pager, and a publisher."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from gateway.core.events import Severity
from gateway.core.payload import topic
from tests.bench.publisher import Publisher
from tests.broker import Heard, Listener, mosquitto, until
from tests.desk_parts import PLACE_OF_COMPOUND, compound, opened, published, told
from tests.desk_service import Service, paging
from tests.faults.desk_rig import Desk

GATEWAYS = 20
FIRES = 20
PATIENCE_S = 180.0


@dataclass(slots=True)
class Street:
    """What is running, and what it has given receipts for."""

    where: str
    port: int
    pager: Service
    receipts: dict[str, set[int]] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Return how many alerts have their receipt."""
        return sum(len(each) for each in self.receipts.values())

    def take(self, _listener: Listener, heard: Heard) -> None:
        """Take note of a receipt."""
        kept = self.receipts.setdefault(heard.topic.split("/")[2], set())
        for first, last in msgspec.json.decode(heard.content)["stored"]:
            kept.update(range(first, last + 1))


@contextmanager
def street(folder: Path, where: str, desks: int) -> Iterator[Street]:
    """Have a street with so many desks over one database."""
    folder.mkdir()
    with mosquitto(folder) as broker, ExitStack() as stack:
        pager = stack.enter_context(paging())
        for number in range(desks):
            desk = Desk(folder, f"desk-{number}", where, broker.port, pager.url)
            stack.callback(desk.kill)
            desk.start()
        made = Street(where, broker.port, pager)
        listener = Listener(broker.port, topic("+", "receipt"), name="gateways", answer=made.take)
        stack.callback(listener.close)
        yield made


def alerts(count: int) -> list[tuple[str, bytes]]:
    """Return alerts of a street of gateways as they come over the broker: each a life of its own."""
    made = []
    for number in range(count):
        gateway = f"gw-{number % GATEWAYS:02d}"
        place = compound(f"院 {number % GATEWAYS}")
        made.append((topic(gateway, "alert"), published(told(number + 1, place=place), gateway)))
    return made


def ingest(folder: Path, where: str, desks: int, count: int) -> tuple[float, int]:
    """Return alerts/s from the first byte to the last receipt, and how many are missing in the record."""
    messages = alerts(count)
    with street(folder, where, desks) as running:
        publisher = Publisher(running.port)
        began = time.perf_counter()
        publisher.publish(messages)
        until(lambda: running.stored >= count, within_s=PATIENCE_S, what="all receipts")
        took = time.perf_counter() - began
        publisher.close()
    return count / took, count - asyncio.run(_routed(where))


def storm(folder: Path, where: str, desks: int, count: int) -> tuple[list[float], int]:
    """Return how soon each fire in a storm of minor alerts was told to somebody, and how many messages went out."""
    every = count // FIRES
    messages = [_of_storm(number, number % every == every // 2) for number in range(count)]
    with street(folder, where, desks) as running:
        publisher = Publisher(running.port)
        times = publisher.publish(messages)
        fires = {f"院 {number}|fire.smoke": times[number] for number in range(every // 2, count, every)}
        delays = _told(running.pager, fires)
        until(lambda: running.stored >= count, within_s=PATIENCE_S, what="all receipts")
        publisher.close()
        return delays, len(running.pager.heard)


def _of_storm(number: int, fire: bool) -> tuple[str, bytes]:
    if fire:
        made = told(number + 1, place=compound(f"院 {number}"))
    else:
        made = told(number + 1, kind="bin.full", severity=Severity.MINOR, place=PLACE_OF_COMPOUND)
    return topic("gw-00", "alert"), published(made, "gw-00")


def _told(pager: Service, fires: Mapping[str, float]) -> list[float]:
    """Return the delays in order, once somebody was told of every fire."""
    found: dict[str, float] = {}
    looked = 0

    def all_told() -> bool:
        nonlocal looked
        for message, at in zip(pager.heard[looked:], pager.times[looked:], strict=False):
            looked += 1
            name = message["id"].partition("#")[0].partition("/")[2]
            if name in fires and name not in found:
                found[name] = at - fires[name]
        return len(found) == len(fires)

    until(all_told, within_s=PATIENCE_S, what="a page for every fire")
    return sorted(found.values())


async def _routed(where: str) -> int:
    """Return how many alerts are in the record, belong to an incident, and have that incident's ladder begun."""
    async with opened(where) as database, database.transaction() as transaction:
        [row] = await transaction.fetch(
            "SELECT count(*) AS n FROM events e JOIN work w ON w.alert = e.alert"
            " JOIN timers t ON t.incident = w.incident"
        )
    found: int = row["n"]
    return found
