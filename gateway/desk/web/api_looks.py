"""Who looked at what only some may see of alerts about residents: as JSON, as CSV, and as a page to print.

For the residents' committee and the administrator, in their places. It names alerts by kind, stairwell and number and
never by door: the record outlives what it is about.
"""

from typing import Annotated, Final

import msgspec
from starlette.responses import Response

from gateway.core.csv_text import to_csv
from gateway.core.events import Place, Words
from gateway.core.texts import Subject, where
from gateway.desk.store import looks
from gateway.desk.store.database import Row
from gateway.desk.web.api_devices import attached
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.page_room import sayings, turned_away
from gateway.desk.web.page_shift import clock
from gateway.desk.web.pages import language, paint
from gateway.desk.web.permissions import Action, reaches
from gateway.desk.web.refusals import RefusalError

MOST: Final = 500
MOST_EXPORTED: Final = 10_000
NEWEST: Final = 1 << 53


class Wanted(msgspec.Struct, frozen=True):
    """Looks with a smaller number than `before`."""

    before: Annotated[int, msgspec.Meta(ge=1, le=NEWEST)] = NEWEST
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100


class Looked(msgspec.Struct, frozen=True):
    """One look. `what`: place (the door), details (everything), picture."""

    id: int
    at: float
    who: str
    phone: str
    what: str
    alert: str
    kind: str
    place: Place
    where: Words


class Looks(msgspec.Struct, frozen=True):
    """Looks, the latest first; `more`: there are others."""

    looks: tuple[Looked, ...]
    more: bool


async def listed(asked: Asked, wanted: Wanted) -> Looks:
    """Return who looked at alerts about residents of the asker's places."""
    found = await _found(asked, wanted.before, wanted.limit + 1)
    return Looks(tuple(found[: wanted.limit]), len(found) > wanted.limit)


async def as_csv(asked: Asked) -> Response:
    """Return the record as CSV, the latest first."""
    spoken = language(asked.request, asked.who.language)
    said = sayings(spoken, "looks.json")
    head = [said[f"col.{name}"] for name in ("at", "who", "phone", "what", "kind", "where", "alert")]
    rows = [
        [clock(each.at, year=True), each.who, each.phone, said[f"what.{each.what}"], each.kind,
         f"{each.place.compound} {each.where.zh if spoken == 'zh' else each.where.en}", each.alert]
        for each in await _found(asked, NEWEST, MOST_EXPORTED)
    ]  # fmt: skip
    return attached(to_csv([head, *rows]), "looks.csv", "text/csv; charset=utf-8")


async def page(asked: Asked) -> Response:
    """Return the record as a page."""
    if (elsewhere := turned_away(asked)) is not None:
        return elsewhere
    if not asked.who.reach(Action.LOOKS):
        raise RefusalError("forbidden")
    found = await _found(asked, NEWEST, MOST + 1)
    said = sayings(language(asked.request, asked.who.language), "looks.json")
    return paint(
        asked.request, "looks.html", asked.who.language,
        say=said, me=asked.who.person, now=asked.now, looks=found[:MOST], more=len(found) > MOST, at=clock,
    )  # fmt: skip


async def _found(asked: Asked, before: int, most: int) -> list[Looked]:
    """Return up to `most` looks of the asker's places."""
    places, found = asked.who.reach(Action.LOOKS), list[Looked]()
    async with asked.parts.database.transaction() as transaction:
        while len(found) < most:
            rows = await looks.before(transaction, before, MOST)
            found += [each for row in rows if reaches(places, (each := _looked(row)).place)]
            if len(rows) < MOST:
                break
            before = rows[-1]["id"]
    return found[:most]


def _looked(row: Row) -> Looked:
    place = msgspec.json.decode(row["place"], type=Place)
    told = {name: row[name] for name in ("id", "at", "who", "phone", "what", "alert", "kind")}
    return Looked(**told, place=place, where=where(Subject(place=place)))


ENDPOINTS: Final = (
    Endpoint(
        "GET", "/api/looks", Action.LOOKS, listed, "Who looked at alerts about residents", Wanted, Looks
    ),
    Endpoint("GET", "/api/looks.csv", Action.LOOKS, as_csv, "The same as CSV"),
)
PAGES: Final = (Endpoint("GET", "/looks", None, page, "Who looked at alerts about residents"),)
