"""The remote service: nonces out, orders in, each carried out once, told to who asked, with nothing real moving."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.events import Body, Clock, CommandBody, Event, NoteBody, OutcomeBody, Place
from gateway.core.gate import Now, Order
from gateway.core.incoming import Incoming
from gateway.core.policy import PolicyError
from gateway.core.refusals import ALERT
from gateway.services.remote import Remote
from gateway.services.remote.service import AT_ONCE, Target
from tests import virtual
from tests.orders import COMMITTEE, DESK, EVERYBODY, GATEWAY, WARDEN, Operator

OUTCOME = f"compound/v1/{GATEWAY}/outcome"
PLACES = {"door-1-1": Place(building="1"), "door-2-1": Place(building="2"), GATEWAY: Place()}


@dataclass
class House:
    """A house in memory on virtual time. `moved` is every order that would have moved something."""

    restored: tuple[Event, ...] = ()
    connected: bool = True
    answer: Callable[[Order], Awaitable[str]] | None = None
    moved: list[Order] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sent: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    clock: Clock = Clock.SYNCED

    def __post_init__(self) -> None:
        numbers = count()
        self.remote = Remote(
            GATEWAY,
            [each.table for each in EVERYBODY],
            find=self.find,
            submit=self.submit,
            publish=self.publish,
            new_id=lambda: f"line-{next(numbers)}",
            now=self.now,
            restored=self.restored,
        )

    def now(self) -> Now:
        time = asyncio.get_running_loop().time()
        return Now(1_000.0 + time, time, self.clock)

    def find(self, name: str) -> Target:
        return Target(PLACES[name], self.carry_out)

    async def carry_out(self, order: Order) -> OutcomeBody:
        if order.action not in {"unlock", "lock_down"}:
            raise PolicyError(f"{order.target} has no action {order.action!r}", "it has: unlock")
        self.submit(CommandBody(order.id, order.target, order.action, order.numbers, order.origin))
        self.moved.append(order)
        detail = await self.answer(order) if self.answer else "contact: open"
        outcome = OutcomeBody(order.id, order.target, order.action, "done", detail, order.origin)
        self.submit(outcome)
        return outcome

    def submit(self, body: Body) -> Event:
        event = Event(1, len(self.events) + 1, 1_000.0, 0.0, self.clock, body)
        self.events.append(event)
        self.remote.follow(event)
        return event

    def publish(self, topic: str, content: bytes, **how: Any) -> bool:
        if self.connected:
            self.sent.append((topic, json.loads(content), how))
        return self.connected

    def on(self, topic: str) -> list[dict[str, Any]]:
        return [content for name, content, _ in self.sent if name == topic]

    def pool(self) -> list[dict[str, Any]]:
        pool: list[dict[str, Any]] = self.on(f"compound/v1/{GATEWAY}/nonce")[-1]["nonces"]
        return pool

    def outcomes(self, result: str = "") -> list[OutcomeBody]:
        bodies = (event.body for event in self.events)
        return [body for body in bodies if isinstance(body, OutcomeBody) and result in {"", body.result}]

    def order(self, operator: Operator = DESK, *, number: int = 0, **changed: Any) -> bytes:
        now = int(self.now().wall)
        usual = {"iat": now, "exp": now + 20, "nonce": self.pool()[number]["nonce"]}
        return operator.order(**(usual | changed))

    async def give(self, order: bytes, **envelope: Any) -> None:
        self.remote.heard(Incoming("command", order, **envelope))
        await asyncio.sleep(0.01)


def story(tell: Callable[[House], Awaitable[None]], **house: Any) -> House:
    """Run one story in a house and return the house."""

    async def main() -> House:
        told = House(**house)
        task = asyncio.create_task(told.remote.run(), name="remote")
        await asyncio.sleep(0.01)
        await tell(told)
        task.cancel()
        await asyncio.wait([task])
        return told

    return virtual.run(main())


def test_nonces_are_published_retained_for_a_minute_with_the_time_and_their_life() -> None:
    async def tell(house: House) -> None:
        await asyncio.sleep(300)

    house = story(tell)
    topic, content, how = house.sent[0]
    assert topic == "compound/v1/bench/nonce"
    assert how == {"retain": True, "expiry_s": 60}
    assert content["gateway"] == "bench"
    assert content["clock"] == "synced"
    assert content["time"].startswith("1970-01-01T00:16:40")
    assert 300 / 60 <= len(house.sent) <= 300 / 5
    for _, each, _ in house.sent:
        assert all(len(nonce["nonce"]) == 22 and 15 < nonce["seconds"] <= 60 for nonce in each["nonces"])
        assert len(each["nonces"]) == 8


def test_an_order_is_carried_out_and_its_nonce_replaced_at_once() -> None:
    async def tell(house: House) -> None:
        before = house.pool()[0]["nonce"]
        await house.give(house.order())
        assert before not in {each["nonce"] for each in house.pool()}

    house = story(tell)
    assert [order.target for order in house.moved] == ["door-1-1"]
    assert [body.result for body in house.outcomes()] == ["done"]


def test_the_same_bytes_again_move_nothing_and_are_audited() -> None:
    async def tell(house: House) -> None:
        order = house.order()
        for _ in range(3):
            await house.give(order)

    house = story(tell)
    assert len(house.moved) == 1
    assert [body.detail.partition(":")[0] for body in house.outcomes("refused")] == ["nonce", "nonce"]


def test_a_repeated_id_gets_the_old_outcome_under_its_old_number_and_moves_nothing() -> None:
    async def tell(house: House) -> None:
        await house.give(house.order())
        await house.give(house.order(), answer_to=f"{OUTCOME}/me", correlation=b"7")

    house = story(tell)
    assert len(house.moved) == 1
    told = next(event for event in house.events if isinstance(event.body, OutcomeBody))
    assert [each["id"] for each in house.on(OUTCOME)] == [told.id]
    assert [each["id"] for each in house.on(f"{OUTCOME}/me")] == [told.id]
    assert house.outcomes("refused") == []


def test_a_repeated_id_while_the_first_is_under_way_waits_for_the_same_outcome() -> None:
    async def slow(_: Order) -> str:
        await asyncio.sleep(3)
        return "at last"

    async def tell(house: House) -> None:
        await house.give(house.order(), answer_to=f"{OUTCOME}/one")
        await house.give(house.order(), answer_to=f"{OUTCOME}/two")
        await asyncio.sleep(5)

    house = story(tell, answer=slow)
    assert len(house.moved) == 1
    assert [house.on(f"{OUTCOME}/{who}")[0]["data"]["detail"] for who in ("one", "two")] == ["at last"] * 2


def test_a_repeated_id_with_another_content_is_refused() -> None:
    async def tell(house: House) -> None:
        await house.give(house.order())
        await house.give(house.order(arguments={"seconds": 30}))

    house = story(tell)
    assert len(house.moved) == 1
    assert house.outcomes("refused")[0].detail.startswith("repeated:")


def test_after_a_restart_an_id_is_still_known() -> None:
    origin = "remote:desk/warden-1"
    bodies: tuple[Body, ...] = (
        CommandBody("order-1", "door-1-1", "unlock", {"seconds": 5.0}, origin),
        OutcomeBody("order-1", "door-1-1", "unlock", "done", "contact: open", origin),
    )
    restored = tuple(Event(1, seq, 0.0, 0.0, Clock.SYNCED, body) for seq, body in enumerate(bodies, 1))

    async def tell(house: House) -> None:
        await house.give(house.order())

    house = story(tell, restored=restored)
    assert house.moved == []
    assert house.on(OUTCOME)[0]["id"] == "1.2"


@pytest.mark.parametrize(
    ("operator", "changed", "reason"),
    [
        (WARDEN, {}, "place"),
        (WARDEN, {"target": GATEWAY}, "place"),
        (COMMITTEE, {}, "role"),
        (WARDEN, {"target": "door-2-1", "action": "lock_down"}, "role"),
        (DESK, {"target": "door-9"}, "order"),
        (DESK, {"action": "hold_open"}, "order"),
    ],
)
def test_a_good_key_in_the_wrong_place_moves_nothing_and_its_name_is_on_record(
    operator: Operator, changed: dict[str, Any], reason: str
) -> None:
    async def tell(house: House) -> None:
        await house.give(house.order(operator, **changed), answer_to=f"{OUTCOME}/me", correlation=b"x")

    house = story(tell)
    assert house.moved == []
    (body,) = house.outcomes("refused")
    assert body.detail.startswith(f"{reason}:")
    assert body.origin == f"refused:{operator.name}/warden-1"
    assert body.id == "order-1"
    assert house.on(f"{OUTCOME}/me")[0]["type"] == "compound.outcome.refused"


def test_an_order_refused_by_its_target_may_be_given_again() -> None:
    async def tell(house: House) -> None:
        await house.give(house.order(action="hold_open"))
        await house.give(house.order())

    assert len(story(tell).moved) == 1


@pytest.mark.parametrize(
    "topic",
    [
        "compound/v1/bench/alert",
        "compound/v1/bench/outcome",
        "compound/v1/bench/outcome/",
        "compound/v1/bench/outcome/#",
        "compound/v1/bench/outcome/a\nb",
        "compound/v1/bench/outcome/" + "x" * 300,
        "compound/v1/other/outcome/me",
        "elsewhere",
        "",
    ],
)
def test_answers_go_nowhere_but_below_our_own_outcome(topic: str) -> None:
    async def tell(house: House) -> None:
        await house.give(house.order(), answer_to=topic, correlation=b"x")

    house = story(tell)
    assert len(house.moved) == 1
    assert {name for name, _, _ in house.sent} == {f"compound/v1/{GATEWAY}/nonce"}


@pytest.mark.parametrize(("size", "kept"), [(64, True), (65, False), (0, False)])
def test_correlation_data_comes_back_if_it_is_short(size: int, kept: bool) -> None:
    async def tell(house: House) -> None:
        await house.give(house.order(), answer_to=f"{OUTCOME}/me", correlation=b"x" * size)

    how = next(how for name, _, how in story(tell).sent if name == f"{OUTCOME}/me")
    assert how["correlation"] == (b"x" * size if kept else None)
    assert how["content_type"] == "application/cloudevents+json"


def test_two_operators_who_reach_for_one_nonce_are_told_apart_and_both_get_through() -> None:
    async def tell(house: House) -> None:
        first, second = house.order(DESK, jti="a"), house.order(WARDEN, jti="b", target="door-2-1")
        await house.give(first)
        await house.give(second)
        await house.give(house.order(WARDEN, jti="b", target="door-2-1", number=3))

    house = story(tell)
    assert [order.id for order in house.moved] == ["a", "b"]
    assert [body.detail.partition(":")[0] for body in house.outcomes("refused")] == ["nonce"]


def test_more_orders_than_can_be_under_way_at_once_are_refused_not_queued() -> None:
    async def forever(_: Order) -> str:
        await asyncio.sleep(1e6)
        return ""

    async def tell(house: House) -> None:
        for number in range(AT_ONCE + 2):
            await house.give(house.order(jti=f"order-{number}"))

    house = story(tell, answer=forever)
    assert len(house.moved) == AT_ONCE
    assert [body.detail.partition(":")[0] for body in house.outcomes("refused")] == ["busy", "busy"]


def test_a_fault_inside_an_order_has_an_outcome_and_ends_no_other() -> None:
    async def broken(order: Order) -> str:
        if order.id == "bad":
            raise ZeroDivisionError
        await asyncio.sleep(1)
        return "fine"

    async def tell(house: House) -> None:
        await house.give(house.order(jti="good"))
        await house.give(house.order(jti="bad"))
        await asyncio.sleep(2)

    house = story(tell, answer=broken)
    assert {(body.id, body.result) for body in house.outcomes()} == {("good", "done"), ("bad", "failed")}


def test_five_refusals_in_a_minute_are_told_and_a_flood_is_summed_up() -> None:
    async def tell(house: House) -> None:
        replay = house.order()
        await house.give(replay)
        for _ in range(2_000):
            house.remote.heard(Incoming("command", replay))
        await asyncio.sleep(75)

    house = story(tell)
    assert len(house.moved) == 1
    notes = [event.body for event in house.events if isinstance(event.body, NoteBody)]
    assert [note.what for note in notes] == [ALERT]
    assert len(house.outcomes("refused")) == 11
    assert house.outcomes("refused")[-1].detail == "1990 more orders were refused within a minute: nonce 1990"


def test_while_nobody_is_connected_nonces_live_on_and_are_published_when_somebody_is() -> None:
    async def tell(house: House) -> None:
        await asyncio.sleep(200)
        assert house.sent == []
        house.connected = True
        house.remote.greet()
        await asyncio.sleep(0.01)
        await house.give(house.order())

    assert len(story(tell, connected=False).moved) == 1


def test_a_new_connection_is_told_the_nonces_again() -> None:
    async def tell(house: House) -> None:
        house.remote.greet()
        await asyncio.sleep(0.01)

    house = story(tell)
    assert len(house.sent) == 2
    assert house.sent[0][1]["nonces"][0]["nonce"] == house.sent[1][1]["nonces"][0]["nonce"]


# --- bytes of strangers ---------------------------------------------------------------------------

LETTERS = st.text("ABCabc019-_.=", max_size=200).map(str.encode)
PARTS = st.lists(st.binary(max_size=60) | LETTERS, min_size=1, max_size=5).map(b".".join)


def mutants(good: bytes) -> st.SearchStrategy[bytes]:
    """Return bytes that are nearly an order."""
    cut = st.tuples(st.integers(0, len(good)), st.integers(0, 40), st.binary(max_size=40))
    return cut.map(lambda c: good[: c[0]] + c[2] + good[c[0] + c[1] :]).filter(lambda mutant: mutant != good)


@settings(max_examples=300)
@given(st.data())
def test_no_bytes_of_a_stranger_move_anything_or_leave_a_trace(data: Any) -> None:
    async def tell(house: House) -> None:
        good = house.order()
        given_bytes: Iterable[bytes] = data.draw(
            st.lists(st.binary(max_size=300) | LETTERS | PARTS | mutants(good), max_size=10)
        )
        for content in given_bytes:
            before = house.remote.statistics().refused
            house.remote.heard(Incoming("command", content))
            assert house.remote.statistics().refused == before + 1
        assert house.moved == []
        await house.give(good)

    house = story(tell)
    assert len(house.moved) == 1 or any(body.detail.startswith("rate") for body in house.outcomes("refused"))
