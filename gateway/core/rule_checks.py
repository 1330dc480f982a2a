"""Whether one rule table makes sense: its keys, its points, its numbers together. All mistakes, each with its cure."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from drivers.api import Text
from gateway.core.events import Certainty, Severity
from gateway.core.faults import NOTHING, Fault, near, one_of, shown
from gateway.core.kinds import Kind

Table: TypeAlias = Mapping[str, object]

TESTS: Final = ("when", "above", "below", "deviates", "moved")


def check(key: str, table: Table, kind: Kind, known: Sequence[str]) -> Iterator[Fault]:
    """Yield what is wrong in a table of this kind; `known` are the points the device has, `key` is the table's own."""
    before = [*_check_keys(key, table), *_check_points(key, table, known)]
    yield from before
    tests = [name for name in TESTS if name in table]
    if len(tests) != 1:
        yield Fault(key, one_of(tests) if tests else NOTHING, one_of(TESTS))
    elif not before:
        yield from _check_limits(key, table, kind)


def _check_keys(key: str, table: Table) -> Iterator[Fault]:
    for name, value in table.items():
        if name not in _KEYS:
            yield Fault(f"{key}.{name}", shown(value), one_of(_KEYS), near(name, _KEYS))
        elif not _KEYS[name][0](value):
            yield Fault(f"{key}.{name}", shown(value), _KEYS[name][1])


def _check_points(key: str, table: Table, known: Sequence[str]) -> Iterator[Fault]:
    if ("point" in table) == ("points" in table):
        found = Text("两者都有", "both") if "point" in table else NOTHING
        yield Fault(key, found, Text("point 或 points 之一", "either point or points"))
    for name in ("point", "points", "unless", "begins_unless", "excused_by", "shows"):
        value = table.get(name, ())
        for each in value if isinstance(value, list | tuple) else [value]:
            if isinstance(each, str) and each not in known:
                yield Fault(f"{key}.{name}", shown(each), one_of(known), near(each, known))


def _check_limits(key: str, table: Table, kind: Kind) -> Iterator[Fault]:
    """Look at numbers together. All have the right type by now."""
    reads = table.get("reads", 2)
    if kind.fire and isinstance(reads, int) and reads < 2:
        wanted = Text("至少 2：一次读数不足以报火警", "at least 2: one read alone never makes a fire alarm")
        yield Fault(f"{key}.reads", shown(reads), wanted)
    limit = next(table[name] for name in TESTS if name in table)
    clear, urgent = table.get("clear"), table.get("urgent")
    if not isinstance(limit, int | float) or "when" in table or "moved" in table:
        if clear is not None:
            test = "when" if "when" in table else "moved"
            yield Fault(
                f"{key}.clear", shown(clear), Text(f"{test} 规则没有 clear", f"no clear beside {test}")
            )
        return
    if clear is None and "deviates" not in table and limit <= 0:
        wanted = Text("limit 不大于零时要写 clear", "a clear value, as the limit is not above zero")
        yield Fault(f"{key}.clear", NOTHING, wanted)
    if isinstance(clear, int | float) and (clear < limit if "below" in table else clear > limit):
        side = "not below" if "below" in table else "not above"
        yield Fault(f"{key}.clear", shown(clear), Text(f"不越过 {limit:g}", f"{side} {limit:g}"))
    if urgent is not None and "deviates" not in table:
        yield Fault(f"{key}.urgent", shown(urgent), Text("只用于 deviates", "only beside deviates"))
    elif isinstance(urgent, int | float) and urgent <= limit:
        yield Fault(f"{key}.urgent", shown(urgent), Text(f"大于 {limit:g}", f"more than {limit:g}"))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_value(value: object) -> bool:
    return isinstance(value, bool) or _is_number(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_limit(value: object) -> bool:
    return isinstance(value, int | float) and _is_number(value) and value > 0


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and _is_number(value) and 0 <= value <= 86400


def _is_reads(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 10


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_points(value: object) -> bool:
    return _are_texts(value) and bool(value)


def _are_values(value: object) -> bool:
    return bool(value) and all(map(_is_value, value)) if isinstance(value, list | tuple) else _is_value(value)


_TEXT = Text("一段文字", "a text")
_TEXTS = Text("测点名的列表", "a list of point names")
_NUMBER = Text("一个数", "a number")
_SECONDS = Text("0 到 86400 秒", "0 to 86400 seconds")
_READS = Text("1 到 10 的整数", "a whole number from 1 to 10")
_FLAG = Text("true 或 false", "true or false")

_KEYS: Final[Mapping[str, tuple[Callable[[object], bool], Text]]] = {
    "kind": (_is_text, _TEXT),
    "point": (_is_text, _TEXT),
    "points": (_are_points, _TEXTS),
    "when": (_are_values, Text("true、false、数或数的列表", "true, false, a number or a list of them")),
    "above": (_is_number, _NUMBER),
    "below": (_is_number, _NUMBER),
    "deviates": (_is_limit, Text("大于零的数", "a number above zero")),
    "clear": (_is_number, _NUMBER),
    "urgent": (_is_number, _NUMBER),
    "reads": (_is_reads, _READS),
    "apart_s": (_is_time, _SECONDS),
    "hold_s": (_is_time, _SECONDS),
    "clear_reads": (_is_reads, _READS),
    "clear_hold_s": (_is_time, _SECONDS),
    "latch": (_is_flag, _FLAG),
    "moved": (lambda value: value is True, Text("true", "true")),
    "unless": (_are_texts, _TEXTS),
    "begins_unless": (_are_texts, _TEXTS),
    "excused_by": (_are_texts, _TEXTS),
    "excuse_s": (_is_time, _SECONDS),
    "again_s": (_is_time, _SECONDS),
    "shows": (_is_text, _TEXT),
    "severity": (lambda value: value in list(Severity), one_of(Severity)),
    "certainty": (lambda value: value in list(Certainty), one_of(Certainty)),
    "enabled": (_is_flag, _FLAG),
}
