"""What a line is asked for, of what its wire has the time for, and how far each class is stretched. No I/O, no clock.

An exchange takes its characters, what the device thinks, and two silences. Where all of them together, each as often as
its profile says, take more time than there is, `stretches` says what drivers/bus.py makes of it: fire keeps what it
asks for, but for the tenth that is kept for all below it; the others get what they ask for, up to their share, and what
one of them leaves goes to the rest by their shares. Inside a class all intervals are stretched alike.

This is the bus at its best: no probes, no lost replies, no commands.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from drivers.api import Priority
from drivers.bus import LOWER_SHARE, SHARES

FIRE_AT_MOST: Final = 1 / (1 + LOWER_SHARE)  # of the line, while the others want more than the rest
THINKING_S: Final = 0.01  # what a device takes for its answer, before it was ever asked


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that a line is asked every `interval_s`, and how long it takes of the line's time."""

    priority: Priority
    interval_s: float
    took_s: float


@dataclass(frozen=True, slots=True)
class Crowding:
    """How full a line is: `wanted` of its time, above 1 where it is crowded.

    `stretches` says how many times its intervals each class that is asked waits; `intervals_s` names its shortest.
    """

    wanted: float
    stretches: Mapping[Priority, float]
    intervals_s: Mapping[Priority, float]


def crowding(asked: Iterable[Asked]) -> Crowding:
    """Return how full a line is that is asked this."""
    questions = list(asked)
    shares = wanted(questions)
    shortest = {
        priority: min(each.interval_s for each in questions if each.priority is priority)
        for priority in shares
    }
    return Crowding(sum(shares.values()), stretches(shares), shortest)


def wanted(asked: Iterable[Asked]) -> dict[Priority, float]:
    """Return the time each class asks for, as a share of the line's, the most urgent class first.

    What is asked as often as the line allows, every 0 s, is content with what there is.
    """
    shares = dict.fromkeys(Priority, 0.0)
    for each in asked:
        shares[each.priority] += each.took_s / each.interval_s if each.interval_s else 0.0
    return {priority: share for priority, share in shares.items() if share}


def stretches(wanted: Mapping[Priority, float]) -> dict[Priority, float]:
    """Return how many times its intervals each class has to wait; 1 where it gets what it asks for."""
    fire = wanted.get(Priority.FIRE, 0.0)
    others = {priority: share for priority, share in wanted.items() if priority in SHARES}
    got = {Priority.FIRE: min(fire, max(FIRE_AT_MOST, 1.0 - sum(others.values())))}
    left = 1.0 - got[Priority.FIRE]
    while others:
        of_a_share = left / sum(SHARES[priority] for priority in others)
        content = [each for each, share in others.items() if share <= SHARES[each] * of_a_share]
        for each in content or list(others):
            got[each] = min(others.pop(each), SHARES[each] * of_a_share)
            left -= got[each]
    return {priority: max(1.0, share / got[priority]) for priority, share in wanted.items()}
