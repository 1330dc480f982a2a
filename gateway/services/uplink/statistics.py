"""What the uplink tells of itself for `status` and the health document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UplinkStatistics:
    """The uplink as `status` shows it. `last_confirmed_at` is monotonic; `note` tells what a person should know."""

    connected: bool
    broker: str
    protocol: str
    confirm: str
    window: int
    flying: int  # published, not acknowledged
    waiting: int  # urgent rows sent and not confirmed
    confirmed: int
    states_confirmed: int
    resent: int
    refused: int
    thinned: int
    receipts_ignored: int
    evidence_parts: int
    evidence_refused: int
    connections: int
    last_confirmed_at: float | None
    trouble: str
    note: str
    certificate_until: float | None = None  # the end of our certificate, wall seconds
