"""What did not reach anybody: pages that no channel took, and those still on their way, of one's own places."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal

import msgspec

from gateway.core.events import Place
from gateway.desk.grouping import HOME
from gateway.desk.masking import is_discreet
from gateway.desk.store import notices
from gateway.desk.store.database import Row
from gateway.desk.web.asking import Asker
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.permissions import Action

MOST: Final = 1_000


class Wanted(msgspec.Struct, frozen=True):
    """Which deliveries."""

    state: Literal["failed", "waiting", "delivered"] = "failed"
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 100


class Sent(msgspec.Struct, frozen=True):
    """A page to one person. `channel`: that took it, or is tried next; `answer`: what its provider said last."""

    id: str
    incident: str
    person: str
    channel: str
    state: str
    attempts: int
    rank: int
    zh: str
    en: str
    created_at: float
    due_at: float
    sent_at: float | None
    answer: str


class Deliveries(msgspec.Struct, frozen=True):
    """Pages of the asker's places and to the asker, the latest first."""

    deliveries: tuple[Sent, ...]


async def listed(asked: Asked, wanted: Wanted) -> Deliveries:
    """Return the latest pages in a state."""
    async with asked.parts.database.transaction() as transaction:
        rows = await notices.in_state(transaction, wanted.state, MOST)
        places = await notices.places_of(transaction, sorted({row["incident"] for row in rows}))
    seen = [row for row in rows if _theirs(row, places.get(row["incident"], ()), asked.who)]
    return Deliveries(tuple(_sent(row) for row in seen[: wanted.limit]))


def _theirs(row: Row, places: Iterable[str], who: Asker) -> bool:
    """Return whether a page went to somebody, or is about their places, or about no place and they see all.

    What is discreet is told in no place, and only whom it was told to may read it.
    """
    if is_about_discreet(row["incident"]):
        return bool(row["person"] == who.person)
    lie = [msgspec.json.decode(place, type=Place) for place in places] or [Place()]
    return bool(row["person"] == who.person or any(who.may(Action.SEE, place) for place in lie))


def is_about_discreet(incident: str) -> bool:
    """Return whether an incident is of a kind that is told to nobody but whom the resident named. Pure."""
    before, found, _ = incident.partition(f"|{HOME}")
    return bool(found) and is_discreet(before.rpartition("|")[2])


def _sent(row: Row) -> Sent:
    channels = [name for name, _ in msgspec.json.decode(row["channels"])]
    trying = channels[row["channel"]] if row["channel"] < len(channels) else ""
    return Sent(
        id=row["id"],
        incident=row["incident"],
        person=row["person"],
        channel=row["sent_by"] or trying,
        state=row["state"],
        attempts=row["attempts"],
        rank=row["rank"],
        zh=row["zh"],
        en=row["en"],
        created_at=row["created_at"],
        due_at=row["due_at"],
        sent_at=row["sent_at"],
        answer=row["answer"],
    )


ENDPOINTS: Final = (
    Endpoint("GET", "/api/deliveries", Action.SEE, listed, "Pages and what came of them", Wanted, Deliveries),
)
