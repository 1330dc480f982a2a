"""Words for people: where something is and what is the matter, in Chinese and English.

The place comes first, as a warden says it: "2 栋 1 单元 3 楼 东侧走廊". A part of a place that is a bare number
or letter gets its noun (栋, 单元, 楼); one that is already words ("三层夹层") is left as it is. The label of a
device is the last part of its place, unless the text names the device anyway. What has no place of its own is
called by its name, so that no text is without a where.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from drivers.api import Value
from gateway.core.events import Place, Words
from gateway.core.kinds import Kind

NAMED_IN_TEXT = 6
"""So many devices are named in one text; the rest are counted."""

NOWHERE = Place()
_LONGEST_NAME = 60
_PARTS = (
    ("building", Words("{} 栋", "building {}")),
    ("unit", Words("{} 单元", "unit {}")),
    ("floor", Words("{} 楼", "floor {}")),
)
_UNITS = {"min": Words("分钟", "min"), "°C/min": Words("°C/分钟", "°C/min"), "m/h": Words("米/小时", "m/h")}
_BELOW = Words("地下 {} 层", "basement {}")
_NEAR = Words("{}附近", "about {}")
_AND_MORE = Words("，另有 {} 个", " and {} more")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a text speaks of: a device or a line, and where it is."""

    name: str = ""
    label: str = ""
    place: Place = NOWHERE


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found, for the words and the alert alike. `deviation` is how far a value is from rest."""

    subject: Subject
    value: Value | None = None
    unit: str | None = None
    deviation: float | None = None
    count: int = 1
    others: Sequence[Subject] = field(default=())


def describe(kind: Kind, facts: Facts) -> Words:
    """Return the text of an alert of this kind."""
    return Words(_filled(kind.zh, facts, 0), _filled(kind.en, facts, 1))


def add(phrase: Words, text: Words, count: int, since: str = "") -> Words:
    """Return `text` inside a phrase such as "..., back to normal"."""
    return Words(
        phrase.zh.format(text=text.zh, count=count, since=since),
        phrase.en.format(text=text.en, count=count, since=since),
    )


def moment(wall: float, offset_h: float) -> str:
    """Return a time of day as people on the spot read it: "11-26 14:05"."""
    local = datetime.fromtimestamp(wall, UTC) + timedelta(hours=offset_h)
    return local.strftime("%m-%d %H:%M")


def where(subject: Subject) -> Words:
    """Return the place of something as people say it, from the building inwards."""
    return Words(_where(subject, 0, named=True), _where(subject, 1, named=True))


def common_place(places: Sequence[Place]) -> Place:
    """Return what all these places share: the building two detectors stand in."""
    shared = {}
    for name in Place.__struct_fields__:
        values = {getattr(place, name) for place in places}
        if len(values) > 1:
            break
        shared[name] = values.pop()
    return Place(**shared)


def _filled(template: str, facts: Facts, language: int) -> str:
    subject, unit = facts.subject, facts.unit or ""
    fields = {
        "place": _where(subject, language, named="{device}" not in template),
        "origin": _origin(subject, language),
        "device": (subject.label or subject.name)[:_LONGEST_NAME],
        "value": _number(facts.value),
        "unit": _pick(_UNITS.get(unit, Words(unit, unit)), language),
        "deviation": "" if facts.deviation is None else f"{facts.deviation:.0f}",
        "count": str(facts.count),
        "devices": _listed(facts, language),
    }
    return _tidy(template.format_map(fields))


def _listed(facts: Facts, language: int) -> str:
    """Return the names of all that take part, without the part of their place they share."""
    shared = facts.subject.place
    names = [_where(_within(each, shared), language, named=True) for each in facts.others[:NAMED_IN_TEXT]]
    more = len(facts.others) - len(names)
    return ("、", "; ")[language].join(names) + (_pick(_AND_MORE, language).format(more) if more else "")


def _within(subject: Subject, shared: Place) -> Subject:
    """Return the subject with the shared parts of its place left out; its name where nothing else is left."""
    inner = {name: "" for name, _ in _PARTS if getattr(shared, name) == getattr(subject.place, name)}
    return Subject(subject.name, subject.label, msgspec.structs.replace(subject.place, compound="", **inner))


def _where(subject: Subject, language: int, *, named: bool) -> str:
    parts = [
        _part(getattr(subject.place, name), words, language)
        for name, words in _PARTS
        if getattr(subject.place, name)
    ]
    if named and subject.label:
        parts.append(subject.label[:_LONGEST_NAME])
    if not parts:
        parts.append(((named and subject.name) or subject.place.compound)[:_LONGEST_NAME])
    return (" ", ", ")[language].join(parts)


def _origin(subject: Subject, language: int) -> str:
    """Return where something came from, "about floor 7 of building 2"; the floor is never quite sure."""
    if not subject.place.floor:
        return _where(subject, language, named=True)
    told = _where(subject, language, named=False)
    if language:
        told = " of ".join(reversed(told.split(", ")))
    return _pick(_NEAR, language).format(told)


def _part(value: str, words: Words, language: int) -> str:
    value = value[:_LONGEST_NAME]
    if not value.isascii():
        return value
    if words is _PARTS[2][1] and value[:1] in "-Bb" and value[1:].isdigit():
        return _pick(_BELOW, language).format(value[1:])
    return _pick(words, language).format(value)


def _pick(words: Words, language: int) -> str:
    return words.en if language else words.zh


def _number(value: Value | None) -> str:
    if value is None or isinstance(value, bool):  # a yes is no number to tell
        return ""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(int(value))


def _tidy(text: str) -> str:
    """Return the text without the gaps an empty field leaves."""
    tidy = " ".join(text.split()).replace(" ）", "）").replace(" )", ")").replace(", :", ":")
    return tidy.replace("（）", "").replace(" ()", "").strip(" ,，")
