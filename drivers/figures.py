"""What a line tells of itself in figures: how often it asked, how long answers took, what went wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeviceStatistics:
    """What the line knows of one device since it was opened. Times in seconds, None before the first reply."""

    device: str
    address: int
    online: bool
    last_good_at: float | None
    round_trip_p50_s: float | None
    round_trip_p99_s: float | None
    timeout_s: float  # the learned time-out in force
    polls: int
    good: int
    timeouts: int
    crc_errors: int
    retries: int
    late: int
    exceptions: int
    suspect_duplicate: bool
    # of its latest answers, as a share: damaged, late or none; None: too few
    broken_lately: float | None = None


@dataclass(frozen=True, slots=True)
class LineStatistics:
    """What one line did since it was opened. `utilisation` is the share of the last minute the wire was busy.

    `wanted` is the time that its polls ask for, of the time there is: above 1 they come late (drivers/crowding.py).
    """

    line: str
    up: bool
    utilisation: float
    polls: int
    noise_bytes: int
    reopened: int
    echo: bool | None  # None: not known yet
    devices: tuple[DeviceStatistics, ...]
    wanted: float = 0.0
