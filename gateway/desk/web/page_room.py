"""The duty room's wide screen, painted with the alerts that are open; its script keeps it up to date."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec
from starlette.responses import RedirectResponse, Response

from gateway.desk.store import news
from gateway.desk.web.api_me import me_of
from gateway.desk.web.assets import PAGE, modules
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.pages import language, paint, words
from gateway.desk.web.permissions import Action

FIRST: Final = 200
COUNTS: Final = (
    ("unacknowledged", "raised", "first"),
    ("critical", "critical", "critical"),
    ("major", "major", "major"),
    ("minor", "minor", "minor"),
    ("info", "info", "info"),
    ("quiet", "gateway", "critical"),
    ("offline", "device", "major"),
    ("due", "pending", "minor"),
    ("undelivered", "lost", "critical"),
)
_BASE: Final = ("page.language", "nav.label", "comma", "group", "by", "loading", "close", "cancel")
_FAMILIES: Final = ("severity.", "state.", "sensor.", "age.", "error.", "live.", "act.", "verdict.")


@lru_cache(maxsize=8)
def table(file: str) -> Mapping[str, Mapping[str, str]]:
    """Return the words of one page by language and key."""
    return msgspec.json.decode((PAGE / file).read_bytes(), type=dict[str, dict[str, str]])


def sayings(lang: str, file: str) -> dict[str, str]:
    """Return the words of a page, and what it shares with the others."""
    base = {key: text for key, text in words()[lang].items() if key in _BASE or key.startswith(_FAMILIES)}
    return base | dict(table(file)[lang])


def turned_away(asked: Asked) -> Response | None:
    """Return where somebody is sent who is not let in, or has not said who they are; None: they may look."""
    if asked.known is None:
        return RedirectResponse("/pair", 303)
    return None if asked.known.reach(Action.SEE) else RedirectResponse("/", 303)


async def room(asked: Asked) -> Response:
    """Return the screen."""
    if (elsewhere := turned_away(asked)) is not None:
        return elsewhere
    who = asked.who
    async with asked.parts.database.transaction() as transaction:
        after = await news.latest(transaction)
    found = asked.parts.showing.open_in(who.reach(Action.SEE), who.person)
    me = me_of(who, await asked.parts.people.everybody(), asked.now)
    said = sayings(language(asked.request, who.language), "room.json")
    given = {
        "me": me,
        "alerts": found[:FIRST],
        "more": len(found) > FIRST,
        "after": after,
        "now": asked.now,
        "lang": language(asked.request, who.language),
        "words": said,
    }
    return paint(
        asked.request, "room.html", who.language, say=said, me=me, given=given, counts=COUNTS,
        scripts=modules("room.js")[1:],
        looks=bool(who.reach(Action.LOOKS)),
        manages=bool(who.reach(Action.DEVICES) or who.reach(Action.PEOPLE)),
    )  # fmt: skip


ENDPOINTS: Final = (Endpoint("GET", "/room", None, room, "The duty room's screen"),)
