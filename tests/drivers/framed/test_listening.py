"""What frames and silences of a line mean where it matters who spoke, how long nobody did, and how a device failed."""

import asyncio
from dataclasses import replace

import pytest

from drivers import profile
from drivers.api import Profile, Quality
from drivers.framed.codec import Frame, encode
from drivers.framed.wire import FramedWire, Freeze, Request
from tests.drivers.framed.rig import Rig, on_line


def product(
    name: str, *, warm_up_s: float = 0.0, interval_s: float | None = None, freeze: Freeze | None = None
) -> Profile:
    """Return a shipped product with another pace."""
    shipped = profile.load(name)
    assert isinstance(shipped.wire, FramedWire)
    points = tuple(replace(each, interval_s=interval_s or each.interval_s) for each in shipped.points)
    timing = replace(shipped.timing, warm_up_s=warm_up_s)
    return replace(shipped, points=points, timing=timing, wire=replace(shipped.wire, freeze=freeze))


def test_what_a_unit_says_that_nobody_listed_is_no_reading_of_the_one_that_is_listed() -> None:
    made = profile.load("rion-inclinometer")
    assert isinstance(made.wire, FramedWire)
    stranger = encode(made.wire.layout, Frame(0x84, bytes.fromhex("004500 004500 000000"), 9))

    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        unit.set("x", 1.5)
        answer = unit.answer

        def both(request: Request) -> bytes | None:
            own = answer(request)
            return stranger if own is None else stranger + own

        unit.answer = both  # type: ignore[method-assign]
        await asyncio.sleep(30.0)
        assert {r.value for r in rig.readings("x")} == {1.5}
        unit.alive = False
        await rig.until(lambda: rig.links() == [(True, "answers"), (False, "silent")], within_s=10.0)
        await asyncio.sleep(30.0)
        assert not [r for r in rig.readings("x") if r.value != 1.5]

    on_line(scenario, made)


def test_a_device_that_is_seldom_asked_is_not_taken_for_one_that_was_without_power() -> None:
    async def scenario(rig: Rig) -> None:
        rig.units[0].set("x", 1.5)
        await asyncio.sleep(200.0)
        assert len(rig.readings("x")) > 15
        assert {r.quality for r in rig.readings("x")} == {Quality.GOOD}

    on_line(scenario, product("rion-inclinometer", warm_up_s=30.0, interval_s=10.0))


def test_a_device_that_stood_still_and_spoke_on_is_warm_when_it_moves_again() -> None:
    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        unit.set("distance", 1000)
        await rig.until(lambda: rig.links()[-1:] == [(False, "frozen")])
        unit.set("distance", 900)
        await rig.until(lambda: rig.links()[-1] == (True, "answers"))
        last = rig.last("distance")
        assert last is not None
        assert (last.value, last.quality) == (900, Quality.GOOD)

    on_line(scenario, product("dyp-a02yyuw", warm_up_s=20.0, freeze=Freeze("distance", 30.0)))


def test_a_value_that_nobody_could_hear_for_a_while_did_not_stand_still_in_that_time() -> None:
    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        unit.set("x", 1.5)
        await asyncio.sleep(10.0)
        unit.alive = False
        await asyncio.sleep(60.0)
        unit.alive = True
        await rig.until(lambda: rig.links()[-1] == (True, "answers"))
        await asyncio.sleep(15.0)
        assert rig.links() == [(True, "answers"), (False, "silent"), (True, "answers")]
        await asyncio.sleep(10.0)
        assert rig.links()[-1] == (False, "frozen"), "what was seen before counts"

    on_line(scenario, product("rion-inclinometer", freeze=Freeze("x", 30.0)), addresses=(1, 2))


def test_a_device_whose_answers_are_damaged_is_told_as_that_and_not_as_silent() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(rig.links)
        answer = rig.units[0].answer
        rig.units[0].answer = lambda request: (answer(request) or b"")[:-1] + b"\x00"  # type: ignore[method-assign]
        await rig.until(lambda: len(rig.links()) == 2)
        assert rig.links()[-1] == (False, "damaged")

    on_line(scenario, "rion-inclinometer")


def test_a_value_that_is_heard_no_more_is_not_told_again_because_the_device_says_something_else() -> None:
    """Told twice it would confirm itself."""

    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        unit.set("movement", 50)
        await rig.until(lambda: (last := rig.last("movement")) and last.value == 50)
        unit._tell_at.pop(0x8003)
        began = rig.now
        await asyncio.sleep(300.0)
        assert rig.readings("presence", since=began)[-1].quality is Quality.GOOD
        assert not rig.readings("movement", since=began + 0.1)

    on_line(scenario, "micradar-r60afd1")


def test_the_beginning_of_an_answer_and_the_next_answer_a_second_later_are_not_read_as_one() -> None:
    """The sum of one byte fits by chance: 0A 01 84 00 00 00 00 68 0A, and then 01."""

    async def scenario(rig: Rig) -> None:
        unit = rig.units[0]
        unit.set("x", 1.0)
        await rig.until(lambda: rig.last("x"))
        whole, answer = unit.answer, [bytes.fromhex("68 0A 01 84 00 00 00 00")]
        unit.answer = lambda request: answer.pop() if answer else whole(request)  # type: ignore[method-assign]
        await asyncio.sleep(10.0)
        assert not answer
        assert {r.value for r in rig.readings("x") if r.quality is Quality.GOOD} == {1.0}

    on_line(scenario, "rion-inclinometer")


@pytest.mark.parametrize("interval_s", [6.0, 60.0])
def test_a_line_whose_devices_are_seldom_asked_is_opened_anew_only_when_they_are_silent(
    interval_s: float,
) -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(600.0)
        assert rig.driver.statistics().reopened == 0
        rig.units[0].alive = False
        await asyncio.sleep(300.0)
        assert 3 <= rig.driver.statistics().reopened <= 12

    on_line(scenario, product("rion-inclinometer", interval_s=interval_s))


def test_a_device_that_is_silent_is_told_before_the_next_turn_of_one_that_is_seldom_asked() -> None:
    """Whether it is the device or the line, its neighbours know: they are asked for that."""

    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: rig.links("d1") and rig.links("d2"))
        rig.units[1].alive = False
        assert await rig.until(lambda: len(rig.links("d2")) == 2, within_s=75.0) > 60.0
        assert rig.links("d2")[-1] == (False, "silent")

    on_line(scenario, product("rion-inclinometer", interval_s=60.0), addresses=(1, 2))


def test_after_a_short_break_the_same_value_is_told_again_at_once() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: len(rig.readings("x")) == 2)
        rig.line.unplug()
        await rig.until(lambda: (last := rig.last("x")) and last.quality is Quality.STALE)
        rig.line.plug()
        await rig.until(lambda: (last := rig.last("x")) and last.quality is Quality.GOOD, within_s=1.0)

    on_line(scenario, product("rion-inclinometer", interval_s=10.0))
