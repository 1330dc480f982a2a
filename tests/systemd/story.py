"""What is done to a gateway in its Debian, step by step, and what was seen; the hands of `real.py`."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.systemd.place import PATIENCE, Place

UNIT = "compound-gateway.service"
FILE = "etc/compound-gateway/gateway.toml"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at."""

    what: str
    good: bool
    detail: str
    seconds: float


@dataclass(slots=True)
class Story:
    """The Debian, the package, and what was seen so far."""

    there: Place
    package: Path
    steps: list[Step] = field(default_factory=list)
    burning: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)

    def look(self, what: str, see: Callable[[], str]) -> None:
        """Do one step: `see` returns what it saw, or raises."""
        began = time.monotonic()
        try:
            good, detail = True, see()
        except Exception as error:  # whatever it is, the table shall say so and the story go on
            good, detail = False, f"{type(error).__name__}: {error}"
        step = Step(what, good, " ".join(detail.split()), round(time.monotonic() - began, 1))
        self.steps.append(step)
        sys.stdout.write(f"{'ok' if good else 'NO':3} {step.seconds:6.1f} s  {what}: {step.detail}\n")
        sys.stdout.flush()

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.there.gateway("status")
        return answer

    def pid(self) -> int:
        return int(self.there.show(UNIT, "MainPID"))

    def polls(self) -> int:
        return sum(int(line["polls"]) for line in self.status()["buses"])

    def frames(self) -> int:
        return sum(int(camera["frames"]) for camera in self.status()["cameras"])

    def alarms(self) -> set[str]:
        """Return the detectors whose fire alarm the gateway knows of."""
        return {alert["device"] for alert in self.there.gateway("alerts") if alert["kind"] == "fire.smoke"}

    def kinds(self) -> set[str]:
        """Return the kinds of all alerts that are listed."""
        return {alert["kind"] for alert in self.there.gateway("alerts")}

    def standing(self) -> set[str]:
        """Return the kinds of those whose cause is still there."""
        return {alert["kind"] for alert in self.there.gateway("alerts") if alert["change"] != "cleared"}

    def tell(self, line: str) -> None:
        self.there.out("sh", "-c", f"echo '{line}' > /run/sim/in")

    def burn(self) -> None:
        """Set one more detector on fire and wait until the gateway has its alarm."""
        name = self.quiet.pop()
        self.burning.append(name)
        self.tell(f"set {name} smoke 900")
        until(lambda: name in self.alarms(), "the alarm", 30)

    def nothing_lost(self) -> str:
        """Hold the alarms the gateway knows of against the fires there were: none less, none more."""
        known, burning = self.alarms(), set(self.burning)
        assert known == burning, f"lost: {burning - known}, invented: {known - burning}"
        return f"{len(burning)} of {len(burning)} alerts are there, and no other"


def until(seen: Callable[[], object], what: str, within_s: float) -> float:
    """Wait until something is seen and return how long that took; whatever fails meanwhile is not seen."""
    began, within_s = time.monotonic(), within_s * PATIENCE
    last: Exception | None = None
    while time.monotonic() < began + within_s:
        try:
            if seen():
                return time.monotonic() - began
        except Exception as error:  # a gateway that is just coming up does not answer
            last = error
        time.sleep(0.1 * PATIENCE)
    raise AssertionError(f"{what} was not seen within {within_s} s ({last})")
