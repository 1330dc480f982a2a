"""One resident with words that nobody else has, so that wherever any of them turns up it is theirs."""

import io
import uuid
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from gateway.core import payload
from gateway.core.events import AlertBody, Change, Event, Severity, Words
from gateway.core.installed import Asset, Reported
from gateway.desk.arrivals import Arrival, read
from gateway.desk.consent import Consent
from gateway.desk.store import assets, consents, files, gateways
from tests.desk_parts import GATEWAY
from tests.desk_web import Office
from tests.events import PLACE, alert_body, event

CODE: Final = "2-1-鹊0901"
DEVICE: Final = "radar-鹊0901"
NAME: Final = "贺兰鹊"
NEED: Final = "轮椅鹊，钥匙在门卫"
VALUE: Final = 13.371337
TEXT: Final = Words(f"2 栋 1 单元 3 楼 {CODE} 可能有人跌倒", f"Somebody may have fallen, building 2, {CODE}")
NOTE: Final = "网关备注鹊"
REMARK: Final = "骨折鹊已送医"
CAUSE: Final = "浴室鹊滑倒"
DOOR: Final = (CODE,)
SECRETS: Final = (CODE, DEVICE, NAME, NEED, str(VALUE), NOTE, REMARK, CAUSE)
"""All that is known of them. Where they live is the door; every one has the same rare character."""

LIFE: Final = 777_001


def told(
    seq: int,
    *,
    life: int = LIFE,
    code: str = CODE,
    kind: str = "care.fall",
    change: Change = Change.RAISED,
    gateway: str = GATEWAY,
    text: Words = TEXT,
) -> tuple[bytes, Event]:
    """Return an event of theirs as its gateway publishes it, and as it has it."""
    body: AlertBody = msgspec.structs.replace(
        alert_body(life, kind=kind), change=change, severity=Severity.CRITICAL, place=PLACE, text=text,
        device=DEVICE, point="fall", value=VALUE, unit="/min", note=NOTE, devices=(DEVICE,), count=seq,
    )  # fmt: skip
    made = msgspec.structs.replace(event(seq, body), previous=None)
    return payload.alert_event(made, gateway, code), made


def arrival(seq: int, **changes: object) -> Arrival:
    """Return an event of theirs as the desk reads it."""
    content, _ = told(seq, **changes)  # type: ignore[arg-type]
    return read(str(changes.get("gateway", GATEWAY)), content)


def agreed(*see: str, shown: str = "unit", keep_days: float | None = None) -> Consent:
    """Return their consent."""
    return Consent(GATEWAY, CODE, tuple(see), shown, keep_days, NAME, NEED)


@dataclass(frozen=True, slots=True)
class Canary:
    """What is to be found of them: their alert, and a photo somebody took there."""

    alert: str
    photo: str


async def consent(office: Office, *given: Consent) -> None:
    """Have consents in force, and pages as after a start."""
    async with office.database.transaction() as transaction:
        await consents.replace(transaction, given, office.at)
    await office.parts.showing.load()


async def perch(office: Office, seq: int = 900_001) -> Canary:
    """Have their alert raised, written about, photographed; their device in the ledger and out of reach."""
    raised = arrival(seq)
    await office.take(raised)
    photo = await office.album.keep(uuid.uuid4().bytes, "photo", "image/jpeg", "property-1")
    silent = {"buses": [{"name": "home", "devices": [{"device": DEVICE, "online": False, "polls": 9}]}]}
    async with office.database.transaction() as transaction:
        await files.attach(transaction, [(raised.alert, photo, "property-1")], office.at)
        home = msgspec.structs.replace(PLACE, building="", unit="", floor="")
        await gateways.heard(transaction, {GATEWAY: msgspec.json.encode(home).decode()}, office.at)
        health = msgspec.json.encode(silent).decode()
        await gateways.healthy(transaction, GATEWAY, health, office.at, live=True)
        reported = Reported("radar", "micradar-r60afd1", f"{NAME}家雷达", PLACE, False, CODE)
        device = Asset(GATEWAY, DEVICE, reported=reported, reported_at=office.at)
        await assets.report(transaction, [device], office.at)
    office.parts.registry.forget()
    return Canary(raised.alert, photo)


def found_in(content: bytes, secrets: Iterable[str] = SECRETS) -> set[str]:
    """Return which of these words an answer holds, however it writes or packs them."""
    parts = [content]
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [archive.read(name) for name in archive.namelist()]
    whole = b"\n".join(parts)
    return {
        each
        for each in secrets
        if each.encode() in whole
        or each.encode("unicode_escape") in whole
        or each.encode("ascii", "xmlcharrefreplace") in whole
    }
