"""What an installer marks in a camera's picture: floors, the facade, what is not looked at. Pure.

The marks are looked at together: two of them may contradict, or not suffice. What goes together is written as the
lines `[[camera]]` takes (`watch`, `ignore`, `floors`; whole pixels, the lowest floor first), with the picture's size
(`marked_in`): so the marks stay in their place when the camera is set to a stream of another size.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from drivers.api import Text
from gateway.core.config import CameraTable
from gateway.core.toml_text import toml

Pixel = Annotated[float, msgspec.Meta(ge=-100_000, le=100_000)]
Corner = tuple[Pixel, Pixel]
Polygon = Annotated[list[Corner], msgspec.Meta(max_length=100)]


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The slab of a floor is seen at a row of pixels."""

    y: Pixel
    floor: Annotated[float, msgspec.Meta(ge=-20, le=300)]


class Marks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that was marked in one picture."""

    floors: Annotated[list[Mark], msgspec.Meta(max_length=100)] = []
    watch: Polygon = []
    ignore: Annotated[list[Polygon], msgspec.Meta(max_length=50)] = []


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter with some marks. `floors` are the places in the list of those meant.

    Something is still "lacking", or "wrong": then nothing can be made of the marks yet. Or it is "odd", worth a word.
    """

    what: Text
    level: Literal["lacking", "wrong", "odd"] = "wrong"
    floors: tuple[int, ...] = ()

    @property
    def stops(self) -> bool:
        """Return whether nothing can be made of the marks for as long as that is so."""
        return self.level != "odd"


def of_camera(camera: CameraTable, width: int, height: int) -> Marks:
    """Return what a configuration already says of a camera's picture, in px of one of that size."""
    wide, high = camera.marked_in or (width, height)

    def here(polygon: Sequence[Corner]) -> Polygon:
        return [(x * width / wide, y * height / high) for x, y in polygon]

    told = [each for each in camera.floors if {"y", "floor"} <= each.keys()]
    floors = [Mark(each["y"] * height / high, each["floor"]) for each in told]
    return Marks(floors, here(camera.watch), [here(polygon) for polygon in camera.ignore])


def troubles(marks: Marks, width: int, height: int) -> Iterator[Trouble]:
    """Yield what is wrong with marks in a picture of that size."""
    yield from _of_floors(marks.floors, height)
    yield from _of_polygon(Text("外墙", "the façade"), marks.watch, width, height)
    for number, polygon in enumerate(marks.ignore, 1):
        name = Text(f"不看的区域 {number}", f"area {number} not to look at")
        yield from _of_polygon(name, polygon, width, height)


def upside_down(floors: Sequence[tuple[float, float]]) -> Iterator[tuple[int, int]]:
    """Yield pairs of places in a list of (row, floor): the first is seen below the second and has the higher floor."""
    order = sorted(range(len(floors)), key=lambda place: floors[place][0], reverse=True)
    for below, above in itertools.pairwise(order):
        if floors[below][1] > floors[above][1] and floors[below][0] != floors[above][0]:
            yield below, above


def lines(marks: Marks, width: int, height: int) -> str:
    """Return the lines for `[[camera]]` of marks in a picture of that size; nothing for what was not marked."""
    floors = sorted(marks.floors, key=lambda mark: mark.floor)
    values: dict[str, object] = {
        "watch": _corners(marks.watch),
        "ignore": [_corners(polygon) for polygon in marks.ignore],
        "floors": [{"y": _plain(round(mark.y)), "floor": _plain(mark.floor)} for mark in floors],
    }
    said = {key: value for key, value in values.items() if value}
    if said:
        said["marked_in"] = [width, height]
    return "".join(f"{key} = {toml(value)}\n" for key, value in said.items())


def _of_floors(floors: Sequence[Mark], height: int) -> Iterator[Trouble]:
    if len(floors) == 1:
        what = Text("再标一层，离得越远越准", "mark another floor; the further away, the better")
        yield Trouble(what, "lacking", (0,))
    for (i, one), (j, other) in itertools.combinations(enumerate(floors), 2):
        name, second = _floor(one.floor), _floor(other.floor)
        if one.floor == other.floor:
            what = Text(
                f"{name.zh}标了两次：改一个楼层数，或删掉一处", f"{name.en} twice: change or remove one"
            )
            yield Trouble(what, floors=(i, j))
        elif round(one.y) == round(other.y):
            both = Text(f"{name.zh}和 {second.zh}", f"{name.en} and {second.en}")
            what = Text(
                f"{both.zh}标在同一行：移动或删掉一处", f"{both.en} at the same row: move or remove one"
            )
            yield Trouble(what, floors=(i, j))
    for i, j in upside_down([(round(mark.y), mark.floor) for mark in floors]):
        below, above = _floor(floors[i].floor), _floor(floors[j].floor)
        what = Text(
            f"{below.zh}标在 {above.zh}的下面：越往上楼层要越高",
            f"{below.en} is marked below {above.en}: change a number or remove one",
        )
        yield Trouble(what, floors=(i, j))
    outside = tuple(i for i, mark in enumerate(floors) if not 0 <= mark.y < height)
    if outside:
        yield Trouble(_outside(Text("有的楼层", "some floors")), "odd", outside)


def _of_polygon(name: Text, polygon: Sequence[Corner], width: int, height: int) -> Iterator[Trouble]:
    corners = [(float(round(x)), float(round(y))) for x, y in polygon]
    lacking = 3 - len(set(corners))
    if polygon and lacking > 0:
        what = Text(f"{name.zh}还差 {lacking} 个角点", f"{name.en}: corners still lacking: {lacking}")
        yield Trouble(what, "lacking")
    elif polygon and (_crosses_itself(corners) or not _area(corners)):
        zh, en = "的边互相交叉：沿着轮廓依次点", "its sides cross: go round the outline in order"
        yield Trouble(Text(f"{name.zh}{zh}", f"{name.en}: {en}"))
    if any(not (0 <= x <= width and 0 <= y <= height) for x, y in polygon):
        yield Trouble(_outside(name), "odd")


def _outside(name: Text) -> Text:
    """Return the words for marks that lie outside; mostly another stream of the camera is of another size."""
    return Text(
        f"{name.zh}在画面之外：这是标记时的那路码流吗？",
        f"{name.en} outside the picture: marked in another stream?",
    )


def _crosses_itself(corners: Sequence[Corner]) -> bool:
    """Say whether two sides that are no neighbours cross."""
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    return any(
        _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0
        for (a, b), (c, d) in itertools.combinations(sides, 2)
    )


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _area(corners: Sequence[Corner]) -> float:
    """Return twice the area inside, its sign by the sense of rotation."""
    return sum(
        ax * by - bx * ay for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True)
    )


def _corners(polygon: Sequence[Corner]) -> list[list[int]]:
    return [[round(x), round(y)] for x, y in polygon]


def _plain(value: float) -> float:
    return int(value) if value == int(value) else value


def _floor(floor: float) -> Text:
    return Text(f"{floor:g} 楼", f"floor {floor:g}")
