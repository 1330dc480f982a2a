"""The fire centre's bench: codec, a fire past ten thousand waiting values, and how fast a backlog goes.

    .venv/bin/python -m tests.bench.centre [--quick]

Journal, stream and sink are the gateway's own, on a real disk; the centre answers on a thread beside them, in the
latency part 50 ms late, as over a private line, so that there is always a backlog. A latency runs from the event's
birth in the stream until the centre has the packet in its hands: commit, read, encode, socket and decode are in it.
"""

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from drivers.gb26875 import frames, units
from drivers.gb26875.units import ComponentState, place_of
from drivers.sim.centre import SimCentre
from gateway.core.events import Body, Clock
from gateway.runtime.journal import Journal, JournalSettings, Lane
from gateway.runtime.stream import Stamp, Stream
from gateway.services.centre.answers import Moment
from gateway.services.centre.service import Centre
from tests.bench.table import at_least, at_most, present
from tests.centre_parts import DETECTORS, NAMES, Site, alert, temperature
from tests.centre_thread import centre_thread
from tests.drivers.gb26875.vectors import VECTORS

LATE_S = 0.05
FIRES_EVERY_S = 0.1


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.centre")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    scale = 0.1 if parser.parse_args().quick else 1.0
    encode, decode = codec(int(50_000 * scale))
    with centre_thread() as centre, tempfile.TemporaryDirectory() as folder:
        latencies = asyncio.run(fires(centre, Path(folder), values=int(10_000 * scale)))
    readings = [temperature(number % DETECTORS, number % 50) for number in range(int(10_000 * scale))]
    faults = [alert(n % DETECTORS, kind="device.fault", life=n + 1) for n in range(int(10_000 * scale))]
    rates = []
    for lane, rows in ((Lane.READINGS, readings), (Lane.URGENT, faults)):
        with centre_thread() as centre, tempfile.TemporaryDirectory() as folder:
            rates.append(asyncio.run(drain(centre, Path(folder), lane, rows)))
    keys = {
        "encode_per_s": round(encode),
        "decode_per_s": round(decode),
        "fires": len(latencies),
        "fire_p50_s": round(latencies[len(latencies) // 2], 4),
        "fire_p95_s": round(latencies[int(len(latencies) * 0.95)], 4),
        "fire_max_s": round(latencies[-1], 4),
        "values_per_s": round(rates[0]),
        "alerts_per_s": round(rates[1]),
    }
    present(
        "Fire centre, GB/T 26875.3",
        [
            at_least("frames encoded with their units", encode, 10_000, "/s"),
            at_least("frames decoded with their units", decode, 10_000, "/s"),
            at_most("fire to the centre, values waiting, p50", float(keys["fire_p50_s"]), 5.0, " s"),
            at_most("the same, p95", float(keys["fire_p95_s"]), 5.0, " s"),
            at_most(f"the slowest of {len(latencies)}", float(keys["fire_max_s"]), 5.0, " s"),
            at_least("analog values drained", rates[0], 1_000, "/s"),
            at_least("alerts drained", rates[1], 100, "/s"),
        ],
        keys,
    )


def codec(count: int) -> tuple[float, float]:
    """Return frames a second, encoded and decoded, over the worked samples."""
    pairs = [(vector.frame, vector.unit) for vector in VECTORS]
    began = time.perf_counter()
    for frame, unit in itertools.islice(itertools.cycle(pairs), count):
        if unit is not None:
            units.encode(unit)
        frames.encode(frame)
    encoded = count / (time.perf_counter() - began)
    stream = b"".join(vector.data for vector in VECTORS)
    buffer, found = bytearray(), 0
    began = time.perf_counter()
    while found < count:
        buffer += stream
        while (got := frames.decode(buffer)) is not None:
            found += 1
            if got.unit:
                units.decode(got.unit)
    return encoded, found / (time.perf_counter() - began)


async def fires(centre: SimCentre, folder: Path, *, values: int) -> list[float]:
    """Return how long each fire took to the centre while values waited, sorted."""
    centre.delay_s = LATE_S
    born: dict[int, float] = {}
    async with _gateway(folder) as gateway:
        for number in range(values):
            gateway.submit(temperature(number % DETECTORS, number % 50))
        await _until(lambda: gateway.journal.last(Lane.READINGS)[1] >= values)
        gateway.report_to(centre)
        await _until(lambda: centre.accepted)
        for number in range(DETECTORS):  # each detector burns once: its packet is known by its place
            born[place_of(201, number)] = time.monotonic()
            gateway.submit(alert(number))
            await asyncio.sleep(FIRES_EVERY_S)
        assert gateway.waiting(Lane.READINGS) > 0, "nothing waited any more: the figure would mean nothing"
        await _until(lambda: len(_taken(centre)) == len(born))
    return sorted(at - born[place] for place, at in _taken(centre).items())


async def drain(centre: SimCentre, folder: Path, lane: Lane, rows: Sequence[Body]) -> float:
    """Return rows a second from a journal full of them to a centre that answers at once."""
    async with _gateway(folder) as gateway:
        for body in rows:
            gateway.submit(body)
        await _until(lambda: gateway.journal.last(lane)[1] >= len(rows))
        began = time.perf_counter()
        gateway.report_to(centre)
        await _until(lambda: gateway.waiting(lane) == 0)
        return len(rows) / (time.perf_counter() - began)


@dataclass
class _Gateway:
    """Journal, stream and compound, and in time a sink."""

    journal: Journal
    group: asyncio.TaskGroup
    site: Site = field(default_factory=Site)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stream = Stream(
            epoch=self.journal.epoch, last_seq=self.journal.last_seq, last_alert_seq=0, now=_stamp
        )
        self.stream.follow("facility", self.site.facility.follow, readings=False)
        self.stream.follow("journal", self.journal.append)
        for sink in (NAMES.urgent, NAMES.readings):  # a centre known before: its backlog is told, not skipped
            self.journal.move_cursor(sink, (self.journal.epoch, 0))

    def submit(self, body: Body) -> None:
        self.stream.submit(body)

    def report_to(self, centre: SimCentre) -> None:
        house = self.site.house(
            journal=self.journal, submit=self.stream.submit, now=lambda: Moment(time.time(), Clock.SYNCED)
        )
        sink = Centre(house, ((centre.host, centre.port),), epoch=self.journal.epoch)
        self.tasks.append(self.group.create_task(sink.run(), name="centre"))

    def waiting(self, lane: Lane) -> int:
        return self.journal.depth(NAMES.urgent if lane is Lane.URGENT else NAMES.readings, lane)


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[_Gateway]:
    journal = await Journal.open(folder / "journal.db", settings=JournalSettings(readings_delay_s=0.2))
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(journal.run(), name="journal")
        running = _Gateway(journal, group)
        try:
            yield running
        finally:
            for task in (*running.tasks, writer):
                task.cancel()


def _stamp() -> Stamp:
    return Stamp(time.time(), time.monotonic(), Clock.SYNCED)


def _taken(centre: SimCentre) -> dict[int, float]:
    """Return when the fire of each place was taken first."""
    found: dict[int, float] = {}
    for report in list(centre.accepted):
        for each in report.unit.objects if report.unit is not None else ():
            if isinstance(each, ComponentState) and each.state & 2:
                found.setdefault(each.place, report.at)
    return found


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.005)


if __name__ == "__main__":
    main()
