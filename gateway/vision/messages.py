"""What a camera's process and the gateway say to each other: a length, then MessagePack. Pure, and bounded.

Four bytes big-endian say how long a message is, at most `LARGEST`. The gateway trusts nothing that comes this
way: a child that has lost its mind sends garbage, or sends too much of what is good, and both are a
`WireError`, for which it is killed. Monotonic seconds mean the same in both: Linux has one such clock.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

import msgspec

LARGEST: Final = 256 * 1024
LARGEST_VIEW: Final = 224 * 1024  # places: of 4000 x 3000 pixels it has 185,000
PER_SECOND: Final = 100.0
AT_ONCE: Final = 400.0
LONGEST_WORDS: Final = 400  # characters

_LENGTH = Struct(">I")
_Message = TypeVar("_Message")

Name = Annotated[str, msgspec.Meta(max_length=200)]
Sum = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
Pairs: TypeAlias = tuple[tuple[float, float], ...]
Places = Annotated[int, msgspec.Meta(ge=1, le=1024)]
What = Literal["still", "clip"]
Look = Literal["fine", "frozen", "covered", "moved", "defocused"]


class View(msgspec.Struct, frozen=True, tag="view"):
    """The view that a camera had while it was fine: `edges` is how strong they are, row by row, a byte a place.

    `step` is what a byte counts in grey levels; the rest is as `Scenery` knows it.
    """

    width: Places
    height: Places
    edges: Annotated[bytes, msgspec.Meta(max_length=LARGEST_VIEW)]
    step: float
    structure: float
    fineness: float
    place: float


class Setup(msgspec.Struct, frozen=True, tag="setup"):
    """The first thing a child is told. `room` is how many bytes of evidence it may write until told anew.

    `look` is what it was when it was last seen: a camera that was covered or moved does not show now what it should.
    `view` is what it should show, where that is known.
    `title` stands on the stills. The password is here and nowhere else: neither in arguments nor environment.
    """

    camera: str
    url: str
    password: str
    watch: Pairs
    ignore: tuple[Pairs, ...]
    floors: Pairs
    evidence_dir: str
    room: int
    title: str
    privacy: bool
    memory_max_bytes: int
    max_falls_per_minute: int
    # where the password is not ours to read: its name among those of the process's service
    credential: str = ""
    look: Look = "fine"
    view: View | None = None
    marked_in: tuple[int, int] | None = None  # the size of the picture in which watch, ignore and floors are

    def __repr__(self) -> str:
        return f"Setup({self.camera!r})"


class Room(msgspec.Struct, frozen=True, tag="room"):
    """How many bytes of evidence may be written from now on."""

    room: int


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """Once a second while the frame loop makes progress. Counts are of this process's life; `lag_s` is now.

    `lag_s` is how long the frame in work waited for its turn, `suppressed` how many falls were too many a minute.
    """

    frames: Count
    fps: float
    dropped: Count
    decode_errors: Count
    lag_s: float
    rss_bytes: Count
    picture: Look
    suppressed: Count = 0


class Seen(msgspec.Struct, frozen=True, tag="fall"):
    """Something fell. `seen_at` is monotonic seconds of its last visible frame, `still` the sum of its picture."""

    fall: Name
    t_start: float
    t_end: float
    seen_at: float
    confidence: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
    floor: int | None
    low: int | None
    high: int | None
    still: Sum | None


class Kept(msgspec.Struct, frozen=True, tag="evidence"):
    """A piece of evidence lies in the folder under its sum, whole and on the disk."""

    fall: Name
    what: What
    sha256: Sum


class Missing(msgspec.Struct, frozen=True, tag="missing"):
    """A piece of evidence could not be kept; `sha256` is the sum it was to be told under."""

    fall: Name
    what: What
    reason: Name
    sha256: Sum | None = None


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """The picture looks otherwise than before."""

    look: Look


class Link(msgspec.Struct, frozen=True, tag="link"):
    """The camera answers, or why it does not."""

    up: bool
    reason: Name


class Ended(msgspec.Struct, frozen=True, tag="ended"):
    """The process is gone, says who started it where that was not the gateway; `words` is what it said last."""

    words: Annotated[str, msgspec.Meta(max_length=LONGEST_WORDS)]


Up: TypeAlias = Heartbeat | Seen | Kept | Missing | Picture | View | Link | Ended
Down: TypeAlias = Setup | Room

_encoder = msgspec.msgpack.Encoder()
_up = msgspec.msgpack.Decoder(Up)
_down = msgspec.msgpack.Decoder(Down)


class WireError(Exception):
    """What came is no message of ours, or too many of them."""


def encode(message: Up | Down) -> bytes:
    """Return the bytes of a message; WireError if it is too large to be taken."""
    content = _encoder.encode(message)
    if len(content) > LARGEST:
        raise WireError(f"a message of {len(content)} bytes")
    return _LENGTH.pack(len(content)) + content


class Inbox:
    """Bytes in, messages out. `now` in seconds bounds how many may come: a bucket that fills by the second."""

    def __init__(self, now: float) -> None:
        self._buffer = bytearray()
        self._allowed, self._at = AT_ONCE, now

    def take(self, data: bytes, now: float) -> Iterator[Up]:
        """Yield what the gateway is told by these bytes; raises WireError where they are none, or too many."""
        self._allowed = min(AT_ONCE, self._allowed + (now - self._at) * PER_SECOND)
        self._at = now
        for message in _take(self._buffer, data, _up):
            self._allowed -= 1
            if self._allowed < 0:
                raise WireError("a flood of messages")
            yield message


class Orders:
    """The child's side: bytes in, what it is told out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def take(self, data: bytes) -> list[Down]:
        """Return what the child is told by these bytes; raises WireError."""
        return list(_take(self._buffer, data, _down))


def _take(buffer: bytearray, data: bytes, decoder: "msgspec.msgpack.Decoder[_Message]") -> Iterator[_Message]:
    """Eat whole messages off the buffer."""
    buffer += data
    while len(buffer) >= _LENGTH.size:
        (length,) = _LENGTH.unpack_from(buffer)
        if not 0 < length <= LARGEST:
            raise WireError(f"a message of {length} bytes")
        end = _LENGTH.size + length
        if len(buffer) < end:
            break
        content = bytes(buffer[_LENGTH.size : end])
        del buffer[:end]
        try:
            message = decoder.decode(content)
        except (RecursionError, ValueError) as error:
            raise WireError(f"no message: {error}") from None
        yield message
