"""What a fire centre gets that asks or orders: the truth about states, nothing that moves or silences anything."""

import asyncio
import itertools

import pytest

from drivers.gb26875 import frames, stamps, text, units
from drivers.gb26875.frames import Command, Frame
from drivers.gb26875.units import (
    LAYOUTS,
    Analog,
    Bare,
    ComponentAbout,
    ComponentState,
    DeviceAbout,
    DeviceOperation,
    DeviceState,
    DeviceTime,
    DeviceVersion,
    Object,
    OfComponent,
    OfSystem,
    Operation,
    OperationsOfDevice,
    OperationsOfSystem,
    SystemAbout,
    SystemState,
    SystemTime,
    SystemVersion,
    Unit,
    place_of,
)
from drivers.sim.centre import SimCentre
from gateway.core.alerts import State
from gateway.core.events import Change, Clock, CommandBody, NoteBody, OutcomeBody
from gateway.services.centre.answers import Moment
from tests import virtual
from tests.centre_parts import CENTRE, DEVICE, Site, alert, reporting, temperature, until
from tests.uplink_parts import MORNING

LONG_AGO = stamps.stamp(MORNING - 3600, 8.0)


def asked(site: Site, kind: int, *objects: Object, command: Command = Command.REQUEST) -> Unit | None:
    """Ask a site something; return what it answers, None where it refuses."""
    data = units.encode(Unit(kind, objects))
    answer = site.answers.answer(Frame(1, command, CENTRE, DEVICE, bytes(6), data), site.now)
    if answer.command is Command.DENY:
        return None
    assert answer.command is Command.RESPONSE
    return units.decode(answer.unit)


def ordered(site: Site, kind: int, *objects: Object) -> tuple[Command, tuple[str, str] | None]:
    """Order a site something; return what it answers and puts on record."""
    data = units.encode(Unit(kind, objects))
    answer = site.answers.answer(Frame(1, Command.CONTROL, CENTRE, DEVICE, bytes(6), data), site.now)
    return answer.command, answer.record


@pytest.fixture
def site() -> Site:
    """Return a compound with a fire at 3, a fault at 4 and a temperature at 5."""
    site = Site()
    site.submit_all([alert(3), alert(4, kind="fire.fault"), temperature(5, 36.6)])
    return site


def test_states_of_components_are_told_by_address(site: Site) -> None:
    unit = asked(site, 62, *(OfComponent(1, 1, place_of(201, number)) for number in (3, 4, 5, 99)))
    assert unit is not None
    assert [each.state for each in unit.objects if isinstance(each, ComponentState)] == [0b11, 0b101, 0b1]


def test_all_components_are_told_where_none_is_named_as_many_as_fit(site: Site) -> None:
    unit = asked(site, 62)
    assert unit is not None
    assert len(unit.objects) == LAYOUTS[2].most


def test_the_system_has_what_its_components_have(site: Site) -> None:
    unit = asked(site, 61, OfSystem(1, 1))
    assert unit is not None
    (state,) = unit.objects
    assert isinstance(state, SystemState)
    assert state.state == 0b111


def test_a_value_is_told_in_the_standards_steps(site: Site) -> None:
    unit = asked(site, 63, OfComponent(1, 1, place_of(201, 5)))
    assert unit is not None
    (value,) = unit.objects
    assert isinstance(value, Analog)
    assert (value.quantity, value.value) == (3, 366)


@pytest.mark.parametrize(
    ("kind", "question", "answer"),
    [
        (65, OfSystem(1, 1), SystemVersion(1, 1, 0, 1)),
        (68, OfSystem(1, 1), SystemTime(1, 1, stamps.stamp(MORNING, 8.0))),
        (81, Bare(0), DeviceState(0b111, stamps.stamp(MORNING, 8.0))),
        (85, Bare(0), DeviceVersion(0, 1)),
        (88, Bare(0), DeviceTime(stamps.stamp(MORNING, 8.0))),
    ],
)
def test_a_question_is_answered(site: Site, kind: int, question: Object, answer: Object) -> None:
    unit = asked(site, kind, question)
    assert unit is not None
    assert unit.objects == (answer,)


def test_descriptions_are_chinese_in_gb_18030(site: Site) -> None:
    for kind, question in ((66, OfSystem(1, 1)), (67, OfComponent(1, 1, place_of(201, 3))), (86, Bare(0))):
        unit = asked(site, kind, question)
        assert unit is not None
        (each,) = unit.objects
        assert isinstance(each, SystemAbout | ComponentAbout | DeviceAbout)
        assert "号院" in text.read(each.text) or "单元" in text.read(each.text)


def test_operations_are_told_from_a_time_on_and_no_more_than_asked_for(site: Site) -> None:
    for number in range(3):
        site.submit(alert(number, change=Change.ACKNOWLEDGED, state=State.ACTIVE_ACKED))
    unit = asked(site, 64, OperationsOfSystem(1, 1, 2, LONG_AGO))
    assert unit is not None
    assert [each.operation for each in unit.objects if isinstance(each, Operation)] == [32, 32]
    later = stamps.stamp(MORNING + 3600, 8.0)
    assert asked(site, 64, OperationsOfSystem(1, 1, 2, later)) is None
    site.submit(alert(0, kind="centre.duty_check", device="", change=Change.ACKNOWLEDGED, state=State.OVER))
    unit = asked(site, 84, OperationsOfDevice(9, LONG_AGO))
    assert unit is not None
    assert [each.operation for each in unit.objects if isinstance(each, DeviceOperation)] == [32]


@pytest.mark.parametrize(
    ("kind", "question"),
    [(62, OfComponent(1, 1, 12345)), (62, OfComponent(1, 9, place_of(201, 3))), (61, OfSystem(77, 1))],
)
def test_what_is_not_ours_is_refused(site: Site, kind: int, question: Object) -> None:
    assert asked(site, kind, question) is None


def test_starting_anew_is_refused_on_record(site: Site) -> None:
    assert ordered(site, 89, Bare(0)) == (Command.DENY, ("centre.refused", "command 1 of type 89"))


def test_no_command_or_type_moves_anything_or_breaks_the_answer(site: Site) -> None:
    before = len(site.told)
    for command, kind in itertools.product(range(256), range(256)):
        if command in {3, 5, 6}:
            continue
        frame = Frame(1, command, CENTRE, DEVICE, bytes(6), bytes([kind, 1]) + b"\0" * (kind % 12))
        answer = site.answers.answer(frame, site.now)
        assert answer.command in {Command.CONFIRM, Command.DENY, Command.RESPONSE}
        frames.encode(Frame(1, answer.command, DEVICE, CENTRE, bytes(6), answer.unit))
        if answer.command is Command.CONFIRM:
            assert (command, kind) in {(1, 90), (1, 91)}
    assert len(site.told) == before, "answering submits nothing by itself"


@pytest.mark.parametrize(
    ("clock", "take", "theirs", "confirmed", "moved_s"),
    [
        (Clock.SYNCED, True, MORNING + 30, True, 0.0),
        (Clock.SYNCED, True, MORNING + 3600, False, 0.0),
        (Clock.UNSYNCED, False, MORNING + 3600, False, 0.0),
        (Clock.UNSYNCED, True, MORNING + 3600, True, 3600.0),
        (Clock.UNSYNCED, True, MORNING - 86_400 * 365 * 20, False, 0.0),
    ],
)
def test_a_centres_time_moves_at_most_the_times_it_is_told(
    clock: Clock, take: bool, theirs: float, confirmed: bool, moved_s: float
) -> None:
    site = Site(take_clock=take, now=Moment(float(int(MORNING)), clock))
    command, record = ordered(site, 90, DeviceTime(stamps.stamp(int(theirs), 8.0)))
    assert (command is Command.CONFIRM) is confirmed
    assert record is not None
    assert record[0] == "centre.clock"
    told = stamps.wall(site.answers.stamper(site.now.wall, clock), 8.0)
    assert told - int(MORNING) == moved_s
    trusted = stamps.wall(site.answers.stamper(site.now.wall, Clock.SYNCED), 8.0)
    assert trusted == int(MORNING), "a time that was trusted stays"


def test_six_bytes_that_are_no_time_are_refused(site: Site) -> None:
    assert ordered(site, 90, DeviceTime(b"\xff" * 6))[0] is Command.DENY


def test_a_duty_check_is_put_before_people_and_answered_by_their_acknowledgement_alone() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.connected)
            answer = await centre.ask(Command.CONTROL, units.encode(Unit(91, (Bare(10),))))
            assert answer.command == Command.CONFIRM
            assert site.notes() == [NoteBody("centre.duty_check", "district: 10 min")]
            await asyncio.sleep(700)
            assert not centre.objects(DeviceOperation), "nobody was there, and the gateway does not pretend"
            check = alert(0, kind="centre.duty_check", device="")
            site.submit(check)
            site.submit(
                alert(0, kind="centre.duty_check", device="", change=Change.ACKNOWLEDGED, state=State.OVER)
            )
            await until(lambda: centre.objects(DeviceOperation))
            (told,) = centre.objects(DeviceOperation)
            assert isinstance(told, DeviceOperation)
            assert (told.operation, told.operator) == (0b100000, 7)

    virtual.run(story())


def test_a_centre_that_asks_without_end_fills_neither_journal_nor_line() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.accepted)
            packet = Frame(1, Command.CONTROL, CENTRE, DEVICE, bytes(6), units.encode(Unit(89, (Bare(0),))))
            centre.send(*[packet] * 5000)
            await until(lambda: service.statistics().ignored + service.statistics().asked == 5000)
            assert service.statistics().asked <= 100
            assert len(site.notes()) == 1
            event = site.submit(alert(1))
            await until(lambda: site.cursor >= (1, event.seq))

    virtual.run(story())


def test_a_broken_order_is_refused_under_its_number_and_a_strangers_is_not_answered() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre) as service:
            await until(lambda: centre.accepted)
            good = frames.encode(
                Frame(77, Command.CONTROL, CENTRE, DEVICE, bytes(6), units.encode(Unit(91, (Bare(1),))))
            )
            centre.send(good[:-3] + bytes([good[-3] ^ 1]) + good[-2:])
            await until(lambda: any(f.serial == 77 and f.command == Command.DENY for f in centre.heard))
            heard = len(centre.heard)
            stranger = Frame(
                78, Command.CONTROL, CENTRE + 1, DEVICE, bytes(6), units.encode(Unit(91, (Bare(1),)))
            )
            centre.send(stranger)
            await until(lambda: "from address 88889" in service.statistics().trouble)
            assert len(centre.heard) == heard
            assert not site.notes()

    virtual.run(story())


def test_nothing_a_centre_sends_becomes_a_command() -> None:
    async def story() -> None:
        site = Site()
        async with SimCentre() as centre, reporting(site, centre):
            await until(lambda: centre.connected)
            for kind in (61, 89, 90, 91, 128, 200):
                data = bytes([kind, 1]) + bytes(6)
                async with asyncio.timeout(30):
                    await centre.ask(Command.CONTROL, data)
            assert not [each for each in site.told if isinstance(each.body, CommandBody | OutcomeBody)]

    virtual.run(story())
