"""All assets of a gateway put together: what each point is made of, in which order, in which unit. Pure.

`assemble` gives the plans and everything that is wrong: a part that is not there, a unit that does not fit, a number
that is missing, points that stand on one another in a circle.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.api import Action, Argument, Point, Text, Value
from gateway.core import outcomes
from gateway.core.assets import units
from gateway.core.assets.drafts import AssetDraft, Draft, Key, allowed_keys, draft
from gateway.core.assets.formulas import LIMITS, SAME_UNIT, TESTS, WANTED, Cell, Numbers
from gateway.core.assets.kinds import AssetKind
from gateway.core.assets.states import LONGEST_ORDER_S
from gateway.core.config import AssetTable
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown

LONGEST_ORDER_MIN = LONGEST_ORDER_S / 60.0
SWITCHING = (
    Action("on", None, Text("启用", "On"), (Argument("minutes", 1, LONGEST_ORDER_MIN, 360, "min"),)),
    Action("off", None, Text("停用", "Off")),
)
LONGEST_ABSENCE_DAYS = 14.0
LONGEST_ABSENCE = "most_days"
"""The setting of a kind that says for how long somebody may be said to be away at most."""
_OF_RULES = ("above", "below", "clear", "deviates", "urgent", "hold_s", "clear_hold_s", "again_s")


@dataclass(frozen=True, slots=True)
class NodePlan:
    """One derived point: what it stands on, by what each source is multiplied, and what makes it."""

    key: Key
    sources: tuple[Key, ...]
    factors: tuple[float, ...]
    make: Callable[[], Cell]


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """An asset as it runs. `parts` are the points of devices it is made of, by role; `rules` are plain tables.

    `points` are those that are told; `nodes` are more, with the steps on the way.
    """

    table: AssetTable
    kind: AssetKind
    parts: Mapping[str, tuple[Key, ...]]
    points: tuple[Point, ...]
    nodes: tuple[NodePlan, ...]
    rules: tuple[Mapping[str, object], ...]
    settings: Mapping[str, float]
    actions: tuple[Action, ...] = ()

    @property
    def name(self) -> str:
        """Return its name, unique among all that can be named."""
        return self.table.name


@dataclass(frozen=True, slots=True)
class Assembled:
    """The assets of a gateway; `order` is every derived point, sources first. With faults they are not to be used.

    `personal` are the points of devices that assets over residents are made of, `discreet` those of devices and assets
    that say whether somebody is away: of all assets there are, also of those that nobody agreed to.
    """

    plans: tuple[AssetPlan, ...] = ()
    order: tuple[Key, ...] = ()
    faults: tuple[Fault, ...] = ()
    personal: frozenset[Key] = frozenset()
    discreet: frozenset[Key] = frozenset()


@dataclass(slots=True)
class _Bench:
    """What is known while assets are put together: the unit of every point there is."""

    units: dict[Key, str | None]
    faults: list[Fault] = field(default_factory=list)


def assemble(
    tables: Mapping[str, AssetTable], kinds: Mapping[str, AssetKind], devices: Mapping[str, Sequence[Point]]
) -> Assembled:
    """Return all assets. `tables` by their key in the file, `devices` the points each has."""
    bench = _Bench({(name, each.name): each.unit for name, points in devices.items() for each in points})
    drafts = []
    for where, table in tables.items():
        if (kind := kinds.get(table.kind)) is None:
            fault = Fault(f"{where}.kind", shown(table.kind), one_of(kinds), near(table.kind, kinds))
            bench.faults.append(fault)
        else:
            drafts.append(draft(table, where, kind))
    points = {each.key: each for made in drafts for each in made.points}
    there = {name: [each.name for each in has] for name, has in devices.items()}
    for asset, point in points:
        there.setdefault(asset, []).append(point)
    for made in drafts:
        bench.faults += [*made.faults, *_dangling(made, there)]
    if any(not fault.warning for fault in bench.faults):
        return Assembled(faults=tuple(bench.faults))
    order = _order(points, bench)
    nodes = {key: _node(points[key], drafts, bench) for key in order}
    plans = tuple(_plan(made, nodes, bench) for made in drafts)
    return Assembled(
        plans,
        order=tuple(key for key in order if nodes[key]),
        faults=tuple(bench.faults),
        personal=frozenset(
            key for made in drafts if made.kind.asset.consent for keys in made.parts.values() for key in keys
        ),
        discreet=_discreet(drafts, [points[key] for key in order]),
    )


def _dangling(made: AssetDraft, there: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Yield a fault for each part that is nobody's point; `there` are the points of every device and asset."""
    for role, keys in made.parts.items():
        for name, point in keys:
            where = f"{made.where}.parts.{role}"
            if name not in there:
                wanted = Text("已有的设备或资产", "a device or asset there is")
                yield Fault(where, shown(f"{name}.{point}"), wanted, near(name, there))
            elif point not in there[name]:
                wanted = one_of(f"{name}.{each}" for each in there[name])
                yield Fault(where, shown(f"{name}.{point}"), wanted, near(point, there[name]))


def _order(points: Mapping[Key, Draft], bench: _Bench) -> list[Key]:
    """Return the points, sources first; a circle is a fault that names it."""
    order: list[Key] = []
    done: set[Key] = set()

    def visit(key: Key, trail: tuple[Key, ...]) -> None:
        if key in trail:
            circle = (*trail[trail.index(key) :], key)
            told = same(" -> ".join(".".join(each) for each in circle))
            wanted = Text("测点之间不能互为来源", "points that do not stand on themselves")
            bench.faults.append(Fault(points[key].where, told, wanted))
            done.update(circle)
        elif key in points and key not in done:
            for source in points[key].sources:
                visit(source, (*trail, key))
            if key not in done:
                done.add(key)
                order.append(key)

    for key in points:
        visit(key, ())
    return order


def _discreet(drafts: Sequence[AssetDraft], points: Sequence[Draft]) -> frozenset[Key]:
    """Return what must not be told: parts and points of which a kind says so, and all that stands on one of them."""
    parts = ((made.kind.part.get(role), keys) for made in drafts for role, keys in made.parts.items())
    found = {key for part, keys in parts if part is not None and part.discreet for key in keys}
    for point in points:  # sources first
        if point.table.get("discreet") or not found.isdisjoint(point.sources):
            found.add(point.key)
    return frozenset(found)


def _node(made: Draft, drafts: Sequence[AssetDraft], bench: _Bench) -> NodePlan | None:
    """Return what makes a point and note its unit; None where its table is wrong."""
    asset = next(each for each in drafts if each.table.name == made.key[0])
    before = len(bench.faults)
    bench.faults += [
        Fault(f"{made.where}.{name}", Text("未知的键", "an unknown key"), one_of(allowed_keys(made)))
        for name in made.table
        if name not in allowed_keys(made)
    ]
    numbers = _numbers(made, asset, bench)
    wanted = _wanted_unit(made, asset)
    factors = []
    for source in made.sources:
        found = bench.units.get(source)
        if (times := units.factor(found, wanted)) is None:
            bench.faults.append(Fault(made.where, same(f"{'.'.join(source)} [{found}]"), same(f"[{wanted}]")))
        factors.append(times or 1.0)
    bench.units[made.key] = _unit(made, wanted, bench, numbers)
    if len(bench.faults) > before:
        return None
    return NodePlan(made.key, made.sources, tuple(factors), lambda: made.operation.make(numbers))


def _wanted_unit(made: Draft, asset: AssetDraft) -> str | None:
    """Return the unit the kind wants of the part a point stands on."""
    for role, keys in asset.parts.items():
        if role in asset.kind.part and set(keys) & set(made.sources):
            return asset.kind.part[role].unit or None
    return None


def _unit(made: Draft, wanted: str | None, bench: _Bench, numbers: Numbers) -> str | None:
    told = made.table.get("unit")
    if isinstance(told, str):
        return told
    of_source = wanted or next((bench.units.get(source) for source in made.sources), None)
    if made.by == "rate":
        return units.per(of_source, numbers.by_name.get("per_s", 1.0))
    return of_source if made.operation.unit == SAME_UNIT else made.operation.unit


def _numbers(made: Draft, asset: AssetDraft, bench: _Bench) -> Numbers:
    """Return the numbers of a formula; what is missing or none at all is noted."""
    found: dict[str, float] = {}
    names = [*made.operation.needs, *made.operation.may]
    if made.operation.tests:
        names += [name for name in ("above", "below", "clear") if name in made.table]
        tests = [name for name in TESTS if name in made.table]
        if len(tests) > 1 or (not tests and made.by == "is"):
            bench.faults.append(Fault(made.where, one_of(tests) if tests else NOTHING, one_of(TESTS)))
    for name in names:
        told = made.table.get(name, made.operation.may.get(name))
        value = number_of(told, asset, f"{made.where}.{name}", bench.faults)
        if value is not None:
            found[name] = value
            low, high = LIMITS.get(name, (-1e12, 1e12))
            if not low <= value <= high:
                wanted = Text(f"{low:g} 到 {high:g}", f"{low:g} to {high:g}")
                bench.faults.append(Fault(f"{made.where}.{name}", shown(value), wanted))
    if made.by == "scaled" and "zero" in found and found["zero"] == found.get("full"):
        bench.faults.append(Fault(made.where, same("zero = full"), Text("两个不同的数", "two numbers")))
    bench.faults += _hours(made, asset, found)
    listed = made.table.get("when", ())
    values = listed if isinstance(listed, list | tuple) else (listed,)
    good = tuple(each for each in values if isinstance(each, bool | int | float))
    if len(good) != len(values):
        wanted = Text("true、false、数或数的列表", "true, false, a number or a list of them")
        bench.faults.append(Fault(f"{made.where}.when", shown(listed), wanted))
    return Numbers(found, good, len(made.sources))


def _hours(made: Draft, asset: AssetDraft, found: Mapping[str, float]) -> Iterator[Fault]:
    """Yield a fault for a time that ends when it begins: nobody can say whether that is all day or none of it."""
    if made.by != "during" or not found.keys() >= {"begins", "ends"}:
        return
    begins, ends = found["begins"], found["ends"]
    if begins % 24 != ends % 24 or (begins, ends) == (0, 24):
        return
    name = str(made.table["ends"])
    where = f"{asset.where}.set.{name}" if name in asset.kind.set else f"{made.where}.ends"
    wanted = Text("与开始不同的钟点", "another hour than it begins at")
    hint = Text("全天写 0 到 24", "all day is from 0 to 24")
    yield Fault(where, shown(ends), wanted, hint)


def number_of(told: object, asset: AssetDraft, where: str, faults: list[Fault]) -> float | None:
    """Return a number, or that of a setting, or a product of such: "0.6 high". None where there is none, noted."""
    if isinstance(told, int | float) and not isinstance(told, bool):
        return float(told)
    product = 1.0
    for word in told.split() if isinstance(told, str) and told else [""]:
        if word in asset.kind.set:
            value = _setting(word, asset, faults)
        elif re.fullmatch(r"-?\d+(\.\d+)?", word):
            value = float(word)
        else:
            faults.append(Fault(where, NOTHING if told is None else shown(told), WANTED))
            return None
        if value is None:
            return None
        product *= value
    return product


def _setting(name: str, asset: AssetDraft, faults: list[Fault]) -> float | None:
    setting = asset.kind.set[name]
    value = asset.table.set.get(name, setting.value)
    if value is None:
        wanted = Text(f"一个数：{setting.zh} {setting.unit}", f"a number: {setting.en} {setting.unit}")
        faults.append(Fault(f"{asset.where}.set.{name}", NOTHING, wanted))
    return value


def _plan(made: AssetDraft, nodes: Mapping[Key, NodePlan | None], bench: _Bench) -> AssetPlan:
    outer = [each for each in made.points if not each.table.get("inner") and nodes.get(each.key)]
    points = tuple(_point(each, bench) for each in outer)
    there = {point.name for point in points}
    rules = [_rule(table, made, there, bench) for table in made.kind.rule]
    chosen = [nodes.get(each.key) for each in made.points]
    settings = {name: each.value for name, each in made.kind.set.items()} | made.table.set
    known = {name: value for name, value in settings.items() if value is not None}
    return AssetPlan(
        table=made.table,
        kind=made.kind,
        parts=made.parts,
        points=points,
        nodes=tuple(node for node in chosen if node is not None),
        rules=tuple(rule for rule in rules if rule is not None),
        settings=known,
        actions=_actions({each.by for each in made.points}, known),
    )


def _actions(formulas: set[str], settings: Mapping[str, float]) -> tuple[Action, ...]:
    """Return what an asset can be told."""
    if "away" not in formulas:
        return SWITCHING if "ordered" in formulas else ()
    most = settings.get(LONGEST_ABSENCE, LONGEST_ABSENCE_DAYS)
    days = Argument("days", min(0.1, most), most, min(7.0, most), "d")
    return (
        Action(outcomes.AWAY, None, Text("住户外出", "Nobody at home"), (days,)),
        Action(outcomes.HOME, None, Text("住户在家", "At home")),
    )


def _point(made: Draft, bench: _Bench) -> Point:
    deadband: Value | object = made.table.get("deadband", 0.0)
    if not isinstance(deadband, int | float):
        bench.faults.append(Fault(f"{made.where}.deadband", shown(deadband), WANTED))
        deadband = 0.0
    return Point(made.key[1], None, bench.units.get(made.key), deadband=float(deadband))


def _rule(
    table: Mapping[str, object], made: AssetDraft, there: set[str], bench: _Bench
) -> Mapping[str, object] | None:
    """Return a rule of the kind with settings filled in, on those of its points that are there; None if none is."""
    told = table.get("points", [table.get("point")])
    points = [each for each in told if each in there] if isinstance(told, list) else []
    if not points:
        return None
    whole = {key: value for key, value in table.items() if key not in {"point", "points"}}
    for key in _OF_RULES:
        if isinstance(whole.get(key), str):
            whole[key] = number_of(whole[key], made, f"{made.where}.rules", bench.faults)
    for key in ("unless", "excused_by"):
        listed = whole.get(key, [])
        if isinstance(listed, list) and key in whole:
            whole[key] = [each for each in listed if each in there]
    if whole.get("shows") not in there:
        whole.pop("shows", None)
    return whole | ({"point": points[0]} if "point" in table else {"points": points})
