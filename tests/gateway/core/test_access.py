"""The decision: who, which door, when, with what, and what it says why not."""

import pytest

from gateway.core.access import (
    WORDS,
    AccessList,
    Credential,
    Decision,
    DoorFacts,
    Entry,
    Moment,
    Reason,
    Secret,
    Terms,
    covers,
    decide,
)
from gateway.core.cards import Card, written
from gateway.core.events import Place
from gateway.core.schedule import parse

SECRET = Secret(b"k" * 32)
NOON = 1_795_406_400.0  # Monday 2026-11-23 12:00 in China
CARD, OTHER = SECRET.card(written("12:34567")), SECRET.card(written("12:34568"))
PIN, WRONG = SECRET.pin("482913"), SECRET.pin("482914")
GATE = DoorFacts("gate-east", Place(building="2", unit="1"), ("reader-1",))
TERMS = Terms({"workdays": parse(["mon-fri 08:00-18:00"]), "nights": parse(["daily 22:00-06:00"])})


def entry(
    *,
    card: bytes | None = CARD,
    pin: bytes | None = None,
    doors: tuple[str, ...] = ("*",),
    schedules: tuple[str, ...] = (),
    valid_from: float | None = None,
    valid_until: float | None = None,
    blocked: bool = False,
) -> Entry:
    key = card or pin or b""
    tail = "4567" if card else ""
    holder = "2-1-301 住户 A"
    return Entry(key, card, pin, tail, holder, doors, schedules, valid_from, valid_until, blocked)


def asked(
    *entries: Entry,
    door: DoorFacts = GATE,
    card: bytes | None = CARD,
    pin: bytes | None = None,
    terms: Terms = TERMS,
    synced: bool = True,
    locked_down: bool = False,
    barred: tuple[bytes, ...] = (),
) -> Decision:
    moment = Moment(NOON, synced, locked_down)
    return decide(AccessList(entries, barred), door, Credential(card, pin), terms, moment)


def with_entry(mode: str) -> DoorFacts:
    return DoorFacts("gate-east", entry=mode)


def test_a_card_in_the_list_opens_its_door() -> None:
    decision = asked(entry())
    assert decision.granted
    assert (decision.holder, decision.tail) == ("2-1-301 住户 A", "4567")


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (entry(card=OTHER), Reason.UNKNOWN_CARD),
        (entry(blocked=True), Reason.BLOCKED),
        (entry(doors=("gate-west", "building=3")), Reason.NOT_THIS_DOOR),
        (entry(valid_from=NOON + 1), Reason.NOT_YET_VALID),
        (entry(valid_until=NOON), Reason.EXPIRED),
        (entry(schedules=("nights",)), Reason.NOT_NOW),
        (entry(schedules=("no such schedule",)), Reason.NOT_NOW),
        (entry(schedules=("nights", "workdays")), Reason.GRANTED),
        (entry(valid_from=NOON, valid_until=NOON + 1), Reason.GRANTED),
        (entry(pin=PIN), Reason.GRANTED),
    ],
)
def test_it_says_why(given: Entry, reason: Reason) -> None:
    assert asked(given).reason is reason


def test_who_would_have_been_let_in_is_told_when_the_door_is_locked_down() -> None:
    assert asked(entry(), locked_down=True).reason is Reason.LOCKED_DOWN
    assert asked(entry(blocked=True), locked_down=True).reason is Reason.BLOCKED


def test_a_card_blocked_here_stays_out_whatever_the_list_says() -> None:
    assert asked(entry(), barred=(CARD,)).reason is Reason.BLOCKED


def test_of_several_doors_each_is_opened_and_of_none_none() -> None:
    assert asked(entry(doors=("gate-west", "gate-east"))).granted
    assert asked(entry(doors=("building=3", "building=2/unit=1"))).granted
    assert asked(entry(doors=())).reason is Reason.NOT_THIS_DOOR


@pytest.mark.parametrize(
    "timed", [entry(valid_until=NOON - 1), entry(valid_from=NOON + 1), entry(schedules=("nights",))]
)
def test_while_the_clock_is_not_trusted_the_configuration_decides(timed: Entry) -> None:
    denying = Terms(TERMS.schedules, "deny")
    assert asked(timed, synced=False).granted
    assert asked(timed, synced=False, terms=denying).reason is Reason.NO_CLOCK
    assert asked(entry(), synced=False, terms=denying).granted, "nothing of it asks the time"
    assert asked(entry(blocked=True), synced=False).reason is Reason.BLOCKED


@pytest.mark.parametrize(
    ("mode", "card", "pin", "reason"),
    [
        ("card", CARD, None, Reason.GRANTED),
        ("card", None, PIN, Reason.PIN_NOT_TAKEN),
        ("card_or_pin", CARD, None, Reason.GRANTED),
        ("card_or_pin", None, PIN, Reason.GRANTED),
        ("card_or_pin", None, WRONG, Reason.PIN_WRONG),
        ("card_or_pin", None, b"", Reason.PIN_WRONG),
        ("card_or_pin", None, None, Reason.PIN_WRONG),
        ("card_and_pin", CARD, None, Reason.PIN_MISSING),
        ("card_and_pin", None, PIN, Reason.CARD_MISSING),
        ("card_and_pin", CARD, WRONG, Reason.PIN_WRONG),
        ("card_and_pin", CARD, b"", Reason.PIN_WRONG),
        ("card_and_pin", CARD, PIN, Reason.GRANTED),
        ("card_and_pin", OTHER, PIN, Reason.UNKNOWN_CARD),
    ],
)
def test_a_door_takes_what_its_entry_says(
    mode: str, card: bytes | None, pin: bytes | None, reason: Reason
) -> None:
    assert asked(entry(pin=PIN), door=with_entry(mode), card=card, pin=pin).reason is reason


def test_only_the_pin_of_a_card_that_has_one_is_waited_for() -> None:
    door = with_entry("card_and_pin")
    assert asked(entry(pin=PIN), door=door).awaits_pin
    assert not asked(entry(), door=door).awaits_pin
    assert asked(entry(), door=door, pin=PIN).reason is Reason.PIN_MISSING
    assert not asked(entry(pin=PIN, blocked=True), door=door).awaits_pin


def test_the_pin_of_one_does_not_serve_the_card_of_another() -> None:
    second = entry(card=OTHER, pin=WRONG)
    assert (
        asked(entry(pin=PIN), second, door=with_entry("card_and_pin"), pin=WRONG).reason is Reason.PIN_WRONG
    )


def test_of_a_household_with_one_pin_the_first_that_may_come_in_does() -> None:
    expired = entry(pin=PIN, valid_until=NOON - 1)
    decision = asked(expired, entry(card=OTHER, pin=PIN), door=with_entry("card_or_pin"), card=None, pin=PIN)
    assert decision.granted


def test_a_pin_without_a_card_opens_and_its_hash_is_no_card() -> None:
    visitor = entry(card=None, pin=PIN)
    door = with_entry("card_or_pin")
    assert asked(visitor, door=door, card=None, pin=PIN).granted
    assert asked(visitor, door=door, card=PIN).reason is Reason.UNKNOWN_CARD


@pytest.mark.parametrize(
    ("selector", "is_meant"),
    [
        ("*", True),
        ("gate-east", True),
        ("gate-west", False),
        ("building=2", True),
        ("building=2/unit=1", True),
        ("building=2/unit=2", False),
        ("building=", False),
        ("floor=", True),  # a door without a floor; the file's reader takes no empty part
        ("street=2", False),
        ("", False),
    ],
)
def test_a_door_is_meant_by_name_or_place(selector: str, is_meant: bool) -> None:
    assert covers(selector, GATE) is is_meant


def test_hashes_are_worth_nothing_without_the_secret() -> None:
    card = Card(24, 1)
    assert Secret(b"a" * 32).card(card) != Secret(b"b" * 32).card(card)
    assert SECRET.card(Card(32, 5)) != SECRET.card(Card(35, 5)), "other formats are other cards"
    assert SECRET.pin("1234") != SECRET.seal(b"1234")


def test_nothing_secret_is_in_a_repr() -> None:
    told = repr([SECRET, Credential(CARD, PIN), entry(pin=PIN)])
    for secret in (SECRET.key, CARD, PIN):
        assert repr(secret) not in told


def test_every_reason_has_words() -> None:
    assert set(WORDS) == set(Reason)
