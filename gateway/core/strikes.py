"""What unlocks a door, as people write it: "gate-board", or "relay-1:3" for the third channel of a relay board.

A device is fit for it when it ends a pulse by itself: a gateway that dies must leave no door unlocked. So it needs
one action that takes `seconds`, one that energises until further notice (a fire must free the door and keep it
free), and one that ends both. The names they go by are those of the profiles.
"""

from collections.abc import Iterable
from typing import Final

from drivers.api import Action, Profile, Text
from gateway.core.doors import Part, Strike
from gateway.core.faults import Fault, near, one_of, same, shown

PULSES: Final = ("unlock", "pulse")
HOLDS: Final = ("hold_open", "switch_on")
LOCKS: Final = ("lock", "switch_off")
WHOLE: Final = ("all_on", "all_off")  # of a relay board: they move every channel
LONGEST_S: Final = 60.0


def device_of(text: str) -> str:
    """Return the device of a strike, without its channel."""
    return text.partition(":")[0]


def same_strike(text: str) -> str:
    """Return one spelling for one strike: "relays:03" is "relays:3"."""
    device, colon, told = text.partition(":")
    return f"{device}{colon}{int(told)}" if told.isdecimal() else text


def part_of(text: str) -> Part:
    """Return the device and the point of "device.point"."""
    device, _, point = text.partition(".")
    return device, point


def strike_of(text: str, profile: Profile, *, key: str = "strike") -> Strike | Fault:
    """Return how the strike is told, or what is wrong with the text at `key`."""
    device, _, told = text.partition(":")
    pulse, hold, lock = (_first(profile, names) for names in (PULSES, HOLDS, LOCKS))
    if pulse is None or hold is None or lock is None or "seconds" not in _arguments(pulse):
        found = Text(f"{profile.name} 不能自己计时开锁", f"{profile.name}, which cannot time a strike itself")
        wanted = Text(
            "有 unlock、hold_open、lock（或 pulse、switch_on、switch_off）的设备",
            "a device with unlock, hold_open and lock, or pulse, switch_on and switch_off",
        )
        return Fault(key, found, wanted)
    others = _moving(profile) - {pulse.name, hold.name, lock.name}
    channels = next((each for each in pulse.arguments if each.name == "channel"), None)
    if channels is None:
        if told:
            return Fault(key, shown(text), Text(f"{device}，不带通道", f"{device} alone: it has no channels"))
        back = _readback(profile, device, "strike")
        return Strike(device, pulse.name, hold.name, lock.name, {}, back, _longest_s(pulse), others)
    if not told.isdecimal() or not channels.minimum <= int(told) <= channels.maximum:
        wanted = same(f'"{device}:1" … "{device}:{channels.maximum:g}"')
        return Fault(key, shown(text), wanted)
    back = _readback(profile, device, f"relay_{int(told)}")
    extra = {"channel": float(told)}
    return Strike(device, pulse.name, hold.name, lock.name, extra, back, _longest_s(pulse), others)


def part_fault(key: str, text: str, profiles: dict[str, Profile]) -> Iterable[Fault]:
    """Yield what is wrong with a "device.point"."""
    device, point = part_of(text)
    if not point or device not in profiles:
        wanted = Text("设备.测点，如 board-1.contact", "device.point, like board-1.contact")
        yield Fault(key, shown(text), wanted, near(device, profiles))
    elif point not in (names := [each.name for each in profiles[device].points]):
        yield Fault(key, shown(text), one_of(f"{device}.{name}" for name in names), near(point, names))


def _first(profile: Profile, names: Iterable[str]) -> Action | None:
    return next((each for name in names for each in profile.actions if each.name == name), None)


def _moving(profile: Profile) -> frozenset[str]:
    """Return the actions of a product that move a strike on it, under whatever name."""
    names = {*PULSES, *HOLDS, *LOCKS, *WHOLE}
    return frozenset(
        each.name for each in profile.actions if each.name in names or "channel" in _arguments(each)
    )


def _arguments(action: Action) -> list[str]:
    return [argument.name for argument in action.arguments]


def _longest_s(pulse: Action) -> float:
    """Return the longest pulse, a minute at most: a door is no window."""
    return min(LONGEST_S, *(each.maximum for each in pulse.arguments if each.name == "seconds"))


def _readback(profile: Profile, device: str, point: str) -> Part | None:
    return (device, point) if any(each.name == point for each in profile.points) else None
