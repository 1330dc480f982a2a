"""One asset as written, against its kind: which parts it has, which points that gives, what each stands on. Pure.

A point whose parts are not there is left out, so that one kind serves a manhole with a tilt sensor and one with five
devices; a group does with those of its members that are there, but `all` and a difference need everybody.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from drivers.api import Text
from gateway.core.assets.formulas import MOST_SOURCES, OF_POINTS, OPERATIONS, STANDS_ALONE, TESTS, Operation
from gateway.core.assets.kinds import AssetKind
from gateway.core.config import AssetTable
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown

Key = tuple[str, str]
"""(device or asset, point)."""

PART = Text("设备.测点，如 level-3.level", "device.point, like level-3.level")


@dataclass(frozen=True, slots=True)
class Draft:
    """A derived point: its table and where it stands, what it is made by, and the keys of its sources."""

    key: Key
    where: str
    table: Mapping[str, object]
    by: str
    operation: Operation
    sources: tuple[Key, ...]


@dataclass(slots=True)
class AssetDraft:
    """An asset as far as it can be read alone. `parts` are the keys of each role."""

    table: AssetTable
    where: str
    kind: AssetKind
    parts: dict[str, tuple[Key, ...]] = field(default_factory=dict)
    points: list[Draft] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def draft(table: AssetTable, where: str, kind: AssetKind) -> AssetDraft:
    """Return what an asset is made of; what is wrong with its own words is among its faults."""
    made = AssetDraft(table, where, kind)
    made.faults += _parts(made)
    made.faults += _settings(made)
    tables = _tables(made)
    there = _there(made, {name: each for name, (_, each) in tables.items()})
    made.faults += _needed(made, there)
    for name, (at, each) in tables.items():
        operations = [key for key in each if key in OPERATIONS]
        if len(operations) != 1:
            found = one_of(operations) if operations else NOTHING
            made.faults.append(Fault(at, found, one_of(OPERATIONS)))
        elif name in there:
            sources = tuple(key for source in there[name] for key in _keys(made, name, source))
            made.faults += _sources(at, operations[0], each, sources, made)
            made.points.append(
                Draft((table.name, name), at, each, operations[0], OPERATIONS[operations[0]], sources)
            )
    return made


def _parts(made: AssetDraft) -> Iterator[Fault]:
    """Read `parts`; a kind that names none takes any."""
    known = made.kind.part
    for role, told in made.table.parts.items():
        key = f"{made.where}.parts.{role}"
        many = known[role].many if role in known else True
        texts = told if isinstance(told, list) else [told]
        if known and role not in known:
            yield Fault(key, shown(role), one_of(known), near(role, known))
        elif (
            not texts
            or not all(isinstance(each, str) and "." in each for each in texts)
            or (len(texts) > 1 and not many)
        ):
            yield Fault(key, shown(told), PART)
        elif len(texts) > MOST_SOURCES:
            yield Fault(key, shown(told), Text(f"至多 {MOST_SOURCES} 个", f"at most {MOST_SOURCES}"))
        elif len(set(texts)) < len(texts):
            yield Fault(key, shown(told), Text("每个测点只写一次", "each point once"))
        else:
            made.parts[role] = tuple(_split(str(text)) for text in texts)


def _settings(made: AssetDraft) -> Iterator[Fault]:
    told = made.table.set
    for name, value in told.items():
        where = f"{made.where}.set.{name}"
        if name not in made.kind.set:
            known = list(made.kind.set)
            wanted = one_of(known) if known else NOTHING
            yield Fault(where, shown(name), wanted, near(name, known))
        elif not (limits := made.kind.set[name]).least <= value <= limits.most:
            yield Fault(where, shown(value), _within(limits.least, limits.most), warning=True)
    for name, setting in made.kind.set.items():
        over, under = _value(made, name), _value(made, setting.over)
        if over is not None and under is not None and over <= under and {name, setting.over} & told.keys():
            wanted = Text(f"大于 {setting.over}（{under:g}）", f"more than {setting.over} ({under:g})")
            yield Fault(f"{made.where}.set.{name}", same(f"{over:g}"), wanted, warning=True)


def _value(made: AssetDraft, name: str) -> float | None:
    """Return the value of a setting, if there is one of that name and it has one."""
    return made.table.set.get(name, made.kind.set[name].value) if name in made.kind.set else None


def _within(least: float, most: float) -> Text:
    if most == math.inf:
        return Text(f"{least:g} 以上", f"{least:g} or more")
    return Text(f"{least:g} 到 {most:g}", f"{least:g} to {most:g}")


def _needed(made: AssetDraft, there: Collection[str]) -> Iterator[Fault]:
    """Yield a fault for each point without which there is nothing to such an asset."""
    for name in made.kind.asset.needs:
        if name not in there:
            yield Fault(
                f"{made.where}.parts", one_of(made.parts) if made.parts else NOTHING, one_of(made.kind.part)
            )


def _tables(made: AssetDraft) -> dict[str, tuple[str, Mapping[str, object]]]:
    """Return the tables of the points by name: those of the kind, and the asset's own above them."""
    found: dict[str, tuple[str, Mapping[str, object]]] = {}
    for table in made.kind.point:
        found[str(table["name"])] = made.where, table
    for index, table in enumerate(made.table.point):
        at, name = f"{made.where}.point[{index}]", table.get("name")
        if not isinstance(name, str) or not name:
            made.faults.append(Fault(f"{at}.name", shown(name), Text("测点的名字", "the name of the point")))
        else:
            found[name] = at, table
    return found


def _there(made: AssetDraft, tables: Mapping[str, Mapping[str, object]]) -> dict[str, list[str]]:
    """Return the points that can be made, and of each the sources that are there. Own points first, then parts."""
    there = {name: _told(table) for name, table in tables.items()}
    while True:
        gone = {name for name, sources in there.items() if not _possible(made, name, sources, there, tables)}
        if not gone:
            return {
                name: [each for each in sources if _is_there(made, name, each, there)]
                for name, sources in there.items()
            }
        for name in gone:
            del there[name]


def _possible(
    made: AssetDraft,
    name: str,
    sources: list[str],
    there: Mapping[str, list[str]],
    tables: Mapping[str, Mapping[str, object]],
) -> bool:
    operation = next((OPERATIONS[key] for key in tables[name] if key in OPERATIONS), None)
    if operation is None or any(each in tables[name] for each in STANDS_ALONE):
        return True
    if name in {table.get("name") for table in made.table.point}:
        return True  # who writes a point wants it: what it stands on and is not there is a mistake, told elsewhere
    found = [each for each in sources if _is_there(made, name, each, there)]
    return bool(found) if not operation.whole else len(found) == len(sources)


def _is_there(made: AssetDraft, name: str, source: str, there: Mapping[str, list[str]]) -> bool:
    return (source in there and source != name) or source in made.parts


def _told(table: Mapping[str, object]) -> list[str]:
    """Return the sources a table names."""
    told = next((value for key, value in table.items() if key in OPERATIONS), ())
    listed = told if isinstance(told, list | tuple) else [told]
    return [each for each in listed if isinstance(each, str)]


def _keys(made: AssetDraft, name: str, source: str) -> tuple[Key, ...]:
    """Return what a source is: another point of the asset, or the points of a part."""
    own = {str(table.get("name")) for table in (*made.kind.point, *made.table.point)}
    if source in own and source != name:
        return ((made.table.name, source),)
    return made.parts.get(source, ())


def _sources(
    at: str, by: str, table: Mapping[str, object], sources: tuple[Key, ...], made: AssetDraft
) -> Iterator[Fault]:
    """Yield what is wrong with what a point is said to stand on."""
    operation, told = OPERATIONS[by], _told(table)
    own = [str(each.get("name")) for each in (*made.kind.point, *made.table.point)]
    names = list(dict.fromkeys([*made.kind.part, *made.parts, *own]))
    if by in STANDS_ALONE:
        if table[by] is not True:
            yield Fault(f"{at}.{by}", shown(table[by]), same("true"))
        return
    for name in told:
        if name not in names:
            yield Fault(f"{at}.{by}", shown(name), one_of(names), near(name, names))
    wanted = 2 if by == "difference" else 1
    several = isinstance(table[by], list | tuple)
    if not told or (several and not operation.several) or (by == "difference" and len(sources) != 2):
        words = Text(f"{wanted} 个测点", f"{wanted} of: {', '.join(names)}")
        yield Fault(f"{at}.{by}", shown(table[by]), words)
    elif not operation.several and len(sources) > 1:
        yield Fault(f"{at}.{by}", shown(told[0]), Text("单个测点", "a part that is one point"))
    elif len(sources) > MOST_SOURCES:
        yield Fault(
            f"{at}.{by}", shown(table[by]), Text(f"至多 {MOST_SOURCES} 个", f"at most {MOST_SOURCES}")
        )


def _split(text: str) -> Key:
    device, _, point = text.partition(".")
    return device, point


def allowed_keys(draft: Draft) -> tuple[str, ...]:
    """Return the keys the table of this point may have."""
    operation = draft.operation
    tests = TESTS if operation.tests else ()
    clear = ("clear",) if draft.by == "is" else ()
    return (*OF_POINTS, draft.by, *operation.needs, *operation.may, *tests, *clear)
