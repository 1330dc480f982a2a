"""A fire centre that is half there: it takes connections or heartbeats and not the fire, or takes it late."""

import pytest

from drivers.sim.centre import Manners, SimCentre
from tests import virtual
from tests.centre_parts import Site, alert, fires, reporting, until


@pytest.mark.parametrize("manners", [Manners.HANGS_UP, Manners.SILENT])
def test_the_second_address_is_used_while_the_first_takes_connections_and_confirms_nothing(
    manners: Manners,
) -> None:
    """A forwarded port takes every connection, whether or not the centre behind it is there."""

    async def story() -> None:
        site = Site()
        async with SimCentre() as first, SimCentre() as second:
            first.manners = manners
            async with reporting(site, first, second):
                site.submit(alert(1))
                await until(lambda: fires(second) == [1], within_s=30)
                first.manners = Manners.HONEST
                second.drop()
                site.submit(alert(2))
                await until(lambda: 2 in fires(first), within_s=30)

    virtual.run(story())
