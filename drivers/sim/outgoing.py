"""The bytes on their way to the master: each piece with the time at which its last byte is through the wire."""

import heapq
from typing import Final

UART_FIFO: Final = 16  # a UART hands its bytes over in groups of so many


class Outgoing:
    """What is on the wire. `char_s` 0: everything is through at once."""

    def __init__(self, char_s: float) -> None:
        self._char_s = char_s
        self._pieces: list[tuple[float, int, bytes]] = []
        self._order = 0

    def send(self, at: float, data: bytes) -> None:
        """Have bytes come through at a time."""
        self._order += 1
        heapq.heappush(self._pieces, (at, self._order, data))

    def transmit(self, at: float, data: bytes) -> float:
        """Put bytes on the wire at `at`; return when the last is through."""
        if self._char_s == 0.0:
            self.send(at, data)
            return at
        for start in range(0, len(data), UART_FIFO):
            part = data[start : start + UART_FIFO]
            self.send(at + (start + len(part)) * self._char_s, part)
        return at + len(data) * self._char_s

    def next_at(self) -> float | None:
        """Return when the next piece is through."""
        return self._pieces[0][0] if self._pieces else None

    def take(self, now: float) -> bytes:
        """Return the bytes that are through by now."""
        if not self._pieces or self._pieces[0][0] > now:
            return b""
        taken = heapq.heappop(self._pieces)[2]
        while self._pieces and self._pieces[0][0] <= now:
            taken += heapq.heappop(self._pieces)[2]
        return taken

    def clear(self) -> None:
        """Lose what is on the wire."""
        self._pieces.clear()
