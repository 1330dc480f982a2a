"""A power cut at any moment loses nothing that was committed: torn and reordered states of the disk, 1,000 in CI.

STATES=10000 opens as many, in some eight minutes.
The journal's own statements write to a disk that records; each state is then opened by the journal's own opening.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest

from gateway.runtime.journal import JournalSettings, Lane, retention, statements
from gateway.runtime.journal.opening import open_file
from gateway.runtime.journal.reserve import Reserve
from gateway.runtime.journal.retention import CUT, Kept
from gateway.runtime.journal.rows import Row, encode, pack
from gateway.runtime.journal.statements import Batch, Connection
from tests.events import MORNING, alert, reading
from tests.faults.recording import Disk, Platter, RecordingVFS

STATES = int(os.environ.get("STATES", "1000"))
COMMITS = 80
CURSOR = "cursor/uplink.urgent"
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Promise:
    """What had been confirmed when the log had `until` entries."""

    until: int
    rows: dict[Lane, dict[int, Row]]
    cursor: int
    cut: dict[Lane, int]


def record(disk: Disk, seed: int) -> tuple[list[Promise], dict[int, Row]]:
    """Run a journal's life on the disk; return what was confirmed when, and every row ever offered."""
    chance = random.Random(seed)
    vfs = RecordingVFS(disk)
    with closing(apsw.Connection("journal.db", vfs="recording")) as connection:
        statements.configure(connection)
        statements.migrate(connection, 0)
        statements.write(connection, Batch({}, {"base": pack((1, 0))}))
        promises = [Promise(len(disk.log), {lane: {} for lane in Lane}, 0, dict.fromkeys(Lane, 0))]
        for _ in range(COMMITS):
            promises.append(step(connection, disk, promises[-1], chance))
            if chance.random() < 0.12:
                statements.checkpoint(connection)
        # the last close is not recorded: a power cut knows no close
        length = len(disk.log)
    del disk.log[length:]
    vfs.unregister()
    return promises, {p: row for lane in Lane for p, row in promises[-1].rows[lane].items()}


def step(connection: Connection, disk: Disk, last: Promise, chance: random.Random) -> Promise:
    """Commit one batch, now and then followed by a step of retention."""
    seq = sum(len(last.rows[lane]) for lane in Lane)
    made = [
        alert(seq + n) if chance.random() < 0.6 else reading(seq + n)
        for n in range(1, chance.randint(1, 12) + 1)
    ]
    batch: dict[Lane, list[Row]] = {lane: [] for lane in Lane}
    for event in made:
        batch[Lane.READINGS if event.previous is None else Lane.URGENT].append(encode(event))
    cursor = max(last.cursor, pack((1, max(0, seq - chance.randint(0, 40)))))
    marks = {CURSOR: cursor} if chance.random() < 0.5 else {}
    statements.write(connection, Batch(batch, marks))
    rows = {lane: last.rows[lane] | {row.position: row for row in batch[lane]} for lane in Lane}
    cut = dict(last.cut)
    if chance.random() < 0.1:
        kept = Kept(dict.fromkeys(Lane, last.cursor))
        retention.by_age(connection, Lane.URGENT, before=MORNING + seq - 60, kept=kept, cut=cut[Lane.URGENT])
        cut[Lane.URGENT] = statements.marks(connection).get(CUT + "urgent", 0)
    return Promise(len(disk.log), rows, cursor if marks else last.cursor, cut)


def states(
    disk: Disk, promises: list[Promise], count: int, seed: int
) -> Iterator[tuple[dict[str, bytes], Promise]]:
    """Yield `count` states spread over the whole log, each with what had been confirmed by then."""
    chance, platter = random.Random(seed), Platter()
    per_operation, owed, current = count / (len(disk.log) - promises[0].until), 0.0, 0
    for number, operation in enumerate(disk.log, 1):
        platter.play(operation)
        while current + 1 < len(promises) and promises[current + 1].until <= number:
            current += 1
        if number <= promises[0].until:
            continue
        owed += per_operation
        while owed >= 1.0:
            owed -= 1.0
            yield platter.cut(chance), promises[current]


def look(folder: Path, files: dict[str, bytes], promise: Promise, offered: dict[int, Row]) -> str:
    """Open the journal on such a disk; return what is wrong, nothing when all is well."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    settings = JournalSettings(reserve_bytes=0)
    opened = open_file(folder / "journal.db", settings, Reserve(folder / "reserve", 0), lambda _point: None)
    with closing(opened.connection) as connection:
        if opened.salvage:
            return f"taken for damaged: {opened.salvage.reason}"
        for lane in Lane:
            found = {
                int(str(position)): Row(int(str(position)), str(kind), time, check, body)  # type: ignore[arg-type]
                for position, kind, time, check, body, _ in statements.read(connection, lane, 0, -1)
            }
            lost = [p for p in promise.rows[lane] if p > promise.cut[lane] and p not in found]
            later_cut = opened.marks.get(CUT + lane.table, 0)
            if any(p > later_cut for p in lost):
                return f"{len(lost)} committed rows of {lane.table} are gone"
            if any(offered.get(p) != row for p, row in found.items()):
                return "a row that was never written"
        if opened.marks.get(CURSOR, 0) < promise.cursor:
            return "the cursor went back"
        if pack(opened.base) <= max(opened.last.values()):
            return "numbers would be given twice"
    return ""


@pytest.mark.slow
def test_no_power_cut_loses_a_committed_row() -> None:
    disk = Disk()
    promises, offered = record(disk, seed=1)
    place = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    wrong: list[str] = []
    seen = 0
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name, "state")
        for files, promise in states(disk, promises, STATES, seed=2):
            folder.mkdir()
            seen += 1
            if problem := look(folder, files, promise, offered):
                wrong.append(f"state {seen}: {problem}")
            shutil.rmtree(folder)
    assert seen >= STATES - 1
    assert not wrong, f"{len(wrong)} of {seen}: {wrong[:5]}"


def test_the_model_finds_a_journal_that_does_not_flush() -> None:
    """The same states, without FULL: the test can fail."""
    disk = Disk()
    promises, offered = record(disk, seed=1)
    disk.log = [op for op in disk.log if not (type(op).__name__ == "Sync" and op.name.endswith("-wal"))]
    scale = len(disk.log) / promises[-1].until
    promises = [Promise(int(p.until * scale), p.rows, p.cursor, p.cut) for p in promises]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "state")
        problems = 0
        for files, promise in states(disk, promises, 50, seed=2):
            folder.mkdir()
            problems += bool(look(folder, files, promise, offered))
            shutil.rmtree(folder)
    assert problems > 10
