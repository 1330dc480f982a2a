"""What a lock may do wrong, and its door must not: lost answers, a strike that says otherwise, a fault, a race.

The lock is a few lines that do as they are told, or not; time is virtual.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest

from drivers.api import Done, LineError, Quality
from gateway.core.doors import DoorPlan, Strike
from gateway.core.events import Body, Clock, InterlockBody, LinkBody, OutcomeBody, Place, ReadingBody
from gateway.runtime.stream import Stamp, Stream
from gateway.services.doors import Doors
from tests import virtual

FIRE = InterlockBody("fire", True, (Place(),), "alert-1")
NO_FIRE = InterlockBody("fire", False, (), "released by a person")


@dataclass
class Lock:
    """A lock: what it was told, what it is, and how it fails.

    `answers` is False where its replies are lost, `tells` where it never says what it is. A pulse comes `late_s`
    late to a lock that was away; what is told after it comes first.
    """

    energised: bool = False
    answers: bool = True
    tells: bool = True
    obeys: bool = True
    takes_s: float = 0.01
    late_s: float = 0.0
    fault: Exception | None = None
    told: list[str] = field(default_factory=list)

    async def act(self, action: str, arguments: Mapping[str, float]) -> None:
        """Do as told, or not."""
        if self.fault is not None:
            raise self.fault
        self.told.append(action)
        await asyncio.sleep(self.takes_s)
        if self.obeys:
            self.energised = action != "lock"
        if action == "unlock":
            asyncio.get_running_loop().call_later(arguments["seconds"], self._ends, len(self.told))
        if not self.answers:
            raise LineError("act", "board", "no answer: it may have been done all the same")

    def _ends(self, told: int) -> None:
        if told == len(self.told):  # whatever it is told ends a pulse
            self.energised = False


class Row:
    """Doors a, b, ... with a lock each. `readback` has each lock tell what it is twice a second."""

    def __init__(self, count: int, *, readback: bool) -> None:
        self.locks = {name: Lock() for name in "abcdef"[:count]}
        self.told: list[Body] = []
        self.stream = Stream(epoch=1, last_seq=0, last_alert_seq=0, now=self.stamp)
        self._readback = readback
        self._turns = {name: asyncio.Lock() for name in self.locks}
        plans = [DoorPlan(n, Strike(n, readback=(n, "strike") if readback else None)) for n in self.locks]
        self.doors = Doors(
            plans,
            {},
            act=self._act,
            read_soon=lambda _device, _point: None,
            submit=self.stream.submit,
            new_id=lambda: "id",
            now=self.stamp,
        )
        self.stream.follow("doors", self.doors.follow)
        self.stream.follow("told", lambda event: self.told.append(event.body))

    def stamp(self) -> Stamp:
        """Return the time."""
        now = asyncio.get_running_loop().time()
        return Stamp(now + 1_800_000_000.0, now, Clock.SYNCED)

    def kinds(self, door: str) -> tuple[str, ...]:
        """Return what is wrong with a door."""
        return self.doors.state(door).kinds

    async def order(self, door: str, action: str, **arguments: float) -> None:
        """Give an order, and do not mind what comes of it."""
        now = asyncio.get_running_loop().time()
        with contextlib.suppress(LineError):
            await self.doors.act(door, action, arguments, now + 1.0)

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.doors.run(), name="doors")
            while self._readback:
                for name, lock in self.locks.items():
                    at = asyncio.get_running_loop().time()
                    quality = Quality.GOOD if lock.tells else Quality.BAD
                    self.stream.submit(ReadingBody(name, "strike", lock.energised, quality, at))
                await asyncio.sleep(0.5)

    async def _act(self, device: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        await asyncio.sleep(self.locks[device].late_s if action == "unlock" else 0.0)
        async with self._turns[device]:
            await self.locks[device].act(action, arguments)
        return Done("done", asyncio.get_running_loop().time())


def play(scenario: Callable[[Row], Awaitable[None]], count: int = 1, *, readback: bool = False) -> None:
    """Play a scenario in virtual time."""

    async def main() -> None:
        row = Row(count, readback=readback)
        running = asyncio.create_task(row.run(), name="row")
        try:
            await asyncio.sleep(2.0)
            await scenario(row)
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    virtual.run(main())


def test_a_lock_whose_answers_are_lost_is_locked_again_when_it_need_not_stand_open_any_longer() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].answers = False
        row.stream.submit(FIRE)
        await asyncio.sleep(0.5)
        assert row.locks["a"].energised
        row.stream.submit(NO_FIRE)
        row.locks["a"].answers = True
        await asyncio.sleep(5.0)
        assert not row.locks["a"].energised

    play(scenario)


@pytest.mark.parametrize("readback", [False, True])
def test_a_door_that_could_not_be_freed_is_not_told_any_longer_once_the_fire_is_released(
    readback: bool,
) -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].answers = row.locks["a"].obeys = False
        row.stream.submit(FIRE)
        await asyncio.sleep(10.0)
        assert row.kinds("a") == ("door.not_freed",)
        row.stream.submit(NO_FIRE)
        await asyncio.sleep(10.0)
        assert row.kinds("a") == ()

    play(scenario, readback=readback)


def test_a_strike_that_says_yes_and_does_not_move_is_told_as_not_freed() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].obeys = False
        row.stream.submit(FIRE)
        await asyncio.sleep(10.0)
        assert row.kinds("a") == ("door.not_freed",)
        assert row.doors.state("a").state == "locked"
        row.locks["a"].obeys = True
        await asyncio.sleep(5.0)
        assert row.locks["a"].energised
        assert row.kinds("a") == ()
        assert row.doors.state("a").state == "unlocked"

    play(scenario, readback=True)


@pytest.mark.parametrize("readback", [False, True])
def test_a_lock_that_nobody_can_look_at_is_told_again_and_again_while_it_burns(readback: bool) -> None:
    """It may have lost its power for a moment. There are readers whose output has a state and never tells it."""

    async def scenario(row: Row) -> None:
        row.locks["a"].tells = False
        await asyncio.sleep(1.0)
        row.stream.submit(FIRE)
        await asyncio.sleep(1.0)
        row.locks["a"].energised = False
        await asyncio.sleep(10.0)
        assert row.locks["a"].energised
        assert row.kinds("a") == ()

    play(scenario, readback=readback)


def test_a_lock_down_while_the_lock_is_being_told_to_lock_still_ends_the_pulse_behind_it() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].takes_s = 0.4
        await row.order("a", "hold_open")
        normal = asyncio.create_task(row.order("a", "normal"))
        await asyncio.sleep(0.1)  # `lock` is on its way
        row.doors.grant("a", 30.0, "card")
        await asyncio.sleep(0.1)  # the pulse waits behind it
        lock_down = asyncio.create_task(row.order("a", "lock_down"))
        await asyncio.gather(normal, lock_down)
        await asyncio.sleep(2.0)
        assert row.locks["a"].told[-2:] == ["unlock", "lock"]
        assert not row.locks["a"].energised

    play(scenario)


def test_a_pulse_that_began_late_is_not_cut_short_by_what_the_strike_says() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].takes_s = 2.8  # a busy line
        row.doors.grant("a", 5.0, "card")
        await asyncio.sleep(7.0)
        assert row.locks["a"].energised
        await asyncio.sleep(10.0)
        assert row.locks["a"].told[-1] == "unlock"

    play(scenario, readback=True)


@pytest.mark.parametrize("readback", [False, True])
def test_a_door_that_was_freed_stays_free_though_a_pulse_comes_late_to_its_board(readback: bool) -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].late_s = 1.0
        row.doors.grant("a", 0.2, "card")
        await asyncio.sleep(0.5)
        row.stream.submit(FIRE)
        await asyncio.sleep(1.0)
        assert row.locks["a"].energised

    play(scenario, readback=readback)


@pytest.mark.parametrize("readback", [False, True])
def test_nobody_gets_in_after_a_lock_down_by_a_pulse_that_comes_late_to_the_board(readback: bool) -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].late_s = 1.0
        row.doors.grant("a", 5.0, "card")
        await asyncio.sleep(0.5)
        await row.order("a", "lock_down")
        await asyncio.sleep(1.0)
        assert row.locks["a"].told[-2:] == ["unlock", "lock"]
        assert not row.locks["a"].energised

    play(scenario, readback=readback)


def test_a_pulse_that_comes_late_to_a_board_that_was_told_anew_meanwhile_opens_for_its_time() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].late_s = 1.0
        row.doors.grant("a", 5.0, "card")
        await asyncio.sleep(0.5)
        row.stream.submit(LinkBody("device", "a", True, ""))
        await asyncio.sleep(1.5)
        assert row.locks["a"].told[-2:] == ["lock", "unlock"]
        assert row.locks["a"].energised

    play(scenario)


def test_a_fault_at_one_lock_keeps_no_other_door_shut() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].fault = ValueError("a mistake of ours")
        row.doors.grant("a", 5.0, "card")
        row.stream.submit(FIRE)
        await asyncio.sleep(0.2)
        assert [row.locks[name].energised for name in "bc"] == [True, True]
        await asyncio.sleep(5.0)
        assert row.kinds("a") == ("door.not_freed",)
        row.locks["a"].fault = None
        await asyncio.sleep(2.0)
        assert row.locks["a"].energised

    play(scenario, 3)


def test_a_grant_that_nobody_carries_out_is_told() -> None:
    async def main() -> None:
        row = Row(1, readback=False)
        row.doors.grant("a", 5.0, "card …4567")
        (outcome,) = [body for body in row.told if isinstance(body, OutcomeBody)]
        assert (outcome.device, outcome.result, outcome.origin) == ("a", "failed", "card …4567")
        assert row.doors.state("a").state == "locked"

    virtual.run(main())


def test_a_reader_that_tells_a_card_a_hundred_times_has_one_pulse_under_way() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].takes_s = 0.5
        for _ in range(100):
            row.doors.grant("a", 5.0, "card")
            await asyncio.sleep(0.01)
        await asyncio.sleep(2.0)
        assert row.locks["a"].told.count("unlock") <= 3
        assert [body for body in row.told if isinstance(body, OutcomeBody)] == []

    play(scenario)


def test_the_way_out_is_free_after_a_lock_down_though_a_pulse_was_under_way_before_it() -> None:
    async def scenario(row: Row) -> None:
        row.locks["a"].takes_s = 0.5
        row.doors.grant("a", 5.0, "card")
        lock_down = asyncio.create_task(row.order("a", "lock_down"))
        await asyncio.sleep(0.1)
        row.doors.grant("a", 5.0, "exit button")
        await lock_down
        await asyncio.sleep(1.5)
        assert row.locks["a"].told[-3:] == ["unlock", "lock", "unlock"]
        assert row.locks["a"].energised

    play(scenario)
