"""The printer's part of a profile: what a panel's file says of its paper and of what it prints.

    [printer]  baud = 9600, parity, stop_bits          what the panel comes with
               encoding = "gb18030"                    or "ascii", "latin-1"
               lines = 8                               the most lines of a record, ended by an empty one; 1: each
               longest = 240                           characters of a record
               pause_s = 1.0                           silence after which what has begun is taken as it is
               regular_s = 3600                        it prints something so often at least: silence is a fault
               address = { loop = 1000, device = 1 }   groups of the patterns, times their weights, falling
               begins = ["1B 36"]                      codes that begin a record
               codes = { "1B 31" = 1 }                 bytes that follow a code, where it is not as in paper.py
    [[printer.rule]]  name, match = a regular expression (patterns.py says which), with groups for the address and
               place = what the panel itself says of where, and which = what it is of that has no address, such
               as a zone: each is over by itself; sets = { fire = true }; everywhere = true for a reset;
               adds = 500 to the address, where modules are numbered as detectors are;
               sample = a record as it is printed, "{loop:03}-{device:03}" where the address stands

The first rule that is found in a record says what it means, so the more particular come first. Each has a sample, and
is refused unless that is known to it and to no rule before it: the rules of a profile are tested by reading it.
"""

import re
from collections.abc import Sequence
from typing import Final

from drivers.printer.patterns import PatternError, compiled
from drivers.printer.rules import PANEL, Addressing, Rule, meaning_of
from drivers.printer.wire import PrinterWire, Spoken
from drivers.reader import TableReader

BAUDS: Final = (300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 38400, 57600, 115200)
ENCODINGS: Final = ("gb18030", "ascii", "latin-1")
MOST_CHARACTERS: Final = 400
MOST_RULES: Final = 64
PLACE: Final = "place"
WHICH: Final = "which"
_NOTHING: Final = re.compile(r"(?!)")


def wire_of_profile(table: TableReader, points: Sequence[str]) -> PrinterWire:
    """Return what `[printer]` says of the product with these points."""
    baud = table.integer("baud", 9600, maximum=1_000_000)
    if baud not in BAUDS:
        table.error("baud", str(baud), "one of " + ", ".join(str(known) for known in BAUDS))
    longest = table.integer("longest", 240, minimum=20, maximum=MOST_CHARACTERS)
    addressing = _addressing(table.table("address"))
    return PrinterWire(
        rules=_rules(table, points, addressing, longest),
        addressing=addressing,
        baud=baud,
        parity=table.text("parity", "none", choices=("none", "even", "odd")),
        stop_bits=table.integer("stop_bits", 1, minimum=1, maximum=2),
        encoding=table.text("encoding", "gb18030", choices=ENCODINGS),
        lines=table.integer("lines", 1, minimum=1, maximum=20),
        longest=longest,
        pause_s=table.number("pause_s", 1.0, minimum=0.05, maximum=60),
        regular_s=table.number("regular_s", 0.0, minimum=0.0, maximum=7 * 86400),
        begins=tuple(_code(table, "begins", text) for text in table.texts("begins")),
        codes=_codes(table.table("codes")),
    )


def wire_of_point(table: TableReader) -> Spoken:
    """Return where a `[[point]]` stands: the rules say what sets it."""
    del table
    return Spoken()


def wire_of_action(table: TableReader, arguments: tuple[str, ...]) -> None:
    """Note that there are no actions: nobody tells a panel anything through its printer."""
    del arguments
    table.error("", "an [[action]]", "none: a panel is not told what to do through its printer")


def _addressing(table: TableReader) -> Addressing:
    names = list(table.plain())
    weights = {name: table.integer(name, minimum=1, maximum=100_000_000) for name in names}
    falling = list(weights.values())
    if falling != sorted(set(falling), reverse=True) or (falling and falling[-1] != 1):
        table.error("", str(weights), "weights that fall, the last 1: { loop = 1000, device = 1 }")
        weights = {"device": 1}
    return Addressing(weights)


def _rules(
    table: TableReader, points: Sequence[str], addressing: Addressing, longest: int
) -> tuple[Rule, ...]:
    tables = table.tables("rule")
    if not 1 <= len(tables) <= MOST_RULES:
        table.error("rule", f"{len(tables)} rules", f"1 to {MOST_RULES} [[printer.rule]]")
    rules = tuple(_rule(each, points, addressing, longest) for each in tables)
    for each, rule in zip(tables, rules, strict=True):
        _try(each, rule, rules, addressing)
        each.finish()
    return rules


def _rule(table: TableReader, points: Sequence[str], addressing: Addressing, longest: int) -> Rule:
    pattern = _NOTHING
    try:
        pattern = compiled(table.text("match"), longest=longest)
    except PatternError as error:
        table.error("match", error.found, error.wanted)
    for group in pattern.groupindex:
        if group not in {*addressing.weights, PLACE, WHICH}:
            wanted = " | ".join((*addressing.weights, PLACE, WHICH))
            table.error("match", f"a group {group!r}", f"a group that means something: {wanted}")
    sets = table.table("sets")
    names = list(sets.plain())
    for name in names:
        if name not in points:
            sets.error(name, "no point of this profile", "one of " + ", ".join(points))
    return Rule(
        name=table.text("name"),
        pattern=pattern,
        sets={name: sets.flag(name) for name in names},
        everywhere=table.flag("everywhere", False),
        adds=table.integer("adds", 0, maximum=100_000_000),
        sample=table.text("sample"),
    )


def _try(table: TableReader, rule: Rule, rules: Sequence[Rule], addressing: Addressing) -> None:
    """Hold a rule's own sample against all rules: it must be the first to know it, and find the address in it."""
    if rule.pattern is _NOTHING:
        return
    filled = {PLACE: "3F"} | dict.fromkeys(addressing.weights, 1)
    try:
        text = rule.sample.format_map(filled)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        table.error("sample", f"{rule.sample!r}: {error}", "the names of the groups in braces")
        return
    meaning = meaning_of(text, rules, addressing)
    if meaning is None:
        table.error("sample", repr(text), "a record that this rule knows")
    elif meaning.rule is not rule:
        table.error(
            "sample", f"known to {meaning.rule.name!r} before", "a record that this rule is first to know"
        )
    elif set(rule.pattern.groupindex) & set(addressing.weights) and meaning.address == PANEL:
        table.error("sample", "no address found in it", "a record with its address")


def _codes(table: TableReader) -> dict[bytes, int]:
    counts = {}
    for text in list(table.plain()):
        counts[_code(table, text, text)] = table.integer(text, maximum=32)
    return counts


def _code(table: TableReader, name: str, text: str) -> bytes:
    try:
        code = bytes.fromhex(text)
    except ValueError:
        code = b""
    if len(code) != 2:
        table.error(name, repr(text), 'two bytes, such as "1B 36"')
    return code
