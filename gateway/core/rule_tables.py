"""Rule tables into rules: what the profile brings, what gateway.toml adds, what one device overrides.

    kind = "fire.smoke"                         # in kinds.toml
    point = "alarm"  or  points = ["roll", "pitch"]
    when = true or 3 or [1, 2]                  # equals                          } exactly one
    above = 300.0 or below = ..., clear = 240.0 # with hysteresis                 } of
    deviates = 10.0, clear = 8.0, urgent = 90.0 # from rest; past urgent at once  } these
    moved = true                                # a counter goes on               }
    reads = 2, apart_s = 0.0                    # good reads that agree, each at least so far from the last
    hold_s = 0.0                                # and true for so long
    clear_reads = 2, clear_hold_s = 0.0         # the same for normal again
    latch = false                               # stays until a person resets it and the device is normal
    unless = ["test"]                           # points that keep it quiet while true
    begins_unless = ["vacant"]                  # that keep it from beginning, and once it has begun from ending
    excused_by = ["exit_button"], excuse_s = 8.0
    again_s = 900.0                             # told again so often, also to who acknowledged it; not while shelved
    shows = "minutes"                           # the point whose value the alert tells, instead of its own
    severity, certainty, enabled
    device = "name", category = "smoke"         # only in gateway.toml's [[rule]]: whom it is for

A table of gateway.toml that names a kind and no points changes the rules of that kind a device has; one that
names points too changes the rule of that kind on those points, or adds it. Keys are replaced one by one. All
mistakes are returned, not only the first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from drivers.api import Point, Text
from gateway.core.events import Certainty, Severity
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown
from gateway.core.kinds import Kind, Kinds
from gateway.core.rule_checks import TESTS, Table, check
from gateway.core.rules import Above, Below, Deviates, Equals, Moved, Rule, Test

ANGLES: Final = ("°", "deg", "degree", "degrees")
_PLAIN: Final = (
    "reads",
    "apart_s",
    "hold_s",
    "clear_reads",
    "clear_hold_s",
    "latch",
    "excuse_s",
    "again_s",
    "shows",
)
CLEAR_SHARE: Final = 0.2  # hysteresis where a table gives none: back to 0.8 of an upper limit, 1.2 of a lower


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules of one device and what is wrong with its tables."""

    rules: tuple[Rule, ...]
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class _Draft:
    """A rule while tables are laid over one another; `key` is where a person finds it."""

    key: str
    table: dict[str, object]


def compile_rules(
    profile_rules: Sequence[Table],
    gateway_rules: Sequence[Table],
    overrides: Mapping[str, Table],
    *,
    device: str,
    category: str,
    points: Sequence[Point],
    kinds: Kinds,
    where: str,
) -> Compiled:
    """Return the rules of one device. `where` is the key of the device in the faults, `bus[0].device[2]`."""
    drafts = [_Draft(f"{where}.profile.rule[{i}]", dict(table)) for i, table in enumerate(profile_rules)]
    names = [point.name for point in points]
    faults: list[Fault] = []
    for i, table in enumerate(gateway_rules):
        if table.get("device", device) == device and table.get("category", category) == category:
            plain = {key: value for key, value in table.items() if key not in {"device", "category"}}
            faults += _lay(drafts, _Draft(f"rule[{i}]", plain), names, must="device" in table)
    for kind, table in overrides.items():
        faults += _lay(drafts, _Draft(f'{where}.rules."{kind}"', {"kind": kind, **table}), names, must=True)
    rules = {}
    for draft in drafts:
        if draft.table.get("enabled", True) is False:
            continue
        rule, wrong = _rule(draft, points, kinds)
        if rule is not None and rule.name in rules:
            wanted = Text("同类同点只要一条规则", "one rule of a kind on a point")
            wrong.append(Fault(draft.key, same(rule.name), wanted))
        elif rule is not None:
            rules[rule.name] = rule
        faults += wrong
    return Compiled(tuple(rules.values()), tuple(faults))


@dataclass(frozen=True, slots=True)
class Ruled:
    """A device or an asset, for whom a [[rule]] may be: `rules` are the tables it has already."""

    name: str
    category: str
    points: Sequence[Point]
    rules: Sequence[Table]


def for_nobody(gateway_rules: Sequence[Table], ruled: Iterable[Ruled], kinds: Kinds) -> list[Fault]:
    """Return a warning for each [[rule]] nothing has a use for, and where its kind is misspelt that."""
    faults = []
    ruled = list(ruled)
    for i, table in enumerate(gateway_rules):
        if any(_concerns(table, each, gateway_rules[:i]) for each in ruled):
            continue
        if (wrong := _unknown_kind(f"rule[{i}]", table, kinds)) is not None:
            faults.append(replace(wrong, warning=True))
        else:
            found = Text("没有设备用得上", "no device it is for")
            wanted = Text(
                "已有的设备或类别，且有这些测点；不写测点，就要已有这一种规则",
                "a device or category that is there and has the points; without points, a rule of this kind",
            )
            faults.append(Fault(f"rule[{i}]", found, wanted, warning=True))
    return faults


def _concerns(table: Table, each: Ruled, before: Sequence[Table] = ()) -> bool:
    """Return whether a table changes anything; `before` are tables that may have added the rule it changes."""
    if table.get("device", each.name) != each.name or table.get("category", each.category) != each.category:
        return False
    if points := _points(table):
        return set(points) <= {point.name for point in each.points}
    added = [other for other in before if _points(other) and _concerns(other, each)]
    return table.get("kind") in [other.get("kind") for other in (*each.rules, *added)]


def _points(table: Table) -> tuple[str, ...]:
    """Return the points a table names, whatever else is wrong with it."""
    several = table.get("points", ())
    listed = several if isinstance(several, list | tuple) else ()
    return tuple(name for name in (table.get("point"), *listed) if isinstance(name, str))


def _lay(drafts: list[_Draft], over: _Draft, names: Sequence[str], *, must: bool) -> Iterator[Fault]:
    """Lay one table over the drafts of its kind, or add it; `must`: it is a fault if it finds no place."""
    points = _points(over.table)
    mine = [draft for draft in drafts if draft.table.get("kind") == over.table.get("kind")]
    if points:
        mine = [draft for draft in mine if set(_points(draft.table)) == set(points)]
    for draft in mine:
        draft.table = _merged(draft.table, over.table)
        draft.key = over.key
    if not mine and points and (must or set(points) <= set(names)):
        drafts.append(over)
    elif not mine and must:
        had = sorted({str(draft.table.get("kind")) for draft in drafts})
        kind = str(over.table.get("kind"))
        yield Fault(over.key, same(kind), one_of(had) if had else NOTHING, near(kind, had))


def _merged(below: Table, above: Table) -> dict[str, object]:
    """Return `below` with the keys of `above`; another test takes the place of the old one and its limits."""
    kept = dict(below)
    tests = [key for key in TESTS if key in above]
    if tests and tests[0] not in below:
        for key in (*TESTS, "clear", "urgent"):
            kept.pop(key, None)
    if "point" in above or "points" in above:
        kept.pop("point", None)
        kept.pop("points", None)
    return kept | dict(above)


def _rule(draft: _Draft, points: Sequence[Point], kinds: Kinds) -> tuple[Rule | None, list[Fault]]:
    """Return the rule of one table, or what is wrong with it."""
    if (wrong := _unknown_kind(draft.key, draft.table, kinds)) is not None:
        return None, [wrong]
    kind = kinds[str(draft.table["kind"])]
    known = [point.name for point in points]
    table = _with_defaults(draft.table, kind, known)
    faults = list(check(draft.key, table, kind, known)) or list(_check_counter(draft.key, table, points))
    return (None, faults) if faults else (_make(table, kind, points), [])


def _unknown_kind(key: str, table: Table, kinds: Kinds) -> Fault | None:
    name = table.get("kind")
    if isinstance(name, str) and name in kinds:
        return None
    hint = near(name, kinds.by_name) if isinstance(name, str) else None
    wanted = Text("kinds.toml 中的种类", "a kind of kinds.toml")
    return Fault(f"{key}.kind", NOTHING if name is None else shown(name), wanted, hint)


def _check_counter(key: str, table: Table, points: Sequence[Point]) -> Iterator[Fault]:
    """Look whether what is to move is one counter."""
    counters = [point.name for point in points if point.counts]
    named = _points(table)
    if "moved" in table and (len(named) != 1 or named[0] not in counters):
        found = Text(" ".join(named), " ".join(named))
        wanted = Text("一个计数器：", "one counter: ")
        listed = one_of(counters) if counters else NOTHING
        yield Fault(f"{key}.point", found, Text(wanted.zh + listed.zh, wanted.en + listed.en))


def _with_defaults(table: Table, kind: Kind, known: Sequence[str]) -> dict[str, object]:
    """Return the table with the keys all rules of its kind have; a default never names a point that is not there."""
    whole = dict(kind.rule) | dict(table)
    default = kind.rule.get("unless")
    if "unless" not in table and isinstance(default, list):
        whole["unless"] = [name for name in default if name in known]
    return whole


def _make(table: Table, kind: Kind, points: Sequence[Point]) -> Rule:
    """Return the rule; every value has been looked at."""
    named = _points(table)
    mine = [point for point in points if point.name in named]
    units = {point.unit for point in mine}
    plain = {key: table[key] for key in _PLAIN if key in table}
    return Rule(
        kind=kind,
        points=named,
        test=Moved(mine[0].counts)
        if "moved" in table
        else _test(table, wraps=bool(units) and units <= set(ANGLES)),
        severity=Severity(str(table.get("severity", kind.severity))),
        certainty=Certainty(str(table.get("certainty", kind.certainty))),
        unless=tuple(map(str, _listed(table.get("unless")))),
        begins_unless=tuple(map(str, _listed(table.get("begins_unless")))),
        excused_by=tuple(map(str, _listed(table.get("excused_by")))),
        **plain,  # type: ignore[arg-type]  # looked at by check
    )


def _test(table: Table, *, wraps: bool) -> Test:
    if "when" in table:
        return Equals(
            tuple(value for value in _listed(table["when"]) if isinstance(value, bool | int | float))
        )
    (name,) = (name for name in TESTS if name in table)
    limit = _number(table[name])
    share = {"above": 1 - CLEAR_SHARE, "below": 1 + CLEAR_SHARE, "deviates": 1 - CLEAR_SHARE}[name]
    clear = _number(table.get("clear", limit * share))
    if name == "deviates":
        urgent = table.get("urgent")
        return Deviates(limit, clear, None if urgent is None else _number(urgent), wraps)
    return Above(limit, clear) if name == "above" else Below(limit, clear)


def _listed(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)
