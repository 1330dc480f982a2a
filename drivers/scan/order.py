"""In which order a scan asks: where devices usually are first, and no question whose answer is known. Pure.

1. quick: at every speed the addresses products come with, by the read each of them knows;
2. as soon as one answers, all addresses at its speed, since what shares a line shares its speed;
3. if nothing answered at all, or when told to be thorough: all addresses at all speeds.

A whole frame from another address than the one asked is a slow device's late answer: that one is asked again
and given time. A device that answers at two speeds shows that the port minds none (a pseudo terminal, a
converter with a speed of its own): then only the first speed goes on.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from drivers.api import Profile
from drivers.modbus.codec import ReadRequest, Reply
from drivers.modbus.wire import ModbusWire

BAUDS = (9600, 4800, 19200, 38400, 57600, 115200, 2400, 1200)
PARITIES = ("none", "even")
ADDRESSES = range(1, 248)
FIRST_ADDRESSES = (1, 2, 3)

HOLDING = ReadRequest(3, 0, 1)
EVERY_KIND = (HOLDING, ReadRequest(4, 0, 1), ReadRequest(2, 0, 1), ReadRequest(1, 0, 1))
LATE_WAIT_S = 1.0


@dataclass(frozen=True, slots=True)
class Setting:
    """How a line may be set: 8 data bits, 1 stop bit, as nearly all products come."""

    baud: int
    parity: str

    @property
    def char_s(self) -> float:
        """Seconds one character takes."""
        return (10 + (self.parity != "none")) / self.baud

    def __str__(self) -> str:
        return f"{self.baud} 8{self.parity[0].upper()}1"


@dataclass(frozen=True, slots=True)
class Step:
    """One question."""

    setting: Setting
    address: int
    request: ReadRequest
    wait_s: float

    @property
    def cost_s(self) -> float:
        """Seconds it takes if nobody answers."""
        return 8 * self.setting.char_s + self.wait_s


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a reply from the one asked, a whole frame from another (`late_from`), noise, or nothing.

    `impossible`: the port cannot be set so, and nothing was asked.
    """

    reply: Reply | None = None
    late_from: int | None = None
    noise: int = 0
    impossible: bool = False

    @property
    def there(self) -> bool:
        """Whether a device is at the address asked."""
        return self.reply is not None


class Search:
    """Knows what to ask next. Call `next`, ask, tell it by `heard`, until `next` returns None."""

    def __init__(
        self,
        settings: Sequence[Setting],
        addresses: Iterable[int],
        profiles: Sequence[Profile],
        *,
        wait_s: float,
        thorough: bool = False,
    ) -> None:
        self.done_s = 0.0
        self.remaining_s = 0.0
        self._settings, self._wait_s, self._thorough = settings, wait_s, thorough
        self._addresses = tuple(addresses)
        self._found: set[tuple[Setting, int]] = set()
        self._asked: set[tuple[Setting, int, ReadRequest]] = set()
        self._whole: set[Setting] = set()  # settings whose every address is queued
        self._dropped: set[Setting] = set()  # nothing more is asked at these
        self._queue: deque[Step] = deque()
        self._add(self._quick(profiles))

    def next(self) -> Step | None:
        """Return the next question, None when there is none left."""
        while True:
            while self._queue:
                step = self._queue.popleft()
                self.remaining_s -= step.cost_s
                if self._is_open(step):
                    return step
            left = [each for each in self._settings if each not in self._whole]
            if not left or (self._found and not self._thorough):
                return None
            self._search_whole(left[0])

    def heard(self, step: Step, answer: Answer) -> bool:
        """Take in what came of a question; True if it is a device not known before."""
        self.done_s += step.cost_s
        self._asked.add((step.setting, step.address, step.request))
        if answer.impossible:
            self._drop({step.setting})
        elif answer.there and any(address == step.address for _, address in self._found):
            self._drop(set(self._settings) - {setting for setting, _ in self._found})
            self._drop({step.setting})
        elif answer.there:
            self._found.add((step.setting, step.address))
            if step.setting not in self._whole:
                self._search_whole(step.setting)
            return True
        elif answer.late_from in self._addresses and (step.setting, answer.late_from) not in self._found:
            self._add([Step(step.setting, answer.late_from, step.request, LATE_WAIT_S)], first=True)
        return False

    def _drop(self, settings: set[Setting]) -> None:
        self._dropped |= settings
        self._whole |= settings

    def _is_open(self, step: Step) -> bool:
        if step.setting in self._dropped or (step.setting, step.address) in self._found:
            return False
        return step.wait_s > self._wait_s or (step.setting, step.address, step.request) not in self._asked

    def _quick(self, profiles: Sequence[Profile]) -> Iterator[Step]:
        """One read of each kind at an address is enough: a device that has no such register says so."""
        wires = [profile.wire for profile in profiles if isinstance(profile.wire, ModbusWire)]
        questions = {(address, HOLDING.function): HOLDING for address in FIRST_ADDRESSES}
        for wire in wires:
            questions.setdefault((wire.address, HOLDING.function), HOLDING)
            if wire.identify is not None:
                request = wire.identify.register.request
                questions.setdefault((wire.address, request.function), request)
        in_order = sorted(questions.items(), key=lambda each: each[0][0])
        usual = [(address, request) for (address, _), request in in_order if address in self._addresses]
        for setting in self._settings:
            for address, request in usual:
                yield Step(setting, address, request, self._wait_s)

    def _search_whole(self, setting: Setting) -> None:
        """Ask every address at this setting, before anything else that waits."""
        self._whole.add(setting)
        kinds = EVERY_KIND if self._thorough else (HOLDING,)
        steps = [Step(setting, address, kind, self._wait_s) for kind in kinds for address in self._addresses]
        self._add([step for step in steps if self._is_open(step)], first=True)

    def _add(self, steps: Iterable[Step], *, first: bool = False) -> None:
        added = list(steps)
        self.remaining_s += sum(step.cost_s for step in added)
        if first:
            self._queue.extendleft(reversed(added))
        else:
            self._queue.extend(added)


def settings_of(bauds: Sequence[int], parities: Sequence[str]) -> tuple[Setting, ...]:
    """Return all settings: the parity most products come with at all speeds, then the next one."""
    return tuple(Setting(baud, parity) for parity in parities for baud in bauds)
