"""Patterns that might stall us are refused, and what is let through ends soon on the worst that can be printed."""

import itertools
import re

import pytest

from drivers import profile
from drivers.printer.patterns import STEPS, PatternError, compiled
from drivers.printer.wire import PrinterWire

LONGEST = 240
CATASTROPHES = [
    r"(a+)+$", r"(a*)*b", r"(a|a)*b", r"(?:a|aa)+b", r"(x+x+)+y", r"([a-z]+)*\d", r"(\w+\s?)*;", r".*.*.*x",
    r"\s*\s*\s*x", r"a?" * 20 + r"a{20}", r"(?:a?){20}a", r".*a.*a.*a.*b", r"(?:.*,){3}P", r"[^x]*[^y]*[^z]*q",
    r"\b.*,.*;", r"\B.*,.*;",
]  # fmt: skip
OTHERS = [
    (r"(a)\1", "groupref"), (r"(?=a)b", "assert"), (r"(?<!a)b", "assert not"), (r"(?i)fire", "flags"),
    (r"(?i:fire)", "subpattern"), (r"(", "missing )"), (r"", "0 characters"), ("a" * 401, "401 characters"),
    (r"(a)?(?(1)b|c)", "groupref exists"),
]  # fmt: skip
GOOD = [
    r"系统复位", r"火警|故障|FIRE", r"^[^\n]*\n(?P<loop>\d{3})-(?P<device>\d{3})\n",
    r"^:ALARM +Z\d{3} +(?P<place>.*?) +\d\d/\d\d",
    r"(?P<loop>\d{1,3})[-#](?P<device>\d{1,3}) (?P<place>.*)", r"^.*(?:火警|FIRE).*", r"\bFIRE\b",
]  # fmt: skip


@pytest.mark.parametrize("pattern", CATASTROPHES)
def test_a_pattern_that_might_run_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compiled(pattern, longest=LONGEST)


@pytest.mark.parametrize(("pattern", "why"), OTHERS)
def test_what_cannot_be_reckoned_is_refused_and_told(pattern: str, why: str) -> None:
    with pytest.raises(PatternError, match=re.escape(why)):
        compiled(pattern, longest=LONGEST)


@pytest.mark.parametrize("pattern", GOOD)
def test_what_panels_need_is_let_through(pattern: str) -> None:
    assert compiled(pattern, longest=LONGEST).pattern == pattern


def test_every_shipped_rule_ends_soon_on_records_made_to_stall_it() -> None:
    """Counted, not timed: a pattern is held against texts of the letters it is made of, and must come back."""
    for name in profile.names():
        wire = profile.load(name).wire
        if not isinstance(wire, PrinterWire):
            continue
        for rule in wire.rules:
            for one, two in itertools.product(sorted(set(rule.sample))[:12], repeat=2):
                rule.pattern.search((one + two) * (wire.longest // 2))


def test_the_limit_is_a_number_of_steps_whatever_the_records_length() -> None:
    pattern = r"^[A-Z ]+ [A-Z ]+ x"
    assert compiled(pattern, longest=100)
    with pytest.raises(PatternError, match="steps"):
        compiled(pattern, longest=400)
    assert STEPS == 100_000
