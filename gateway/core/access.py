"""Who may open which door, when, with what: the decision. Pure, in memory, the same for whatever list it is given.

A list is indexed by keyed hashes, never by numbers. Cards have 24 to 56 bits and PINs four to eight digits, so a bare
hash of one is found by trying them all; with BLAKE2b and 32 secret bytes of this gateway that needs the secret too.
Whoever has both the list and the secret can try them all: a 26 bit card or a PIN falls in seconds on any machine. A
slow hash would not change that within the 5 ms a door has, so there is none; what guards them is the file's mode.

Order of the reasons: what is true of the card for good comes before what is true today, and that a door is locked
down comes last, so that the record says who would have been let in.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from hmac import compare_digest
from typing import Final, Literal

import msgspec

from drivers.api import Text
from gateway.core.cards import Card
from gateway.core.events import Place
from gateway.core.schedule import Schedule

ANY_DOOR: Final = "*"
PLACES: Final = Place.__struct_fields__
DIGEST: Final = 16


class Reason(enum.StrEnum):
    """Why somebody was let in, or not; what stands in the journal."""

    GRANTED = "granted"
    UNKNOWN_CARD = "unknown_card"
    BLOCKED = "blocked"
    NOT_THIS_DOOR = "not_this_door"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    NOT_NOW = "not_now"
    NO_CLOCK = "no_clock"
    LOCKED_DOWN = "locked_down"
    PIN_WRONG = "pin_wrong"
    PIN_MISSING = "pin_missing"
    PIN_NOT_TAKEN = "pin_not_taken"
    CARD_MISSING = "card_missing"
    TOO_MANY_PINS = "too_many_pins"
    NO_DOOR = "no_door"
    BAD_PARITY = "bad_parity"
    NO_CARD = "no_card"
    NOT_READY = "not_ready"


WORDS: Final[Mapping[Reason, Text]] = {
    Reason.GRANTED: Text("已放行", "let in"),
    Reason.UNKNOWN_CARD: Text("名单里没有这张卡", "card not in the list"),
    Reason.BLOCKED: Text("已停用", "blocked"),
    Reason.NOT_THIS_DOOR: Text("不能开这扇门", "not for this door"),
    Reason.NOT_YET_VALID: Text("尚未生效", "not valid yet"),
    Reason.EXPIRED: Text("已过期", "expired"),
    Reason.NOT_NOW: Text("不在允许的时段", "not at this time"),
    Reason.NO_CLOCK: Text("网关时钟未校准，无法判断时段", "the gateway's clock is not set"),
    Reason.LOCKED_DOWN: Text("门已封锁", "the door is locked down"),
    Reason.PIN_WRONG: Text("密码不对", "wrong PIN"),
    Reason.PIN_MISSING: Text("还需要密码", "PIN missing"),
    Reason.PIN_NOT_TAKEN: Text("这扇门不用密码", "this door takes no PIN"),
    Reason.CARD_MISSING: Text("先刷卡再输密码", "the card comes first"),
    Reason.TOO_MANY_PINS: Text("密码错误太多，暂停输入", "too many wrong PINs"),
    Reason.NO_DOOR: Text("读卡器没有对应的门", "the reader belongs to no door"),
    Reason.BAD_PARITY: Text("校验位不对，没读好", "bad parity, misread"),
    Reason.NO_CARD: Text("读到的不是卡号", "what was read is no card"),
    Reason.NOT_READY: Text("名单尚未载入", "the list is not loaded yet"),
}


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """What the decision must know of a door. `readers` are names of devices, `unlock_s` how long it opens."""

    name: str
    place: Place = field(default_factory=Place)
    readers: tuple[str, ...] = ()
    entry: str = "card"  # card, card_or_pin, card_and_pin
    unlock_s: float = 5.0


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line of the list. `key` is what it is known by: the hash of its card, or of its PIN if it has no card.

    `doors` are names, "*", or places like "building=2/unit=1"; `schedules` are names, none: always. Validity is wall
    seconds; `valid_until` is the first moment it is not valid any more. `tail` is the end of the card's number.
    """

    key: bytes
    card: bytes | None
    pin: bytes | None
    tail: str
    holder: str
    doors: tuple[str, ...]
    schedules: tuple[str, ...] = ()
    valid_from: float | None = None
    valid_until: float | None = None
    blocked: bool = False
    note: str = ""

    def __repr__(self) -> str:
        return f"Entry({self.holder!r}, …{self.tail})"

    def opens(self, door: DoorFacts) -> bool:
        """Return whether it is for this door, at whatever time."""
        return any(covers(selector, door) for selector in self.doors)


@dataclass(frozen=True, slots=True)
class Secret:
    """The gateway's secret and the hashes it makes; 32 bytes, in no repr."""

    key: bytes = field(repr=False)

    def card(self, card: Card) -> bytes:
        """Return the hash of a card."""
        return blake2b(card.packed, digest_size=DIGEST, key=self.key, person=b"card").digest()

    def pin(self, pin: str) -> bytes:
        """Return the hash of a PIN; the same PIN has the same hash, for a PIN alone must find its holder."""
        return blake2b(pin.encode(), digest_size=DIGEST, key=self.key, person=b"pin").digest()

    def seal(self, row: bytes) -> bytes:
        """Return what proves that a row was written by a gateway with this secret, and is as it was."""
        return blake2b(row, digest_size=DIGEST, key=self.key, person=b"row").digest()


class AccessList:
    """All entries, found by hash. `barred` are keys that were blocked here, whatever the list says."""

    def __init__(self, entries: Iterable[Entry] = (), barred: Iterable[bytes] = ()) -> None:
        self.entries: dict[bytes, Entry] = {entry.key: entry for entry in entries}
        self.barred = frozenset(barred)
        self._by_pin: dict[bytes, tuple[Entry, ...]] = {}
        for entry in self.entries.values():
            if entry.pin is not None:
                self._by_pin[entry.pin] = (*self._by_pin.get(entry.pin, ()), entry)

    @classmethod
    def sharing(cls, listed: "AccessList", barred: Iterable[bytes]) -> "AccessList":
        """Return the same entries with other keys barred, at no cost."""
        shared = cls((), barred)
        shared.entries, shared._by_pin = listed.entries, listed._by_pin
        return shared

    def __len__(self) -> int:
        return len(self.entries)

    def of_card(self, card: bytes) -> Entry | None:
        """Return the entry of a card."""
        entry = self.entries.get(card)
        return entry if entry is not None and entry.card is not None else None

    def of_pin(self, pin: bytes) -> tuple[Entry, ...]:
        """Return the entries with a PIN: none, one, or those of a household."""
        return self._by_pin.get(pin, ())

    def is_blocked(self, entry: Entry) -> bool:
        """Return whether an entry is blocked, by the list or here."""
        return entry.blocked or entry.key in self.barred


@dataclass(frozen=True, slots=True)
class Credential:
    """What somebody presented: the hash of a card, of a PIN, or of both."""

    card: bytes | None = field(default=None, repr=False)
    pin: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every decision: the schedules, and what becomes of time while the clock is not trusted."""

    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    without_clock: Literal["grant", "deny"] = "grant"


@dataclass(frozen=True, slots=True)
class Moment:
    """When and in what state of the door: wall seconds, whether they can be trusted, whether it is locked down."""

    wall: float
    clock_synced: bool
    locked_down: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided and why. `awaits_pin`: nothing but the PIN is missing, and the holder has one."""

    reason: Reason
    holder: str = ""
    tail: str = ""
    awaits_pin: bool = False

    @property
    def granted(self) -> bool:
        """Return whether the door opens."""
        return self.reason is Reason.GRANTED


def decide(
    listed: AccessList, door: DoorFacts, credential: Credential, terms: Terms, moment: Moment
) -> Decision:
    """Return whether a door opens for what was presented there."""
    if credential.card is not None:
        return _by_card(listed, door, credential.card, credential.pin, terms=terms, moment=moment)
    if door.entry != "card_or_pin":
        return Decision(Reason.PIN_NOT_TAKEN if door.entry == "card" else Reason.CARD_MISSING)
    found = () if credential.pin is None else listed.of_pin(credential.pin)
    decisions = [_judged(listed, entry, door, terms, moment) for entry in found]
    first = decisions[0] if decisions else Decision(Reason.PIN_WRONG)
    return next((decision for decision in decisions if decision.granted), first)


def covers(selector: str, door: DoorFacts) -> bool:
    """Return whether one word of `doors` means this door."""
    if selector in {ANY_DOOR, door.name}:
        return True
    parts = [part.partition("=") for part in selector.split("/")]
    return all(equals and getattr(door.place, name, None) == value for name, equals, value in parts)


def _by_card(
    listed: AccessList, door: DoorFacts, card: bytes, pin: bytes | None, *, terms: Terms, moment: Moment
) -> Decision:
    entry = listed.of_card(card)
    if entry is None:
        return Decision(Reason.UNKNOWN_CARD)
    decision = _judged(listed, entry, door, terms, moment)
    if not decision.granted or door.entry != "card_and_pin":
        return decision
    if entry.pin is None or pin is None:
        return Decision(Reason.PIN_MISSING, entry.holder, entry.tail, awaits_pin=entry.pin is not None)
    return (
        decision if compare_digest(entry.pin, pin) else Decision(Reason.PIN_WRONG, entry.holder, entry.tail)
    )


def _judged(listed: AccessList, entry: Entry, door: DoorFacts, terms: Terms, moment: Moment) -> Decision:
    return Decision(_reason(listed, entry, door, terms, moment), entry.holder, entry.tail)


def _reason(listed: AccessList, entry: Entry, door: DoorFacts, terms: Terms, moment: Moment) -> Reason:
    if listed.is_blocked(entry):
        return Reason.BLOCKED
    if not entry.opens(door):
        return Reason.NOT_THIS_DOOR
    if (untimely := _untimely(entry, terms, moment)) is not None:
        return untimely
    return Reason.LOCKED_DOWN if moment.locked_down else Reason.GRANTED


def _untimely(entry: Entry, terms: Terms, moment: Moment) -> Reason | None:
    timed = entry.schedules or entry.valid_from is not None or entry.valid_until is not None
    if not moment.clock_synced:
        return Reason.NO_CLOCK if timed and terms.without_clock == "deny" else None
    if entry.valid_from is not None and moment.wall < entry.valid_from:
        return Reason.NOT_YET_VALID
    if entry.valid_until is not None and moment.wall >= entry.valid_until:
        return Reason.EXPIRED
    times = (terms.schedules.get(name) for name in entry.schedules)
    if entry.schedules and not any(each is not None and each.holds(moment.wall) for each in times):
        return Reason.NOT_NOW
    return None
