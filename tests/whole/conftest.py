"""What tests of a gateway and its desk stand in: one house with one line of detectors."""

from collections.abc import Iterator

import pytest

from tests.bench.rig import Simulator, simulator

HOUSE = "--buildings 1 --detectors 12 --covers 0 --doors 0 --lines 1 --unpaced"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """Run a compound."""
    with simulator(*HOUSE.split()) as running:
        yield running
