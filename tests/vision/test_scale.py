"""The lines a person sees over the picture are those the floors are told by."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.vision.floors import Storeys
from gateway.vision.scale import CLOSEST_PX, lines, missed
from tests.vision.test_floors import MARKS, STOREY_M, row

HEIGHT = 1080


@pytest.mark.parametrize("marks", [MARKS, MARKS[:2], ((800.0, 1.0), (600.0, 3.0))])
def test_a_row_that_is_drawn_is_the_row_where_the_scale_says_that_floor(
    marks: tuple[tuple[float, float], ...],
) -> None:
    drawn = lines(marks, HEIGHT)
    assert [floor for floor, _ in drawn] == list(range(drawn[0][0], drawn[-1][0] + 1))
    said = Storeys(marks).at(np.array([row for _, row in drawn]))
    assert said == pytest.approx([floor for floor, _ in drawn], abs=1e-6)


def test_three_marks_draw_every_floor_of_a_camera_that_looks_up() -> None:
    drawn = dict(lines(MARKS, HEIGHT))
    assert list(drawn) == list(range(1, 8))  # the mark of floor 8 lies above the picture
    for floor, y in drawn.items():
        assert y == pytest.approx(row(floor * STOREY_M), abs=3)


def test_nothing_is_drawn_below_the_ground_unless_a_mark_is_there() -> None:
    assert min(floor for floor, _ in lines(((500.0, 1.0), (300.0, 3.0)), HEIGHT)) == 1
    assert min(floor for floor, _ in lines(((500.0, -1.0), (300.0, 1.0)), HEIGHT)) == -1


def test_no_scale_draws_nothing() -> None:
    assert lines([], HEIGHT) == []
    assert lines(MARKS[:1], HEIGHT) == []


@given(st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(-3, 60)), min_size=2, max_size=6))
def test_any_marks_draw_few_lines_inside_the_picture_each_above_the_one_before(
    marks: list[tuple[float, float]],
) -> None:
    drawn = lines(marks, HEIGHT)
    rows = [y for _, y in drawn]
    assert len(drawn) <= 151
    assert all(0 <= y < HEIGHT for y in rows)
    assert all(lower - higher >= CLOSEST_PX for lower, higher in itertools.pairwise(rows))


def test_a_mark_the_others_do_not_bear_out_is_told_with_the_floor_that_is_there() -> None:
    good = [(row(floor * STOREY_M), float(floor)) for floor in (1, 3, 5, 7)]
    assert missed(good) == []
    wrong = [*good[:2], (good[2][0], 6.0), good[3]]
    assert 2 in dict(missed(wrong))


def test_beyond_the_horizon_no_row_is_made_up() -> None:
    rows = Storeys(MARKS).rows(np.array([8.0, 1e6]))
    assert rows[0] == pytest.approx(MARKS[2][0], abs=0.5)
    assert np.isnan(rows[1])
