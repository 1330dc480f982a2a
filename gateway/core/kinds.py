"""Kinds of alert as data: severity, certainty and words of each, read from kinds.toml.

A new kind is a new table in that file and no code, so nothing in the gateway compares a kind with a name:
what is special about fire, links or passing events is said by the fields of `Kind`.
"""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

import msgspec

from gateway.core.events import Certainty, Severity, Words

FIELDS = frozenset({"place", "origin", "device", "value", "unit", "deviation", "count", "devices"})
"""What a kind's text may speak of."""

PHRASES = ("cleared", "flapping", "unwatched", "answered", "pressed_unseen", "pressed_while_down")
_PHRASE_FIELDS = frozenset({"text", "count", "since"})


class Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of alert; the head of kinds.toml says what each field means."""

    severity: Severity
    certainty: Certainty
    zh: str
    en: str
    name: str = ""
    fire: bool = False
    quick: bool = False
    urgent: str = ""
    joins: str = ""
    link: str = ""
    momentary: bool = False
    answered: bool = False
    consent: str = ""
    discreet: bool = False
    worse: dict[str, Severity] = {}
    rule: dict[str, object] = {}

    @property
    def family(self) -> str:
        """Return the first word of the name: fire, door, device."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Kinds:
    """All kinds by name, the kind of each link, and the phrases that go with any text."""

    by_name: Mapping[str, Kind]
    by_link: Mapping[str, Kind]
    cleared: Words
    flapping: Words
    unwatched: Words
    answered: Words
    pressed_unseen: Words
    pressed_while_down: Words

    def __getitem__(self, name: str) -> Kind:
        """Return the kind called `name`; KeyError if there is none."""
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: dict[str, Kind]
    phrase: dict[str, Words]


@cache
def built_in() -> Kinds:
    """Return the kinds of this release. The file is part of the code: it is read as an import is."""
    return parse(resources.files("gateway.core").joinpath("kinds.toml").read_text(encoding="utf-8"))


def parse(text: str) -> Kinds:
    """Return the kinds a TOML text describes; ValueError names the first thing wrong in it."""
    file = msgspec.convert(tomllib.loads(text), _File)
    kinds = {name: msgspec.structs.replace(kind, name=name) for name, kind in file.kind.items()}
    for name, kind in kinds.items():
        _check_text(name, Words(kind.zh, kind.en), FIELDS)
        for other in (kind.urgent, kind.joins):
            if other and other not in kinds:
                raise ValueError(f"{name}: there is no kind {other!r}")
    for phrase in PHRASES:
        if phrase not in file.phrase:
            raise ValueError(f"phrase.{phrase} is missing")
        _check_text(f"phrase.{phrase}", file.phrase[phrase], _PHRASE_FIELDS)
    return Kinds(
        by_name=kinds,
        by_link={kind.link: kind for kind in kinds.values() if kind.link},
        **{phrase: file.phrase[phrase] for phrase in PHRASES},
    )


def _check_text(name: str, words: Words, allowed: frozenset[str]) -> None:
    for text in (words.zh, words.en):
        fields = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
        if unknown := fields - allowed:
            raise ValueError(f"{name}: {sorted(unknown)} in a text, wanted some of {sorted(allowed)}")
