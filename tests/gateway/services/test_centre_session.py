"""Reporting to a fire centre: fires first, nothing lost, and no centre, however bad, moves the cursor wrongly."""

import asyncio

import pytest

from drivers.gb26875.units import Analog, ComponentState, DeviceState, Operation
from drivers.sim.centre import Manners, SimCentre
from gateway.core.alerts import State
from gateway.core.events import Change, LinkBody
from gateway.runtime.journal.rows import Lane
from gateway.services.centre.exchange import Patience
from tests import virtual
from tests.centre_parts import NAMES, Site, alert, cleared, fires, reporting, temperature, until
from tests.uplink_parts import DeadCard


def test_a_fire_is_told_and_the_cursor_moves_when_it_is_confirmed() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            event = site.submit(alert(3))
            await until(lambda: site.cursor == (1, event.seq))
            (state,) = centre.objects(ComponentState)
            assert isinstance(state, ComponentState)
            assert (state.system, state.component, state.place) == (1, 42, 201 | 3 << 16)
            assert state.state == 0b11, "bit 0 is set: 0 would be read as a test"
            assert state.text.rstrip(b"\0").decode("gb18030") == "2 栋 1 单元 3 楼"
            assert service.statistics().confirmed == 1

    virtual.run(story())


def test_a_fire_that_is_over_is_told_too_with_the_reset_of_what_latched() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            site.submit(alert(3, latch=True))
            site.submit(alert(3, change=Change.ACKNOWLEDGED, state=State.ACTIVE_ACKED, latch=True))
            site.submit(alert(3, change=Change.UPDATED, state=State.LATCHED_ACKED, latch=True))
            site.submit(alert(3, change=Change.CLEARED, state=State.OVER, latch=True))
            await until(lambda: site.drained)
            states = [
                each.state for each in centre.objects(ComponentState) if isinstance(each, ComponentState)
            ]
            assert states == [0b11, 0b01]
            operations = [each for each in centre.objects(Operation) if isinstance(each, Operation)]
            assert [(each.operation, each.operator) for each in operations] == [(0b100000, 7), (1, 7)]

    virtual.run(story())


def test_what_does_not_concern_a_fire_centre_is_passed_over() -> None:
    async def story() -> None:
        site = Site()
        site.submit(alert(1))
        async with SimCentre() as centre, reporting(site, centre):
            site.submit(alert(2, kind="door.held"))
            site.submit(alert(2, device="somewhere-else"))
            site.submit(LinkBody("bus", "riser-a", up=False, reason="gone"))
            site.submit(temperature(99))
            await until(lambda: site.drained)
            assert fires(centre) == [1], "the picture of what stands, and nothing else"

    virtual.run(story())


def test_a_new_centre_is_told_what_stands_and_what_comes_and_not_the_past() -> None:
    async def story() -> None:
        site = Site()
        site.submit_all([alert(1), cleared(1), alert(2)])
        async with SimCentre() as centre, reporting(site, centre):
            site.submit(alert(3))
            await until(lambda: site.cursor == (1, 4))
            assert fires(centre) == [2, 3]

    virtual.run(story())


def test_what_happens_while_the_centre_is_away_is_told_when_it_is_back_in_order() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre:
            await centre.shut()
            async with reporting(site, centre) as service:
                for number in range(30):
                    site.submit(alert(number))
                    site.submit(cleared(number))
                await until(lambda: "refused" in service.statistics().trouble.lower())
                await centre.open()
                await until(lambda: site.drained)
            assert fires(centre) == list(range(30))

    virtual.run(story())


def test_a_fire_overtakes_ten_thousand_analog_values_and_a_slow_answer() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.accepted)
            centre.manners = Manners.SILENT
            site.submit_all(temperature(number % 40, number / 10) for number in range(10_000))
            await until(lambda: centre.heard[-1].unit)
            site.submit(alert(5))
            asked = len(centre.heard)
            await until(lambda: len(centre.heard) > asked, within_s=1.0)
            assert centre.heard[-1].unit[0] == 2, "the fire, though the values wait for their answer"
            centre.manners = Manners.HONEST
            await until(lambda: site.drained)
            assert fires(centre) == [5]
            values = centre.objects(Analog)
            assert len(values) == 10_000
            assert [each.value for each in values if isinstance(each, Analog)] == list(range(10_000))

    virtual.run(story())


def test_a_fire_overtakes_a_backlog_of_other_alerts_and_is_not_taken_back_by_it() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.accepted)
            centre.manners = Manners.SILENT
            for number in range(200):
                site.submit(alert(number % 40, kind="device.fault", life=number + 1))
            await until(lambda: centre.heard[-1].unit)
            site.submit(alert(7))
            centre.manners = Manners.HONEST
            await until(lambda: site.drained)
            states = [each for each in centre.objects(ComponentState) if isinstance(each, ComponentState)]
            of_it = [each.state for each in states if each.place >> 16 == 7]
            first = next(index for index, state in enumerate(of_it) if state & 2)
            assert all(state & 2 for state in of_it[first:]), "a row from before the fire put it out"
            order = [bool(each.state & 2) for each in states]
            assert order.index(True) < 30, "it came before nearly all of the backlog"

    virtual.run(story())


@pytest.mark.parametrize("manners", [each for each in Manners if each not in {Manners.HONEST, Manners.TWICE}])
def test_a_bad_centre_moves_no_cursor_and_loses_nothing(manners: Manners) -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.accepted)
            centre.manners = manners
            before = site.cursor, site.journal.cursor(NAMES.readings)
            site.submit_all(alert(number) for number in range(3))
            site.submit_all(temperature(number) for number in range(3))
            await asyncio.sleep(120)
            assert (site.cursor, site.journal.cursor(NAMES.readings)) == before
            assert service.statistics().confirmed == 0
            assert not [report for report in centre.accepted if report.unit]
            assert [frame for frame in centre.heard if frame.unit], "it was told"
            centre.manners = Manners.HONEST
            await until(lambda: site.drained, within_s=3600)
            assert set(fires(centre)) == {0, 1, 2}
            assert len(centre.objects(Analog)) == 3

    virtual.run(story())


def test_a_centre_that_confirms_twice_confirms_once() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            centre.manners = Manners.TWICE
            site.submit_all(alert(number) for number in range(20))
            await until(lambda: site.drained)
            assert service.statistics().confirmed == 20
            assert sorted(fires(centre)) == list(range(20))

    virtual.run(story())


def test_a_packet_is_sent_again_three_times_under_its_number_and_then_the_connection_is_given_up() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre, patience=Patience(2.0, 3)):
            await until(lambda: centre.accepted)
            centre.manners = Manners.SILENT
            site.submit(alert(1))
            await until(lambda: centre.connections == 2)
            await until(lambda: len([frame for frame in centre.heard if frame.unit]) == 5)
            first = [frame for frame in centre.heard if frame.unit][:4]
            assert len({frame.serial for frame in first}) == 1
            assert len({frame.unit for frame in first}) == 1

    virtual.run(story())


def test_a_fire_is_told_while_a_row_that_was_refused_cannot_be_read_again_from_a_dead_card() -> None:
    async def story() -> None:
        site = Site(DeadCard())
        async with SimCentre() as centre, reporting(site, centre) as service:
            centre.refuse = lambda frame: frame.unit[7:9] == b"\1\0"
            site.submit(alert(1, kind="device.fault"))
            await until(lambda: service.statistics().refused)
            await asyncio.sleep(10)  # its time has come again
            site.submit(alert(3))
            await until(lambda: 3 in fires(centre), within_s=1)

    virtual.run(story())


def test_one_row_the_centre_refuses_for_ever_holds_up_nobody_else_and_is_not_passed_over() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.accepted)
            centre.manners = Manners.DENIES
            refused = site.submit(alert(1, kind="device.fault"))
            await until(lambda: service.statistics().refused)
            centre.manners = Manners.HONEST
            centre.refuse = lambda frame: frame.unit[7:9] == b"\1\0"
            for number in range(2, 30):
                site.submit(alert(number))
            await until(lambda: set(fires(centre)) == set(range(2, 30)))
            await asyncio.sleep(60)
            assert site.cursor < (1, refused.seq)
            centre.refuse = lambda _frame: False
            await until(lambda: site.drained, within_s=3600)

    virtual.run(story())


def test_the_gateway_is_told_when_the_centre_is_away_and_when_it_is_back() -> None:
    async def story() -> None:
        site = Site()

        def links() -> list[bool]:
            bodies = (event.body for event in site.told)
            return [body.up for body in bodies if isinstance(body, LinkBody) and body.what == "centre"]

        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.connected)
            await asyncio.sleep(300)
            assert links() == [], "heartbeats are enough"
            await centre.shut()
            await asyncio.sleep(25)
            assert links() == []
            await asyncio.sleep(10)
            assert links() == [False]
            await centre.open()
            await until(lambda: links() == [False, True])
            centre.manners = Manners.SILENT
            await asyncio.sleep(120)
            assert links() == [False, True, False]
            centre.manners = Manners.HONEST
            await until(lambda: links() == [False, True, False, True])

    virtual.run(story())


def test_people_are_told_that_the_centre_refuses_a_fire_although_it_confirms_heartbeats() -> None:
    """A centre that was never told of a detector's address denies all that is said of it, and is otherwise well."""

    async def story() -> None:
        site = Site()

        def links() -> list[bool]:
            return [event.body.up for event in site.told if isinstance(event.body, LinkBody)]

        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.connected)
            centre.refuse = lambda frame: frame.unit[:1] == b"\2"
            site.submit(alert(3))
            await asyncio.sleep(25)
            assert links() == []
            await asyncio.sleep(10)
            assert links() == [False]
            await asyncio.sleep(600)
            assert links() == [False], "a heartbeat that is confirmed tells nobody of a fire"
            centre.refuse = lambda _frame: False
            await until(lambda: links() == [False, True], within_s=1200)
            assert fires(centre) == [3]

    virtual.run(story())


def test_a_fire_that_the_centre_refused_is_no_trouble_any_more_when_it_is_over() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            centre.refuse = lambda frame: frame.unit[:1] == b"\2"
            site.submit(alert(3))
            await until(lambda: any(isinstance(event.body, LinkBody) for event in site.told))
            site.submit(cleared(3))
            await until(
                lambda: site.told[-1].body == LinkBody("centre", "district", True, "it confirms again")
            )

    virtual.run(story())


def test_an_earlier_lifes_trouble_is_over_once_the_centre_confirms() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre, was_down=True):
            await until(lambda: [event.body for event in site.told if isinstance(event.body, LinkBody)])
            assert site.told[-1].body == LinkBody("centre", "district", up=True, reason="it confirms again")

    virtual.run(story())


def test_the_second_address_is_used_while_the_first_is_away() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as first, SimCentre() as second:
            await first.shut()
            async with reporting(site, first, second) as service:
                site.submit(alert(1))
                await until(lambda: site.drained)
                assert fires(second) == [1]
                assert service.statistics().at.endswith(str(second.port))
                await first.open()
                second.drop()
                site.submit(alert(2))
                await until(lambda: 2 in fires(first))

    virtual.run(story())


def test_two_centres_each_have_their_own_cursor() -> None:
    async def story() -> None:
        site = Site()
        other = type(NAMES)("street")
        async with SimCentre() as one, SimCentre() as two:
            await two.shut()
            async with reporting(site, one), reporting(site, two, names=other):
                site.submit(alert(1))
                await until(lambda: fires(one) == [1])
                assert site.journal.depth(other.urgent, Lane.URGENT) > 0
                await two.open()
                await until(lambda: 1 in fires(two))

    virtual.run(story())


def test_a_gateway_that_dies_tells_again_what_was_not_confirmed_and_nothing_else() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre:
            async with reporting(site, centre):
                site.submit_all([alert(1), cleared(1)])
                await until(lambda: site.drained)
                centre.manners = Manners.SILENT
                site.submit_all([alert(2), cleared(2)])
                await until(lambda: centre.heard[-1].unit[:1] == b"\2")
            centre.manners = Manners.HONEST
            site.begin()
            async with reporting(site, centre):
                site.submit_all([alert(3), cleared(3)])
                await until(lambda: site.drained)
            assert fires(centre) == [1, 2, 3]

    virtual.run(story())


def test_a_centre_is_told_that_it_could_not_be_reached() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            site.submit(alert(0, kind="centre.unreachable", device=""))
            site.submit(
                alert(0, kind="centre.unreachable", device="", change=Change.CLEARED, state=State.OVER)
            )
            await until(lambda: site.drained)
            states = [each.state for each in centre.objects(DeviceState) if isinstance(each, DeviceState)]
            assert states == [0b100001, 0b000001]

    virtual.run(story())


def test_no_analog_values_where_they_are_not_wanted() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre, analog=False):
            site.submit(temperature(1))
            site.submit(alert(1))
            await until(lambda: fires(centre) == [1])
            assert not centre.objects(Analog)
            assert NAMES.readings not in site.journal.cursors, "the journal keeps nothing for it"

    virtual.run(story())
