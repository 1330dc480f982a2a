"""Alerts on the pages: the list, one in full, the steps people make, and a storm acknowledged in one go."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec

from gateway.core.events import Place
from gateway.desk.masking import is_discreet
from gateway.desk.routing import Directory
from gateway.desk.store import files, lists, work
from gateway.desk.store.database import Row, Transaction
from gateway.desk.web.api_files import may_have
from gateway.desk.web.asking import Asker
from gateway.desk.web.contacts import contacts
from gateway.desk.web.detail import Detail, delivery_of, timeline
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.fields import Id, Name, Photos, Text
from gateway.desk.web.looking import look
from gateway.desk.web.permissions import STEPS, Action, reaches
from gateway.desk.web.refusals import RefusalError
from gateway.desk.web.shapes import Alert
from gateway.desk.web.showing import Seen, seen_of, with_files
from gateway.desk.workflow import Command, Outcome, State, Step

MOST: Final = 500
MOST_AT_ONCE: Final = 1_000
UNDO_S: Final = 30.0  # the page offers it for 5; the network may be slow

Key = Annotated[str, msgspec.Meta(min_length=3, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Verdict = Literal["real", "false", "test"]


class Wanted(msgspec.Struct, frozen=True):
    """Which alerts: open ones, or those closed before a time, and at that time those below `than`.

    The next page of closed ones is asked for with `closed_at` and `alert` of the last.
    """

    state: Literal["open", "closed"] = "open"
    before: float | None = None
    than: Annotated[str, msgspec.Meta(max_length=256)] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100


class Listed(msgspec.Struct, frozen=True):
    """Alerts in order; `more`: there are others."""

    alerts: tuple[Alert, ...]
    more: bool


class StepMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step somebody makes; `id` is made on the phone, once, and the same again changes nothing."""

    id: Id
    step: Literal["acknowledge", "assign", "arrive", "resolve", "false_alarm", "reopen", "note", "undo"]
    version: int | None = None
    to: Name = ""
    verdict: Verdict | None = None
    cause: Name = ""
    note: Text = ""
    photos: Photos = ()


class StepTaken(msgspec.Struct, frozen=True):
    """What came of a step, and the alert as it is now."""

    outcome: Outcome
    alert: Alert


class Several(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The alerts somebody has looked at and acknowledges together."""

    id: Id
    alerts: Annotated[tuple[Key, ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]


class Acknowledged(msgspec.Struct, frozen=True):
    """How many are acknowledged by this, and how many somebody had before; the rest are not theirs to see."""

    done: int
    already: int


async def listed(asked: Asked, wanted: Wanted) -> Listed:
    """Return the open alerts, or the latest that were closed, in the asker's places."""
    places = asked.who.reach(Action.SEE)
    if wanted.state == "open":
        found = asked.parts.showing.open_in(places, asked.who.person)
        return Listed(tuple(found[: wanted.limit]), len(found) > wanted.limit)
    before, than = asked.now + 1 if wanted.before is None else wanted.before, wanted.than
    kept: list[Alert] = []
    async with asked.parts.database.transaction() as transaction:
        while len(kept) <= wanted.limit:
            rows = await lists.closed(transaction, before, MOST, than)
            theirs = [row for row in rows if reaches(places, _place(row)) and not is_discreet(row["kind"])]
            kept += await with_files(transaction, theirs)
            if len(rows) < MOST:
                break
            before, than = rows[-1]["closed_at"], rows[-1]["alert"]
    return Listed(tuple(kept[: wanted.limit]), len(kept) > wanted.limit)


async def detail(asked: Asked) -> Detail:
    """Return all there is to know of an alert."""
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        there = await seen(transaction, asked)
        found = await look(transaction, asked, there)
        alert, places = found.alert, asked.who.reach(Action.SEE)
        mates = await lists.of_incident(transaction, alert.incident, MOST)
        others = [row for row in mates if row["alert"] != alert.alert and reaches(places, _place(row))]
        return Detail(
            alert=alert,
            view=found.view,
            resident=found.resident,
            timeline=await timeline(transaction, alert, found.told),
            deliveries=await delivery_of(transaction, alert.incident),
            contacts=contacts(alert.kind, there.place, directory, asked.now),
            others=tuple(await with_files(transaction, others)),
            assignable=tuple(
                sorted({role.person for role in directory.roles if reaches([role.place], there.place)})
            ),
        )


async def step(asked: Asked, told: StepMade) -> StepTaken:
    """Make a step."""
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        there = await seen(transaction, asked)
        alert = there.alert
        undone = told.step == "undo" and await work.answered(transaction, told.id)
        made = Step.REOPEN if undone else _step(told, alert, asked.who, asked.now)
        if not asked.who.may(_action(told, made), there.place):
            raise RefusalError("forbidden")
        if told.to:
            _assignable(directory, told.to, there.place)
        command = Command(
            id=told.id,
            alert=alert.alert,
            step=made,
            who=asked.who.person,
            version=alert.version if told.step == "undo" else told.version,
            to=told.to,
            cause=": ".join(filter(None, (told.verdict, told.cause))),
            note=told.note,
            phone=asked.who.phone.label,
        )
        answer = await work.take_step(transaction, command, asked.now)
        if told.step == "undo" and answer.outcome is not Outcome.DONE:
            raise RefusalError("changed")
        if answer.outcome is Outcome.DONE:
            await _attach(transaction, asked, alert.alert, told.photos)
        after = (await seen(transaction, asked)).told(asked.who.person)
    asked.parts.changed()
    return StepTaken(answer.outcome, after)


async def acknowledge(asked: Asked, told: Several) -> Acknowledged:
    """Acknowledge what somebody has looked at, all in one go."""
    outcomes: list[Outcome] = []
    places = asked.who.reach(Action.ACKNOWLEDGE)
    async with asked.parts.database.transaction() as transaction:
        alerts = await seen_of(transaction, await lists.these(transaction, sorted(set(told.alerts))))
        for each in alerts:
            if not each.is_shown(places, asked.who.person):
                continue
            name = each.alert.alert
            command = Command(
                id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{told.id} {name}")),
                alert=name,
                step=Step.ACKNOWLEDGE,
                who=asked.who.person,
                phone=asked.who.phone.label,
            )
            outcomes.append((await work.take_step(transaction, command, asked.now)).outcome)
    asked.parts.changed()
    return Acknowledged(outcomes.count(Outcome.DONE), outcomes.count(Outcome.ALREADY))


async def seen(transaction: Transaction, asked: Asked) -> Seen:
    """Return the alert a path names, if the asker may see it; raises RefusalError."""
    name = f"{asked.path['gateway']}/{asked.path['subject']}"
    found = await seen_of(transaction, await lists.these(transaction, [name]))
    if not found or not found[0].is_shown(asked.who.reach(Action.SEE), asked.who.person):
        raise RefusalError("none")
    return found[0]


def _place(row: Row) -> Place:
    """Return where an alert really is; `shown` says how much of that its list may say."""
    return msgspec.json.decode(row["place"], type=Place)


def _step(told: StepMade, alert: Alert, who: Asker, now: float) -> Step:
    """Return which step of the work flow is meant."""
    if told.step == "undo":
        is_theirs = alert.state == State.ACKNOWLEDGED and alert.acknowledged_by == who.person
        if not is_theirs or now - (alert.acknowledged_at or 0) > UNDO_S:
            raise RefusalError("changed")
        return Step.REOPEN
    if told.step == "resolve" and told.verdict == "false":
        return Step.FALSE_ALARM
    return Step(told.step)


def _action(told: StepMade, made: Step) -> Action:
    """Return what somebody must be allowed to do; whoever may acknowledge may take that back."""
    return Action.ACKNOWLEDGE if told.step == "undo" else STEPS[made]


async def _attach(transaction: Transaction, asked: Asked, alert: str, photos: Sequence[str]) -> None:
    """Have photos belong to an alert, which must be there, and the asker's own or such as they may see."""
    known = await files.known(transaction, photos)
    for photo in photos:
        if photo not in known or not await may_have(transaction, photo, asked.who):
            raise RefusalError("bad", f"photo {photo[:8]}")
    await files.attach(transaction, [(alert, photo, asked.who.person) for photo in photos], asked.now)


def _assignable(directory: Directory, name: str, place: Place) -> None:
    if not any(role.person == name and reaches([role.place], place) for role in directory.roles):
        raise RefusalError("bad", name)


_ALERT: Final = "/api/alerts/{gateway}/{subject}"

ENDPOINTS: Final = (
    Endpoint("GET", "/api/alerts", Action.SEE, listed, "Alerts, open or closed", Wanted, Listed),
    Endpoint("GET", _ALERT, Action.SEE, detail, "One alert in full", None, Detail),
    Endpoint("POST", f"{_ALERT}/steps", Action.SEE, step, "Make a step", StepMade, StepTaken),
    Endpoint(
        "POST", "/api/incidents/acknowledge", Action.ACKNOWLEDGE, acknowledge,
        "Acknowledge several alerts", Several, Acknowledged,
    ),
)  # fmt: skip
