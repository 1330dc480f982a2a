"""A line with simulated card readers on it, as a state machine that is told `now`: see drivers/sim/line.py.

A command is carried out when its last byte is through the wire, and the answer follows after the reader's
turnaround, in groups of sixteen as from a UART. Every reader hears every command. Faults are those of the other
lines, as far as they are about bytes; a reader that speaks plain only says so in its list of capabilities.
"""

import heapq
from collections.abc import Sequence

from drivers.api import LineSettings
from drivers.osdp import frames
from drivers.sim.faults import NO_FAULTS, Faults
from drivers.sim.osdp import SimReader
from drivers.sim.wired import Wired


class ReaderLine(Wired):
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
        super().__init__(settings, faults=faults, seed=seed, char_s=settings.char_s if paced else 0.0)
        self.readers = list(readers)
        self._heard_at = 0.0
        self._heard: list[tuple[float, int, bytes]] = []  # what the readers are to hear, and when
        self._order = 0

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
        self.counts["requests"] += 1
        self._order += 1
        heard = self._over_the_wire(data, now, self._heard_at)
        heapq.heappush(self._heard, (self._heard_at, self._order, heard))
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

    def close(self) -> None:
        """Give libosdp back what the readers hold."""
        for reader in self.readers:
            reader.close()

    def _forget(self) -> None:
        self._heard.clear()

    def _advance(self, now: float) -> None:
        for reader in self.readers:
            reader.advance(now)
        while self._heard and self._heard[0][0] <= now:
            at, _, data = heapq.heappop(self._heard)
            for reader in self.readers:
                if answer := reader.hear(data, at):
                    self._answer(
                        answer if reader.secure else without_security(answer), at + reader.turnaround_s
                    )


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
