"""What concerns a door: the points that are its parts, and the alerts that stood of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.core.alerts import is_active
from gateway.core.doors import KINDS, Door, Part
from gateway.core.events import AlertBody, Event


@dataclass(frozen=True, slots=True)
class Role:
    """What a point is to a door."""

    door: Door
    role: str


def parts_of(doors: Iterable[Door]) -> dict[Part, list[Role]]:
    """Return (device, point) -> what it is to which doors."""
    parts: dict[Part, list[Role]] = {}
    for door in doors:
        plan = door.plan
        roles = [(plan.contact, "contact"), (plan.strike.readback, "strike"), (plan.exit, "exit")]
        for part, role in [*roles, *((part, "tamper") for part in plan.tamper)]:
            if part is not None:
                parts.setdefault(part, []).append(Role(door, role))
    return parts


def kinds_before(restored: Iterable[Event]) -> dict[str, set[str]]:
    """Return which kinds of alert were true of each door when the gateway stopped; the last word counts."""
    found: dict[str, set[str]] = {}
    for event in restored:
        body = event.body
        if isinstance(body, AlertBody):
            kind, _, door = body.key.partition("/")
            if kind in KINDS:
                kinds = found.setdefault(door, set())
                (kinds.add if is_active(body.state) else kinds.discard)(kind)
    return found
