"""One peripheral on an OSDP line: its points, what it last showed, and the commands that wait for it."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from drivers.api import Device, Point, Value
from drivers.bus import doubled_s
from drivers.osdp import frames
from drivers.osdp.panel import PeripheralId
from drivers.osdp.wire import KINDS, Kind, Place
from drivers.statistics import Counters

SURE_S: Final = 10.0
BELIEVED_REFUSALS: Final = 2  # in a row: a reader that starts, or lost count, says no for once
FIRST_AGAIN_S: Final = 5.0  # after a refusal, twice that after the next: each ends the secure channel
LAST_AGAIN_S: Final = 86_400.0
STATUS_COMMAND: Final = 9  # of osdp_sys, as the types below
STATUS_TYPES: Final[Mapping[Kind, int]] = {"input": 0, "output": 1, "local": 2}
STATUS_CODES: Final[Mapping[Kind, int]] = {
    "input": frames.INPUT_STATUS, "output": frames.OUTPUT_STATUS, "local": frames.LOCAL_STATUS
}  # fmt: skip
CAPABILITIES: Final[Mapping[Kind, int]] = {"input": 1, "output": 2}


class Errand:
    """One command. `code` is its name on the wire; `answer` is True when acknowledged, else what was said."""

    __slots__ = ("answer", "code", "command", "deadline", "kind", "refusal", "sent")

    def __init__(
        self,
        command: dict[str, object],
        code: int,
        *,
        answer: "asyncio.Future[bool] | None" = None,
        deadline: float = float("inf"),
        kind: Kind | None = None,
    ) -> None:
        self.command, self.code, self.answer, self.kind = command, code, answer, kind
        self.deadline = deadline  # it is not sent from then on
        self.sent = False
        self.refusal = ""  # what the peripheral said to it, if it refused


class Member:
    """A device, numbered by its seat."""

    __slots__ = (
        "asked_at", "counters", "current", "device", "draining", "identity", "last", "number", "points", "refusals",
        "refused_until", "tells", "turn", "waiting",
    )  # fmt: skip

    def __init__(self, number: int, device: Device) -> None:
        self.number, self.device = number, device
        self.counters = Counters()
        self.last: dict[str, Value | None] = {}
        self.waiting: deque[Errand] = deque()  # what a person or an interlock wants
        self.current: Errand | None = None  # what libosdp has
        self.identity: PeripheralId | None = None
        self.refusals: dict[Kind, int] = {}  # in a row, of states it was asked for
        self.refused_until: dict[Kind, float] = {}  # and when it is next asked for them
        self.tells: set[Kind] = set()  # states it tells by itself as they change: to ask is only to make sure
        self.points: dict[Kind, list[Point]] = {kind: [] for kind in KINDS}
        for point in device.profile.points:
            assert isinstance(point.wire, Place)
            self.points[point.wire.kind].append(point)
        self.draining = True  # it may have kept cards that were held to it long ago
        self.turn = asyncio.Lock()  # one action at a time
        self.asked_at: dict[Kind, float] = {}  # when each status is next to be asked for

    def ask_all(self, now: float) -> None:
        """Have every status asked for at once."""
        self.asked_at = {kind: now for kind in KINDS if self.points[kind]}

    def ask_soon(self, kind: Kind, now: float) -> None:
        """Have one status asked for at once."""
        if self.points[kind]:
            self.asked_at[kind] = now

    def next_status(self, now: float) -> Errand | None:
        """Return the question for the status that is due, None if none is."""
        for kind, at in self.asked_at.items():
            if max(at, self.refused_until.get(kind, at)) > now or not self.has(kind):
                continue
            interval_s = min(point.interval_s for point in self.points[kind])
            self.asked_at[kind] = now + (max(interval_s, SURE_S) if kind in self.tells else interval_s)
            command: dict[str, object] = {"command": STATUS_COMMAND, "type": STATUS_TYPES[kind]}
            return Errand(command, STATUS_CODES[kind], kind=kind)
        return None

    def refused(self, kind: Kind, now: float) -> bool:
        """Take that it refused to tell a status; return whether that is believed from now on."""
        before = self.refusals.get(kind, 0)
        self.refusals[kind] = before + 1
        self.refused_until[kind] = now + doubled_s(FIRST_AGAIN_S, before, LAST_AGAIN_S)
        return before + 1 == BELIEVED_REFUSALS

    def told(self, kind: Kind, values: Iterable[tuple[Point, Value | None]], *, asked: bool) -> None:
        """Take that it told a status. What it says as it comes up is no promise to tell changes, too."""
        changed = any(self.last.get(point.name, value) != value for point, value in values)
        if asked:
            self.refusals.pop(kind, None)
            self.refused_until.pop(kind, None)
            self.tells -= {kind} if changed else set()
        elif changed:
            self.tells.add(kind)

    def has(self, kind: Kind) -> bool:
        """Say whether the peripheral has such states at all: a question too many ends the secure channel."""
        if kind == "local":
            return True
        return self.identity is not None and self.identity.capabilities.get(CAPABILITIES[kind], (0, 0))[1] > 0
