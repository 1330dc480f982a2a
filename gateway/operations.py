"""What a running gateway answers on its control socket: each operation a small function over the house.

Whoever changed something is answered when it is on the disk, so that a power cut takes back nothing that a person was
told. The deed itself never waits for that. Where the disk does not answer, `kept` in the answer is false.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import msgspec

from gateway.core.events import AlertBody, Event, OutcomeBody
from gateway.core.policy import PolicyError

Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, Any]

KEPT_WITHIN_S: Final = 3.0


class Alerts(Protocol):
    """Who knows the alerts that are not over, and what people may do with them."""

    def alerts(self) -> Sequence[AlertBody]:
        """Return all alerts that are not over."""

    def acknowledge(self, alert_id: str, by: str, note: str | None) -> None:
        """Acknowledge one; PolicyError if there is no such alert."""

    def shelve(self, alert_id: str, until_s: float, by: str) -> None:
        """Put one aside until a wall time; PolicyError for a fire."""


class Orders(Protocol):
    """Who carries out commands."""

    async def execute(
        self, device: str, action: str, arguments: Mapping[str, float], origin: str
    ) -> OutcomeBody:
        """Carry out one order; PolicyError when it makes no sense."""


class Operations:
    """The operations by name, for the control socket."""

    def __init__(
        self,
        *,
        status: Callable[[], Mapping[str, Any]],
        alerts: Alerts,
        orders: Orders,
        export: Callable[[float, float], AsyncIterator[Event]],
        watch: Callable[[Request], AsyncIterator[Answer]],
        kept: Callable[[float], Awaitable[bool]],
        assets: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
        wall: Callable[[], float],
    ) -> None:
        self._status, self._alerts, self._orders = status, alerts, orders
        self._export, self._kept, self._assets, self._wall = export, kept, assets, wall
        self.by_name: dict[str, Callable[[Request], Awaitable[Answer] | AsyncIterator[Answer]]] = {
            "ping": self._ping,
            "status": self._tell_status,
            "alerts": self._list_alerts,
            "acknowledge": self._acknowledge,
            "shelve": self._shelve,
            "reset": self._reset,
            "command": self._command,
            "export": self._tell_rows,
            "watch": watch,
            "assets": self._list_assets,
        }

    async def _ping(self, _: Request) -> Answer:
        return {}

    async def _tell_status(self, _: Request) -> Answer:
        return {"status": self._status()}

    async def _list_assets(self, _: Request) -> Answer:
        return {"assets": self._assets()}

    async def _list_alerts(self, _: Request) -> Answer:
        return {"alerts": self._alerts.alerts()}

    async def _acknowledge(self, request: Request) -> Answer:
        note = _text(request, "note") if request.get("note") else None
        self._alerts.acknowledge(_text(request, "alert"), _text(request, "origin"), note)
        return await self._when_kept({})

    async def _shelve(self, request: Request) -> Answer:
        until = self._wall() + _number(request, "minutes") * 60.0
        self._alerts.shelve(_text(request, "alert"), until, _text(request, "origin"))
        return await self._when_kept({})

    async def _reset(self, request: Request) -> Answer:
        return await self._command({**request, "action": "reset"})

    async def _command(self, request: Request) -> Answer:
        given = request.get("arguments", {})
        try:
            arguments = msgspec.convert(given, dict[str, float])
        except msgspec.ValidationError as error:
            raise PolicyError(f"arguments: {error}", "numbers by name, like seconds=5") from error
        device, action = _text(request, "device"), _text(request, "action")
        outcome = await self._orders.execute(device, action, arguments, _text(request, "origin"))
        return await self._when_kept({"outcome": outcome})

    async def _when_kept(self, answer: Answer) -> Answer:
        """Return an answer when what it tells is on the disk, or with the word that it is not."""
        return {**answer, "kept": await self._kept(KEPT_WITHIN_S)}

    async def _tell_rows(self, request: Request) -> AsyncIterator[Answer]:
        async for event in self._export(_number(request, "since"), _number(request, "until")):
            yield {"event": event}


def _text(request: Request, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str) or not value:
        raise PolicyError(f"{key} is missing", "a text")
    return value


def _number(request: Request, key: str) -> float:
    value = request.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PolicyError(f"{key} is missing", "a number")
    return float(value)
