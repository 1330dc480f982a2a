"""Who holds the memory, and whether it grows: leaks planted in the product and in the harness, each found there."""

import asyncio
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.core.events import Clock, NoteBody
from gateway.runtime.stream import Stamp, Stream
from tests.faults.soak import heap
from tests.faults.soak.flat import Account
from tests.faults.soak.heap import Before, Part
from tests.faults.soak.trend import HOUR_S

LOOKS_AN_HOUR = 6
HOURS = 3


class Harness:
    """What stands around a product: it notes things, and has the product itself in its hands."""

    def __init__(self, product: object = None) -> None:
        self.notes: list[object] = []
        self.product = product
        self.life: asyncio.Task[None] | None = None


class Clumsy(Stream):
    """A product that forgets something, and is made in the harness, as the soak's own house is."""

    def __init__(self) -> None:
        super().__init__(epoch=1, last_seq=0, last_alert_seq=0, now=lambda: Stamp(1.0, 1.0, Clock.SYNCED))
        self.forgotten: list[object] = []


@pytest.fixture(scope="module")
def before() -> Before:
    """Return what was there before, all of pytest, to be left out."""
    return Before()


@pytest.fixture(autouse=True)
def _apart() -> Iterator[None]:
    """Leave out what was there between two tests as well."""
    gc.freeze()
    yield
    gc.unfreeze()


def account_of(folder: Path, before: Before, harness: Harness, deed: Callable[[], object]) -> Account:
    """Return the account of hours in which one thing is done before each look."""

    async def live() -> Account:
        account = Account(lambda: folder, [harness], before=before)
        for number in range(HOURS * LOOKS_AN_HOUR):
            for _ in range(10):
                deed()
            account.look(number * HOUR_S / LOOKS_AN_HOUR)
        return account

    return asyncio.run(live())


def test_what_the_product_forgets_is_the_products_growth(tmp_path: Path, before: Before) -> None:
    product = Clumsy()
    product.follow("leak", product.forgotten.append)
    account = account_of(tmp_path, before, Harness(product), lambda: product.submit(NoteBody("planted", "x")))
    first, *types = account.judge()
    assert first.startswith("product_kb grows by +")
    assert any("gateway.core.events.Event" in each for each in types), types
    assert account.trends()["harness_kb"].per_hour < 2


def test_what_the_product_made_is_the_products_although_it_was_forgotten_in_a_list_of_ours(
    tmp_path: Path, before: Before
) -> None:
    product, harness = Clumsy(), Harness()
    product.follow("leak", harness.notes.append)
    account = account_of(tmp_path, before, harness, lambda: product.submit(NoteBody("planted", "x")))
    assert account.judge()[0].startswith("product_kb grows by +")


def test_bytes_that_came_from_the_world_and_are_kept_by_the_product_are_the_products(
    tmp_path: Path, before: Before
) -> None:
    product = Clumsy()
    account = account_of(tmp_path, before, Harness(product), lambda: product.forgotten.append(bytes(100)))
    assert account.trends()["product_kb"].per_hour == pytest.approx(8.6, rel=0.3)
    assert account.judge()


def test_what_the_harness_notes_is_not_blamed_on_the_product(tmp_path: Path, before: Before) -> None:
    product = Clumsy()
    harness = Harness(product)

    def deed() -> None:
        harness.notes.append({"passing": product.submit(NoteBody("passing", "x")).id, "more": bytes(1000)})

    account = account_of(tmp_path, before, harness, deed)
    assert account.judge() == []
    assert account.trends()["harness_kb"].least > 50
    assert account.trends()["product_kb"].most < 1


def test_what_a_task_of_the_product_holds_is_the_products_though_the_harness_holds_the_task(
    tmp_path: Path, before: Before
) -> None:
    async def live() -> Account:
        harness = Harness()
        account = Account(lambda: tmp_path, [harness], before=before)
        flowing, kept = Clumsy(), list[object]()
        flowing.follow("leak", kept.append)
        harness.life = asyncio.create_task(_stopped_by_nobody(flowing))
        harness.product = flowing
        for number in range(HOURS * LOOKS_AN_HOUR):
            await asyncio.sleep(0)
            for _ in range(20):
                flowing.submit(NoteBody("planted", ""))
            account.look(number * HOUR_S / LOOKS_AN_HOUR)
        harness.life.cancel()
        await asyncio.wait([harness.life])
        return account

    assert asyncio.run(live()).trends()["product_kb"].least > 2


async def _stopped_by_nobody(_flowing: Stream) -> None:
    await asyncio.Event().wait()


def test_descriptors_and_the_write_ahead_log_are_counted_with_the_memory(
    tmp_path: Path, before: Before
) -> None:
    log, held = tmp_path / "journal.db-wal", list[int]()

    def deed() -> None:
        held.append(os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY))
        os.write(held[-1], bytes(200))

    account = account_of(tmp_path, before, Harness(), deed)
    for each in held:
        os.close(each)
    assert {each.split(" grows")[0] for each in account.judge()} >= {"descriptors", "wal_kb"}


def test_tasks_that_nobody_ends_are_seen(tmp_path: Path, before: Before) -> None:
    async def live() -> Account:
        account, forever = Account(lambda: tmp_path, (), before=before), asyncio.Event()
        tasks = []
        for number in range(HOURS * LOOKS_AN_HOUR):
            tasks.append(asyncio.create_task(forever.wait()))
            account.look(number * HOUR_S / LOOKS_AN_HOUR)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return account

    assert any(each.startswith("tasks grows") for each in asyncio.run(live()).judge())


def test_the_table_says_of_each_figure_what_an_hour_adds_and_whether_it_is_flat(
    tmp_path: Path, before: Before
) -> None:
    lines = list(account_of(tmp_path, before, Harness(), lambda: None).table())
    assert [line for line in lines if line.startswith("product_kb") and line.endswith("flat")]
    assert [line for line in lines if line.startswith("disk_kb") and line.endswith("not judged")]
    assert len([line for line in lines if line.lstrip()[0].isdigit()]) == HOURS


def test_what_nobody_can_reach_any_more_is_not_counted(before: Before) -> None:
    class Circle:
        def __init__(self) -> None:
            self.me, self.body = self, bytes(100_000)

    held = heap.look((), before).kb(Part.PRODUCT)
    Circle()
    assert heap.look((), before).kb(Part.PRODUCT) < held + 50
