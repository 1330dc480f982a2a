"""How things stand and what the last days were like, in the asker's places."""

from typing import Annotated, Final

import msgspec

from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.figures import Statistics
from gateway.desk.web.permissions import Action

MOST_DAYS: Final = 92


class Wanted(msgspec.Struct, frozen=True):
    """How many days, today the last of them."""

    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)] = 14


async def statistics(asked: Asked, wanted: Wanted) -> Statistics:
    """Return counters and trends."""
    return await asked.parts.figures.of(asked.who.reach(Action.SEE), wanted.days, asked.now)


ENDPOINTS: Final = (
    Endpoint("GET", "/api/statistics", Action.SEE, statistics, "Counters and trends", Wanted, Statistics),
)
