"""A line with simulated card readers on it, as a state machine that is told `now`: see drivers/sim/line.py.

A command is carried out when its last byte is through the wire, and the answer follows after the reader's
turnaround, in groups of sixteen as from a UART. Every reader hears every command. Faults are those of the other
lines, as far as they are about bytes; a reader that speaks plain only says so in its list of capabilities.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence

from drivers.api import LineSettings
from drivers.osdp import frames
from drivers.sim.faults import NO_FAULTS, Faults, Injector
from drivers.sim.osdp import SimReader
from drivers.sim.outgoing import Outgoing


class ReaderLine:
    """Readers on one line; serve it on a port with PtyLine, TcpLine or MemoryLine."""

    def __init__(
        self,
        settings: LineSettings,
        readers: Sequence[SimReader],
        *,
        faults: Faults = NO_FAULTS,
        seed: int = 0,
        paced: bool = True,
    ) -> None:
        self.settings = settings
        self.readers = list(readers)
        self.plugged = True
        self.on_plug: Callable[[bool], None] = lambda _plugged: None
        self.counts: Counter[str] = Counter()
        self._injector = Injector(faults, seed=seed)
        self._char_s = settings.char_s if paced else 0.0
        self._heard_at = self._free_at = 0.0
        self._heard: list[tuple[float, int, bytes]] = []  # what the readers are to hear, and when
        self._outgoing = Outgoing(self._char_s)
        self._order = 0

    @property
    def faults(self) -> Faults:
        """The chances in force; may be set at any time."""
        return self._injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._injector.faults = faults

    def reader(self, address: int) -> SimReader:
        """Return the reader with an address; KeyError if there is none."""
        for reader in self.readers:
            if reader.address == address:
                return reader
        raise KeyError(address)

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the master."""
        self._advance(now)
        if not self.plugged:
            return
        self._heard_at = max(now, self._heard_at) + len(data) * self._char_s
        if self._injector.echoes():
            self._outgoing.send(self._heard_at, data)
        if idle := self._injector.idle():
            self._outgoing.send(now + idle[0], idle[1])
        self.counts["requests"] += 1
        self._order += 1
        heapq.heappush(self._heard, (self._heard_at, self._order, self._injector.request(data)))
        self._advance(now)

    def next_at(self) -> float | None:
        """Return when `take` has something to do; None: not before `receive`."""
        through_at = self._outgoing.next_at()
        times = [] if through_at is None else [through_at]
        times += [self._heard[0][0]] if self._heard else []
        times += [at for reader in self.readers if (at := reader.next_at()) is not None and at < float("inf")]
        return min(times, default=None)

    def take(self, now: float) -> bytes:
        """Return the bytes that are through the wire by now."""
        self._advance(now)
        return self._outgoing.take(now)

    def unplug(self) -> None:
        """Pull the adapter: what was on the wire is gone, and so is the port."""
        if self.plugged:
            self.plugged = False
            self._heard.clear()
            self._outgoing.clear()
            self.on_plug(False)

    def plug(self) -> None:
        """Put the adapter back."""
        if not self.plugged:
            self.plugged = True
            self.on_plug(True)

    def close(self) -> None:
        """Give libosdp back what the readers hold."""
        for reader in self.readers:
            reader.close()

    def _advance(self, now: float) -> None:
        for reader in self.readers:
            reader.advance(now)
        while self._heard and self._heard[0][0] <= now:
            at, _, data = heapq.heappop(self._heard)
            for reader in self.readers:
                if answer := reader.hear(data, at):
                    self._reply(
                        answer if reader.secure else without_security(answer), at + reader.turnaround_s
                    )

    def _reply(self, answer: bytes, begin: float) -> None:
        fate = self._injector.fate()
        if fate == "silent":
            return
        self.counts["replies"] += 1
        at = max(begin, self._free_at) + self._injector.wait_s(fate)
        for pause_s, piece in self._injector.reply(fate, answer):
            at = self._outgoing.transmit(at + pause_s, piece)
        if fate != "late":
            self._free_at = at


def without_security(answer: bytes) -> bytes:
    """Return an answer in which no secure channel is promised; libosdp's peripheral always promises one."""
    told = frames.parse(answer)
    if told.code != frames.CAPABILITY_LIST or told.block:
        return answer
    head = bytearray(answer[1:] if answer[0] == frames.MARK else answer)
    for at in range(frames.HEADER + 1, len(head) - 4, 3):
        if head[at] == frames.SECURITY:
            head[at + 1] = 0
    return bytes(head[:-2]) + frames.crc(bytes(head[:-2])).to_bytes(2, "little")
