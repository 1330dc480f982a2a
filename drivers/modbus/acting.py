"""Carrying an action out: its writes in order, each answered, verified or told as doubtful.

A write that is not answered may have been done, or may still be. So it is not repeated blindly: where the
profile says how, the device is asked what it has now; else it is sent again, which for an absolute value
("on for 5 s", "address 7") ends in the same state. Only a toggle is never sent twice. Nothing is sent after the
deadline.

Who answers comes first: an order to a device that is offline takes half a second to come to nothing, and a fire is
told to all doors of a line at once, some of whose boards may have lost their power or their cable. And however
often that is tried again, it gets a quarter of the line and no more: the rest is for what others have to say.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

from drivers.api import DeviceError, Done, LateError, LineError
from drivers.modbus.codec import ExceptionReply, ReadReply, Request, WriteSingle
from drivers.modbus.exchange import Answer, Failure, Question
from drivers.modbus.line import Line
from drivers.modbus.member import Member
from drivers.modbus.orders import Order, orders

ATTEMPTS: Final = 3
BUSY_PAUSE_S: Final = 0.1
SPARED: Final = 3.0  # times as long as an order to a device that is offline took, no other one is tried
TICK_S: Final = 0.01
BUSY: Final = frozenset((5, 6))
COIL_TOGGLE: Final = 0x5500  # of Waveshare and its relatives: not the same when sent twice
NAMES: Final[Mapping[int, str]] = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, not done yet",
    6: "busy",
    10: "gateway path unavailable",
    11: "target device does not answer",
}


class Acting:
    """Carries actions out on one line, one after the other. `online` says whether a device answers."""

    def __init__(
        self, line: Line, clock: Callable[[], float], *, online: Callable[[Member], bool] = lambda _: True
    ) -> None:
        self._line, self._clock, self._online = line, clock, online
        self._turn = asyncio.Lock()
        self._pressing = 0  # orders to devices that answer
        self._calm = asyncio.Event()
        self._calm.set()
        self._spared_until = 0.0

    async def act(
        self, member: Member, action: str, arguments: Mapping[str, float], *, deadline: float
    ) -> Done:
        """Carry out an action; DriverError says why not, or what is not known."""
        steps = orders(member.device.profile.action(action), arguments)
        async with self._in_turn(member, deadline):
            if self._clock() >= deadline:
                raise LateError("act", member.device.name, "commands before it took too long")
            detail = await _Sequence(self._line, self._clock, member, deadline).run(steps)
        return Done(detail, self._clock())

    @contextlib.asynccontextmanager
    async def _in_turn(self, member: Member, deadline: float) -> AsyncIterator[None]:
        """Have the line for one action; first come, first served, but who does not answer comes last."""
        if self._online(member):
            self._press(+1)
            try:
                async with self._turn:
                    yield
            finally:
                self._press(-1)
            return
        await asyncio.sleep(0)  # orders of this very moment are not in line yet
        while True:
            await self._calm.wait()
            await asyncio.sleep(max(min(self._spared_until, deadline) - self._clock(), 0.0) + TICK_S)
            async with self._turn:
                began = self._clock()
                if began >= deadline or (self._calm.is_set() and began >= self._spared_until):
                    try:
                        yield
                    finally:
                        now = self._clock()
                        self._spared_until = max(self._spared_until, now + SPARED * (now - began))
                    return

    def _press(self, change: int) -> None:
        self._pressing += change
        (self._calm.clear if self._pressing else self._calm.set)()


class _Sequence:
    """The steps of one action on their way."""

    def __init__(self, line: Line, clock: Callable[[], float], member: Member, deadline: float) -> None:
        self._line, self._clock, self._member, self._deadline = line, clock, member, deadline
        self._address = member.device.address
        self._where = member.device.name
        self._written = False  # something has gone out that may change the device
        self._step_at = clock()

    async def run(self, steps: Sequence[Order]) -> str:
        """Go through the steps; return what came of it."""
        detail = "answered"
        for step, following in zip(steps, [*steps[1:], None], strict=True):
            if step.within_s is not None and self._clock() - self._step_at > step.within_s:
                raise LineError("act", self._where, "too slow between two steps; the device refuses the rest")
            if step.expect is not None:
                await self._expect(step)
                detail = "read back"
            elif step.broadcast:
                await self._ask(Question(0, step.request))
                detail = "sent to all"
            else:
                await self._write(step.request, following)
            self._step_at = self._clock()
            self._address = step.new_address or self._address
            if step.pause_s:
                await asyncio.sleep(step.pause_s)
        return detail

    async def _write(self, request: Request, following: Order | None) -> None:
        """Write until the device says it is done; LineError if that stays unknown."""
        question = Question(self._address, request)
        if question.mirrored:
            await self._know_echo()
        for _ in range(ATTEMPTS if _repeatable(request) else 1):
            answer = await self._ask(question)
            if isinstance(answer, ExceptionReply):
                await self._wait_or_refuse(answer)
            elif not isinstance(answer, Failure) or await self._done_all_the_same(following):
                return
        raise LineError("act", self._where, "no answer: it may have been done all the same")

    async def _expect(self, step: Order) -> None:
        if not await self._holds(step):
            raise DeviceError(
                "act", self._where, "it answered, but reads back another value than was written"
            )

    async def _done_all_the_same(self, following: Order | None) -> bool:
        """Look whether an unanswered write was done, if the profile says how that can be seen."""
        return following is not None and following.expect is not None and await self._holds(following)

    async def _holds(self, step: Order) -> bool:
        assert step.expect is not None
        return (await self._read(step.request)).values == step.expect

    async def _know_echo(self) -> None:
        """Find out whether the line echoes, or the echo of the write would be taken for its answer.

        A refusal tells that as well as a value.
        """
        echo, polls = self._line.conversation.echo, self._member.polls
        if echo.heard is None and polls:
            try:
                await self._read(polls[0].question.request)
            except (DeviceError, LineError):
                if echo.heard is None:
                    raise

    async def _read(self, request: Request) -> ReadReply:
        question = Question(self._address, request)
        for _ in range(ATTEMPTS):
            answer = await self._ask(question)
            if isinstance(answer, ReadReply):
                return answer
            if isinstance(answer, ExceptionReply):
                await self._wait_or_refuse(answer)
        known = "nothing was written" if not self._written else "what was written is not known to be done"
        raise LineError("act", self._where, f"does not answer; {known}")

    async def _ask(self, question: Question) -> Answer:
        try:
            answer = await self._line.ask(self._member, question, deadline=self._deadline)
        except LateError as error:
            if not self._written:
                raise
            hint = "the deadline has passed; what was written so far may have been done"
            raise LineError("act", self._where, hint) from error
        self._written = self._written or not question.is_read
        return answer

    async def _wait_or_refuse(self, answer: ExceptionReply) -> None:
        if answer.code not in BUSY:
            name = NAMES.get(answer.code, "refused")
            raise DeviceError("act", self._where, f"the device says no: {name} (exception {answer.code})")
        await asyncio.sleep(BUSY_PAUSE_S)


def _repeatable(request: Request) -> bool:
    return not (isinstance(request, WriteSingle) and request.function == 5 and request.value == COIL_TOGGLE)
