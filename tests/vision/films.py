"""Small films for tests, of every make: pictures by number, so that each can be told from any other."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TICKS = 10000  # MPEG-4 part 2 takes no finer time base than 1/65535


def picture(number: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """Return a grey picture: a slope that wanders, and the number as a row of blocks."""
    y, x = np.mgrid[0:height, 0:width]
    grey: NDArray[np.uint8] = (40 + (x + 2 * y + 5 * number) % 160).astype(np.uint8)
    for bit in range(10):
        grey[8:24, 8 + 20 * bit : 24 + 20 * bit] = 230 if number >> bit & 1 else 20
    return grey


def number_of(luma: NDArray[np.uint8]) -> int:
    """Return which picture it is."""
    return sum((luma[12:20, 12 + 20 * bit : 20 + 20 * bit].mean() > 125) << bit for bit in range(10))


def film(
    path: Path,
    numbers: Iterable[int] = range(75),
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    size: tuple[int, int] = (320, 240),
    gop: int = 25,
    times_s: Sequence[float] | None = None,
    turned: int = 0,
    ratio: Fraction = Fraction(1),
    title: str = "",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a film at 25 pictures a second, or at the times given."""
    defaults = {
        "libx264": {"preset": "veryfast"},
        "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    }
    with av.open(str(path), "w") as container:
        container.metadata["title"] = title
        stream = container.add_stream(codec, rate=25, options={**defaults.get(codec, {}), **(options or {})})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = stream.time_base = Fraction(1, TICKS)
        stream.codec_context.gop_size = gop
        stream.codec_context.sample_aspect_ratio = ratio
        if turned:
            stream.set_display_rotation(turned)
        for i, number in enumerate(numbers):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), format="gray").reformat(format=pixels)
            frame.pts = round((i / 25 if times_s is None else times_s[i]) * TICKS)
            frame.time_base = Fraction(1, TICKS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
