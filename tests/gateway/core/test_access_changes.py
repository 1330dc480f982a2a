"""What a new list changes, and when that cannot be meant."""

from gateway.core.access import AccessList, DoorFacts, Secret
from gateway.core.access_changes import changes, entries_of, guess_one_in, unknown_schedules
from gateway.core.access_file import read
from gateway.core.events import Place
from gateway.core.schedule import parse

SECRET = Secret(b"k" * 32)
DOORS = [DoorFacts("gate-east", Place(building="2"), ("reader-1",)), DoorFacts("cellar")]


def listed(*lines: str) -> AccessList:
    return AccessList(entries_of(read("card,pin,holder,doors,schedule\n" + "\n".join(lines)).rows, SECRET))


def test_new_changed_gone_and_the_same_are_counted() -> None:
    old = listed("1:1,,A,*,", "1:2,,B,*,", "1:3,,C,*,", "1:4,,D,*,")
    new = listed("1:1,,A,*,", "1:2,,B,gate-east,", "1:5,,E,*,", "1:4,4829,D,*,")
    found = changes(old, list(new.entries.values()), DOORS)
    assert (found.new, found.changed, found.gone, found.same) == (1, 2, 1, 1)
    assert not found.drops_half
    assert not found.nothing


def test_the_same_list_changes_nothing() -> None:
    same = listed("1:1,,A,*,", ",4829,B,*,")
    assert changes(same, list(same.entries.values()), DOORS).nothing


def test_more_than_half_gone_cannot_be_meant() -> None:
    old = listed("1:1,,A,*,", "1:2,,B,*,")
    assert not changes(old, list(listed("1:1,,A,*,").entries.values()), DOORS).drops_half
    assert changes(old, [], DOORS).drops_half
    assert not changes(AccessList(), [], DOORS).drops_half


def test_entries_for_no_door_with_a_reader_here_are_counted() -> None:
    new = listed("1:1,,A,building=2,", "1:2,,B,gate-west building=9,", "1:3,,C,cellar,")
    assert changes(AccessList(), list(new.entries.values()), DOORS).elsewhere == 2


def test_a_schedule_that_is_not_configured_is_told_once_with_its_line() -> None:
    rows = read("card,holder,doors,schedule\n1:1,A,*,nights\n1:2,B,*,nigths\n1:3,C,*,nigths\n").rows
    (fault,) = unknown_schedules(rows, {"nights": parse(["daily 22:00-06:00"])})
    assert (fault.line, fault.found.en) == (3, '"nigths"')
    assert fault.hint is not None
    assert "nights" in fault.hint.en


def test_short_pins_of_many_are_told_to_be_soon_guessed() -> None:
    lines = "".join(f",{1000 + n},A{n},*,\n" for n in range(100)) + ",123456,B,*,\n"
    rows = read("card,pin,holder,doors,schedule\n" + lines).rows
    by_pin = DoorFacts("gate", readers=("reader-1",), entry="card_or_pin")
    assert guess_one_in(rows, [by_pin]) == 100
    assert guess_one_in(rows, DOORS) == 0, "no door opens for a PIN alone"
    assert guess_one_in(rows[-1:], [by_pin]) == 1_000_000
    assert guess_one_in([], [by_pin]) == 0
