"""What happens in the compound: each deed must become one alert, is held until that has arrived, and then undone.

So every deed is one life of one alert, whatever is broken meanwhile: it begins, is told, is put right, a person
acknowledges it (and resets what latched), it is over. Only then may the same thing happen again.
"""

import enum
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.faults.soak.ledger import Arrival, Cause, Ledger

BY = "local:soak"
UNSEEN = frozenset({"active_unacked", "cleared_unacked", "latched_unacked"})


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort of deed: the alert's kinds, how it is done and undone, what else it may bring."""

    name: str
    kinds: tuple[str, ...]
    do: str
    undo: str
    may: tuple[str, ...] = ()
    whole_line: bool = False


SORTS = {
    "fire": Sort("fire", ("fire.smoke",), "set {0} smoke 900", "set {0} smoke 20"),
    # To another angle each time: a pretend cover shows where it is only when it moves, also after its power failed.
    "cover": Sort("cover", ("manhole.tilt", "manhole.open"), "lift {0} {1}", "put_back {0}"),
    # A door that nobody saw closed since the gateway started is not forced for it, but it is told when it stays open.
    "door": Sort("door", ("door.forced", "door.held"), "force {0}", "close {0}", ("door.held",)),
    "dead": Sort("dead", ("device.offline",), "kill {0}", "revive {0}"),
    "unplugged": Sort("unplugged", ("bus.down",), "unplug {0}", "replug {0}", whole_line=True),
}
WEIGHTS = {"fire": 6, "cover": 2, "door": 2, "dead": 1, "unplugged": 1}


OF_LINES = frozenset({"dead", "unplugged"})
"""Deeds that a fault of the lines looks like: the two never come together, or nobody could say whose alert it is."""


class Stage(enum.Enum):
    """How far a deed has come."""

    DONE = "done"  # it is so, and nobody was told yet
    UNDONE = "undone"  # it was told and is put right
    OVER = "over"


@dataclass(slots=True)
class Deed:
    """One deed. `life` is the alert it became."""

    sort: Sort
    target: str
    cause: Cause
    began: float
    stage: Stage = Stage.DONE
    life: str = ""
    told_after_s: float = 0.0


class Place(Protocol):
    """Where deeds are done: the real site, or the virtual one."""

    sim: Any
    far_end: Any

    @property
    def lines(self) -> list[str]:
        """Return the names of the lines."""

    def devices(self, profile: str) -> list[str]:
        """Return the devices of a product."""

    def line_of(self, device: str) -> str:
        """Return on which line a device hangs."""

    def heard_from(self, index: int) -> list[Arrival]:
        """Return what arrived from the `index`-th on."""

    def ask(self, op: str, **fields: Any) -> Mapping[str, Any] | None:
        """Ask the gateway; None when it does not answer."""

    @property
    def forgetful(self) -> bool:
        """Return whether what the gateway knows now may be in memory alone, and die with it."""

    def note(self, what: str, name: str) -> None:
        """Take note of what was done."""


class Deeds:
    """Does deeds and sees them through. `chance` decides what happens next, `weights` how often each sort does.

    `answers` says of an alert in need of a person whether there is one just now.
    """

    def __init__(
        self,
        site: Place,
        ledger: Ledger,
        chance: random.Random,
        weights: Mapping[str, int] = WEIGHTS,
        answers: Callable[[Mapping[str, Any]], bool] = lambda _alert: True,
    ) -> None:
        self._answers = answers
        self.open: list[Deed] = []
        self.over: list[Deed] = []
        self._site, self._ledger, self._chance, self._weights = site, ledger, chance, weights
        self._targets = {
            "fire": site.devices("sonbest-sm7571b"),
            "cover": [name for name in _all(site) if name.startswith("cover")],
            "door": site.devices("waveshare-door"),
            "dead": site.devices("sonbest-sm7571b"),
            "unplugged": site.lines,
        }
        # Over by the memory of a gateway that may forget it: its next life may take up the alert that was over.
        self._unsure: set[str] = set()
        self._next = 0  # of the arrivals, the first not looked at

    def spare(self, target: str) -> None:
        """Do nothing to this one."""
        for targets in self._targets.values():
            if target in targets:
                targets.remove(target)

    def begin(self, now: float, *, calm: bool = True) -> Deed | None:
        """Do one more thing, if there is something to do it to; to a line or its answers only when they are `calm`."""
        name = self._chance.choices(list(self._weights), list(self._weights.values()))[0]
        if name in OF_LINES and not calm:
            return None
        sort = SORTS[name]
        busy = (
            {deed.target for deed in self.open}
            | self._unsure
            | {self._site.line_of(d) for d in self._busy_devices()}
        )
        busy |= {
            device
            for deed in self.open
            if deed.sort.whole_line
            for device in _on_line(self._site, deed.target)
        }
        free = [target for target in self._targets[name] if target not in busy]
        if not free:
            return None
        target = free.pop(self._chance.randrange(len(free)))
        device = None if sort.whole_line else target
        deed = Deed(sort, target, self._ledger.happened(*sort.kinds, device=device, now=now), now)
        for kind in sort.may:
            self._ledger.may_bring(kind, device=target, now=now)
        if name == "fire":
            self._ledger.may_bring("fire.confirmed", now=now)
        self._site.note("did", f"{name} {target}")
        self._site.sim.tell(_order(deed))
        self.open.append(deed)
        return deed

    def look(self, now: float) -> None:
        """Put right what was told."""
        arrivals = self._site.far_end.heard
        if self._next == len(arrivals):
            return
        fresh = self._site.heard_from(self._next)
        self._next += len(fresh)
        known = {deed.life for deed in (*self.open, *self.over)}
        for arrival in fresh:
            if arrival.life in known:
                continue
            for deed in self.open:
                fits = arrival.kind in deed.sort.kinds and arrival.device == deed.cause.device
                if fits and deed.stage is Stage.DONE and not deed.life:
                    deed.life, deed.told_after_s = arrival.life, now - deed.began
                    known.add(arrival.life)
                    self._site.note("told, undone", f"{deed.sort.name} {deed.target}")
                    self._site.sim.tell(deed.sort.undo.format(deed.target))
                    deed.stage = Stage.UNDONE
                    break

    def again(self) -> None:
        """Do once more what is so and was not told: a device that lost its power has forgotten it, and was normal."""
        for deed in self.open:
            if deed.stage is Stage.DONE:
                deed.cause.most += 1
                self._site.sim.tell(_order(deed))

    def tend(self) -> None:
        """Be the person who acknowledges and resets what is no longer so."""
        answer = self._site.ask("alerts")
        if answer is None:
            return
        listed = {alert["alert"]: alert for alert in answer["alerts"]}
        for deed in [deed for deed in self.open if deed.stage is Stage.UNDONE]:
            if deed.life not in listed:
                deed.stage = Stage.OVER
                self._site.note("over", f"{deed.sort.name} {deed.target}")
                self.open.remove(deed)
                self.over.append(deed)
                if self._site.forgetful:
                    self._unsure.add(deed.target)
        if not self._site.forgetful:
            self._unsure &= {device for alert in listed.values() for device in alert["devices"]}
        holding = {deed.life for deed in self.open if deed.stage is Stage.DONE}
        for life, alert in listed.items():
            if life not in holding and self._answers(alert):
                self._attend(life, alert)

    def answer_one(self, chance: random.Random) -> bool:
        """Be the person who acknowledges one alert; return whether there was one."""
        answer = self._site.ask("alerts") or {"alerts": []}
        waiting = [alert for alert in answer["alerts"] if alert["state"] in UNSEEN]
        if waiting:
            self._site.ask("acknowledge", alert=chance.choice(waiting)["alert"], origin=BY)
        return bool(waiting)

    def _attend(self, life: str, alert: Mapping[str, Any]) -> None:
        state = alert["state"]
        if state in UNSEEN:
            self._site.ask("acknowledge", alert=life, origin=BY)
        if state in {"latched_unacked", "latched_acked"} and (devices := alert.get("devices")):
            self._site.ask("reset", device=devices[0], origin=BY)

    @property
    def on_lines(self) -> bool:
        """Return whether something is done to a line or a device's answers just now."""
        return any(deed.sort.name in OF_LINES for deed in self.open)

    def _busy_devices(self) -> Iterator[str]:
        """Yield the devices something is happening to; their lines are not to be unplugged."""
        return (deed.target for deed in self.open if not deed.sort.whole_line)


def _order(deed: Deed) -> str:
    return deed.sort.do.format(deed.target, 39 + deed.cause.most)


def _all(site: Place) -> list[str]:
    return [str(device["name"]) for bus in site.sim.bus for device in bus["device"]]


def _on_line(site: Place, line: str) -> list[str]:
    return [str(d["name"]) for bus in site.sim.bus if bus["name"] == line for d in bus["device"]]
