"""An alert about a resident parted in two: what everybody may see, and what only some may. Pure.

It is parted as it is taken in, and what everybody may see is all that lists, pages, statistics, exports and messages
are made of: none of them can show a door number by mistake. It still says what to do about it: what is the matter, in
which building and stairwell, and that whoever takes it on is told the door.

What is discreet says that a flat is empty: of that everybody may see nothing at all. It is told without a place, so
that it is in nobody's, and with its place to whom the resident named.

The words are made anew from the kind and the place; a kind whose text speaks of more, of a value or of a device that
may be called after somebody, is told in general words.
"""

import string
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from gateway.core import kinds
from gateway.core.events import Change, Place, Words
from gateway.core.kinds import Kinds
from gateway.core.places import cut
from gateway.core.texts import Facts, Subject, add, describe, where
from gateway.desk.arrivals import Arrival

FAMILY: Final = "care"
FIRE: Final = "fire"
EMPTY: Final = "{}"

_HELP: Final = Words("{} 有人需要看望", "Somebody may need help, {}")
_DEVICE: Final = Words("{} 看护设备需要检查", "A care device wants looking at, {}")
_PLAIN: Final = frozenset({"place"})


@dataclass(frozen=True, slots=True)
class Home:
    """What only some may see: whose it is, down to which door, in which words, and the event as it came."""

    alert: str
    gateway: str
    code: str
    epoch: int
    seq: int
    where: Words
    text: Words
    body: str
    place: Place
    withdrawn: int = 0
    """1: what was known of it has been thrown away once; what is said of it since goes as soon as it is closed."""


def is_private(arrival: Arrival) -> bool:
    """Return whether an alert says something of a person. A fire never does, whosever detector it is."""
    family = arrival.kind.partition(".")[0]
    return family == FAMILY or (bool(arrival.resident) and family != FIRE)


def masked(arrival: Arrival, shown: str) -> Arrival:
    """Return what everybody may see. Its place is whole: by it people are called, and `shown` says what is shown."""
    place = Place() if is_discreet(arrival.kind) else arrival.place
    text = reworded(arrival.kind, arrival.change, place, shown)
    return replace(arrival, place=place, text=text, body=EMPTY, device="", resident="", shown=shown)


def is_discreet(kind: str) -> bool:
    """Return whether alerts of a kind are told to nobody but whom the resident named."""
    return kind in _kinds() and _kinds()[kind].discreet


def home(arrival: Arrival) -> Home:
    """Return what only some may see."""
    code = "" if arrival.resident == "?" else arrival.resident
    spot = where(Subject(arrival.device, code, arrival.place))
    told = arrival.text if _is_plain(arrival.kind) else _general(arrival.kind, spot)
    return Home(
        alert=arrival.alert,
        gateway=arrival.gateway,
        code=arrival.resident,
        epoch=arrival.epoch,
        seq=arrival.seq,
        where=spot,
        text=told,
        body=arrival.body,
        place=arrival.place,
    )


def reworded(kind: str, change: str, place: Place, shown: str) -> Words:
    """Return what everybody may read of an alert, with so much of its place."""
    subject, known = Subject("", "", cut(place, shown)), _kinds()
    told = describe(known[kind], Facts(subject)) if _is_plain(kind) else _general(kind, where(subject))
    return add(known.cleared, told, 1) if change == Change.CLEARED else told


def _general(kind: str, spot: Words) -> Words:
    told = _HELP if kind.startswith(f"{FAMILY}.") else _DEVICE
    return Words(told.zh.format(spot.zh).strip(), told.en.format(spot.en).strip(", "))


@lru_cache(maxsize=1)
def _kinds() -> Kinds:
    """Return the kinds of this release: a gateway's may be newer, and are told in general words."""
    return kinds.built_in()


@lru_cache(maxsize=1024)
def _is_plain(kind: str) -> bool:
    """Return whether the text of a kind speaks of nothing but the place."""
    if kind not in _kinds():
        return False
    fields = {field for _, field, _, _ in string.Formatter().parse(_kinds()[kind].zh + _kinds()[kind].en)}
    return fields - {None} <= _PLAIN
