"""What the driver makes of answers: exceptions, holes, sentinels, frozen devices, two on one address."""

import asyncio
from dataclasses import replace

from drivers import profile
from drivers.api import Priority, Profile, Quality
from drivers.modbus.codec import ReadRequest
from drivers.modbus.wire import ModbusWire, Register
from drivers.sim.faults import Faults
from drivers.sim.framing import Question
from tests.drivers.rig import Rig, on_line, smoke

WIDE = """
[profile]
driver = "modbus"
category = "input"
title = { zh = "宽", en = "Wide" }
sources = ["a product for this test"]

[timing]
warm_up_s = 30

[modbus]

[[point]]
name = "first"
holding = 0
interval_s = 1

[[point]]
name = "last"
holding = 6
interval_s = 1
sentinels = [0xFFFF]
"""

BEATING = """
[profile]
driver = "modbus"
category = "gas"
title = { zh = "心跳", en = "Beating" }
sources = ["a product for this test"]

[modbus]
freeze = { point = "beat", within_s = 10 }

[[point]]
name = "gas"
holding = 0
interval_s = 1

[[point]]
name = "beat"
holding = 1
interval_s = 1
"""


def _wide() -> Profile:
    return profile.parse(WIDE, file="wide.toml")


def _without(rig: Rig, *missing: int) -> list[ReadRequest]:
    """Let device 1 refuse reads that touch these registers; return the list of its reads."""
    sim, reads = rig.sim(1), list[ReadRequest]()
    answer = sim.answer

    def refuse(question: Question, now: float) -> bytes | None:
        if isinstance(question, ReadRequest):
            reads.append(question)
            if any(question.address <= at < question.address + question.count for at in missing):
                return bytes((question.function | 0x80, 2))
        return answer(question, now)

    sim.answer = refuse  # type: ignore[method-assign]
    return reads


def test_a_block_is_split_at_its_hole_when_the_device_refuses_it() -> None:
    async def scenario(rig: Rig) -> None:
        reads = _without(rig, 3)
        rig.sim(1).set("last", 77)
        await asyncio.sleep(10)
        assert [(read.address, read.count) for read in reads[:4]] == [(0, 7), (0, 7), (0, 1), (6, 1)]
        assert (0, 7) not in [(read.address, read.count) for read in reads[2:]]
        assert [r.value for r in rig.readings("d1") if r.point == "last"][-1] == 77
        assert all(r.quality is Quality.GOOD for r in rig.readings("d1"))

    on_line(scenario, [_wide()])


def test_a_block_that_somebody_wants_again_while_it_is_refused_ends_no_line() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        reads, refuse = _without(rig, 3), rig.sim(1).answer

        def wanted(question: Question, now: float) -> bytes | None:
            rig.driver.read_soon("d1", "first")
            return refuse(question, now)

        rig.sim(1).answer = wanted  # type: ignore[method-assign]
        await rig.until(lambda: len(reads) > 4)
        assert [(read.address, read.count) for read in reads[2:]].count((0, 7)) == 0
        assert rig.readings("d1")[-1].quality is Quality.GOOD
        assert rig.driver.statistics().reopened == 0

    on_line(scenario, [_wide()])


def test_a_register_that_is_not_there_is_bad_once_and_asked_for_rarely() -> None:
    async def scenario(rig: Rig) -> None:
        reads = _without(rig, 6)
        await asyncio.sleep(130)
        bad = [r for r in rig.readings("d1") if r.point == "last"]
        assert [(r.value, r.quality) for r in bad] == [(None, Quality.BAD)]
        assert 3 <= sum(read.address == 6 for read in reads) <= 5
        assert len([r for r in rig.readings("d1") if r.point == "first"]) > 120
        assert rig.driver.statistics().devices[0].online

    on_line(scenario, [_wide()])


def test_a_detector_that_answers_but_does_not_tell_its_fire_is_told_as_away() -> None:
    """Another model at its address, say: no register, no value, no alarm, and an address that answers."""

    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        _without(rig, 6)
        refused_at = rig.loop.time()
        await asyncio.sleep(300)
        last = rig.device_reports("d1")[-1]
        assert (last.online, last.reason) == (False, "does not tell last: exception 2")
        assert last.at - refused_at < 5
        assert rig.readings("d1")[-1].quality is Quality.GOOD, "the rest of it is still believed"
        rig.sim(1).alive = False
        await asyncio.sleep(30)
        rig.sim(1).alive = True
        await asyncio.sleep(120)
        assert not rig.device_reports("d1")[-1].online, "that it is back says nothing of its fire"
        del rig.sim(1).answer
        await asyncio.sleep(120)
        assert rig.device_reports("d1")[-1].online

    wide = _wide()
    first, last = wide.points
    on_line(scenario, [replace(wide, points=(first, replace(last, priority=Priority.FIRE)))])


def test_a_detector_whose_fire_block_is_silent_is_told_as_away_while_the_rest_goes_on() -> None:
    async def scenario(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer
        await asyncio.sleep(5)
        sim.answer = lambda question, now: (  # type: ignore[method-assign]
            None if isinstance(question, ReadRequest) and question.address == 6 else answer(question, now)
        )
        await asyncio.sleep(60)
        assert rig.device_reports("d1")[-1].reason == "does not tell last: silent"
        sim.answer = answer  # type: ignore[method-assign]
        await asyncio.sleep(60)
        assert rig.device_reports("d1")[-1].online

    wide = _wide()
    first, last = wide.points
    on_line(scenario, [replace(wide, points=(first, replace(last, priority=Priority.FIRE)))])


def test_one_stray_exception_takes_no_block_apart() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        reads = _without(rig, 3)
        await rig.until(lambda: reads)
        del rig.sim(1).answer  # back to the real one
        before = rig.loop.time()
        await asyncio.sleep(5)
        assert {r.point for r in rig.readings("d1", since=before)} == {"first", "last"}
        stamps = {r.at for r in rig.readings("d1", since=before)}
        assert len(rig.readings("d1", since=before)) == 2 * len(stamps)

    on_line(scenario, [_wide()])


def test_a_busy_device_is_asked_again_and_stays_online() -> None:
    async def scenario(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer
        sim.answer = lambda question, now: b"\x83\x06" if now < 10 else answer(question, now)  # type: ignore[method-assign]
        await asyncio.sleep(10)
        assert rig.readings("d1") == []
        assert rig.driver.statistics().devices[0].online
        await asyncio.sleep(2)
        assert rig.readings("d1")[-1].quality is Quality.GOOD

    on_line(scenario, [smoke()])


def test_a_device_that_says_busy_and_nothing_else_is_away_until_it_says_more() -> None:
    """A gateway whose panel is gone may say so for days, and a fire there would be seen by nobody."""

    async def scenario(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer
        await asyncio.sleep(5)
        sim.answer = lambda question, now: b"\x83\x06" if now < 600 else answer(question, now)  # type: ignore[method-assign]
        await asyncio.sleep(300)
        last = rig.device_reports("d1")[-1]
        assert (last.online, last.reason) == (False, "busy")
        assert 10 < last.at < 20
        assert rig.readings("d1")[-1].quality is Quality.STALE
        assert rig.device_reports("d2")[-1].online
        await asyncio.sleep(310)
        assert rig.device_reports("d1")[-1].online
        assert rig.readings("d1")[-1].quality is Quality.GOOD

    on_line(scenario, [smoke()] * 2)


def test_one_block_that_is_busy_for_ever_is_stale_while_the_device_goes_on() -> None:
    async def scenario(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer

        def busy(question: Question, now: float) -> bytes | None:
            late = isinstance(question, ReadRequest) and question.address == 6 and now > 5
            return b"\x83\x06" if late else answer(question, now)

        sim.answer = busy  # type: ignore[method-assign]
        await asyncio.sleep(60)
        assert [r.quality for r in rig.readings("d1") if r.point == "last"][-1] is Quality.STALE
        assert [r.quality for r in rig.readings("d1") if r.point == "first"][-1] is Quality.GOOD
        assert rig.device_reports("d1")[-1].online

    wide = _wide()
    assert isinstance(wide.wire, ModbusWire)
    on_line(scenario, [replace(wide, wire=replace(wide.wire, bridge=False))])


def test_a_slow_devices_register_never_gets_the_value_of_another_though_its_port_is_opened_anew() -> None:
    """Its answers come half a second after their time, and the port is opened anew while nobody answers in time."""

    async def scenario(rig: Rig) -> None:
        rig.sim(1).set("smoke", 7)
        rig.sim(1).set("lifetime", 777)
        await asyncio.sleep(300)
        assert rig.driver.statistics().reopened >= 5
        wrong = {"smoke": 777, "lifetime": 7}
        assert [r for r in rig.readings("d1") if r.value == wrong[r.point]] == []

    slow = smoke(interval_s=5.0)
    second = replace(
        slow.points[0], name="lifetime", wire=Register("holding", 50), priority=Priority.TELEMETRY
    )
    assert isinstance(slow.wire, ModbusWire)
    product = replace(slow, points=(*slow.points, second), wire=replace(slow.wire, bridge=False))
    on_line(scenario, [product], turnaround_s=0.5)


def test_a_sentinel_is_a_bad_value_without_a_number() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(1).set("last", None)
        await asyncio.sleep(2)
        last = [r for r in rig.readings("d1") if r.point == "last"][-1]
        assert (last.value, last.quality) == (None, Quality.BAD)

    on_line(scenario, [_wide()])


def test_a_device_that_was_without_power_warms_up_before_its_values_count() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(10)
        assert rig.readings("d1")[-1].quality is Quality.GOOD  # nobody knows when it was switched on
        rig.sim(1).alive = False
        await asyncio.sleep(20)
        rig.sim(1).alive = True
        back_at = await rig.until(lambda: rig.device_reports("d1")[-1].online, within_s=11)
        await asyncio.sleep(29)
        assert {r.quality for r in rig.readings("d1", since=back_at)} == {Quality.BAD}
        await asyncio.sleep(3)
        assert rig.readings("d1")[-1].quality is Quality.GOOD

    on_line(scenario, [_wide(), smoke()])


def test_a_frozen_device_is_offline_although_it_answers() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(30)
        assert [r.online for r in rig.device_reports()] == [True]
        rig.sim(1).frozen = True
        await rig.until(lambda: not rig.device_reports()[-1].online, within_s=16)
        assert rig.device_reports()[-1].reason == "frozen"
        frozen_at = rig.loop.time()
        await asyncio.sleep(5)
        assert {r.quality for r in rig.readings("d1", since=frozen_at)} == {Quality.STALE}
        rig.sim(1).frozen = False
        await rig.until(lambda: rig.device_reports()[-1].online, within_s=16)
        await asyncio.sleep(2)
        assert rig.readings("d1")[-1].quality is Quality.GOOD

    on_line(scenario, [profile.parse(BEATING, file="beating.toml")])


def test_a_damaged_answer_is_asked_for_again_at_once() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(300)
        device = rig.driver.statistics().devices[0]
        assert device.crc_errors > 20
        assert device.retries > 20
        assert len(rig.readings("d1")) > 295  # hardly a poll was lost
        assert [r.online for r in rig.device_reports()] == [True]

    on_line(scenario, [smoke()], faults=Faults(flip=0.1), seed=4)


def test_two_devices_on_one_address_are_suspected() -> None:
    async def scenario(rig: Rig) -> None:
        rig.sim(1).set("smoke", 3)
        rig.sim(2).address = 1
        await asyncio.sleep(120)
        suspects = {d.device for d in rig.driver.statistics().devices if d.suspect_duplicate}
        assert suspects == {"d1"}

    on_line(scenario, [smoke()] * 6)


def test_one_silent_block_is_stale_while_the_device_goes_on() -> None:
    async def scenario(rig: Rig) -> None:
        sim, answer = rig.sim(1), rig.sim(1).answer
        rig.sim(1).set("first", 5)
        await asyncio.sleep(5)

        def half(question: Question, now: float) -> bytes | None:
            return (
                None if isinstance(question, ReadRequest) and question.address == 6 else answer(question, now)
            )

        sim.answer = half  # type: ignore[method-assign]
        await asyncio.sleep(60)
        last = [r for r in rig.readings("d1") if r.point == "last"]
        assert [r.quality for r in last].count(Quality.STALE) == 1
        assert rig.device_reports("d1")[-1].online
        first = [r for r in rig.readings("d1", since=55.0) if r.point == "first"]
        assert len(first) >= 9

    product = _wide()
    apart = tuple(replace(p, interval_s=1.0 if p.name == "first" else 1.5) for p in product.points)
    on_line(scenario, [replace(product, points=apart)])
