"""How far a fire reaches, which orders move the same thing, what stays as it is, what is owed after a restart."""

from typing import Literal

import msgspec
import pytest

from gateway.core.alerts import State
from gateway.core.events import Body, Clock, CommandBody, Event, OutcomeBody, Place
from gateway.core.interlocks import FIRE_KINDS, InterlockOrder, InterlockPlan
from tests.events import alert_body

SIREN = InterlockOrder("relays", "switch_on", {"channel": 8})
SIREN_OFF = InterlockOrder("relays", "switch_off", {"channel": 8})
FAN_OFF = InterlockOrder("relays", "switch_off", {"channel": 1})
ALL_OFF = InterlockOrder("relays", "all_off")
FAN_ON = InterlockOrder("relays", "switch_on", {"channel": 1})


HOUSE = Place("中山二路", "3", "17", "红星亭坡 1 号院", "2")


@pytest.mark.parametrize(
    ("state", "stands", "engages"),
    [
        (State.OVER, False, False),
        (State.ACTIVE_UNACKED, True, True),
        (State.ACTIVE_ACKED, True, True),
        (State.ACTIVE_RESET, True, True),
        (State.CLEARED_UNACKED, False, False),
        (State.LATCHED_UNACKED, True, False),
        (State.LATCHED_ACKED, True, False),
        (State.SHELVED_ACTIVE, True, True),
        (State.SHELVED_CLEARED, False, False),
    ],
)
def test_a_fire_engages_while_it_burns_and_forbids_the_release_until_it_is_reset(
    state: State, stands: bool, engages: bool
) -> None:
    plan, alert = InterlockPlan("fire"), alert_body(1, state=state)
    assert (plan.reach(alert) is not None) is stands
    assert plan.engages(alert) is engages


@pytest.mark.parametrize(
    ("kind", "fire"), [(each, True) for each in sorted(FIRE_KINDS)] + [("fire.fault", False)]
)
def test_every_kind_of_fire_reaches_its_building_and_a_fault_nothing(kind: str, fire: bool) -> None:
    reach = InterlockPlan("fire").reach(alert_body(1, kind=kind))
    assert reach == (HOUSE if fire else None)


def test_a_fire_reaches_as_far_as_its_level_says_and_none_elsewhere() -> None:
    alert = alert_body(1)
    assert InterlockPlan("fire", level="unit").reach(alert) == msgspec.structs.replace(HOUSE, unit="1")
    assert InterlockPlan("fire", level="compound").reach(alert) == msgspec.structs.replace(HOUSE, building="")
    assert InterlockPlan("fire", place=Place(building="2")).reach(alert) == HOUSE
    assert InterlockPlan("fire", place=Place(building="3")).reach(alert) is None


def test_the_fires_that_engage_without_being_named_are_these() -> None:
    assert set(FIRE_KINDS) == {"fire.smoke", "fire.heat", "fire.panel", "fire.manual", "fire.confirmed"}


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


Result = Literal["done", "failed", "unknown"]
Given = tuple[str, InterlockOrder, Result]

PLAN = InterlockPlan("fire", sound=(SIREN,), hush=(SIREN_OFF,), orders=(FAN_OFF,), after=(FAN_ON,))


def life(*orders: Given) -> list[Event]:
    """Return what a journal keeps of orders: the origin of each, what was ordered, what came of it."""
    bodies: list[Body] = []
    for number, (origin, order, result) in enumerate(orders):
        name = f"id-{number}"
        bodies.append(CommandBody(name, order.device, order.action, dict(order.arguments), origin))
        bodies.append(OutcomeBody(name, order.device, order.action, result, "", origin))
    return [Event(1, seq, 0.0, 0.0, Clock.SYNCED, body) for seq, body in enumerate(bodies, 1)]


@pytest.mark.parametrize("result", ["failed", "unknown"])
def test_an_end_that_was_not_done_is_owed_and_nothing_else(result: Result) -> None:
    fan: list[Given] = [("interlock:fire", FAN_OFF, "done"), ("interlock:fire", FAN_ON, "done")]
    siren: list[Given] = [("interlock:fire", SIREN, "done"), ("interlock:fire", SIREN_OFF, result)]
    assert PLAN.owed(life(*fan, *siren)) == ((), (SIREN_OFF,))


def test_a_test_that_was_not_ended_is_owed_its_end() -> None:
    assert PLAN.owed(life(("test:fire", SIREN, "done"))) == ((), (SIREN_OFF,))


def test_what_was_ended_is_owed_nothing_whatever_a_person_did_since() -> None:
    ended: list[Given] = [
        ("drill:fire", SIREN, "failed"),
        ("drill:fire", SIREN_OFF, "failed"),
        ("test:fire", SIREN_OFF, "done"),
    ]
    assert PLAN.owed(life(*ended, ("local:root", SIREN, "done"))) == ((), ())


def test_nothing_is_owed_by_an_interlock_that_never_ordered_anything() -> None:
    assert PLAN.owed(life(("interlock:fire-3", SIREN, "done"), ("local:root", FAN_OFF, "done"))) == ((), ())


def test_two_ends_on_one_device_that_tells_no_channels_do_not_undo_each_other() -> None:
    on, off = InterlockOrder("fan", "on"), InterlockOrder("fan", "off")
    plan = InterlockPlan("fire", orders=(InterlockOrder("fan", "full"),), after=(on, off))
    orders = [*plan.orders, *plan.after]
    assert plan.owed(life(*(("interlock:fire", order, "done") for order in orders))) == ((), ())
