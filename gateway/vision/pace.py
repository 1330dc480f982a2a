"""Whether enough pictures of a camera are watched to see a fall, judged over two minutes at a time. Pure.

With fewer than some eight a second a thing that falls five storeys shows too seldom to be followed. Cameras come down
to that by themselves at night (slow shutter), and so does a gateway with more cameras than it can carry.
"""

LEAST_FPS, ENOUGH_FPS = 8.0, 9.0
WHILE_S = 120.0  # a break that is no alert yet makes no slow camera of a good one


class Pace:
    """Follows one camera; `slow` is None while that is not known. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self.slow: bool | None = None
        self._since: tuple[int, float] | None = None

    def broken(self) -> None:
        """Begin anew: the process did, or no pictures came."""
        self._since = None

    def beat(self, frames: int, now: float) -> None:
        """Take how many frames were watched so far."""
        if self._since is None:
            self._since = frames, now
            return
        before, since = self._since
        if now - since >= WHILE_S:
            fps = (frames - before) / (now - since)
            self.slow = fps < (ENOUGH_FPS if self.slow else LEAST_FPS)
            self._since = frames, now
