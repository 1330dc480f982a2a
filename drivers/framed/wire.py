"""What a product is to the framed driver: its layout, what it is asked, how long it may be silent."""

from dataclasses import dataclass

from drivers.framed.codec import Frame, encode
from drivers.framed.layout import Layout


@dataclass(frozen=True, slots=True)
class Request:
    """A question: a frame of this type with this data, or `plain` bytes as they are.

    `answers` are the types of frame that may answer it; none: any frame does.
    """

    type: int = 0
    data: bytes = b""
    plain: bytes = b""
    answers: tuple[int, ...] = ()

    def bytes_to(self, layout: Layout, address: int) -> bytes:
        """Return what is sent to the device with this address."""
        return self.plain or encode(layout, Frame(self.type, self.data, address))

    def answered_by(self, frame_type: int) -> bool:
        """Say whether a frame of this type may be the answer."""
        return not self.answers or frame_type in self.answers


@dataclass(frozen=True, slots=True)
class Freeze:
    """A point that must change at least every `within_s`, or the device hangs and its values mean nothing."""

    point: str
    within_s: float


@dataclass(frozen=True, slots=True)
class FramedWire:
    """A product as it leaves the factory.

    `heartbeat_s` is the longest time it says nothing by itself, 0: it only answers. `heartbeat` is the type of the
    frame by which it shows that it lives.
    """

    layout: Layout
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    address: int = 1
    heartbeat_s: float = 0.0
    heartbeat: int | None = None
    requests: tuple[Request, ...] = ()
    freeze: Freeze | None = None

    @property
    def alone(self) -> bool:
        """Say whether it needs a line of its own: its frames do not tell whose they are."""
        return self.layout.number("address") is None
