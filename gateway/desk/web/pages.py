"""The pages people open, painted on the server so that an alert is readable before any script has run.

All words stand in page/words.json, in two tables with the same keys; markup and script take them from there.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.desk.store import news
from gateway.desk.web import cards
from gateway.desk.web.api_me import me_of
from gateway.desk.web.assets import PAGE, address, modules, packed
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.permissions import Action
from gateway.desk.web.shapes import Alert

FIRST: Final = 100  # alerts of the first paint; the script asks for the rest
YEAR_S: Final = 31_536_000
OTHER_ICON: Final = "alerts"


@lru_cache(maxsize=1)
def templates() -> jinja2.Environment:
    """Return the templates; whatever is put into them is escaped."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"asset": address, "age": cards.age, "family": family, "said": said}
    made.filters["json"] = lambda value: msgspec.json.encode(value).decode().replace("<", "\\u003c")
    return made


@lru_cache(maxsize=1)
def words() -> Mapping[str, Mapping[str, str]]:
    """Return all words of the pages by language and key."""
    return msgspec.json.decode((PAGE / "words.json").read_bytes(), type=dict[str, dict[str, str]])


@lru_cache(maxsize=1)
def icons() -> frozenset[str]:
    """Return the names of the icons there are."""
    return frozenset(re.findall(r'id="i-([^"]+)"', (PAGE / "icons.svg").read_text(encoding="utf-8")))


def family(kind: str) -> str:
    """Return the icon of a kind of alert: that of its family, if it has one."""
    name = kind.partition(".")[0]
    return name if name in icons() else OTHER_ICON


@jinja2.pass_context
def said(context: jinja2.runtime.Context, alert: Alert) -> str:
    """Return how far people have come with an alert, and who it was."""
    table: Mapping[str, str] = context["words"]
    who = {"acknowledged": alert.acknowledged_by, "resolved": alert.closed_by, "false_alarm": alert.closed_by}
    state, name = table[f"state.{alert.state}"], who.get(alert.state, alert.assignee)
    return table["by"].format(state=state, who=name) if name and alert.state != "raised" else state


def language(request: Request, own: str = "") -> str:
    """Return the language of a page: what was asked for, a person's own, what the browser wants; Chinese else."""
    for asked in (request.query_params.get("lang"), request.cookies.get("lang"), own):
        if asked in {"zh", "en"}:
            return str(asked)
    wanted = request.headers.get("accept-language", "").lower()
    return "en" if wanted.startswith("en") else "zh"


def paint(request: Request, name: str, own: str = "", **told: object) -> Response:
    """Return a page; one asked for in a language is in that language from now on."""
    lang = language(request, own)
    text = templates().get_template(name).render(told, lang=lang, words=words()[lang])
    answer = packed(request, text.encode(), "text/html; charset=utf-8")
    if request.query_params.get("lang") == lang:
        answer.set_cookie("lang", lang, max_age=YEAR_S, samesite="lax")
    return answer


async def duty(asked: Asked) -> Response:
    """Return the phone page; a phone that was not let in is told how."""
    if asked.known is None:
        return RedirectResponse("/pair", 303)
    who = asked.known
    directory = await asked.parts.people.everybody()
    async with asked.parts.database.transaction() as transaction:
        after = await news.latest(transaction)
    found = asked.parts.showing.open_in(who.reach(Action.SEE), who.person)
    me = me_of(who, directory, asked.now)
    return phone_page(
        asked.request, who.language, now=asked.now,
        me=me, alerts=found[:FIRST], more=len(found) > FIRST, after=after,
    )  # fmt: skip


def phone_page(
    request: Request, own: str = "", *, now: float = 0.0, me: object = None, alerts: Sequence[Alert] = (),
    more: bool = False, after: int | None = None,
) -> Response:  # fmt: skip
    """Return the phone page as somebody sees it; without `me` the empty shell that a phone opens without a network."""
    lang = language(request, own)
    shown = cards.cards(alerts)
    told = {key: text for key, text in words()[lang].items() if not key.startswith(("pair.", "page."))}
    given = {
        "me": me,
        "alerts": alerts,
        "more": more,
        "after": after,
        "now": now,
        "lang": lang,
        "words": told,
    }
    return paint(
        request, "duty.html", own, scripts=modules("duty.js")[1:], given=given, blank=cards.BLANK,
        me=me, now=now, more=more,
        waiting=[each for each in shown if each.waiting], working=[each for each in shown if not each.waiting],
    )  # fmt: skip


async def pair(asked: Asked) -> Response:
    """Return the page that lets a phone in by the word in its address's fragment."""
    table = words()[language(asked.request)]
    told = {key: text for key, text in table.items() if key.startswith(("pair.", "error."))}
    csrf = (
        asked.known.csrf if asked.known else ""
    )  # a phone that is in may be let in anew, as somebody else's
    return paint(asked.request, "pair.html", told=told, csrf=csrf)


ENDPOINTS: Final = (
    Endpoint("GET", "/", None, duty, "The phone page"),
    Endpoint("GET", "/pair", None, pair, "Let this phone in"),
)
