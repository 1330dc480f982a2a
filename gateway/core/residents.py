"""Who lives behind a door with a sensor, and what they agreed to: enforced here, whatever a profile can measure. Pure.

A resident is a door number, never a name. Without a `[[resident]]` that says so nobody is watched: rules of kinds that
want consent (kinds.toml) are left out, and what a care sensor measures is neither written down nor sent. What somebody
agreed to is raised, and without `sends` only that: not the number behind it. A call for help always works. So it is for
an asset that watches over somebody (`consent` of its kind): it is one of their sensors, made of their sensors.

What a care sensor measures is never written down at all. With `sends` its latest value goes up, as any device's does,
but never whether they are away.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.api import Point, Profile, Text
from gateway.core.assets.kinds import AssetKind
from gateway.core.config import AssetTable, ResidentTable
from gateway.core.events import ReadingBody
from gateway.core.faults import NOTHING, Fault, near, one_of, shown
from gateway.core.kinds import Kinds
from gateway.core.loading import Parsed
from gateway.core.rules import Rule

Part = tuple[str, str]

NOBODYS: Final = "?"
"""In place of a resident's code: a care sensor that no resident has agreed to."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What may be watched, written down and sent. `care` are devices and assets that watch over people, whomever.

    `parts` are the points that `personal_parts` found. `discreet` are points that say whether somebody is away: nobody
    is sent their values.
    """

    residents: tuple[ResidentTable, ...]
    care: frozenset[str]
    parts: frozenset[Part] = frozenset()
    discreet: frozenset[Part] = frozenset()

    def resident(self, device: str, point: str) -> ResidentTable | None:
        """Return whom a point concerns: as a sensor of theirs or as their button."""
        whole, part = device, f"{device}.{point}"
        for each in self.residents:
            if part in each.sos or part in each.sensors or whole in each.sensors:
                return each
        return None

    def is_private(self, device: str, point: str) -> bool:
        """Return whether a reading says something of a person."""
        each = self.resident(device, point)
        if each is not None and f"{device}.{point}" in each.sos:
            return False
        return each is not None or self._is_care(device, point)

    def sends(self, device: str, point: str) -> bool:
        """Return whether a value may leave the gateway."""
        if not self.is_private(device, point):
            return True
        if (device, point) in self.discreet:
            return False
        each = self.resident(device, point)
        return each is not None and each.sends

    def whose(self, device: str, point: str) -> str:
        """Return the code of whom an alert concerns, `NOBODYS` for a care sensor of nobody's, "" for anything else."""
        each = self.resident(device, point)
        return each.code if each is not None else NOBODYS if self._is_care(device, point) else ""

    def has_agreed(self, asset: str, consent: str) -> bool:
        """Return whether an asset may do what its kind wants consent for; it has no consent where nobody is watched."""
        return not consent or any(
            asset in each.sensors and consent in each.consent for each in self.residents
        )

    def unwritten(self, body: object) -> str | None:
        """Return None for what is written down like anything else; else whose state may be told, "" for nobody's."""
        if not isinstance(body, ReadingBody) or not self.is_private(body.device, body.point):
            return None
        return body.device if self.sends(body.device, body.point) else ""

    def allows(self, device: str, rule: Rule) -> bool:
        """Return whether a rule may look at its points: everybody concerned has agreed to its kind."""
        wanted = rule.kind.consent
        if not wanted:
            return True
        concerned = [self.resident(device, point) for point in rule.points]
        return all(each is not None and wanted in each.consent for each in concerned)

    def _is_care(self, device: str, point: str) -> bool:
        return device in self.care or (device, point) in self.parts


def personal_parts(
    residents: Iterable[ResidentTable], made_of: Collection[Part], profiles: Mapping[str, Profile]
) -> frozenset[Part]:
    """Return the points that say something of a person though their device does not watch over anybody.

    `made_of` are those that assets over residents are made of: the contact of a flat's door is no contact like others,
    also when who lives there has taken back their consent. An input that counts or latches too has several points, and
    all end in its number: how often a door was opened says what its contact does. `profiles` are those of the devices.
    """
    named = {part for each in residents for part in each.sensors if "." in part}
    named |= {".".join(part) for part in made_of}
    inputs = {key for part in named if (key := _input(*part.split(".", 1)))}
    wanted = {part for each in residents for part in each.sos}  # these ring, and are told
    return frozenset(
        (name, point.name)
        for name, profile in profiles.items()
        for point in profile.points
        if (part := f"{name}.{point.name}") not in wanted
        and (part in named or _input(name, point.name) in inputs)
    )


def _input(device: str, point: str) -> tuple[str, str] | None:
    """Return which input of a board a point is of, "contact_7" and "pulses_7" of the same; None: it has no number."""
    _, _, number = point.rpartition("_")
    return (device, number) if number.isdecimal() and number != point else None


def buttons(
    residents: Iterable[ResidentTable], device: str, points: Iterable[Point]
) -> list[dict[str, object]]:
    """Return the rules of a device's points that are somebody's button for help."""
    tables: list[dict[str, object]] = []
    mine = {part for each in residents for part in each.sos}
    for point in points:
        if f"{device}.{point.name}" not in mine:
            continue
        table: dict[str, object] = {"device": device, "kind": "care.sos", "point": point.name}
        if point.counts:
            table["moved"] = True
        else:
            table |= {"when": True, "clear_reads": 1 if point.cleared_by else 2}
        tables.append(table)
    return tables


def care_devices(profiles: Mapping[str, Profile], kinds: Kinds) -> frozenset[str]:
    """Return the devices (name -> profile) whose product brings a rule that wants consent."""
    return frozenset(
        name
        for name, profile in profiles.items()
        if any(
            str(rule.get("kind")) in kinds and kinds[str(rule.get("kind"))].consent for rule in profile.rules
        )
    )


def care_assets(tables: Iterable[AssetTable], shapes: Mapping[str, AssetKind]) -> frozenset[str]:
    """Return the assets that watch over somebody; `shapes` are the kinds of asset."""
    return frozenset(
        table.name for table in tables if table.kind in shapes and shapes[table.kind].asset.consent
    )


def check(
    parsed: Parsed, profiles: Mapping[str, Profile], kinds: Kinds, shapes: Mapping[str, AssetKind]
) -> Iterator[Fault]:
    """Yield what is wrong or missing. `profiles` are those of the devices by name, `shapes` the kinds of asset."""
    assets = care_assets(parsed.assets.values(), shapes)
    consents = sorted({kind.consent for kind in kinds.by_name.values() if kind.consent})
    for key, each in parsed.residents.items():
        if not each.code:
            yield Fault(
                f"{key}.code", shown(""), Text("门牌号，不写姓名", "a door number, and nobody's name")
            )
        for name in each.consent:
            if name not in consents:
                yield Fault(f"{key}.consent", shown(name), one_of(consents), near(name, consents))
        for field, parts in (("sos", each.sos), ("sensors", each.sensors)):
            for part in parts:
                if field == "sensors" and part in assets:
                    continue
                yield from _part(f"{key}.{field}", part, profiles, whole=field == "sensors")
        if not each.sos and not each.sensors:
            wanted = Text("sos 或 sensors", "sos or sensors")
            yield Fault(key, NOTHING, wanted, warning=True)
    yield from _shared(parsed.residents)
    yield from _nobody(parsed, profiles, kinds, assets)


def _part(key: str, part: str, profiles: Mapping[str, Profile], *, whole: bool) -> Iterator[Fault]:
    device, dot, point = part.partition(".")
    if device not in profiles:
        yield Fault(key, shown(part), one_of(sorted(profiles)[:8]), near(device, profiles))
        return
    points = [each.name for each in profiles[device].points]
    if (dot or not whole) and point not in points:
        yield Fault(key, shown(part), one_of(f"{device}.{name}" for name in points[:8]), near(point, points))


def _shared(residents: Mapping[str, ResidentTable]) -> Iterator[Fault]:
    """Yield a fault for what two residents have: help would go to the door of one, by what that one agreed to."""
    owners: dict[str, dict[str, str]] = {}  # device -> part -> whose
    for key, each in residents.items():
        for field, parts in (("sos", each.sos), ("sensors", each.sensors)):
            for part in parts:
                taken = owners.setdefault(part.partition(".")[0], {})
                others = (name for other, name in taken.items() if name != key and _overlap(part, other))
                if (other := next(others, "")) != "":
                    wanted = Text(
                        "每个传感器和按钮只属于一位住户", "a sensor or button of one resident alone"
                    )
                    hint = Text(f"{other} 已经写了", f"{other} has it")
                    yield Fault(f"{key}.{field}", shown(part), wanted, hint)
                taken.setdefault(part, key)


def _overlap(one: str, other: str) -> bool:
    """Return whether two parts of a device are the same, or one is a point of the other."""
    return one == other or "." not in one or "." not in other


def _nobody(
    parsed: Parsed, profiles: Mapping[str, Profile], kinds: Kinds, assets: Collection[str]
) -> Iterator[Fault]:
    """A care sensor that is nobody's watches nobody: that is right, and an installer must know it."""
    named: Collection[str] = {
        part.partition(".")[0] for each in parsed.residents.values() for part in each.sensors
    }
    care = care_devices(profiles, kinds)
    found_at = {
        f"{key}.profile": device.name for key, device in parsed.devices.items() if device.name in care
    }
    found_at |= {f"{key}.kind": asset.name for key, asset in parsed.assets.items() if asset.name in assets}
    for key, name in found_at.items():
        if name not in named:
            found = Text(f"{name} 没有住户同意", f"{name}, to which no resident has agreed")
            wanted = Text("[[resident]] 的 sensors 和 consent", "sensors and consent of a [[resident]]")
            hint = Text(
                "未经同意：不监测、不保存、不上传",
                "until then it watches nobody, and nothing of it is kept or sent",
            )
            yield Fault(key, found, wanted, hint, warning=True)
