"""One fall, one event: pieces of a broken track and the mirror image in the window glass belong together.

A verdict is held for a tenth of a second, so that a piece that begins where another ended can join it, and as long as
something is followed that goes on from it: a fall is told when it has landed, with its whole way down. What goes
beside an event, or on from it, is the same fall: a bag and what spills from it, or its image in the glass. What comes
down elsewhere at that time is an event of its own: a bird before the next house must not take a bottle's place.
What nobody would believe alone may still be the first piece of a fall: it waits for one that goes on from it.

Where nobody waits for the alarm, as with a film, a verdict that stands is kept back for what comes of the same fall
later: a bag that is lost before a wall of its own shade and seen again below is told with its whole way. A camera tells
at once, and once more when that is known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from gateway.vision import bridging
from gateway.vision.paths import filled
from gateway.vision.sight import Fall, Spot

HOLD_S, LONGEST_S = 0.1, 2.0  # a verdict is held for; most, while its thing is still falling
PATIENCE_S, MOST_PATIENT_S = 1.5, 10.0  # for what comes later of a fall in a film; at most
FORGOTTEN_S = 5.0
NEAR_S = 0.8  # pieces further apart in time are two falls
SURE = 16  # power: what is believed by 85 % is worth as much as a sure thing of a thirteenth of its area
BESIDE_PX, BESIDE = 60.0, 0.6  # px, or share of the longer drop: what goes further off is another thing
BESIDE_LONG = 0.5  # of the shorter way they must have come side by side
BELIEVED = 0.5  # what is believed less is not put before its image
IMAGE_LARGER = 1.5  # times as large an image may be measured
SAME_PX = 6.0  # two tracks are of one thing when they are no further apart, or half its size
ASIDE = 0.12  # of the drop seen so far: a piece goes on below, not far beside

_Pieces: TypeAlias = Sequence[Sequence[Spot]]


@dataclass(slots=True)
class _Event:
    fall: Fall
    sure: bool = True
    stands: bool = False
    told: bool = False
    number: int = 0  # once it was told


class Merger:
    """Holds falls until they are complete. All times are of the stream.

    `patience_s` is for how long more is waited for than an alarm may: `PATIENCE_S`. With `at_once` every event is told
    when its verdict stands, and again when it has waited.
    """

    def __init__(self, patience_s: float = 0.0, *, at_once: bool = False) -> None:
        self._patience_s, self._at_once = patience_s, at_once
        self._count = 0
        self._events: list[_Event] = []

    def add(self, fall: Fall, *, sure: bool = True) -> None:
        """Take one verdict: a new event, or a piece of a known one; what is not `sure` is told only as a piece."""
        for event in sorted(self._events, key=lambda each: not each.sure):
            if _near(event.fall, fall) and _belong(event.fall.track, fall.track, sure=sure and event.sure):
                told = event.fall.decided_s if event.sure else fall.decided_s
                event.fall = replace(_joined(event.fall, fall), decided_s=told)
                event.sure = event.sure or sure
                return
        self._events.append(_Event(fall, sure))

    @property
    def waits(self) -> bool:
        """Return whether an event waits to be told."""
        return any(event.sure and not event.told for event in self._events)

    def due(self, now: float, followed: Sequence[Sequence[Spot]] = ()) -> list[Fall]:
        """Return the events that have waited long enough; forget those long past. `followed` may go on from one."""
        for event in self._waiting():
            lapse = now - event.fall.decided_s
            if (
                not event.stands
                and lapse >= HOLD_S
                and (lapse >= LONGEST_S or not _falls_on(event, followed))
            ):
                event.stands = True
                event.fall = replace(event.fall, decided_s=now)
        whole = [event for event in self._waiting() if event.stands and self._is_whole(event, now, followed)]
        for event in whole:
            event.told = True
        first = [event for event in self._waiting() if self._at_once and event.stands and not event.number]
        ready = [self._numbered(event) for event in (*whole, *first)]
        self._events = [
            event
            for event in self._events
            if (event.sure and not event.told) or now - event.fall.t_end < FORGOTTEN_S
        ]
        return ready

    def finish(self) -> list[Fall]:
        """Return everything that still waits."""
        waiting = [self._numbered(event) for event in self._waiting()]
        self._events = []
        return waiting

    def _numbered(self, event: _Event) -> Fall:
        if not event.number:
            self._count += 1
            event.number = self._count
        return replace(event.fall, number=event.number)

    def _is_whole(self, event: _Event, now: float, followed: Sequence[Sequence[Spot]]) -> bool:
        if not self._patience_s:
            return True
        lapse = now - max(event.fall.decided_s, event.fall.t_end)
        return lapse >= self._patience_s and (lapse >= MOST_PATIENT_S or not _falls_on(event, followed))

    def _waiting(self) -> list[_Event]:
        return [event for event in self._events if event.sure and not event.told]


def _falls_on(event: _Event, followed: Sequence[Sequence[Spot]]) -> bool:
    return any(_goes_on(event.fall.track, way) for way in followed)


def _near(one: Fall, other: Fall) -> bool:
    return one.t_start <= other.t_end + NEAR_S and other.t_start <= one.t_end + NEAR_S


def _belong(one: Sequence[Spot], other: Sequence[Spot], *, sure: bool) -> bool:
    """Say whether two tracks are of one event; of what is not sure it must be a piece, to be near is not enough."""
    if same_thing(one, other):
        return True
    drop = max(track[-1].centre[1] - track[0].centre[1] for track in (one, other))
    pieces = _in_turn(one, other)
    if not pieces:
        return sure and _apart(one, other) <= max(BESIDE_PX, BESIDE * drop)
    near = math.dist(pieces[0][-1].centre, pieces[1][0].centre) <= max(BESIDE_PX, BESIDE * drop)
    if _continue(pieces, one, other):
        return sure or near
    return sure and near and not _strays(pieces, one, other)


def _joined(first: Fall, second: Fall) -> Fall:
    main, other = (first, second) if _worth(first) >= _worth(second) else (second, first)
    if _is_image(main.track, other.track) and other.confidence >= BELIEVED:
        main, other = other, main
    track, origin = main.track, main.origin
    same = same_thing(main.track, other.track)
    pieces = [other.track, main.track] if same else _in_turn(main.track, other.track)
    if pieces:
        spots = {spot.frame: spot for piece in pieces for spot in piece}
        track = filled([spots[frame] for frame in sorted(spots)])
        origin = min(main, other, key=lambda fall: fall.t_start).origin  # only the first piece saw it leave
    return replace(
        main,
        origin=origin,
        t_start=track[0].time_s,
        t_end=track[-1].time_s,
        confidence=max(first.confidence, second.confidence),
        track=track,
        pieces=first.pieces + second.pieces,
    )


def _in_turn(one: Sequence[Spot], other: Sequence[Spot]) -> _Pieces:
    """Return two tracks as pieces of one way, the earlier up to where the later begins; [] if they go side by side.

    The end of a track may have strayed, onto what its thing passed or left; a beginning has been looked at twice.
    """
    earlier, later = (one, other) if one[0].frame <= other[0].frame else (other, one)
    whole = [spot for spot in earlier if spot.frame < later[0].frame]
    side_by_side = len(earlier) - len(whole) >= BESIDE_LONG * min(len(one), len(other))
    return [] if side_by_side or later[-1].frame <= earlier[-1].frame else [whole, later]


def _is_image(one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Say whether a track is the image in the glass of another, which goes side by side with it.

    A camera that looks up sees the image, which lies further off, below the thing, and no larger.
    """
    places = {spot.frame: spot for spot in other}
    pairs = [(spot, places[spot.frame]) for spot in one if spot.frame in places]
    if len(pairs) < BESIDE_LONG * max(len(one), len(other)) or same_thing(one, other):
        return False
    below = sorted(mine.centre[1] - its.centre[1] for mine, its in pairs)
    larger = sorted(mine.w * mine.h / (its.w * its.h) for mine, its in pairs)
    return below[len(below) // 4] > 0 and larger[len(larger) // 2] < IMAGE_LARGER


def _apart(one: Sequence[Spot], other: Sequence[Spot]) -> float:
    """Return how far apart two tracks that go side by side mostly are, in px."""
    places = {spot.frame: spot.centre for spot in other}
    apart = sorted(math.dist(spot.centre, places[spot.frame]) for spot in one if spot.frame in places)
    return apart[len(apart) // 2] if apart else math.inf


def _strays(pieces: _Pieces, one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Say whether the earlier of two tracks was cut off to make the pieces of one way of them."""
    return pieces[0][-1] not in (one[-1], other[-1])


def _continue(pieces: _Pieces, one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Say whether the later piece goes on where the earlier ended: where the paces lead, or else just below."""
    earlier, later = pieces
    (ax, ay), (bx, by) = earlier[-1].centre, later[0].centre
    drop = later[-1].centre[1] - earlier[0].centre[1]
    if by >= ay - 4 and abs(bx - ax) <= max(12.0, ASIDE * drop) and not _strays(pieces, one, other):
        return True
    size = max(earlier[-1].w, earlier[-1].h)
    return bridging.off(bridging.last(_places(earlier)), bridging.first(_places(later)), size) < 1.0


def _places(track: Sequence[Spot]) -> list[bridging.Place]:
    return [(spot.time_s, *spot.centre) for spot in track]


def same_thing(one: Sequence[Spot], other: Sequence[Spot]) -> bool:
    """Say whether two tracks lie on one another where both are seen: one large thing followed twice."""
    places = {spot.frame: spot for spot in other}
    pairs = [(spot, places[spot.frame]) for spot in one if spot.frame in places]
    off = sorted(math.dist(a.centre, b.centre) / max(SAME_PX, max(a.w, a.h, b.w, b.h) / 2) for a, b in pairs)
    return bool(off) and off[len(off) // 2] <= 1.0


def _goes_on(track: Sequence[Spot], way: Sequence[Spot]) -> bool:
    """Say whether something that is still followed is the thing of a track, further on its way."""
    if way[-1].frame <= track[-1].frame or way[0].time_s - track[-1].time_s > NEAR_S:
        return False
    pieces = _in_turn(track, way) if track[0].frame <= way[0].frame else []
    return same_thing(track, way) or (bool(pieces) and _continue(pieces, track, way))


def _worth(fall: Fall) -> float:
    """Return how much of an event a piece of it is: how sure, and how large; a thing before its image in the glass."""
    return fall.confidence**SURE * sum(spot.w * spot.h for spot in fall.track)
