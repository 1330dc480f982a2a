"""A fire centre that is half there: it takes connections or heartbeats and not the fire, or takes it late."""

import asyncio
from collections.abc import Callable

import pytest

from drivers.gb26875 import frames, units
from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.units import ComponentState
from drivers.sim.centre import Manners, SimCentre
from gateway.core.events import LinkBody
from gateway.runtime.journal.rows import Lane
from gateway.services.centre.service import Centre
from tests import virtual
from tests.centre_parts import CENTRE, DEVICE, NAMES, Site, alert, cleared, fires, reporting, until

CONFIRMED = frames.encode(Frame(999, Command.CONFIRM, CENTRE, DEVICE, bytes(6)))


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


def test_people_are_told_that_the_centre_ignores_a_fire_although_it_confirms_heartbeats() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.connected)
            centre.ignore = about(3)
            site.submit(alert(3))
            await asyncio.sleep(28)
            assert links(site) == []
            await asyncio.sleep(5)
            assert links(site) == [False]
            await asyncio.sleep(600)
            assert links(site) == [False], "a heartbeat that is confirmed tells nobody of a fire"
            centre.ignore = lambda _frame: False
            await until(lambda: links(site) == [False, True], within_s=1200)
            assert fires(centre) == [3]

    virtual.run(story())


def test_what_the_centre_ignores_holds_up_nothing_else_and_is_not_passed_over() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.connected)
            centre.ignore = about(7)
            ignored = site.submit(alert(7, kind="device.fault"))
            site.submit(alert(8, kind="device.fault"))
            await until(lambda: states(centre, 8), within_s=60)
            assert site.cursor < (1, ignored.seq)
            assert service.statistics().connections == 1
            centre.ignore = lambda _frame: False
            await until(lambda: site.drained, within_s=3600)
            assert states(centre, 7) == [0b101]

    virtual.run(story())


def test_one_component_the_centre_does_not_know_keeps_no_other_from_being_told() -> None:
    """What stands is told in packets of 22, and a centre may refuse a packet for one of them."""

    async def story() -> None:
        site = Site()
        site.submit_all(alert(number) for number in range(20))
        async with SimCentre() as centre:
            centre.refuse = about(7)
            async with reporting(site, centre):
                await until(lambda: set(fires(centre)) == set(range(20)) - {7}, within_s=10)

    virtual.run(story())


def test_people_are_told_of_a_standing_fire_that_a_centre_named_just_now_ignores() -> None:
    """It is only in the picture of what stands: no row of it waits to be confirmed."""

    async def story() -> None:
        site = Site()
        site.submit_all([alert(7), alert(8)])
        async with SimCentre() as centre:
            centre.ignore = about(7)
            async with reporting(site, centre):
                await until(lambda: links(site) == [False], within_s=120)
                centre.ignore = lambda _frame: False
                await until(lambda: links(site) == [False, True], within_s=120)
                assert set(fires(centre)) == {7, 8}
                await asyncio.sleep(300)
                assert fires(centre).count(7) == 1, "once it is taken it is not told again"

    virtual.run(story())


def test_a_fire_of_the_picture_that_is_over_is_no_trouble_while_another_stands() -> None:
    async def story() -> None:
        site = Site()
        site.submit_all([alert(7), alert(8)])
        async with SimCentre() as centre:
            centre.ignore = about(7)
            async with reporting(site, centre):
                await until(lambda: links(site) == [False] and fires(centre) == [8], within_s=120)
                site.submit(cleared(7))
                centre.ignore = lambda _frame: False
                await until(lambda: links(site) == [False, True], within_s=120)

    virtual.run(story())


@pytest.mark.parametrize("piece", [b"@" * 30, CONFIRMED], ids=["noise", "packets"])
def test_a_centre_that_floods_us_holds_up_nobody(piece: bytes) -> None:
    """A packet may begin at every byte of some noise: all of it at once took the loop for seconds."""

    writers: list[asyncio.StreamWriter] = []

    def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(piece * 10_000)

    async def story() -> None:
        site, turns = Site(), 0
        server = await asyncio.start_server(flood, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            centre = Centre(site.house(), (("127.0.0.1", port),), epoch=1)
            task = asyncio.create_task(centre.run(), name="centre")
            while centre.statistics().ignored < 250:
                before = centre.statistics().ignored
                await asyncio.sleep(0)
                turns += centre.statistics().ignored > before
            task.cancel()
            await asyncio.wait([task])
            for each in writers:
                each.transport.abort()
        assert turns >= 100, "hundreds of pieces were looked at in one go"

    asyncio.run(story())


def test_a_fire_the_centre_takes_only_after_its_end_does_not_stand_there_for_ever() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.connected)
            centre.refuse = about(3)
            site.submit(alert(3))
            await until(lambda: service.statistics().refused)
            centre.refuse = lambda _frame: False
            site.submit(cleared(3))
            await until(lambda: site.drained)
            assert fires(centre) == [3]
            assert states(centre, 3)[-1] == 0b1, "nothing burns any more"

    virtual.run(story())


def test_the_end_of_a_fire_never_comes_before_the_fire() -> None:
    """Four fires wait for their answer at a time; the end of a fifth does not go beside them."""

    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.accepted)
            centre.delay_s = 2.0
            for number in range(6):
                site.submit(alert(number))
                await asyncio.sleep(0.1)
            site.submit(cleared(5))
            await until(lambda: site.drained)
            assert states(centre, 5) == [0b11, 0b1]

    virtual.run(story())


def test_a_fire_that_is_refused_for_a_moment_waits_for_no_backlog() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.accepted)
            centre.delay_s = 1.0
            site.submit_all(alert(n % 39, kind="device.fault", life=n + 1) for n in range(4000))
            await asyncio.sleep(3)
            centre.refuse = about(39)
            site.submit(alert(39))
            await until(lambda: service.statistics().refused, within_s=10)
            centre.refuse = lambda _frame: False
            await until(lambda: 39 in fires(centre), within_s=10)
            assert site.journal.depth(NAMES.urgent, Lane.URGENT) > 3000

    virtual.run(story())


def about(number: int) -> Callable[[Frame], bool]:
    """Return what picks the packets that tell of a detector."""

    def tells(frame: Frame) -> bool:
        objects = units.decode(frame.unit).objects if frame.unit else ()
        return any(isinstance(each, ComponentState) and each.place >> 16 == number for each in objects)

    return tells


def links(site: Site) -> list[bool]:
    """Return what the gateway was told of the centre."""
    return [event.body.up for event in site.told if isinstance(event.body, LinkBody)]


def states(centre: SimCentre, number: int) -> list[int]:
    """Return what the centre took of a detector, in order."""
    found = (each for each in centre.objects(ComponentState) if isinstance(each, ComponentState))
    return [each.state for each in found if each.place >> 16 == number]
