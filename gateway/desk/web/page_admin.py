"""People, phones and the device ledger, for whoever keeps them."""

from typing import Final

from starlette.responses import RedirectResponse, Response

from gateway.desk.web import api_people
from gateway.desk.web.api_devices import seen
from gateway.desk.web.api_me import me_of
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.page_room import sayings, turned_away
from gateway.desk.web.page_shift import clock
from gateway.desk.web.pages import language, paint
from gateway.desk.web.permissions import Action


async def admin(asked: Asked) -> Response:
    """Return the page, with what the asker may keep."""
    if (elsewhere := turned_away(asked)) is not None:
        return elsewhere
    who = asked.who
    keeps, writes = bool(who.reach(Action.PEOPLE)), bool(who.reach(Action.DEVICES))
    if not keeps and not writes:
        return RedirectResponse("/", 303)
    lang = language(asked.request, who.language)
    said = sayings(lang, "admin.json")
    me = me_of(who, await asked.parts.people.everybody(), asked.now)
    devices = await seen(asked)
    given = {"me": me, "now": asked.now, "lang": lang, "words": said}
    return paint(
        asked.request, "admin.html", who.language, say=said, me=me, given=given,
        everybody=await api_people.people(asked) if keeps else None,
        phones=(await api_people.listed(asked)).phones if keeps else (),
        writes=writes, devices=len(devices), at=clock,
    )  # fmt: skip


ENDPOINTS: Final = (Endpoint("GET", "/admin", None, admin, "People, phones and devices"),)
