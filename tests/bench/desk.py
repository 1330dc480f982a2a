"""Bench of the duty desk: alerts taken in, committed and routed, and how soon a fire is paged in a storm.

    .venv/bin/python -m tests.bench.desk [--alerts 10000] [--quick]

`ingest_per_s` is the whole way of a desk without its broker: the bytes of an alert event are read, folded, stored,
grouped, its ladder started, and its receipt made, as many to a commit as come. `over_mqtt_per_s` has a real mosquitto
and a desk in a process of its own before it, and ends with the last receipt. SQLite runs with WAL and FULL,
PostgreSQL with its own defaults, both on the disk of --folder. `ratio_to_insert` is against one INSERT into a table of
that database for every alert in batches of the same size: what folding, grouping and the work flow cost.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from gateway.core.events import Severity
from gateway.core.payload import topic
from gateway.desk.delivery import Delivery
from gateway.desk.escalating import Escalation
from gateway.desk.intake import MOST, Intake
from gateway.desk.store import people
from gateway.desk.store.database import Database, chunks, insert
from tests import desk_parts
from tests.bench.table import Figure, at_least, at_most, present
from tests.broker import MOSQUITTO, mosquitto
from tests.desk_parts import RULES, Phones, opened, published, told
from tests.desk_service import Service
from tests.faults.desk_rig import Desk, Gateway
from tests.postgres import cluster, initdb

GATEWAYS = 20
STORM = 10_000


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.desk")
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--folder", default=".", help="a folder on the disk to measure")
    options = parser.parse_args()
    count, storm_size = (options.alerts // 10, STORM // 10) if options.quick else (options.alerts, STORM)
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name, ExitStack() as stack:
        stores: dict[str, Callable[[str], str]] = {
            "sqlite": lambda part: str(Path(name).absolute() / f"{part}.db")
        }
        if initdb() is not None:
            running = stack.enter_context(cluster(durable=True))
            stores["postgres"] = lambda _part: running.database()
        for store, place in stores.items():
            rate, lost = asyncio.run(ingest(place("ingest"), count))
            bare = asyncio.run(bare_inserts(place("bare"), count))
            paged = asyncio.run(storm(place("storm"), storm_size))
            over, lost_over = over_mqtt(Path(name), store, place("mqtt"), count // 2)
            found[store] = {
                "ingest_per_s": rate, "ratio_to_insert": rate / bare, "over_mqtt_per_s": over,
                "lost": lost + lost_over, **paged,
            }  # fmt: skip
    show(found, storm_size)


def show(found: dict[str, dict[str, float]], storm_size: int) -> None:
    """Print the table and the line for machines."""
    figures = []
    for store, each in found.items():
        figures += [
            at_least(f"{store}: alerts/s read, stored, routed, receipted", each["ingest_per_s"], 500),
            Figure("... against one bare INSERT per alert", f"{each['ratio_to_insert']:.2f}"),
            Figure("... from a gateway over mosquitto to its receipt", f"{each['over_mqtt_per_s']:,.0f}"),
            at_most(f"... storm of {storm_size:,}: fire to sender, p95", each["storm_page_p95_s"], 5, " s"),
            at_most("... messages to people in the storm", each["storm_messages"], 100),
            at_most("... lost", each["lost"], 0),
        ]
    keys: dict[str, object] = {
        key: {store: round(each[key], 3) for store, each in found.items()}
        for key in (
            "ingest_per_s",
            "ratio_to_insert",
            "over_mqtt_per_s",
            "storm_page_p95_s",
            "storm_messages",
        )
    }
    keys["lost"] = round(sum(each["lost"] for each in found.values()))
    present("desk", figures, keys)


def alerts(count: int, first: int = 1) -> list[tuple[str, bytes]]:
    """Return alerts of a street of gateways as they come over the broker: each a life of its own."""
    made = []
    for number in range(first, first + count):
        gateway = f"gw-{number % GATEWAYS:02d}"
        made.append((topic(gateway, "alert"), published(told(number), gateway)))
    return made


async def ingest(where: str, count: int) -> tuple[float, float]:
    """Return alerts/s from bytes to receipt, and how many are missing afterwards."""
    messages = alerts(count)
    async with opened(where) as database:
        intake = Intake(database)
        receipts: list[bytes] = []
        intake.ears.receipt.append(lambda _gateway, payload: receipts.append(payload))
        settled = 0
        done = asyncio.Event()

        def settle() -> None:
            nonlocal settled
            settled += 1
            if settled == count:
                done.set()

        task = asyncio.create_task(intake.run(), name="intake")
        began = time.perf_counter()
        for part in chunks(messages, 50):
            for name, content in part:
                intake.offer(name, content, settle)
            await asyncio.sleep(0)
        await done.wait()
        took = time.perf_counter() - began
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with database.transaction() as transaction:
            [row] = await transaction.fetch("SELECT count(*) AS n FROM events")
    assert receipts
    return count / took, count - row["n"]


async def bare_inserts(where: str, count: int) -> float:
    """Return rows/s of one INSERT per alert and nothing else, in batches as ingest has them in a storm."""
    rows = [(number, content.decode()) for number, (_, content) in enumerate(alerts(count))]
    async with opened(where) as database:
        async with database.transaction() as transaction:
            await transaction.execute("CREATE TABLE bare (id BIGINT PRIMARY KEY, body TEXT NOT NULL)")
        began = time.perf_counter()
        for batch in chunks(rows, MOST):
            async with database.transaction() as transaction:
                await insert(transaction, "INSERT INTO bare (id, body)", batch)
        return count / (time.perf_counter() - began)


async def storm(where: str, count: int) -> dict[str, float]:
    """Return how soon the fires of 20 compounds reach a sender in a storm of minor alerts, and how many messages go."""
    fires = [number * (count // 20) for number in range(20)]
    messages = [_storm_alert(number, fires) for number in range(count)]
    phones = Phones()
    offered: dict[str, float] = {}
    async with opened(where) as database, asyncio.timeout(60):
        async with database.transaction() as transaction:
            await people.replace(transaction, desk_parts.people())
        intake, delivery = Intake(database), Delivery(database, {"phones": phones}, owner="bench")
        escalation = Escalation(database, RULES, paged=delivery.wake)
        intake.ears.taken.append(escalation.wake)
        tasks = [asyncio.create_task(each.run()) for each in (intake, escalation, delivery)]
        for number, (name, content) in enumerate(messages):
            if number in fires:
                offered[f"院 {number}|fire"] = time.time()
            intake.offer(name, content, lambda: None)
            if number % 20 == 0:
                await asyncio.sleep(0)
        delays = await _until_told(database, offered)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return {"storm_page_p95_s": delays[int(len(delays) * 0.95) - 1], "storm_messages": len(phones.messages)}


async def _until_told(database: Database, offered: Mapping[str, float]) -> list[float]:
    """Return how long after its alert each fire was told to somebody, in order, once all are."""
    while True:
        await asyncio.sleep(0.1)
        async with database.transaction() as transaction:
            rows = await transaction.fetch(
                "SELECT id, sent_at FROM notifications WHERE state = 'delivered' AND id LIKE '%|1.0|%'"
            )
        sent = {name: row["sent_at"] for row in rows for name in offered if name in row["id"]}
        if len(sent) == len(offered):
            return sorted(sent[name] - at for name, at in offered.items())


def _storm_alert(number: int, fires: Sequence[int]) -> tuple[str, bytes]:
    place = desk_parts.PLACE_OF_COMPOUND
    if number in fires:
        made = told(number + 1, place=desk_parts.compound(f"院 {number}"))
    else:
        made = told(number + 1, kind="bin.full", severity=Severity.MINOR, place=place)
    return topic(desk_parts.GATEWAY, "alert"), published(made)


def over_mqtt(folder: Path, store: str, where: str, count: int) -> tuple[float, float]:
    """Return alerts/s from a gateway over mosquitto to its receipt, the desk a process of its own, and what is lost."""
    if MOSQUITTO is None:
        return 0.0, 0.0
    with mosquitto(folder) as broker, ExitStack() as stack:
        pager = Service()
        pager.body = b'{"errcode":0}'
        stack.callback(pager.close)
        desk = Desk(folder, f"desk-{store}", where, broker.port, pager.url)
        stack.callback(desk.kill)
        desk.start()
        gateway = Gateway(broker.port, "hxtp-01")
        stack.callback(gateway.close)
        began = time.perf_counter()
        gateway.send(count, random.Random(3))
        while not gateway.done and time.perf_counter() - began < 60:
            time.sleep(0.005)
        took = time.perf_counter() - began
        gateway.finish()
        return count / took, gateway.sent - len(gateway.receipts)


if __name__ == "__main__":
    main()
