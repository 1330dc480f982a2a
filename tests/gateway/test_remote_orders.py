"""What an order from afar may be for: devices, alerts, the gateway; and what makes no sense is never written down."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import pytest

from drivers.api import Done
from gateway.core.events import AlertBody, CommandBody, OutcomeBody, Place
from gateway.core.gate import Order
from gateway.core.policy import PolicyError, Ticket
from gateway.remote_orders import Targets
from tests.gateway.runtime.test_stream import ALERT
from tests.orders import DESK

PLACE = Place(building="2")


class House:
    """Keeps what it was told to do."""

    def __init__(self, *, reloads: bool = True) -> None:
        self.log: list[Any] = []
        self.targets = Targets(
            "bench", Place(), place_of={"door-1": PLACE}.__getitem__, orders=self, alerts=self,
            wall=lambda: 1_000.0, reload=(lambda: self.log.append("reload")) if reloads else None,
        )  # fmt: skip

    async def execute(
        self,
        device: str,
        action: str,
        arguments: Mapping[str, float],
        origin: str,
        ticket: Ticket | None = None,
    ) -> OutcomeBody:
        self.log.append((device, action, dict(arguments), ticket))
        return OutcomeBody("a", device, action, "done", "", origin)

    async def perform(
        self, command: CommandBody, work: Callable[[float], Awaitable[Done]], ticket: Ticket | None = None
    ) -> OutcomeBody:
        self.log.append(command)
        done = await work(9.0)
        return OutcomeBody(command.id, command.device, command.action, "done", done.detail, command.origin)

    def alerts(self) -> list[AlertBody]:
        return [msgspec.structs.replace(ALERT, alert="alert-1", place=PLACE)]

    def acknowledge(self, alert_id: str, by: str, note: str | None) -> None:
        self.log.append(("acknowledge", alert_id, by, note))

    def shelve(self, alert_id: str, until_s: float, by: str) -> None:
        self.log.append(("shelve", alert_id, until_s, by))

    def reset(self, device: str, by: str) -> None:
        raise NotImplementedError

    def order(self, target: str, action: str, **arguments: float | str) -> OutcomeBody:
        numbers = {name: value for name, value in arguments.items() if isinstance(value, float)}
        texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
        order = Order("a", DESK.table, "remote:desk/w", target, action, numbers, texts, 9.0)
        outcome: OutcomeBody = asyncio.run(self.targets.find(target).carry_out(order))  # type: ignore[arg-type]
        return outcome


def test_a_device_is_told_through_commanding_with_the_orders_own_id_and_deadline() -> None:
    house = House()
    house.order("door-1", "unlock", seconds=5.0)
    assert house.log == [("door-1", "unlock", {"seconds": 5.0}, Ticket("a", 9.0))]
    assert house.targets.find("door-1").place == PLACE


def test_an_alert_is_acknowledged_with_a_note_or_put_aside_for_a_while() -> None:
    house = House()
    assert house.targets.find("alert-1").place == PLACE
    house.order("alert-1", "acknowledge", note="on the way")
    house.order("alert-1", "silence", minutes=5.0)
    house.order("alert-1", "silence")
    told = [entry for entry in house.log if isinstance(entry, tuple)]
    assert told == [
        ("acknowledge", "alert-1", "remote:desk/w", "on the way"),
        ("shelve", "alert-1", 1_300.0, "remote:desk/w"),
        ("shelve", "alert-1", 4_600.0, "remote:desk/w"),
    ]


def test_the_gateway_is_told_to_read_its_configuration_where_it_can() -> None:
    house = House()
    house.order("bench", "reload")
    assert house.log[-1] == "reload"
    with pytest.raises(PolicyError, match="it has: none"):
        House(reloads=False).order("bench", "reload")


@pytest.mark.parametrize(
    ("target", "action", "arguments"),
    [
        ("door-1", "unlock", {"note": "x"}),
        ("alert-1", "unlock", {}),
        ("alert-1", "silence", {"minutes": 0.5}),
        ("alert-1", "silence", {"note": "x"}),
        ("alert-1", "acknowledge", {"seconds": 1.0}),
        ("bench", "unlock", {}),
        ("bench", "reload", {"seconds": 1.0}),
        ("bench", "reload", {"note": "x"}),
    ],
)
def test_what_makes_no_sense_is_never_written_down(
    target: str, action: str, arguments: dict[str, float | str]
) -> None:
    house = House()
    with pytest.raises(PolicyError):
        house.order(target, action, **arguments)
    assert house.log == []


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(KeyError):
        House().targets.find("door-9")
