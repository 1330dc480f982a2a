"""What is known of a video source, what it counts, and a packet as it came. Plain data."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Encoded:
    """A packet as it came: `time_s` is that of its picture, `lag_s` how much earlier it must be decoded."""

    data: bytes
    time_s: float
    lag_s: float
    duration_s: float
    is_key: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a source; width and height are those of the pictures that come out, once one is out."""

    where: str
    live: bool
    width: int
    height: int
    rate: float
    codec: str
    decoder: str
    duration_s: float | None


@dataclass(slots=True)
class Statistics:
    """What came and what went wrong since opening.

    `corrupt` are packets that gave nothing and pictures not fit to be seen; `time_faults` times that were missing or
    nonsense; `dropped` pictures that a live stream left out, by its own times.
    """

    frames: int = 0
    packets: int = 0
    bytes: int = 0
    corrupt: int = 0
    time_faults: int = 0
    dropped: int = 0
