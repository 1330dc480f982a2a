"""What is marked in a camera's picture: contradictions are told, and what is whole is TOML as `[[camera]]` takes it."""

import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.config import CameraTable
from gateway.core.loading import parse
from gateway.core.marks import Mark, Marks, Trouble, lines, of_camera, troubles, upside_down

WIDTH, HEIGHT = 1920, 1080
SQUARE = [(100.0, 100.0), (900.0, 100.0), (900.0, 900.0), (100.0, 900.0)]
BOW = [(100.0, 100.0), (900.0, 900.0), (900.0, 100.0), (100.0, 900.0)]


def told(**marks: object) -> list[Trouble]:
    return list(troubles(msgspec.convert(marks, Marks), WIDTH, HEIGHT))


def marked(*floors: tuple[float, float]) -> list[dict[str, float]]:
    return [{"y": y, "floor": floor} for y, floor in floors]


def test_good_marks_have_no_troubles() -> None:
    assert told(floors=marked((912, 1), (640, 4)), watch=SQUARE, ignore=[SQUARE]) == []
    assert told() == []


@pytest.mark.parametrize(
    ("floors", "level", "said", "meant"),
    [
        ([(912, 1)], "lacking", "another floor", (0,)),
        ([(912, 4), (640, 4)], "wrong", "floor 4 twice", (0, 1)),
        ([(912, 1), (640, 4), (640.4, 5)], "wrong", "floor 4 and floor 5 at the same row", (1, 2)),
        ([(640, 1), (912, 4)], "wrong", "floor 4 is marked below floor 1", (1, 0)),
        ([(912, 1), (640, 4), (700, 7)], "wrong", "floor 7 is marked below floor 4", (2, 1)),
        ([(1912, 1), (640, 4)], "odd", "outside the picture", (0,)),
    ],
)
def test_floors_that_contradict_each_other_are_told(
    floors: list[tuple[float, float]], level: str, said: str, meant: tuple[int, ...]
) -> None:
    (trouble,) = told(floors=marked(*floors))
    assert said in trouble.what.en
    assert trouble.what.zh
    assert (trouble.level, trouble.floors) == (level, meant)
    assert trouble.stops is (level != "odd")


@pytest.mark.parametrize(
    ("polygon", "level", "said"),
    [
        (SQUARE[:2], "lacking", "lacking: 1"),
        ([(5.0, 5.0), (5.2, 5.0), (4.9, 5.1)], "lacking", "lacking: 2"),
        (BOW, "wrong", "cross"),
        ([(0.0, 0.0), (50.0, 50.0), (99.0, 99.0)], "wrong", "cross"),
        ([*SQUARE[:3], (100.0, 1900.0)], "odd", "outside the picture"),
    ],
)
def test_polygons_that_are_none_are_told(polygon: list[tuple[float, float]], level: str, said: str) -> None:
    for given_marks, name in (({"watch": polygon}, "façade"), ({"ignore": [SQUARE, polygon]}, "area 2")):
        (trouble,) = told(**given_marks)
        assert said in trouble.what.en
        assert name in trouble.what.en
        assert trouble.level == level


def test_the_lines_are_what_a_camera_table_takes() -> None:
    marks = Marks(
        [Mark(639.6, 4), Mark(912, 1)], [*SQUARE], [[*SQUARE], [(0.0, 0.0), (9.4, 0.0), (9.4, 9.4)]]
    )
    assert lines(marks, 1920, 1080) == (
        "watch = [[100, 100], [900, 100], [900, 900], [100, 900]]\n"
        "ignore = [[[100, 100], [900, 100], [900, 900], [100, 900]], [[0, 0], [9, 0], [9, 9]]]\n"
        "floors = [{ y = 912, floor = 1 }, { y = 640, floor = 4 }]\n"
        "marked_in = [1920, 1080]\n"
    )
    assert lines(Marks(), 1920, 1080) == ""


floors_of_any_kind = st.lists(
    st.builds(Mark, st.floats(-1e5, 1e5), st.floats(-20, 300) | st.integers(-20, 300)), max_size=6
)
polygons = st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), max_size=6)


@given(floors_of_any_kind, polygons, st.lists(polygons, max_size=3))
def test_whatever_is_marked_without_trouble_is_read_back_and_passes_the_check(
    floors: list[Mark], watch: list[tuple[float, float]], ignore: list[list[tuple[float, float]]]
) -> None:
    marks = Marks(floors, watch, ignore)
    if any(trouble.stops for trouble in troubles(marks, WIDTH, HEIGHT)):
        return
    text = f'[[camera]]\nname = "a"\nurl = "b"\n{lines(marks, WIDTH, HEIGHT)}'
    parsed = parse(text)
    assert [fault.key for fault in parsed.faults] == ["gateway"]
    camera = parsed.cameras["camera[0]"]
    assert {each["floor"] for each in camera.floors} == {mark.floor for mark in floors}
    assert len(tomllib.loads(text)["camera"][0].get("watch", [])) == len(watch)


def test_what_a_configuration_says_is_marked_already() -> None:
    camera = CameraTable(
        name="a", url="b", watch=[*SQUARE], ignore=[[*SQUARE]], floors=marked((912, 1), (640, 4))
    )
    as_marked = Marks([Mark(912, 1), Mark(640, 4)], SQUARE, [SQUARE])
    assert of_camera(camera, 1920, 1080) == as_marked
    assert of_camera(CameraTable(name="a", url="b", floors=[{"y": 3.0}]), 1920, 1080) == Marks()
    larger = msgspec.structs.replace(camera, marked_in=(1920, 1080))
    assert of_camera(larger, 1920, 1080) == as_marked
    half = [(x / 2, y / 2) for x, y in SQUARE]
    assert of_camera(larger, 960, 540) == Marks([Mark(456, 1), Mark(320, 4)], half, [half])


def test_a_scale_upside_down_is_found_pair_by_pair() -> None:
    assert list(upside_down([(912, 1), (640, 4), (300, 8)])) == []
    assert list(upside_down([(912, 8), (640, 4), (300, 1)])) == [(0, 1), (1, 2)]
