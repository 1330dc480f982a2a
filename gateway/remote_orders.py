"""What an order from afar may be for: a device or door by its name, an alert by its id, the gateway by its own.

The remote service knows orders and nothing of what they do; this is where its names get their meaning.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol

from drivers.api import Action, Argument, Done, Text
from gateway.core.config import Config
from gateway.core.events import AlertBody, Body, CommandBody, Event, OutcomeBody, Place
from gateway.core.gate import Now, Order
from gateway.core.policy import PolicyError, Ticket, choose_action, complete_arguments
from gateway.identity import new_id
from gateway.runtime.stream import Stamp
from gateway.services.remote import Remote
from gateway.services.remote.service import Publish, Target

ACKNOWLEDGE = Action("acknowledge", None, Text("确认", "Acknowledge"))
SILENCE = Action(
    "silence", None, Text("搁置", "Put aside"), (Argument("minutes", 1, 10_080, default=60, unit="min"),)
)
RELOAD = Action("reload", None, Text("重新读取配置", "Read the configuration again"))

NOTE = "note"
"""The one argument that is a text: what a person wants kept with an acknowledgement."""


class Orders(Protocol):
    """Who carries orders out."""

    async def execute(
        self,
        device: str,
        action: str,
        arguments: Mapping[str, float],
        origin: str,
        ticket: Ticket | None = None,
    ) -> OutcomeBody:
        """Have a device do something."""

    async def perform(
        self, command: CommandBody, work: Callable[[float], Awaitable[Done]], ticket: Ticket | None = None
    ) -> OutcomeBody:
        """Write an order down, do it, write down what came of it."""


class Alerts(Protocol):
    """Who knows the alerts that are not over."""

    def alerts(self) -> Sequence[AlertBody]:
        """Return all of them."""

    def acknowledge(self, alert_id: str, by: str, note: str | None) -> None:
        """Acknowledge one."""

    def reset(self, device: str, by: str) -> None:
        """Release what latched at a device."""

    def shelve(self, alert_id: str, until_s: float, by: str) -> None:
        """Put one aside until a wall time."""


def make(
    config: Config,
    orders: Orders,
    alerts: Alerts,
    *,
    place_of: Callable[[str], Place],
    submit: Callable[[Body], Event],
    publish: Publish,
    now: Callable[[], Stamp],
    restored: Iterable[Event],
    reload: Callable[[], None] | None,
) -> Remote:
    """Return the service that takes orders from afar."""
    gateway = config.gateway
    targets = Targets(
        gateway.id,
        gateway.place,
        place_of=place_of,
        orders=orders,
        alerts=alerts,
        wall=time.time,
        reload=reload,
    )

    def present() -> Now:
        stamp = now()
        return Now(stamp.wall, stamp.monotonic, stamp.clock)

    return Remote(
        gateway.id,
        config.operator,
        find=targets.find,
        submit=submit,
        publish=publish,
        new_id=new_id,
        now=present,
        restored=restored,
    )


class Targets:
    """Finds what an order is for. `place_of` says where a device or a door is, KeyError if there is no such name."""

    def __init__(
        self,
        gateway_id: str,
        place: Place,
        *,
        place_of: Callable[[str], Place],
        orders: Orders,
        alerts: Alerts,
        wall: Callable[[], float],
        reload: Callable[[], None] | None = None,
    ) -> None:
        self._gateway_id, self._place, self._place_of = gateway_id, place, place_of
        self._orders, self._alerts = orders, alerts
        self._wall, self._reload = wall, reload

    def find(self, name: str) -> Target:
        """Return what is called `name`; KeyError if nothing is."""
        if name == self._gateway_id:
            return Target(self._place, self._on_gateway)
        alert = next((each for each in self._alerts.alerts() if each.alert == name), None)
        if alert is not None:
            found = alert
            return Target(found.place, lambda order: self._on_alert(found, order))
        return Target(self._place_of(name), self._on_device)

    async def _on_device(self, order: Order) -> OutcomeBody:
        _no_texts(order)
        return await self._orders.execute(
            order.target, order.action, order.numbers, order.origin, _ticket(order)
        )

    async def _on_alert(self, alert: AlertBody, order: Order) -> OutcomeBody:
        action = choose_action("an alert", order.action, (ACKNOWLEDGE, SILENCE))
        numbers = complete_arguments(action, order.numbers)
        _no_texts(order, *((NOTE,) if action is ACKNOWLEDGE else ()))

        async def work(_deadline: float) -> Done:
            if action is ACKNOWLEDGE:
                self._alerts.acknowledge(alert.alert, order.origin, order.texts.get(NOTE))
                return Done("acknowledged", 0.0)
            self._alerts.shelve(alert.alert, self._wall() + numbers["minutes"] * 60.0, order.origin)
            return Done(f"put aside for {numbers['minutes']:g} min", 0.0)

        return await self._orders.perform(_command(order, numbers), work, _ticket(order))

    async def _on_gateway(self, order: Order) -> OutcomeBody:
        reload = self._reload
        choose_action("the gateway", order.action, () if reload is None else (RELOAD,))
        complete_arguments(RELOAD, order.numbers)
        _no_texts(order)

        async def work(_deadline: float) -> Done:
            assert reload is not None
            reload()
            return Done("told to read its configuration again; one with mistakes changes nothing", 0.0)

        return await self._orders.perform(_command(order, {}), work, _ticket(order))


def _ticket(order: Order) -> Ticket:
    return Ticket(order.id, order.deadline)


def _command(order: Order, numbers: dict[str, float]) -> CommandBody:
    return CommandBody(order.id, order.target, order.action, numbers, order.origin)


def _no_texts(order: Order, *allowed: str) -> None:
    for name in order.texts:
        if name not in allowed:
            raise PolicyError(f"{order.action} takes no text {name!r}", "numbers, like seconds = 5")
