"""The duty room's screen, the hand-over of a shift and the page of people and devices, as they are painted."""

import re
import uuid

import httpx
import msgspec
import pytest

from gateway.core.events import Severity
from gateway.core.installed import Asset, Reported
from gateway.core.kinds import built_in
from gateway.desk.silences import Silence
from gateway.desk.store import assets, gateways, notices, people, work
from gateway.desk.store.notices import Notice
from gateway.desk.web.assets import PAGE
from gateway.desk.web.page_room import sayings, table
from gateway.desk.web.page_shift import ZONE, clock, field_of, span, took
from gateway.desk.web.pages import OTHER_ICON, family
from gateway.desk.web.refusals import RefusalError
from tests.desk_parts import GATEWAY, NOW, PLACE_OF_COMPOUND, arrival, compound
from tests.desk_web import Office, run
from tests.events import PLACE

HOUR_S = 3_600.0


async def step(client: httpx.AsyncClient, alert: str, name: str, **more: str) -> None:
    """Make a step."""
    answer = await client.post(
        f"/api/alerts/{alert}/steps", json={"id": str(uuid.uuid4()), "step": name, **more}
    )
    assert answer.json()["outcome"] == "done", answer.text


def gaps(text: str) -> set[str]:
    """Return what is filled into a text."""
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("file", ["room.json", "shift.json", "admin.json"])
def test_every_word_is_there_in_both_languages_with_the_same_gaps(file: str) -> None:
    words = table(file)
    assert set(words["zh"]) == set(words["en"])
    for key, text in words["zh"].items():
        assert text
        assert words["en"][key]
        assert gaps(text) == gaps(words["en"][key]), key


def test_every_kind_a_gateway_may_tell_has_a_name_of_its_own_or_of_its_family_and_a_picture() -> None:
    words = table("room.json")["zh"]
    for kind in built_in().by_name:
        assert f"family.{kind.partition('.')[0]}" in words, kind
        assert family(kind) != OTHER_ICON, kind


@pytest.mark.parametrize("page", ["room", "shift", "admin"])
def test_every_word_a_page_names_is_there_and_none_is_left_over(page: str) -> None:
    files = [each for each in PAGE.glob(f"{page}*") if each.suffix in {".js", ".html"}]
    sources = "\n".join(each.read_text(encoding="utf-8") for each in files)
    named = set(re.findall(r"""say(?:\(|\[)"([a-z_.]+[a-z_])"[\])},]""", sources))
    assert named - set(sayings("zh", f"{page}.json")) == set()
    families = set(re.findall(r"""(?:say\(`|say\[")([a-z_]+)\.["$]""", sources)) | {"kind", "family", "took"}
    unused = [key for key in table(f"{page}.json")["zh"] if f'"{key}"' not in sources]
    assert [key for key in unused if key.partition(".")[0] not in families] == []


@pytest.mark.parametrize("page", ["/room", "/shift", "/admin"])
def test_who_was_not_let_in_is_shown_the_way_and_nothing_else(where: str, page: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        answer = await office.client().get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/pair")
        shared = await office.phone(None, PLACE_OF_COMPOUND)
        answer = await shared.get(page)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")

    run(where, body)


@pytest.mark.parametrize(
    ("person", "status"),
    [("warden-1", 303), ("police-1", 303), ("property-1", 200), ("administrator-1", 200)],
)
def test_only_who_keeps_something_has_a_page_to_keep_it(where: str, person: str, status: int) -> None:
    async def body(office: Office) -> None:
        client = await office.phone(person)
        answer = await client.get("/admin")
        assert answer.status_code == status
        if status == 200:
            assert ("warden-1" in answer.text) is (person == "administrator-1")
            assert ("中山二路 网格 3 微网格 17 红星亭坡 1 号院" in answer.text) is (
                person == "administrator-1"
            )

    run(where, body)


def test_pages_say_nothing_of_other_places_and_run_no_script_of_their_own(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        for person, seen in (("property-1", True), ("warden-9", False)):
            client = await office.phone(person)
            for page in ("/room", "/shift"):
                text = (await client.get(page)).text
                assert ("红星亭坡" in text) is seen
                assert "style=" not in text
                assert "onclick" not in text
                assert all(
                    'src="/assets/' in tag or "application/json" in tag for tag in text.split("<script")[1:]
                )

    run(where, body)


def test_a_shift_says_what_happened_who_answered_how_fast_and_what_is_still_open(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("property-1")
        office.at = NOW - 2 * HOUR_S
        await office.take(arrival(1))
        name = (await client.get("/api/alerts")).json()["alerts"][0]["alert"]
        office.at += 40
        await step(client, name, "acknowledge")
        await step(client, name, "resolve", verdict="false", cause="炒菜油烟", note="<b>已到场</b>")
        office.at = NOW
        await office.take(arrival(2, kind="door.held", severity=Severity.MINOR))
        lost = Asset(
            GATEWAY,
            "smoke-9",
            reported=Reported("smoke", label="东侧走廊", place=PLACE, online=False),
            reported_at=NOW,
        )
        async with office.database.transaction() as transaction:
            await assets.report(transaction, [lost], NOW)
            await gateways.heard(transaction, {GATEWAY: msgspec.json.encode(PLACE_OF_COMPOUND).decode()}, NOW)
            await gateways.mark(transaction, GATEWAY, NOW - 60, NOW)
            await people.silence(
                transaction,
                Silence("s-1", PLACE_OF_COMPOUND, "door", NOW + 60, "换读卡器", "property-1"),
                NOW,
            )
            found = await work.find(transaction, name)
            assert found is not None
            await notices.write(
                transaction,
                [Notice("n", found.incident, "warden-2", "zh", (), 3, "没收到的", "lost", NOW)],
                NOW,
            )
        await client.post("/api/me/duty", json={"on": True})
        text = (await client.get("/shift")).text
        for told in (
            "property-1",
            "40 秒",
            "误报：炒菜油烟",
            "&lt;b&gt;已到场",
            "东侧走廊 离线",
            "网关 hxtp-01 失联",
            "换读卡器",
            "没收到的",
            "开始值班",
            "交班人",
        ):
            assert told in text, told
        english = (await client.get("/shift", params={"lang": "en"})).text
        assert "Handed over by" in english
        assert "40 s" in english
        early = (
            await client.get("/shift", params={"from": field_of(NOW - 90_000), "to": field_of(NOW - 80_000)})
        ).text
        assert "炒菜油烟" not in early

    run(where, body)


@pytest.mark.parametrize(
    ("since", "until"),
    [
        ("x", ""),
        ("2026-11-24T08:00", "2026-11-24T08:00"),
        ("2020-01-01", ""),
        ("", "0001-01-01"),
        ("9999-12-31T23:59", ""),
    ],
)
def test_a_span_that_is_none_is_refused(since: str, until: str) -> None:
    with pytest.raises(RefusalError):
        span(since, until, NOW)


def test_times_are_local_and_without_a_span_it_is_the_last_twelve_hours() -> None:
    assert span("", "", NOW) == (NOW - 12 * HOUR_S, NOW)
    begin, end = span("2026-11-24T08:00", "2026-11-24T20:00", NOW)
    assert end - begin == 12 * HOUR_S
    assert clock(begin) == "11-24 08:00"
    assert field_of(begin) == "2026-11-24T08:00"
    assert span("2026-11-24T00:00+00:00", "2026-11-24T12:00", NOW)[0] == begin
    assert ZONE.total_seconds() == 8 * HOUR_S
    words = {"took.seconds": "{n} s", "took.minutes": "{n} min", "took.hours": "{n} h"}
    assert [took(each, words) for each in (None, 5.0, 600.0, 9_000.0)] == ["–", "5 s", "10 min", "2.5 h"]


def test_a_shift_of_another_compound_is_empty(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1, place=compound("别的院")))
        text = (await (await office.phone("property-1")).get("/shift")).text
        assert "别的院" not in text
        assert "没有，全部处理完了" in text

    run(where, body)
