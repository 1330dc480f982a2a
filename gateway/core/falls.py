"""Falls: what a camera saw fall becomes an alert; what falls from the same view soon after is counted on it.

A bag of rubbish that bursts is six falls and one act: falls of one camera within half a minute belong to one
alert, as long as nobody has acknowledged it, and at most `MOST_FALLS`: an alert names only so many pictures. What
comes later, or after somebody has seen the first, is told as an alert of its own. Evidence comes in pieces (the still
at once, the clip ten seconds later) and is added to the alert whenever it comes, even to one that a quick person has
acknowledged in between; what was said there stays, and what is missing is said behind it. It never raises one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from gateway.core.alert_list import AlertList
from gateway.core.alerts import State
from gateway.core.events import Clock, FallBody
from gateway.core.found import Found
from gateway.core.kinds import Kinds
from gateway.core.texts import Facts, Subject

WITHIN_S = 30.0
REMEMBERED_S = 300.0  # evidence that comes later than this finds no alert
MOST_FALLS = 15  # of three pieces each, as many as go upstream by name
LONGEST_NOTE = 400  # characters


@dataclass(slots=True)
class _Act:
    """Falls that are told as one alert: their evidence by fall, in order.

    `at` is when the latest was seen, `told_at` when it was told: later, where the camera broke off just then.
    """

    key: str
    began: float
    at: float
    told_at: float
    floor: int | None = None
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sums(self) -> tuple[str, ...]:
        """Return all that is kept of it."""
        return tuple(each for sums in self.evidence.values() for each in sums)


class Falls:
    """Tells the alert list what cameras saw fall. `cameras` says where each looks."""

    def __init__(self, cameras: Mapping[str, Subject], kinds: Kinds, alerts: AlertList) -> None:
        self._cameras, self._kinds, self._alerts = cameras, kinds, alerts
        self._acts: dict[str, _Act] = {}  # by fall
        self._latest: dict[str, _Act] = {}  # by camera

    def fell(self, body: FallBody, *, now: float, wall: float, clock: Clock) -> None:
        """Take a fall, or more of one that was told; `wall` is the time of day at `now`, both in seconds."""
        self._forget(now)
        act = self._acts.get(body.fall)
        if act is not None:
            self._add(act, body, now)
            return
        if body.more:
            return
        seen_at = min(body.seen_at, now)
        act = self._latest.get(body.camera)
        if act is None or seen_at - act.at > WITHIN_S or not self._takes_more(act):
            act = _Act(f"{body.kind}/{body.camera}/{body.fall}", seen_at, seen_at, now)
        act.at, act.told_at = max(act.at, seen_at), now
        act.floor = body.floor if act.floor is None else act.floor
        act.evidence[body.fall] = body.evidence
        self._acts[body.fall] = self._latest[body.camera] = act
        self._alerts.worse(act.key, self._found(act, body, wall - now, clock), now)

    def _add(self, act: _Act, body: FallBody, now: float) -> None:
        act.evidence[body.fall] = body.evidence
        before = self._alerts.note_of(act.key) if body.note else ""
        note = "; ".join(filter(None, (before, body.note))) if len(before) < LONGEST_NOTE else None
        self._alerts.enrich(act.key, act.sums, note or None, now)

    def _found(self, act: _Act, body: FallBody, ahead: float, clock: Clock) -> Found:
        kind, subject = self._kinds[body.kind], self._cameras.get(body.camera, Subject(body.camera))
        if act.floor is not None:
            place = msgspec.structs.replace(subject.place, floor=str(act.floor))
            subject = Subject(subject.name, subject.label, place)
        return Found(
            kind=kind,
            severity=kind.severity,
            certainty=kind.certainty,
            facts=Facts(subject),
            first_seen=act.began + ahead,
            clock=clock,
            device=body.camera,
            devices=(body.camera,),
            count=len(act.evidence),
            evidence=act.sums,
            note=_note(body),
        )

    def _takes_more(self, act: _Act) -> bool:
        standing = self._alerts.standing(act.key)
        unseen = standing is not None and standing.state == State.ACTIVE_UNACKED
        return unseen and len(act.evidence) < MOST_FALLS

    def _forget(self, now: float) -> None:
        self._acts = {fall: act for fall, act in self._acts.items() if now - act.told_at <= REMEMBERED_S}
        self._latest = {name: act for name, act in self._latest.items() if now - act.told_at <= REMEMBERED_S}


def _note(body: FallBody) -> str:
    """Return how sure it is, and of which floors, in Chinese and in English."""
    zh, en = f"把握 {body.confidence:.0%}", f"confidence {body.confidence:.0%}"
    if body.low is not None and body.high is not None and body.low != body.high:
        zh, en = f"{zh}，{body.low} 至 {body.high} 楼", f"{en}, floor {body.low} to {body.high}"
    told = f"{zh} ({en})"
    return f"{told}; {body.note}" if body.note else told
