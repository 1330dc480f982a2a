"""What a product shows when nothing is the matter: values under which none of its own alert rules holds.

Nobody writes these down in a profile, but its rules say what is wrong, so anything else is right: a bit whose
rule waits for true is false, a battery with a rule `below = 20` is well above. Names people use everywhere
(temperature, battery, ...) get values they would expect, unless the rules forbid them.
"""

from collections.abc import Iterator, Mapping
from typing import Final, cast

from drivers.api import Point, Profile, Value
from drivers.modbus.wire import Register, decode, encode

USUAL: Final[Mapping[str, float]] = {
    "battery": 92.0,
    "life_left_days": 1500.0,
    "fan": 3200.0,
    "temperature": 19.0,
    "smoke": 8.0,
    "co": 1.0,
    "distance": 1800.0,
}
HEALTHY_STATES: Final = frozenset(("normal", "ok", "run", "running"))


def at_rest(profile: Profile, point: Point) -> Value | None:
    """Return a value of `point` that raises nothing, as near to the usual one as its register allows."""
    register = cast("Register", point.wire)
    rules = list(_rules(profile, point.name))
    if register.type == "bit":
        return any(rule.get("when") is False for rule in rules)
    healthy = [number for number, state in point.states.items() if state in HEALTHY_STATES]
    wanted = float(healthy[0]) if healthy else _between(USUAL.get(point.name, 0.0), rules)
    try:
        encode(register, wanted)
    except ValueError:
        return decode(register, (0, 0))
    return wanted


def _between(usual: float, rules: list[Mapping[str, object]]) -> float:
    """Return the usual value, moved out of what the rules find alarming."""
    for rule in rules:
        limits = [
            limit for key in ("above", "below", "clear") if isinstance(limit := rule.get(key), int | float)
        ]
        if "below" in rule and usual <= max(limits):
            usual = 2.0 * max(limits) + 1.0
        elif "above" in rule and usual >= min(limits):
            usual = 0.5 * min(limits)
    return usual


def _rules(profile: Profile, point: str) -> Iterator[Mapping[str, object]]:
    for rule in profile.rules:
        names = rule.get("points", [rule.get("point")])
        if isinstance(names, list | tuple) and point in names:
            yield rule
