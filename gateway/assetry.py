"""From the tables of gateway.toml to assets: what each is made of, and what of their parts' rules becomes theirs."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from drivers.api import Profile, Text
from gateway.alarms import Past
from gateway.core.assets import kinds as asset_kinds
from gateway.core.assets.drafts import Key
from gateway.core.assets.plans import Assembled, AssetPlan, assemble
from gateway.core.barriers import BarrierPlan
from gateway.core.config import Config
from gateway.core.doors import Strike
from gateway.core.events import Body
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown
from gateway.core.fitting import Products
from gateway.core.kinds import Kinds
from gateway.core.loading import Parsed
from gateway.core.places import over
from gateway.core.residents import Privacy, care_assets, care_devices, personal_parts
from gateway.core.rule_tables import Ruled, compile_rules, for_nobody
from gateway.core.rules import Rule, Watched
from gateway.core.strikes import device_of, same_strike, strike_of
from gateway.runtime.stream import Stamp
from gateway.services.assets import Assets

Profiles = Mapping[str, Profile]
CARE = "care"
"""The family of what watches over people."""


def check(parsed: Parsed, products: Products) -> Iterator[Fault]:
    """Yield everything about assets that does not fit the devices they are made of."""
    profiles = {device.name: products.profiles.get(device.profile) for device in parsed.devices.values()}
    if None in profiles.values():  # nobody knows yet what the missing ones have
        return
    known = {name: profile for name, profile in profiles.items() if profile is not None}
    devices = {name: profile.points for name, profile in known.items()}
    shapes = asset_kinds.wanted(parsed.assets)
    assembled = assemble(parsed.assets, shapes, devices)
    yield from assembled.faults
    yield from _outputs(parsed, known)
    where = {table.name: key for key, table in parsed.assets.items()}
    care = care_devices(known, products.kinds) | care_assets(parsed.assets.values(), shapes)
    residents = tuple(parsed.residents.values())
    privacy = Privacy(residents, care, personal_parts(residents, assembled.personal, known))
    rules = list(parsed.rules.values())
    for plan in assembled.plans:
        yield from _private(plan, privacy, where[plan.name])
        names = [point.name for point in plan.points]
        for name in plan.table.baseline:
            if name not in names:
                yield Fault(
                    f"{where[plan.name]}.baseline.{name}", shown(name), one_of(names), near(name, names)
                )
        yield from _compiled(plan, rules, products.kinds, where[plan.name])[1]
    if all(fault.warning for fault in assembled.faults):  # else nobody knows yet what the missing ones can do
        all_ruled = [Ruled(name, each.category, each.points, each.rules) for name, each in known.items()]
        yield from for_nobody(rules, [*all_ruled, *ruled(assembled)], products.kinds)


def ruled(made: Assembled, more: Sequence[Mapping[str, object]] = ()) -> Iterator[Ruled]:
    """Yield assets as those for whom a [[rule]] may be, with their kind's rules and `more` that are in force."""
    for plan in made.plans:
        yield Ruled(plan.name, plan.table.kind, plan.points, (*plan.rules, *more))


def assets_of(config: Config, profiles: Profiles) -> Assembled:
    """Return the assets as they run, those over residents who agreed; the configuration was checked before."""
    devices = {table.name: profiles[table.profile].points for bus in config.bus for table in bus.device}
    tables = {f"asset[{index}]": table for index, table in enumerate(config.asset)}
    made = assemble(tables, asset_kinds.wanted(tables), devices)
    privacy = Privacy(config.resident, frozenset())
    kept = [plan for plan in made.plans if privacy.has_agreed(plan.name, plan.kind.asset.consent)]
    names = {plan.name for plan in kept}
    return dataclasses.replace(
        made, plans=tuple(kept), order=tuple(key for key in made.order if key[0] in names)
    )


def barriers_of(made: Assembled, config: Config, profiles: Profiles) -> list[BarrierPlan]:
    """Return the barriers among the assets as their service runs them."""
    profile_of = {table.name: profiles[table.profile] for bus in config.bus for table in bus.device}
    plans = []
    for plan in made.plans:
        if not plan.table.outputs:
            continue
        strikes = {
            name: strike_of(text, profile_of[device_of(text)]) for name, text in plan.table.outputs.items()
        }
        parts = {role: keys[0] for role, keys in plan.parts.items()}
        plans.append(
            BarrierPlan(
                name=plan.name,
                outputs={name: each for name, each in strikes.items() if isinstance(each, Strike)},
                opened=parts.get("opened"),
                closed=parts.get("closed"),
                loop=parts.get("loop"),
                place=over(plan.table.place, config.gateway.place),
                pulse_s=plan.settings["pulse_s"],
                travel_s=plan.settings["travel_s"],
            )
        )
    return plans


def watched_with(
    assets: Assembled, devices: Mapping[str, Watched], config: Config, kinds: Kinds
) -> dict[str, Watched]:
    """Return devices and assets as alerting sees them.

    A rule of a device that looks only at what the asset judges by a rule of that kind is the asset's: one lifted cover
    is one alert, and it says which manhole. A fire at a part that the asset only shows stays the device's.
    """
    watched = dict(devices)
    for plan in assets.plans:
        rules, _ = _compiled(plan, config.rule, kinds, "asset")
        judged = _judged(plan, rules)
        parts = {key for keys in plan.parts.values() for key in keys}
        for device in [watched[name] for name in {name for name, _ in parts} if name in watched]:
            kept = tuple(rule for rule in device.rules if not _is_of(plan, rule, device.name, parts, judged))
            if len(kept) < len(device.rules):
                watched[device.name] = dataclasses.replace(device, rules=kept, also=device.families)
        watched[plan.name] = Watched(
            name=plan.name,
            label=plan.table.label,
            place=over(plan.table.place, config.gateway.place),
            category=plan.table.kind,
            profile=plan.table.kind,
            rules=rules,
            baseline=_baseline(plan, devices) | plan.table.baseline,
        )
        if plan.kind.asset.consent:
            _watch_over(plan, config, watched, assets.discreet)
    return watched


def _watch_over(
    plan: AssetPlan, config: Config, watched: dict[str, Watched], discreet: frozenset[Key]
) -> None:
    """Make an asset the resident's it watches over, and its devices such that somebody relies on.

    Of its rules those are left whose kinds the resident agreed to: who is watched at home may want nobody told that
    they are away.
    """
    owner = next(each for each in config.resident if plan.name in each.sensors)
    privacy = Privacy((owner,), frozenset(), discreet=discreet)
    names = [point.name for point in plan.points]
    watched[plan.name] = dataclasses.replace(
        watched[plan.name],
        rules=tuple(rule for rule in watched[plan.name].rules if privacy.allows(plan.name, rule)),
        label=owner.code,
        place=over(owner.place, config.gateway.place),
        resident=owner.code,
        private=frozenset(name for name in names if not privacy.sends(plan.name, name)),
    )
    for name in {device for keys in plan.parts.values() for device, _ in keys}:
        watched[name] = dataclasses.replace(watched[name], also=watched[name].families | {CARE})


def judged_of(watched: Mapping[str, Watched]) -> set[tuple[str, str]]:
    """Return every (device, point) that a rule looks at."""
    return {
        (name, point)
        for name, each in watched.items()
        for rule in each.rules
        for point in (*rule.points, *rule.unless, *rule.excused_by, *((rule.shows,) if rule.shows else ()))
    }


def service_of(
    made: Assembled,
    watched: Mapping[str, Watched],
    *,
    submit: Callable[[Body], object],
    read_soon: Callable[[str, str], None],
    now: Callable[[], Stamp],
    past: Past,
    offset_h: float,
) -> Assets:
    """Return the service that runs the assets."""
    return Assets(
        made,
        places={name: each.place for name, each in watched.items()},
        submit=submit,
        read_soon=read_soon,
        now=now,
        judged=judged_of(watched),
        private={(name, point) for name, each in watched.items() for point in each.private},
        restore=past.events,
        ended=past.ended,
        offset_h=offset_h,
    )


def deadbands_of(assets: Assembled) -> dict[tuple[str, str], float]:
    """Return (asset, point) -> the change that is worth telling."""
    return {(plan.name, point.name): point.deadband for plan in assets.plans for point in plan.points}


def _private(plan: AssetPlan, privacy: Privacy, where: str) -> Iterator[Fault]:
    """Yield a fault for each part that says something of a resident: an asset's points are written down and sent.

    What watches over one has just that, and nothing of another: its parts are sensors of the resident it is one of.
    """
    owner = privacy.resident(plan.name, "")
    if plan.kind.asset.consent and owner is None:
        return  # nobody's, so it watches nobody; that is told
    for role, keys in plan.parts.items():
        for device, point in keys:
            found = shown(f"{device}.{point}")
            if plan.kind.asset.consent and privacy.resident(device, point) is not owner:
                wanted = Text("同一住户 sensors 中的测点", "one of the sensors of the same resident")
                yield Fault(f"{where}.parts.{role}", found, wanted)
            elif not plan.kind.asset.consent and privacy.is_private(device, point):
                wanted = Text("不是住户看护传感器的测点", "no point of a sensor that watches over a resident")
                yield Fault(f"{where}.parts.{role}", found, wanted)


def _outputs(parsed: Parsed, profiles: Profiles) -> Iterator[Fault]:
    """Yield what is wrong with what assets move: a board that cannot, a channel that is somebody else's."""
    kinds = asset_kinds.wanted(parsed.assets)
    taken = {same_strike(door.strike): door.name for door in parsed.doors.values()}
    for key, table in parsed.assets.items():
        known = kinds[table.kind].output if table.kind in kinds else {}
        for name, text in table.outputs.items():
            at = f"{key}.outputs.{name}"
            profile = profiles.get(device_of(text))
            if name not in known:
                yield Fault(at, shown(name), one_of(known) if known else NOTHING, near(name, known))
            elif profile is None:
                wanted = Text("一台继电器板和它的通道", "a relay board with its channel")
                yield Fault(at, shown(text), wanted, near(device_of(text), profiles))
            elif isinstance(strike := strike_of(text, profile, key=at), Fault):
                yield strike
            elif (
                other := taken.setdefault(same_strike(text), f"{table.name}.{name}")
            ) != f"{table.name}.{name}":
                found = Text(f"{shown(text).zh}，{other} 已经用了", f"{shown(text).en}, which {other} has")
                yield Fault(at, found, Text("没有被用过的", "one that is not taken"))
        for name, output in known.items():
            if output.needed and name not in table.outputs:
                yield Fault(
                    f"{key}.outputs.{name}",
                    NOTHING,
                    Text(f"继电器通道：{output.zh}", f"a channel: {output.en}"),
                )
        if "close" in table.outputs and "loop" not in table.parts:
            hint = Text("没有地感线圈就不能远程落杆", "without one nobody can close it from here")
            yield Fault(f"{key}.parts.loop", NOTHING, same('"inputs.contact_3"'), hint, warning=True)


def _is_of(
    plan: AssetPlan, rule: Rule, device: str, parts: Collection[Key], judged: Mapping[str, Collection[Key]]
) -> bool:
    """Return whether a device's rule is the asset's: all it looks at is, or it makes no sense on a part of one."""
    mine = {(device, point) for point in rule.points}
    if mine <= set(judged.get(rule.kind.name, ())):
        return True
    anyhow = parts if not rule.kind.fire else {key for keys in judged.values() for key in keys}
    return rule.kind.name in plan.kind.asset.instead and not mine.isdisjoint(anyhow)


def _judged(plan: AssetPlan, rules: Sequence[Rule]) -> dict[str, set[Key]]:
    """Return by kind the points of devices that the rules of an asset stand on."""
    sources = {node.key: node.sources for node in plan.nodes}

    def under(key: Key) -> set[Key]:
        return set[Key]().union(*map(under, sources[key])) if key in sources else {key}

    found: dict[str, set[Key]] = {}
    for rule in rules:
        for point in rule.points:
            found.setdefault(rule.kind.name, set()).update(under((plan.name, point)))
    return found


def _baseline(plan: AssetPlan, devices: Mapping[str, Watched]) -> dict[str, float]:
    """Return how its parts lie at rest by the configuration, for the points that are theirs."""
    found = {}
    for role, ((device, point), *others) in plan.parts.items():
        if not others and device in devices and point in devices[device].baseline:
            found[role] = devices[device].baseline[point]
    return {name: value for name, value in found.items() if any(each.name == name for each in plan.points)}


def _compiled(
    plan: AssetPlan, rules: Sequence[Mapping[str, object]], kinds: Kinds, where: str
) -> tuple[tuple[Rule, ...], tuple[Fault, ...]]:
    compiled = compile_rules(
        plan.rules,
        rules,
        plan.table.rules,
        device=plan.name,
        category=plan.table.kind,
        points=plan.points,
        kinds=kinds,
        where=where,
    )
    return compiled.rules, compiled.faults
