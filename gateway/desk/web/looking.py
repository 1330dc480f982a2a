"""One alert about a resident in full, for whoever may see that much of it; and the record of who did.

Three views of the same alert. Everybody in its place sees what it is, in which stairwell, and what to do. Whoever was
called for it or has taken it on sees the door besides, as long as it is open. All that is known is shown to whom the
resident agreed; a view that shows more than everybody sees is on record before it is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec

from gateway.core.events import Place, Words
from gateway.desk.consent import Consent, allows
from gateway.desk.store import care, lists, looks
from gateway.desk.store.database import Transaction
from gateway.desk.web.endpoints import Asked
from gateway.desk.web.shapes import Alert, File, placed
from gateway.desk.web.showing import Seen

View = Literal["open", "masked", "place", "details"]

_decoder: Final = msgspec.json.Decoder(dict[str, Any])


class Resident(msgspec.Struct, frozen=True):
    """Whom an alert concerns, as far as they agreed that it is shown."""

    code: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Look:
    """An alert as somebody may see it. `told` are its hidden parts by name, where they may see them."""

    view: View
    alert: Alert
    resident: Resident | None = None
    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


async def look(transaction: Transaction, asked: Asked, seen: Seen) -> Look:
    """Return as much of an alert as the asker may see, and write down that they saw more than everybody does."""
    if not seen.alert.hidden:
        return Look("open", seen.alert)
    door = seen.door
    if door is None:  # what was known has been thrown away
        return Look("masked", seen.alert)
    consent = (await care.consents(transaction)).get(door.key)
    if agreed(asked, consent, door.place):
        await note(transaction, asked, seen.alert, "details")
        return await _whole(transaction, seen, consent)
    if seen.is_for(asked.who.person):
        await note(transaction, asked, seen.alert, "place")
        return Look("place", seen.told(asked.who.person))
    return Look("masked", seen.alert)


def agreed(asked: Asked, consent: Consent | None, place: Place) -> bool:
    """Return whether a resident agreed that the asker sees everything."""
    return allows(consent, asked.who.person, asked.who.roles, place)


async def note(transaction: Transaction, asked: Asked, alert: Alert, what: str) -> None:
    """Write down what the asker is about to see."""
    await looks.write(
        transaction,
        alert=alert.alert,
        kind=alert.kind,
        place=msgspec.json.encode(alert.place).decode(),
        who=asked.who.person,
        phone=asked.who.phone.label,
        what=what,
        now=asked.now,
    )


async def _whole(transaction: Transaction, seen: Seen, consent: Consent | None) -> Look:
    """Return all there is to know."""
    assert seen.door is not None
    assert consent is not None  # nobody sees everything without
    door, alert = seen.door, seen.alert
    parts = {
        name: _decoder.decode(told) for name, told in (await care.told(transaction, alert.alert)).items()
    }
    events = sorted((name for name in parts if name.startswith(care.SAID)), key=_number)
    data = parts[events[-1]].get("data", {}) if events else {}
    text = data.get("text", {})
    words = Words(text["zh"], text["en"]) if text.keys() >= {"zh", "en"} else door.text
    files = tuple(File(row["sha256"], row["kind"]) for row in await lists.files(transaction, [alert.alert]))
    shown = msgspec.structs.replace(
        placed(alert, words, door.where, door.place), device=data.get("device") or "", evidence=files
    )
    return Look("details", shown, Resident(consent.code, consent.name, consent.note), parts)


def _number(name: str) -> tuple[int, int]:
    epoch, _, seq = name.rpartition(" ")[2].partition(".")
    return int(epoch), int(seq)
