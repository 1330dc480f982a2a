"""Fire centres that the gateway reports to, if there are any; a house without one loads none of what that takes.

A centre that is not in the configuration any more is owed nothing: no row is kept for it, and the alert that it
could not be reached is over.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from drivers.api import Profile
from gateway.core.config import Config
from gateway.core.events import AlertBody, Body, Event, LinkBody
from gateway.core.faults import Fault
from gateway.core.kinds import Kinds
from gateway.core.loading import Parsed
from gateway.fire_centre_needs import Around

if TYPE_CHECKING:  # loaded only where there is a centre
    from gateway.fire_centre_making import Reporting

SINKS: Final = "centre-"


def check(parsed: Parsed, profiles: Mapping[str, Profile], kinds: Kinds) -> Iterator[Fault]:
    """Yield what is wrong with the tables."""
    if parsed.fire_centres:
        from gateway import fire_centre_making

        yield from fire_centre_making.check(parsed, profiles, kinds)


class FireCentres:
    """All centres of one gateway."""

    def __init__(
        self,
        config: Config,
        profiles: Mapping[str, Profile],
        kinds: Kinds,
        around: Around,
    ) -> None:
        self._reporting: Sequence[Reporting] = ()
        names = [table.name for table in config.fire_centre]
        around.journal.serve_only(
            SINKS, [f"{SINKS}{name}.{lane}" for name in names for lane in ("urgent", "readings")]
        )
        self._down = {f"{kinds.by_link['centre'].name}/{name}" for name in names}
        self._kind = kinds.by_link["centre"].name
        if config.fire_centre:
            from gateway import fire_centre_making

            self._reporting = fire_centre_making.make(config, profiles, kinds, around)

    @property
    def services(self) -> dict[str, Callable[[], Awaitable[None]]]:
        """Return what is to run."""
        return {f"centre:{each.name}": each.centre.run for each in self._reporting}

    def follow(self, event: Event) -> None:
        """Take one event of the stream that is no reading."""
        for each in self._reporting:
            each.facility.follow(event)

    def begin(self, alerts: Sequence[AlertBody], submit: Callable[[Body], object]) -> None:
        """End what an earlier life has left of centres that are gone."""
        for body in alerts:
            if body.kind == self._kind and body.key not in self._down:
                name = body.key.partition("/")[2]
                submit(LinkBody("centre", name, up=True, reason="it is not in the configuration any more"))

    def statistics(self) -> list[object]:
        """Return how each of them goes."""
        return [each.centre.statistics() for each in self._reporting]
