"""How long a decision takes with a full list: 50,000 cards, each read anew from the bits of a reader.

A decision is what stands between a report of the reader's driver and the call that opens the door: the parity, the
card's one number, its keyed hash, the entry, place, schedule and validity. The list on disk is not touched.
"""

import asyncio
import gc
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from drivers.api import Presented
from gateway.core.access import DoorFacts, Terms
from gateway.core.access_file import MOST_ENTRIES
from gateway.core.cards import Card
from gateway.core.events import AccessBody, Body, Clock, Place
from gateway.core.schedule import parse
from gateway.runtime.stream import Stamp
from gateway.services.access.admission import Admission
from gateway.services.access.book import Book
from tests.cards import keys, presented
from tests.events import MORNING

DECISIONS: Final = 20_000
SCHEDULES = {
    name: parse(["mon-fri 07:00-22:00", "sat,sun 08:00-20:00"]) for name in ("residents", "cleaners")
}
DOORS = tuple(
    DoorFacts(f"door-{n}", Place(building=f"{n}", unit="1"), (f"reader-{n}",), "card_or_pin")
    for n in range(12)
)


def full_list() -> str:
    """Return a CSV of 50,000 lines, cards of three formats, every tenth with a PIN."""
    lines = [
        f"{_written(n)},{100000 + n if n % 10 == 0 else ''},{n % 12}-1-{n // 12} 住户,"
        f"building={n % 12}/unit=1 door-0,residents|cleaners,2026-01-01,2027-12-31\n"
        for n in range(1, MOST_ENTRIES + 1)
    ]
    return "card,pin,holder,doors,schedule,valid_from,valid_until\n" + "".join(lines)


def measure() -> dict[str, float]:
    """Return the figures; times of a decision in ms, of the rest in s, memory in MB."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> dict[str, float]:
    told: list[Body] = []
    text = full_list().encode()
    book = Book(folder, DOORS, SCHEDULES, submit=told.append)
    await book.open()
    began = time.perf_counter()
    await book.take(await book.read(text), "bench", store_must=True)
    import_s = time.perf_counter() - began
    admission = _admission(book, told.append)
    quiet = _decisions(admission)
    idle = await _lateness(admission, asyncio.create_task(asyncio.sleep(2.0), name="nothing"))
    other = text.replace("住户".encode(), "住户 A".encode())
    busy = await _lateness(admission, asyncio.create_task(_import(book, other), name="import"))
    await book.close()
    again = Book(folder, DOORS, SCHEDULES, submit=told.append)
    began = time.perf_counter()
    await again.open()
    load_s = time.perf_counter() - began
    await again.close()
    reasons = {body.reason for body in told if isinstance(body, AccessBody)}
    assert {"granted", "unknown_card", "not_this_door", "pin_wrong"} <= reasons, reasons
    return {
        "decision_p50_ms": _share(quiet, 0.5),
        "decision_p99_ms": _share(quiet, 0.99),
        "decision_max_ms": quiet[-1],
        "late_p99_ms": _share(idle, 0.99),
        "late_p99_while_importing_ms": _share(busy, 0.99),
        "late_max_while_importing_ms": busy[-1],
        "list_import_s": import_s,
        "list_load_s": load_s,
        "list_memory_mb": await _memory_mb(folder),
        "list_file_mb": (folder / "access.db").stat().st_size / 1e6,
    }


def _admission(book: Book, submit: Callable[[Body], object]) -> Admission:
    return Admission(
        DOORS,
        Terms(SCHEDULES, "grant"),
        book,
        submit=submit,
        grant=lambda *_: None,
        feedback=lambda *_: None,
        now=lambda: Stamp(MORNING, time.monotonic(), Clock.SYNCED),
    )


def _decisions(admission: Admission) -> list[float]:
    """Return how long each of many decisions took in ms, the longest last: granted ones, refused ones, PINs."""
    chance, reports = random.Random(4), list[Presented]()
    for _ in range(DECISIONS):
        number, reader = chance.randrange(1, int(MOST_ENTRIES * 1.1)), f"reader-{chance.randrange(12)}"
        if number % 10 == 0 and chance.random() < 0.5:
            reports.append(keys(f"{100000 + number}#", reader=reader))
        else:
            reports.append(presented(_card(number), reader=reader))
    times = []
    for report in reports:
        began = time.perf_counter()
        admission.presented(report)
        times.append((time.perf_counter() - began) * 1000.0)
    return sorted(times)


async def _lateness(admission: Admission, beside: asyncio.Task[None]) -> list[float]:
    """Return how late decisions are, in ms, that fall due every millisecond while something goes on beside them."""
    times = []
    while not beside.done():
        due = time.perf_counter() + 0.001
        await asyncio.sleep(0.001)
        admission.presented(presented(_card(7)))
        times.append((time.perf_counter() - due) * 1000.0)
    await beside
    return sorted(times)


async def _import(book: Book, text: bytes) -> None:
    await book.take(await book.read(text), "bench", store_must=True)


async def _memory_mb(folder: Path) -> float:
    gc.collect()
    tracemalloc.start()
    try:
        book = Book(folder, DOORS, SCHEDULES, submit=lambda _: None)
        await book.open()
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] / 1e6
        await book.close()
        return held
    finally:
        tracemalloc.stop()


def _card(number: int) -> Card:
    if number % 3 == 0:
        return Card(24, 7 << 16 | number)
    return Card(32, 1_000_000 + number) if number % 3 == 1 else Card(56, (0x04 << 48) + number)


def _written(number: int) -> str:
    card = _card(number)
    if card.bits == 24:
        return f"7:{number}"
    return f"{card.number:010d}" if card.bits == 32 else f"0x{card.number:014X}"


def _share(times: list[float], share: float) -> float:
    return times[min(int(len(times) * share), len(times) - 1)]


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:34} {value:10.4f}")
