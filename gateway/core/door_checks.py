"""Whether doors, schedules and interlocks of gateway.toml fit one another and the products they are made of. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from drivers.api import Profile, Text
from gateway.core import place_checks, schedule
from gateway.core.config import DeviceTable, DoorTable, InterlockTable
from gateway.core.door_actions import actions_of
from gateway.core.doors import Strike
from gateway.core.events import Place
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown
from gateway.core.fitting import Products
from gateway.core.interlocks import FIRE_KINDS, LEVELS
from gateway.core.loading import Parsed
from gateway.core.places import cut, over, within
from gateway.core.policy import PolicyError, choose_action, complete_arguments
from gateway.core.strikes import LONGEST_S, device_of, part_fault, same_strike, strike_of

ENTRIES: Final = ("card", "card_or_pin", "card_and_pin")
FIRE_CATEGORIES: Final = {"smoke", "panel"}
"""Products that tell of a fire: beside them a door is one that a fire should free."""

Faults = Iterator[Fault]


class OrderTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of an interlock's `orders`."""

    device: str
    action: str
    arguments: dict[str, float] = {}


def check(parsed: Parsed, products: Products) -> Faults:
    """Yield everything about doors, schedules and interlocks that does not fit."""
    profiles = {
        device.name: products.profiles[device.profile]
        for device in parsed.devices.values()
        if device.profile in products.profiles
    }
    for key, table in parsed.schedules.items():
        yield from _schedule(key, table.times, table.closed)
    known = {table.name for table in parsed.schedules.values()}
    readers: dict[str, str] = {}
    strikes: dict[str, str] = {}
    for key, door in parsed.doors.items():
        yield from _door(key, door, profiles, known)
        yield from _taken(f"{key}.strike", same_strike(door.strike), door.name, strikes)
        for index, reader in enumerate(door.readers):
            yield from _taken(f"{key}.readers[{index}]", reader, door.name, readers)
    for key, interlock in parsed.interlocks.items():
        yield from _interlock(key, interlock, parsed, profiles, products)
    if any(profile.category in FIRE_CATEGORIES for profile in profiles.values()):
        yield from _locked_in(parsed)
        yield from _apart(parsed, profiles)


def _schedule(key: str, times: list[str], closed: list[str]) -> Faults:
    for name, texts in (("times", times), ("closed", closed)):
        for index, text in enumerate(texts):
            try:
                schedule.parse([text] if name == "times" else [], [text] if name == "closed" else [])
            except schedule.ScheduleError as error:
                yield Fault(f"{key}.{name}[{index}]", shown(text), same(error.wanted))
    if not times:
        yield Fault(f"{key}.times", Text("没有时间", "no times"), same(schedule.WANTED))


def _door(key: str, door: DoorTable, profiles: Mapping[str, Profile], schedules: set[str]) -> Faults:
    profile = profiles.get(device_of(door.strike))
    if profile is None:
        wanted = Text(
            "一台设备的名字，继电器板加通道号", "the name of a device, of a relay board with its channel"
        )
        yield Fault(f"{key}.strike", shown(door.strike), wanted, near(device_of(door.strike), profiles))
    elif isinstance(strike := strike_of(door.strike, profile, key=f"{key}.strike"), Fault):
        yield strike
    elif door.unlock_s > strike.longest_s:
        wanted = Text(
            f"至多 {strike.longest_s:g}，{profile.name} 只能计到这么长",
            f"at most {strike.longest_s:g}, the longest {profile.name} can time",
        )
        yield Fault(f"{key}.unlock_s", shown(door.unlock_s), wanted)
    parts = {"contact": door.contact, "exit": door.exit}
    parts |= {f"tamper[{index}]": text for index, text in enumerate(door.tamper)}
    for name, text in parts.items():
        if text:
            yield from part_fault(f"{key}.{name}", text, dict(profiles))
    for index, reader in enumerate(door.readers):
        if reader not in profiles:
            wanted = Text("一台读卡器的名字", "the name of a reader")
            yield Fault(f"{key}.readers[{index}]", shown(reader), wanted, near(reader, profiles))
    yield from _words(key, door, schedules)
    if not door.contact:
        hint = Text(
            "没有门磁就不知道门是否关着、是否被撬", "without one nobody knows whether it is shut, or forced"
        )
        yield Fault(
            f"{key}.contact", Text("没有门磁", "no contact"), same('"board-1.contact"'), hint, warning=True
        )


def _words(key: str, door: DoorTable, schedules: set[str]) -> Faults:
    for name, value, allowed in (("fail", door.fail, ("secure", "safe")), ("entry", door.entry, ENTRIES)):
        if value not in allowed:
            yield Fault(f"{key}.{name}", shown(value), one_of(allowed), near(value, allowed))
    for name, most in (("unlock_s", LONGEST_S), ("shunt_s", 300.0), ("held_s", 3600.0)):
        if not 1 <= getattr(door, name) <= most:
            yield Fault(f"{key}.{name}", shown(getattr(door, name)), Text(f"1 到 {most:g}", f"1 to {most:g}"))
    if door.unlocked and door.unlocked not in schedules:
        wanted = one_of(sorted(schedules)) if schedules else same('[[schedule]] name = "..."')
        yield Fault(f"{key}.unlocked", shown(door.unlocked), wanted, near(door.unlocked, schedules))


def _taken(key: str, text: str, door: str, taken: dict[str, str]) -> Faults:
    """A reader or a strike belongs to one door, or nobody can say who opened which."""
    if (other := taken.setdefault(text, door)) != door:
        found = Text(f"{shown(text).zh}，{other} 已经用了", f"{shown(text).en}, which {other} has")
        yield Fault(key, found, Text("只属于一扇门", "one that is no other door's"))


def _interlock(
    key: str, table: InterlockTable, parsed: Parsed, profiles: Mapping[str, Profile], products: Products
) -> Faults:
    if table.within not in LEVELS:
        yield Fault(f"{key}.within", shown(table.within), one_of(LEVELS), near(table.within, LEVELS))
    for index, kind in enumerate(table.kinds):
        if kind not in products.kinds:
            wanted = Text("kinds.toml 中的种类", "a kind of kinds.toml")
            hint = near(kind, products.kinds.by_name)
            yield Fault(f"{key}.kinds[{index}]", shown(kind), wanted, hint)
    doors = {door.name: door.strike for door in parsed.doors.values()}
    if bool(table.sound) is not bool(table.hush):
        missing = "hush" if table.sound else "sound"
        wanted = Text("sound 和 hush 成对", "sound and hush together: what begins must be ended")
        yield Fault(f"{key}.{missing}", NOTHING, wanted)
    lists = {"orders": table.orders, "after": table.after, "sound": table.sound, "hush": table.hush}
    for name, orders in lists.items():
        for index, order in enumerate(orders):
            yield from _order(f"{key}.{name}[{index}]", order, profiles, doors)
    if not table.free_doors:  # one that frees doors is told by the doors it does not reach
        yield from place_checks.check(f"{key}.place", table.place, parsed)
    compound = parsed.gateway.place if parsed.gateway else Place()
    reached = [door for door in parsed.doors.values() if within(over(door.place, compound), table.place)]
    if table.free_doors and not reached:
        found = Text("联动范围内没有门", "no door within its reach")
        wanted = Text("一扇 [[door]]，或 free_doors = false", "a [[door]], or free_doors = false")
        yield Fault(f"{key}.free_doors", found, wanted, warning=True)


def _locked_in(parsed: Parsed) -> Faults:
    """Tell of doors that no interlock reaches; one with `free_doors = false` says that it is meant so."""
    compound = parsed.gateway.place if parsed.gateway else Place()
    left = [
        door.name
        for door in parsed.doors.values()
        if not any(within(over(door.place, compound), each.place) for each in parsed.interlocks.values())
    ]
    if left:
        names = ", ".join(left)
        found = Text(f"火警不会放开 {names}", f"no fire frees {names}")
        hint = Text(
            "加上它，火警时门自动放开；有意不放开，就再写 free_doors = false",
            "with it a fire opens them; where that is not wanted, add free_doors = false",
        )
        yield Fault("interlock", found, same('[[interlock]] name = "fire"'), hint, warning=True)


def _apart(parsed: Parsed, profiles: Mapping[str, Profile]) -> Faults:
    """Tell of doors that an interlock reaches, and no fire does: no detector is where they are, as their place says.

    One that is spelt in another way, or was forgotten, would be found in a fire. Kinds of a site's own may be told of
    by anything: there nothing is said.
    """
    compound = parsed.gateway.place if parsed.gateway else Place()
    fires = [
        over(each.place, compound)
        for each in parsed.devices.values()
        if _tells_of_fire(each, parsed, profiles)
    ]
    for key, door in parsed.doors.items():
        place = over(door.place, compound)
        mine = [each for each in parsed.interlocks.values() if within(place, each.place)]
        if not mine or any(not each.free_doors or each.kinds or each.within not in LEVELS for each in mine):
            continue
        reaches = (cut(fire, each.within) for each in mine for fire in fires if within(fire, each.place))
        if not any(within(place, reach) for reach in reaches):
            found = Text(
                f"{door.name} 那里没有火灾探测器，火警不会放开它",
                f"{door.name} where no fire detector is: no fire frees it",
            )
            wanted = Text("探测器所在的楼栋，写法相同", "the building of detectors, spelt as theirs")
            hint = Text(
                '[[interlock]] 里 within = "compound" 放开全院的门；有意不放开，就再写 free_doors = false',
                'within = "compound" in [[interlock]] frees all; where it is meant so, add one with free_doors = false',
            )
            yield Fault(f"{key}.place", found, wanted, hint, warning=True)


def _tells_of_fire(device: DeviceTable, parsed: Parsed, profiles: Mapping[str, Profile]) -> bool:
    profile = profiles.get(device.name)
    if profile is None:
        return False
    own = [rule for rule in parsed.rules.values() if rule.get("device") == device.name]
    kinds = [str(rule.get("kind", "")) for rule in (*profile.rules, *own)]
    return profile.category in FIRE_CATEGORIES or any(kind in FIRE_KINDS for kind in kinds)


def _order(
    key: str, order: dict[str, object], profiles: Mapping[str, Profile], doors: Mapping[str, str]
) -> Faults:
    """Look at one order; `doors` gives the strike of each, as it is written."""
    try:
        told = msgspec.convert(order, OrderTable)
    except msgspec.ValidationError as error:
        wanted = same('{ device = "...", action = "...", arguments = { ... } }')
        yield Fault(key, same(str(error)), wanted)
        return
    if told.device in doors:
        yield from _door_order(key, told, doors[told.device], profiles)
        return
    if told.device not in profiles:
        wanted = Text("一台设备或一扇门的名字", "the name of a device or of a door")
        yield Fault(f"{key}.device", shown(told.device), wanted, near(told.device, [*profiles, *doors]))
        return
    try:
        action = choose_action(told.device, told.action, profiles[told.device].actions)
        complete_arguments(action, told.arguments)
    except PolicyError as error:
        yield Fault(key, same(error.what), same(error.hint or "an action of the device"))
        return
    for door, text in doors.items():
        strike = strike_of(text, profiles[told.device]) if device_of(text) == told.device else None
        if isinstance(strike, Strike) and strike.is_moved_by(told.action, told.arguments):
            found = Text(f"{door} 的锁", f"the strike of {door}")
            yield Fault(f"{key}.device", found, Text(f"{door} 本身", f"{door} itself"))


def _door_order(key: str, told: OrderTable, strike: str, profiles: Mapping[str, Profile]) -> Faults:
    profile = profiles.get(device_of(strike))
    fit = None if profile is None else strike_of(strike, profile)
    actions = actions_of(1.0, fit.longest_s if isinstance(fit, Strike) else LONGEST_S)
    if told.action not in (names := [each.name for each in actions]):
        yield Fault(f"{key}.action", shown(told.action), one_of(names))
        return
    try:
        complete_arguments(choose_action(told.device, told.action, actions), told.arguments)
    except PolicyError as error:
        yield Fault(f"{key}.arguments", same(error.what), same(error.hint))


def default_kinds(table: InterlockTable) -> frozenset[str]:
    """Return the kinds of alert that engage an interlock."""
    return frozenset(table.kinds) or FIRE_KINDS
