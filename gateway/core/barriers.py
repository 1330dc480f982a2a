"""A barrier at a drive: what it may be told, what a fire makes of it. Told its limits, its loop and the time; no I/O.

It is moved by pulses its board times itself (open, close, stop), and each movement ends at a limit. Closing is the only
thing that can hurt: it needs a loop that was read free after it was asked for, so a loop that is silent, stale or was
never wired forbids it; and while it closes, a car that comes, or a loop that is lost, makes it open again: until its
limit says that it is down, or, where it has none, for twice the time it takes. Nothing forbids opening. An engaged
interlock opens it for the engines and keeps it open: until a person releases that, nobody closes it.
"""

from dataclasses import dataclass
from typing import Final

from drivers.api import Action, Text
from gateway.core.doors import Part, Strike
from gateway.core.events import InterlockBody, Place
from gateway.core.places import cut, within
from gateway.core.texts import NOWHERE

OPEN: Final = Action("open", None, Text("抬杆", "Open"))
CLOSE: Final = Action("close", None, Text("落杆", "Close"))
STOP: Final = Action("stop", None, Text("停止", "Stop"))
INSIST_S: Final = 10.0  # a barrier without limits is told to open again so often while a fire holds it


@dataclass(frozen=True, slots=True)
class BarrierPlan:
    """A barrier as configured: its outputs, its points where it has them, and its times in seconds."""

    name: str
    outputs: dict[str, Strike]
    opened: Part | None = None
    closed: Part | None = None
    loop: Part | None = None
    place: Place = NOWHERE
    pulse_s: float = 0.5
    travel_s: float = 10.0

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return what it can be told."""
        return tuple(each for each in (OPEN, CLOSE, STOP) if each.name in self.outputs)

    def is_freed_by(self, body: InterlockBody) -> bool:
        """Return whether the engines need the way: it burns within the gate's place, or the gate is where it burns."""
        if not (body.engaged and body.frees):
            return False
        gate = cut(self.place, "building")
        return any(within(at, gate) or within(self.place, at) for at in body.places)


class Barrier:
    """One barrier. Limits and loop are None while they are not known; `freed_by` names what holds it open."""

    def __init__(self, plan: BarrierPlan) -> None:
        self.plan = plan
        self.opened: bool | None = None
        self.closed: bool | None = None
        self.car: bool | None = None
        self.car_at = float("-inf")
        self.freed_by = ""
        self.moving = ""  # open or close, until its limit says so
        self._since = float("-inf")
        self._reverse = False

    @property
    def is_open(self) -> bool:
        """Return whether its limits say that it is: a limit that hangs says so while the other says closed."""
        return bool(self.opened) and not self.closed

    def read(self, part: Part, value: bool | None, at: float) -> None:
        """Take what a limit or the loop says; None for not known."""
        if part == self.plan.opened:
            self.opened = value
        if part == self.plan.closed:
            self.closed = value
        if part == self.plan.loop:
            self.car, self.car_at = value, at
            self._reverse |= value is not False and self._comes_down(at)
        if (self.moving == "open" and self.is_open) or (self.moving == "close" and self.closed):
            self.moving = ""

    def _comes_down(self, at: float) -> bool:
        """Return whether it may be coming down: until its limit says so, without one for twice the time it takes."""
        over = self.plan.closed is None and at - self._since >= 2 * self.plan.travel_s
        return self.moving == "close" and not over

    def why_not(self, action: str, asked_at: float) -> str:
        """Return what forbids an order, nothing if it may be carried out; `asked_at` is when it was given."""
        if action != CLOSE.name:
            return ""
        if self.freed_by:
            return f"it is held open for the engines by {self.freed_by}"
        if self.opened and self.closed:
            return "its limits contradict each other"
        if self.car is None or self.car_at < asked_at:
            return "nobody knows whether a car stands under it"
        return "a car stands under it" if self.car else ""

    def told(self, action: str, now: float) -> None:
        """An order was carried out."""
        self.moving = "" if action == STOP.name else action
        self._since = now
        self._reverse = False

    def ended(self, told_at: float) -> None:
        """An order to close, told at `told_at`, came to its end: last of all at a board that was away meanwhile."""
        if self._since > told_at and self.moving != CLOSE.name:
            self.moving, self._reverse = CLOSE.name, True

    def must_open(self, now: float) -> bool:
        """Return whether it must be told to open now, without anybody's order."""
        if self._reverse:
            return True
        if not self.freed_by or self.is_open:
            return False
        wait_s = self.plan.travel_s if self.plan.opened is not None else max(self.plan.travel_s, INSIST_S)
        return self.moving != "open" or now - self._since >= wait_s

    def stuck(self, now: float) -> bool:
        """Return whether it did not arrive where it was told to go, in twice the time."""
        limit = {"open": self.plan.opened, "close": self.plan.closed}.get(self.moving)
        return limit is not None and now - self._since >= 2 * self.plan.travel_s

    def not_open(self, now: float, freed_at: float) -> bool | None:
        """Return whether a fire wants it open and its limit does not say that it is, in twice the time.

        None: that is not up yet, so what was told before stands, an alert of an earlier life too.
        """
        if not self.freed_by or self.plan.opened is None or self.is_open:
            return False
        return True if now - freed_at >= 2 * self.plan.travel_s else None

    def next_due(self, now: float, freed_at: float) -> float | None:
        """Return when one of these will say something else by itself, in monotonic seconds."""
        due = [self._since + self.plan.travel_s, self._since + 2 * self.plan.travel_s, self._since + INSIST_S]
        due.append(freed_at + 2 * self.plan.travel_s)
        if not (self.moving or self.freed_by):
            return None
        return min((at for at in due if at > now), default=None)
