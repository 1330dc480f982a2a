"""Things that judge themselves: a camera its picture, a door its leaf, an interlock whether it holds. Pure.

No rule looks at them. Each tells the whole of how it stands whenever something of it changes, and with it which kinds
of alert are true of it; here that becomes what each of those kinds is to do.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.core import doors, interlocks
from gateway.core.events import DoorBody, InterlockBody, PictureBody, Place
from gateway.core.texts import NOWHERE, Subject, common_place

Body = PictureBody | DoorBody | InterlockBody


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a kind of alert is true of something now."""

    kind: str
    name: str
    true: bool
    subject: Subject
    note: str = ""

    @property
    def key(self) -> str:
        """Return the key of its alert."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Judges:
    """Where cameras look and doors are; `place` is the gateway's own."""

    cameras: Mapping[str, Subject]
    doors: Mapping[str, Subject]
    place: Place

    def judgements(self, body: Body) -> Iterator[Judgement]:
        """Yield what a body says of each kind that its sort of thing can have."""
        match body:
            case PictureBody(camera=name):
                subject = self.cameras.get(name, Subject(name, place=self.place))
                yield Judgement(body.kind, name, body.wrong, subject)
            case DoorBody(door=name):
                subject = self.doors.get(name, Subject(name, place=self.place))
                for kind in doors.KINDS:
                    yield Judgement(kind, name, kind in body.kinds, subject, body.why)
            case InterlockBody(interlock=name):
                reach = common_place(body.places) if body.places else NOWHERE
                subject = Subject(name, place=self.place if reach == NOWHERE else reach)
                for kind, drill in ((interlocks.ENGAGED_KIND, False), (interlocks.DRILL_KIND, True)):
                    yield Judgement(kind, name, body.engaged and body.drill is drill, subject)
