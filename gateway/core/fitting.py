"""Whether what gateway.toml says of its devices fits the products they are. Pure.

`products` holds the profiles that could be read, by name; a name in `known` but not in `products` belongs to a
profile with faults, which are told elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from drivers.api import Priority, Profile, Text
from gateway.core import residents
from gateway.core.assets import kinds as asset_kinds
from gateway.core.config import DeviceTable
from gateway.core.faults import NOTHING, Fault, near, one_of, same, shown
from gateway.core.kinds import Kinds
from gateway.core.loading import Parsed
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Rule

ADDRESSES = {
    "osdp": (0, 126),
    "framed": (0, 255),
    "printer": (0, 999_999_999),
}  # IEC 60839-11-5: 127 is everybody
MODBUS_ADDRESSES = (1, 247)  # Modbus over Serial Line V1.02, 2.2

Faults = Iterator[Fault]


@dataclass(frozen=True, slots=True)
class Products:
    """The products there are. `shipped_at` is the address each comes with from the factory.

    `alone` are those that need a line of their own: nothing in what they send says whose it is. `unwatched` are panels
    that print only what happens: a cut wire looks like a quiet day. `bauds` are the rates
    of those that speak in frames, which come with one and mostly know no other.
    """

    profiles: Mapping[str, Profile]
    known: Collection[str]
    shipped_at: Mapping[str, int]
    kinds: Kinds
    alone: Collection[str] = ()
    unwatched: Collection[str] = ()
    bauds: Mapping[str, int] = field(default_factory=dict)


def check(parsed: Parsed, products: Products) -> Faults:
    """Yield everything about the devices that does not fit."""
    for key, device in parsed.devices.items():
        yield from _address(key, device, products)
        profile = products.profiles.get(device.profile)
        if profile is not None:
            yield from _baseline(key, device, profile)
            yield from _building(key, device, profile, parsed)
            yield from _key(key, device, profile)
            yield from _rules(key, device, profile, parsed, products)
        elif device.profile not in products.known:
            hint = near(device.profile, products.known) or Text(
                "compound-gateway profiles 会列出全部", "`compound-gateway profiles` lists them all"
            )
            wanted = Text("一个已有的设备档案", "a profile there is")
            yield Fault(f"{key}.profile", shown(device.profile), wanted, hint)
    named = {each.name: each.profile for each in parsed.devices.values()}
    made = {name: products.profiles[of] for name, of in named.items() if of in products.profiles}
    yield from residents.check(parsed, made, products.kinds, asset_kinds.wanted(parsed.assets))
    yield from _unverified(parsed, products)
    yield from _panels(parsed, products)
    yield from _one_protocol(parsed, products)
    yield from _one_framing(parsed, products)


def _address(key: str, device: DeviceTable, products: Products) -> Faults:
    """Some products come with an address the standard reserves; those are let in, nothing else is."""
    profile = products.profiles.get(device.profile)
    first, last = ADDRESSES.get(profile.driver if profile else "", MODBUS_ADDRESSES)
    if not first <= device.address <= last and device.address != products.shipped_at.get(device.profile):
        wanted = Text(f"{first} 到 {last} 的整数", f"{first} to {last}")
        yield Fault(f"{key}.address", shown(device.address), wanted)


def _key(key: str, device: DeviceTable, profile: Profile) -> Faults:
    """What opens doors over a wire anybody can reach must speak over a channel nobody else can."""
    if profile.driver == "osdp" and not device.key_file:
        wanted = Text("密钥文件，配对时写入", "a file for its key, which pairing writes")
        hint = same(f'key_file = "{device.name}-key"')
        yield Fault(f"{key}.key_file", NOTHING, wanted, hint)
    elif profile.driver != "osdp" and device.key_file:
        found = Text(f"{profile.driver} 设备", f"a device that speaks {profile.driver}")
        yield Fault(f"{key}.key_file", found, Text("只有 OSDP 设备有密钥", "a key for OSDP devices only"))


def _baseline(key: str, device: DeviceTable, profile: Profile) -> Faults:
    names = [point.name for point in profile.points]
    for name in device.baseline:
        if name not in names:
            found = Text(f"{profile.name} 没有这个测点", f"no point of {profile.name}")
            yield Fault(f"{key}.baseline.{name}", found, one_of(names), near(name, names))


def _rules(key: str, device: DeviceTable, profile: Profile, parsed: Parsed, products: Products) -> Faults:
    compiled = compile_rules(
        profile.rules,
        [*parsed.rules.values(), *residents.buttons(parsed.residents.values(), device.name, profile.points)],
        device.rules,
        device=device.name,
        category=profile.category,
        points=profile.points,
        kinds=products.kinds,
        where=key,
    )
    yield from compiled.faults
    for rule in compiled.rules:
        if rule.kind.answered:
            yield from _overheard(key, rule, profile)


def _overheard(key: str, rule: Rule, profile: Profile) -> Faults:
    """A button for help that is touched between two polls is heard only where the device counts or latches."""
    points = {point.name: point for point in profile.points}
    keepers = [
        point.name
        for point in profile.points
        if (point.counts or point.cleared_by) and point.priority is Priority.SAFETY
    ]
    for name in rule.points:
        if points[name].counts or points[name].cleared_by:
            continue
        every_s = points[name].interval_s
        found = Text(
            f"{name}：按下不到 {every_s:g} 秒可能漏掉",
            f"{name}: a press of less than {every_s:g} s may be missed",
        )
        wanted = Text("会计数或锁存的输入", "an input that counts or latches")
        other = Text("换用 WB-MCM8 之类会计数的模块", "a module that counts, such as the WB-MCM8")
        hint = one_of(keepers[:8]) if keepers else other
        yield Fault(f"{key}.rules", found, wanted, hint, warning=True)


def _building(key: str, device: DeviceTable, profile: Profile, parsed: Parsed) -> Faults:
    """Two detectors of one building confirm each other; without a building none can."""
    fire = any(str(rule.get("kind", "")).startswith("fire.") for rule in profile.rules)
    house = parsed.gateway.place.building if parsed.gateway else ""
    if fire and not (device.place.building or house):
        hint = Text(
            "同一栋楼的两个探测器才能互相证实", "only so can two detectors of one building confirm each other"
        )
        found, wanted = Text("没有楼栋", "no building"), same('place = { building = "2", floor = "3" }')
        yield Fault(f"{key}.place", found, wanted, hint, warning=True)


def _unverified(parsed: Parsed, products: Products) -> Faults:
    told = set()
    for key, device in parsed.devices.items():
        profile = products.profiles.get(device.profile)
        if profile is None or profile.verified or profile.name in told:
            continue
        told.add(profile.name)
        hint = Text("与产品说明书核对后再依靠它", "compare it with the maker's manual before you rely on it")
        found = Text(f"{profile.name} 未经核实", f"{profile.name}, which is unverified")
        wanted = Text("寄存器表有厂家文件证实的档案", "a register map confirmed by the maker's document")
        yield Fault(f"{key}.profile", found, wanted, hint, warning=True)


def _panels(parsed: Parsed, products: Products) -> Faults:
    """A line of a panel that prints has the panel itself at address 0, for all that it says of no listed address.

    Where its silence means nothing, a cut wire looks like a quiet day: that is told.
    """
    panels = {key.partition(".")[0] for key, device in parsed.devices.items() if device.address == 0}
    for key, device in parsed.devices.items():
        profile = products.profiles.get(device.profile)
        if profile is None or profile.driver != "printer":
            continue
        if (line := key.partition(".")[0]) not in panels:
            panels.add(line)
            found, wanted = Text("没有主机本身", "no panel"), Text("地址 0 的主机", "the panel, at address 0")
            yield Fault(f"{line}.device", found, wanted, same("address = 0"))
        elif device.address == 0 and profile.name in products.unwatched:
            hint = Text(
                "让主机定时打印（如每日自检），复制档案并写 regular_s",
                "have the panel print something regularly, copy the profile and give it regular_s",
            )
            found = Text(
                "断线察觉不到：主机只在有事时打印", "a cut wire is not seen: it prints only what happens"
            )
            wanted = Text("定时打印的主机", "a panel that prints regularly")
            yield Fault(f"{key}.profile", found, wanted, hint, warning=True)


def _one_protocol(parsed: Parsed, products: Products) -> Faults:
    """One line has one master, and that speaks one protocol."""
    first: dict[str, str] = {}
    for key, device in parsed.devices.items():
        profile = products.profiles.get(device.profile)
        if profile is None:
            continue
        driver = first.setdefault(key.partition(".")[0], profile.driver)
        if driver != profile.driver:
            found = Text(f"{profile.driver} 设备", f"a device that speaks {profile.driver}")
            wanted = Text(f"同一总线上只有 {driver} 设备", f"only {driver} on this line")
            yield Fault(f"{key}.profile", found, wanted)


def _one_framing(parsed: Parsed, products: Products) -> Faults:
    """Frames are told apart by one product's rule, and devices by an address, if there is one in them."""
    first: dict[str, str] = {}
    for key, device in parsed.devices.items():
        profile = products.profiles.get(device.profile)
        if profile is None or profile.driver not in {"framed", "printer"}:
            continue
        line = key.partition(".")[0]
        if line not in first:
            first[line] = profile.name
            yield from _baud(line, profile, parsed, products)
        elif first[line] != profile.name:
            wanted = Text(f"同一总线上只有 {first[line]}", f"only {first[line]} on this line")
            yield Fault(f"{key}.profile", same(profile.name), wanted)
        elif profile.name in products.alone:
            found = Text("同一总线上的第二个", "a second one on this line")
            wanted = Text(f"{profile.name} 每个独占一条总线", f"a line of its own for each {profile.name}")
            hint = Text("它发出的数据里没有地址", "nothing in what it sends says whose it is")
            yield Fault(f"{key}.profile", found, wanted, hint)


def _baud(line: str, profile: Profile, parsed: Parsed, products: Products) -> Faults:
    """At another rate than its own a device is silent for ever, and nothing says why."""
    bus, baud = parsed.buses.get(line), products.bauds.get(profile.name)
    if bus is None or baud is None or bus.baud == baud or bus.port.startswith("socket://"):
        return
    hint = Text(f"{profile.name} 出厂为 {baud}", f"{profile.name} leaves the factory with {baud}")
    yield Fault(f"{line}.baud", shown(bus.baud), same(str(baud)), hint, warning=True)
