"""Little films for tests: a wall, something that falls before it, and every way a file can be odd or broken."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Fall, Origin, Spot

FPS = 25
TICKS = 90_000
Luma = NDArray[np.uint8]

DROP_S = 1.4  # the film is empty until then: the watcher must know the wall first
GRAVITY_PX = 520.0  # a second squared
SIZE = 7
LEFT, TOP = 300, 30


def wall(width: int, height: int, seed: int = 1) -> NDArray[np.float32]:
    """Return a wall with windows in it."""
    picture = np.full((height, width), 150.0, np.float32)
    picture += np.random.default_rng(seed).normal(0, 2, picture.shape).astype(np.float32)
    for top in range(20, height - 30, 60):
        for left in range(20, width - 30, 70):
            picture[top : top + 34, left : left + 30] -= 60
    return picture


def falling(time_s: float) -> float:
    """Return the y of the thing that falls at a time of the film."""
    return TOP + GRAVITY_PX * max(time_s - DROP_S, 0.0) ** 2 / 2


def pictures(
    times: Iterable[float], *, width: int = 640, height: int = 480, drops: bool = True
) -> Iterator[Luma]:
    """Yield the film's pictures at the given times."""
    still, random = wall(width, height), np.random.default_rng(2)
    for time_s in times:
        picture = still + random.normal(0, 1.5, still.shape).astype(np.float32)
        y = round(falling(time_s))
        if drops and time_s >= DROP_S and y < height:
            picture[y : y + SIZE, LEFT : LEFT + SIZE] = 235
        yield picture.clip(0, 255).astype(np.uint8)


def steady(seconds: float) -> list[float]:
    """Return the times of a film of constant rate."""
    return [number / FPS for number in range(round(seconds * FPS))]


def uneven(seconds: float) -> list[float]:
    """Return the times of a film whose rate varies: every fourth picture of each other second is missing."""
    return [t for number, t in enumerate(steady(seconds)) if number % 4 != 1 or int(t) % 2]


def write(
    path: Path,
    luma: Iterable[Luma],
    times: Sequence[float],
    *,
    codec: str = "libx264",
    form: str = "yuv420p",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film with a picture at each of the times."""
    with av.open(str(path), "w", options=options or {}) as container:
        stream = container.add_stream(codec, rate=FPS)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = form
        stream.codec_context.time_base = Fraction(1, TICKS)
        for time_s, picture in zip(times, luma, strict=True):
            if not stream.codec_context.is_open:
                stream.height, stream.width = picture.shape
            frame = av.VideoFrame.from_ndarray(picture, format="gray")
            frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def film(path: Path, *, seconds: float = 3.5, drops: bool = True) -> Path:
    """Write the film of a fall, or of nothing."""
    times = steady(seconds)
    return write(path, pictures(times, drops=drops), times)


def sound(path: Path) -> Path:
    """Write a file with sound and no picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        for start in range(0, 8000, 1000):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def on_its_side(path: Path) -> Path:
    """Say in the film's header that it was taken with the phone on its side (ISO 14496-12 8.3.2: tkhd's matrix).

    Players turn it a quarter clockwise, so the film must have been written a quarter counterclockwise.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    height = struct.unpack(">I", data[at + 40 : at + 44])[0]
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, height, 0, 1 << 30)
    path.write_bytes(data)
    return path


def fall(times: Sequence[float], *, origin: Origin | None = None, first: int | None = None) -> Fall:
    """Return the fall that is in the film, as a watcher would tell it."""
    track = tuple(
        Spot(index, time_s, LEFT, falling(time_s), SIZE, SIZE)
        for index, time_s in enumerate(times)
        if time_s >= DROP_S + 0.1 and falling(time_s) < 470 and (first is None or index >= first)
    )
    return Fall(track[0].time_s, track[-1].time_s, 0.97, track, track[-1].time_s + 0.4, origin)
