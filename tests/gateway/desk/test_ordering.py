"""The ordering service over real databases, with the gateway's own gate at the other end, and no broker between."""

import asyncio
import contextlib
import dataclasses
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from gateway.core import payload
from gateway.core.events import Body, Change, Clock, CommandBody, Event, OutcomeBody, Place
from gateway.core.gate import Now
from gateway.core.gate import Order as Admitted
from gateway.core.incoming import Incoming
from gateway.desk import order_texts, outages
from gateway.desk.arrivals import Arrival
from gateway.desk.intake import Intake
from gateway.desk.listening import heard
from gateway.desk.ordering.nonces import Nonces
from gateway.desk.ordering.service import PACE_S, QUIET_LOOK_S, Ordering
from gateway.desk.orders import GRACE_S, Order, State
from gateway.desk.outcomes import Outcome
from gateway.desk.port import Port
from gateway.desk.store import events, gateways, news, orders, work
from gateway.desk.store.database import Database
from gateway.desk.store.orders import OtherOrderError, Wish
from gateway.desk.workflow import Command, Step
from gateway.services.remote import Remote
from gateway.services.remote.service import Target
from gateway.services.uplink.beside import DeskLink
from gateway.services.uplink.connection import Message
from tests.desk_parts import GATEWAY, NOW, arrival, opened
from tests.orders import DESK

WISH = Wish("o-1", GATEWAY, "gate-1", "unlock", {"seconds": 5.0}, "网格员", "网格员的手机")


@dataclass
class World:
    """The time, the gateway, and the road between it and the desks. `is_up` False: nobody can send."""

    now: float = NOW
    ahead_s: float = 0.0  # of that is the desks' time of day
    is_up: bool = True
    deaf: bool = False  # what is sent is lost on the way
    mute: bool = False  # outcomes are lost on the way
    opened: list[Admitted] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    desks: list[Ordering] = field(default_factory=list)
    result: str = "done"
    nonces: bytes = b""

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin the gateway's first or next life, with what its journal had."""
        self.remote = Remote(
            GATEWAY,
            [DESK.table],
            find=self._find,
            submit=self._submit,
            publish=self._publish,
            new_id=lambda: "made-up",
            now=lambda: Now(self.now, self.now, Clock.SYNCED),
            restored=getattr(self, "journal", []),
        )
        self.journal: list[Event] = getattr(self, "journal", [])

    # the way of the desks to their broker
    def is_open(self) -> bool:
        return self.is_up

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        assert topic == payload.topic(GATEWAY, "command")
        assert 1 <= expiry_s <= 60
        if not self.is_up:
            return False
        self.sent.append(content)
        if not self.deaf:
            self.remote.heard(Incoming(topic, content))
        return True

    def follow(self, topics: Sequence[str]) -> None:
        raise AssertionError(topics)

    def hear_nonces(self, desk: Ordering) -> None:
        """Have one desk hear what the broker kept."""
        told = heard(payload.topic(GATEWAY, "nonce"), self.nonces, retained=True, settled=lambda: None)
        assert told is not None
        desk.hear(told, self)

    def _find(self, name: str) -> Target:
        if name == "gone":
            raise KeyError(name)
        return Target(Place(building="2"), self._carry_out)

    async def _carry_out(self, order: Admitted) -> OutcomeBody:
        self._submit(CommandBody(order.id, order.target, order.action, dict(order.numbers), order.origin))
        if self.now < order.deadline:
            self.opened.append(order)
        result = self.result if self.now < order.deadline else "late"
        body = OutcomeBody(order.id, order.target, order.action, result, "read back", order.origin)  # type: ignore[arg-type]
        self._submit(body)
        return body

    def _submit(self, body: Body) -> Event:
        event = Event(1, len(self.journal) + 1, self.now, self.now, Clock.SYNCED, body)
        self.journal.append(event)
        self.remote.follow(event)
        if isinstance(body, OutcomeBody):
            self._publish(payload.topic(GATEWAY, "outcome"), payload.outcome_event(event, GATEWAY))
        return event

    def _publish(self, topic: str, content: bytes, **_: object) -> bool:
        if topic.endswith("/nonce"):
            self.nonces = content
        if self.mute and topic.endswith("/outcome"):
            return True
        for desk in self.desks:
            told = heard(topic, content, retained=False, settled=lambda: None)
            assert told is not None
            desk.hear(told, self)
        return True


@dataclass
class Scene:
    """A world with a database in it."""

    world: World
    database: Database

    def desk(self, name: str = "desk-1", *, key: bool = True) -> Ordering:
        """Start a desk; it hears the gateway from now on."""
        made = Ordering(
            self.database,
            DESK.key if key else None,
            operator="desk",
            owner=name,
            now=lambda: self.world.now + self.world.ahead_s,
            clock=lambda: self.world.now,
        )
        self.world.desks.append(made)
        self.world.hear_nonces(made)
        return made

    async def give(self, wish: Wish = WISH) -> Order:
        async with self.database.transaction() as transaction:
            return await orders.order(transaction, wish, self.world.now + self.world.ahead_s)

    async def state(self, name: str = WISH.id) -> Order:
        async with self.database.transaction() as transaction:
            found = await orders.state(transaction, name)
        assert found is not None
        return found

    async def all(self) -> list[Order]:
        async with self.database.transaction() as transaction:
            rows = await transaction.fetch("SELECT id FROM orders ORDER BY id")
        return [await self.state(row["id"]) for row in rows]

    async def turn(self, desk: Ordering, after_s: float = 0.0) -> Order:
        """Move on, have a desk look, the gateway do, and the desk write down what it heard."""
        self.world.now += after_s
        await desk.look()
        for _ in range(10):
            await asyncio.sleep(0)
        waiting = [outcome for outcome, _ in desk._outcomes]
        desk._outcomes.clear()
        await desk.settle(waiting)
        return await self.state() if await self.exists(WISH.id) else Order("", "", "", "", {}, "", 0, 0)

    async def exists(self, name: str) -> bool:
        async with self.database.transaction() as transaction:
            return await orders.state(transaction, name) is not None


def play(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test in a world of its own."""

    async def main() -> None:
        async with opened(where) as database, living() as world:
            await body(Scene(world, database))

    asyncio.run(main())


@asynccontextmanager
async def living() -> AsyncIterator[World]:
    world = World()
    task = asyncio.create_task(world.remote.run())
    while not world.nonces:
        await asyncio.sleep(0)
    try:
        yield world
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_an_order_opens_the_door_and_its_outcome_ends_on_the_record_and_in_the_news(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        done = await scene.turn(desk)
        assert (done.state, done.said) == (State.DONE, "read back")
        [admitted] = scene.world.opened
        assert (admitted.origin, admitted.numbers) == ("remote:desk/网格员", {"seconds": 5.0})
        async with scene.database.transaction() as transaction:
            trail = await work.trail(transaction, f"{GATEWAY}/gate-1")
            told = [(each.topic, each.subject) for each in await news.after(transaction, 0)]
        assert [(row["who"], row["step"], row["outcome"]) for row in trail] == [
            ("网格员", "order unlock", "given"),
            ("网格员", "order unlock", "done"),
        ]
        assert all("网格员的手机" in row["detail"] for row in trail)
        assert told == [("order", "o-1")] * 2

    play(where, body)


def test_the_same_tap_sent_twice_is_one_order_and_its_id_is_taken_for_any_other(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        await scene.turn(desk)
        assert (await scene.give()).state is State.DONE
        await scene.turn(desk, 2.5)
        assert len(scene.world.opened) == 1
        other = Wish("o-1", GATEWAY, "gate-2", "unlock", {}, "网格员")
        with contextlib.suppress(OtherOrderError):
            await scene.give(other)
            raise AssertionError("it was taken")

    play(where, body)


def test_an_order_whose_outcome_is_lost_is_given_again_and_opens_the_door_once(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        scene.world.mute = True
        assert (await scene.turn(desk)).state is State.SENT
        scene.world.mute = False
        assert (await scene.turn(desk, 1.0)).state is State.SENT, "it is waited for first"
        assert len(scene.world.sent) == 1
        assert (await scene.turn(desk, 1.5)).state is State.DONE
        assert len(scene.world.sent) == 2
        assert len(scene.world.opened) == 1

    play(where, body)


def test_what_another_gateway_says_or_of_another_order_ends_none_of_ours(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        scene.world.mute = True
        sent = await scene.turn(desk)
        origin = f"remote:desk/{sent.who}"
        await desk.settle(
            [
                Outcome("hxtp-99", sent.id, "done", "", origin),
                Outcome(GATEWAY, "an-other-order", "done", "", origin),
            ]
        )
        assert await scene.state() == sent
        await desk.settle([Outcome(GATEWAY, sent.id, "done", "", origin)])
        assert (await scene.state()).state is State.DONE

    play(where, body)


def test_a_desk_killed_after_it_sent_leaves_an_order_that_another_desk_settles_and_the_door_opens_once(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        first = scene.desk("desk-1")
        await scene.give()
        await first.look()
        for _ in range(10):
            await asyncio.sleep(0)
        scene.world.desks.clear()  # killed: it never reads the outcome it was sent
        assert len(scene.world.opened) == 1
        assert (await scene.state()).state is State.SENT
        second = scene.desk("desk-2")
        assert (await scene.turn(second, 1.0)).state is State.SENT, "the lease of the first is not over"
        assert (await scene.turn(second, 1.5)).state is State.DONE
        assert len(scene.world.opened) == 1

    play(where, body)


def test_a_desk_killed_before_the_copy_went_out_leaves_an_order_that_is_not_called_late(where: str) -> None:
    """Nobody knows whether it went out, so nobody says that the door was not opened."""

    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        scene.world.deaf = True
        assert (await scene.turn(desk)).state is State.SENT
        found = await scene.turn(desk, 10.0)
        assert found.state is State.SENT
        found = await scene.turn(desk, GRACE_S + 0.1)
        assert (found.state, found.words) == (State.UNKNOWN, order_texts.UNHEARD)

    play(where, body)


def test_an_outcome_that_comes_after_all_hope_still_tells_the_truth(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        scene.world.mute = True
        await scene.turn(desk)
        scene.world.now += 20
        assert (await scene.turn(desk)).state is State.UNKNOWN
        scene.world.mute = False
        last = scene.world.journal[-1]
        scene.world._publish(payload.topic(GATEWAY, "outcome"), payload.outcome_event(last, GATEWAY))
        assert (await scene.turn(desk)).state is State.DONE

    play(where, body)


def test_a_door_order_is_never_kept_for_a_gateway_that_is_away(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        async with scene.database.transaction() as transaction:
            await gateways.available(transaction, GATEWAY, "offline", NOW, live=True)
        await scene.give()
        assert (await scene.turn(desk)).state is State.WAITING
        found = await scene.turn(desk, 10.0)
        assert (found.state, found.words) == (State.LATE, order_texts.AWAY)
        async with scene.database.transaction() as transaction:
            await gateways.available(transaction, GATEWAY, "online", NOW + 10, live=True)
        await scene.turn(desk, 1.0)
        assert scene.world.sent == []

    play(where, body)


@pytest.mark.parametrize("sent", [False, True])
def test_a_door_order_is_not_sent_late_because_the_clock_of_the_desk_was_set_back(
    where: str, sent: bool
) -> None:
    """Nobody stands before the door any more. `sent`: a copy was lost on the way, else the broker was away."""

    async def body(scene: Scene) -> None:
        desk, world = scene.desk(), scene.world
        world.ahead_s, world.is_up, world.deaf = 3600.0, sent, sent
        await scene.give()
        assert (await scene.turn(desk)).state is (State.SENT if sent else State.WAITING)
        world.ahead_s, world.is_up, world.deaf = 0.0, True, False
        found = await scene.turn(desk, 20.0)
        assert world.opened == []
        assert found.state is (State.UNKNOWN if sent else State.LATE)

    play(where, body)


def test_without_its_broker_a_desk_sends_nothing_and_says_so_and_another_desk_sends_it(where: str) -> None:
    async def body(scene: Scene) -> None:
        deaf = scene.desk()
        scene.world.is_up = False
        await scene.give()
        found = await scene.turn(deaf)
        assert (found.state, found.sent) == (State.WAITING, 0)
        found = await scene.turn(deaf, 10.0)
        assert (found.state, found.words) == (State.LATE, order_texts.DEAF)
        scene.world.is_up = True
        await scene.give(Wish("o-2", GATEWAY, "gate-1", "unlock", {}, "网格员"))
        await scene.turn(scene.desk("desk-2"))
        assert (await scene.state("o-2")).state is State.DONE

    play(where, body)


def test_a_connection_lost_at_the_last_moment_leaves_no_doubt(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        real, scene.world.publish = scene.world.publish, lambda *_, **__: False  # type: ignore[method-assign]
        found = await scene.turn(desk)
        assert found.sent == 0
        scene.world.publish = real  # type: ignore[method-assign]
        assert (await scene.turn(desk, 1.0)).state is State.DONE

    play(where, body)


def test_a_nonce_taken_by_somebody_else_costs_a_moment_and_not_the_door(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give()
        pool = scene.world.remote._nonces
        for text, _ in pool.published(scene.world.now):
            pool.use(text)
        found = await scene.turn(desk)
        assert found.state is State.SENT
        assert scene.world.opened == []
        scene.world.remote._renew()
        assert (await scene.turn(desk, 0.3)).state is State.DONE
        assert len(scene.world.opened) == 1

    play(where, body)


def test_two_desks_that_look_at_once_send_one_copy(where: str) -> None:
    async def body(scene: Scene) -> None:
        first, second = scene.desk("desk-1"), scene.desk("desk-2")
        await scene.give()
        await asyncio.gather(first.look(), second.look())
        assert len(scene.world.sent) == 1

    play(where, body)


def test_what_the_gateway_does_not_know_is_refused_in_words(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await scene.give(Wish("o-1", GATEWAY, "gone", "unlock", {}, "网格员"))
        found = await scene.turn(desk)
        assert (found.state, found.words) == (State.REFUSED, order_texts.refused("order:"))

    play(where, body)


def test_without_a_key_an_order_is_refused_at_once_and_says_who_can_help(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk(key=False)
        await scene.give()
        found = await scene.turn(desk)
        assert (found.state, found.words) == (State.REFUSED, order_texts.NO_KEY)
        assert scene.world.sent == []

    play(where, body)


async def step(scene: Scene, number: int, name: Step, label: str = "c") -> None:
    made = Command(f"{label}-{number}-{name}", arrival(number).alert, name, "网格员")
    async with scene.database.transaction() as transaction:
        await work.take_step(transaction, made, scene.world.now)


async def take(scene: Scene, *batch: Arrival) -> None:
    async with scene.database.transaction() as transaction:
        await events.ingest(transaction, batch, scene.world.now)


def raised(seq: int) -> Arrival:
    return dataclasses.replace(arrival(seq), state="active_unacked")


def test_what_is_acknowledged_at_the_desk_is_acknowledged_at_its_gateway(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await take(scene, raised(1))
        await step(scene, 1, Step.ACKNOWLEDGE)
        await scene.turn(desk)
        [admitted] = scene.world.opened
        assert (admitted.action, admitted.origin) == ("acknowledge", "remote:desk/网格员")
        assert arrival(1).alert == f"{GATEWAY}/{admitted.target}"
        [order] = await scene.all()
        assert order.state is State.DONE

    play(where, body)


def test_an_acknowledgement_from_the_gateway_is_not_sent_back(where: str) -> None:
    async def body(scene: Scene) -> None:
        await take(scene, raised(1))
        await take(scene, arrival(2, life=1, change=Change.ACKNOWLEDGED, by="local:console"))
        async with scene.database.transaction() as transaction:
            found = await work.find(transaction, arrival(1).alert)
        assert found is not None
        assert found.acknowledged_by == f"{GATEWAY}: local:console"
        assert await scene.all() == []

    play(where, body)


def test_the_echo_of_our_own_acknowledgement_does_not_close_an_alert_that_was_reopened(where: str) -> None:
    async def body(scene: Scene) -> None:
        await take(scene, raised(1))
        await step(scene, 1, Step.ACKNOWLEDGE)
        await step(scene, 1, Step.REOPEN)
        await take(scene, arrival(2, life=1, change=Change.ACKNOWLEDGED, by="remote:desk/网格员"))
        async with scene.database.transaction() as transaction:
            found = await work.find(transaction, arrival(1).alert)
        assert found is not None
        assert found.acknowledged_by is None

    play(where, body)


def test_acknowledgements_wait_for_a_gateway_that_is_away_and_go_out_slowly_when_it_is_back(
    where: str,
) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        async with scene.database.transaction() as transaction:
            await gateways.available(transaction, GATEWAY, "offline", NOW, live=True)
        await take(scene, *(raised(number) for number in range(1, 6)))
        for number in range(1, 6):
            await step(scene, number, Step.RESOLVE)
        for _ in range(20):
            await scene.turn(desk, 300.0)
        assert scene.world.sent == []
        async with scene.database.transaction() as transaction:
            await gateways.available(transaction, GATEWAY, "online", scene.world.now, live=True)
        scene.world.remote._renew()
        for _ in range(5):
            await scene.turn(desk, QUIET_LOOK_S)
        assert 1 <= len(scene.world.opened) <= 2
        for _ in range(5):
            scene.world.remote._renew()
            await scene.turn(desk, PACE_S + QUIET_LOOK_S)
        assert len(scene.world.opened) == 5
        assert {order.state for order in await scene.all()} == {State.DONE}

    play(where, body)


def test_an_acknowledgement_the_gateway_could_not_do_is_given_again_under_a_fresh_id(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await take(scene, raised(1))
        await step(scene, 1, Step.ACKNOWLEDGE)
        scene.world.result = "failed"
        await scene.turn(desk)
        scene.world.result = "done"
        await scene.turn(desk, PACE_S + QUIET_LOOK_S)
        first, second = await scene.all()
        assert (first.state, second.state) == (State.FAILED, State.DONE)
        assert first.id.removesuffix(".0") == second.id.removesuffix(".1")

    play(where, body)


def test_outcomes_wait_for_a_database_that_is_away_and_one_that_cannot_be_stored_holds_up_no_other(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(scene: Scene) -> None:
        desk, settled = scene.desk(), list[str]()
        tries, real = list[int](), desk.settle

        async def settle(outcomes: Sequence[Outcome]) -> None:
            tries.append(len(outcomes))
            if len(tries) == 1:
                raise OSError("the server is away")
            if any(outcome.id == "bad" for outcome in outcomes):
                raise ValueError("bad")
            await real(outcomes)

        monkeypatch.setattr(desk, "settle", settle)
        monkeypatch.setattr(outages, "PAUSE_S", 0.01)
        for name in ("o-1", "bad", "o-2"):
            await scene.give(Wish(name, GATEWAY, "gate-1", "unlock", {}, "网格员"))
            body = OutcomeBody(name, "gate-1", "unlock", "done", "read back", "remote:desk/网格员")
            event = Event(1, 1, NOW, NOW, Clock.SYNCED, body)
            topic, content = payload.topic(GATEWAY, "outcome"), payload.outcome_event(event, GATEWAY)
            told = heard(topic, content, retained=False, settled=partial(settled.append, name))
            assert told is not None
            assert desk.hear(told, scene.world)
        running = asyncio.create_task(desk._settle_all())
        while len(settled) < 3:
            await asyncio.sleep(0.005)
        running.cancel()
        assert settled == ["o-1", "bad", "o-2"], "none is acknowledged to the broker before it was looked at"
        assert tries == [3, 3, 1, 2, 1, 1]
        assert [(await scene.state(name)).state for name in ("o-1", "o-2")] == [State.DONE, State.DONE]

    play(where, body)


def test_a_streets_nonces_wake_nobody_while_no_order_waits(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        await desk.look()
        desk._wake.clear()
        scene.world.hear_nonces(desk)
        assert not desk._wake.is_set()
        desk._nonces = Nonces(lambda some: some[0])
        await scene.give()
        await desk.look()
        scene.world.hear_nonces(desk)
        assert desk._wake.is_set(), "the order that had no nonce goes out at once"

    play(where, body)


def test_a_gateway_in_the_same_process_is_given_orders_without_a_broker(where: str) -> None:
    async def body(scene: Scene) -> None:
        desk = scene.desk()
        scene.world.desks.clear()
        port = Port(Intake(scene.database), [desk])
        ours, theirs = socket.socketpair()
        link = DeskLink(lambda told: scene.world.remote.heard(Incoming("command", told.content)))
        await link.open(ours)
        serving = asyncio.create_task(port.serve(theirs))

        async def tell(what: str, content: bytes) -> None:
            confirmed = asyncio.Event()
            link.publish(Message(payload.topic(GATEWAY, what), content), lambda _: confirmed.set())
            await confirmed.wait()

        await tell("nonce", scene.world.nonces)
        await scene.give()
        await desk.look()
        while not scene.world.opened:
            await asyncio.sleep(0)
        outcome = scene.world.journal[-1]
        telling = asyncio.create_task(tell("outcome", payload.outcome_event(outcome, GATEWAY)))
        working = asyncio.create_task(desk.run())
        await telling
        working.cancel()
        link.abandon()
        await serving
        assert (await scene.state()).state is State.DONE
        assert not port.publish(payload.topic("another", "command"), b"", expiry_s=5)

    play(where, body)
