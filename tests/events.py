"""Events of the size and kind a gateway really makes, for tests and benches that need some."""

from drivers.api import Quality
from gateway.core.events import (
    AlertBody,
    BaselineBody,
    Certainty,
    Change,
    Clock,
    Event,
    NoteBody,
    Place,
    ReadingBody,
    Severity,
    Words,
)

MORNING = 1_795_421_730.0  # 2026-11-23 08:15:30 UTC
PLACE = Place("中山二路", "3", "17", "红星亭坡 1 号院", "2", "1", "3")


def event(
    seq: int, body: object, *, epoch: int = 1, time: float | None = None, clock: Clock = Clock.SYNCED
) -> Event:
    """Return `body` as an event; one second goes by per number unless `time` is given."""
    previous = seq - 1 if isinstance(body, AlertBody) else None
    wall = MORNING + seq if time is None else time
    return Event(epoch, seq, wall, float(seq), clock, body, previous)  # type: ignore[arg-type]


def alert_body(seq: int, *, state: str = "active_unacked", kind: str = "fire.smoke") -> AlertBody:
    """Return the body of a fire alert that nobody else has."""
    return AlertBody(
        alert=f"0193a5f2-7c1e-7000-8000-{seq:012d}",
        key=f"{kind}/smoke-3f-{seq}/smoke",
        change=Change.RAISED,
        state=state,
        kind=kind,
        severity=Severity.CRITICAL,
        certainty=Certainty.OBSERVED,
        text=Words("2 栋 1 单元 3 楼 烟感报警", "Smoke alarm, building 2, unit 1, floor 3"),
        place=PLACE,
        first_seen=MORNING + seq,
        clock=Clock.SYNCED,
        device=f"smoke-3f-{seq}",
        point="smoke",
        value=1,
        devices=(f"smoke-3f-{seq}",),
    )


def alert(seq: int, *, epoch: int = 1, state: str = "active_unacked", time: float | None = None) -> Event:
    """Return a fire alert as an event."""
    return event(seq, alert_body(seq, state=state), epoch=epoch, time=time)


def reading(seq: int, *, epoch: int = 1, value: float = 21.5, time: float | None = None) -> Event:
    """Return a reading as an event."""
    body = ReadingBody("smoke-3f-east", "temperature", value, Quality.GOOD, float(seq), "°C")
    return event(seq, body, epoch=epoch, time=time)


def note(seq: int, *, epoch: int = 1, time: float | None = None) -> Event:
    """Return a note as an event."""
    return event(seq, NoteBody("gateway.started", "version 0.1.0"), epoch=epoch, time=time)


def baseline(seq: int, value: float, *, epoch: int = 1) -> Event:
    """Return a baseline as an event."""
    return event(seq, BaselineBody("cover-7", "roll", value, "installer"), epoch=epoch)
