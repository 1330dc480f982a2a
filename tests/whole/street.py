"""A whole gateway between a simulated compound and a real broker, for tests that look at it from outside."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.rig import GatewayProcess, Simulator, configuration, gateway, simulator
from tests.broker import Heard, Listener, Mosquitto, listener, mosquitto, until

COMPOUND = (
    "--buildings",
    "2",
    "--detectors",
    "14",
    "--covers",
    "2",
    "--doors",
    "2",
    "--lines",
    "2",
    "--unpaced",
)


@dataclass
class Street:
    """What stands around one gateway; `gateway` is replaced when a test starts another."""

    sim: Simulator
    broker: Mosquitto
    far_end: Listener
    folder: Path
    text: str

    def alerts(self, **wanted: object) -> list[dict[str, Any]]:
        """Return the alert events that arrived and whose data has all that is wanted, in order."""
        events = [json.loads(heard.content) for heard in self.far_end.on("/alert")]
        return [
            event for event in events if all(event["data"].get(key) == value for key, value in wanted.items())
        ]

    def wait_for_alert(self, change: str, **wanted: object) -> dict[str, Any]:
        """Return the first such alert event, when it has come."""

        def come() -> list[dict[str, Any]]:
            return [event for event in self.alerts(**wanted) if event["type"].endswith("." + change)]

        until(come, what=f"{change} {wanted}")
        return come()[0]

    def state(self, device: str) -> dict[str, Any]:
        """Return what was last told of a device."""
        heard: list[Heard] = self.far_end.on(f"/state/{device}")
        state: dict[str, Any] = json.loads(heard[-1].content) if heard else {}
        return state

    @contextmanager
    def gateway(self, *, environment: Mapping[str, str] | None = None) -> Iterator[GatewayProcess]:
        """Have a gateway that has told every device's state."""
        seen = len(self.far_end.heard)
        with gateway(self.folder, self.text, environment) as running:
            until(
                lambda: any(heard.content == b"online" for heard in self.far_end.heard[seen:]),
                what="the gateway online",
            )
            yield running


@contextmanager
def street(folder: Path, *arguments: str, topics: tuple[str, ...] = ()) -> Iterator[Street]:
    """Have a compound and a broker, and no gateway yet. The far end hears `topics`, by default everything."""
    with (
        mosquitto(folder) as broker,
        simulator(*(arguments or COMPOUND), "--link", str(folder)) as sim,
        listener(broker.port, *topics) as far_end,
    ):
        text = configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        yield Street(sim, broker, far_end, folder, text)
