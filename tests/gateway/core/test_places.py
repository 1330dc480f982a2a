"""Places: within, over, cut."""

import pytest

from gateway.core.events import Place
from gateway.core.places import cut, over, within

FLOOR = Place(community="c", grid="3", microgrid="17", compound="a", building="2", unit="1", floor="3")


def test_a_place_is_within_every_place_that_names_less_of_it() -> None:
    unit = Place(compound="a", building="2", unit="1")
    assert within(unit, Place())
    assert within(unit, Place(building="2"))
    assert within(unit, unit)
    assert not within(unit, Place(building="3"))
    assert not within(Place(building="2"), unit)


def test_what_a_thing_leaves_out_of_its_place_its_gateway_knows() -> None:
    assert over(Place(building="2"), Place(compound="a", building="9")) == Place(compound="a", building="2")


@pytest.mark.parametrize(
    ("level", "unit", "floor"), [("building", "", ""), ("unit", "1", ""), ("floor", "1", "3")]
)
def test_cut_down_to_a_level_nothing_below_it_is_left(level: str, unit: str, floor: str) -> None:
    left = cut(FLOOR, level)
    assert (left.compound, left.building, left.unit, left.floor) == ("a", "2", unit, floor)
