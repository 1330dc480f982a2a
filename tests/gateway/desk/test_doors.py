"""The doors a phone is shown: from health documents and state topics, with distrust, by place and role."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from gateway.core import payload
from gateway.core.events import DoorBody, Place
from gateway.desk import doors, order_texts
from gateway.desk.doors import Gateway
from gateway.desk.listening import heard
from gateway.desk.ordering.door_states import DoorStates
from gateway.desk.store import door_rows, gateways, news
from tests.desk_parts import GATEWAY, NOW, opened

ROW = {
    "door": "gate-1",
    "label": "东门",
    "place": {"building": "2"},
    "state": "locked",
    "mode": "normal",
    "why": "",
}
HEALTH = msgspec.json.encode(
    {"doors": [{**ROW, "fail": "secure"}], "orders": {"refused": 0}, "buses": []}
).decode()
UNLOCKED = payload.door_state(DoorBody("gate-1", "unlocked", "normal", "warden"), NOW)


def known(**changes: object) -> Gateway:
    facts: dict[str, object] = {"name": GATEWAY, "online": True, "health": HEALTH, "states": {}}
    return Gateway(**(facts | changes))  # type: ignore[arg-type]


def everything(_action: str, _place: Place) -> bool:
    return True


def test_a_door_is_told_in_words_with_how_it_stands_and_what_it_takes() -> None:
    [door] = doors.listed([known()], everything, signs=True)
    assert (door.where.zh, door.where.en) == ("2 栋 东门", "building 2, 东门")
    assert (door.state, door.hindrance) == ("locked", None)
    assert door.actions == ("unlock", "hold_open", "lock_down", "normal")


def test_what_its_own_topic_says_of_a_door_goes_before_the_document() -> None:
    [door] = doors.listed([known(states={"gate-1": UNLOCKED.decode()})], everything, signs=True)
    assert (door.state, door.why) == ("unlocked", "warden")
    [door] = doors.listed([known(states={"gate-1": "{}"})], everything, signs=True)
    assert door.state == "locked"


def test_only_doors_and_actions_the_asker_may_are_listed() -> None:
    [door] = doors.listed(
        [known()], lambda action, place: action == "unlock" and place.building == "2", signs=True
    )
    assert door.actions == ("unlock",)
    assert doors.listed([known()], lambda _, place: place.building == "3", signs=True) == []


@pytest.mark.parametrize(
    ("changes", "signs", "why"),
    [
        ({}, False, order_texts.NO_KEY),
        ({"online": False}, True, order_texts.AWAY_NOW),
        (
            {"health": HEALTH.replace('"orders":{"refused":0}', '"orders":null')},
            True,
            order_texts.NO_OPERATOR,
        ),
    ],
)
def test_a_door_that_cannot_be_opened_is_shown_with_the_reason(
    changes: dict[str, object], signs: bool, why: object
) -> None:
    [door] = doors.listed([known(**changes)], everything, signs=signs)
    assert door.hindrance == why


@pytest.mark.parametrize(
    "health", ["", "null", "[]", '{"doors": 1}', '{"doors": [{"door": "a/b"}]}', "{" * 50_000]
)
def test_a_document_that_cannot_be_read_names_no_door(health: str) -> None:
    assert doors.listed([known(health=health)], everything, signs=True) == []


class Road:
    """The way to a broker, as far as door states need one."""

    def __init__(self) -> None:
        self.topics: list[str] = []

    def is_open(self) -> bool:
        return True

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        raise AssertionError((topic, content, expiry_s))

    def follow(self, topics: Sequence[str]) -> None:
        self.topics += topics


def test_the_state_of_a_door_is_kept_once_its_gateway_names_it_and_no_other_device_is(where: str) -> None:
    async def main() -> None:
        road, calls = Road(), list[int]()
        async with opened(where) as database:
            states = DoorStates(database, changed=lambda: calls.append(1), now=lambda: NOW)

            def hear(topic: str, content: bytes) -> bool:
                told = heard(topic, content, retained=True, settled=lambda: None)
                assert told is not None
                return states.hear(told, road)

            of_door = payload.topic(GATEWAY, "state", "gate-1")
            assert not hear(payload.topic(GATEWAY, "health"), HEALTH.encode())
            assert road.topics == [of_door]
            assert hear(of_door, UNLOCKED)
            assert hear(payload.topic(GATEWAY, "state", "smoke-1"), UNLOCKED)
            assert hear(of_door, b"\xff")
            assert hear(of_door, UNLOCKED[:-1] + b',"x":"\xff"}')  # what nobody reads is no text
            await states.store()
            await states.store()
            async with database.transaction() as transaction:
                await gateways.available(transaction, GATEWAY, "online", NOW, live=True)
                await gateways.healthy(transaction, GATEWAY, HEALTH, NOW, live=True)
                [door] = await door_rows.doors(transaction, everything, signs=True)
                told = [each.subject for each in await news.after(transaction, 0) if each.topic == "door"]
            assert (door.state, door.gateway) == ("unlocked", GATEWAY)
            assert told == [f"{GATEWAY}/gate-1"]
            assert calls == [1]

    asyncio.run(main())
