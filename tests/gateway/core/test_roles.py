"""Roles: how far an operator's places reach."""

import pytest

from gateway.core.config import OperatorTable
from gateway.core.events import Place
from gateway.core.roles import may, reaches


def operator(*places: Place, role: str = "police", allow: tuple[str, ...] = ()) -> OperatorTable:
    return OperatorTable(name="desk", key="", role=role, places=list(places), allow=list(allow))


@pytest.mark.parametrize(
    ("places", "building", "reached"),
    [
        ((), "2", True),
        ((Place(building="2"),), "2", True),
        ((Place(building="2"),), "3", False),
        ((Place(building="2"), Place(building="3")), "2", True),
        ((Place(building="2"), Place(building="3")), "3", True),
        ((Place(),), "2", False),
        ((Place(), Place(building="2")), "2", True),
    ],
)
def test_an_operator_reaches_each_of_its_places_and_no_other(
    places: tuple[Place, ...], building: str, reached: bool
) -> None:
    assert reaches(operator(*places), Place(building=building, unit="1")) is reached


def test_what_an_operator_is_allowed_by_name_takes_the_place_of_its_role() -> None:
    assert may(operator(), "unlock")
    assert not may(operator(), "silence")
    assert may(operator(allow=("silence",)), "silence")
    assert not may(operator(allow=("silence",)), "unlock")
    assert not may(operator(role="nobody"), "acknowledge")
