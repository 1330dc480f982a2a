"""The phone page as it is sent: painted before any script runs, small, in two languages with the same words."""

import json
import re
from html.parser import HTMLParser

import httpx
import pytest

from gateway.core.events import Place, Severity
from gateway.desk.web import pages
from gateway.desk.web.assets import PAGE, modules
from gateway.desk.web.cards import age, cards
from gateway.desk.web.pages import FIRST, family, words
from gateway.desk.web.shapes import _without
from tests.desk_parts import arrival
from tests.desk_web import Office, run

MOST_PACKED = 40_000
SCRIPTS = sorted(path for path in PAGE.glob("*.js") if not re.match(r"marks|page\.js", path.name))


OTHERS = ("room", "shift", "admin")  # with words of their own: test_room_pages.py


class Found(HTMLParser):
    """What a page consists of: tags, their attributes, and the text of scripts that run."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def test_both_languages_have_the_same_words() -> None:
    zh, en = words()["zh"], words()["en"]
    assert list(zh) == list(en)
    for key in zh:
        fields = [sorted(re.findall(r"\{(\w+)\}", table[key])) for table in (zh, en)]
        assert fields[0] == fields[1], key
        assert zh[key].strip(), key
        assert en[key].strip(), key


def test_every_word_that_markup_or_script_names_is_there_and_none_is_left_over() -> None:
    files = [each for each in [*SCRIPTS, *PAGE.glob("*.html")] if not each.name.startswith(OTHERS)]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"""(?:say\(|words\[)"([a-z_.0-9]+)\"""", sources))
    families = set(re.findall(r"""(?:say\(`|words\[`|words\["|known\(")([a-z_]+)[.\"]""", sources))
    table = words()["zh"]
    assert {name for name in named if name not in table and not name.endswith(".")} == set()
    unused = [key for key in table if f'"{key}"' not in sources and key.partition(".")[0] not in families]
    assert unused == []


def test_the_list_stands_in_the_page_before_any_script_runs(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1), arrival(2, kind="bin.full", severity=Severity.MINOR))
        client = await office.phone("warden-1")
        page = (await client.get("/")).text
        text = page.partition("<template")[0]
        assert text.count('class="card ') == 2
        assert text.index('class="card critical raised vital"') < text.index('class="card minor raised"')
        assert "2 栋 1 单元 3 楼" in text
        assert "确认收到" in text
        english = (await client.get("/", headers={"cookie": f"desk={client.cookies['desk']}; lang=en"})).text
        assert "building 2, unit 1, floor 3" in english.partition("<template")[0]

    run(where, body)


def test_a_shared_phone_that_nobody_has_never_says_that_all_is_quiet(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        page = (await (await office.phone(None)).get("/")).text
        quiet = re.search(r'<div class="quiet" id="quiet"( hidden)?>', page)
        assert quiet is not None
        assert quiet[1]
        assert "2 栋 1 单元 3 楼" not in page

    run(where, body)


def test_a_text_from_outside_is_never_markup(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1, gateway="hxtp-01"))
        async with office.database.transaction() as transaction:
            told = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'
            await transaction.execute("UPDATE alerts SET zh = $1, en = $1", told)
        await office.parts.showing.load()
        found = Found((await (await office.phone("warden-1")).get("/")).text)
        assert found.all("img") == []
        assert [each.get("type") for each in found.all("script")] == ["module", "application/json"]

    run(where, body)


@pytest.mark.parametrize("path", ["/", "/pair", "/shell"])
def test_no_page_has_a_script_or_a_style_of_its_own(where: str, path: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        answer = await (await office.phone("warden-1")).get(path)
        assert answer.status_code == 200
        found = Found(answer.text)
        assert found.all("style") == []
        assert all("src" in each or each["type"] == "application/json" for each in found.all("script"))
        named = [name for _, attributes in found.tags for name in attributes]
        assert [name for name in named if name == "style" or name.startswith("on")] == []
        assert "script-src" not in answer.headers["content-security-policy"]  # so default-src 'self' holds

    run(where, body)


def test_all_of_the_phone_page_is_at_most_40_kb_on_the_line(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        client.headers["accept-encoding"] = "gzip"
        page = await client.get("/")
        found = Found(page.text)
        sheets = [each["href"] for each in found.all("link") if each.get("rel") == "stylesheet"]
        base = str(found.all("script")[0]["src"]).rpartition("/")[0]
        scripts = [f"{base}/{name}" for name in modules("duty.js")]
        sizes = {"page": packed(page)}
        for address in [*sheets, *scripts]:
            answer = await client.get(str(address))
            assert answer.status_code == 200, address
            assert "immutable" in answer.headers["cache-control"]
            sizes[str(address).rpartition("/")[2]] = packed(answer)
        assert sum(sizes.values()) <= MOST_PACKED, sizes

    run(where, body)


def packed(answer: httpx.Response) -> int:
    """Return how many bytes of an answer's body went over the line."""
    assert answer.headers["content-encoding"] == "gzip"
    return int(answer.headers["content-length"])


def test_a_storm_is_painted_in_part_and_the_rest_is_asked_for(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(*(arrival(n) for n in range(1, FIRST + 20)))
        page = (await (await office.phone("warden-1")).get("/")).text
        given = json.loads(page.partition('id="given">')[2].partition("</script>")[0])
        assert (len(given["alerts"]), given["more"]) == (FIRST, True)

    run(where, body)


def test_a_language_once_asked_for_is_kept(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        assert '<html lang="zh-CN">' in (await client.get("/")).text
        assert '<html lang="en">' in (await client.get("/?lang=en")).text
        assert '<html lang="en">' in (await client.get("/")).text
        assert '<html lang="en">' in (await client.get("/?lang=xx")).text

    run(where, body)


def test_a_shell_of_other_words_is_kept_anew(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser keeps a worker, and so its shell, for as long as the worker's text is the same."""

    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        worker = (await client.get("/worker.js")).text
        assert (await client.get("/worker.js")).text == worker
        table = {**pages.words()["zh"], "live.offline": "网络断了"}
        monkeypatch.setattr(pages, "words", lambda: {"zh": table, "en": table})
        assert (await client.get("/worker.js")).text != worker

    run(where, body)


def test_the_shell_and_the_worker_hold_nothing_of_anybody(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        client = await office.phone("warden-1")
        shell = await client.get("/shell")
        assert client.headers["x-desk"] not in shell.text
        assert "0193a5f2" not in shell.text
        worker = (await client.get("/worker.js")).text
        kept = json.loads(worker.partition("const KEPT = ")[2].partition(";\n")[0])
        assert not [each for each in kept if each.startswith("/api") or each == "/"]
        for address in kept:
            assert (await client.get(address)).status_code == 200, address

    run(where, body)


def test_a_phone_can_install_the_page(where: str) -> None:
    async def body(office: Office) -> None:
        client = office.client()
        answer = await client.get("/manifest.webmanifest")
        assert answer.headers["content-type"] == "application/manifest+json"
        told = answer.json()
        assert (told["start_url"], told["display"]) == ("/", "standalone")
        for icon in told["icons"]:
            assert (await client.get(icon["src"])).headers["content-type"] == icon["type"]

    run(where, body)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-3, "刚刚"), (4, "刚刚"), (5, "5 秒"), (59.9, "59 秒"), (60, "1 分钟"), (3_599, "59 分钟"),
        (3_600, "1 小时 0 分"), (86_399, "23 小时 59 分"), (200_000, "2 天"),
    ],
)  # fmt: skip
def test_an_age_is_told_as_people_tell_it(seconds: float, told: str) -> None:
    assert age(seconds, words()["zh"]) == told


def test_alerts_of_one_incident_are_one_card(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(
            *(arrival(n, kind="bin.full", severity=Severity.MINOR) for n in range(1, 5)), arrival(9)
        )
        made = cards(office.parts.showing.open_in([Place()]))
        assert [(each.alert.kind, each.count, each.waiting) for each in made] == [
            ("fire.smoke", 1, 1),
            ("bin.full", 4, 4),
        ]

    run(where, body)


@pytest.mark.parametrize(
    ("text", "spot", "left"),
    [
        ("2 栋 3 楼 烟感报警", "2 栋 3 楼", "烟感报警"),
        ("Smoke alarm, building 2, floor 3", "building 2, floor 3", "Smoke alarm"),
        ("Gas alarm, building 2: no flames", "building 2", "Gas alarm: no flames"),
        ("网关 hxtp-01 失联", "hxtp-01", "网关 失联"),
        ("hxtp-01", "hxtp-01", "hxtp-01"),
        ("烟感报警", "", "烟感报警"),
    ],
)  # fmt: skip
def test_what_is_the_matter_stands_without_the_place(text: str, spot: str, left: str) -> None:
    assert _without(text, spot) == left


def test_a_kind_nobody_has_drawn_has_the_bell() -> None:
    assert family("fire.smoke") == "fire"
    assert family("quite.new") == "alerts"
