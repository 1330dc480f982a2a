"""The interlocks: follow the alerts, engage on a confirmed fire, hold until a person releases them.

Engaging is an event, so that the doors follow it like anything else and a restart finds it in the journal. The
orders to other devices (a fan, the lift) are given here, again and again until they are done, and once more after a
restart: of an engaged interlock all, of one that has ended what the journal does not know as done. A drill engages an
interlock by hand, says so wherever it is shown, and ends by itself; a fire during a drill makes it real.

Sounders sound with it, in a drill too. A person with the right to may silence them while it stands; a fire, a new one
or one that flares up, has them sound again. Their self-test is some seconds of sound that only a fire cuts short.

An order to go back to rest waits as long as another engaged interlock wants the same thing moved: the end of one fire,
of a drill or a test never hushes the siren of another fire. The same goes for `silence`: whoever silences one fire has
not seen the other, so the siren they share sounds on until that is silenced too, and the answer says for which it does.
"""

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from drivers.api import Action, Argument, Done, DriverError, Text
from gateway.core.events import (
    AlertBody,
    Body,
    CommandBody,
    Event,
    InterlockBody,
    NoteBody,
    OutcomeBody,
    Place,
)
from gateway.core.interlocks import InterlockOrder, InterlockPlan
from gateway.core.policy import PolicyError

log = logging.getLogger(__name__)

Act = Callable[[str, str, Mapping[str, float], float], Awaitable[Done]]

WITHIN_S: Final = 3.0
PAUSES_S: Final = (0.5, 1.0, 2.0, 5.0)  # between tries of an order; the last again and again
DRILL_MINUTES: Final = 15.0
LONGEST_DRILL_MINUTES: Final = 120.0
ACTIONS: Final = (
    Action("release", None, Text("解除联动", "Release")),
    Action(
        "drill",
        None,
        Text("演习", "Drill"),
        (Argument("minutes", 1, LONGEST_DRILL_MINUTES, DRILL_MINUTES, "min"),),
    ),
    Action("silence", None, Text("消音", "Silence the sounders")),
    Action(
        "self_test", None, Text("声光警报自检", "Test the sounders"), (Argument("seconds", 1, 60, 5, "s"),)
    ),
)
DRY_RUN: Final = "interlock.dry_run"
SOUND: Final = "sound"  # the lane of orders to sounders, which begin and end by themselves


class Interlocks:
    """All interlocks. `act` has a device do something; `restore` is what stood before, alerts and interlocks."""

    def __init__(
        self,
        plans: Sequence[InterlockPlan],
        *,
        act: Act,
        submit: Callable[[Body], object],
        new_id: Callable[[], str],
        now: Callable[[], float],
        restore: Iterable[Event] = (),
    ) -> None:
        self._plans = {plan.name: plan for plan in plans}
        self._act, self._submit, self._new_id, self._now = act, submit, new_id, now
        self._engaged: dict[str, InterlockBody] = {}
        # how far each alert reaches that forbids a release; None: it is normal again, and latched
        self._burning: dict[str, dict[str, Place | None]] = {name: {} for name in self._plans}
        self._drill_until: dict[str, float] = {}
        self._test_until: dict[str, float] = {}
        # by interlock and lane: the origin, the orders, whether they go back to rest
        self._orders: dict[tuple[str, str], tuple[str, Sequence[InterlockOrder], bool]] = {}
        self._wake = asyncio.Event()
        self._turned = asyncio.Event()  # set, and another in its place, when an interlock changes
        told = list(restore)
        self._owed = {plan.name: plan.owed(told) for plan in plans}
        for event in told:
            if isinstance(event.body, InterlockBody):
                self._engaged[event.body.interlock] = event.body
        alerts = (event.body for event in told if isinstance(event.body, AlertBody))
        self._alerts_before = {body.alert: body for body in alerts}

    def __contains__(self, name: object) -> bool:
        return name in self._plans

    def actions(self, name: str) -> tuple[Action, ...]:
        """Return what an interlock can be told; KeyError if there is none of this name."""
        self._plans[name]
        return ACTIONS

    async def act(self, name: str, action: str, arguments: Mapping[str, float], deadline: float) -> Done:
        """Release an interlock or begin a drill; PolicyError where that may not be."""
        del deadline
        plan = self._plans[name]
        match action:
            case "release":
                return self._release(plan)
            case "silence":
                return self._silence(plan)
            case "self_test":
                return self._self_test(plan, arguments["seconds"])
        return self._drill(plan, arguments["minutes"])

    def follow(self, event: Event) -> None:
        """Take one event of the stream."""
        if isinstance(event.body, AlertBody):
            self._alerts_before.pop(event.body.alert, None)  # what it was in an earlier life is old news
            for plan in self._plans.values():
                self._alert(plan, event.body, fresh=True)

    def statistics(self) -> list[dict[str, Any]]:
        """Return every interlock as it stands."""
        rows = []
        for plan in self._plans.values():
            body = self._standing(plan.name)
            rows.append(
                {
                    "interlock": plan.name,
                    "engaged": body is not None,
                    "drill": body is not None and body.drill,
                    "places": body.places if body is not None else (),
                    "cause": body.cause if body is not None else "",
                    "burning": len(self._burning[plan.name]),
                    "silenced": body is not None and body.silenced,
                    "dry_run": plan.dry_run,
                }
            )
        return rows

    async def run(self) -> None:
        """Take up what stood before, give orders and end drills until cancelled."""
        self._take_up()
        async with asyncio.TaskGroup() as group:
            giving: dict[tuple[str, str], asyncio.Task[None]] = {}
            while True:
                self._wake.clear()
                self._end_drills()
                for lane, (origin, orders, rest) in list(self._orders.items()):
                    del self._orders[lane]
                    if (before := giving.get(lane)) is not None:
                        before.cancel()
                    work = self._give(lane[0], origin, orders, rest=rest)
                    giving[lane] = group.create_task(work, name=f"{origin} {lane[1]}")
                ends = [*self._drill_until.values(), *self._test_until.values()]
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(min(ends, default=None)):
                        await self._wake.wait()

    def _take_up(self) -> None:
        """Assert again what is engaged, end what is owed, and engage what a fire in the journal should have engaged."""
        for name, (after, hush) in self._owed.items():
            for lane, orders in (("", after), (SOUND, hush)):
                if orders and self._standing(name) is None:
                    self._order(name, orders, lane, rest=True)
        for name, body in [each for each in self._engaged.items() if each[1].engaged]:
            plan = self._plans.get(name)
            if plan is None:  # no longer configured: nobody could ever release it
                self._tell(self._released(name, "no longer configured"))
            elif body.drill:
                self._drill_until.pop(name, None)
                self._tell(self._released(name, "the gateway was started anew: the drill is over"))
                self._end(plan, why="drill")
            else:
                self._order(name, plan.orders)
                self._order(name, plan.hush if body.silenced else plan.sound, SOUND, rest=body.silenced)
        alerts, self._alerts_before = self._alerts_before, {}
        for alert in alerts.values():
            for plan in self._plans.values():
                self._alert(plan, alert, fresh=False)

    def _alert(self, plan: InterlockPlan, alert: AlertBody, *, fresh: bool) -> None:
        """Take how an alert stands; a `fresh` one that goes into alarm has silenced sounders sound again."""
        burning = self._burning[plan.name]
        before, reach = burning.pop(alert.alert, None), plan.reach(alert)
        if reach is None:
            return
        burning[alert.alert] = reach if plan.engages(alert) else None
        if not plan.engages(alert):
            return
        if not plan.dry_run:
            self._engage(plan, reach, cause=alert.alert, drill=False)
            if fresh and before is None:
                self._sound_again(plan)
        elif before != reach:
            self._submit(NoteBody(DRY_RUN, f"{plan.name} would engage: {alert.text.zh} ({alert.text.en})"))

    def _engage(self, plan: InterlockPlan, reach: Place, *, cause: str, drill: bool) -> None:
        before = self._standing(plan.name)
        places = before.places if before is not None and not before.drill else ()
        if reach in places:
            return
        log.warning("interlock %s engages: %s", plan.name, cause)
        self._drill_until.pop(plan.name, None)
        self._test_until.pop(plan.name, None)
        self._tell(InterlockBody(plan.name, True, (*places, reach), cause, plan.frees, drill))
        why = "drill" if drill else "interlock"
        self._order(plan.name, plan.orders, why=why)
        self._order(plan.name, plan.sound, SOUND, why=why)

    def _sound_again(self, plan: InterlockPlan) -> None:
        body = self._standing(plan.name)
        if body is not None and body.silenced:
            self._tell(msgspec.structs.replace(body, silenced=False))
            self._order(plan.name, plan.sound, SOUND)

    def _silence(self, plan: InterlockPlan) -> Done:
        body = self._standing(plan.name)
        if body is None or body.silenced or not plan.hush:
            raise PolicyError(f"{plan.name} has no sounders that sound", "`doors` shows the interlocks")
        self._tell(msgspec.structs.replace(body, silenced=True))
        self._order(plan.name, plan.hush, SOUND, rest=True)
        others = dict.fromkeys(other for order in plan.hush for other in self._holders(plan.name, order))
        still = f"; what it shares with {', '.join(others)} sounds on for that" if others else ""
        return Done(f"silenced until the next fire{still}", self._now())

    def _self_test(self, plan: InterlockPlan, seconds: float) -> Done:
        if not plan.sound or plan.dry_run or self._standing(plan.name) is not None:
            raise PolicyError(f"{plan.name} has no sounders to test now", "neither engaged nor a dry run")
        self._test_until[plan.name] = self._now() + seconds
        self._order(plan.name, plan.sound, SOUND, why="test")
        return Done(
            f"they sound for {seconds:g} seconds; each says by its own outcome whether it does", self._now()
        )

    def _end(self, plan: InterlockPlan, *, why: str) -> None:
        """Have everything go back to rest, but for what another interlock holds: that follows when it lets go."""
        self._order(plan.name, plan.after, why=why, rest=True)
        self._order(plan.name, plan.hush, SOUND, why=why, rest=True)

    def _release(self, plan: InterlockPlan) -> Done:
        body = self._standing(plan.name)
        if body is None:
            raise PolicyError(f"{plan.name} is not engaged", "`doors` shows the interlocks")
        if self._burning[plan.name] and not body.drill:
            raise PolicyError(
                f"{plan.name}: an alarm that engaged it still stands", "reset the detector first"
            )
        self._drill_until.pop(plan.name, None)
        self._tell(self._released(plan.name, "released by a person"))
        self._end(plan, why="drill" if body.drill else "interlock")
        return Done("released", self._now())

    def _drill(self, plan: InterlockPlan, minutes: float) -> Done:
        if plan.dry_run or self._standing(plan.name) is not None:
            hint = "in a dry run nothing moves" if plan.dry_run else "it is engaged already: release it first"
            raise PolicyError(f"{plan.name} takes no drill now", hint)
        self._engage(plan, plan.place, cause="drill", drill=True)
        self._drill_until[plan.name] = self._now() + minutes * 60
        return Done(f"a drill for {minutes:g} minutes", self._now())

    def _end_drills(self) -> None:
        for name, until in list(self._drill_until.items()):
            if self._now() >= until:
                del self._drill_until[name]
                self._tell(self._released(name, "the drill is over"))
                self._end(self._plans[name], why="drill")
        for name, until in list(self._test_until.items()):
            if self._now() >= until:
                del self._test_until[name]
                self._order(name, self._plans[name].hush, SOUND, why="test", rest=True)

    def _released(self, name: str, cause: str) -> InterlockBody:
        return InterlockBody(name, False, (), cause)

    def _standing(self, name: str) -> InterlockBody | None:
        """Return how an interlock is engaged; None where it is not."""
        body = self._engaged.get(name)
        return body if body is not None and body.engaged else None

    def _holders(self, name: str, order: InterlockOrder) -> list[str]:
        """Return the other interlocks that want something to stay as it is that an order of `name` moves."""
        engaged = [(plan, self._standing(plan.name)) for plan in self._plans.values() if plan.name != name]
        return [plan.name for plan, body in engaged if body and plan.holds(order, silenced=body.silenced)]

    def _tell(self, body: InterlockBody) -> None:
        self._engaged[body.interlock] = body
        self._submit(body)
        self._turned.set()
        self._turned = asyncio.Event()

    def _order(
        self,
        name: str,
        orders: Sequence[InterlockOrder],
        lane: str = "",
        *,
        why: str = "interlock",
        rest: bool = False,
    ) -> None:
        """Have orders given in the place of those of their lane; `why` is in the origin of each.

        Orders to go back to `rest` wait while another interlock holds what they move; the others never wait.
        """
        self._orders[name, lane] = (f"{why}:{name}", orders, rest)
        self._wake.set()

    async def _give(self, name: str, origin: str, orders: Sequence[InterlockOrder], *, rest: bool) -> None:
        async with asyncio.TaskGroup() as group:
            for order in orders:
                work = self._insist(origin, order, resting=name if rest else None)
                group.create_task(work, name=f"{origin}: {order.device}")

    async def _insist(self, origin: str, order: InterlockOrder, *, resting: str | None) -> None:
        """Give one order until it is done. It is told when it is given, when it first fails and when it is done.

        Before each try one to go back to rest, for the interlock `resting`, waits until no other holds it.
        """
        await self._let_go(resting, order)
        command = CommandBody(self._new_id(), order.device, order.action, dict(order.arguments), origin)
        self._submit(command)
        for turn in itertools.count():
            trouble = await self._try(command)
            if trouble is None:
                return
            if turn == 0:
                self._outcome(command, "failed", f"{trouble}; it is tried on")
            await asyncio.sleep(PAUSES_S[min(turn, len(PAUSES_S) - 1)])
            await self._let_go(resting, order)

    async def _let_go(self, resting: str | None, order: InterlockOrder) -> None:
        while resting is not None and self._holders(resting, order):
            await self._turned.wait()

    async def _try(self, command: CommandBody) -> str | None:
        """Give one order once; return what went wrong."""
        try:
            done = await self._act(command.device, command.action, command.arguments, self._now() + WITHIN_S)
        except (DriverError, PolicyError) as error:
            return str(error)
        except Exception as fault:  # a fault in one order must not end those to the others
            log.exception("%s: %s", command.origin, command.device)
            return f"a fault of the gateway: {type(fault).__name__}"
        self._outcome(command, "done", done.detail)
        return None

    def _outcome(self, command: CommandBody, result: Literal["done", "failed"], detail: str) -> None:
        self._submit(OutcomeBody(command.id, command.device, command.action, result, detail, command.origin))
