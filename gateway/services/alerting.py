"""Alerting: follows the stream, turns what it tells into alerts, and takes what people do with them.

A thin shell over the pure parts in gateway/core: detection finds, the alert list remembers and tells, neighbours
confirm one another. Its own business is only who is told what, and a timer that asks for readings and ends
flapping. It never waits for disk or network, so that a fire is raised whatever else fails.

It knows the time of day by the events it sees: only the stream asks the clock.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping

from gateway.core import judged, presses
from gateway.core.alert_list import AlertList
from gateway.core.conditions import Finding
from gateway.core.detection import Detection, Result
from gateway.core.events import (
    AlertBody,
    BaselineBody,
    Body,
    Clock,
    DoorBody,
    Event,
    FallBody,
    InterlockBody,
    LinkBody,
    NoteBody,
    OutcomeBody,
    PictureBody,
    Place,
    ReadingBody,
    SaidBody,
    Severity,
)
from gateway.core.falls import Falls
from gateway.core.forgotten import Configured
from gateway.core.found import Found
from gateway.core.grouping import Neighbourhood
from gateway.core.kinds import Kind, Kinds
from gateway.core.policy import PolicyError
from gateway.core.rules import Watched
from gateway.core.sayings import UNKNOWN_KIND, Sayings
from gateway.core.texts import NOWHERE, Facts, Subject

AUTO = "auto"
"""Origin of a baseline nobody set."""


class Alerting:
    """Makes alerts. `cameras` says where each looks, `doors` where each is, `place` is the gateway's own.

    `restore` is every alert and baseline event told before, in order; `ended` the time of day at which the last run
    was last known to look, 0 if nobody knows. Local time is `offset_h` hours before UTC's. `gateway` is its id,
    `uplink` the name under which messages go upstream, "" where none go.
    """

    def __init__(
        self,
        devices: Mapping[str, Watched],
        *,
        kinds: Kinds,
        submit: Callable[[Body], object],
        read_soon: Callable[[str, str], None],
        new_id: Callable[[], str],
        place: Place = NOWHERE,
        cameras: Mapping[str, Subject] = {},
        doors: Mapping[str, Subject] = {},
        restore: Iterable[Event] = (),
        ended: float = 0.0,
        offset_h: float = 8.0,
        gateway: str = "",
        uplink: str = "",
    ) -> None:
        told = list(restore)
        self._devices = devices
        self._kinds = kinds
        self._submit = submit
        self._read_soon = read_soon
        self._place, self._offset_h = place, offset_h
        self._cameras, self._doors = cameras, doors
        self._judges = judged.Judges(cameras, doors, place)
        self._alerts = AlertList(kinds, submit=submit, new_id=new_id, restore=told)
        self._detection = Detection(
            devices.values(),
            baselines={(b.device, b.point): b.value for b in _baselines(told)},
            counts=presses.stood(told),
            standing={body.key: body for body in self._alerts.bodies()},
            ended=ended,
        )
        self._neighbours = Neighbourhood(devices, kinds, self._detection.guards, self._alerts)
        guards = self._detection.guards
        self._configured = Configured(
            kinds, devices, cameras, doors, guards, self._neighbours, gateway, uplink
        )
        self._falls = Falls(cameras, kinds, self._alerts)
        self._sayings = Sayings()
        self._now = self._ahead = 0.0  # monotonic seconds of the last event; wall minus monotonic
        self._clock = Clock.UNSYNCED
        self._counted = presses.Counted()
        self._settled = False
        self._wake = asyncio.Event()

    def follow(self, event: Event) -> None:
        """Take one event of the stream. Most are readings that change nothing, and cost next to nothing."""
        now = self._now = event.monotonic
        self._ahead, self._clock = event.time - now, event.clock
        if not self._settled:
            self._settle()
        body = event.body
        if isinstance(body, ReadingBody):
            results = self._detection.read(body, self._ahead + min(body.at, now))
            if not results:
                return
            for result in results:
                self._act(result, body.unit)
        elif isinstance(body, SaidBody) and body.device in self._devices:
            self._said(body)
        elif not self._take(body):
            return
        self._wake.set()

    def tick(self, now_monotonic: float, wall: float) -> None:
        """Do what is due at this time: ask for readings, end flapping, take alerts off the shelf."""
        self._now, self._ahead = now_monotonic, wall - now_monotonic
        for device, point in self._detection.due(now_monotonic):
            self._read_soon(device, point)
        self._alerts.tick(now_monotonic, wall)
        self._neighbours.settle(self._now)

    def next_due(self) -> float | None:
        """Return when `tick` has something to do, in monotonic seconds; None if never."""
        wall = self._now + self._ahead
        due = [self._detection.next_due(), self._alerts.next_due(now=self._now, wall=wall)]
        return min((each for each in due if each is not None), default=None)

    async def run(self) -> None:
        """Tick when something is due, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self.next_due()):
                    await self._wake.wait()
                    continue
            self.tick(loop.time(), loop.time() + self._ahead)

    def alerts(self) -> list[AlertBody]:
        """Return all alerts that are not over, oldest first."""
        return self._alerts.bodies()

    def is_found(self, key: str) -> bool:
        """Return whether what the rule of this key looks for was found in the last readings."""
        guard = self._detection.guards.get(key)
        return guard is not None and guard.active

    def acknowledge(self, alert_id: str, by: str, note: str | None = None) -> None:
        """A person has seen an alert; PolicyError if there is nothing to acknowledge."""
        self._pass([self._alerts.acknowledge(alert_id, by, note, self._now)])
        self._neighbours.settle(self._now)

    def reset(self, device: str, by: str) -> None:
        """A person resets what latched at a device, but for what is in alarm still; PolicyError if nothing did."""
        mine = [body.key for body in self._alerts.bodies() if self._is_reset_with(body, device)]
        if not self._alerts.reset(mine, by, self._now):
            raise PolicyError(f"{device} has nothing to reset", "`alerts` lists what is open")
        self._pass(mine)
        self._neighbours.settle(self._now, by)
        self._wake.set()

    def shelve(self, alert_id: str, until_s: float, by: str) -> None:
        """A person wants an alert quiet until a time of day, seconds since 1970; PolicyError for fire."""
        self._alerts.shelve(alert_id, until_s, by, now=self._now, wall=self._now + self._ahead)
        self._wake.set()

    def _take(self, body: Body) -> bool:
        """Take what is no reading; return whether it concerned us."""
        match body:
            case LinkBody():
                self._link(body.what, body.name, up=body.up, reason=body.reason)
                if body.what == "device" and body.up and body.name in self._devices:
                    self._link("bus", self._devices[body.name].bus, up=True)
            case FallBody():
                self._falls.fell(body, now=self._now, wall=self._now + self._ahead, clock=self._clock)
            case PictureBody() | DoorBody() | InterlockBody():
                self._judge(body)
            case OutcomeBody():
                if body.grants:
                    self._detection.excuse(body.device, self._now)
                if body.result not in {"refused", "unknown"}:
                    self._link("command", body.device, up=body.result == "done", reason=body.detail)
            case BaselineBody():
                self._detection.rest(body.device, body.point, body.value)
            case AlertBody():
                told = self._counted.told(self._detection.guards.get(body.key), body)
                if told is not None:
                    self._submit(told)
            case NoteBody() if body.what in self._kinds:
                self._raise(self._kinds[body.what], body.what, Subject(place=self._place), note=body.detail)
            case _:
                return False
        return True

    def _act(self, result: Result, unit: str | None) -> None:
        condition, guard = result.condition, result.guard
        device = guard.device.name
        match result.finding:
            case Finding.LOOK:
                # is it in test? before: is it still there?
                for point in (*guard.rule.unless, *guard.rule.begins_unless, condition.point):
                    self._read_soon(device, point)
            case Finding.RESTED if condition.baseline is not None:
                self._detection.rest(device, condition.point, condition.baseline)
                origin = presses.COUNTED if guard.counts else AUTO
                self._submit(BaselineBody(device, condition.point, condition.baseline, origin))
            case Finding.FOUND:
                self._alerts.found(guard.key, self._found(result, unit), self._now)
                self._neighbours.alarm(guard, condition.since, self._now, self._clock)
            case Finding.WORSE | Finding.AGAIN:
                tell = self._alerts.worse if result.finding is Finding.WORSE else self._alerts.lasts
                tell(guard.key, self._found(result, unit), self._now)
            case Finding.GONE:
                self._alerts.gone(guard.key, self._now)
                self._neighbours.settle(self._now)

    def _found(self, result: Result, unit: str | None) -> Found:
        """Return what a condition found; past the urgent limit it is of the kind that its kind becomes there."""
        condition, rule, device = result.condition, result.guard.rule, result.guard.device
        kind = self._kinds[rule.kind.urgent] if result.guard.urgent and rule.kind.urgent else rule.kind
        own = kind is rule.kind
        value, shown = condition.value, self._detection.shown(result.guard)
        if shown is not None and shown.value is not None and not result.guard.counts:
            value, unit = shown.value, shown.unit
        subject = device.about_point(condition.point)
        if condition.point in device.private:
            value = unit = None
        return Found(
            kind=kind,
            severity=rule.severity if own else kind.severity,
            certainty=rule.certainty if own else kind.certainty,
            facts=Facts(subject, value, unit, condition.deviation),
            first_seen=condition.since_wall if condition.since_wall > 0 else self._now + self._ahead,
            clock=self._clock,
            device=device.name,
            point=condition.point,
            devices=(device.name,),
            latch=rule.latch,
            note=self._sayings.of(device.name),
            **presses.told(condition, kind, subject, self._kinds, self._offset_h),
        )

    def _said(self, body: SaidBody) -> None:
        """Take words of a device: for its alerts, or for a person where nobody here understands them."""
        device = self._devices[body.device]
        self._sayings.take(body)
        if body.unknown:
            key, note = f"{UNKNOWN_KIND}/{device.name}", self._sayings.unknown(device.name)
            self._raise(self._kinds[UNKNOWN_KIND], key, device.subject, device=device, note=note)
            if self._sayings.may_tell(device.name, self._now):
                self._alerts.enrich(key, (), note, self._now)
        for guard in self._detection.guards.values() if body.more else ():
            for condition in guard.conditions if guard.device is device else ():
                if condition.active and condition.point in body.points:
                    found = self._found(Result(Finding.WORSE, condition, guard), None)
                    self._alerts.worse(guard.key, found, self._now)

    def _pass(self, keys: Iterable[str]) -> None:
        """Take note that what was pressed is past, now that somebody has seen to it."""
        for key in keys:
            guard = self._detection.guards.get(key)
            if guard is not None and guard.counts:
                self._alerts.gone(key, self._now)

    def _judge(self, body: judged.Body) -> None:
        """Take what is true, or no longer, of something that judges itself."""
        for each in self._judges.judgements(body):
            if not each.true:
                self._alerts.gone(each.key, self._now)
            elif not self._alerts.is_true(each.key):
                self._raise(self._kinds[each.kind], each.key, each.subject, note=each.note)

    def _link(self, what: str, name: str, *, up: bool, reason: str = "") -> None:
        kind = self._kinds.by_link[what]
        key = f"{kind.name}/{name}"
        if up:
            self._alerts.gone(key, self._now)
        elif kind.momentary or not self._alerts.is_true(key):
            device = self._devices.get(name) if what in {"device", "command"} else None
            subject = {"camera": self._cameras, "command": self._doors}.get(what, {}).get(name)
            subject = subject or (Subject(name, place=self._place) if device is None else device.subject)
            self._raise(kind, key, subject, device=device, note=reason)

    def _raise(
        self, kind: Kind, key: str, subject: Subject, *, device: Watched | None = None, note: str = ""
    ) -> None:
        """Raise what no rule finds: a lost device, a full disk."""
        found = Found(
            kind=kind,
            severity=_severity(kind, device),
            certainty=kind.certainty,
            facts=Facts(subject),
            first_seen=self._now + self._ahead,
            clock=self._clock,
            device=None if device is None else device.name,
            devices=() if device is None else (device.name,),
            note=note or None,
        )
        self._alerts.found(key, found, self._now)

    def _settle(self) -> None:
        """Take up where the last run ended, as soon as the time is known."""
        self._settled = True
        for body in self._alerts.bodies():
            if self._configured.forgets(body):
                self._alerts.gone(body.key, self._now, watched=False)
            elif self._alerts.see_through(body.key, self._now):
                self._pass([body.key])
        self._neighbours.restore(now=self._now, wall=self._now + self._ahead)

    def _is_reset_with(self, body: AlertBody, device: str) -> bool:
        """Return whether an alert is of a device, or was made by it with others and nobody sees to it any more."""
        if body.device is not None:
            return body.device == device
        return device in body.devices and self._configured.forgets(body)


def _severity(kind: Kind, device: Watched | None) -> Severity:
    """Return how bad it is for this device: a lost fire detector is worse than a lost bin."""
    families = set() if device is None else {*device.families, device.category}
    found = {kind.severity, *(severity for family, severity in kind.worse.items() if family in families)}
    return next(severity for severity in Severity if severity in found)


def _baselines(events: Iterable[Event]) -> Iterable[BaselineBody]:
    return (event.body for event in events if isinstance(event.body, BaselineBody))
