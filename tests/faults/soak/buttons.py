"""Buttons for help on a board that counts: each press must be told, once, whatever is broken meanwhile.

Only the number is sure: a press while an alert stands is counted there, after it was answered it is one of its own.
So over all lives of a button the numbers told last must add up to how often it was pressed.
"""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from tests.faults.soak.ledger import Arrival, Ledger

KIND = "care.sos"
BOARD, BUTTONS = "sos-board", "flats"  # its name, and that of its line
POINTS = ("pulses_1", "pulses_2", "pulses_3")
RULES = "".join(
    f'\n[[rule]]\ndevice = "{BOARD}"\nkind = "{KIND}"\npoint = "{point}"\nmoved = true\n' for point in POINTS
)
ANSWERED = 0.2  # of those that stand, at each look


class Buttons:
    """Presses them. `site` is where."""

    def __init__(self, site: Any, ledger: Ledger, chance: random.Random) -> None:
        self.pressed = dict.fromkeys(POINTS, 0)
        self._site, self._ledger, self._chance = site, ledger, chance

    def press(self, now: float) -> None:
        """Press one of them, as somebody does who needs help: once, or a few times."""
        point = self._chance.choice(POINTS)
        for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
            self._ledger.may_bring(KIND, device=BOARD, now=now)
            self.pressed[point] += 1
        self._site.tell(f"set {BOARD} {point} {self.pressed[point]}")

    def answer(self, alert: Mapping[str, Any]) -> bool:
        """Return whether somebody answers this alert just now."""
        return alert["kind"] != KIND or self._chance.random() < ANSWERED

    def judge(self, last: Iterable[Arrival]) -> list[str]:
        """Return in words which button was told more or less often than it was pressed; `last` is of each life."""
        told = dict.fromkeys(POINTS, 0)
        for each in last:
            if each.kind == KIND and each.point in told:
                told[each.point] += each.count
        return [
            f"{'lost' if told[point] < pressed else 'invented'}: {point} was pressed {pressed} times,"
            f" {told[point]} were told"
            for point, pressed in self.pressed.items()
            if told[point] != pressed
        ]
