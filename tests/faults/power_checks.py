"""What must be on a card after its power was cut, opened by the daemons' own code: all that was promised, nothing else.

What had been promised was counted before the cut. What the gateway told the broker at any time, also later, is all that
may be found: a row that was never to be told was invented.
"""

import asyncio
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gateway.core import payload
from gateway.core.events import AlertBody, Change, Event, InterlockBody, OutcomeBody
from gateway.desk.store.opening import open_database
from gateway.runtime.access import AccessStore
from gateway.runtime.access.secret import read_or_make
from gateway.runtime.journal import START, Journal, JournalSettings, Lane
from gateway.services.access.book import FILE_NAME, SECRET_NAME
from gateway.services.uplink.session import URGENT_SINK
from tests.broker import Heard
from tests.faults.power_house import ID, Answered

Position = tuple[int, int]
SETTINGS: Final = JournalSettings(reserve_bytes=0)  # of the room kept back nothing is promised
HELD: Final = ("acknowledge", "command")


@dataclass(frozen=True)
class Promise:
    """What had been promised when the power went, and all that was ever published on this card until its round ended.

    `published` are ids of the gateway's alert events, `everything` the content of each by its id; a receipt names the
    gateway too.
    """

    published: Collection[Position]
    receipts: Collection[tuple[str, int, int]]
    answered: Sequence[Answered]
    everything: Mapping[Position, bytes]


@dataclass
class Found:
    """What was found on the card: `wrong` is what should not be so; the rest is what a start must go on from."""

    wrong: list[str] = field(default_factory=list)
    alerts: int = 0
    base: Position = START
    open: dict[str, str] = field(default_factory=dict)  # alert -> device, of those that are not over
    freed: bool = False


def look(folder: Path, promise: Promise) -> Found:
    """Open everything that is on the card; return what was found."""
    found = Found()
    if (folder / "gateway" / "state").exists():
        asyncio.run(_journal(folder / "gateway" / "state" / "journal.db", promise, found))
        _access(folder / "gateway" / "state", promise, found)
    elif promise.published or promise.answered:
        found.wrong.append("the gateway's folder is gone")
    if (folder / "desk" / "desk.db").exists():
        asyncio.run(_desk(folder / "desk", promise, found))
    elif promise.receipts:
        found.wrong.append("the desk's database is gone")
    for name in ("gateway", "desk"):
        if not (folder / name / f"{name}.toml").stat().st_size:
            found.wrong.append(f"{name}.toml is empty")
    return found


async def _journal(path: Path, promise: Promise, found: Found) -> None:
    journal = await Journal.open(path, settings=SETTINGS)
    try:
        rows = await _urgent(journal)
        if journal.salvage is not None:
            found.wrong.append(f"taken for damaged: {journal.salvage.reason}")
        if damaged := journal.statistics().damaged:
            found.wrong.append(f"{damaged} rows damaged")
        found.base = journal.epoch, journal.last_seq
        cursor = journal.cursor(URGENT_SINK)
        standing = await journal.standing()
    finally:
        await journal.close()
    alerts = {
        (row.epoch, row.seq): payload.alert_event(row, ID) for row in rows if isinstance(row.body, AlertBody)
    }
    found.alerts = len(alerts)
    _hold_alerts(alerts, cursor, promise, found)
    _hold_answers(rows, promise, found)
    for event in standing:
        if isinstance(event.body, AlertBody):
            found.open[event.body.alert] = str(event.body.device)
        if isinstance(event.body, InterlockBody):
            found.freed = event.body.engaged and not event.body.drill


async def _urgent(journal: Journal) -> list[Event]:
    rows: list[Event] = []
    while more := await journal.rows(Lane.URGENT, (rows[-1].epoch, rows[-1].seq) if rows else START, 1000):
        rows += more
    return rows


def _hold_alerts(alerts: Mapping[Position, bytes], cursor: Position, promise: Promise, found: Found) -> None:
    told = promise.everything
    wrong = {
        "lost": [each for each in promise.published if each not in alerts],
        "changed": [each for each, content in alerts.items() if told.get(each, content) != content],
        "invented": [each for each in alerts if each not in told],
        "passed by the cursor and never sent": [
            each for each in alerts if each <= cursor and each not in told
        ],
    }
    for what, which in wrong.items():
        if which:
            found.wrong.append(f"{len(which)} alert events {what}, the first is {min(which)}")
    if promise.published and found.base <= max(promise.published):
        found.wrong.append(f"numbers go on at {found.base}, {max(promise.published)} was published")


def _hold_answers(rows: Sequence[Event], promise: Promise, found: Found) -> None:
    """Hold what the control socket answered: an acknowledgement is an alert event, an order has its outcome."""
    there: set[Answered] = set()
    for row in rows:
        if isinstance(row.body, AlertBody) and row.body.change is Change.ACKNOWLEDGED:
            there.add(("acknowledge", row.body.alert))
        elif isinstance(row.body, OutcomeBody):
            there.add(("command", row.body.id))
    if missing := [each for each in promise.answered if each[0] in HELD and each not in there]:
        kinds = sorted({kind for kind, _ in missing})
        found.wrong.append(
            f"{len(missing)} answers ({', '.join(kinds)}) for what is not there: {missing[0][1]}"
        )


def _access(state: Path, promise: Promise, found: Found) -> None:
    given = {holder for what, holder in promise.answered if what == "card"}
    blocked = {holder for what, holder in promise.answered if what == "block"}
    if not (state / FILE_NAME).exists():
        if given:
            found.wrong.append("the access list is gone")
        return
    store = AccessStore(state / FILE_NAME, read_or_make(state / SECRET_NAME))
    loaded = store.load()
    store.close()
    if loaded.bad or loaded.aside:
        found.wrong.append(f"access list: {loaded.bad} bad rows, set aside as {loaded.aside}")
    entries = loaded.listed.entries.values()
    if lost := given - {each.holder for each in entries}:
        found.wrong.append(f"{len(lost)} cards were given out and are not in the list: {min(lost)}")
    free = {each.holder for each in entries if each.key not in loaded.listed.barred}
    if freed := blocked & free:
        found.wrong.append(f"{len(freed)} cards were blocked and are not: {min(freed)}")


async def _desk(folder: Path, promise: Promise, found: Found) -> None:
    database = await open_database(str(folder / "desk.db"))
    try:
        async with database.transaction() as transaction:
            (check,) = await transaction.fetch("PRAGMA integrity_check")
            rows = await transaction.fetch("SELECT gateway, epoch, seq FROM events")
            work = await transaction.fetch(
                "SELECT a.alert FROM alerts a LEFT JOIN work w ON w.alert = a.alert WHERE w.alert IS NULL"
            )
            files = await transaction.fetch("SELECT sha256, size FROM files WHERE gone_at IS NULL")
    finally:
        await database.close()
    if check["integrity_check"] != "ok":
        found.wrong.append(f"the desk's database: {check['integrity_check']}")
    stored = {(row["gateway"], row["epoch"], row["seq"]) for row in rows}
    if lost := [each for each in promise.receipts if each not in stored]:
        found.wrong.append(f"{len(lost)} receipts for what the desk has not, the first is {min(lost)}")
    if invented := [each for each in stored if each[0] == ID and each[1:] not in promise.everything]:
        found.wrong.append(f"the desk has {len(invented)} events that nobody sent")
    if work:
        found.wrong.append(f"{len(work)} alerts at the desk without work")
    for row in files:
        path = folder / "desk-files" / row["sha256"][:2] / row["sha256"]
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            found.wrong.append(f"a picture the desk says it has is not whole: {row['sha256']}")


def promised(
    before: Sequence[Heard],
    answered: Sequence[Answered],
    everything: Mapping[Position, bytes],
    *,
    earlier: Collection[Position] = (),
    received: Collection[tuple[str, int, int]] = (),
) -> Promise:
    """Return what was promised by what was heard before a cut; `earlier` and `received` are of lives before this."""
    receipts = [
        one for each in before if each.topic.endswith("/receipt") for one in ranges(each.topic, each.content)
    ]
    return Promise({*published(before), *earlier}, {*receipts, *received}, answered, everything)


def published(heard: Sequence[Heard]) -> dict[Position, bytes]:
    """Return the gateway's own alert events among what was heard, by their numbers."""
    return {ids(each.content): each.content for each in heard if each.topic == payload.topic(ID, "alert")}


def ids(content: bytes) -> Position:
    """Return the number of an alert event as it was published."""
    epoch, seq = json.loads(content)["id"].split(".")
    return int(epoch), int(seq)


def ranges(topic: str, content: bytes) -> list[tuple[str, int, int]]:
    """Return what a receipt is for."""
    told, gateway = json.loads(content), topic.split("/")[2]
    return [(gateway, told["epoch"], seq) for first, last in told["stored"] for seq in range(first, last + 1)]
