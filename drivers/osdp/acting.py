"""Carrying an action out: its commands in order, each acknowledged by the peripheral, none sent after the deadline.

A command that is not answered may have been done; it is sent again, because all there are end in the same state
when done twice. What was not sent yet when the deadline comes is taken back.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from drivers.api import DeviceError, Done, LateError, LineError
from drivers.osdp.member import Errand, Member
from drivers.osdp.orders import Order, orders
from drivers.osdp.peripherals import Peripherals

ATTEMPTS: Final = 3


class Acting:
    """Carries actions out, one after the other on each peripheral."""

    def __init__(self, peripherals: Peripherals, clock: Callable[[], float]) -> None:
        self._peripherals, self._clock = peripherals, clock

    async def act(
        self, member: Member, action: str, arguments: Mapping[str, float], *, deadline: float
    ) -> Done:
        """Carry out an action; DriverError says why not, or what is not known."""
        name = member.device.name
        steps = orders(member.device.profile.action(action), arguments)
        async with member.turn:
            if self._clock() >= deadline:
                raise LateError("act", name, "commands before it took too long")
            if not self._peripherals.supervision.roll.online(member.number):
                raise LineError("act", name, "it is offline")
            done = [await self._carry_out(member, step, deadline) for step in steps]
        member.ask_soon("output", self._clock())
        return Done("acknowledged" if any(done) else "it has nothing to show it with", self._clock())

    async def _carry_out(self, member: Member, order: Order, deadline: float) -> bool:
        """Send one command until it is acknowledged; False if the peripheral has no use for it."""
        name, tries = member.device.name, 0
        while True:
            if member.identity is not None and not order.possible(member.identity.capabilities):
                if order.courtesy:
                    return False
                raise DeviceError("act", name, "it says it has no such output")
            errand = await self._send(member, order, deadline, sent_before=tries > 0)
            if errand is None:
                return True
            if errand.refusal:
                raise DeviceError("act", name, errand.refusal)
            tries += errand.sent
            if tries == ATTEMPTS:
                raise LineError("act", name, "no answer: it may have been done all the same")

    async def _send(
        self, member: Member, order: Order, deadline: float, *, sent_before: bool
    ) -> Errand | None:
        """Send one command once; None when it was acknowledged, else the errand that tells what became of it."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        errand = Errand(dict(order.command), order.code, answer=answer, deadline=deadline)
        late = loop.call_at(deadline, self._too_late, member, errand, sent_before)
        self._peripherals.queue(member, errand)
        try:
            return None if await answer else errand
        finally:
            late.cancel()
            self._peripherals.drop(member, errand)

    def _too_late(self, member: Member, errand: Errand, sent_before: bool) -> None:
        if errand.sent or errand.answer is None or errand.answer.done():
            return
        name = member.device.name
        if sent_before:
            hint = "no answer before the deadline: it may have been done all the same"
            errand.answer.set_exception(LineError("act", name, hint))
        else:
            errand.answer.set_exception(LateError("act", name, "the line was busy, or it was away"))
