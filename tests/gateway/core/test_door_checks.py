"""Doors, schedules and interlocks of a configuration: what does not fit is told at its key, what fits is not."""

import pytest

from drivers import profile
from gateway import doorways
from gateway.core import door_checks, kinds, loading
from gateway.core.doors import Strike
from gateway.core.events import Place
from gateway.core.faults import Fault
from gateway.core.fitting import Products

NAMES = ("waveshare-door", "waveshare-relay-8ch", "wellpro-wp8025adam", "sonbest-sm7571b", "waveshare-io-8ch")
PRODUCTS = Products({name: profile.load(name) for name in NAMES}, NAMES, {}, kinds.built_in())

GOOD = """
[gateway]
id = "hxtp-01"
place = { compound = "红星亭坡 1 号院" }

[[bus]]
name = "yard"
port = "/dev/rs485/0"

[[bus.device]]
name = "board-1"
profile = "waveshare-door"
address = 1

[[bus.device]]
name = "relays"
profile = "waveshare-io-8ch"
address = 2

[[bus.device]]
name = "plain"
profile = "wellpro-wp8025adam"
address = 3

[[bus.device]]
name = "smoke-1"
profile = "sonbest-sm7571b"
address = 4
place = { building = "2" }

[[bus.device]]
name = "smoke-2"
profile = "sonbest-sm7571b"
address = 5
place = { building = "3" }

[[schedule]]
name = "market-days"
times = ["mon-fri 07:00-09:00"]
closed = ["2026-10-01..2026-10-07"]

[[door]]
name = "gate-1"
label = "单元门"
place = { building = "2", unit = "1" }
strike = "board-1"
contact = "board-1.contact"
exit = "board-1.exit_button"
unlocked = "market-days"

[[door]]
name = "gate-2"
place = { building = "3" }
strike = "relays:3"
contact = "relays.contact_3"
fail = "safe"

[[interlock]]
name = "fire"
orders = [{ device = "relays", action = "switch_on", arguments = { channel = 8 } }]
after = [{ device = "relays", action = "switch_off", arguments = { channel = 8 } }]
"""


def faults(text: str) -> list[Fault]:
    """Return what is wrong with a configuration."""
    parsed = loading.parse(text)
    assert not parsed.faults, [str(fault) for fault in parsed.faults]
    return list(door_checks.check(parsed, PRODUCTS))


def test_what_fits_has_no_fault_and_becomes_doors() -> None:
    assert faults(GOOD) == []
    config = loading.parse(GOOD).config()
    assert config is not None
    gate, relay = doorways.doors_of(config, PRODUCTS.profiles)
    assert gate.strike == Strike("board-1", readback=("board-1", "strike"))
    assert gate.place == Place(compound="红星亭坡 1 号院", building="2", unit="1")
    assert (gate.contact, gate.exit) == (("board-1", "contact"), ("board-1", "exit_button"))
    assert relay.strike == Strike(
        "relays",
        "pulse",
        "switch_on",
        "switch_off",
        {"channel": 3.0},
        ("relays", "relay_3"),
        others=frozenset({"all_off"}),
    )
    assert (relay.fail, relay.exit) == ("safe", None)
    (interlock,) = doorways.interlocks_of(config)
    assert interlock.orders[0].arguments == {"channel": 8.0}
    assert set(doorways.schedules_of(config)) == {"market-days"}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('strike = "board-1"', 'strike = "board-9"', "door[0].strike"),
        ('strike = "board-1"', 'strike = "smoke-1"', "door[0].strike"),
        ('strike = "board-1"', 'strike = "board-1:2"', "door[0].strike"),
        ('strike = "relays:3"', 'strike = "relays"', "door[1].strike"),
        ('strike = "relays:3"', 'strike = "relays:9"', "door[1].strike"),
        ('strike = "relays:3"', 'strike = "plain:3"', "door[1].strike"),  # nothing ends its pulse
        ('strike = "relays:3"', 'strike = "board-1"', "door[1].strike"),  # which is gate-1's
        ('"board-1.contact"', '"board-1.contakt"', "door[0].contact"),
        ('"board-1.contact"', '"contact"', "door[0].contact"),
        ('"board-1.exit_button"', '"board-9.exit_button"', "door[0].exit"),
        ('fail = "safe"', 'fail = "open"', "door[1].fail"),
        ('fail = "safe"', 'entry = "face"', "door[1].entry"),
        ('fail = "safe"', "unlock_s = 0.0", "door[1].unlock_s"),
        ('fail = "safe"', 'readers = ["reader-1"]', "door[1].readers[0]"),
        ('fail = "safe"', 'tamper = ["board-1.lid"]', "door[1].tamper[0]"),
        ('unlocked = "market-days"', 'unlocked = "market"', "door[0].unlocked"),
        ("mon-fri 07:00-09:00", "weekdays 7-9", "schedule[0].times[0]"),
        ("2026-10-01..2026-10-07", "October", "schedule[0].closed[0]"),
        ('name = "fire"', 'name = "fire"\nwithin = "street"', "interlock[0].within"),
        (
            'name = "fire"',
            'name = "fire"\nsound = [{ device = "relays", action = "switch_on", arguments = { channel = 8 } }]',
            "interlock[0].hush",
        ),
        ('name = "fire"', 'name = "fire"\nkinds = ["fire.smok"]', "interlock[0].kinds[0]"),
        (
            'device = "relays", action = "switch_on"',
            'device = "relay", action = "switch_on"',
            "interlock[0].orders[0].device",
        ),
        (
            'action = "switch_on", arguments = { channel = 8 }',
            'action = "switch_on"',
            "interlock[0].orders[0]",
        ),
        ('action = "switch_on"', 'action = "blow"', "interlock[0].orders[0]"),
        (
            'device = "relays", action = "switch_on"',
            'device = "gate-1", action = "open"',
            "interlock[0].orders[0].action",
        ),
        (
            'device = "relays", action = "switch_on", arguments = { channel = 8 }',
            'device = "gate-1", action = "unlock", arguments = { seconds = 3600 }',
            "interlock[0].orders[0].arguments",
        ),
        ("{ channel = 8 } }]", "{ channel = 3 } }]", "interlock[0].orders[0].device"),
        ("{ channel = 8 } }]", "{ channel = 3.2 } }]", "interlock[0].orders[0].device"),
        ('"switch_on", arguments = { channel = 8 }', '"all_off"', "interlock[0].orders[0].device"),
    ],
)
def test_each_slip_is_told_at_its_key(old: str, new: str, key: str) -> None:
    assert old in GOOD
    assert [fault.key for fault in faults(GOOD.replace(old, new, 1))] == [key]


def test_one_strike_spelt_two_ways_is_still_one() -> None:
    third = '[[door]]\nname = "gate-3"\nplace = { building = "3" }\nstrike = "relays:03"\n'
    (fault,) = faults(GOOD + third + 'contact = "relays.contact_4"\n')
    assert fault.key == "door[2].strike"
    assert "gate-2" in fault.found.en


def test_a_door_without_contact_is_a_warning_and_says_why() -> None:
    (fault,) = faults(GOOD.replace('contact = "relays.contact_3"\n', ""))
    assert (fault.key, fault.warning) == ("door[1].contact", True)
    assert fault.hint is not None
    assert "forced" in fault.hint.en


def test_doors_that_no_fire_frees_are_a_warning_that_names_them() -> None:
    (fault,) = faults(GOOD.partition("[[interlock]]")[0])
    assert (fault.key, fault.warning) == ("interlock", True)
    assert "gate-1, gate-2" in fault.found.en
    elsewhere, there = faults(GOOD.replace('name = "fire"', 'name = "fire"\nplace = { building = "9" }'))
    assert (elsewhere.key, there.key) == ("interlock[0].free_doors", "interlock")
    one_building = GOOD.replace('name = "fire"', 'name = "fire"\nplace = { building = "2" }')
    assert ["gate-2" in each.found.en and "gate-1" not in each.found.en for each in faults(one_building)] == [
        True
    ]


@pytest.mark.parametrize("place", ['{ building = "3 栋" }', '{ unit = "1" }'])
def test_a_door_whose_place_no_detector_shares_is_a_warning_for_no_fire_frees_it(place: str) -> None:
    apart = GOOD.replace('name = "gate-2"\nplace = { building = "3" }', f'name = "gate-2"\nplace = {place}')
    (fault,) = faults(apart)
    assert (fault.key, fault.warning) == ("door[1].place", True)
    assert "no fire frees it" in fault.found.en
    assert faults(apart.replace('name = "fire"', 'name = "fire"\nwithin = "compound"')) == []
    assert faults(apart + '[[interlock]]\nname = "none"\nfree_doors = false\n') == []


def test_a_door_is_freed_by_whatever_tells_of_a_fire_where_it_is() -> None:
    button = '[[rule]]\ndevice = "plain"\nkind = "fire.manual"\npoint = "input_1"\nwhen = true\n'
    moved = GOOD.replace('address = 5\nplace = { building = "3" }', 'address = 5\nplace = { building = "2" }')
    assert [fault.key for fault in faults(moved)] == ["door[1].place"]
    moved = moved.replace("address = 3\n", 'address = 3\nplace = { building = "3" }\n')
    assert faults(moved + button) == []


def test_doors_are_left_alone_where_nothing_tells_of_a_fire_or_where_that_is_meant() -> None:
    without = GOOD.partition("[[interlock]]")[0]
    smoke = without[without.index('[[bus.device]]\nname = "smoke-1"') : without.index("[[schedule]]")]
    assert faults(without.replace(smoke, "")) == []
    assert faults(without + '[[interlock]]\nname = "none"\nfree_doors = false\n') == []


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant() -> None:
    (fault,) = faults(GOOD.replace('"board-1.contact"', '"board-1.contakt"', 1))
    assert fault.hint is not None
    assert "contact" in fault.hint.en
