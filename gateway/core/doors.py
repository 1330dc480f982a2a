"""A door: one thing made of parts, whatever lines they hang on. Told what its parts say and when; no clock, no I/O.

What a door is (its state) follows from its parts, what it is meant to be (its mode) from orders, in this order:

    free         a fire in the building: unlocked until a person releases it; nothing stands above that
    lock_down    nobody gets in with a card or by an order; the exit button always works
    hold_open    somebody wants it open until told otherwise
    unlocked     the schedule says so: 7:00 to 9:00
    normal       locked, opened for seconds at a time

*Forced* is an opening without leave: no card, no order, no exit button, within the time a grant lasts. Contact and
button are polled, so the button may be seen up to a second after the door it opened; and one odd reading is no
burglar. So a door is forced when it is seen open twice and nobody's leave turns up in that second. A door that
was not seen before (a restart, a lost line) and is open now is open, no more. *Held* is open for too long while
it should be locked. Both end when it is seen shut, and only then: a silent contact is unknown, never shut, and a
restart shuts no door either.
"""

import dataclasses
import enum
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.core.door_actions import LONGEST_MINUTES
from gateway.core.events import OrderedBody, Place
from gateway.core.texts import NOWHERE

LEAVE_LATE_S: Final = 1.0  # so long after the contact the exit button, polled, may still be seen
APART_S: Final = 0.2  # two readings confirm each other only if they are not one reply
SETTLE_S: Final = 1.0  # after a pulse or an order the strike's own word may be old
STEP_S: Final = 5.0  # a time of day that moves by less was corrected, not set
LONGEST_S: Final = LONGEST_MINUTES * 60  # no order with an end was ever given for longer

FORCED_KIND: Final = "door.forced"
HELD_KIND: Final = "door.held"
TAMPER_KIND: Final = "door.tamper"
NOT_FREED_KIND: Final = "door.not_freed"
KINDS: Final = (FORCED_KIND, HELD_KIND, TAMPER_KIND, NOT_FREED_KIND)

Part = tuple[str, str]
"""(device, point)."""


class State(enum.StrEnum):
    """What a door is."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    OPEN = "open"
    HELD = "held"
    FORCED = "forced"
    UNKNOWN = "unknown"


class Mode(enum.StrEnum):
    """What a door is meant to be, highest first."""

    FREE = "free"
    LOCK_DOWN = "lock_down"
    HOLD_OPEN = "hold_open"
    UNLOCKED = "unlocked"
    NORMAL = "normal"


OPEN_MODES: Final = frozenset({Mode.FREE, Mode.HOLD_OPEN, Mode.UNLOCKED})


@dataclass(frozen=True, slots=True)
class Strike:
    """How the device at the lock is told: the names of its actions, and what goes with each of them.

    `readback` is the point that is true while it is energised, None where the device has none. `longest_s` is the
    longest pulse the device can time. `others` are its actions that move the strike beside those three.
    """

    device: str
    unlock: str = "unlock"
    hold: str = "hold_open"
    lock: str = "lock"
    extra: Mapping[str, float] = field(default_factory=dict)
    readback: Part | None = None
    longest_s: float = 60.0
    others: frozenset[str] = frozenset()

    def is_moved_by(self, action: str, arguments: Mapping[str, float]) -> bool:
        """Return whether an order to the device moves this strike; of a relay board it is one channel.

        An order that names no channel is for all of them; 3.2 is channel 3, as it is for whoever sends it.
        """
        mine = all(round(arguments.get(name, value)) == round(value) for name, value in self.extra.items())
        return mine and action in {self.unlock, self.hold, self.lock, *self.others}


@dataclass(frozen=True, slots=True)
class DoorPlan:
    """A door as configured. Times in seconds; `contact` is true when open, `exit` when pressed."""

    name: str
    strike: Strike
    label: str = ""
    place: Place = NOWHERE
    contact: Part | None = None
    exit: Part | None = None
    tamper: tuple[Part, ...] = ()
    readers: tuple[str, ...] = ()
    fail: str = "secure"
    unlock_s: float = 5.0
    shunt_s: float = 10.0
    held_s: float = 30.0
    schedule: str = ""
    entry: str = "card"


@dataclass(frozen=True, slots=True)
class Standing:
    """An order that holds until it is taken back or its time is over.

    `until` is in wall seconds and outlives a restart, `sure` says that a trusted clock told it. `ends` is the same in
    monotonic seconds, which no clock that is set can move. Of an order of an `earlier` life it is only the latest
    there can be, its whole length from the start on, until a trusted clock says how much of that is left: a clock
    that nobody trusts ends no order, and prolongs none.
    """

    mode: Mode
    by: str
    until: float | None = None
    ends: float | None = None
    sure: bool = True
    earlier: bool = False

    @classmethod
    def left(cls, ordered: OrderedBody, told: float, *, sure: bool, now: float) -> "Standing | None":
        """Return what an earlier life has left: `told` is when, by the clock of `until`; `now` the start, monotonic."""
        if not ordered.mode:
            return None
        mode, until = Mode(ordered.mode), ordered.until
        if until is None:
            return cls(mode, ordered.by)
        length = until - told if 0 < until - told <= LONGEST_S else LONGEST_S
        return cls(mode, ordered.by, until, now + length, sure, earlier=sure)

    def at(self, wall: float, monotonic: float, *, trusted: bool) -> "Standing | None":
        """Return the order as it stands now, None if its time is over; `trusted` says whether the wall clock is."""
        if self.until is None or self.ends is None:
            return self
        ends = self.ends
        if self.earlier and trusted:
            ends = min(ends, monotonic + self.until - wall)
        if monotonic >= ends:
            return None
        if not trusted:
            return self
        until = wall + ends - monotonic
        if self.sure and abs(until - self.until) <= STEP_S:
            until = self.until
        return dataclasses.replace(self, until=until, ends=ends, sure=True, earlier=False)


class Door:
    """One door. Inputs say `at`, monotonic seconds of what they tell; `tick` must be called when `next_due` says."""

    def __init__(self, plan: DoorPlan) -> None:
        self.plan = plan
        self.stuck = False  # meant to be free, and the strike does not do it
        self.freed_by = ""
        self.standing: Standing | None = None
        self.scheduled = False
        self.pressed = False  # the exit button, when it was last read
        self.why = ""
        self._open: bool | None = None
        self._energised: bool | None = None
        self._tampered: set[Part] = set()
        self._leave_until = self._pulse_until = self._settled_at = -math.inf
        self._open_since = 0.0
        self._lost_at: float | None = None  # since when it is not known of an open door whether it is
        self._suspect_at: float | None = None
        self._seen_again = self._forced = self._held = False

    def take_up(self, kinds: Iterable[str]) -> None:
        """Take up the kinds of alert that were true of it when the gateway stopped; what clears them still must."""
        told = set(kinds)
        self._forced = FORCED_KIND in told and self.plan.contact is not None
        self._held = HELD_KIND in told and self.plan.contact is not None
        self._tampered = set(self.plan.tamper) if TAMPER_KIND in told else set()
        self.stuck = NOT_FREED_KIND in told and bool(self.freed_by)

    @property
    def mode(self) -> Mode:
        """Return what it is meant to be."""
        if self.freed_by:
            return Mode.FREE
        if self.standing is not None:
            return self.standing.mode
        return Mode.UNLOCKED if self.scheduled else Mode.NORMAL

    @property
    def steady(self) -> bool:
        """Return whether the strike is to be energised until further notice."""
        return self.mode in OPEN_MODES

    @property
    def blind(self) -> bool:
        """Return whether nobody can say what the strike does: it has no readback, or tells none."""
        return self._energised is None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of alert that are true of it."""
        true = (self._forced, self._held, bool(self._tampered), self.stuck)
        return tuple(kind for kind, is_true in zip(KINDS, true, strict=True) if is_true)

    def state(self, now: float) -> State:
        """Return what it is."""
        if self.plan.contact is not None and self._open is not False:
            if self._open is None:
                return State.UNKNOWN
            return State.FORCED if self._forced else State.HELD if self._held else State.OPEN
        if self.plan.strike.readback is not None and self._energised is None:
            return State.UNKNOWN
        if self.stuck and not self._energised:  # nobody is to believe that it stands open for the fire
            return State.UNKNOWN if self._energised is None else State.LOCKED
        return State.UNLOCKED if self._energised or now < self._pulse_until or self.steady else State.LOCKED

    def contact(self, is_open: bool | None, at: float) -> bool:
        """Take what the contact says, None for not known; return whether it should be read again at once."""
        before, self._open = self._open, is_open
        if is_open is None:
            self._lost_at = at if before else self._lost_at
            return False
        lost_at, self._lost_at = self._lost_at, None
        if not is_open:
            self._suspect_at, self._forced, self._held = None, False, False
            return False
        if lost_at is not None:  # nobody has seen it shut: only the silence is not counted
            self._open_since = min(self._open_since + max(at - lost_at, 0.0), at)
        elif not before:
            self._open_since = at
        if self._suspect_at is not None:  # and nobody has seen it shut since, whatever was lost in between
            self._seen_again |= at - self._suspect_at >= APART_S
        elif before is False and at > self._leave_until and not self.steady:
            self._suspect_at, self._seen_again = at, False
        return self._suspect_at is not None and not self._seen_again

    def exit(self, at: float) -> None:
        """The exit button is pressed."""
        self._leave(at + self.plan.shunt_s)

    def allowed(self, seconds: float, at: float, why: str) -> None:
        """Somebody was let in: the door may be opened while the strike is free, and for the shunt time after."""
        self.why = why
        self._pulse_until = max(self._pulse_until, at + seconds)
        self._settled_at = max(self._settled_at, self._pulse_until + SETTLE_S)
        self._leave(at + seconds + self.plan.shunt_s)

    def cut_short(self, at: float) -> None:
        """The strike holds again; who has opened the door by then did so lawfully, however late that is read."""
        self._pulse_until = min(self._pulse_until, at)

    def moved(self, at: float) -> None:
        """The strike was told something; what it said of itself before no longer counts."""
        self._settled_at = max(self._settled_at, at + SETTLE_S)

    def strike(self, energised: bool | None, at: float) -> bool:
        """Take what the strike says of itself; return whether that is not what it was told."""
        self._energised = energised
        return energised is not None and energised is not self.steady and at > self._settled_at

    def tamper(self, part: Part, tampered: bool) -> None:
        """Take what a tamper contact says."""
        (self._tampered.add if tampered else self._tampered.discard)(part)

    def steadied(self, now: float) -> None:
        """The mode has changed: while it is meant to be open nobody forces or holds it."""
        if self.steady:
            self._suspect_at, self._forced, self._held = None, False, False
        else:  # it was lawful to open it up to now, and to stand in it
            self._open_since = now
            self._leave(now + self.plan.shunt_s)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self._suspect_at is not None and self._seen_again and now >= self._judged_at():
            self._suspect_at, self._forced = None, True
        if self._may_be_held() and now >= self._open_since + self.plan.held_s:
            self._held = True

    def next_due(self, now: float) -> float | None:
        """Return when `tick` or `state` will say something else by themselves, in monotonic seconds."""
        due = [self._pulse_until] if self._pulse_until > now else []
        if self._suspect_at is not None and self._seen_again:
            due.append(self._judged_at())
        if self._may_be_held() and not self._held:
            due.append(self._open_since + self.plan.held_s)
        return min(due, default=None)

    def _may_be_held(self) -> bool:
        """Return whether somebody is to be told when it stays open; of a forced door somebody was told already."""
        return bool(self._open) and not self.steady and not self._forced

    def _judged_at(self) -> float:
        assert self._suspect_at is not None
        return self._suspect_at + (LEAVE_LATE_S if self.plan.exit is not None else APART_S)

    def _leave(self, until: float) -> None:
        self._leave_until = max(self._leave_until, until)
        self._suspect_at = None
