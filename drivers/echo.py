"""Does the adapter hear itself? Learned from reads, cancelled where it is, never required.

Some half-duplex adapters hand the master its own bytes back. Before the reply to a read they do no harm: they
cannot be taken for it. But the good reply to a write of one coil or register is the very same bytes as its
request, so there the first copy is an echo or the reply, depending on the adapter; that is why reads, which
come all the time, teach which it is. An adapter is asked anew whenever its port is opened.
"""

from typing import Final

UNLEARN_AFTER: Final = 3  # reads in a row without echo; one echo may drown in noise


class Echo:
    """What is known of one line. `heard` is None before the first read."""

    __slots__ = ("_missed", "heard")

    def __init__(self) -> None:
        self.heard: bool | None = None
        self._missed = 0

    def strip(self, buffer: bytearray, sent: bytes) -> bool:
        """Take the echo of `sent` from the front of what came; say whether it was there."""
        if not buffer.startswith(sent):
            return False
        del buffer[: len(sent)]
        return True

    def read_answered(self, *, echoed: bool) -> None:
        """Learn from a read that was answered, with or without an echo before the reply."""
        if echoed:
            self.heard, self._missed = True, 0
        elif self.heard:
            self._missed += 1
            if self._missed >= UNLEARN_AFTER:
                self.heard = False
        else:
            self.heard = False

    def forget(self) -> None:
        """Know nothing: the port was opened anew."""
        self.heard, self._missed = None, 0
