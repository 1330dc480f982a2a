"""A short soak of the unmodified gateway; the long one is `python -m tests.faults.soak --hours 8`."""

from pathlib import Path

import pytest

from tests.broker import needs_mosquitto, until
from tests.faults.disk import needs_disks
from tests.faults.soak.causing import by_name
from tests.faults.soak.playing import Pace, Soak
from tests.faults.soak.site import site

SECONDS = 3.0
QUICK = {"fire": 3, "cover": 1}  # what is told within seconds
SMALL = "--buildings 2 --detectors 8 --covers 2 --doors 1 --lines 3"
FAULTS = by_name(
    "gateway killed", "reload of a broken file", "hub reset", "disk full", "desk killed", "broker killed"
)

pytestmark = [needs_mosquitto, needs_disks, pytest.mark.slow]


def test_a_few_seconds_of_faults_on_the_whole_gateway_lose_and_invent_nothing(tmp_path: Path) -> None:
    pace = Pace(deed_s=0.5, fault_s=0.5, tend_s=0.5)
    with site(tmp_path, compound=SMALL, own_clock=False) as place:
        soak = Soak(place, seed=5, pace=pace, faults=FAULTS, longest_s=1.0, weights=QUICK)
        outcome = soak.play(SECONDS)
    assert outcome.violations == []
    assert outcome.figures["alerts"] >= outcome.figures["deeds"] >= 1
    assert outcome.figures["faults"] >= 1


def test_an_alert_of_nobodys_doing_and_one_that_fell_on_the_way_are_seen_by_the_soak_itself(
    tmp_path: Path,
) -> None:
    """Planted in a soak of the whole gateway: a fire the ledger was not told of, a record that lost an event."""
    pace = Pace(deed_s=0.5, fault_s=1e6, tend_s=0.5)
    with site(tmp_path, compound=SMALL, own_clock=False) as place:
        soak = Soak(place, seed=5, pace=pace, faults=(), weights=QUICK)
        planted = place.devices("sonbest-sm7571b")[0]
        soak.deeds.spare(planted)
        place.sim.tell(f"set {planted} smoke 900")

        def arrived() -> bool:
            place.tick()
            return any(each.device == planted for each in place.heard())

        until(arrived, what="the planted fire")
        recorded = place.recorded
        place.recorded = lambda: recorded()[1:]  # type: ignore[method-assign]
        outcome = soak.play(1.0, patience_s=15.0)
    assert [each for each in outcome.violations if each.startswith("invented: fire.smoke")]
    assert [each for each in outcome.violations if each.startswith("lost: event")]
