"""The remote service over many orders: what counts up counts down, no question costs another's answer."""

import asyncio

import pytest

from gateway.core.gate import Order
from gateway.core.incoming import Incoming
from gateway.services.remote.service import AT_ONCE, RETRY_S, RemoteStatistics
from tests.gateway.services.test_remote import OUTCOME, House, story
from tests.orders import COMMITTEE, DESK, STRANGER


async def slow(_: Order) -> str:
    await asyncio.sleep(3)
    return "at last"


def test_orders_that_are_done_with_make_room_for_the_next_whatever_became_of_them() -> None:
    async def tell(house: House) -> None:
        for number in range(2 * AT_ONCE):
            await house.give(house.order(jti=f"good-{number}"))
            await house.give(house.order(jti=f"odd-{number}", action="hold_open"))
        await house.give(house.order(jti="good-0"))
        assert house.remote.statistics() == RemoteStatistics(4 * AT_ONCE, 1, 2 * AT_ONCE, 0)

    assert len(story(tell).moved) == 2 * AT_ONCE


def test_a_repeated_id_that_wants_no_answer_disturbs_nobody_who_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def tell(house: House) -> None:
        await house.give(house.order())
        await house.give(house.order())
        for number in range(AT_ONCE + 1):
            await house.give(house.order(), answer_to=f"{OUTCOME}/{number}")
        await asyncio.sleep(5)

    house = story(tell, answer=slow)
    answered = {name for name, _, _ in house.sent if name.startswith(OUTCOME)}
    assert answered == {f"{OUTCOME}/{number}" for number in range(AT_ONCE)}
    assert len(house.moved) == 1
    assert caplog.text == ""


def test_every_refusal_of_a_signed_order_is_answered_also_the_one_that_a_person_is_told_of() -> None:
    async def tell(house: House) -> None:
        for number in range(6):
            await house.give(house.order(COMMITTEE, jti=f"order-{number}"), answer_to=f"{OUTCOME}/me")

    assert [each["data"]["detail"][:5] for each in story(tell).on(f"{OUTCOME}/me")] == ["role:"] * 6


def test_a_stranger_is_answered_nowhere() -> None:
    async def tell(house: House) -> None:
        forged = STRANGER.sign(DESK.claims(nonce=house.pool()[0]["nonce"]), kid="desk")
        await house.give(forged, answer_to=f"{OUTCOME}/me")

    house = story(tell)
    assert len(house.outcomes("refused")) == 1
    assert house.on(f"{OUTCOME}/me") == []


def test_while_refusals_are_counted_every_nonce_that_is_published_is_good() -> None:
    async def tell(house: House) -> None:
        await house.give(b"rubbish")
        await asyncio.sleep(50)
        for number in range(len(house.pool())):
            house.remote.heard(Incoming("command", house.order(jti=f"order-{number}", number=number)))
        await asyncio.sleep(0.01)

    assert len(story(tell).moved) == 8


def test_nonces_that_could_not_be_sent_are_sent_soon_though_the_connection_is_the_same() -> None:
    async def tell(house: House) -> None:
        await asyncio.sleep(5)
        house.connected = True
        await asyncio.sleep(RETRY_S + 0.1)
        assert len(house.sent) == 1

    story(tell, connected=False)


def test_an_order_that_comes_while_the_gateway_stops_is_refused_and_not_taken_for_done() -> None:
    async def tell(house: House) -> None:
        late = house.order()
        (remote,) = (task for task in asyncio.all_tasks() if task.get_name() == "remote")
        remote.cancel()
        await asyncio.wait([remote])
        await house.give(late)

    house = story(tell)
    assert house.moved == []
    assert [body.detail.partition(":")[0] for body in house.outcomes()] == ["busy"]
