"""Orders: written down before they are sent, answered in words, never carried out late."""

import asyncio
from collections.abc import Mapping

import pytest

from drivers.api import Action, Argument, DeviceError, Done, LateError, LineError, Text
from gateway.core.events import (
    BaselineBody,
    Body,
    Clock,
    CommandBody,
    Event,
    OutcomeBody,
)
from gateway.core.policy import PolicyError
from gateway.services.commanding import DEADLINE_S, Commanding

UNLOCK = Action(
    "unlock", None, Text("开门", "unlock"), (Argument("seconds", 0.1, 30, 5.0, "s"),), grants=True
)
RESET = Action("reset", None, Text("复位", "reset"))


class Bench:
    """A recording field with one door, one detector that can be reset and one cover that cannot."""

    def __init__(self, answer: Done | Exception) -> None:
        self.answer = answer
        self.log: list[object] = []
        self.commanding = Commanding(
            self,
            self.act,
            submit=self.submit,
            new_id=lambda: "id-1",
            angles=lambda device: {"roll": 1.5, "pitch": -2.0} if device == "cover-1" else {},
            reset=lambda device, by: self.log.append(("reset", device, by)),
            clock=lambda: 100.0,
        )

    def actions(self, device: str) -> tuple[Action, ...]:
        return {"door-1": (UNLOCK,), "smoke-1": (RESET,), "cover-1": ()}[device]

    async def act(self, device: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        self.log.append(("act", device, action, dict(arguments), deadline))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def submit(self, body: Body) -> Event:
        self.log.append(body)
        return Event(1, len(self.log), 0.0, 0.0, Clock.SYNCED, body)

    def order(self, device: str, action: str, **arguments: float) -> OutcomeBody:
        return asyncio.run(self.commanding.execute(device, action, arguments, "local:root"))


def test_an_order_is_written_down_then_sent_then_its_outcome_is_written_down() -> None:
    bench = Bench(Done("pulse of 5.0 s", 101.0))
    outcome = bench.order("door-1", "unlock")
    assert bench.log == [
        CommandBody("id-1", "door-1", "unlock", {"seconds": 5.0}, "local:root"),
        ("act", "door-1", "unlock", {"seconds": 5.0}, 100.0 + DEADLINE_S),
        outcome,
    ]
    assert (outcome.result, outcome.detail, outcome.grants) == ("done", "pulse of 5.0 s", True)


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        (LateError("unlock", "door-1"), "late"),
        (DeviceError("unlock", "door-1", "exception 4"), "failed"),
        (LineError("unlock", "door-1", "no answer"), "failed"),
    ],
)
def test_a_fault_becomes_an_outcome_that_grants_nothing(fault: Exception, result: str) -> None:
    outcome = Bench(fault).order("door-1", "unlock", seconds=3)
    assert (outcome.result, outcome.grants) == (result, False)
    assert "door-1" in outcome.detail


def test_an_unknown_device_is_refused_and_nothing_is_written() -> None:
    bench = Bench(Done("", 0.0))
    with pytest.raises(PolicyError, match="there is no device 'door-9'"):
        bench.order("door-9", "unlock")
    assert bench.log == []


def test_an_argument_out_of_range_is_refused_before_any_byte() -> None:
    bench = Bench(Done("", 0.0))
    with pytest.raises(PolicyError, match="seconds is 60"):
        bench.order("door-1", "unlock", seconds=60)
    assert bench.log == []


def test_reset_releases_the_alert_and_resets_the_device_when_it_can_be_reset() -> None:
    bench = Bench(Done("reset", 101.0))
    assert bench.order("smoke-1", "reset").result == "done"
    assert ("reset", "smoke-1", "local:root") in bench.log
    assert any(isinstance(entry, tuple) and entry[0] == "act" for entry in bench.log)


def test_reset_releases_the_alert_of_a_device_that_knows_no_reset() -> None:
    bench = Bench(LineError("must", "not be sent"))
    outcome = bench.order("cover-1", "reset")
    assert outcome.result == "done"
    assert ("reset", "cover-1", "local:root") in bench.log


def test_baseline_takes_the_present_angles_as_rest() -> None:
    bench = Bench(LineError("must", "not be sent"))
    outcome = bench.order("cover-1", "baseline")
    assert outcome.detail == "at rest: roll 1.50, pitch -2.00"
    assert BaselineBody("cover-1", "roll", 1.5, "local:root") in bench.log
    assert BaselineBody("cover-1", "pitch", -2.0, "local:root") in bench.log


def test_baseline_without_a_good_angle_is_refused() -> None:
    with pytest.raises(PolicyError, match="no good angle"):
        Bench(Done("", 0.0)).order("door-1", "baseline")
