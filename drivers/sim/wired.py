"""What every pretend line is, whatever is spoken on it: an adapter to pull, faults, and the bytes on their way out."""

from collections import Counter
from collections.abc import Callable

from drivers.api import LineSettings
from drivers.sim.faults import NO_FAULTS, Faults, Injector
from drivers.sim.outgoing import Outgoing


class Wired:
    """The half of a line that does not know who hangs on it. `char_s` 0: everything is through at once."""

    def __init__(self, settings: LineSettings, *, faults: Faults, seed: int, char_s: float) -> None:
        self.settings = settings
        self.plugged = True
        self.on_plug: Callable[[bool], None] = lambda _plugged: None
        self.counts: Counter[str] = Counter()
        self._injector = Injector(faults, seed=seed)
        self._char_s = char_s
        self._outgoing = Outgoing(char_s)
        self._free_at = 0.0  # when the last answer is through

    @property
    def faults(self) -> Faults:
        """The chances in force; may be set at any time."""
        return self._injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._injector.faults = faults

    @property
    def fault_counts(self) -> Counter[str]:
        """How many faults of each name the line has made."""
        return self._injector.counts

    def unplug(self) -> None:
        """Pull the adapter: what was on the wire is gone, and so is the port."""
        if self.plugged:
            self.plugged = False
            self.counts["unplug"] += 1
            self._forget()
            self._outgoing.clear()
            self.on_plug(False)

    def plug(self) -> None:
        """Put the adapter back."""
        if not self.plugged:
            self.plugged = True
            self.on_plug(True)

    def _forget(self) -> None:
        """Lose what was heard of the master and not answered yet."""
        raise NotImplementedError

    def _over_the_wire(self, data: bytes, now: float, heard_at: float) -> bytes:
        """Return what is heard of the master's bytes at `heard_at`; the master may hear itself, or mere noise."""
        if self._injector.faults is NO_FAULTS:
            return data
        if self._injector.echoes():
            self._outgoing.send(heard_at, data)
        if idle := self._injector.idle():
            self._outgoing.send(now + idle[0], idle[1])
        return self._injector.request(data)

    def _answer(self, answer: bytes, begin: float) -> None:
        """Have an answer suffer its fate, and come through from `begin` on if the line is free."""
        fate = self._injector.fate()
        if fate != "silent":
            self.counts["replies"] += 1
            self._transmit(fate, answer, begin)

    def _transmit(self, fate: str | None, answer: bytes, begin: float) -> None:
        at = max(begin, self._free_at) + self._injector.wait_s(fate)
        for pause_s, piece in self._injector.reply(fate, answer):
            at = self._outgoing.transmit(at + pause_s, piece)
        if fate != "late":
            self._free_at = at
