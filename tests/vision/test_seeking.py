"""Looking back ends where the thing set off, and does not run away after what else moved there."""

import numpy as np

from gateway.vision.laying import Picture
from gateway.vision.looking import Sighting
from gateway.vision.seeking import look_back, seen
from gateway.vision.shake import Shift
from gateway.vision.sight import Ground
from gateway.vision.tracks import Hit, Track

WALL = np.full((480, 320), 120, np.uint8)
GROUND = Ground(WALL, np.full_like(WALL, 6))
FIRST, LAST = 12, 20
"""Frames in which the thing was noticed; before it is to be looked for."""


def looked_back(
    earlier: dict[int, tuple[float, float, int]], *, size: int = 9, step: float = 8.0
) -> list[int]:
    """Return the frames of a track that fell `step` px a frame, once it was looked back from `FIRST`.

    `earlier` says for frames before what was to be seen in them: x, y and side in px.
    """
    pictures: list[Picture] = []
    hits: list[Hit] = []
    before = WALL
    for index in range(LAST + 1):
        luma = WALL.copy()
        shown = earlier.get(index)
        if index >= FIRST:
            shown = (160.0, 240.0 + step * (index - FIRST), size)
        if shown is not None:
            x, y, side = shown
            left, top = round(x - side / 2), round(y - side / 2)
            luma[top : top + side, left : left + side] = 40
            if index >= FIRST:
                box = (float(left), float(top), float(left + side), float(top + side))
                hits.append(Hit(index, index / 25, x, y, box, 0.0, Shift()))
        pictures.append(Picture(index, index / 25, luma, Shift(), before))
        before = luma
    track = Track(hits)
    look_back(track, GROUND, pictures[-2::-1])
    return [hit.index for hit in track.hits]


def test_it_goes_on_back_to_where_the_thing_set_off() -> None:
    earlier = {index: (160.0, 240.0 - 8.0 * (FIRST - index), 9) for index in range(6, FIRST)}
    assert looked_back(earlier) == [*range(6, LAST + 1)]


def test_what_was_ever_faster_the_longer_ago_is_something_else() -> None:
    x, y, earlier = 160.0, 240.0, {}
    for back, index in enumerate(range(FIRST - 1, 0, -1)):
        x, y = x - 3 * back, y - 9 - 1.5 * back
        if x > 20 and y > 20:
            earlier[index] = (x, y, 9)
    found = looked_back(earlier)
    assert min(earlier) < FIRST - 6
    assert found[0] >= FIRST - 6


def test_a_speck_on_the_way_of_a_large_thing_is_not_it() -> None:
    earlier = {index: (160.0, 240.0 - 8.0 * (FIRST - index), 3) for index in range(6, FIRST)}
    assert looked_back(earlier, size=21)[0] == FIRST


def test_a_thing_of_which_once_only_a_half_is_seen_is_cut_out_at_the_scale_of_the_whole() -> None:
    def hit(side: float) -> Hit:
        return Hit(0, 0.0, 160.0, 240.0, (160.0, 240.0, 160.0 + side, 240.0 + side), 80.0, Shift())

    def shrunk(side: float, near: list[Hit]) -> int:
        sighting = Sighting(160.0, 240.0, hit(side).box, 80.0)
        return seen(Picture(1, 0.04, WALL, Shift(), WALL), sighting, GROUND, near).shrunk

    assert [shrunk(side, []) for side in (16, 17, 32, 33, 65, 200)] == [1, 2, 2, 4, 8, 8]
    assert shrunk(12, [hit(24)] * 4) == 2
    assert shrunk(24, [hit(12)] * 4) == 1
