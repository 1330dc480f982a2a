"""Whether a regular expression is safe to hold against what a panel prints: it must end soon, whatever comes.

Python's matcher goes back and tries again, and some patterns make it try for ever. So a pattern is taken apart and the
steps it can take at worst are reckoned, on the longest record there can be:

- only a single character or class may be repeated, never a group: nothing is repeated within a repetition;
- a repetition whose characters cannot begin what comes behind it has one end only, and costs nothing extra; any other
  multiplies the steps by the lengths it may have, an optional part by two, a choice whose branches begin alike by
  their number;
- references back, looking ahead and behind, conditions and flags are refused: no panel needs them.

A pattern that does not begin with ^ may begin anywhere, which multiplies by the record's length. The limit is far on
the safe side: patterns near it took a millisecond on records made to stall them (tests/bench/printer.py).

`re` shows its own parse tree under `re._parser` (`sre_parse` before 3.11), which saves a second parser that might
read a pattern differently.
"""

import importlib
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

LONGEST: Final = 400  # of a pattern, in characters
STEPS: Final = 100_000
_ALPHABET: Final = frozenset(map(chr, range(0x20, 0x7F))) | {
    "\n",
    "\t",
    "火",
    "警",
    "号",
    "：",
    "（",
    "é",
    "\ufffd",
}
_REPEATS: Final = frozenset({"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"})
_SINGLE: Final = frozenset({"LITERAL", "NOT_LITERAL", "ANY", "IN"})
_FIRST: Final = frozenset({"AT_BEGINNING", "AT_BEGINNING_STRING"})  # \b, too, is an AT, and may be anywhere
_END: Final = "\0"  # stands for the end of a pattern: everything may come there


class PatternError(ValueError):
    """A pattern is none, or might stall us; `wanted` says what would do."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(found, wanted)
        self.found, self.wanted = found, wanted


def compiled(pattern: str, *, longest: int) -> re.Pattern[str]:
    """Return a pattern that is safe on texts of `longest` characters; PatternError for any other."""
    if not pattern or len(pattern) > LONGEST:
        raise PatternError(f"{len(pattern)} characters", f"1 to {LONGEST} characters")
    try:
        made = re.compile(pattern)
        tree = importlib.import_module("re._parser").parse(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(str(error), "a regular expression") from error
    if made.flags != re.UNICODE:
        raise PatternError("flags", "no flags: [Ff]ire says it as well")
    starts = 1 if tree and str(tree[0][1]) in _FIRST else longest
    steps = starts * _Reckoning(pattern, longest).cost(list(tree), [])
    if steps > STEPS:
        wanted = "a ^ in front, fewer .* and .+, or classes that what follows them cannot begin with"
        raise PatternError(f"{steps:.0e} steps at worst", f"at most {STEPS:.0e}: {wanted}")
    return made


class _Reckoning:
    """Reckons what one pattern may cost."""

    def __init__(self, pattern: str, longest: int) -> None:
        self._letters = {*_ALPHABET, *pattern}
        self._longest = longest

    def cost(self, items: Sequence[Any], behind: Sequence[Any]) -> float:
        """Return by how much the items multiply the steps, with what comes behind them."""
        cost = 1.0
        for index, item in enumerate(items):
            cost *= self._cost_of(item, [*items[index + 1 :], *behind])
            if cost > STEPS:
                break
        return cost

    def _cost_of(self, item: Any, behind: Sequence[Any]) -> float:
        name, argument = str(item[0]), item[1]
        if name in _SINGLE or name == "AT":
            return 1.0
        if name == "SUBPATTERN" and not argument[1] and not argument[2]:
            return self.cost(list(argument[-1]), behind)
        if name == "BRANCH":
            return self._choice([list(branch) for branch in argument[1]], behind)
        if name in _REPEATS:
            least, most, what = argument
            return self._repeat(int(least), int(most), list(what), behind)
        raise _unreckoned(name)

    def _choice(self, branches: Sequence[Sequence[Any]], behind: Sequence[Any]) -> float:
        cost = sum(self.cost(branch, behind) for branch in branches)
        first = [self._begins([*branch, *behind]) for branch in branches]
        alike = any(one & other for i, one in enumerate(first) for other in first[:i])
        return cost if alike else max(1.0, cost - len(branches) + 1)

    def _repeat(self, least: int, most: int, inner: Sequence[Any], behind: Sequence[Any]) -> float:
        most = min(most, self._longest)
        if most > 1 and not (len(inner) == 1 and str(inner[0][0]) in _SINGLE):
            raise PatternError("a group that is repeated", "only single characters and classes repeated")
        cost = self.cost(inner, behind) if most <= 1 else 1.0
        one_end = not self._begins(inner) & self._begins(behind)
        return cost if one_end or least == most else cost * (most - least + 1)

    def _begins(self, items: Iterable[Any]) -> set[str]:
        """Return what a text that these items match may begin with."""
        found: set[str] = set()
        for item in items:
            begins, may_be_empty = self._begins_with(item)
            found |= begins
            if not may_be_empty:
                return found
        return found | {_END}

    def _begins_with(self, item: Any) -> tuple[set[str], bool]:
        name, argument = str(item[0]), item[1]
        if name in _SINGLE:
            return self._class(name, argument), False
        if name in _REPEATS:
            begins = self._begins(list(argument[2]))
            return begins - {_END}, argument[0] == 0 or _END in begins
        if name == "AT":
            return set(), True
        if name not in {"SUBPATTERN", "BRANCH"}:
            raise _unreckoned(name)
        parts = [argument[-1]] if name == "SUBPATTERN" else argument[1]
        begins = set().union(*(self._begins(list(part)) for part in parts))
        return begins - {_END}, _END in begins

    def _class(self, name: str, argument: Any) -> set[str]:
        """Return the letters that one character of the pattern stands for."""
        if name == "ANY":
            return self._letters - {"\n"}
        if name == "LITERAL":
            return {chr(argument)}
        if name == "NOT_LITERAL":
            return self._letters - {chr(argument)}
        parts = [(str(kind), value) for kind, value in argument]
        found = set().union(*(self._part(kind, value) for kind, value in parts))
        return self._letters - found if parts[0][0] == "NEGATE" else found

    def _part(self, kind: str, value: Any) -> set[str]:
        if kind == "NEGATE":
            return set()
        if kind == "LITERAL":
            return {chr(value)}
        if kind == "RANGE":
            low, high = value
            return {letter for letter in self._letters if low <= ord(letter) <= high} | {chr(low), chr(high)}
        short = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(value).rsplit("_", 1)[-1]]
        found = {letter for letter in self._letters if re.fullmatch(short, letter)}
        return self._letters - found if "NOT" in str(value) else found


def _unreckoned(name: str) -> PatternError:
    wanted = "characters, classes, groups, choices, repetitions"
    return PatternError(name.lower().replace("_", " "), wanted)
