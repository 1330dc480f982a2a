"""`assets` and `bins`: what a person sees of manholes and bins, and the route a script gets."""

import io

from rich.console import Console, RenderableType

from gateway.terminal.assets import route, route_csv, route_rows, route_screen, screen
from gateway.terminal.document import AssetLine, AssetValue
from gateway.terminal.words import Words

EN, ZH = Words("en"), Words("zh")


def a_bin(name: str, fill: float | None, building: str, quality: str = "good", **more: float) -> AssetLine:
    points = {"fill": AssetValue(fill, "%", quality)}
    points |= {point: AssetValue(value, "unix s", "good") for point, value in more.items()}
    return AssetLine(name, "bin", f"{name} 号桶", {"building": building}, points, {"collect": 70.0})


BINS = [
    a_bin("a", 75.0, "1"),
    a_bin("b", 40.0, "1"),
    a_bin("c", 98.0, "2", collected_at=1_700_000_000.0),
    a_bin("d", 90.0, "1"),
    a_bin("e", 71.0, "2"),
    a_bin("f", None, "3", "bad"),
    a_bin("g", 20.0, "3", "stale"),
    AssetLine("m", "manhole", "", {}, {"level": AssetValue(1.25, "m", "good")}),
]


def shown(what: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=140, highlight=False).print(what)
    return out.getvalue()


def test_the_route_goes_building_by_building_fullest_first_and_then_where_nobody_knows() -> None:
    assert [each.asset for each in route(BINS)] == ["c", "e", "d", "a", "f", "g"]


def test_the_route_from_another_limit_on_has_more_or_fewer_bins() -> None:
    assert [each.asset for each in route(BINS, 95)] == ["c", "f", "g"]
    assert "b" in [each.asset for each in route(BINS, 30)]


def test_a_bin_that_was_full_when_its_sensor_died_is_still_on_the_route_and_not_certain() -> None:
    (row,) = route_rows(route([a_bin("x", 95.0, "1", "stale")]))
    assert (row["fill"], row["certain"]) == (95.0, False)


def test_people_see_the_route_with_place_fill_and_when_it_was_emptied_last() -> None:
    told = shown(route_screen(route(BINS), ZH))
    assert "2 栋 c 号桶" in told
    assert "98 %" in told
    assert "情况不明" in told
    assert "未见过清运" in told
    assert "no bin needs" in shown(route_screen([], EN))


def test_the_route_as_csv_has_a_heading_and_a_bin_a_line() -> None:
    told = route_csv(route_rows(route(BINS)))
    heading, first, *_ = told.decode("utf-8-sig").splitlines()
    assert heading == "asset,label,building,unit,floor,fill,certain,collected"
    assert first == "c,c 号桶,2,,,98,true,2023-11-14T22:13:20.000Z"
    assert told.startswith(b"\xef\xbb\xbf"), "or Excel shows Chinese as rubbish"


def test_every_asset_is_shown_with_its_values_and_what_is_not_good_is_marked() -> None:
    told = shown(screen(BINS, EN))
    assert "level 1.25 m" in told
    assert "fill ?20 %" in told
    assert "fill ?–" in told
    assert "[[asset]]" in shown(screen([], EN))


def test_a_chinese_screen_says_in_chinese_what_an_asset_is_and_keeps_the_name_that_kind_takes() -> None:
    tilted = AssetLine("m", "manhole", "", {}, {"tilted": AssetValue(True, None, "good")})
    told = shown(screen([tilted, AssetLine("x", "of a later release")], ZH))
    assert "窨井 manhole" in told
    assert "tilted 是" in told
    assert "of a later release" in told
    assert "窨井" not in shown(screen([tilted], EN))
