"""A hazard or a request reported by hand: it becomes an alert, is told to who is on duty, and is seen to its end."""

from typing import Annotated, Final, Literal

import msgspec

from gateway.core.events import Severity
from gateway.desk.reporting import Report, What, alert_of, arrival, completed
from gateway.desk.store import files, lists, locations, news
from gateway.desk.store.database import Row, Transaction
from gateway.desk.store.events import ingest
from gateway.desk.web.api_files import may_have
from gateway.desk.web.asking import Asker
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.fields import Id, Photos, Where
from gateway.desk.web.limits import Limit
from gateway.desk.web.permissions import Action, reaches
from gateway.desk.web.refusals import RefusalError
from gateway.desk.web.shapes import Alert
from gateway.desk.web.showing import with_files

Said = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*\Z")]


class Made(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody reports; `id` is made on the phone, once, and the same again changes nothing."""

    id: Id
    what: What
    text: Said
    place: Where
    photos: Photos = ()
    severity: Literal["minor", "major", "critical"] = "minor"


class Reported(msgspec.Struct, frozen=True):
    """The alert that a report has become."""

    alert: Alert


class _Data(msgspec.Struct, frozen=True):
    by: str = ""


class _Body(msgspec.Struct, frozen=True):
    data: _Data = _Data()


async def make(asked: Asked, made: Made) -> Reported:
    """Take a report in."""
    name = alert_of(made.id)
    async with asked.parts.database.transaction() as transaction:
        known = await lists.these(transaction, [name])
        if not known:
            await _take(transaction, asked, made)
            known = await lists.these(transaction, [name])
        _own(known[0], asked.who)
        await _attach(transaction, name, made, asked)
        (alert,) = await with_files(transaction, known)
    asked.parts.changed()
    return Reported(alert)


async def _take(transaction: Transaction, asked: Asked, made: Made) -> None:
    reach = asked.who.reach(Action.REPORT)
    known = [place for place in await locations.known(transaction) if reaches(reach, place)]
    place = completed(made.place.place, known)
    if not reaches(reach, place):
        raise RefusalError("forbidden")
    report = Report(made.id, made.what, made.text.strip(), place, Severity(made.severity), asked.who.person)
    await ingest(transaction, [arrival(report, asked.now)], asked.now)


def _own(row: Row, who: Asker) -> None:
    """Raise RefusalError for a report that somebody else made under this id."""
    if msgspec.json.decode(row["body"], type=_Body).data.by != who.person:
        raise RefusalError("changed")


async def _attach(transaction: Transaction, name: str, made: Made, asked: Asked) -> None:
    """Have photos belong to a report. One that is gone, or not theirs, costs nobody the report: the answer lacks it."""
    photos = await files.known(transaction, made.photos)
    rows = [
        (name, photo, asked.who.person)
        for photo in sorted(photos)
        if await may_have(transaction, photo, asked.who)
    ]
    await files.attach(transaction, rows, asked.now)
    await news.tell(transaction, "alert", [name], asked.now)


ENDPOINTS: Final = (
    Endpoint(
        "POST", "/api/reports", Action.REPORT, make, "Report a hazard or a request", Made, Reported,
        limit=Limit(20.0, 0.1),
    ),
)  # fmt: skip
