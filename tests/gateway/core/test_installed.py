"""A device and what is due: service life by kind, a test once a year, maintenance by its day."""

from datetime import date

import msgspec
import pytest

from gateway.core.events import Place
from gateway.core.installed import Asset, Due, Reported, Written

TODAY = date(2026, 11, 24)


def smoke(**written: object) -> Asset:
    """Return a smoke detector of which this was written."""
    return Asset(
        "hxtp-01", "smoke-1", msgspec.convert(written, Written), Reported("smoke", "renke-rs-yg-n01")
    )


@pytest.mark.parametrize(
    ("installed", "years", "ends"),
    [
        (date(2014, 11, 24), None, date(2026, 11, 24)),  # GB 29837: 12 years
        (date(2024, 2, 29), 1.0, date(2025, 2, 28)),
        (date(2024, 1, 1), 2.5, date(2026, 7, 3)),
        (date(9995, 1, 1), None, None),
        (None, 12.0, None),
    ],
)
def test_a_detector_serves_its_years_from_the_day_it_was_installed(
    installed: date | None, years: float | None, ends: date | None
) -> None:
    assert smoke(installed_on=installed, service_years=years).ends_on == ends


def test_a_life_that_is_over_and_a_test_that_was_missed_are_due_on_the_day_itself() -> None:
    assert smoke(installed_on=date(2014, 11, 24), tested_on=date(2026, 1, 1)).due(TODAY) == (Due.LIFE,)
    assert smoke(installed_on=date(2014, 11, 25), tested_on=date(2026, 1, 1)).due(TODAY) == ()
    assert smoke(tested_on=date(2025, 11, 24)).due(TODAY) == (Due.TEST,)
    assert smoke(tested_on=date(2025, 11, 25)).due(TODAY) == ()
    assert smoke(maintain_on=TODAY).due(TODAY) == (Due.MAINTENANCE,)


def test_a_detector_nobody_has_tested_is_due_a_year_after_it_was_installed() -> None:
    assert smoke(installed_on=date(2025, 11, 24)).due(TODAY) == (Due.TEST,)


def test_a_device_that_is_gone_wants_nothing_any_more() -> None:
    gone = msgspec.structs.replace(smoke(maintain_on=TODAY), gone_at=1.0)
    assert gone.due(TODAY) == ()


def test_a_kind_of_no_known_life_is_never_said_to_be_too_old() -> None:
    tilt = Asset("hxtp-01", "wall", Written(kind="tilt", installed_on=date(1990, 1, 1)))
    assert tilt.due(TODAY) == ()


def test_what_a_person_wrote_counts_and_a_report_fills_the_rest() -> None:
    told = Reported("smoke", "renke-rs-yg-n01", "走廊", Place(compound="红星亭坡 1 号院", building="2"))
    asset = Asset("hxtp-01", "smoke-1", Written(model="JTY-GD", place=Place(building="3")), told)
    assert asset.facts.model == "JTY-GD"
    assert asset.facts.kind == "smoke"
    assert asset.facts.place == Place(compound="红星亭坡 1 号院", building="3")
