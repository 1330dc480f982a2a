"""Device profiles: a product as one TOML file, read into the frozen objects of drivers.api.

    [profile]   driver, category, title = { zh, en }, verified, sources
    [timing]    timeout_s, late_s, gap_s, after_write_s, warm_up_s        (see api.Timing)
    [<driver>]  what the driver needs to know of the product              (<driver>/tables.py)
    [[point]]   name, unit, priority, interval_s, deadband, states = { 1 = "..." }, and where it stands
                counts = 65536: a counter, and where it begins at zero again
                cleared_by = { action = "clear_latch", channel = 1 }: it is latched until then
    [[action]]  name, title = { zh, en }, grants, arguments = [{ name, minimum, maximum, default, unit }], steps
    [[rule]]    kind, point | points, when | above | below | deviates | moved, ...  (read by the gateway)

The comment at the head of the file is part of the profile: it draws the registers for people. A mistake is told
with file, key, what was found and what was wanted; `check` tells all of them at once.
"""

import itertools
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from drivers.api import (
    Action,
    Argument,
    Clearing,
    DriverError,
    Point,
    Priority,
    Profile,
    ProfileError,
    Text,
    Timing,
)
from drivers.arguments import filled
from drivers.reader import TableReader, did_you_mean, is_beyond_toml
from drivers.registry import DRIVERS, DriverKind

BUILT_IN: Final = Path(__file__).parent / "profiles"
CATEGORIES: Final = (
    "smoke", "gas", "panel", "tilt", "level", "door", "relay", "input", "radar", "parking", "bin",
    "reader",
)  # fmt: skip
PRIORITIES: Final = {
    "fire": Priority.FIRE, "safety": Priority.SAFETY, "door": Priority.DOOR, "telemetry": Priority.TELEMETRY
}  # fmt: skip
MAX_BYTES: Final = 256 * 1024


def names(search: Sequence[Path] = (BUILT_IN,)) -> list[str]:
    """Return the names of all profiles in these folders."""
    return sorted({file.stem for folder in search for file in folder.glob("*.toml")})


def load(name_or_path: str | Path, *, search: Sequence[Path] = (BUILT_IN,)) -> Profile:
    """Return the profile of that name, or in that file; ProfileError if there is none or it is wrong.

    The folders of `search` are tried in order, so that a site's own profile can stand in for a shipped one.
    """
    path = _find(str(name_or_path), search)
    return parse(_text(path), file=str(path))


def parse(text: str, *, file: str) -> Profile:
    """Return the profile a TOML text describes; ProfileError names the first mistake in it."""
    profile, errors = _read(text, file)
    if errors:
        raise errors[0]
    return profile


def check(text: str, file: str) -> list[ProfileError]:
    """Return every mistake in a profile, in the order of the file's parts."""
    return _checked(text, file)[1]


def read(path: Path) -> tuple[Profile | None, list[ProfileError]]:
    """Return the profile in a file and every mistake in it; with a mistake there is none."""
    try:
        text = _text(path)
    except ProfileError as error:
        return None, [error]
    return _checked(text, str(path))


def _checked(text: str, file: str) -> tuple[Profile | None, list[ProfileError]]:
    try:
        profile, errors = _read(text, file)
    except ProfileError as error:
        return None, [error]
    return None if errors else profile, errors


def _find(name: str, search: Sequence[Path]) -> Path:
    if name.endswith(".toml") or "/" in name:
        return Path(name)
    for folder in search:
        if (path := folder / f"{name}.toml").is_file():
            return path
    known = names(search)
    wanted = "a file name ending in .toml, or one of " + ", ".join(known) + did_you_mean(name, known)
    raise ProfileError(name, "profile", "no profile of this name", wanted)


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProfileError(
            str(path), "file", error.strerror or str(error), "a file that can be read"
        ) from error
    if len(data) > MAX_BYTES:
        raise ProfileError(str(path), "file", f"{len(data)} bytes", f"at most {MAX_BYTES}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProfileError(str(path), "file", f"byte {error.start} is no UTF-8", "text in UTF-8") from error


def _read(text: str, file: str) -> tuple[Profile, list[ProfileError]]:
    """Return the profile and the mistakes in it; with mistakes the profile is not to be used."""
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProfileError(file, "file", str(error), "TOML") from error
    if is_beyond_toml(tree):
        raise ProfileError(file, "file", "a number beyond 64 bits", "TOML")
    errors: list[ProfileError] = []
    whole = TableReader(tree, file=file, key="", errors=errors)
    head = whole.table("profile", required=True)
    driver = head.text("driver", choices=DRIVERS)
    if errors:
        raise errors[0]  # nothing else in the file has a meaning without its driver
    points = _points(whole, DRIVERS[driver])
    point_names = tuple(point.name for point in points)
    own = whole.table(driver)
    actions = _actions(whole, DRIVERS[driver])
    _check_clearings(whole, points, actions)
    profile = Profile(
        name=Path(file).stem,
        driver=driver,
        category=head.text("category", choices=CATEGORIES),
        title=_title(head),
        points=points,
        verified=head.flag("verified", True),
        sources=head.texts("sources"),
        timing=_timing(whole.table("timing")),
        actions=actions,
        rules=tuple(_rule(table, point_names) for table in whole.tables("rule")),
        wire=DRIVERS[driver].wire_of_profile(own, point_names),
        layout=_head_comment(text),
    )
    for table in (head, own, whole):
        table.finish()
    return profile, errors


def _points(whole: TableReader, kind: DriverKind) -> tuple[Point, ...]:
    points = tuple(_point(table, kind) for table in whole.tables("point"))
    _unique(whole, "point", [point.name for point in points])
    if not points:
        whole.error("point", "nothing", "at least one [[point]]")
    return points


def _point(table: TableReader, kind: DriverKind) -> Point:
    point = Point(
        name=_name(table),
        wire=kind.wire_of_point(table),
        unit=table.text("unit", "") or None,
        priority=PRIORITIES.get(table.text("priority", "telemetry", choices=PRIORITIES), Priority.TELEMETRY),
        interval_s=table.number("interval_s", 10.0, minimum=0.05, maximum=86400),
        deadband=table.number("deadband", 0.0, minimum=0.0),
        states=_states(table),
        counts=table.integer("counts", 0, minimum=2, maximum=1 << 32) if table.has("counts") else 0,
        cleared_by=_clearing(table.table("cleared_by")) if table.has("cleared_by") else None,
    )
    table.finish()
    return point


def _clearing(table: TableReader) -> Clearing:
    action = table.text("action")
    numbers = {name: table.number(name) for name in table.plain() if name != "action"}
    table.finish()
    return Clearing(action, numbers)


def _check_clearings(whole: TableReader, points: Sequence[Point], actions: Sequence[Action]) -> None:
    """Look whether what a point is cleared by is an action of the product that takes these arguments."""
    known = {action.name: action for action in actions}
    for i, point in enumerate(points):
        if (clearing := point.cleared_by) is None:
            continue
        key = f"point[{i}].cleared_by"
        action = known.get(clearing.action)
        if action is None:
            wanted = "an action of this profile" + did_you_mean(clearing.action, known)
            whole.error(f"{key}.action", repr(clearing.action), wanted)
        elif unknown := clearing.arguments.keys() - {each.name for each in action.arguments}:
            whole.error(f"{key}.{min(unknown)}", "an argument", f"what {action.name} takes")
        else:
            try:
                filled(action, clearing.arguments)
            except DriverError as error:
                whole.error(key, error.where, error.hint or f"all that {action.name} takes")


def _states(table: TableReader) -> dict[int, str]:
    states = table.table("states").plain()
    for number, name in states.items():
        if not number.isdecimal() or not isinstance(name, str):
            table.error(f"states.{number}", repr(name), 'a number and its name: 3 = "normal"')
    return {int(number): str(name) for number, name in states.items() if number.isdecimal()}


def _actions(whole: TableReader, kind: DriverKind) -> tuple[Action, ...]:
    actions = tuple(_action(table, kind) for table in whole.tables("action"))
    _unique(whole, "action", [action.name for action in actions])
    return actions


def _action(table: TableReader, kind: DriverKind) -> Action:
    arguments = tuple(_argument(each) for each in table.tables("arguments"))
    _unique(table, "arguments", [argument.name for argument in arguments])
    action = Action(
        name=_name(table),
        wire=kind.wire_of_action(table, tuple(argument.name for argument in arguments)),
        text=_title(table),
        arguments=arguments,
        grants=table.flag("grants", False),
    )
    table.finish()
    return action


def _argument(table: TableReader) -> Argument:
    minimum = table.number("minimum")
    maximum = table.number("maximum")
    if minimum > maximum:
        table.error("maximum", f"{maximum:g}", f"at least the minimum, {minimum:g}")
    default = table.number("default", minimum=minimum, maximum=maximum) if table.has("default") else None
    argument = Argument(_name(table), minimum, maximum, default, table.text("unit", "") or None)
    table.finish()
    return argument


def _rule(table: TableReader, points: Sequence[str]) -> Mapping[str, object]:
    """Return a rule as it stands, after a look at the keys and at the points it names."""
    if not re.fullmatch(r"[a-z]+(\.[a-z_]+)+", kind := table.text("kind")):
        table.error("kind", repr(kind), "a dotted name such as fire.smoke")
    if table.one_of(("point", "points")) == "point":
        table.text("point", choices=points)
    table.one_of(("when", "above", "below", "deviates", "moved"))
    for key in ("points", "unless", "begins_unless", "excused_by"):
        for name in table.texts(key):
            if name not in points:
                table.error(key, repr(name), "a point of this profile" + did_you_mean(name, points))
    for key in ("above", "below", "deviates", "clear", "urgent"):
        if table.has(key):
            table.number(key)
    if table.has("shows"):
        table.text("shows", choices=points)
    for key in ("apart_s", "hold_s", "clear_hold_s", "excuse_s", "again_s"):
        table.number(key, 0.0, minimum=0.0)
    for key in ("reads", "clear_reads"):
        table.integer(key, 1, minimum=1, maximum=100)
    for key in ("latch", "enabled", "moved"):
        table.flag(key, False)
    table.text("severity", "major", choices=("critical", "major", "minor", "info"))
    table.text("certainty", "observed")
    table.finish()
    return table.plain()


def _timing(table: TableReader) -> Timing:
    plain = Timing()
    timing = Timing(
        timeout_s=table.number("timeout_s", plain.timeout_s, minimum=0.001, maximum=60),
        late_s=table.number("late_s", plain.late_s, minimum=0.0, maximum=60),
        gap_s=table.number("gap_s", plain.gap_s, minimum=0.0, maximum=10),
        after_write_s=table.number("after_write_s", plain.after_write_s, minimum=0.0, maximum=60),
        warm_up_s=table.number("warm_up_s", plain.warm_up_s, minimum=0.0, maximum=86400),
    )
    table.finish()
    return timing


def _title(table: TableReader) -> Text:
    title = table.table("title", required=True)
    text = Text(zh=title.text("zh"), en=title.text("en"))
    title.finish()
    return text


def _name(table: TableReader) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name := table.text("name")):
        table.error("name", repr(name), "small letters, digits and _, a letter first")
    return name


def _unique(table: TableReader, key: str, found: Sequence[str]) -> None:
    for name in sorted({name for name in found if found.count(name) > 1}):
        table.error(key, f"{name!r} twice", "a name of its own for each")


def _head_comment(text: str) -> str:
    """Return the comment lines a file begins with, without their marks."""
    head = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "\n".join(line[1:].removeprefix(" ") for line in head)


# --- for people --------------------------------------------------------------------------------------


@runtime_checkable
class Drawn(Protocol):
    """A wire that can be shown in a table."""

    def drawn(self) -> tuple[str, str]:
        """Return where it stands and what its bits mean."""


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """One point as `compound-gateway profiles NAME` shows it."""

    register: str
    type: str
    point: str
    unit: str
    priority: str
    interval_s: float


def layout_table(profile: Profile) -> list[LayoutRow]:
    """Return the wire layout of a product, a row for each point, in the order of the file."""
    rows = []
    for point in profile.points:
        where, what = point.wire.drawn() if isinstance(point.wire, Drawn) else ("", "")
        what += ", counted" if point.counts else ", latched" if point.cleared_by else ""
        unit, priority = point.unit or "", point.priority.name.lower()
        rows.append(LayoutRow(where, what, point.name, unit, priority, point.interval_s))
    return rows
