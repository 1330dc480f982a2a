"""What a crowded line gives each class: the figures that `check` tells, held against the bus itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from drivers import profile
from drivers.api import Device, LineSettings, Priority
from drivers.bus import Bus, Job
from drivers.crowding import THINKING_S, Asked, crowding, stretches, wanted
from drivers.registry import DRIVERS
from tests.drivers.rig import Rig, on_line

FIRE, SAFETY, DOOR, TELEMETRY = Priority.FIRE, Priority.SAFETY, Priority.DOOR, Priority.TELEMETRY
DOOR_BOARD, CARBON_MONOXIDE, SMOKE = "waveshare-door", "greystone-cmd5b4", "sonbest-sm7571b"
KNOWN_S = 30.0  # by then each board has said which one it is, for which a ninth of a crowded line is taken

asked = st.builds(
    Asked,
    st.sampled_from((FIRE, SAFETY, DOOR, TELEMETRY)),
    st.sampled_from((0.5, 1.0, 5.0, 10.0)),
    st.floats(0.02, 0.06),
)


def _periods(questions: Sequence[Asked], seconds: float) -> dict[Priority, float]:
    """Let the bus run; return how many times its interval each class had to wait, on the average of its questions."""
    jobs = {Job(number, each.priority, each.interval_s): each for number, each in enumerate(questions)}
    bus, now, sent = Bus(jobs, lambda _job: 0.0, 0.0), 0.0, Counter[Job]()
    while now < seconds:
        job = bus.next(now)
        if job is None:
            now = bus.wake_at
            continue
        sent[job] += 1
        now += jobs[job].took_s
        bus.done(job, now, jobs[job].took_s)
    got = wanted(Asked(job.priority, now / count, jobs[job].took_s) for job, count in sent.items())
    return {priority: share / got[priority] for priority, share in wanted(questions).items()}


@given(st.lists(asked, min_size=1, max_size=120))
def test_the_bus_stretches_each_class_as_was_told(questions: list[Asked]) -> None:
    told = stretches(wanted(questions))
    found = _periods(questions, 400.0)
    assert found == pytest.approx(told, rel=0.2)


@given(st.lists(asked, min_size=1, max_size=120))
def test_a_line_with_time_for_all_stretches_nobody(questions: list[Asked]) -> None:
    shares = wanted(questions)
    assert (sum(shares.values()) > 1.0) is any(stretch > 1.0 for stretch in stretches(shares).values())


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({SAFETY: 1.4, DOOR: 2.1}, {SAFETY: 2.8, DOOR: 4.2}),  # both want too much: half the line each
        ({SAFETY: 0.05, DOOR: 1.9}, {SAFETY: 1.0, DOOR: 2.0}),  # a button pays nothing for the doors
        ({SAFETY: 1.9, DOOR: 0.05}, {SAFETY: 2.0, DOOR: 1.0}),  # nor a door for the gas
        ({FIRE: 0.8, DOOR: 0.4}, {FIRE: 1.0, DOOR: 2.0}),  # fire keeps what it asks for
        ({FIRE: 1.1, DOOR: 1.0}, {FIRE: 1.21, DOOR: 11.0}),  # but for the tenth that is kept for the others
        ({FIRE: 0.95, DOOR: 0.07}, {FIRE: 0.95 / 0.93, DOOR: 1.0}),
        ({DOOR: 1.0, TELEMETRY: 0.4}, {DOOR: 1.25, TELEMETRY: 2.0}),
    ],
)
def test_who_waits_how_long(shares: Mapping[Priority, float], told: Mapping[Priority, float]) -> None:
    assert stretches(shares) == pytest.approx(told)


def _longest(rig: Rig, times: Mapping[int, list[float]], product: str) -> float:
    """Return the longest time for which a device of a product was not asked: a whole round of its questions."""
    number = {DOOR_BOARD: 2}.get(product, 1)  # questions a round
    return max(
        after - before
        for address, each in times.items()
        if rig.sim(address).profile.name == product
        for before, after in pairwise(each[::number])
    )


def _worst(products: Sequence[str], *, seconds: float = 60.0) -> dict[str, float]:
    async def scenario(rig: Rig) -> dict[str, float]:
        await rig.until(lambda: rig.loop.time() > KNOWN_S)
        times = {address: rig.asked(address) for address in range(1, len(products) + 1)}
        await rig.until(lambda: rig.loop.time() > KNOWN_S + seconds, within_s=seconds + 1)
        return {product: _longest(rig, times, product) for product in dict.fromkeys(products)}

    return on_line(scenario, [profile.load(name) for name in products], turnaround_s=0.01)


def test_on_a_line_of_too_many_doors_and_gas_detectors_no_door_waits_ten_seconds() -> None:
    """By class alone, gas before doors, a door was read every 12.3 s and a gas detector every 1.4 s."""
    worst = _worst([DOOR_BOARD] * 20 + [CARBON_MONOXIDE] * 28)
    assert worst[DOOR_BOARD] < 2.3
    assert worst[CARBON_MONOXIDE] < 2.6


def test_a_crowded_line_does_all_that_its_wire_has_the_time_for() -> None:
    products = [profile.load(name) for name in [DOOR_BOARD] * 20 + [CARBON_MONOXIDE] * 28]
    line = LineSettings("entrances", "memory", 9600)
    questions = DRIVERS["modbus"].asked(line, [Device("d", product, 1) for product in products])
    found = crowding(questions)
    allowed = sum(1 / each.interval_s / found.stretches[each.priority] for each in questions)

    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: rig.loop.time() > 70.0, within_s=71.0)
        assert rig.driver.statistics().polls / 70.0 > 0.98 * allowed

    assert found.wanted > 3.5
    on_line(scenario, products, turnaround_s=THINKING_S)


def test_a_gas_detector_is_not_read_less_often_for_any_number_of_doors() -> None:
    assert _worst([CARBON_MONOXIDE] + [DOOR_BOARD] * 40)[CARBON_MONOXIDE] == pytest.approx(1.0, abs=0.06)


def test_fire_pays_no_more_than_an_exchange_for_a_line_full_of_doors() -> None:
    alone = _worst([SMOKE] * 24)[SMOKE]
    assert _worst([SMOKE] * 24 + [DOOR_BOARD] * 20 + [CARBON_MONOXIDE] * 20)[SMOKE] <= alone + 0.1


def test_a_line_with_time_for_all_is_busy_for_as_long_as_it_is_asked() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.until(lambda: rig.loop.time() > 90.0, within_s=91.0)
        told = rig.driver.statistics()
        assert told.wanted == pytest.approx(told.utilisation, rel=0.03)

    products = [SMOKE] * 8 + [DOOR_BOARD] * 3 + [CARBON_MONOXIDE] * 4
    on_line(scenario, [profile.load(name) for name in products], turnaround_s=THINKING_S)


def test_what_is_asked_as_often_as_the_line_allows_asks_for_no_time_of_its_own() -> None:
    assert crowding([Asked(FIRE, 0.0, 0.03), Asked(DOOR, 0.5, 0.03)]).wanted == pytest.approx(0.06)


def test_a_framed_device_that_is_asked_counts_with_question_and_answer() -> None:
    """An inclinometer is sent 5 bytes and answers at least 5, and what it has to say."""
    device = Device("tilt", profile.load("rion-inclinometer"), 0)
    (asked,) = DRIVERS["framed"].asked(LineSettings("yard", "memory", 9600), [device])
    least_s = 10 * 10 / 9600 + THINKING_S + 38.5 / 9600
    assert least_s <= asked.took_s < least_s + 0.02


def test_devices_that_speak_by_themselves_ask_for_nothing() -> None:
    for name in ("dyp-a01nyub", "gst9000-printer"):
        product = profile.load(name)
        line = LineSettings("yard", "memory", 9600)
        assert not DRIVERS[product.driver].asked(line, [Device("d", product, 1)])
