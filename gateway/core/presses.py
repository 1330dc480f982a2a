"""Presses of a button that is counted: what is said of them, and what a restart must know. Pure.

An alert carries the stand of its counter, and a baseline after it says the same once the alert is over. So the number
of presses and the stand they lead to are always one row of the journal: whatever a power cut leaves, the next run
goes on from there and counts each press once.

Where the stand is told to nobody, for it says something of a person, the baseline alone has it: baselines go neither
upstream nor, of counters, into an export. A power cut between the two rows tells the press twice, never not at all.
"""

from collections.abc import Iterable
from typing import TypedDict

from gateway.core import texts
from gateway.core.conditions import Condition
from gateway.core.counting import Counter
from gateway.core.detection import Guard
from gateway.core.events import AlertBody, BaselineBody, Change, Event, Words
from gateway.core.kinds import Kind, Kinds
from gateway.core.texts import Facts, Subject

COUNTED = "counted"
"""Origin of a baseline that says where a counter stood when it was last told of."""


class Told(TypedDict, total=False):
    """What an alert says of presses beyond the words of its kind."""

    times: int
    said: Words


def told(condition: Condition, kind: Kind, subject: Subject, kinds: Kinds, offset_h: float) -> Told:
    """Return how often a button was pressed, and since when nobody was looking, if nobody was."""
    if not isinstance(condition, Counter):
        return {}
    if (since := condition.unseen_since) is None:
        return {"times": condition.presses}
    plain = texts.describe(kind, Facts(subject))
    phrase = kinds.pressed_unseen if since > 0 else kinds.pressed_while_down
    said = texts.add(phrase, plain, condition.presses, texts.moment(since, offset_h) if since > 0 else "")
    return {"times": condition.presses, "said": said}


class Counted:
    """Keeps where each counter stood when its alert was told: row after row, so that a restart knows what is new."""

    def __init__(self) -> None:
        self._told: dict[str, BaselineBody] = {}

    def told(self, guard: Guard | None, body: AlertBody) -> BaselineBody | None:
        """Return what is to be kept after an alert event, if it is one of a counter and says something new."""
        if guard is None or not guard.counts or body.change is Change.CLEARED:
            return None
        stand = guard.conditions[0].baseline if body.value is None else body.value
        if stand is None:
            return None
        kept = BaselineBody(guard.device.name, guard.rule.points[0], float(stand), COUNTED)
        if self._told.get(body.key) == kept:
            return None
        self._told[body.key] = kept
        return kept


def stood(events: Iterable[Event]) -> dict[tuple[str, str], float]:
    """Return where each counter stood when it was last told of."""
    found: dict[tuple[str, str], float] = {}
    for event in events:
        match event.body:
            case BaselineBody(device=device, point=point, value=value):
                found[device, point] = value
            case AlertBody(device=str(device), point=str(point), value=value) if value is not None:
                found[device, point] = float(value)
    return found
