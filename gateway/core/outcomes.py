"""What is told upstream of an order and of what came of it: nothing of whether somebody is at home. Pure.

That a resident is away or at home is what the name of such an order says. Given here, nobody upstream waits for its
outcome and none leaves. Given from afar it is answered to whoever gave it, who knows what it was about: by its id,
whose order it was and what came of it, and by nothing else. The journal has the whole of it.
"""

from typing import Final

import msgspec

from gateway.core.events import CommandBody, OutcomeBody

REMOTE: Final = "remote:"
REFUSED: Final = "refused:"
UNVERIFIED: Final = "unverified"
"""Origins of what was not let in. Only orders on record have `remote:`, so no refusal is taken for their outcome."""

AWAY: Final = "away"
HOME: Final = "home"
PRIVATE: Final = frozenset({AWAY, HOME})
"""Orders that say where a resident is. They are known by their names, also where what they were for is gone."""

WITHHELD: Final = "withheld"


def is_private(action: str) -> bool:
    """Return whether an order of this name says something of a resident."""
    return action in PRIVATE


def leaves(body: OutcomeBody) -> bool:
    """Return whether anybody upstream is told that there was such an order."""
    return not is_private(body.action) or body.origin.startswith((REMOTE, REFUSED))


def told(body: OutcomeBody) -> OutcomeBody:
    """Return what upstream is told of an outcome that leaves; of a refusal its reason stays, which is one word."""
    if not is_private(body.action):
        return body
    reason = body.detail.partition(":")[0] if body.origin.startswith(REFUSED) else ""
    return msgspec.structs.replace(body, device=WITHHELD, action=WITHHELD, detail=reason)


def said(body: CommandBody | OutcomeBody) -> str:
    """Return an order as the log names it, which `report` takes along."""
    return "an order about a resident" if is_private(body.action) else f"{body.device} {body.action}"
