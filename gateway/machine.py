"""The machine under the house: who looks after it, and who shows its figures."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.core.board import LIMITS
from gateway.core.config import Config
from gateway.core.events import AlertBody, Body, Clock
from gateway.core.kinds import Kinds
from gateway.core.listening import address
from gateway.runtime.board import Board
from gateway.runtime.stream import Stamp
from gateway.services.caretaker import Caretaker


class Machine:
    """What concerns the machine and not the compound. `alerts` are those an earlier life left open.

    `document` gives the health document, for whoever reads figures.
    """

    def __init__(
        self,
        config: Config,
        *,
        kinds: Kinds,
        alerts: Sequence[AlertBody],
        submit: Callable[[Body], object],
        now: Callable[[], Stamp],
        document: Callable[[], Mapping[str, Any]],
    ) -> None:
        table = config.gateway
        self._caretaker = Caretaker(
            Board(Path(table.state_dir)).measure,
            name=table.id,
            submit=submit,
            synced=lambda: now().clock is Clock.SYNCED,
            card_tbw=table.card_tbw,
            wrong=left_wrong(alerts, kinds, table.id),
        )
        self.services: dict[str, Callable[[], Awaitable[None]]] = {"caretaker": self._caretaker.run}
        if config.metrics is not None and (at := address(config.metrics.listen)) is not None:
            from gateway.services.metrics import (
                Metrics,
            )  # prometheus-client is loaded only where it is wanted

            self.services["metrics"] = Metrics(*at, document).run

    def statistics(self) -> dict[str, Any]:
        """Return what is known of the machine, for the health document."""
        return self._caretaker.statistics()


def left_wrong(alerts: Iterable[AlertBody], kinds: Kinds, gateway: str) -> list[str]:
    """Return the links of the machine that alerts of a gateway say are wrong; what another id was told is past."""
    keys = {alert.key for alert in alerts}
    return [limit.link for limit in LIMITS if f"{kinds.by_link[limit.link].name}/{gateway}" in keys]
