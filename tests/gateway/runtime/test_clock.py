"""The clock says what time it is and whether that can be believed."""

import time

import pytest

from gateway.core.events import Clock
from gateway.runtime import clock as clocks
from gateway.runtime.clock import SystemClock


def test_it_tells_the_time_of_day_and_of_this_boot() -> None:
    before = (time.time(), time.monotonic())
    stamp = SystemClock()()
    after = (time.time(), time.monotonic())
    assert before[0] <= stamp.wall <= after[0]
    assert before[1] <= stamp.monotonic <= after[1]


def test_it_believes_the_kernel_and_asks_it_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def synced(_: SystemClock) -> bool:
        asked.append(1)
        return True

    monkeypatch.setattr(SystemClock, "_kernel_is_synced", synced)
    clock = SystemClock()
    assert [clock().clock for _ in range(3)] == [Clock.SYNCED] * 3
    assert len(asked) == 1


def test_a_time_before_this_software_was_written_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SystemClock, "_kernel_is_synced", lambda _: True)
    monkeypatch.setattr(clocks, "RELEASED", time.time() + 3600)
    assert SystemClock()().clock is Clock.UNSYNCED


def test_the_kernel_answers_when_asked() -> None:
    assert SystemClock()._kernel_is_synced() in {True, False}  # adjtimex(2) as it is on this machine
