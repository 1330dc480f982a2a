"""A device as the registry knows it: what a person wrote, what its gateway reports, and what is due. Pure.

The two are kept apart, and what a person wrote counts; a gateway's word fills what nobody has written. So a report
can never wipe a ledger, and a ledger never hides that a device is gone.
"""

import enum
from datetime import date, timedelta
from typing import Final

import msgspec

from gateway.core import maintenance
from gateway.core.events import Place
from gateway.core.places import over

KINDS: Final = (
    "smoke",
    "gas",
    "panel",
    "door",
    "reader",
    "input",
    "relay",
    "level",
    "tilt",
    "camera",
    "other",
)


class Due(enum.StrEnum):
    """Why somebody should see to a device."""

    LIFE = "life"  # its service life is over
    TEST = "test"
    MAINTENANCE = "maintenance"


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person wrote of a device. Nothing a gateway says is ever put here."""

    kind: str = ""
    model: str = ""
    place: Place = Place()
    serial: str = ""
    installed_on: date | None = None
    service_years: float | None = None
    tested_on: date | None = None
    maintain_on: date | None = None
    note: str = ""


class Reported(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a gateway says of a device. `online` None: it has heard nothing of it yet."""

    kind: str = ""
    model: str = ""
    label: str = ""
    place: Place = Place()
    online: bool | None = None
    resident: str = ""
    """Whom it watches over, by the code its gateway has for them: whoever reads that knows who lives where."""


class Asset(msgspec.Struct, frozen=True):
    """One device. Times are wall seconds; `version` counts what people wrote, 0: nothing yet."""

    gateway: str
    device: str
    written: Written = Written()
    reported: Reported = Reported()
    reported_at: float | None = None
    gone_at: float | None = None
    version: int = 0

    @property
    def name(self) -> str:
        """Return its name: `<gateway>/<device>`."""
        return f"{self.gateway}/{self.device}"

    @property
    def facts(self) -> Written:
        """Return what holds: what a person wrote, and what is reported where nobody wrote anything."""
        return msgspec.structs.replace(
            self.written,
            kind=self.written.kind or self.reported.kind,
            model=self.written.model or self.reported.model,
            place=over(self.written.place, self.reported.place),
        )

    @property
    def years(self) -> float | None:
        """Return how long it serves; None: nobody knows."""
        years = self.written.service_years
        return maintenance.years_of(self.facts.kind) if years is None else years

    @property
    def ends_on(self) -> date | None:
        """Return the day its service life is over."""
        if self.written.installed_on is None or self.years is None:
            return None
        return _later(self.written.installed_on, self.years)

    def due(self, today: date) -> tuple[Due, ...]:
        """Return what is overdue. A device that is gone wants nothing any more."""
        if self.gone_at is not None:
            return ()
        facts = self.facts
        every = maintenance.test_days_of(facts.kind)
        tested = facts.tested_on or facts.installed_on
        reasons = {
            Due.LIFE: self.ends_on is not None and self.ends_on <= today,
            Due.TEST: bool(every and tested and (today - tested).days >= every),
            Due.MAINTENANCE: facts.maintain_on is not None and facts.maintain_on <= today,
        }
        return tuple(reason for reason, holds in reasons.items() if holds)


def _later(day: date, years: float) -> date | None:
    """Return the same day so many years on; None past the end of the calendar."""
    whole = int(years)
    try:
        try:
            moved = day.replace(year=day.year + whole)
        except ValueError:  # the 29th of February, or past year 9999
            moved = day.replace(year=day.year + whole, day=28)
        return moved + timedelta(days=round((years - whole) * 365.25))
    except (ValueError, OverflowError):
        return None
