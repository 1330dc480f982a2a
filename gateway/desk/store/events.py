"""Take events in: each once, the alerts folded, new alerts grouped and their ladders begun, in one transaction.

What two desks do at the same moment is put in order by the row locks of the upserts. Whether an alert is new is
asked only after its row is locked, so exactly one of them begins its work; an incident's number and size come out
of one statement, so they agree about those as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.core.events import Change
from gateway.core.places import cut
from gateway.desk.arrivals import Arrival
from gateway.desk.folding import by_key, newest, once
from gateway.desk.grouping import OWN, WINDOW_S, incident_key
from gateway.desk.store import care, files, news, returning, timers, work
from gateway.desk.store.acknowledging import is_echo
from gateway.desk.store.database import Row, Transaction, among, insert
from gateway.desk.workflow import CLOSED, Command, Step

MOST_GAPS: Final = 100
"""Of one look, which is one transaction; the next look finds the rest."""

_EVENT: Final = (
    "INSERT INTO events (gateway, epoch, seq, previous, alert, change, time, received, body)",
    "ON CONFLICT (gateway, epoch, seq) DO NOTHING RETURNING gateway, epoch, seq",
)
_ALERT: Final = (
    "INSERT INTO alerts (alert, gateway, epoch, seq, kind, rank, change, state, place, time, first_seen, count,"
    " zh, en, body, device, shown)",
    "ON CONFLICT (alert) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, kind = excluded.kind,"
    " rank = excluded.rank, change = excluded.change, state = excluded.state, place = excluded.place,"
    " time = excluded.time, first_seen = excluded.first_seen, count = excluded.count, zh = excluded.zh,"
    " en = excluded.en, body = excluded.body, device = excluded.device,"
    " shown = excluded.shown"
    " WHERE (excluded.epoch, excluded.seq) > (alerts.epoch, alerts.seq)",
)
_HEAD: Final = (
    "INSERT INTO heads (key, number, count, last_at)",
    # what a clock that was ahead wrote is no recent one: a year of fires would be told as news of one long past
    f"""ON CONFLICT (key) DO UPDATE SET
  number = CASE WHEN abs(excluded.last_at - heads.last_at) > {WINDOW_S} THEN heads.number + 1 ELSE heads.number END,
  count = CASE WHEN abs(excluded.last_at - heads.last_at) > {WINDOW_S} THEN excluded.count
    ELSE heads.count + excluded.count END,
  last_at = CASE WHEN heads.last_at > excluded.last_at AND heads.last_at <= excluded.last_at + {WINDOW_S}
    THEN heads.last_at ELSE excluded.last_at END
RETURNING key, number, count""",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was new in a batch."""

    events: int
    alerts: int


async def ingest(transaction: Transaction, batch: Sequence[Arrival], now: float) -> Taken:
    """Take in a batch, in any order and with any repeats; return what was new."""
    arrivals, homes = await care.part(transaction, once(batch))
    fresh = await _insert(transaction, arrivals, now)
    latest = newest(fresh)
    if not latest:
        return Taken(0, 0)
    before = await returning.standing(transaction, list(latest))
    await insert(transaction, _ALERT[0], [_alert_row(each) for each in latest.values()], _ALERT[1])
    await care.put_away(transaction, [homes[each.key] for each in fresh if each.key in homes])
    known = {
        row["alert"]: row
        for row in await among(
            transaction,
            "SELECT w.alert AS alert, w.incident AS incident, w.state AS state, i.rank AS rank"
            " FROM work w JOIN incidents i ON i.incident = w.incident WHERE w.alert",
            list(latest),
        )
    }
    new = [each for alert, each in latest.items() if alert not in known]
    await begin(transaction, new, now)
    await _worsen(transaction, latest, known, now)
    for each in fresh:
        if each.change is not Change.ACKNOWLEDGED or returning.is_past(before, each):
            continue
        if not await is_echo(transaction, each.gateway, each.alert, each.by):
            await work.take_step(transaction, _on_the_spot(each), now, at_gateway=True)
    await returning.begin_anew(transaction, await returning.returned(transaction, before, fresh), now)
    named = [(each.alert, sha256, each.gateway) for each in fresh for sha256 in each.evidence]
    await files.attach(transaction, named, now)
    await news.tell(transaction, "alert", latest, now)
    return Taken(len(fresh), len(new))


async def alerts(transaction: Transaction) -> Sequence[Row]:
    """Return every alert as it stands, oldest first."""
    return await transaction.fetch("SELECT * FROM alerts ORDER BY first_seen, alert")


async def timeline(transaction: Transaction, alert: str) -> Sequence[Row]:
    """Return all events of one alert in the order of its gateway."""
    return await transaction.fetch("SELECT * FROM events WHERE alert = $1 ORDER BY epoch, seq", alert)


async def gaps(transaction: Transaction, since: float, until: float) -> Sequence[Row]:
    """Return the events received between the two before which one is missing: gateway, epoch, seq, previous.

    What was never to come here is not missing: before the first event that this desk has of a gateway there is nothing.
    Nor what was told already, by the number that missing.py gives it.
    """
    return await transaction.fetch(
        "SELECT e.gateway AS gateway, e.epoch AS epoch, e.seq AS seq, e.previous AS previous FROM events e"
        " WHERE e.received >= $1 AND e.received < $2 AND e.previous IS NOT NULL AND NOT EXISTS ("
        "   SELECT 1 FROM events p WHERE p.gateway = e.gateway AND p.epoch = e.epoch AND p.seq = e.previous)"
        " AND EXISTS (SELECT 1 FROM events p WHERE p.gateway = e.gateway"
        "   AND (p.epoch < e.epoch OR (p.epoch = e.epoch AND p.seq < e.previous)))"
        f" AND NOT EXISTS (SELECT 1 FROM events p WHERE p.gateway = '{OWN}:' || e.gateway"
        "   AND p.epoch = e.epoch + 1 AND p.seq = e.seq * 2)"
        f" ORDER BY e.received, e.gateway, e.epoch, e.seq LIMIT {MOST_GAPS}",
        since,
        until,
    )


async def has(transaction: Transaction, gateway: str, epoch: int, seq: int) -> bool:
    """Return whether an event was received."""
    rows = await transaction.fetch(
        "SELECT 1 AS found FROM events WHERE gateway = $1 AND epoch = $2 AND seq = $3", gateway, epoch, seq
    )
    return bool(rows)


async def standing(transaction: Transaction, kind: str) -> Sequence[Row]:
    """Return the alerts of a kind that are not over."""
    return await transaction.fetch("SELECT * FROM alerts WHERE kind = $1 AND change <> 'cleared'", kind)


async def _insert(transaction: Transaction, arrivals: Sequence[Arrival], now: float) -> list[Arrival]:
    rows = [
        (
            each.gateway,
            each.epoch,
            each.seq,
            each.previous,
            each.alert,
            each.change,
            each.time,
            now,
            each.body,
        )
        for each in arrivals
    ]
    known = by_key(arrivals)
    added = await insert(transaction, _EVENT[0], rows, _EVENT[1])
    return [known[row["gateway"], row["epoch"], row["seq"]] for row in added]


async def begin(transaction: Transaction, new: Sequence[Arrival], now: float) -> None:
    """Give new alerts the places they lie in, their incidents and their work; start the ladders."""
    await _place(transaction, new)
    groups: dict[str, list[Arrival]] = {}
    for each in new:
        groups.setdefault(incident_key(each), []).append(each)
    rows = [(key, 1, len(groups[key]), now) for key in sorted(groups)]
    heads = sorted(await insert(transaction, _HEAD[0], rows, _HEAD[1]), key=lambda head: str(head["key"]))
    incident_of = {head["key"]: f"{head['key']}#{head['number']}" for head in heads}
    begun = [
        (incident_of[key], key, now, max(each.rank for each in groups[key]))
        for key, count in ((head["key"], head["count"]) for head in heads)
        if count == len(groups[key])
    ]
    await insert(
        transaction, "INSERT INTO incidents (incident, key, opened_at, rank)", begun, "ON CONFLICT DO NOTHING"
    )
    await timers.arm(transaction, {incident_of[head["key"]]: head["count"] for head in heads}, now)
    works = [(each.alert, incident_of[incident_key(each)], now, "raised", 1) for each in new]
    await insert(
        transaction,
        "INSERT INTO work (alert, incident, opened_at, state, version)",
        works,
        "ON CONFLICT DO NOTHING",
    )


async def _worsen(
    transaction: Transaction, latest: Mapping[str, Arrival], known: Mapping[str, Row], now: float
) -> None:
    """Begin the ladder anew where a known alert has become worse than anything in its incident; open it if closed."""
    worse = {
        alert: each
        for alert, each in latest.items()
        if alert in known and each.change is not Change.CLEARED and each.rank > known[alert]["rank"]
    }
    for incident, rank in sorted((known[alert]["incident"], each.rank) for alert, each in worse.items()):
        await transaction.execute(
            "UPDATE incidents SET rank = $2 WHERE incident = $1 AND rank < $2", incident, rank
        )
        await timers.again(transaction, incident, now)
    closed = [each for alert, each in worse.items() if known[alert]["state"] in CLOSED]
    await returning.begin_anew(transaction, closed, now)


async def _place(transaction: Transaction, new: Sequence[Arrival]) -> None:
    """Remember every place on the way from the community down to where the alerts are."""
    rows: dict[str, tuple[str, str | None, str, str]] = {}
    for each in new:
        path: list[tuple[str, str]] = []
        parent = None
        place = cut(each.place, each.shown) if each.shown else each.place
        for level in place.__struct_fields__:
            if name := getattr(place, level):
                path.append((level, name))
                here = msgspec.json.encode(path).decode()
                rows[here] = (here, parent, level, name)
                parent = here
    if rows:
        await insert(
            transaction,
            "INSERT INTO places (path, parent, level, name)",
            [rows[path] for path in sorted(rows)],
            "ON CONFLICT (path) DO NOTHING",
        )


def _alert_row(each: Arrival) -> tuple[str | int | float, ...]:
    place = msgspec.json.encode(each.place).decode()
    return (
        each.alert, each.gateway, each.epoch, each.seq, each.kind, each.rank, each.change, each.state, place,
        each.time, each.first_seen, each.count, each.text.zh, each.text.en, each.body,
        each.device, each.shown,
    )  # fmt: skip


def _on_the_spot(each: Arrival) -> Command:
    """Return the step that somebody made at the gateway itself."""
    who = f"{each.gateway}: {each.by}" if each.by else each.gateway
    name = f"{each.gateway}/{each.epoch}.{each.seq}"
    return Command(name, each.alert, Step.ACKNOWLEDGE, who)
