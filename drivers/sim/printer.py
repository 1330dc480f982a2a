"""A pretend fire panel that prints, as a state machine that is told `now`: see drivers/sim/line.py.

It prints by the samples of the very profile its reader has. Each address of it is a thing of the world: what is set
there is printed at once, true or false; `say` prints anything else.
"""

from collections.abc import Sequence
from typing import Final

from drivers.api import LineSettings, Profile, Value
from drivers.printer.rules import PANEL, Rule
from drivers.printer.wire import PrinterWire
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.thing import ChangeTo
from drivers.sim.wired import Wired

PLACE: Final = "3F EAST"


class SimAddress:
    """One detector of the panel, or the panel itself. A dead one prints nothing; `place` is what it prints of where."""

    def __init__(self, profile: Profile, address: int = PANEL, *, name: str = "", place: str = PLACE) -> None:
        assert isinstance(profile.wire, PrinterWire)
        self.profile, self.wire, self.address = profile, profile.wire, address
        self.name, self.place = name or f"{profile.name}-{address}", place
        self.alive, self.frozen = True, False
        self.on_change: ChangeTo = lambda _device, _point, _value: None
        self.prints: list[str] = []  # what is to be printed of it
        self._shown: dict[str, bool] = {point.name: False for point in profile.points}

    @property
    def points(self) -> tuple[str, ...]:
        """The names of its points."""
        return tuple(self._shown)

    def set(self, point: str, value: Value | None) -> None:
        """Let it be so, and print it; KeyError for an unknown point, ValueError for what the panel never prints."""
        self._shown[point]
        text = self._record(point, bool(value))
        self._shown[point] = bool(value)
        self.on_change(self.name, point, bool(value))
        if self.alive and not self.frozen:
            self.prints.append(text)

    def get(self, point: str) -> Value | None:
        """Return what it is; KeyError for an unknown point."""
        return self._shown[point]

    def advance(self, now: float) -> None:
        """Let time pass, which changes nothing."""

    def _record(self, point: str, value: bool) -> str:
        """Return what the panel prints when a point becomes so: of this address, else of all."""
        for rule in sorted(self.wire.rules, key=lambda each: each.everywhere):
            if rule.sets.get(point) is value and self._names_it(rule):
                parts = self.wire.addressing.parts_of(max(0, self.address - rule.adds))
                return rule.sample.format(**parts, place=self.place)
        raise ValueError(f"{self.profile.name} prints nothing of {point} = {value}")

    def _names_it(self, rule: Rule) -> bool:
        """Say whether a rule is about a single address just where this is one."""
        addressed = bool(set(rule.pattern.groupindex) & set(self.wire.addressing.weights))
        return rule.everywhere or addressed is (self.address != PANEL)


class PanelLine(Wired):
    """A panel on its printer port; serve it with PtyLine, TcpLine or MemoryLine."""

    def __init__(
        self,
        settings: LineSettings,
        units: Sequence[SimAddress],
        *,
        faults: Faults = NO_FAULTS,
        seed: int = 0,
        char_s: float | None = None,
    ) -> None:
        super().__init__(
            settings, faults=faults, seed=seed, char_s=settings.char_s if char_s is None else char_s
        )
        self.units, self._wire = list(units), units[0].wire
        self._bytes: list[bytes] = []
        self._now = self._dark_until = 0.0

    def say(self, text: str) -> None:
        """Print a record of any text."""
        self.send(self.record(text))

    def send(self, data: bytes) -> None:
        """Send any bytes."""
        self._bytes.append(data)

    def record(self, text: str) -> bytes:
        """Return a record as bytes: its lines, and what ends it."""
        begins = self._wire.begins[0] if self._wire.begins else b""
        end = b"\n\n" if self._wire.lines > 1 else b"\r\n"
        return begins + text.encode(self._wire.encoding, "replace") + end

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the master: a panel listens to nobody."""
        self._now = now

    def next_at(self) -> float | None:
        """Return when `take` has something to do; a change is looked for ten times a second."""
        times = [self._now + 0.1]
        if (through_at := self._outgoing.next_at()) is not None:
            times.append(through_at)
        return min(times)

    def take(self, now: float) -> bytes:
        """Return the bytes that are through the wire by now."""
        self._now = now
        for unit in self.units:
            self._bytes += [self.record(text) for text in unit.prints]
            unit.prints.clear()
        told, self._bytes = self._bytes, []
        for data in told if self.plugged and now >= self._dark_until else ():
            self.counts["told"] += 1
            self._answer(data, now)
        return self._outgoing.take(now)

    def power_cut(self, until: float) -> None:
        """Take the supply from the panel until then."""
        self.counts["power_cut"] += 1
        self._dark_until = until

    def _forget(self) -> None:
        self._bytes.clear()
