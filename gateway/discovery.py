"""Tells Home Assistant which devices there are, when `[mqtt]` says so, and takes back those that are gone.

A device is told once its first values are known, and again when there are more of them or the broker was another. What
was told is kept in the state directory, so that a device taken out of the configuration is taken out there as well, and
all of them when it is switched off.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Final, Protocol

from gateway import __version__, states
from gateway.core import home_assistant, texts
from gateway.core.config import Config
from gateway.core.events import ReadingBody
from gateway.core.places import over
from gateway.core.rules import Watched
from gateway.core.snapshot import Snapshot
from gateway.core.texts import Subject
from gateway.kept_names import KeptNames

SHARE: Final = 0.5  # of the connection: a fire waits for no list of devices
FILE: Final = "home-assistant.json"


class Statistics(Protocol):
    """How a link upstream goes: how many connections were made so far."""

    @property
    def connections(self) -> int: ...  # noqa: D102


class Upstream(Protocol):
    """Who publishes, and says whether it could."""

    def publish(  # noqa: D102
        self, topic: str, content: bytes, *, retain: bool = False, share: float = 1.0
    ) -> bool: ...
    def statistics(self) -> Statistics: ...  # noqa: D102


class Discovery:
    """Follows what is known of the devices."""

    def __init__(
        self, config: Config, watched: Mapping[str, Watched], snapshot: Snapshot, uplink: Upstream | None
    ) -> None:
        self._config, self._watched, self._snapshot, self._uplink = config, watched, snapshot, uplink
        self._is_on = config.mqtt is not None and config.mqtt.home_assistant
        self._told: dict[str, bytes] = {}
        self._connections = 0
        self._names = KeptNames(config.gateway.state_dir, FILE)

    @property
    def services(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run. What is switched off may have to take back what it told."""
        wanted = self._is_on or self._names.are_there
        return {"home assistant": self.run} if wanted and self._uplink is not None else {}

    async def run(self) -> None:
        """Tell until cancelled."""
        await self._names.follow(self.look)

    def look(self, kept: set[str]) -> set[str]:
        """Tell what is new, take back what is gone of `kept`; return the devices that stand at the broker now."""
        assert self._uplink is not None
        connections = self._uplink.statistics().connections
        if connections != self._connections:
            self._connections = connections
            self._told.clear()
        mine = self._config.gateway.id
        wanted = dict(self._configs()) if self._is_on else {}
        there = {*self._shown(), *(door.name for door in self._config.door)} if self._is_on else set()
        gone = kept - there
        tell = partial(self._uplink.publish, retain=True, share=SHARE)
        taken = {name for name in gone if tell(home_assistant.topic(mine, name), b"")}
        for name, content in wanted.items():
            if self._told.get(name) != content and tell(home_assistant.topic(mine, name), content):
                self._told[name] = content
        return (kept - taken) | set(self._told)

    def _shown(self) -> Iterator[str]:
        """Yield the devices there are, but those of which a resident lets no value be told any more."""
        for name in self._watched:
            told = states.readings(self._snapshot, self._watched, name)
            if not self._snapshot.devices[name].points or next(told, None) is not None:
                yield name

    def _configs(self) -> Iterator[tuple[str, bytes]]:
        mine, home = self._config.gateway.id, self._config.gateway.place
        for name, watched in self._watched.items():
            seen = states.readings(self._snapshot, self._watched, name)
            points = {
                body.point: (body.value, body.unit)
                for event in seen
                if isinstance(body := event.body, ReadingBody) and body.value is not None
            }
            if points:
                where = texts.where(watched.subject).zh
                area = watched.place.compound
                about = {"model": watched.profile, "area": area, "version": __version__}
                yield name, home_assistant.config(mine, name, points, name=f"{where} {name}", **about)
        for door in self._config.door:
            place = over(door.place, home)
            where = texts.where(Subject(door.name, door.label, place)).zh
            told = {"name": f"{where} {door.name}", "area": place.compound, "version": __version__}
            yield door.name, home_assistant.door(mine, door.name, **told)
