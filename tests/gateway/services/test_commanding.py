"""Orders: written down before they are sent, answered in words, never carried out late."""

import asyncio
import logging
from collections.abc import Mapping

import pytest

from drivers.api import Action, Argument, DeviceError, Done, LateError, LineError, Text
from gateway.core.door_actions import actions_of
from gateway.core.events import (
    BaselineBody,
    Body,
    Clock,
    CommandBody,
    Event,
    OutcomeBody,
)
from gateway.core.policy import PolicyError, Ticket
from gateway.services.commanding import DEADLINE_S, Commanding
from tests import virtual

UNLOCK = Action(
    "unlock", None, Text("开门", "unlock"), (Argument("seconds", 0.1, 30, 5.0, "s"),), grants=True
)
RESET = Action("reset", None, Text("复位", "reset"))
AWAY = Action("away", None, Text("外出", "away"))


class Bench:
    """A recording field with one door, one detector that can be reset and one cover that cannot."""

    def __init__(self, answer: Done | Exception) -> None:
        self.answer, self.took_s = answer, 0.0
        self.log: list[object] = []
        self.commanding = Commanding(
            self,
            self.act,
            submit=self.submit,
            new_id=lambda: "id-1",
            angles=lambda device: {"cover-1": {"roll": 1.5, "pitch": -2.0}, "smoke-1": {}, "door-1": {}}[
                device
            ],
            reset=lambda device, by: self.log.append(("reset", device, by)),
            clock=lambda: 100.0,
        )

    def actions(self, device: str) -> tuple[Action, ...]:
        gate = {"gate-1": actions_of(5.0, 30.0)}
        return {
            "door-1": (UNLOCK,),
            "smoke-1": (RESET,),
            "cover-1": (),
            "fire": (),
            "flat-302": (AWAY,),
            **gate,
        }[device]

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


def test_the_log_says_of_an_order_what_came_of_it_and_of_a_residents_only_that_there_was_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench(Done("the key was turned", 101.0))
    with caplog.at_level(logging.INFO):
        bench.order("door-1", "unlock")
        bench.order("flat-302", "away")
    assert caplog.messages == [
        "door-1 unlock by local:root: done, the key was turned",
        "an order about a resident by local:root: done",
    ]


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


# --- orders from afar -----------------------------------------------------------------------------

AFAR = "remote:desk/warden-1"


class Disk:
    """A record that takes `commit_s` to write a row, for ever if None."""

    def __init__(self, commit_s: float | None = 0.01, *, failing: bool = False) -> None:
        self.commit_s, self.failing = commit_s, failing

    async def committed(self, _event: Event) -> None:
        await asyncio.sleep(1e9 if self.commit_s is None else self.commit_s)


def from_afar(
    disk: Disk | None, *, deadline: float = 10.0, device: str = "door-1", action: str = "unlock"
) -> tuple[Bench, OutcomeBody]:
    """Give one order with a ticket, in virtual time."""

    async def main() -> tuple[Bench, OutcomeBody]:
        bench = Bench(Done("contact: open", 0.0))
        loop = asyncio.get_running_loop()
        bench.commanding = Commanding(
            bench, bench.act, submit=bench.submit, new_id=lambda: "local", record=disk,
            clock=lambda: 500.0 + loop.time(),
            angles=lambda _: {"roll": 1.5}, reset=lambda device, by: bench.log.append(("reset", device, by)),
            probe=lambda point: bench.log.append((point, round(loop.time(), 3))),
        )  # fmt: skip
        ticket = Ticket("order-1", 500.0 + deadline)
        outcome = await bench.commanding.execute(device, action, {}, AFAR, ticket)
        bench.took_s = loop.time()
        return bench, outcome

    return virtual.run(main())


def test_an_order_from_afar_is_on_the_disk_before_anything_moves() -> None:
    bench, outcome = from_afar(Disk(0.5))
    assert bench.log == [
        CommandBody("order-1", "door-1", "unlock", {"seconds": 5.0}, AFAR),
        ("commanding.before_act", 0.5),
        ("act", "door-1", "unlock", {"seconds": 5.0}, 510.0),
        ("commanding.after_act", 0.5),
        outcome,
    ]
    assert (outcome.id, outcome.result, outcome.detail) == ("order-1", "done", "contact: open")


@pytest.mark.parametrize("commit_s", [10.0, None])
def test_an_order_that_is_not_on_the_disk_by_its_deadline_moves_nothing(commit_s: float | None) -> None:
    bench, outcome = from_afar(Disk(commit_s))
    assert outcome.result == "late"
    assert [type(entry) for entry in bench.log] == [CommandBody, OutcomeBody]
    assert bench.took_s == pytest.approx(10.0), "whoever waits for the answer has it at the deadline"


@pytest.mark.parametrize("disk", [None, Disk(failing=True)])
def test_where_nothing_can_be_written_no_order_from_afar_is_taken(disk: Disk | None) -> None:
    with pytest.raises(PolicyError, match="on record"):
        from_afar(disk)


@pytest.mark.parametrize(
    ("action", "done"),
    [("baseline", BaselineBody("cover-1", "roll", 1.5, AFAR)), ("reset", ("reset", "cover-1", AFAR))],
)
def test_baseline_and_reset_from_afar_wait_for_the_disk_too(action: str, done: object) -> None:
    bench, outcome = from_afar(Disk(0.5), device="cover-1", action=action)
    assert isinstance(bench.log[0], CommandBody)
    assert bench.log[1:3] == [("commanding.before_act", 0.5), done]
    assert outcome.result == "done"


def test_a_local_order_does_not_wait_for_the_disk() -> None:
    async def main() -> OutcomeBody:
        bench = Bench(Done("open", 0.0))
        bench.commanding = Commanding(
            bench, bench.act, submit=bench.submit, new_id=lambda: "local", record=Disk(None),
            angles=lambda _: {}, reset=lambda _device, _by: None,
        )  # fmt: skip
        async with asyncio.timeout(1):
            return await bench.commanding.execute("door-1", "unlock", {}, "local:root")

    assert virtual.run(main()).result == "done"


@pytest.mark.parametrize(
    ("later", "moved"), [("lock_down", ["lock_down"]), ("unlock", ["unlock", "hold_open"])]
)
def test_an_order_that_waited_for_the_disk_does_not_undo_a_later_one_how_the_door_is_to_stand(
    later: str, moved: list[str]
) -> None:
    async def main() -> tuple[OutcomeBody, list[str]]:
        bench = Bench(Done("done", 0.0))
        ids = iter(["local-1", "local-2"])
        bench.commanding = Commanding(
            bench, bench.act, submit=bench.submit, new_id=lambda: next(ids), record=Disk(3.0),
            angles=lambda _: {}, reset=lambda _device, _by: None, clock=asyncio.get_running_loop().time,
        )  # fmt: skip
        give = bench.commanding.execute
        waiting = asyncio.create_task(give("gate-1", "hold_open", {}, AFAR, Ticket("order-1", 10.0)))
        await asyncio.sleep(1.0)
        assert (await give("gate-1", later, {}, "local:police")).result == "done"
        outcome = await waiting
        return outcome, [entry[2] for entry in bench.log if isinstance(entry, tuple) and entry[0] == "act"]

    outcome, acted = virtual.run(main())
    assert acted == moved
    if later == "lock_down":
        assert (outcome.result, outcome.origin) == ("refused", AFAR)
        assert outcome.detail == "local:police gave lock_down after it (the later order stands)"


def test_what_an_earlier_life_left_open_is_said_to_be_unknown() -> None:
    bench = Bench(Done("", 0.0))
    command = CommandBody("order-1", "door-1", "unlock", {}, AFAR)
    known = CommandBody("order-2", "door-1", "unlock", {}, AFAR)
    bodies: tuple[Body, ...] = (
        command,
        known,
        OutcomeBody("order-1", "door-1", "unlock", "refused", "nonce: used", "unverified"),
        OutcomeBody("order-2", "door-1", "unlock", "done", "", AFAR),
    )
    bench.commanding.settle(Event(1, seq, 0.0, 0.0, Clock.SYNCED, body) for seq, body in enumerate(bodies, 1))
    (outcome,) = bench.log
    assert isinstance(outcome, OutcomeBody)
    assert (outcome.id, outcome.result, outcome.origin) == ("order-1", "unknown", AFAR)
    assert outcome.detail == "the gateway stopped before it knew what came of it"


def test_what_only_whoever_acts_can_know_is_a_refusal_on_record() -> None:
    outcome = Bench(PolicyError("a fire holds it free")).order("door-1", "unlock")
    assert (outcome.result, outcome.detail) == ("refused", "a fire holds it free")


def test_a_fire_of_a_detector_that_was_taken_away_can_be_reset_by_its_name() -> None:
    """Or the doors it freed would stand open for ever: nobody releases an interlock over a fire."""
    bench = Bench(Done("", 0.0))
    assert bench.order("smoke-9", "reset").result == "done"
    assert ("reset", "smoke-9", "local:root") in bench.log


def test_an_interlock_lies_at_no_angle() -> None:
    with pytest.raises(PolicyError, match="no good angle"):
        Bench(Done("", 0.0)).order("fire", "baseline")
