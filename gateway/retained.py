"""What stands at the broker for good, and is taken back when it may no longer be told.

A retained state outlives the configuration that let it be sent: a resident who takes back `sends` or their consent
would be read there for another hour, and at a broker without MQTT 5 for ever. So the names of what residents let be
sent are kept in the state directory, and what is not among them any more is taken back.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from gateway.core import payload
from gateway.core.config import Config
from gateway.core.rules import Watched
from gateway.core.snapshot import Snapshot
from gateway.discovery import Discovery, Upstream
from gateway.kept_names import KeptNames

SHARE: Final = 0.5  # of the connection: a fire waits for nothing of this
FILE: Final = "residents-sent.json"


class Telling(Upstream, Protocol):
    """Who publishes, and tells a device's state when it is asked to."""

    def device_changed(self, device: str) -> None: ...  # noqa: D102


def keepers(
    config: Config, watched: Mapping[str, Watched], snapshot: Snapshot, uplink: Telling | None
) -> "tuple[Discovery, Withdrawing]":
    """Return all that keeps what is retained at the broker as it may be."""
    return Discovery(config, watched, snapshot, uplink), Withdrawing(config, uplink)


class Withdrawing:
    """Takes back the states of what residents no longer let be sent."""

    def __init__(self, config: Config, uplink: Telling | None) -> None:
        self._gateway, self._uplink = config.gateway.id, uplink
        self._lines = {device.name for bus in config.bus for device in bus.device}
        self._sent = sent_of(config)
        self._names = KeptNames(config.gateway.state_dir, FILE)

    @property
    def services(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run: nothing where no resident ever let anything be sent."""
        wanted = self._uplink is not None and (self._sent or self._names.are_there)
        return {"withdrawing": self.run} if wanted else {}

    async def run(self) -> None:
        """Take back until cancelled."""
        await self._names.follow(self.look)

    def look(self, kept: set[str]) -> set[str]:
        """Take back what of `kept` is not sent any more; return what stands at the broker then, or soon will."""
        assert self._uplink is not None
        left = set(kept)
        for name in sorted(left - self._sent):
            topic = payload.topic(self._gateway, "state", name)
            if not self._uplink.publish(topic, b"", retain=True, share=SHARE):
                break
            left.discard(name)
            if name in self._lines:  # whether it is online is told as ever, and what of it is nobody's
                self._uplink.device_changed(name)
        return left | self._sent


def sent_of(config: Config) -> frozenset[str]:
    """Return the devices and assets of which a resident lets values be sent."""
    parts = (part for each in config.resident if each.sends for part in each.sensors)
    return frozenset(part.partition(".")[0] for part in parts)
