"""Whether a camera is there and sees well, as events: told when it changes, judged from heartbeats. Pure.

A camera is there while frames come; nothing else counts, so a dead process, a hung one, a cut cable and a
stream that stands still all look the same from here: no frames for `AWAY_S`. A process that is killed and is
back within that time is nobody's business but `status`. What is wrong with a picture that does come is a
condition of its own, one kind of alert each; so is it that too few come.
"""

from collections.abc import Iterable

from gateway.core.alerts import is_active
from gateway.core.events import AlertBody, LinkBody, PictureBody
from gateway.vision.messages import Look
from gateway.vision.pace import Pace

AWAY_S = 15.0
FROZEN: Look = "frozen"
KINDS: dict[Look, str] = {
    "covered": "camera.covered",
    "moved": "camera.moved",
    "defocused": "camera.defocused",
}
SLOW = "camera.slow"
LOOKS = {kind: look for look, kind in KINDS.items()}


class Presence:
    """Follows one camera. `now` is monotonic seconds everywhere."""

    def __init__(self, camera: str, now: float) -> None:
        self.up: bool | None = None  # None: not known yet
        self.look: Look = "fine"
        self.reason = ""
        self._camera, self._frames, self._frames_at = camera, 0, now
        self._told_look: Look | None = None
        self.pace = Pace()
        self._told_slow: bool | None = None

    def restarted(self) -> None:
        """A new process counts its frames from nought."""
        self._frames = 0
        self.pace.broken()

    def beat(self, frames: int, look: Look, now: float) -> None:
        """Take a heartbeat: how many frames came so far, and how they look."""
        if frames > self._frames:
            self._frames, self._frames_at = frames, now
            self.look = look
            self.pace.beat(frames, now)

    def lost(self, reason: str) -> None:
        """Take in why no frames come, for whoever reads the alert."""
        self.reason = reason

    def due(self, now: float) -> list[LinkBody | PictureBody]:
        """Return what changed."""
        told: list[LinkBody | PictureBody] = []
        away = now - self._frames_at >= AWAY_S
        frozen = self.look == FROZEN
        there = not away and not frozen and self._frames > 0
        if there != self.up and (there or away or frozen):
            self.up = there
            reason = "frames come" if there else self._why(away=away)
            told.append(LinkBody("camera", self._camera, up=there, reason=reason))
        if there and self.look != self._told_look:
            self._told_look = self.look
            told += [PictureBody(self._camera, kind, wrong=look == self.look) for look, kind in KINDS.items()]
        if not there:
            self.pace.broken()
        elif self.pace.slow is not None and self.pace.slow != self._told_slow:
            self._told_slow = self.pace.slow
            told.append(PictureBody(self._camera, SLOW, wrong=self.pace.slow))
        return told

    def _why(self, *, away: bool) -> str:
        return (self.reason or "no frames come") if away else "the picture stands still"


def looks(alerts: Iterable[AlertBody]) -> dict[str, Look]:
    """Return how the cameras look that do not look fine, by what stands in the list of alerts."""
    told = (alert.key.partition("/") for alert in alerts if is_active(alert.state))
    return {name: LOOKS[kind] for kind, _, name in told if kind in LOOKS}
