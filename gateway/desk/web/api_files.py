"""Files of alerts: a photo taken in, made bare of where it was taken; stills, clips and photos given out.

What is given out is shown as what it is and never as a page: its type stands in the record, which was written from the
bytes themselves, and whatever it is, nothing in it may run.
"""

import functools
import re
from pathlib import Path
from typing import Final

import msgspec
from starlette.responses import FileResponse, Response

from gateway.core.events import Place
from gateway.desk.photos import PhotoError, bare
from gateway.desk.store import care, files, lists, work
from gateway.desk.store.database import Transaction
from gateway.desk.web.asking import Asker
from gateway.desk.web.endpoints import Asked, Endpoint, body
from gateway.desk.web.limits import Limit
from gateway.desk.web.looking import agreed, note
from gateway.desk.web.permissions import Action
from gateway.desk.web.refusals import RefusalError
from gateway.desk.web.showing import seen_of
from gateway.runtime.threads import in_thread

LARGEST: Final = 8 * 1024 * 1024
WITHIN_S: Final = 120.0
SHOWN: Final = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4"})
SANDBOX: Final = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}
_SUM: Final = re.compile(r"[0-9a-f]{64}")


class Kept(msgspec.Struct, frozen=True):
    """A photo that is kept, by the name under which a step or a report has it."""

    sha256: str


async def keep(asked: Asked) -> Kept:
    """Keep a photo; attached to an alert or a report soon, else it goes again."""
    content = await body(asked.request, LARGEST, WITHIN_S)
    try:
        picture = await in_thread(functools.partial(bare, content))
    except PhotoError as error:
        raise RefusalError("kind", str(error)) from error
    try:
        sha256 = await asked.parts.files.photo(picture, asked.who.person)
    except OSError as error:
        raise RefusalError("full") from error
    async with asked.parts.database.transaction() as transaction:
        detail = {"phone": asked.who.phone.label, "size": len(picture)}
        await work.write_down(
            transaction, f"file/{sha256}", asked.now, asked.who.person, "sends a photo", detail=detail
        )
    return Kept(sha256)


async def give(asked: Asked) -> Response:
    """Give a file of an alert in the asker's places, or a photo of their own; whole or the part that is asked for."""
    sha256 = asked.path["sha256"]
    async with asked.parts.database.transaction() as transaction:
        row = await files.find(transaction, sha256) if _SUM.fullmatch(sha256) else None
        if row is None or not await may_have(transaction, sha256, asked.who):
            raise RefusalError("none")
        await _private(transaction, asked, sha256)
    path = asked.parts.files.path(sha256)
    if not await in_thread(path.is_file):
        raise RefusalError("none")
    return _shown(path, row["media"])


async def may_have(transaction: Transaction, sha256: str, who: Asker) -> bool:
    """Return whether a file is of an alert that somebody may see, or was sent by themselves."""
    for row in await lists.alerts_of_file(transaction, sha256):
        if who.may(Action.SEE, msgspec.json.decode(row["place"], type=Place)):
            return True
    return any(row["who"] == who.person for row in await work.trail(transaction, f"file/{sha256}"))


async def _private(transaction: Transaction, asked: Asked, sha256: str) -> None:
    """Write down who looks at a picture of a resident's alert; raises RefusalError unless that resident agreed."""
    rows = await lists.alerts_of_file(transaction, sha256)
    if not rows or not all(row["shown"] for row in rows):
        return
    found = await seen_of(transaction, await lists.these(transaction, [row["alert"] for row in rows]))
    known = await care.consents(transaction)
    for each in found:
        if each.door is not None and agreed(asked, known.get(each.door.key), each.place):
            await note(transaction, asked, each.alert, "picture")
            return
    raise RefusalError("none")


def _shown(path: Path, media: str) -> Response:
    if media in SHOWN:
        return FileResponse(path, media_type=media, headers=SANDBOX)
    headers = {**SANDBOX, "content-disposition": "attachment"}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


ENDPOINTS: Final = (
    Endpoint(
        "PUT", "/api/files", Action.REPORT, keep, "Keep a photo", None, Kept,
        raw=True, limit=Limit(20.0, 0.2),
    ),
    Endpoint("GET", "/files/{sha256}", Action.SEE, give, "A file of an alert"),
)  # fmt: skip
