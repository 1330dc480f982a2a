"""Which orders move the same thing, and what an engaged interlock wants to stay as it is."""

import pytest

from gateway.core.interlocks import InterlockOrder, InterlockPlan

SIREN = InterlockOrder("relays", "switch_on", {"channel": 8})
SIREN_OFF = InterlockOrder("relays", "switch_off", {"channel": 8})
FAN_OFF = InterlockOrder("relays", "switch_off", {"channel": 1})
ALL_OFF = InterlockOrder("relays", "all_off")


@pytest.mark.parametrize(
    ("other", "same"),
    [(SIREN_OFF, True), (FAN_OFF, False), (ALL_OFF, True), (InterlockOrder("board", "all_off"), False)],
)
def test_orders_move_the_same_thing_unless_device_or_channel_say_otherwise(
    other: InterlockOrder, same: bool
) -> None:
    assert SIREN.moves_with(other) is same
    assert other.moves_with(SIREN) is same


def test_what_sounds_is_held_until_it_is_silenced_and_what_was_ordered_until_the_end() -> None:
    sounds, orders = InterlockPlan("fire", sound=(SIREN,)), InterlockPlan("fire", orders=(SIREN,))
    assert sounds.holds(SIREN_OFF, silenced=False)
    assert not sounds.holds(SIREN_OFF, silenced=True)
    assert orders.holds(SIREN_OFF, silenced=True)
    assert not orders.holds(FAN_OFF, silenced=True)


def test_a_dry_run_holds_nothing() -> None:
    assert not InterlockPlan("fire", sound=(SIREN,), dry_run=True).holds(SIREN_OFF, silenced=False)
