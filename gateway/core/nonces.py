"""Nonces: numbers that are good for one order each, for a minute, and only in this process. Pure, told `now`.

A few are published at any time, so that two operators seldom reach for the same one. They live on the monotonic
clock and nowhere but in memory: a restart forgets them all, and a clock that is set back, or was never set, gives
none of them its life back. So an order that was seen once, or was held up for longer than a minute, is dead for
ever, whatever else is wrong. Each is replaced while it still has some life, and at once when it was used; one that
is no longer published stays good until its end, for whoever fetched it just before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PUBLISHED: Final = 8
LIFE_S: Final = 60.0
MARGIN_S: Final = 15.0  # so much life at least has every nonce that is published
BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Nonce:
    """One nonce. `born` and `ends` are monotonic seconds."""

    text: str
    born: float
    ends: float


class Nonces:
    """The nonces of this process. `draw` gives a fresh one: 128 bits nobody can guess, 22 letters of base64url."""

    def __init__(self, draw: Callable[[], str]) -> None:
        self._draw = draw
        self._live: dict[str, Nonce] = {}
        self._published: list[Nonce] = []

    def published(self, now: float) -> list[tuple[str, float]]:
        """Return each published nonce with the life it has left, the freshest first."""
        shown = sorted(self._published, key=lambda nonce: -nonce.born)
        return [(nonce.text, nonce.ends - now) for nonce in shown]

    def born(self, nonce: str, now: float) -> float | None:
        """Return when a nonce was made; None if there is no such nonce, or no longer."""
        found = self._live.get(nonce)
        return found.born if found is not None and now < found.ends else None

    def use(self, nonce: str) -> None:
        """Take note that a nonce was used."""
        self._published = [each for each in self._published if each.text != nonce]
        self._live.pop(nonce, None)

    def renew(self, now: float) -> bool:
        """Replace what was used or nears its end; return whether there is something new to publish."""
        self._live = {text: nonce for text, nonce in self._live.items() if now < nonce.ends}
        kept = [nonce for nonce in self._published if nonce.ends - now > MARGIN_S]
        missing = PUBLISHED - len(kept)
        first = not self._published
        for number in range(missing):
            # the first ones get lives of different length, so that later they are not all replaced at once
            life = LIFE_S - (LIFE_S - MARGIN_S) * (number // 2 / (PUBLISHED / 2) if first else 0.0)
            nonce = Nonce(self._draw(), now, now + life)
            self._live[nonce.text] = nonce
            kept.append(nonce)
        self._published = kept
        return missing > 0

    def next_due(self) -> float:
        """Return when `renew` has something to do by the passing of time."""
        return min((nonce.ends - MARGIN_S for nonce in self._published), default=0.0)
