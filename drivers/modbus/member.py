"""One device on a Modbus line: what it is asked, and what the line has learned about it."""

from typing import Final, NamedTuple

from drivers.api import Device, Point, Priority, Value
from drivers.bus import Job
from drivers.modbus.blocks import Block, plan
from drivers.modbus.codec import ReadReply
from drivers.modbus.exchange import Question
from drivers.modbus.wire import Freeze, Identity, ModbusWire
from drivers.statistics import Counters
from drivers.timeouts import LearnedTimeout

ABOUT_EVERY_S: Final = 86_400.0


class Ask(Job):
    """A question in the line's queue."""

    __slots__ = ("look_alikes", "member", "question")

    def __init__(self, member: "Member", question: Question, priority: Priority, interval_s: float) -> None:
        super().__init__(member.number, priority, interval_s)
        self.member, self.question = member, question
        self.look_alikes: tuple[Ask, ...] = ()  # polls of the same device whose replies look like its own


class Poll(Ask):
    """A block of registers read again and again."""

    __slots__ = ("block", "busy_since", "refusals", "reply", "retried", "told_blind", "told_stale", "values")

    def __init__(self, member: "Member", block: Block) -> None:
        question = Question(member.device.address, block.request)
        super().__init__(member, question, block.priority, block.interval_s)
        self.block = block
        self.retried = False  # a damaged answer was asked for again
        self.refusals = 0  # in a row: the device says it does not have these registers
        self.busy_since: float | None = None  # it says nothing else
        self.told_stale = False
        self.told_blind = False  # the device was told as away for this block alone
        self.reply: ReadReply | None = None  # the last, and the values in it
        self.values: list[tuple[Point, Value | None]] = []


class About(Ask):
    """What the unit says of itself, asked when it comes and once a day, behind all that is due."""

    __slots__ = ("identity", "seen")

    def __init__(self, member: "Member", identity: Identity) -> None:
        question = Question(member.device.address, identity.request)
        super().__init__(member, question, Priority.TELEMETRY, ABOUT_EVERY_S)
        self.identity = identity
        self.seen = ""  # read once: a second look that says the same is believed


class Ended(NamedTuple):
    """When an exchange ended, what of the line's time it took with the silence after it, and its own times."""

    at: float
    took_s: float
    round_trip_s: float
    turnaround_s: float


class Member:
    """A device, numbered by its place on the line."""

    __slots__ = (
        "about", "answered_poll", "beat_at", "beat_value", "counters", "device", "failed_probes", "fire", "freeze",
        "last", "number", "patient", "polls", "ready_at", "senseless", "suspended", "timeout", "warm_at",
    )  # fmt: skip

    def __init__(self, number: int, device: Device, *, char_s: float, gap_s: float, now: float) -> None:
        wire = device.profile.wire
        assert isinstance(wire, ModbusWire)
        self.number, self.device = number, device
        self.timeout = LearnedTimeout(device.profile.timing.timeout_s)
        self.counters = Counters()
        self.last: dict[str, Value | None] = {}
        self.ready_at = now  # the device needs its silence until then
        self.fire = any(point.priority is Priority.FIRE for point in device.profile.points)
        self.suspended = False  # silent: only probed
        self.failed_probes = 0
        self.senseless = False  # the last it said was no frame
        self.patient = False  # it answers, but late: probe with the whole time-out
        self.warm_at = now  # its values mean something from then on
        self.freeze: Freeze | None = wire.freeze
        self.beat_value: Value | None = None
        self.beat_at = now
        blocks = plan(
            device.profile.points, char_s=char_s, gap_s=gap_s, max_read=wire.max_read, bridge=wire.bridge
        )
        self.polls = [Poll(self, block) for block in blocks]
        self.about = [About(self, identity) for identity in wire.identity]
        self.answered_poll: Poll | None = None
        self.compare()

    def compare(self) -> None:
        """Find out which questions could be taken for one another; after each change of `polls`."""
        asks: list[Ask] = [*self.polls, *self.about]
        for ask in asks:
            shape = ask.question.shape
            ask.look_alikes = tuple(each for each in asks if each is not ask and each.question.shape == shape)

    def poll_of(self, point: str) -> Poll | None:
        """Return the poll that reads a point."""
        return next((p for p in self.polls if any(q.name == point for q in p.block.points)), None)

    def probe(self) -> Poll:
        """Return the question most likely to be answered by a device that is silent.

        Every other time it is another one: perhaps that block alone is silent.
        """
        if self.answered_poll is None:
            return self.polls[self.failed_probes % len(self.polls)]
        turn, another = divmod(self.failed_probes, 2)
        return self.polls[turn % len(self.polls)] if another else self.answered_poll
