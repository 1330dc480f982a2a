"""What a condition found, and the alert that begins with it. Pure."""

from dataclasses import dataclass

from gateway.core import texts
from gateway.core.alerts import State
from gateway.core.events import AlertBody, Certainty, Change, Clock, Severity, Words
from gateway.core.kinds import Kind


@dataclass(frozen=True, slots=True)
class Found:
    """What a condition found: all an alert is made of. `count` is given where it is not the times it came.

    `times` is how often it came at once: presses of a button. `said` is the text, where more is to be said than the
    words of its kind.
    """

    kind: Kind
    severity: Severity
    certainty: Certainty
    facts: texts.Facts
    first_seen: float
    clock: Clock
    device: str | None = None
    point: str | None = None
    devices: tuple[str, ...] = ()
    latch: bool = False
    note: str | None = None
    count: int | None = None
    times: int = 1
    said: Words | None = None
    evidence: tuple[str, ...] = ()

    @property
    def text(self) -> Words:
        """Return what people are told, before anything more is known."""
        return self.said or texts.describe(self.kind, self.facts)


def begun(alert: str, key: str, found: Found) -> AlertBody:
    """Return a new alert made of what was found."""
    facts = found.facts
    return AlertBody(
        alert=alert,
        key=key,
        change=Change.RAISED,
        state=State.ACTIVE_UNACKED,
        kind=found.kind.name,
        severity=found.severity,
        certainty=found.certainty,
        text=found.text,
        place=facts.subject.place,
        first_seen=found.first_seen,
        clock=found.clock,
        device=found.device,
        point=found.point,
        value=facts.value,
        unit=facts.unit,
        count=found.count or found.times,
        devices=found.devices,
        evidence=found.evidence,
        note=found.note,
        latch=found.latch,
    )
