"""Commands: ahead of all polls, never late, never told as done when nobody knows."""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence

import pytest

from drivers import profile
from drivers.api import DeviceError, Done, DriverError, LateError, LineError
from drivers.modbus.codec import WriteMultiple, WriteSingle
from drivers.sim.faults import Faults
from drivers.sim.framing import Question
from tests.drivers.rig import Rig, on_line, smoke

DOOR = profile.load("waveshare-door")
TILT = profile.load("witmotion-wt901c485")


def _writes(rig: Rig, address: int) -> list[WriteSingle | WriteMultiple]:
    """Return a list that grows by each write the device hears from now on."""
    sim, heard = rig.sim(address), list[WriteSingle | WriteMultiple]()
    answer = sim.answer

    def note(question: Question, now: float) -> bytes | None:
        if isinstance(question, WriteSingle | WriteMultiple):
            heard.append(question)
        return answer(question, now)

    sim.answer = note  # type: ignore[method-assign]
    return heard


def _answer_writes(rig: Rig, reply: bytes) -> None:
    """Let device 1 answer writes with this pdu, and do nothing."""
    answer = rig.sim(1).answer

    def lie(question: Question, now: float) -> bytes | None:
        return reply if isinstance(question, WriteSingle) else answer(question, now)

    rig.sim(1).answer = lie  # type: ignore[method-assign]


def _mute_writes(rig: Rig) -> None:
    """Let device 1 do what is written and say nothing."""
    answer = rig.sim(1).answer

    def mute(question: Question, now: float) -> bytes | None:
        reply = answer(question, now)
        return None if isinstance(question, WriteSingle) else reply

    rig.sim(1).answer = mute  # type: ignore[method-assign]


async def _unlock(rig: Rig, *, within_s: float = 2.0, seconds: float = 5.0) -> Done:
    return await rig.driver.act("d1", "unlock", {"seconds": seconds}, deadline=rig.loop.time() + within_s)


def test_a_door_opens_and_locks_itself() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        done = await _unlock(rig)
        assert done.detail == "read back"
        assert done.at - 5 < 0.15
        assert rig.sim(1).get("strike") is True
        await asyncio.sleep(5.5)
        assert rig.sim(1).get("strike") is False

    on_line(scenario, [DOOR, *[smoke()] * 8])


def test_a_command_overtakes_a_full_line() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        asked_at = rig.loop.time()
        await _unlock(rig)
        assert rig.loop.time() - asked_at < 0.15

    on_line(scenario, [DOOR, *[smoke(interval_s=0.0)] * 31])


@pytest.mark.parametrize("echo", [0.0, 1.0])
def test_a_dead_door_is_never_told_as_opened(echo: float) -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        rig.sim(1).alive = False
        with pytest.raises(LineError, match=r"does not answer|no answer"):
            await _unlock(rig)

    on_line(scenario, [DOOR, smoke()], faults=Faults(echo=echo))


def test_a_door_opens_on_a_line_with_echo() -> None:
    async def scenario(rig: Rig) -> None:
        await _unlock(rig)
        assert rig.driver.statistics().echo is True
        assert rig.sim(1).get("strike") is True

    on_line(scenario, [DOOR], faults=Faults(echo=1.0))


def test_a_write_whose_answer_is_lost_is_looked_at_before_it_is_sent_again() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        heard = _writes(rig, 1)
        _mute_writes(rig)
        assert (await _unlock(rig)).detail == "read back"
        assert heard == [WriteSingle(5, 0x0200, 50)]

    on_line(scenario, [DOOR])


def test_nothing_is_sent_after_the_deadline() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        heard = _writes(rig, 1)
        rig.line.unplug()
        with pytest.raises(LateError, match="not open"):
            await _unlock(rig, within_s=1.0)
        rig.line.plug()
        await asyncio.sleep(30)
        with pytest.raises(LateError):
            await _unlock(rig, within_s=0.0)
        await asyncio.sleep(5)
        assert heard == []

    on_line(scenario, [DOOR])


def test_a_command_waits_for_a_port_that_comes_back_in_time() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        rig.line.unplug()
        rig.loop.call_later(0.3, rig.line.plug)
        assert (await _unlock(rig, within_s=3.0)).detail == "read back"

    on_line(scenario, [DOOR])


def test_commands_of_one_line_go_one_after_the_other() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        one, two = _writes(rig, 1), _writes(rig, 2)
        await asyncio.gather(
            *[rig.driver.act(name, "unlock", {}, deadline=rig.loop.time() + 2) for name in ("d1", "d2")]
        )
        assert len(one) == len(two) == 1

    on_line(scenario, [DOOR, DOOR])


def test_a_device_that_says_no_is_told_with_its_reason() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        _answer_writes(rig, b"\x85\x02")
        with pytest.raises(DeviceError, match="illegal address"):
            await _unlock(rig)

    on_line(scenario, [DOOR])


def test_a_busy_device_gets_a_second_chance() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        answer, left = rig.sim(1).answer, [2]

        def busy(question: Question, now: float) -> bytes | None:
            if isinstance(question, WriteSingle) and left[0]:
                left[0] -= 1
                return b"\x85\x06"
            return answer(question, now)

        rig.sim(1).answer = busy  # type: ignore[method-assign]
        assert (await _unlock(rig)).detail == "read back"

    on_line(scenario, [DOOR])


def test_a_value_that_reads_back_differently_is_an_error() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(5)
        _answer_writes(rig, b"\x05\x02\x00\x00\x32")
        with pytest.raises(DeviceError, match="another value"):
            await _unlock(rig)

    on_line(scenario, [DOOR])


@pytest.mark.parametrize(
    ("arguments", "message"), [({"seconds": 9999.0}, "seconds = 9999"), ({"hours": 1.0}, "unknown argument")]
)
def test_arguments_out_of_range_send_nothing(arguments: dict[str, float], message: str) -> None:
    async def scenario(rig: Rig) -> None:
        heard = _writes(rig, 1)
        with pytest.raises(DriverError, match=message):
            await rig.driver.act("d1", "unlock", arguments, deadline=10.0)
        assert heard == []

    on_line(scenario, [DOOR])


def test_an_address_is_changed_by_unlock_write_and_save_at_the_new_one() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(2)
        await rig.driver.act("d1", "set_address", {"address": 81}, deadline=rig.loop.time() + 5)
        assert rig.sim(1).address == 81

    on_line(scenario, [TILT])


def test_a_bad_line_never_tells_a_door_as_opened_that_is_not() -> None:
    """200 commands over a line that loses, flips, delays and comes late, with echo and without."""

    async def scenario(rig: Rig) -> None:
        opened = 0
        for _ in range(100):
            rig.sim(1).set("strike", False)
            heard = _writes(rig, 1)
            try:
                await _unlock(rig, seconds=1.0)
            except DriverError:
                continue
            finally:
                await asyncio.sleep(2.5)
            assert heard, "told as done, and nothing was heard"
            opened += 1
        assert opened > 50

    for echo in (0.0, 1.0):
        bad = Faults(
            request_lose=0.05, silent=0.05, late=0.05, flip=0.1, lose=0.05, noise_before=0.1, echo=echo
        )
        on_line(scenario, [DOOR, *[smoke()] * 3], faults=bad, seed=5)


def test_a_broadcast_has_no_answer_and_is_done_when_it_is_sent() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(2)
        heard = _writes(rig, 1)
        done = await rig.driver.act("d1", "set_address", {"address": 1}, deadline=rig.loop.time() + 5)
        assert done.detail == "sent to all"
        assert heard == [WriteSingle(6, 0x4000, 1)]
        assert rig.driver.statistics().devices[0].timeouts == 0

    on_line(scenario, [DOOR])


def test_a_write_that_nobody_answers_and_nothing_shows_is_sent_again_and_then_told_as_unknown() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(2)
        heard = _writes(rig, 1)
        _mute_writes(rig)
        with pytest.raises(LineError, match="may have been done"):
            await rig.driver.act("d1", "reset", {}, deadline=rig.loop.time() + 5)
        assert len(heard) == 3
        assert len(set(heard)) == 1

    on_line(scenario, [profile.load("calectro-ug-3-o-mb-r")])


def test_a_deadline_that_passes_half_way_is_not_told_as_nothing_done() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(2)
        _mute_writes(rig)
        with pytest.raises(LineError, match="may have been done") as caught:
            await rig.driver.act("d1", "reset", {}, deadline=rig.loop.time() + 0.05)
        assert not isinstance(caught.value, LateError)

    on_line(scenario, [profile.load("calectro-ug-3-o-mb-r")])


def test_a_step_that_comes_too_late_for_the_device_is_not_sent() -> None:
    async def scenario(rig: Rig) -> None:
        await asyncio.sleep(2)
        heard = _writes(rig, 1)
        running = asyncio.create_task(
            rig.driver.act("d1", "set_address", {"address": 81}, deadline=rig.loop.time() + 60)
        )
        await rig.until(lambda: heard)
        rig.line.unplug()
        rig.loop.call_later(15, rig.line.plug)
        with pytest.raises(LineError):
            await running
        assert rig.sim(1).address == 1

    on_line(scenario, [TILT])


def test_an_unknown_device_action_or_point_is_a_key_error() -> None:
    async def scenario(rig: Rig) -> None:
        attempts: Sequence[tuple[str, str]] = (("d9", "unlock"), ("d1", "fly"))
        for device, action in attempts:
            with pytest.raises(KeyError):
                await rig.driver.act(device, action, {}, deadline=10.0)
        with pytest.raises(KeyError):
            rig.driver.read_soon("d1", "nothing")

    on_line(scenario, [DOOR])


def test_many_dead_boards_beside_one_that_lives_do_not_make_the_line_go_round_in_circles() -> None:
    async def scenario(rig: Rig) -> int:
        await asyncio.sleep(60)
        return len(rig.readings("d1"))

    assert on_line(scenario, [DOOR], absent=[DOOR] * 8) > 100


async def _insist(rig: Rig, device: str) -> None:
    """Have a dead door stand open, again and again."""
    while True:
        with contextlib.suppress(DriverError):
            await rig.driver.act(device, "hold_open", {}, deadline=rig.loop.time() + 3.0)


def test_boards_that_are_dead_hold_up_an_order_to_one_that_answers_by_one_try_at_most() -> None:
    """A fire is told to all of them at once, and it may have burnt through a cable."""

    async def scenario(rig: Rig) -> list[float]:
        took_s = []
        await asyncio.sleep(60)
        async with asyncio.TaskGroup() as group:
            dead = [group.create_task(_insist(rig, f"d{number}")) for number in range(2, 6)]
            for pause_s in (0.0, 0.3, 0.4, 0.5):
                await asyncio.sleep(pause_s)
                began = rig.loop.time()
                await rig.driver.act("d1", "hold_open", {}, deadline=began + 3.0)
                took_s.append(rig.loop.time() - began)
            for task in dead:
                task.cancel()
        return took_s

    first_s, *later_s = on_line(scenario, [DOOR], absent=[DOOR] * 4)
    assert first_s < 0.15  # at the same moment: the living first
    assert max(later_s) < 0.7


def test_boards_that_are_dead_leave_the_line_to_the_exit_buttons_and_detectors_of_the_living() -> None:
    """In a fire the doors of a burnt cable are told again and again; the next fire must be seen all the same."""

    async def scenario(rig: Rig) -> float:
        await asyncio.sleep(60)
        async with asyncio.TaskGroup() as group:
            dead = [group.create_task(_insist(rig, f"d{number}")) for number in range(2, 7)]
            await asyncio.sleep(60)
            for task in dead:
                task.cancel()
        ats = [
            60.0,
            *(reading.at for reading in rig.readings("d1", since=60.0) if reading.point == "exit_button"),
        ]
        return max(later - earlier for earlier, later in itertools.pairwise([*ats, rig.loop.time()]))

    assert on_line(scenario, [DOOR], absent=[DOOR] * 5) < 1.5
