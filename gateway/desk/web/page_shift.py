"""The hand-over of a shift as a page to print: what happened, who answered how fast, what is still open, to be signed.

Times are asked for as people write them, local: `?from=2026-11-24T08:00&to=2026-11-24T20:00`; else the last 12 h.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
from starlette.responses import Response

from gateway.core.events import Place
from gateway.desk.masking import is_discreet
from gateway.desk.registry.telling import OFFSET_H, morning
from gateway.desk.store import shifts
from gateway.desk.store.database import Row
from gateway.desk.web import api_deliveries
from gateway.desk.web.api_devices import seen
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.page_room import sayings, turned_away
from gateway.desk.web.pages import language, paint
from gateway.desk.web.permissions import Action, reaches
from gateway.desk.web.refusals import RefusalError
from gateway.desk.web.shapes import SEVERITIES, Alert
from gateway.desk.web.showing import with_files
from gateway.desk.workflow import State

SHIFT_S: Final = 12 * 3_600.0
LONGEST_S: Final = 31 * 86_400.0
ZONE: Final = timedelta(hours=OFFSET_H)
MOST_DEVICES: Final = 50


async def shift(asked: Asked) -> Response:
    """Return the report."""
    if (elsewhere := turned_away(asked)) is not None:
        return elsewhere
    since, until = span(
        asked.request.query_params.get("from", ""), asked.request.query_params.get("to", ""), asked.now
    )
    places = asked.who.reach(Action.SEE)
    async with asked.parts.database.transaction() as transaction:
        rows = await shifts.happened(transaction, since, until)
        theirs = [
            row
            for row in rows[: shifts.MOST]
            if reaches(places, _place(row["place"])) and not is_discreet(row["kind"])
        ]  # paper is read by whoever finds it
        alerts = await with_files(transaction, theirs)
        silences = [row for row in await shifts.silences(transaction, since, until) if _near(places, row)]
        duties = await shifts.duties(transaction, since, until)
        quiet = [row for row in await shifts.gone_quiet(transaction) if reaches(places, _place(row["place"]))]
    failed = (await api_deliveries.listed(asked, api_deliveries.Wanted("failed", 200))).deliveries
    known = [each for each in await seen(asked) if not each.reported.resident]
    devices = [each for each in known if each.reported.online is False and each.gone_at is None]
    today = morning(asked.now)[1]
    lang = language(asked.request, asked.who.language)
    return paint(
        asked.request, "shift.html", asked.who.language,
        say=sayings(lang, "shift.json"), me=asked.who.person, since=since, until=until, now=asked.now,
        alerts=[each for each in alerts if each.closed_at is not None],
        more=len(rows) > shifts.MOST, figures=figures(alerts, since),
        open=[each for each in asked.parts.showing.open_in(places) if each.opened_at <= until],
        silences=silences, duties=duties, quiet=quiet, place=_place,
        failed=[
            each for each in failed
            if since <= each.created_at <= until and not api_deliveries.is_about_discreet(each.incident)
        ],
        devices=devices[:MOST_DEVICES], more_devices=max(0, len(devices) - MOST_DEVICES),
        due=sum(bool(each.due(today)) for each in known),
        at=clock, field=field_of, took=took, why=why,
    )  # fmt: skip


def span(since: str, until: str, now: float) -> tuple[float, float]:
    """Return the span that is asked for, wall seconds; raises RefusalError. Pure."""
    end = _read(until) if until else now
    begin = _read(since) if since else end - SHIFT_S
    if not begin < end or end - begin > LONGEST_S:
        raise RefusalError("bad", f"{since} – {until}: 0 – 31 d")
    return begin, end


def figures(alerts: Sequence[Alert], since: float) -> dict[str, Any]:
    """Return the few numbers on top: how many by severity, how fast, how many false. Pure."""
    new = [each for each in alerts if each.opened_at >= since]
    waits = sorted(each.acknowledged_at - each.opened_at for each in new if each.acknowledged_at is not None)
    ranks = Counter(each.severity for each in new)
    return {
        "total": len(new),
        "severities": [(name, ranks[name]) for name in reversed(SEVERITIES) if ranks[name]],
        "median": waits[(len(waits) - 1) // 2] if waits else None,
        "slowest": waits[-1] if waits else None,
        "untrue": sum(each.state == State.FALSE_ALARM for each in new),
        "closed": sum(each.closed_at is not None for each in alerts),
    }


def clock(at: float, *, day: bool = True, year: bool = False) -> str:
    """Return a local time as it is written: 11-24 08:15."""
    wanted = "%Y-%m-%d %H:%M:%S" if year else "%m-%d %H:%M" if day else "%H:%M"
    return (datetime.fromtimestamp(at, UTC) + ZONE).strftime(wanted)


def field_of(at: float) -> str:
    """Return a local time as a form has it."""
    return (datetime.fromtimestamp(at, UTC) + ZONE).strftime("%Y-%m-%dT%H:%M")


def took(seconds: float | None, say: dict[str, str]) -> str:
    """Return how long something took, as people say it."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return say["took.seconds"].format(n=round(seconds))
    if seconds < 5_400:
        return say["took.minutes"].format(n=round(seconds / 60))
    return say["took.hours"].format(n=f"{seconds / 3_600:.1f}")


def why(alert: Alert, say: dict[str, str]) -> str:
    """Return the cause of an alert as people say it: `false: 油烟` is "误报：油烟"."""
    verdict, _, cause = (alert.cause or "").partition(": ")
    return "：".join(filter(None, (say.get(f"verdict.{verdict}", verdict), cause)))


def _read(told: str) -> float:
    try:
        read = datetime.fromisoformat(told)
        at = (read.replace(tzinfo=UTC) - ZONE if read.tzinfo is None else read).timestamp()
    except (ValueError, OverflowError) as error:
        raise RefusalError("bad", f"{told[:40]}: 2026-11-24T08:00") from error
    return at


def _near(places: Sequence[Place], row: Row) -> bool:
    """Return whether a silence lies in these places, or they in it."""
    place = _place(row["place"])
    return reaches(places, place) or any(reaches([place], each) for each in places)


def _place(told: str) -> Place:
    return msgspec.json.decode(told, type=Place) if told else Place()


ENDPOINTS: Final = (Endpoint("GET", "/shift", None, shift, "The hand-over of a shift"),)
