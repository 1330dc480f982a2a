"""The right people for a place, a kind and an hour; and never nobody."""

from dataclasses import replace

import pytest

from gateway.core.events import Place
from gateway.desk.routing import Audience, Directory, Duty, Role, audience
from gateway.desk.silences import Silence, is_vital, silenced_until
from tests.desk_parts import PLACE_OF_COMPOUND, people
from tests.events import MORNING, PLACE

MONDAY_MORNING = MORNING  # 16:15 in the gateway's zone


def names(who: Audience, directory: Directory, kind: str = "fire.smoke", place: Place = PLACE) -> list[str]:
    """Return the names of an audience."""
    return [person.name for person in audience(who, directory, kind, place, MONDAY_MORNING)]


@pytest.mark.parametrize(
    ("who", "wanted"),
    [
        (Audience.FIRST, ["warden-1"]),
        (Audience.NEXT, ["warden-2"]),
        (Audience.EVERYBODY, ["warden-1", "warden-2", "property-1"]),
        (Audience.DUTY_ROOM, ["duty-room"]),
    ],
)
def test_each_step_has_its_people(who: Audience, wanted: list[str]) -> None:
    assert names(who, people()) == wanted


def test_the_duty_of_the_smallest_place_comes_first() -> None:
    building = replace_place(building="2")
    duty = Duty(building, (), (), ("property-1",))
    directory = replace(people(), duties=(*people().duties, duty))
    assert names(Audience.FIRST, directory) == ["property-1"]
    assert names(Audience.FIRST, directory, place=replace_place(building="9")) == ["warden-1"]


def test_a_duty_holds_for_its_kinds_and_its_hours_only() -> None:
    duties = (
        Duty(Place(), ("door",), (), ("property-1",)),
        Duty(Place(), (), ("daily 22:00-06:00",), ("warden-2",)),
        Duty(Place(), ("fire",), ("mon 16:00-17:00",), ("warden-1",)),
    )
    directory = replace(people(), duties=duties)
    assert names(Audience.FIRST, directory) == ["warden-1"]
    assert names(Audience.FIRST, directory, kind="door.held") == ["property-1"]


def test_where_nobody_is_on_duty_the_words_reach_further_and_never_end_nowhere() -> None:
    nobody = replace(people(), duties=())
    assert names(Audience.FIRST, nobody) == ["warden-1", "warden-2", "property-1"]
    elsewhere = Place(community="解放路")
    assert names(Audience.FIRST, nobody, place=elsewhere) == ["duty-room"]
    rootless = replace(nobody, roles=())
    assert names(Audience.DUTY_ROOM, rootless, place=elsewhere) == list(people().people)
    assert names(Audience.FIRST, Directory()) == []


def test_a_name_that_nobody_has_is_passed_over() -> None:
    duties = (Duty(Place(), (), (), ("gone", "warden-2")),)
    roles = (Role("gone", "warden", Place()),)
    assert names(Audience.NEXT, replace(people(), duties=duties, roles=roles)) == ["warden-2"]


def without_channels(*names: str) -> Directory:
    """Return the usual people, some of whom have the page alone."""
    known = people()
    mute = {name: replace(known.people[name], channels=()) for name in names}
    return replace(known, people={**known.people, **mute})


def test_who_has_no_channel_is_passed_over_on_the_roster() -> None:
    directory = without_channels("warden-1")
    assert names(Audience.FIRST, directory) == ["warden-2"]
    assert names(Audience.EVERYBODY, directory) == ["warden-1", "warden-2", "property-1"]


def test_a_step_whose_people_have_no_channel_reaches_further() -> None:
    assert names(Audience.DUTY_ROOM, without_channels("duty-room")) == [
        "duty-room", "warden-1", "warden-2", "property-1",
    ]  # fmt: skip
    assert names(Audience.FIRST, without_channels("warden-1", "warden-2", "property-1")) == [
        "warden-1", "duty-room",
    ]  # fmt: skip
    assert names(Audience.FIRST, without_channels(*people().people)) == ["warden-1"]


def test_a_silence_holds_for_its_place_and_family() -> None:
    silence = Silence("s", PLACE_OF_COMPOUND, "door", 900.0, "painters", "property-1")
    assert silenced_until("door.held", PLACE, [silence]) == 900.0
    assert silenced_until("doorbell.rung", PLACE, [silence]) is None
    assert silenced_until("door.held", Place(community="解放路"), [silence]) is None


def test_nothing_keeps_a_fire_or_a_call_for_help_from_anybody() -> None:
    everything = Silence("s", Place(), "", 900.0, "quiet please", "property-1")
    assert silenced_until("bin.full", PLACE, [everything]) == 900.0
    for kind in ("fire.smoke", "fire.gas", "care.sos"):
        assert is_vital(kind)
        assert silenced_until(kind, PLACE, [everything]) is None
    assert not is_vital("fire.fault")


def replace_place(**parts: str) -> Place:
    """Return a place in the compound."""
    known = {name: getattr(PLACE_OF_COMPOUND, name) for name in Place.__struct_fields__}
    return Place(**{**known, **parts})
