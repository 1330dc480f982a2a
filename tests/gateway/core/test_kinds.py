"""Kinds: the shipped file is sound, and a wrong one says what is wrong."""

import re

import pytest

from gateway.core import kinds
from gateway.core.events import Certainty, Severity

PHRASES = "".join(f'[phrase.{name}]\nzh = "{{text}}"\nen = "{{text}}"\n' for name in kinds.PHRASES)
HEAD = '[kind."a.b"]\nseverity = "info"\ncertainty = "likely"\n'

EXPECTED = re.split(
    r"\s+",
    """
fire.smoke fire.heat fire.co fire.gas fire.confirmed fire.fault fire.contamination manhole.tilt manhole.open
manhole.water door.forced door.held device.offline device.tamper device.battery_low device.test device.end_of_life
device.fault device.frozen bus.down uplink.down journal.corrupt journal.lost storage.failing command.failed
falling.object care.sos care.fall care.still care.vitals care.vitals_low parking.blocked bin.full camera.frozen
camera.covered camera.moved camera.defocused camera.slow
""".strip(),
)


def test_every_kind_of_the_contract_is_there() -> None:
    built_in = kinds.built_in()
    assert [name for name in EXPECTED if name not in built_in] == []


def test_fire_alarms_are_critical_and_fire_faults_are_no_fire() -> None:
    built_in = kinds.built_in()
    assert {kind.severity for kind in built_in.by_name.values() if kind.fire} == {Severity.CRITICAL}
    assert not built_in["fire.fault"].fire
    assert not built_in["fire.contamination"].fire


@pytest.mark.parametrize("kind", kinds.built_in().by_name.values(), ids=lambda kind: kind.name)
def test_a_text_says_where_in_both_languages_and_first_in_chinese(kind: kinds.Kind) -> None:
    assert kind.zh.startswith(("{place} ", "{origin}"))
    assert "{place}" in kind.en or "{origin}" in kind.en


def test_a_new_kind_is_a_table_and_no_code() -> None:
    made = kinds.parse(HEAD + 'zh = "{place} 好"\nen = "good, {place}"\n' + PHRASES)
    assert (made["a.b"].family, made["a.b"].certainty) == ("a", Certainty.LIKELY)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + 'zh = "{plaec}"\nen = ""\n' + PHRASES, "a.b: .'plaec'. in a text"),
        (HEAD + 'zh = ""\nen = ""\nurgent = "a.c"\n' + PHRASES, "a.b: there is no kind 'a.c'"),
        (HEAD + 'zh = ""\nen = ""\njoins = "a.c"\n' + PHRASES, "a.b: there is no kind 'a.c'"),
        (HEAD + 'zh = ""\nen = ""\n[phrase]\n', "phrase.cleared is missing"),
        (HEAD + 'zh = ""\n' + PHRASES, "missing required field `en`"),
        (HEAD + 'zh = ""\nen = ""\ncolour = "red"\n' + PHRASES, "unknown field `colour`"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        kinds.parse(text)


def test_what_is_told_of_a_resident_with_no_desk_in_between_speaks_of_the_place_alone() -> None:
    """A last resort goes to a bot's group or a lock screen: the door, for a life may hang on it, and no value."""
    told = [kind for kind in kinds.built_in().by_name.values() if kind.family == "care"]
    assert {field for kind in told for field in re.findall(r"{(\w+)}", kind.zh + kind.en)} == {"place"}
