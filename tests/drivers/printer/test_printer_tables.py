"""A printer's profile: its rules are tried on their own samples, and each mistake is told with what would do."""

from pathlib import Path

import pytest

from drivers import profile
from drivers.printer.rules import PANEL, meaning_of
from drivers.printer.wire import PrinterWire

GOOD = r"""
[profile]
driver = "printer"
category = "panel"
title = { zh = "示例主机", en = "Example panel" }

[printer]
address = { loop = 1000, device = 1 }

[[printer.rule]]
name = "fire"
match = 'FIRE (?P<loop>\d{2})-(?P<device>\d{3})'
sets = { fire = true }
sample = "FIRE {loop:02}-{device:03}"

[[printer.rule]]
name = "reset"
match = 'RESET'
everywhere = true
sets = { fire = false }
sample = "SYSTEM RESET"

[[point]]
name = "fire"
priority = "fire"
"""


def told(old: str, new: str) -> list[str]:
    assert old in GOOD
    return [str(each) for each in profile.check(GOOD.replace(old, new, 1), "panel.toml")]


def test_a_good_profile_is_one() -> None:
    assert profile.check(GOOD, "panel.toml") == []


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (r"FIRE (?P<loop>", r"(?:FIRE )+(?P<loop>", "printer.rule[0].match: found a group that is repeated"),
        ('sample = "SYSTEM RESET"', 'sample = "SYSTEM READY"', "a record that this rule knows"),
        (
            "match = 'RESET'\n",
            "match = 'RESET'\nadds = -1\n",
            "printer.rule[1].adds: found -1, wanted a whole number",
        ),
        ("sets = { fire = false }", "sets = { fier = false }", "printer.rule[1].sets.fier: found no point"),
        ("sets = { fire = true }", 'sets = { fire = "yes" }', "printer.rule[0].sets.fire"),
        ("(?P<device>", "(?P<devise>", "found a group 'devise', wanted a group that means something: loop | device"),
        ("{ loop = 1000, device = 1 }", "{ loop = 1, device = 1000 }", "weights that fall, the last 1"),
        ("[printer]\n", '[printer]\nbegins = ["1B"]\n', 'printer.begins: found \'1B\', wanted two bytes'),
        ("[printer]\n", "[printer]\nbaud = 9601\n", "printer.baud: found 9601, wanted one of"),
        ("[printer]\n", '[printer]\nencoding = "utf-8"\n', "printer.encoding: found 'utf-8'"),
        ("[printer]\n", "[printer]\nlongest = 4000\n", "printer.longest: found 4000, wanted a whole number"),
        ("{device:03}", "{devise:03}", "printer.rule[0].sample"),
        ("{device:03}", "{device.no}", "printer.rule[0].sample"),
        ("{device:03}", "{device[0]}", "printer.rule[0].sample"),
        ("FIRE (?P<loop>\\d{2})", "(?P<loop>[A-Z]+) \\d{2}", "printer.rule[0].sample: found no address found in it"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_is_and_with_what_would_do(old: str, new: str, error: str) -> None:
    found = told(old, new)
    assert any(error in each for each in found), found


def test_what_stands_for_the_address_and_is_no_number_is_the_panels() -> None:
    """A pattern may let letters through that its sample has not: a fire without its address is still one."""
    wire = profile.parse(GOOD.replace(r"(?P<loop>\d{2})", r"(?P<loop>\w+)"), file="panel.toml").wire
    assert isinstance(wire, PrinterWire)
    meaning = meaning_of("FIRE A1-003", wire.rules, wire.addressing)
    assert meaning is not None
    assert (meaning.rule.name, meaning.address) == ("fire", PANEL)


def test_a_rule_that_never_gets_its_turn_is_told() -> None:
    covered = GOOD.replace("match = 'FIRE (?P<loop>", "match = 'FIRE|(?P<loop>").replace(
        "match = 'RESET'", "match = 'FIRE 01'"
    )
    covered = covered.replace('"SYSTEM RESET"', '"FIRE 01-001"')
    assert any("known to 'fire' before" in str(each) for each in profile.check(covered, "panel.toml"))


def test_an_action_is_refused_for_nobody_tells_a_panel_anything_through_its_printer(tmp_path: Path) -> None:
    action = '\n[[action]]\nname = "reset"\ntitle = { zh = "复位", en = "Reset" }\n'
    assert any("through its printer" in str(each) for each in profile.check(GOOD + action, "panel.toml"))


def test_an_address_is_written_as_printed_or_as_the_number(tmp_path: Path) -> None:
    (tmp_path / "panel.toml").write_text(GOOD, encoding="utf-8")
    wire = profile.load(tmp_path / "panel.toml").wire
    ask = getattr(wire, "address_of")  # noqa: B009 - as the gateway does, which knows no wire
    assert [ask(text) for text in ("04-017", "4-17", "4017", "4#17#", "1-2-3", "", "0", "00-000")] == [
        4017, 4017, 4017, 4017, None, None, None, None,
    ]  # fmt: skip
