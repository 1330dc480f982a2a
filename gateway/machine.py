"""The machine under the house: who looks after it, and who shows its figures."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.core.board import LIMITS
from gateway.core.config import Config
from gateway.core.events import AlertBody, Body, Clock
from gateway.core.kinds import Kinds
from gateway.runtime.board import Board
from gateway.runtime.stream import Stamp
from gateway.services.caretaker import Caretaker


class Machine:
    """What concerns the machine and not the compound. `alerts` are those an earlier life left open."""

    def __init__(
        self,
        config: Config,
        *,
        kinds: Kinds,
        alerts: Sequence[AlertBody],
        submit: Callable[[Body], object],
        now: Callable[[], Stamp],
    ) -> None:
        table = config.gateway
        left = {alert.kind for alert in alerts}
        self._caretaker = Caretaker(
            Board(Path(table.state_dir)).measure,
            name=table.id,
            submit=submit,
            synced=lambda: now().clock is Clock.SYNCED,
            card_tbw=table.card_tbw,
            wrong=[limit.link for limit in LIMITS if kinds.by_link[limit.link].name in left],
        )
        self.services: dict[str, Callable[[], Awaitable[None]]] = {"caretaker": self._caretaker.run}

    def statistics(self) -> dict[str, Any]:
        """Return what is known of the machine, for the health document."""
        return self._caretaker.statistics()
