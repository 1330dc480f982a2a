"""A street for alerting tests: devices with rules, a stream that numbers, and time that is told."""

from collections.abc import Iterable, Mapping

from drivers.api import Point, Quality, Value
from gateway.core import kinds
from gateway.core.events import (
    AlertBody,
    BaselineBody,
    Body,
    Change,
    Clock,
    Event,
    LinkBody,
    NoteBody,
    OutcomeBody,
    Place,
    ReadingBody,
)
from gateway.core.rule_tables import compile_rules
from gateway.core.rules import Rule, Watched
from gateway.services.alerting import Alerting

KINDS = kinds.built_in()
WALL = 1_800_000_000.0  # the wall clock at monotonic 0
COMPOUND = "红星亭坡 1 号院"

SMOKE = [
    {"kind": "fire.smoke", "point": "alarm", "when": True},
    {"kind": "fire.fault", "point": "fault", "when": True},
    {"kind": "device.test", "point": "test", "when": True, "reads": 1, "clear_reads": 1},
]
TILT = [
    {
        "kind": "manhole.tilt",
        "points": ["roll", "pitch"],
        "deviates": 10,
        "clear": 8,
        "urgent": 90,
        "apart_s": 1,
    }
]
DOOR = [
    {
        "kind": "door.forced",
        "point": "contact",
        "when": True,
        "excused_by": ["exit_button", "strike"],
        "excuse_s": 8,
    },
    {"kind": "door.held", "point": "contact", "when": True, "hold_s": 30, "clear_reads": 1},
]
BUTTON = [{"kind": "care.sos", "point": "presses", "moved": True}]
WATER = [{"kind": "manhole.water", "point": "level", "above": 2.0, "clear": 1.5}]
POINTS = {
    "smoke": [Point("alarm", None), Point("fault", None), Point("test", None)],
    "tilt": [Point("roll", None, "°"), Point("pitch", None, "°")],
    "door": [Point("contact", None), Point("exit_button", None), Point("strike", None)],
    "level": [Point("level", None, "m")],
    "button": [Point("presses", None, counts=65536)],
}
TABLES = {"smoke": SMOKE, "tilt": TILT, "door": DOOR, "level": WATER, "button": BUTTON}


def rules(category: str, *tables: Mapping[str, object]) -> tuple[Rule, ...]:
    """Return the rules of a category of this street, or these ones on its points."""
    compiled = compile_rules(
        tables or TABLES[category],
        (),
        {},
        device="any",
        category=category,
        points=POINTS[category],
        kinds=KINDS,
        where="device",
    )
    assert not compiled.faults, list(map(str, compiled.faults))
    return compiled.rules


def watched(name: str, category: str, *tables: Mapping[str, object], floor: str = "3", building: str = "2",
            baseline: Mapping[str, float] | None = None) -> Watched:  # fmt: skip
    """Return a device of the street."""
    place = Place(compound=COMPOUND, building=building, unit="1", floor=floor)
    mine = rules(category, *tables)
    return Watched(name, place=place, category=category, bus="riser-a", rules=mine, baseline=baseline or {})


class Street:
    """Alerting with a recording stream around it. `told` is every alert event, `asked` every read_soon."""

    def __init__(
        self,
        *devices: Watched,
        restore: Iterable[Event] = (),
        now: float = 0.0,
        ended: float = 0.0,
        gateway: str = "",
        uplink: str = "",
    ) -> None:
        self.events: list[Event] = []
        self.asked: list[tuple[str, str]] = []
        self.now = now
        self.wall_minus_monotonic = WALL
        self._ids = len(list(restore))
        self.alerting = Alerting(
            {device.name: device for device in devices},
            kinds=KINDS,
            submit=self.submit,
            read_soon=lambda device, point: self.asked.append((device, point)),
            new_id=self._new_id,
            place=Place(compound=COMPOUND),
            restore=restore,
            ended=ended,
            gateway=gateway,
            uplink=uplink,
        )

    def submit(self, body: Body) -> Event:
        """Number a body as the stream does; the alerting follows all of them."""
        wall = self.now + self.wall_minus_monotonic
        event = Event(1, len(self.events) + 1, wall, self.now, Clock.SYNCED, body)
        self.events.append(event)
        self.alerting.follow(event)
        return event

    def read(self, device: str, point: str, value: Value | None, *, at: float | None = None,
             quality: Quality = Quality.GOOD) -> None:  # fmt: skip
        """Tell a reading of now."""
        self.submit(ReadingBody(device, point, value, quality, self.now if at is None else at))

    def reads(self, device: str, point: str, *values: Value, every: float = 1.0) -> None:
        """Tell readings, each `every` seconds after the last."""
        for value in values:
            self.now += every
            self.read(device, point, value)

    def link(self, what: str, name: str, *, up: bool) -> None:
        """Tell that something came or went."""
        self.submit(LinkBody(what, name, up, "timeout"))  # type: ignore[arg-type]

    def outcome(self, device: str, result: str = "done", *, grants: bool = False) -> None:
        """Tell what came of a command."""
        self.submit(OutcomeBody("c1", device, "unlock", result, "", "local", grants))  # type: ignore[arg-type]

    def note(self, what: str) -> None:
        """Tell a fact about the gateway."""
        self.submit(NoteBody(what, "17 rows"))

    def rest(self, device: str, point: str, value: float) -> None:
        """Tell a baseline set by a person."""
        self.submit(BaselineBody(device, point, value, "local"))

    def tick(self, now: float | None = None) -> None:
        """Let time pass to `now`, or to the next thing that is due."""
        due = self.alerting.next_due() if now is None else now
        assert due is not None
        self.now = max(self.now, due)
        self.alerting.tick(self.now, self.now + self.wall_minus_monotonic)

    @property
    def told(self) -> list[AlertBody]:
        """Return every alert event so far."""
        return [event.body for event in self.events if isinstance(event.body, AlertBody)]

    @property
    def story(self) -> list[tuple[str, str]]:
        """Return kind and change of every alert event so far."""
        return [(body.kind, str(body.change)) for body in self.told]

    def open(self, kind: str) -> AlertBody:
        """Return the one open alert of a kind."""
        (body,) = [body for body in self.alerting.alerts() if body.kind == kind]
        return body

    def kinds(self) -> list[str]:
        """Return the kinds of the open alerts."""
        return [body.kind for body in self.alerting.alerts()]

    def _new_id(self) -> str:
        self._ids += 1
        return f"alert-{self._ids:04}"


RAISED, UPDATED, CLEARED, ACKNOWLEDGED = (str(change) for change in Change)
