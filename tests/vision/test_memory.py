"""What is remembered at half the size comes back at the full size, in its place; and not for ever."""

import numpy as np
import pytest

from gateway.vision.memory import EVERY_S, KEPT, Memory
from gateway.vision.shake import Shift
from gateway.vision.sight import Luma


def sloping(width: int, height: int) -> Luma:
    rows, columns = np.mgrid[:height, :width]
    return np.asarray((rows + 2 * columns) % 250, np.uint8)


@pytest.mark.parametrize(("width", "height"), [(80, 60), (81, 61)])
@pytest.mark.parametrize("box", [(0, 0, 20, 10), (13, 7, 40, 22), (61, 41, 80, 60), (70, 50, 81, 61)])
def test_a_part_is_given_at_its_own_place_and_size(
    width: int, height: int, box: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = box
    right, bottom = min(right, width), min(bottom, height)
    memory, luma = Memory(), sloping(width, height)
    memory.take(3, 0.12, luma, Shift())
    (kept,) = memory.before(9)
    part = kept.part((left, top, right, bottom))
    assert part.shape == (bottom - top, right - left)
    off = part.astype(int) - luma[top:bottom, left:right]
    assert np.abs(off).max() <= 4


def test_the_picture_before_is_the_one_that_was_kept_before() -> None:
    memory = Memory()
    for index, level in enumerate((10, 20, 30)):
        memory.take(index, index * 0.08, np.full((8, 8), level, np.uint8), Shift())
    newest, *_ = memory.before(9)
    assert (newest.part((0, 0, 4, 4)).max(), newest.part_before((0, 0, 4, 4)).max()) == (30, 20)


def test_pictures_in_quick_succession_are_not_all_kept() -> None:
    memory = Memory()
    for index in range(50):
        memory.take(index, index / 50, np.zeros((8, 8), np.uint8), Shift())
    times = [each.time_s for each in memory.before(99)]
    assert len(times) <= KEPT
    assert min(np.diff(times[::-1])) >= EVERY_S


def test_only_older_pictures_are_given_the_newest_first_and_the_oldest_are_forgotten() -> None:
    memory = Memory()
    for index in range(3 * KEPT):
        memory.take(index, index * 0.1, np.full((8, 8), index, np.uint8), Shift())
    indices = [each.index for each in memory.before(3 * KEPT - 2)]
    assert indices == list(range(3 * KEPT - 3, 2 * KEPT - 1, -1))
    assert [int(each.part((0, 0, 2, 2))[0, 0]) for each in memory.before(99)] == list(
        range(3 * KEPT - 1, 2 * KEPT - 1, -1)
    )
