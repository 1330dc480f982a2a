"""The faults of the virtual soak, each with its part of the street and how long it lasts."""

from dataclasses import dataclass

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: faults of one part exclude one another; it lasts between two numbers of seconds."""

    name: str
    part: str
    seconds: tuple[float, float]


FAULTS = (
    Fault("gateway killed", "gateway", (0, 0)),
    Fault("reload", "gateway", (0, 0)),
    Fault("database corrupted", "gateway", (0, 0)),
    Fault("killed as an alert is told", "gateway", (0, 0)),
    Fault("no network", "broker", (5, 6 * HOUR_S)),
    Fault("broker swallows everything", "broker", (5, HOUR_S)),
    Fault("broker refuses", "broker", (5, HOUR_S)),
    Fault("broker slow", "broker", (5, HOUR_S)),
    Fault("desk takes nothing in", "desk", (5, 2 * HOUR_S)),
    Fault("disk full", "disk", (5, HOUR_S)),
    Fault("disk fails", "disk", (5, HOUR_S)),
    Fault("noise on a line", "lines", (10, HOUR_S)),
    Fault("power cut on a line", "lines", (20, 120)),
    Fault("hub reset", "lines", (1, 300)),
    Fault("clock stepped", "clock", (5, HOUR_S)),
)
