"""The queue of a line, driven by hand: each exchange takes the time the test says."""

import sys
from collections import Counter
from collections.abc import Callable

import pytest

from drivers.api import Priority
from drivers.bus import LAST_FIRE_PROBE_S, LAST_PROBE_S, NEVER, SHARES, Bus, Job, doubled_s, probe_pause_s


def _bus(*jobs: Job, ready_at: Callable[[Job], float] = lambda _job: 0.0) -> Bus[Job]:
    return Bus(jobs, ready_at, 0.0)


def _play(bus: Bus[Job], seconds: float, *, took_s: float = 0.025) -> Counter[Job]:
    """Let the line run; return how often each job was sent."""
    now, sent = 0.0, Counter[Job]()
    while now < seconds:
        job = bus.next(now)
        if job is None:
            now = max(bus.wake_at, now)
            continue
        sent[job] += 1
        now += took_s
        bus.done(job, now, took_s)
    return sent


def test_jobs_come_at_their_interval_and_no_faster() -> None:
    fast, slow = Job(0, Priority.FIRE, 1.0), Job(1, Priority.TELEMETRY, 10.0)
    sent = _play(_bus(fast, slow), 100.0)
    assert sent[fast] == 100
    assert sent[slow] == 10


def test_the_most_urgent_class_goes_first() -> None:
    jobs = [Job(0, priority, 1.0) for priority in reversed(Priority) if priority is not Priority.PROBE]
    bus = _bus(*jobs)
    order = []
    while job := bus.next(0.0):
        order.append(job.priority)
        bus.done(job, 0.0, 0.0)
    assert order == sorted(order)


def test_inside_a_class_the_earliest_deadline_goes_first() -> None:
    early, late = Job(0, Priority.DOOR, 1.0), Job(1, Priority.DOOR, 1.0)
    bus = _bus(late)
    bus.queue(late, 2.0)
    bus.queue(early, 1.0)
    assert bus.next(3.0) is early
    assert bus.next(3.0) is late


def test_nothing_is_sent_before_its_time_and_the_bus_says_when() -> None:
    job = Job(0, Priority.FIRE, 1.0)
    bus = _bus(job)
    bus.queue(job, 5.0)
    assert bus.next(4.9) is None
    assert bus.wake_at == 5.0
    assert bus.next(5.0) is job
    assert bus.next(5.0) is None
    assert bus.wake_at == NEVER


def test_a_device_that_needs_silence_is_passed_over_and_not_forgotten() -> None:
    resting, free = Job(0, Priority.FIRE, 1.0), Job(1, Priority.TELEMETRY, 1.0)
    bus = _bus(resting, free, ready_at=lambda job: 3.0 if job is resting else 0.0)
    assert bus.next(1.0) is free
    assert bus.next(1.0) is None
    assert bus.wake_at == 3.0
    assert bus.next(3.0) is resting


def test_a_device_that_needs_silence_stops_no_other_of_its_class_with_another_interval() -> None:
    free, resting = Job(0, Priority.FIRE, 2.0), Job(1, Priority.FIRE, 1.0)
    bus = _bus(free, resting, ready_at=lambda job: 3.0 if job is resting else 0.0)
    assert bus.next(1.0) is free
    assert bus.next(1.0) is None
    assert bus.wake_at == 3.0


def test_fire_that_fills_the_line_leaves_a_tenth_to_the_others() -> None:
    fire = [Job(number, Priority.FIRE, 0.0) for number in range(4)]
    door, telemetry = Job(8, Priority.DOOR, 0.0), Job(9, Priority.TELEMETRY, 0.0)
    sent = _play(_bus(*fire, door, telemetry), 100.0)
    lower = sent[door] + sent[telemetry]
    assert 0.07 < lower / sum(sent.values()) < 0.11
    assert sent[door] > 0
    assert sent[telemetry] > 0


def test_classes_below_fire_share_a_full_line_by_their_shares() -> None:
    jobs = [Job(level, Priority(level), 0.0) for level in SHARES]
    sent = _play(_bus(*jobs), 90.0, took_s=0.1)
    assert [sent[job] for job in jobs] == pytest.approx([400, 400, 100], abs=1)


def test_a_class_that_wanted_nothing_for_an_hour_has_saved_nothing_up() -> None:
    busy, sleeper = Job(0, Priority.SAFETY, 0.0), Job(1, Priority.DOOR, 0.0)
    bus = _bus(busy)
    for step in range(36000):
        assert bus.next(step / 10) is busy
        bus.done(busy, step / 10, 0.1)
    bus.queue(sleeper, 3600.0)
    order = []
    for _ in range(6):
        job = bus.next(3600.0)
        assert job is not None
        order.append(job)
        bus.done(job, 3600.0, 0.1)
    assert order == [sleeper, busy] * 3


def test_inside_a_class_all_are_late_in_proportion_to_their_intervals() -> None:
    fast = [Job(number, Priority.SAFETY, 1.0) for number in range(40)]
    slow = [Job(number, Priority.SAFETY, 5.0) for number in range(40)]
    sent = _play(_bus(*fast, *slow), 300.0, took_s=0.1)  # 4.8 times what the line carries
    assert {round(sent[job] / 10) for job in fast} == {6}
    assert {round(sent[job] / 2) for job in slow} == {6}


def test_one_long_read_of_the_others_is_paid_back_before_the_next() -> None:
    fire, long = Job(0, Priority.FIRE, 0.0), Job(1, Priority.TELEMETRY, 0.0)
    bus, now, spent = _bus(fire, long), 0.0, Counter[Job]()
    while now < 100.0:
        job = bus.next(now)
        assert job is not None
        took_s = 0.28 if job is long else 0.025
        now += took_s
        spent[job] += round(took_s * 1000)
        bus.done(job, now, took_s)
    assert spent[long] / (spent[fire] + spent[long]) < 0.11


def test_a_second_look_is_taken_once_and_ahead_of_all_polls() -> None:
    polls = [Job(number, Priority.FIRE, 1.0) for number in range(5)]
    bus = _bus(*polls)
    bus.hasten(polls[4])
    bus.hasten(polls[4])
    assert bus.next(0.0) is polls[4]
    assert bus.next(0.0) is polls[0]


def test_many_looks_at_once_do_not_put_the_next_poll_off() -> None:
    """A chattering input is looked at again and again; when it is calm, the block is polled at its pace."""
    poll = Job(0, Priority.FIRE, 1.0)
    bus = _bus(poll)
    for now in range(10):
        bus.hasten(poll)
        assert bus.next(now / 100) is poll
        bus.done(poll, now / 100, 0.01)
    assert bus.next(0.5) is None
    assert bus.wake_at == pytest.approx(1.09)


def test_a_command_is_ahead_of_a_second_look() -> None:
    poll, command = Job(0, Priority.FIRE, 1.0), Job(0, Priority.COMMAND, 0.0)
    bus = _bus(poll)
    bus.hasten(poll)
    bus.queue(command, 0.0)
    assert bus.next(0.0) is command
    assert bus.next(0.0) is poll


def test_failed_probes_take_at_most_a_tenth_of_a_full_line() -> None:
    healthy = [Job(number, Priority.FIRE, 0.0) for number in range(4)]
    dead = [Job(number, Priority.FIRE, 1.0) for number in range(4, 20)]
    bus, now, probing_s = _bus(*healthy), 0.0, 0.0
    for job in dead:
        bus.suspend([job], job, 0.0)
    while now < 100.0:
        sent = bus.next(now)
        assert sent is not None
        if sent.level == Priority.PROBE:
            now, probing_s = now + 0.1, probing_s + 0.1
            bus.failed(sent, now + 0.5, 0.1)
        else:
            now += 0.025
            bus.done(sent, now, 0.025)
    assert probing_s / now < 0.12


def test_on_a_line_where_all_are_dead_probes_need_no_budget() -> None:
    dead = [Job(number, Priority.TELEMETRY, 1.0) for number in range(4)]
    bus, now, probes = _bus(), 0.0, 0
    for job in dead:
        bus.suspend([job], job, 0.0)
    while now < 100.0:
        sent = bus.next(now)
        if sent is None:
            now = bus.wake_at
            continue
        now += 0.3
        probes += 1
        bus.failed(sent, now + 5.0, 0.3)
    assert probes > 4 * 100 / 5.3 - 8


def test_only_the_probe_of_a_silent_device_is_sent_until_it_is_back() -> None:
    one, two = Job(0, Priority.FIRE, 1.0), Job(0, Priority.TELEMETRY, 1.0)
    bus = _bus(one, two)
    bus.suspend([one, two], one, 4.0)
    assert bus.next(3.0) is None
    assert bus.next(4.0) is one
    assert one.level == Priority.PROBE
    bus.resume([one, two], lambda _job: 4.1)
    assert [bus.next(4.1), bus.next(4.1)] == [one, two]
    assert one.level == Priority.FIRE


def test_what_is_asked_once_a_day_fills_no_memory_when_its_device_comes_and_goes_all_day() -> None:
    steady, flapping = (Job(number, Priority.TELEMETRY, 86_400.0) for number in range(2))
    bus = _bus(steady)
    for now in range(0, 50_000, 10):
        bus.resume([flapping], lambda _job, at=now: float(at))  # type: ignore[misc]
        while job := bus.next(float(now)):
            bus.done(job, float(now), 0.0)
    assert sys.getrefcount(flapping) < 1_100  # its places in the queue, and this test's own
    assert bus.next(86_400.0) is steady
    assert bus.next(49_990.0 + 86_400.0) is flapping


def test_pauses_between_probes_grow_to_their_limit() -> None:
    assert [probe_pause_s(failed, fire=False) for failed in range(6)] == [
        0.5,
        1.0,
        2.0,
        4.0,
        8.0,
        LAST_PROBE_S,
    ]
    assert probe_pause_s(50, fire=False) == LAST_PROBE_S
    assert probe_pause_s(50, fire=True) == LAST_FIRE_PROBE_S < 5.0


@pytest.mark.parametrize("times", [1023, 1024, 10**7])
def test_what_is_dead_for_years_is_asked_on_after_the_last_pause(times: int) -> None:
    """Two to the power of 1024 is no float: the line of a detector that was dead for 80 minutes ended by it."""
    assert probe_pause_s(times, fire=True) == LAST_FIRE_PROBE_S
    assert doubled_s(0.5, times, 60.0) == 60.0
