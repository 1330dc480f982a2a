"""One fall, one event: pieces of a broken track and the mirror image in the window glass belong together.

A verdict is held for a sixth of a second, so that a piece that begins where another ended can join it. What
overlaps an event in time is the same fall: a bag and what spills from it, or its image in the glass.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.vision.sight import Fall, Spot

HOLD_S = 0.16
NEAR_S = 0.5  # pieces further apart in time are two falls
SURE = 8  # power: what is believed by half is worth as much as a thing of a two-hundredth of its area
ASIDE = 0.12  # of the drop seen so far: a piece goes on below, not far beside


@dataclass(slots=True)
class _Event:
    fall: Fall
    told: bool = False


class Merger:
    """Holds falls until they are complete. All times are of the stream."""

    def __init__(self) -> None:
        self._events: list[_Event] = []

    def add(self, fall: Fall) -> None:
        """Take one verdict: a new event, or a piece of one that is known."""
        for event in self._events:
            if fall.t_start <= event.fall.t_end + NEAR_S and event.fall.t_start <= fall.t_end + NEAR_S:
                event.fall = _joined(event.fall, fall)
                return
        self._events.append(_Event(fall))

    def due(self, now: float) -> list[Fall]:
        """Return the events that have waited long enough; forget those long past."""
        ready = [event for event in self._events if not event.told and now - event.fall.decided_s >= HOLD_S]
        for event in ready:
            event.told = True
            event.fall = replace(event.fall, decided_s=now)
        self._events = [event for event in self._events if not event.told or now - event.fall.t_end < 5.0]
        return [event.fall for event in ready]

    def finish(self) -> list[Fall]:
        """Return everything that still waits."""
        waiting = [event.fall for event in self._events if not event.told]
        self._events = []
        return waiting


def _joined(first: Fall, second: Fall) -> Fall:
    main, other = (first, second) if _worth(first) >= _worth(second) else (second, first)
    track, origin = main.track, main.origin
    if _continues(main.track, other.track):
        spots = {spot.frame: spot for spot in (*other.track, *main.track)}
        track = tuple(spots[frame] for frame in sorted(spots))
        origin = min(main, other, key=lambda fall: fall.t_start).origin  # only the first piece saw it leave
    return replace(
        main,
        origin=origin,
        t_start=track[0].time_s,
        t_end=track[-1].time_s,
        confidence=max(first.confidence, second.confidence),
        track=track,
        decided_s=first.decided_s,
        pieces=first.pieces + second.pieces,
    )


def _continues(one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Say whether two tracks are pieces of one way down: apart in time, the later one below, not far aside."""
    earlier, later = (one, other) if one[0].frame <= other[0].frame else (other, one)
    if later[0].frame <= earlier[-1].frame:
        return False
    (ax, ay), (bx, by) = earlier[-1].centre, later[0].centre
    drop = later[-1].centre[1] - earlier[0].centre[1]
    return by >= ay - 4 and abs(bx - ax) <= max(12.0, ASIDE * drop)


def _worth(fall: Fall) -> float:
    """Return how much of an event a piece of it is: how sure, and how large; a thing before its image in the glass."""
    return fall.confidence**SURE * sum(spot.w * spot.h for spot in fall.track)
