"""What only some may see of alerts about residents, in tables of its own: put away, found by name, thrown away whole.

Everything else in the record is made of what everybody may see (masking.py). Consent stands here too: it is looked at
with each question, so that what is taken back is gone with the next answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from gateway.core.events import Place, Words
from gateway.desk.arrivals import Arrival
from gateway.desk.consent import FORGOTTEN, Consent, Consents, named, shown_of
from gateway.desk.masking import Home, home, is_discreet, is_private, masked
from gateway.desk.store import people
from gateway.desk.store.database import Row, Transaction, among, insert
from gateway.desk.workflow import OPEN, Outcome, Step

SAID: Final = "event"
WRITTEN: Final = "step"

_HEAD: Final = (
    "INSERT INTO care (alert, gateway, code, epoch, seq, where_zh, where_en, zh, en, withdrawn, home)",
    "ON CONFLICT (alert) DO UPDATE SET code = excluded.code, epoch = excluded.epoch, seq = excluded.seq,"
    " where_zh = excluded.where_zh, where_en = excluded.where_en, zh = excluded.zh, en = excluded.en,"
    " home = excluded.home WHERE (excluded.epoch, excluded.seq) > (care.epoch, care.seq)",
)
_OPEN: Final = ", ".join(f"'{state}'" for state in OPEN)


@dataclass(frozen=True, slots=True)
class Door:
    """Where an alert about a resident is, in full, and who has to know: whoever was called, or has taken it on.

    Of what is discreet it is whom the resident named.
    """

    alert: str
    key: tuple[str, str]
    where: Words
    text: Words
    place: Place
    called: frozenset[str]


async def part(
    transaction: Transaction, arrivals: Sequence[Arrival]
) -> tuple[list[Arrival], Mapping[tuple[str, int, int], Home]]:
    """Return arrivals as everybody may see them; and, by number, what is to be put away."""
    private = [each for each in arrivals if is_private(each)]
    if not private:
        return list(arrivals), {}
    known = await consents(transaction)
    told = {each.key: masked(each, shown_of(known.get((each.gateway, each.resident)))) for each in private}
    over = await _thrown_away(transaction, private)
    homes = {each.key: replace(home(each), withdrawn=int(each.alert in over)) for each in private}
    return [told.get(each.key, each) for each in arrivals], homes


async def put_away(transaction: Transaction, homes: Iterable[Home]) -> None:
    """Keep what was parted from new events; of each alert the newest counts, in whatever order they come."""
    kept = sorted(homes, key=lambda each: (each.alert, each.epoch, each.seq))
    if not kept:
        return
    latest = {each.alert: each for each in kept}
    heads = [
        (each.alert, each.gateway, each.code, each.epoch, each.seq, each.where.zh, each.where.en,
         each.text.zh, each.text.en, each.withdrawn, msgspec.json.encode(each.place).decode())
        for each in latest.values()
    ]  # fmt: skip
    await insert(transaction, _HEAD[0], heads, _HEAD[1])
    parts = [(each.alert, f"{SAID} {each.epoch}.{each.seq}", each.body) for each in kept]
    await _keep(transaction, parts)


async def write_words(transaction: Transaction, alert: str, command: str, cause: str, note: str) -> bool:
    """Keep what somebody wrote of an alert about a resident; False for any other alert, of which nothing is hidden.

    Once what is known of it was thrown away nobody could read it any more, and nothing would throw it away: it goes.
    """
    rows = await transaction.fetch(
        "SELECT a.shown AS shown, c.alert AS known FROM alerts a LEFT JOIN care c ON c.alert = a.alert"
        " WHERE a.alert = $1",
        alert,
    )
    if not rows or not rows[0]["shown"]:
        return False
    if rows[0]["known"]:
        told = msgspec.json.encode({"cause": cause, "note": note}).decode()
        await _keep(transaction, [(alert, f"{WRITTEN} {command}", told)])
    return True


async def told(transaction: Transaction, alert: str) -> dict[str, str]:
    """Return the parts of an alert that were put away: events as they came, and what was written, as JSON."""
    rows = await transaction.fetch("SELECT part, told FROM care_told WHERE alert = $1", alert)
    return {row["part"]: row["told"] for row in rows}


async def doors(transaction: Transaction, alerts: Sequence[str]) -> dict[str, Door]:
    """Return where those of the alerts are that are about residents."""
    if not alerts:
        return {}
    rows = await among(
        transaction,
        "SELECT c.*, a.place AS place, a.kind AS kind, w.incident AS incident, w.acknowledged_by AS seen_by,"
        " w.assignee AS assignee"
        " FROM care c JOIN alerts a ON a.alert = c.alert JOIN work w ON w.alert = c.alert WHERE c.alert",
        alerts,
    )
    called: dict[str, set[str]] = {}
    for row in await among(
        transaction,
        "SELECT DISTINCT incident, person FROM notifications WHERE incident",
        sorted({row["incident"] for row in rows}),
    ):
        called.setdefault(row["incident"], set()).add(row["person"])
    # also the second on the spot: the work remembers only who was the first to take it on
    for row in await among(
        transaction,
        f"SELECT DISTINCT subject, who FROM audit WHERE step = '{Step.ARRIVE}' AND outcome = '{Outcome.DONE}'"
        " AND subject",
        sorted({row["alert"] for row in rows}),
    ):
        called.setdefault(row["subject"], set()).add(row["who"])
    found = {
        row["alert"]: _door(row, called.get(row["incident"], set()) | called.get(row["alert"], set()))
        for row in rows
    }
    discreet = [found[row["alert"]] for row in rows if is_discreet(row["kind"])]
    return found | {each.alert: each for each in await _for_the_named(transaction, discreet)}


async def where(transaction: Transaction, incidents: Mapping[str, str]) -> dict[str, Words]:
    """Return where those of the incidents are that wait for somebody; `incidents` are alerts by them.

    An incident is taken for that of an alert only if the record says so: what a gateway writes into a place is no key.
    """
    rows = await among(
        transaction,
        "SELECT w.incident AS incident, c.where_zh AS zh, c.where_en AS en FROM care c JOIN work w ON w.alert = c.alert"
        f" WHERE w.state IN ({_OPEN}) AND c.alert",
        sorted(set(incidents.values())),
    )
    return {row["incident"]: Words(row["zh"], row["en"]) for row in rows if row["incident"] in incidents}


async def consents(transaction: Transaction) -> Consents:
    """Return what everybody agreed to."""
    rows = await transaction.fetch("SELECT * FROM consents")
    found = [
        Consent(
            gateway=row["gateway"],
            code=row["code"],
            see=tuple(msgspec.json.decode(row["see"])),
            shown=row["shown"],
            keep_days=row["keep_days"],
            name=row["name"],
            note=row["note"],
        )
        for row in rows
    ]
    return {each.key: each for each in found}


async def _for_the_named(transaction: Transaction, discreet: Sequence[Door]) -> list[Door]:
    """Return doors of which nobody knows but whom the residents named."""
    if not discreet:
        return []
    known, roles = await consents(transaction), (await people.directory(transaction)).roles
    return [replace(each, called=named(known.get(each.key), roles, each.place)) for each in discreet]


async def _thrown_away(transaction: Transaction, arrivals: Sequence[Arrival]) -> set[str]:
    """Return of which of these alerts nothing is known any more."""
    rows = await among(
        transaction,
        f"SELECT alert FROM alerts WHERE shown = '{FORGOTTEN}' AND alert",
        sorted({each.alert for each in arrivals}),
    )
    return {row["alert"] for row in rows}


async def _keep(transaction: Transaction, parts: Sequence[tuple[str, str, str]]) -> None:
    await insert(
        transaction,
        "INSERT INTO care_told (alert, part, told)",
        parts,
        "ON CONFLICT (alert, part) DO NOTHING",
    )


def _door(row: Row, called: set[str]) -> Door:
    on_it = {name for name in (row["seen_by"], row["assignee"]) if name}
    return Door(
        alert=row["alert"],
        key=(row["gateway"], row["code"]),
        where=Words(row["where_zh"], row["where_en"]),
        text=Words(row["zh"], row["en"]),
        place=msgspec.json.decode(row["home"] or row["place"], type=Place),
        called=frozenset(called | on_it),
    )
