"""The device registry on the pages: found by place, kind and what is due; written one by one or by ledger."""

import functools
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal

import msgspec
from starlette.responses import Response

from drivers.api import Text
from gateway.core.csv_text import to_csv
from gateway.core.events import Place, Words
from gateway.core.faults import Fault
from gateway.core.installed import Asset, Due, Written
from gateway.core.ledger_columns import LONGEST, LONGEST_NOTE
from gateway.core.places import within
from gateway.core.texts import Subject, where
from gateway.desk.consent import Consents, allows
from gateway.desk.registry import ledger, sheets
from gateway.desk.registry.keeping import MOST_SHOWN, Changed, Outcome, carry_out, write
from gateway.desk.registry.telling import morning
from gateway.desk.store import assets, care
from gateway.desk.web.endpoints import Asked, Endpoint, body
from gateway.desk.web.fields import Where
from gateway.desk.web.pages import language
from gateway.desk.web.permissions import Action, reaches
from gateway.desk.web.refusals import RefusalError
from gateway.runtime.threads import in_thread

MOST: Final = 2_000
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Line = Annotated[str, msgspec.Meta(max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Note = Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE, pattern=r"^[^\x00]*\Z")]
Years = Annotated[float, msgspec.Meta(gt=0, le=100)]
Kind = Literal[
    "", "smoke", "gas", "panel", "door", "reader", "input", "relay", "level", "tilt", "camera", "other"
]


class Wanted(Where, frozen=True, forbid_unknown_fields=False):
    """Which devices; a place by its levels. `due`: only what somebody should see to; `state`: how it is reported."""

    kind: str = ""
    due: bool = False
    state: Literal["", "online", "offline", "gone"] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 500


class Device(msgspec.Struct, frozen=True):
    """One device: what holds of it, what is due, and whether it answers; `online` None: nobody knows."""

    asset: str
    gateway: str
    device: str
    label: str
    kind: str
    model: str
    place: Place
    where: Words
    serial: str
    installed_on: date | None
    service_years: float | None
    ends_on: date | None
    tested_on: date | None
    maintain_on: date | None
    note: str
    due: tuple[Due, ...]
    online: bool | None
    reported_at: float | None
    gone_at: float | None
    version: int


class Devices(msgspec.Struct, frozen=True):
    """Devices in order; `more`: there are others."""

    devices: tuple[Device, ...]
    more: bool


class Put(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody writes of a device, whole. `version`: of what they looked at, 0 for a new one."""

    version: Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
    kind: Kind = ""
    model: Line = ""
    place: Where = Where()
    serial: Line = ""
    installed_on: date | None = None
    service_years: Years | None = None
    tested_on: date | None = None
    maintain_on: date | None = None
    note: Note = ""


class Imported(msgspec.Struct, frozen=True):
    """What a ledger does, or would do: all of it, or nothing while `faults` has anything. `done`: it is done."""

    done: bool
    rows: int
    new: int
    changed: int
    changes: tuple[Changed, ...]
    faults: tuple["Mistake", ...]


class Mistake(msgspec.Struct, frozen=True):
    """One thing to mend in a ledger. `row` None: the file itself."""

    row: int | None
    column: str
    found: Words
    wanted: Words
    hint: Words | None


class Try(msgspec.Struct, frozen=True):
    """`dry`: only say what would change."""

    dry: bool = False


async def listed(asked: Asked, wanted: Wanted) -> Devices:
    """Return the devices in the asker's places."""
    found = [each for each in await seen(asked) if _fits(each, wanted, asked.now)]
    return Devices(
        tuple(device_of(each, asked.now) for each in found[: wanted.limit]), len(found) > wanted.limit
    )


async def put(asked: Asked, told: Put) -> Device:
    """Write what somebody knows of a device."""
    gateway, device = asked.path["gateway"], asked.path["device"]
    if ledger.read([("gateway", "device"), (gateway, device)]).faults:
        raise RefusalError("bad", f"{gateway}/{device}"[:200])
    name = f"{gateway}/{device}"
    written = Written(**{each: getattr(told, each) for each in Written.__struct_fields__ if each != "place"})
    written = msgspec.structs.replace(written, place=told.place.place)
    async with asked.parts.database.transaction() as transaction:
        known = await assets.these(transaction, [name], locked=True)
        before = known.get(name, Asset(gateway, device))
        after = msgspec.structs.replace(before, written=written)
        consents = await care.consents(transaction)
        if name in known and not (
            asked.who.may(Action.SEE, before.facts.place) and may_see(asked, consents, before)
        ):
            raise RefusalError("none")
        if any(
            not asked.who.may(Action.DEVICES, each.facts.place)
            for each in ((before, after) if name in known else (after,))
        ):
            raise RefusalError("forbidden")
        if told.version != before.version:
            raise RefusalError("changed")
        made = await write(transaction, before, written, who=asked.who.person, now=asked.now)
    _changed(asked)
    return device_of(made, asked.now)


async def take_ledger(asked: Asked) -> Imported:
    """Put a ledger, CSV or XLSX, into the registry; with `?dry=1` only say what it would change."""
    tried = asked.request.query_params.get("dry", "")
    if tried not in {"", "0", "1", "true", "false"}:
        raise RefusalError("bad", "dry")
    dry = tried in {"1", "true"}
    data = await body(asked.request, sheets.MOST_BYTES)
    try:
        read = await in_thread(lambda: ledger.read(sheets.rows_of(data)))
    except sheets.SheetError as error:
        return _imported(Outcome(0, (), (error.fault,)), done=False)
    async with asked.parts.database.transaction() as transaction:
        outcome = await carry_out(
            transaction,
            read,
            lambda place: asked.who.may(Action.DEVICES, place),
            dry=dry,
            who=asked.who.person,
            now=asked.now,
            seen=functools.partial(may_see, asked, await care.consents(transaction)),
        )
    done = not dry and not outcome.faults
    if done:
        _changed(asked)
    return _imported(outcome, done=done)


async def as_csv(asked: Asked) -> Response:
    """Return the registry as CSV."""
    found = ledger.table(await seen(asked), language(asked.request, asked.who.language))
    return attached(await in_thread(lambda: to_csv(found)), "devices.csv", "text/csv; charset=utf-8")


async def as_xlsx(asked: Asked) -> Response:
    """Return the registry as a workbook."""
    spoken = language(asked.request, asked.who.language)
    found = ledger.table(await seen(asked), spoken)
    title = "设备台账" if spoken == "zh" else "Devices"
    return attached(await in_thread(lambda: sheets.to_xlsx(found, title)), "devices.xlsx", XLSX)


async def seen(asked: Asked) -> Sequence[Asset]:
    """Return all devices in the asker's places; those that watch over somebody only by that one's consent."""
    places = asked.who.reach(Action.SEE)
    async with asked.parts.database.transaction() as transaction:
        consents = await care.consents(transaction)
    return [
        each
        for each in await asked.parts.registry.everything()
        if reaches(places, each.facts.place) and may_see(asked, consents, each)
    ]


def may_see(asked: Asked, consents: Consents, asset: Asset) -> bool:
    """Return whether the asker may know of a device: one that watches over somebody says who lives where."""
    whose = asset.reported.resident
    if not whose:
        return True
    consent = consents.get((asset.gateway, whose))
    return allows(consent, asked.who.person, asked.who.roles, asset.facts.place)


def device_of(asset: Asset, now: float) -> Device:
    """Return a device as pages see it."""
    facts = asset.facts
    return Device(
        asset=asset.name,
        gateway=asset.gateway,
        device=asset.device,
        label=asset.reported.label,
        kind=facts.kind,
        model=facts.model,
        place=facts.place,
        where=where(Subject(asset.device, asset.reported.label, facts.place)),
        serial=facts.serial,
        installed_on=facts.installed_on,
        service_years=asset.years,
        ends_on=asset.ends_on,
        tested_on=facts.tested_on,
        maintain_on=facts.maintain_on,
        note=facts.note,
        due=asset.due(morning(now)[1]),
        online=asset.reported.online,
        reported_at=asset.reported_at,
        gone_at=asset.gone_at,
        version=asset.version,
    )


def _fits(asset: Asset, wanted: Wanted, now: float) -> bool:
    facts = asset.facts
    state = (
        "gone"
        if asset.gone_at is not None
        else {True: "online", False: "offline", None: ""}[asset.reported.online]
    )
    return (
        within(facts.place, wanted.place)
        and wanted.kind in {"", facts.kind}
        and wanted.state in {"", state}
        and (not wanted.due or bool(asset.due(morning(now)[1])))
    )


def _changed(asked: Asked) -> None:
    asked.parts.registry.forget()
    asked.parts.changed()


def _imported(outcome: Outcome, *, done: bool) -> Imported:
    new = sum(each.is_new for each in outcome.changed)
    return Imported(
        done=done,
        rows=outcome.rows,
        new=new,
        changed=len(outcome.changed) - new,
        changes=outcome.changed[:MOST_SHOWN],
        faults=tuple(_mistake(each) for each in outcome.faults[: ledger.MOST_FAULTS]),
    )


def _mistake(fault: Fault) -> Mistake:
    hint = None if fault.hint is None else _words(fault.hint)
    return Mistake(fault.line, fault.key, _words(fault.found), _words(fault.wanted), hint)


def _words(text: Text) -> Words:
    return Words(text.zh, text.en)


def attached(content: bytes, name: str, media: str) -> Response:
    """Return a file to be kept under a name."""
    return Response(
        content, media_type=media, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


_DEVICE: Final = "/api/devices/{gateway}/{device}"

ENDPOINTS: Final = (
    Endpoint("GET", "/api/devices", Action.SEE, listed, "Devices", Wanted, Devices),
    Endpoint("GET", "/api/devices.csv", Action.SEE, as_csv, "The registry as CSV"),
    Endpoint("GET", "/api/devices.xlsx", Action.SEE, as_xlsx, "The registry as a workbook"),
    Endpoint("PUT", _DEVICE, Action.DEVICES, put, "Write what is known of a device", Put, Device),
    Endpoint(
        "POST", "/api/devices/import", Action.DEVICES, take_ledger, "Import a ledger", Try, Imported, raw=True
    ),
)
