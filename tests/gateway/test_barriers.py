"""A barrier on a relay board: who may move it, what forbids it, what a fire does; real board, inputs and loop."""

import asyncio
import contextlib
from collections.abc import Mapping

import pytest

from drivers.api import Done, LateError, LineError, Quality
from drivers.sim.modbus import SimDevice
from gateway.core.barriers import Barrier, BarrierPlan
from gateway.core.doors import Strike
from gateway.core.events import AlertBody, Clock, Event, InterlockBody, Place, ReadingBody
from gateway.services.barriers import Barriers
from tests import virtual
from tests.gateway.quarter import WALL, Quarter, play

GATE = """
[[bus]]
name = "gate"
port = "/dev/gate"
baud = 19200
[[bus.device]]
name = "relays"
profile = "waveshare-relay-8ch"
address = 1
[[bus.device]]
name = "inputs"
profile = "wellpro-wp8026adam"
address = 2
[[bus]]
name = "riser"
port = "/dev/riser"
[[bus.device]]
name = "smoke-1"
profile = "sonbest-sm7571b"
address = 1
place = { building = "2", floor = "3" }
[[asset]]
name = "east-gate"
kind = "barrier"
label = "东门道闸"
parts = { opened = "inputs.contact_1", closed = "inputs.contact_2", loop = "inputs.contact_3" }
outputs = { open = "relays:1", close = "relays:2", stop = "relays:3" }
set = { travel_s = 4 }
[[interlock]]
name = "fire"
free_doors = true
"""


class Arm:
    """The barrier itself: moves as its relays were pulsed, four seconds from limit to limit."""

    def __init__(self, quarter: Quarter) -> None:
        self._quarter, self.moved = quarter, list[str]()
        self._was: dict[str, bool] = {}
        self.jammed = False

    async def run(self) -> None:
        self._limits(opened=False, closed=True)
        while True:
            for action, channel in (("open", 1), ("close", 2), ("stop", 3)):
                on = self._relay(channel)
                if on and not self._was.get(action):
                    self.moved.append(action)
                    if action != "stop" and not self.jammed:
                        asyncio.get_running_loop().create_task(self._travel(action))
                self._was[action] = on
            await asyncio.sleep(0.05)

    def _relay(self, channel: int) -> bool:
        relays = self._quarter.devices["relays"]
        assert isinstance(relays, SimDevice)
        relays.advance(self._quarter.now)
        return bool(relays.get(f"relay_{channel}"))

    async def _travel(self, action: str) -> None:
        self._limits(opened=False, closed=False)
        await asyncio.sleep(3.0)
        if self.moved[-1] == action:
            self._limits(opened=action == "open", closed=action == "close")

    def _limits(self, *, opened: bool, closed: bool) -> None:
        self._quarter.set("inputs", contact_1=opened, contact_2=closed)


def at_the_gate(scenario: object, *, jammed: bool = False, **more: object) -> None:
    """Play a scenario that gets the quarter and the arm."""

    async def whole(quarter: Quarter) -> None:
        arm = Arm(quarter)
        arm.jammed = jammed
        running = asyncio.create_task(arm.run())
        try:
            await asyncio.sleep(3.0)
            await scenario(quarter, arm)  # type: ignore[operator]
        finally:
            running.cancel()

    play(whole, GATE, **more)  # type: ignore[arg-type]


def test_it_opens_and_closes_by_pulses_the_board_ends_itself() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        assert (await quarter.order("east-gate", "open")).result == "done"
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        assert (await quarter.order("east-gate", "close")).result == "done"
        await quarter.until(lambda: quarter.value("east-gate", "closed"))
        assert arm.moved == ["open", "close"]
        assert quarter.open_kinds() == []

    at_the_gate(scenario)


def test_it_never_closes_on_a_car() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        await quarter.order("east-gate", "open")
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        quarter.set("inputs", contact_3=True)  # it has just driven up: no poll has seen it yet
        outcome = await quarter.order("east-gate", "close")
        assert outcome.result == "refused"
        assert "a car stands under it" in outcome.detail
        assert arm.moved == ["open"]

    at_the_gate(scenario)


def test_it_does_not_close_while_nobody_knows_whether_a_car_is_there() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        await quarter.order("east-gate", "open")
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        quarter.devices["inputs"].alive = False
        outcome = await quarter.order("east-gate", "close")
        assert outcome.result == "refused"
        assert "nobody knows" in outcome.detail
        assert arm.moved == ["open"]

    at_the_gate(scenario)


def test_a_car_that_comes_while_it_closes_makes_it_open_again_at_once() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        await quarter.order("east-gate", "open")
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        await quarter.order("east-gate", "close")
        quarter.set("inputs", contact_3=True)
        took = await quarter.until(lambda: arm.moved[-1] == "open")
        assert took < 1.5
        await quarter.until(lambda: quarter.value("east-gate", "opened"))

    at_the_gate(scenario)


def test_a_loop_that_is_lost_while_it_closes_makes_it_open_again() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        await quarter.order("east-gate", "open")
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        arm.jammed = True  # it takes long to come down
        await quarter.order("east-gate", "close")
        quarter.devices["inputs"].alive = False
        await quarter.until(lambda: arm.moved[-1] == "open", within_s=8)

    at_the_gate(scenario)


def test_one_without_a_limit_for_closed_does_not_open_for_whoever_drives_up_once_it_is_down() -> None:
    loop = ("inputs", "loop")
    barrier = Barrier(BarrierPlan("gate", {}, loop=loop, travel_s=8.0))
    barrier.told("close", 100.0)
    barrier.read(loop, False, 101.0)
    barrier.read(loop, True, 115.0)
    assert barrier.must_open(115.0), "it may not be down yet"
    barrier.told("open", 115.5)
    barrier.told("close", 200.0)
    barrier.read(loop, False, 201.0)
    barrier.read(loop, True, 3800.0)
    barrier.read(loop, None, 3900.0)
    assert not barrier.must_open(3900.0)


def test_its_relays_cannot_be_moved_behind_its_back() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        for action, arguments in (("pulse", {"channel": 2.0}), ("switch_on", {"channel": 2.0})):
            outcome = await quarter.order("relays", action, **arguments)
            assert outcome.result == "refused"
            assert "east-gate" in outcome.detail
        assert arm.moved == []

    at_the_gate(scenario)


def test_a_fire_in_any_building_opens_it_and_nobody_closes_it_until_a_person_releases_that() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        quarter.set("smoke-1", smoke=900)
        await quarter.until(lambda: arm.moved == ["open"])
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        outcome = await quarter.order("east-gate", "close")
        assert outcome.result == "refused"
        assert "held open for the engines" in outcome.detail
        quarter.set("inputs", contact_1=False)  # its own control lets it down
        await quarter.until(lambda: arm.moved == ["open", "open"])
        quarter.set("smoke-1", smoke=10)
        await asyncio.sleep(5.0)
        await quarter.order("smoke-1", "reset")
        assert (await quarter.order("fire", "release")).result == "done"
        await quarter.until(lambda: quarter.value("east-gate", "opened"))
        assert (await quarter.order("east-gate", "close")).result == "done"

    at_the_gate(scenario)


def test_one_that_does_not_open_for_the_engines_is_critical_and_told_to_open_again_and_again() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        arm.jammed = True
        quarter.set("smoke-1", smoke=900)
        await quarter.until(lambda: quarter.alerts("barrier.not_open"), within_s=30)
        assert "消防车" in quarter.alerts("barrier.not_open")[0].text.zh
        await quarter.until(lambda: len(arm.moved) >= 4)
        arm.jammed = False
        await quarter.until(lambda: quarter.alerts("barrier.not_open")[-1].change == "cleared")

    at_the_gate(scenario)


def test_a_limit_that_hangs_at_open_keeps_no_barrier_closed_before_the_engines() -> None:
    """Both limits say yes: the wire of one is shorted, and the barrier is down."""

    async def scenario(quarter: Quarter, arm: Arm) -> None:
        quarter.set("inputs", contact_1=True, contact_2=True)
        await asyncio.sleep(2.0)
        quarter.set("smoke-1", smoke=900)
        await quarter.until(lambda: quarter.alerts("barrier.not_open"), within_s=30)
        assert 2 <= arm.moved.count("open") <= 6, "told again when it should be open, and not each second"
        arm.jammed = False
        await quarter.until(lambda: quarter.alerts("barrier.not_open")[-1].change == "cleared")

    at_the_gate(scenario, jammed=True)


def test_a_fire_of_an_earlier_life_still_holds_it_open() -> None:
    engaged = InterlockBody("fire", True, (Place(compound="红星亭坡 1 号院", building="2"),), "alert-1")
    before = [Event(1, 1, WALL, 0.0, Clock.SYNCED, engaged)]

    async def scenario(quarter: Quarter, arm: Arm) -> None:
        await quarter.until(lambda: arm.moved == ["open"])
        assert (await quarter.order("east-gate", "close")).result == "refused"

    at_the_gate(scenario, restore=before)


def test_a_restart_does_not_say_that_one_the_engines_cannot_pass_is_open() -> None:
    kept: list[Event] = []

    async def before(quarter: Quarter, arm: Arm) -> None:
        quarter.set("smoke-1", smoke=900)
        await quarter.until(lambda: quarter.alerts("barrier.not_open"), within_s=30)
        kept.extend(e for e in quarter.events if isinstance(e.body, AlertBody | InterlockBody))

    async def after(quarter: Quarter, arm: Arm) -> None:
        quarter.set("smoke-1", smoke=900)
        await asyncio.sleep(30.0)
        assert quarter.alerts("barrier.not_open") == []
        assert "barrier.not_open" in quarter.open_kinds()
        arm.jammed = False
        await quarter.until(lambda: quarter.alerts("barrier.not_open"))
        assert quarter.alerts("barrier.not_open")[-1].change == "cleared"

    at_the_gate(before, jammed=True)
    at_the_gate(after, jammed=True, restore=kept)


def test_one_that_is_told_to_close_and_does_not_arrive_is_told() -> None:
    async def scenario(quarter: Quarter, arm: Arm) -> None:
        arm.jammed = True
        await quarter.order("east-gate", "open")
        await quarter.until(lambda: quarter.alerts("barrier.stuck"))
        arm.jammed = False
        await quarter.order("east-gate", "open")
        await quarter.until(lambda: quarter.alerts("barrier.stuck")[-1].change == "cleared")

    at_the_gate(scenario)


@pytest.mark.parametrize("faulty", [False, True])
def test_a_board_that_does_not_answer_keeps_no_other_barrier_from_opening_before_a_car(faulty: bool) -> None:
    """A fire holds one barrier open, whose board is silent or trips us up; at the other a car comes as it closes."""

    def plan(name: str, building: str) -> BarrierPlan:
        outputs = {action: Strike(name, unlock=action) for action in ("open", "close")}
        return BarrierPlan(name, outputs, loop=(f"{name}-in", "loop"), place=Place(building=building))

    async def scenario() -> None:
        loop, moved = asyncio.get_running_loop(), list[str]()

        async def act(device: str, action: str, _: Mapping[str, float], deadline: float) -> Done:
            if device == "burning" and faulty:
                raise ValueError("a fault of ours")
            if device == "burning":
                await asyncio.sleep(deadline - loop.time())
                raise LateError("act", device)
            moved.append(action)
            return Done("told", loop.time())

        def reads(name: str, *, car: bool) -> None:
            body = ReadingBody(f"{name}-in", "loop", car, Quality.GOOD, loop.time())
            barriers.follow(Event(1, 1, loop.time(), loop.time(), Clock.SYNCED, body))

        barriers = Barriers(
            [plan("burning", "1"), plan("other", "2")],
            act=act,
            read_soon=lambda device, _: reads(device.removesuffix("-in"), car=False),
            submit=lambda _: None,
            now=loop.time,
        )
        running = asyncio.create_task(barriers.run())
        await barriers.act("other", "close", {}, loop.time() + 3.0)
        fire = InterlockBody("fire", True, (Place(building="1"),), "alert-1")
        barriers.follow(Event(1, 1, loop.time(), loop.time(), Clock.SYNCED, fire))
        await asyncio.sleep(0.1)
        reads("other", car=True)
        await asyncio.sleep(0.1)
        running.cancel()
        assert moved == ["close", "open"]

    virtual.run(scenario())


@pytest.mark.parametrize("answered", [True, False])
def test_a_barrier_that_is_told_late_to_close_is_told_to_open_again_for_the_car_that_came_before(
    answered: bool,
) -> None:
    """A board that was away hears last what it was told first."""

    async def scenario() -> None:
        loop, moved = asyncio.get_running_loop(), list[str]()

        async def act(device: str, action: str, _: Mapping[str, float], deadline: float) -> Done:
            del deadline
            await asyncio.sleep(1.0 if action == "close" else 0.05)
            moved.append(action)
            if not answered and action == "close":
                raise LineError("act", device, "no answer: it may have been done all the same")
            return Done("told", loop.time())

        def reads(*, car: bool) -> None:
            body = ReadingBody("in", "loop", car, Quality.GOOD, loop.time())
            barriers.follow(Event(1, 1, loop.time(), loop.time(), Clock.SYNCED, body))

        outputs = {action: Strike("gate", unlock=action) for action in ("open", "close")}
        barriers = Barriers(
            [BarrierPlan("gate", outputs, loop=("in", "loop"))],
            act=act,
            read_soon=lambda *_: reads(car=False),
            submit=lambda _: None,
            now=loop.time,
        )
        running = asyncio.create_task(barriers.run())
        closing = asyncio.create_task(barriers.act("gate", "close", {}, loop.time() + 3.0))
        await asyncio.sleep(0.5)
        reads(car=True)
        with contextlib.suppress(LineError):
            await closing
        await asyncio.sleep(0.2)
        running.cancel()
        assert moved == ["open", "close", "open"]

    virtual.run(scenario())
