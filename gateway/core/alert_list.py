"""The alert list: every alert that is not over, and the only place that makes alert events.

At most one alert has a key. What conditions find and what people do becomes a step of the table in alerts.py;
each step is submitted as the alert's whole present state, so that the list after a restart is the last event of
each. A condition that flaps is held here: its alert stays up, is counted, and told of once a minute.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from gateway.core import texts
from gateway.core.alerts import State, Trigger, is_active, step
from gateway.core.events import AlertBody, Body, Change, Event, Words
from gateway.core.flapping import TELL_EVERY_S, Flapping
from gateway.core.found import Found, begun
from gateway.core.kinds import Kinds
from gateway.core.policy import PolicyError

LONGEST_SHELF_S = 7 * 86_400.0
SET_BACK_S = 3600.0  # as much as a clock is put right by while something lies there
EARLY_S = 0.001  # a timer set from a time of day may come so much too early: its digits end there

_ACKNOWLEDGED = frozenset({State.ACTIVE_ACKED, State.LATCHED_ACKED})
_ON_SHELF = frozenset({State.SHELVED_ACTIVE, State.SHELVED_CLEARED})
_NEVER = float("-inf")
_ENDED_MOST = 64  # alerts that are over and may still be given evidence


@dataclass(slots=True)
class _Life:
    """One alert. `body` is what was told last; `text` without phrases; `held` while it flaps.

    `latest` is what was found since and is told with the next step.
    """

    body: AlertBody
    text: Words
    count: int = 1
    told_at: float = _NEVER
    held: bool = False
    active: bool = True
    latest: Found | None = None

    @property
    def state(self) -> State:
        """Return where it stands."""
        return State(self.body.state)

    def catch_up(self) -> None:
        """Take in what was found since: whoever is told how often it came is told of the last time it did."""
        if (latest := self.latest) is not None:
            self.text, self.latest = latest.text, None
            self.body = msgspec.structs.replace(self.body, value=latest.facts.value)


class AlertList:
    """Holds the alerts. `submit` gets each step; `new_id` names a life; `restore` is what was told before."""

    def __init__(
        self,
        kinds: Kinds,
        *,
        submit: Callable[[Body], object],
        new_id: Callable[[], str],
        restore: Iterable[Event] = (),
    ) -> None:
        self._kinds = kinds
        self._submit = submit
        self._new_id = new_id
        self._lives: dict[str, _Life] = {}
        self._flapping: dict[str, Flapping] = {}
        self._ended: dict[str, AlertBody] = {}
        for body in _last_of_each(restore):
            self._lives[body.key] = _Life(body, body.text, body.count, active=is_active(body.state))

    def bodies(self) -> list[AlertBody]:
        """Return all alerts that are not over, as they were told last, oldest first."""
        bodies = (life.body for life in self._lives.values())
        return sorted(bodies, key=lambda body: (body.first_seen, body.alert))

    def standing(self, key: str) -> AlertBody | None:
        """Return the alert of this key, if there is one that is not over."""
        return None if (life := self._lives.get(key)) is None else life.body

    def is_true(self, key: str) -> bool:
        """Return whether the condition behind this key is true by all we know, flapping or not."""
        return (life := self._lives.get(key)) is not None and life.active

    def found(self, key: str, found: Found, now: float) -> None:
        """A condition became true: raise its alert, or raise it again, or count it.

        What comes back past the urgent limit is told also where the alert flaps, or lies on the shelf.
        """
        self._flaps(key).change(now)
        life = self._lives.get(key)
        if life is None:
            self._begin(key, found, now)
            return
        past_limit = self._becomes(life) == found.kind.name
        if is_active(life.body.state) and not past_limit:
            self._repeat(life, found, now)
        else:
            trigger = Trigger.WORSEN if past_limit else Trigger.RAISE
            self._move(life, trigger, now, found=found, count=life.count + found.times)

    def lasts(self, key: str, found: Found, now: float) -> None:
        """A condition is true still, after so long that people are told again: not of what lies on the shelf."""
        if (life := self._lives.get(key)) is None or life.state not in _ON_SHELF:
            self.worse(key, found, now)

    def worse(self, key: str, found: Found, now: float) -> None:
        """An active condition is worse than it was told: another kind, another neighbour."""
        life = self._lives.get(key)
        if life is None:
            self._begin(key, found, now)
        else:
            self._move(life, Trigger.WORSEN, now, found=found, count=found.count)

    def enrich(self, key: str, evidence: tuple[str, ...], note: str | None, now: float) -> None:
        """Evidence of an alert came, or was lost; one that is over already is told once more, still over."""
        life = self._lives.get(key)
        if life is not None:
            self._move(life, Trigger.REPEAT, now, note=note, evidence=evidence)
        elif (ended := self._ended.get(key)) is not None:
            changed = {"change": Change.UPDATED, "evidence": evidence, "note": note or ended.note}
            self._ended[key] = body = msgspec.structs.replace(ended, **changed)
            self._submit(body)

    def note_of(self, key: str) -> str:
        """Return what stands as the note of an alert, also of one that was over lately; "" where there is none."""
        body = self.standing(key) or self._ended.get(key)
        return (body and body.note) or ""

    def gone(self, key: str, now: float, *, watched: bool = True) -> None:
        """A condition is normal again, or nobody looks any more (`watched` is False)."""
        life = self._lives.get(key)
        if life is None or not life.active:
            return
        life.active = False
        flapping = self._flaps(key)
        flapping.change(now)
        if not life.held and flapping.until <= now:
            self._clear(life, now, None if watched else self._kinds.unwatched)
        elif not life.held:
            life.held = True
            self._tell_count(life, now)

    def acknowledge(self, alert: str, by: str, note: str | None, now: float) -> str:
        """A person has seen it; PolicyError if there is nothing to acknowledge. Return the alert's key."""
        life = self._named(alert)
        self._move(life, Trigger.ACKNOWLEDGE, now, by=by, note=note)
        self.see_through(life.body.key, now)
        return life.body.key

    def see_through(self, key: str, now: float) -> bool:
        """Do what comes with an acknowledgement, now or where a power cut came between; say whether it is reset.

        What is past and acknowledged is over, and who answered a call for help has reset it: nobody could do it later.
        """
        life = self._lives.get(key)
        if life is not None and life.state in _ACKNOWLEDGED:
            kind = self._kinds.by_name.get(life.body.kind)
            if kind is not None and kind.momentary and life.state is State.ACTIVE_ACKED:
                self._clear(life, now)
            elif kind is not None and kind.answered:
                self.reset([key], life.body.by or "", now)
        return life is not None and life.state is State.ACTIVE_RESET

    def reset(self, keys: Iterable[str], by: str, now: float) -> int:
        """A person resets these alerts where they latch; return how many were. Flapping is counted anew."""
        lives = [self._lives[key] for key in keys if key in self._lives]
        latched = [life for life in lives if life.body.latch and life.state is not State.ACTIVE_RESET]
        for life in latched:
            self._flaps(life.body.key).forget()
            if life.held and not life.active:
                self._clear(life, now)
            life.held = False
            self._move(life, Trigger.RESET, now, by=by)
        return len(latched)

    def shelve(self, alert: str, until_s: float, by: str, *, now: float, wall: float) -> None:
        """A person wants it quiet until a time of day; PolicyError for fire, what latches, and too long."""
        life = self._named(alert)
        kind = self._kinds.by_name.get(life.body.kind)
        if life.body.latch or (kind is not None and kind.fire):
            raise PolicyError(f"{life.body.kind} cannot be shelved", "acknowledge it, then reset it")
        if not wall < until_s <= wall + LONGEST_SHELF_S:
            raise PolicyError("the time on the shelf is over or too long", "at most seven days from now")
        self._move(life, Trigger.SHELVE, now, by=by, until_s=until_s)

    def tick(self, now: float, wall: float) -> None:
        """Do what is due: end flapping, tell counts, take alerts off the shelf."""
        for life in list(self._lives.values()):
            if life.held and self._flaps(life.body.key).until <= now:
                self._release(life, now)
            elif life.count != life.body.count and now >= life.told_at + TELL_EVERY_S:  # as in `next_due`
                self._tell_count(life, now)
            off = life.body.until_s  # further off than anything may lie there: the clock was set back
            if off is not None and not wall + EARLY_S < off <= wall + LONGEST_SHELF_S + SET_BACK_S:
                self._move(life, Trigger.UNSHELVE, now)

    def next_due(self, *, now: float, wall: float) -> float | None:
        """Return when `tick` has something to do, in monotonic seconds; None if never."""
        due = []
        for life in self._lives.values():
            if life.held:
                due.append(self._flaps(life.body.key).until)
            if life.count != life.body.count:
                due.append(life.told_at + TELL_EVERY_S)
            if life.body.until_s is not None:
                due.append(now + min(life.body.until_s - wall, LONGEST_SHELF_S))
        return min(due, default=None)

    def _begin(self, key: str, found: Found, now: float) -> None:
        body = begun(self._new_id(), key, found)
        self._lives[key] = life = _Life(body, body.text, body.count)
        self._put(life, body, now)

    def _repeat(self, life: _Life, found: Found, now: float) -> None:
        """Count what came again; what latches (fire, SOS) wants to be seen again."""
        life.active = True
        life.count += found.times
        life.latest = found
        if life.body.latch and life.state in {State.ACTIVE_ACKED, State.ACTIVE_RESET}:
            self._move(life, Trigger.WORSEN, now, found=found, count=life.count)
        elif now - life.told_at >= TELL_EVERY_S:
            self._tell_count(life, now)

    def _release(self, life: _Life, now: float) -> None:
        """It flaps no more: say how it stands."""
        life.held = False
        if not life.active:
            self._clear(life, now)
        elif life.count != life.body.count:
            self._tell_count(life, now)

    def _clear(self, life: _Life, now: float, phrase: Words | None = None) -> None:
        """Take a condition for normal; what latches and nobody has reset stays."""
        latched = life.body.latch and life.state is not State.ACTIVE_RESET
        self._move(life, Trigger.LATCH if latched else Trigger.CLEAR, now, phrase=phrase)

    def _tell_count(self, life: _Life, now: float) -> None:
        """Tell that it is still there and how often it came; where it stands does not change."""
        life.catch_up()
        text = texts.add(self._kinds.flapping, life.text, life.count) if life.held else life.text
        self._move(life, Trigger.REPEAT, now, text=text)

    def _move(
        self,
        life: _Life,
        trigger: Trigger,
        now: float,
        *,
        found: Found | None = None,
        count: int | None = None,
        text: Words | None = None,
        phrase: Words | None = None,
        by: str | None = None,
        note: str | None = None,
        until_s: float | None = None,
        evidence: tuple[str, ...] | None = None,
    ) -> None:
        """Take one step of the table and tell it. What is found anew is not acknowledged by anybody."""
        state, change = step(life.state, trigger)
        life.count = life.count if count is None else count
        if found is None:
            life.catch_up()
        before = life.body
        if found is None:
            kept = before.evidence if evidence is None else evidence
            body = msgspec.structs.replace(
                before, by=by or before.by, note=note or before.note, evidence=kept
            )
        else:
            body = begun(before.alert, before.key, found)
            life.text, life.active, life.latest = body.text, True, None
        if change is Change.CLEARED:
            text = texts.add(phrase or self._over(life), life.text, life.count)
        body = msgspec.structs.replace(
            body,
            change=change,
            state=state,
            count=life.count,
            text=text or body.text,
            first_seen=before.first_seen,
            clock=before.clock,
            until_s=(until_s or before.until_s) if state in _ON_SHELF else None,
        )
        self._put(life, body, now)

    def _put(self, life: _Life, body: AlertBody, now: float) -> None:
        life.body, life.told_at = body, now
        if body.state == State.OVER:
            del self._lives[body.key]
            self._ended[body.key] = body
            if len(self._ended) > _ENDED_MOST:
                del self._ended[next(iter(self._ended))]
        self._submit(body)

    def _over(self, life: _Life) -> Words:
        """Return what is said of an alert when it is over."""
        kind = self._kinds.by_name.get(life.body.kind)
        return self._kinds.answered if kind is not None and kind.answered else self._kinds.cleared

    def _becomes(self, life: _Life) -> str:
        """Return the kind an alert becomes past its urgent limit, "" where there is none."""
        kind = self._kinds.by_name.get(life.body.kind)
        return "" if kind is None else kind.urgent

    def _flaps(self, key: str) -> Flapping:
        return self._flapping.setdefault(key, Flapping())

    def _named(self, alert: str) -> _Life:
        for life in self._lives.values():
            if life.body.alert == alert:
                return life
        raise PolicyError(
            f"there is no open alert {alert}", "it may be over; `alerts` lists those that are not"
        )


def _last_of_each(events: Iterable[Event]) -> list[AlertBody]:
    """Return the last state of every alert that is not over."""
    last = {event.body.alert: event.body for event in events if isinstance(event.body, AlertBody)}
    return [body for body in last.values() if body.state != State.OVER]
