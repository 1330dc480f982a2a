"""Whose memory it is, and whether it grows: leaks planted in the product and in the harness, each found where it is."""

import asyncio
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.core.events import Clock, NoteBody
from gateway.runtime.stream import Stamp, Stream
from tests.faults.soak import heap
from tests.faults.soak.flat import Account
from tests.faults.soak.heap import ROOT, Part, whose
from tests.faults.soak.trend import HOUR_S

LOOKS_AN_HOUR = 6
HOURS = 3
LOOP = "/usr/lib/python3.11/asyncio/events.py"
JSON = "/usr/lib/python3.11/json/decoder.py"


@pytest.fixture(autouse=True)
def _counted() -> Iterator[None]:
    """Stop the count that an account begins; what was there before is not gone through for garbage each time."""
    gc.freeze()
    yield
    gc.unfreeze()
    tracemalloc.stop()


def of_house(place: str) -> str:
    return f"{ROOT}/{place}"


@pytest.mark.parametrize(
    ("stack", "part"),
    [
        (["gateway/app.py"], Part.PRODUCT),
        (["drivers/bus.py"], Part.PRODUCT),
        (["drivers/sim/world.py"], Part.HARNESS),
        (["tests/faults/soak/deeds.py"], Part.HARNESS),
        (["tests/faults/soak/virtual.py", "gateway/services/alerting.py"], Part.PRODUCT),
        (["gateway/services/uplink/service.py", "tests/faults/soak/virtual_site.py"], Part.HARNESS),
        (["tests/faults/soak/virtual_site.py", JSON], Part.HARNESS),
        (["gateway/core/payload.py", JSON], Part.PRODUCT),
        (["tests/faults/soak/instant.py", LOOP, "gateway/services/uplink/service.py", JSON], Part.PRODUCT),
        (["tests/faults/soak/instant.py", LOOP, JSON], Part.PRODUCT),
        ([JSON], Part.PRODUCT),
    ],
)
def test_the_innermost_line_of_ours_decides_and_the_loop_is_nobodys(stack: list[str], part: Part) -> None:
    assert whose([each if each.startswith("/") else of_house(each) for each in stack])[0] is part


def account_of(folder: Path, deed: Callable[[], object]) -> Account:
    """Return the account of hours in which one thing is done before each look."""

    async def live() -> Account:
        account = Account(lambda: folder)
        for number in range(HOURS * LOOKS_AN_HOUR):
            for _ in range(10):
                deed()
            account.look(number * HOUR_S / LOOKS_AN_HOUR)
        return account

    return asyncio.run(live())


def stream() -> Stream:
    return Stream(epoch=1, last_seq=0, last_alert_seq=0, now=lambda: Stamp(1.0, 1.0, Clock.SYNCED))


def test_what_the_product_made_and_somebody_keeps_is_the_products_growth(tmp_path: Path) -> None:
    flowing, kept, body = stream(), list[object](), NoteBody("planted", "")
    flowing.follow("leak", kept.append)
    account = account_of(tmp_path, lambda: flowing.submit(body))
    first, *lines = account.judge()
    assert first.startswith("product_kb grows by +")
    assert any("gateway/runtime/stream.py:" in line for line in lines), lines
    assert account.trends()["product_kb"].per_hour == pytest.approx(len(kept) / HOURS * 0.13, rel=0.5)


def test_what_the_harness_notes_is_not_blamed_on_the_product(tmp_path: Path) -> None:
    flowing, notes = stream(), list[object]()

    def deed() -> None:
        flowing.submit(NoteBody("passing", ""))
        notes.append(bytes(1000))

    account = account_of(tmp_path, deed)
    assert account.judge() == []
    assert account.trends()["harness_kb"].least > 50
    assert account.trends()["product_kb"].most < 1


def test_descriptors_and_the_write_ahead_log_are_counted_with_the_memory(tmp_path: Path) -> None:
    log, held = tmp_path / "journal.db-wal", list[object]()

    def deed() -> None:
        if len(held) < 30:
            held.append(log.open("ab"))
        held[-1].write(bytes(200))  # type: ignore[attr-defined]
        held[-1].flush()  # type: ignore[attr-defined]

    account = account_of(tmp_path, deed)
    for each in held:
        each.close()  # type: ignore[attr-defined]
    assert [each.split(" grows")[0] for each in account.judge()] == ["wal_kb"]
    assert account.looks[-1].descriptors >= account.looks[0].descriptors + 20


def test_tasks_that_nobody_ends_are_seen(tmp_path: Path) -> None:
    async def live() -> Account:
        account, forever = Account(lambda: tmp_path), asyncio.Event()
        tasks = []
        for number in range(HOURS * LOOKS_AN_HOUR):
            tasks.append(asyncio.create_task(forever.wait()))
            account.look(number * HOUR_S / LOOKS_AN_HOUR)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return account

    assert any(each.startswith("tasks grows") for each in asyncio.run(live()).judge())


def test_the_table_says_of_each_figure_what_an_hour_adds_and_whether_it_is_flat(tmp_path: Path) -> None:
    lines = list(account_of(tmp_path, lambda: None).table())
    assert [line for line in lines if line.startswith("product_kb") and line.endswith("flat")]
    assert [line for line in lines if line.startswith("disk_kb") and line.endswith("not judged")]
    assert len([line for line in lines if line.lstrip()[0].isdigit()]) == HOURS


def test_what_nobody_can_reach_any_more_is_not_counted() -> None:
    heap.begin()

    class Circle:
        def __init__(self) -> None:
            self.me, self.body = self, bytes(100_000)

    before = heap.look().kb(Part.HARNESS)
    Circle()
    assert heap.look().kb(Part.HARNESS) < before + 50
