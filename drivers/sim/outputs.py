"""An output of a peripheral, with the timer that runs in it: told the time, it says when it switches.

It has a permanent state, and on top of it perhaps a temporary one (osdp_OUT, IEC 60839-11-5): a timed code sets the
temporary state and leaves the permanent one, which the output goes back to by itself.
"""

from typing import Final

OFF, ON, OFF_AFTER, ON_AFTER, ON_TIMED, OFF_TIMED = range(1, 7)
PERMANENT: Final = {OFF: False, ON: True, OFF_AFTER: False, ON_AFTER: True}
TICK_S: Final = 0.1


class Output:
    """One output."""

    def __init__(self) -> None:
        self._permanent = self._temporary = False
        self._until: float | None = None

    @property
    def on(self) -> bool:
        """Whether it is energised."""
        return self._temporary if self._until is not None else self._permanent

    @property
    def until(self) -> float | None:
        """When it switches by itself, None: not before it is told to."""
        return self._until

    def obey(self, code: int, ticks: int, now: float) -> None:
        """Take a command; ValueError if the code is none."""
        if code in PERMANENT:
            self._permanent = PERMANENT[code]
            if code in {OFF, ON}:
                self._until = None
        elif code in {ON_TIMED, OFF_TIMED}:
            self._temporary = code == ON_TIMED
            self._until = now + ticks * TICK_S if ticks else float("inf")
        elif code:
            raise ValueError(f"an output knows no code {code}")

    def advance(self, now: float) -> None:
        """Let a timer end that has run out."""
        if self._until is not None and now >= self._until:
            self._until = None
