"""Bench of the duty desk: alerts taken in by one desk and by three, how soon a fire is paged in a storm, open phones.

    .venv/bin/python -m tests.bench.desk [--alerts 10000] [--phones 10000] [--quick]

`ingest_per_s` begins with the first byte that a gateway writes to a real mosquitto and ends with the last receipt:
read, folded, committed, grouped, its ladder begun, by one desk process or three that share a PostgreSQL.
`in_process_per_s` is the same without broker and processes. `ratio_to_bare` is `ingest_per_s` against a bare
Starlette endpoint that does one INSERT for each request, over the same database, in the same run; `ratio_to_insert`
is `in_process_per_s` against INSERTs of one table, in batches, and nothing else. SQLite runs with WAL and FULL,
PostgreSQL with its own defaults, both on the disk of --folder. `lost` counts alerts without a receipt or a ladder,
and events that an open phone missed.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from gateway.core.chunks import chunks
from gateway.desk.intake import MOST, Intake
from gateway.desk.store.database import insert
from tests.bench import bare_endpoint, desk_fanout, desk_street
from tests.bench.desk_fanout import FanOut
from tests.bench.desk_street import alerts
from tests.bench.table import Figure, at_least, at_most, present
from tests.desk_parts import opened
from tests.postgres import cluster, initdb

DESKS = {"sqlite": 1, "postgres": 1, "postgres_3": 3}
KEYS = (
    "ingest_per_s",
    "ratio_to_bare",
    "in_process_per_s",
    "ratio_to_insert",
    "storm_page_p95_s",
    "storm_messages",
)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.desk")
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--phones", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--folder", default=".", help="a folder on the disk to measure")
    options = parser.parse_args()
    count, phones = (
        max(1, each // (10 if options.quick else 1)) for each in (options.alerts, options.phones)
    )
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name, ExitStack() as stack:
        folder = Path(name).absolute()
        stores: dict[str, Callable[[str], str]] = {"sqlite": lambda part: str(folder / f"{part}.db")}
        if initdb() is not None:
            running = stack.enter_context(cluster(durable=True))
            stores |= dict.fromkeys(("postgres", "postgres_3"), lambda _part: running.database())
        for store, place in stores.items():
            found[store] = measure(folder / store, place, DESKS[store], count)
        fan_out = desk_fanout.measure(folder, phones, alerts=10)
    show(found, fan_out, count)


def measure(folder: Path, place: Callable[[str], str], desks: int, count: int) -> dict[str, float]:
    """Return all figures of one kind of store with so many desks."""
    rate, lost = desk_street.ingest(folder.with_suffix(".ingest"), place("ingest"), desks, count)
    bare = bare_endpoint.rate(place("bare"), [content for _, content in alerts(count // 4)])
    delays, messages = desk_street.storm(folder.with_suffix(".storm"), place("storm"), desks, count)
    inside, lost_inside = asyncio.run(in_process(place("inside"), count))
    inserts = asyncio.run(bare_inserts(place("inserts"), count))
    return {
        "ingest_per_s": rate,
        "ratio_to_bare": rate / bare,
        "in_process_per_s": inside,
        "ratio_to_insert": inside / inserts,
        "storm_page_p95_s": delays[int(len(delays) * 0.95) - 1],
        "storm_messages": messages,
        "lost": lost + lost_inside,
    }


def show(found: Mapping[str, Mapping[str, float]], fan_out: FanOut, count: int) -> None:
    """Print the table and the line for machines."""
    figures = []
    for store, each in found.items():
        figures += [
            at_least(f"{store}: alerts/s over mosquitto, from socket to receipt", each["ingest_per_s"], 500),
            Figure("... against a bare endpoint with one INSERT per request", f"{each['ratio_to_bare']:.2f}"),
            Figure("... in one process, without the broker", f"{each['in_process_per_s']:,.0f}"),
            Figure("... against one bare INSERT per alert", f"{each['ratio_to_insert']:.2f}"),
            at_most(f"... storm of {count:,}: fire to pager, p95", each["storm_page_p95_s"], 5, " s"),
            at_most("... messages to people in the storm", each["storm_messages"], 100),
            at_most("... lost", each["lost"], 0),
        ]
    keys: dict[str, object] = {
        key: {store: round(each[key], 3) for store, each in found.items()} for key in KEYS
    }
    keys["sse_fanout_p99_ms"] = round(fan_out.p99_ms)
    keys["phones"] = fan_out.phones
    keys["lost"] = round(sum(each["lost"] for each in found.values())) + fan_out.missing
    present("desk", [*figures, *desk_fanout.figures(fan_out)], keys)


async def in_process(where: str, count: int) -> tuple[float, int]:
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


if __name__ == "__main__":
    main()
