"""What can go wrong on a line, as chances: `Faults` says how often, `Injector` does it and counts.

One exchange is a request and its reply. At most one thing happens to the substance of a frame (lost bytes,
flipped bits, a wrong function, a late reply, ...), because a line that does two things to one frame proves
nothing about either; what only surrounds a frame (echo, noise, pauses inside it) comes on top. A frame gets
at most `flip_bits` flipped bits: up to three are always found by the CRC of Modbus (Hamming distance 4 for
frames of this length), so whoever accepts a wrong value under the default has a fault of his own.

Everything is drawn from one seeded generator: the same seed and the same exchanges give the same faults.
Chances are 0 to 1; lengths are seconds or bytes, drawn evenly up to the figure.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Piece: TypeAlias = tuple[float, bytes]  # seconds of silence before it, and its bytes


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances of each fault in one exchange, and how bad it is."""

    # a request on its way to the device; at most one of them
    request_lose: float = 0.0
    request_flip: float = 0.0
    # a reply; at most one of them
    silent: float = 0.0  # the device does not answer
    delay: float = 0.0  # it answers later than usual, within a patient master's time-out
    late: float = 0.0  # it answers after the time-out, perhaps into the next exchange
    lose: float = 0.0
    flip: float = 0.0
    wrong_function: float = 0.0
    wrong_count: float = 0.0
    wrong_address: float = 0.0
    # around a frame; any of them
    chop: float = 0.0  # the reply comes in pieces
    echo: float = 0.0  # the master hears its own request; 1.0 is an adapter that always echoes
    noise_before: float = 0.0
    noise_after: float = 0.0
    header_noise: float = 0.0  # noise that looks like the beginning of the reply
    idle_noise: float = 0.0  # noise at any time
    # how bad
    flip_bits: int = 3
    lose_bytes: int = 3
    noise_bytes: int = 6
    pause_s: float = 0.02  # between the pieces of a chopped reply
    idle_s: float = 0.1  # within which idle noise comes
    delay_s: float = 0.04
    late_from_s: float = 0.3
    late_until_s: float = 1.5

    def __post_init__(self) -> None:
        for group in (_REQUEST, _REPLY):
            if sum(getattr(self, name) for name in group) > 1.0 + 1e-9:
                raise ValueError(f"chances of {', '.join(group)} add up to more than 1")
        for name in (*_REQUEST, *_REPLY, *_AROUND):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is no chance: {getattr(self, name)}")


_REQUEST: Final = ("request_lose", "request_flip")
_REPLY: Final = ("silent", "delay", "late", "lose", "flip", "wrong_function", "wrong_count", "wrong_address")
_AROUND: Final = ("chop", "echo", "noise_before", "noise_after", "header_noise", "idle_noise")

NO_FAULTS: Final = Faults()

PRESETS: Final[Mapping[str, Faults]] = {
    "none": NO_FAULTS,
    # motors and lifts beside the cable
    "noisy": Faults(
        request_flip=0.01, flip=0.02, lose=0.01, noise_before=0.02, noise_after=0.02, idle_noise=0.02
    ),
    # no termination, a loose clamp, an adapter that hears itself
    "bad_wiring": Faults(
        request_lose=0.02, request_flip=0.02, lose=0.05, flip=0.05, silent=0.02, echo=1.0, chop=0.1,
        noise_before=0.1, header_noise=0.05,
    ),
    # slow devices behind slow converters
    "late": Faults(late=0.05, delay=0.2, chop=0.3),
    "everything": Faults(
        request_lose=0.01, request_flip=0.02, silent=0.01, delay=0.05, late=0.02, lose=0.02, flip=0.03,
        wrong_function=0.01, wrong_count=0.01, wrong_address=0.01, chop=0.1, echo=1.0, noise_before=0.05,
        noise_after=0.05, header_noise=0.02, idle_noise=0.02,
    ),
}  # fmt: skip


class Injector:
    """Draws the faults of a line and counts them in `counts` by name."""

    def __init__(self, faults: Faults = NO_FAULTS, *, seed: int = 0) -> None:
        self.faults = faults
        self.counts: Counter[str] = Counter()
        self._random = random.Random(seed)

    def request(self, data: bytes) -> bytes:
        """Return what the devices hear of the master's bytes."""
        match self._one_of(_REQUEST):
            case "request_lose":
                return self._lose(data)
            case "request_flip":
                return self._flip(data)
        return data

    def fate(self) -> str | None:
        """Draw what happens to the substance of one reply: a name of `Faults`, or None."""
        return self._one_of(_REPLY)

    def forge(self, fate: str | None, address: int, pdu: bytes) -> tuple[int, bytes]:
        """Return address and pdu as a confused device sends them, to be framed with a good CRC."""
        if fate == "wrong_address":
            return address % 247 + 1, pdu
        if fate == "wrong_function":  # 3 <-> 4, 1 <-> 2, 5 <-> 6, 15 <-> 16: the same length, other meaning
            function = pdu[0] & 0x7F
            return address, bytes(((function - 1 ^ 1) + 1 | pdu[0] & 0x80,)) + pdu[1:]
        if fate == "wrong_count" and pdu[0] <= 4:
            wrong = pdu[2:] + bytes(2) if self._random.random() < 0.5 or len(pdu) < 5 else pdu[2:-2]
            return address, bytes((pdu[0], len(wrong))) + wrong
        return address, pdu[:-1] + bytes((pdu[-1] ^ 1,)) if fate == "wrong_count" else pdu

    def wait_s(self, fate: str | None) -> float:
        """Return how much later than usual the reply begins."""
        if fate == "delay":
            return self._random.uniform(0.0, self.faults.delay_s)
        if fate == "late":
            return self._random.uniform(self.faults.late_from_s, self.faults.late_until_s)
        return 0.0

    def reply(self, fate: str | None, frame: bytes) -> list[Piece]:
        """Return a reply as it comes off the line: damaged, in pieces, with noise around it."""
        if self.faults is NO_FAULTS:
            return [(0.0, frame)]
        before = self._noise() if self._happens("noise_before") else b""
        if self._happens("header_noise"):
            before += frame[: self._random.randint(1, min(3, len(frame)))]
        after = self._noise() if self._happens("noise_after") else b""
        if fate == "lose":
            frame = self._lose(frame)
        elif fate == "flip":
            frame = self._flip(frame)
        heard = before + frame + after
        return self._chop(heard) if len(heard) > 1 and self._happens("chop") else [(0.0, heard)]

    def echoes(self) -> bool:
        """Draw whether the master hears its own request."""
        return self._happens("echo")

    def idle(self) -> Piece | None:
        """Draw noise that belongs to no frame, and how long from now it comes."""
        if not self._happens("idle_noise"):
            return None
        return self._random.uniform(0.0, self.faults.idle_s), self._noise()

    def _happens(self, name: str) -> bool:
        chance: float = getattr(self.faults, name)
        if chance == 0.0 or self._random.random() >= chance:
            return False
        self.counts[name] += 1
        return True

    def _one_of(self, names: tuple[str, ...]) -> str | None:
        if self.faults is NO_FAULTS:
            return None
        drawn = self._random.random()
        for name in names:
            drawn -= getattr(self.faults, name)
            if drawn < 0.0:
                self.counts[name] += 1
                return name
        return None

    def _noise(self) -> bytes:
        """A floating or swapped pair reads as 00 and FF as often as anything else (devices in the field)."""
        length = self._random.randint(1, self.faults.noise_bytes)
        if self._random.random() < 0.5:
            return bytes(self._random.choices((0x00, 0xFF), k=length))
        return self._random.randbytes(length)

    def _lose(self, data: bytes) -> bytes:
        kept = bytearray(data)
        for _ in range(min(len(kept), self._random.randint(1, self.faults.lose_bytes))):
            del kept[self._random.randrange(len(kept))]
        return bytes(kept)

    def _flip(self, data: bytes) -> bytes:
        bits = self._random.sample(range(8 * len(data)), self._random.randint(1, self.faults.flip_bits))
        flipped = bytearray(data)
        for bit in bits:
            flipped[bit // 8] ^= 1 << bit % 8
        return bytes(flipped)

    def _chop(self, data: bytes) -> list[Piece]:
        cuts = sorted(
            self._random.sample(range(1, len(data)), min(len(data) - 1, self._random.randint(1, 3)))
        )
        starts = [0, *cuts]
        ends = [*cuts, len(data)]
        return [
            (self._random.uniform(0.0, self.faults.pause_s) if start else 0.0, data[start:end])
            for start, end in zip(starts, ends, strict=True)
        ]
