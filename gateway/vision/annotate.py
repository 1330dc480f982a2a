"""The annotated film: what was seen, drawn over the picture where it was seen, in a second pass over the file.

Boxes, and a line that grows with the fall; the floor it left from and how sure we are beside it. The letters are
ASCII on purpose ("8F 97%"): OpenCV draws no others, and both languages read them. Frame times are kept as they
are, so a clip of variable frame rate stays in step. H.264 with 4:2:0 wants even sides (ITU-T H.264 6.2): an odd
one grows by a row or column of its own last pixels.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias, cast

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from gateway.vision.address import parse
from gateway.vision.clock import StreamClock
from gateway.vision.decoder import Decoder
from gateway.vision.luma import mirror_of, turn_of
from gateway.vision.opening import (
    FAILURES_OF_OPENING,
    beginning_of,
    length_of,
    longest_gap_s,
    open_container,
    pictures_of,
    rate_of,
)
from gateway.vision.sight import Fall, Spot

Picture: TypeAlias = NDArray[np.uint8]

RED, YELLOW, BLACK = (40, 40, 255), (0, 220, 255), (0, 0, 0)  # blue, green, red
STAYS_S = 2.0  # a finished track stays in the picture that long
BOX_AWAY = 6  # px between a box and what it is drawn around: a small thing must not vanish under its own box
TICKS = 90_000  # a second, as in MPEG
BT601 = 6  # colour matrix of ITU-T H.273, the one OpenCV converts by (FFmpeg's own way turns greys a little green)


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of the film (blue, green, red), its number from 0, its time, its pixels' width by their height."""

    index: int
    time_s: float
    picture: Picture
    ratio: Fraction = Fraction(1)


def draw(picture: Picture, fall: Fall, frame: int) -> None:
    """Draw a fall into a picture as far as it had come by that frame: line, box, floor and confidence."""
    so_far = [spot for spot in fall.track if spot.frame <= frame]
    if not so_far:
        return
    scale = max(1.0, picture.shape[0] / 720)
    width = max(1, round(1.5 * scale))
    line = np.array([spot.centre for spot in so_far]).round().astype(np.int32)
    left, top, right, bottom = _box(so_far[-1], round(BOX_AWAY * scale))
    seen = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    itself = picture[seen].copy()
    cv2.polylines(picture, [line], isClosed=False, color=YELLOW, thickness=width, lineType=cv2.LINE_AA)
    cv2.circle(picture, tuple(line[0]), round(4 * scale), RED, width, cv2.LINE_AA)
    if frame <= fall.track[-1].frame:
        picture[seen] = itself
        cv2.rectangle(picture, (left, top), (right, bottom), RED, width)
    _write(picture, label(fall), (left - 4 * width, right + 4 * width), bottom, scale)


def label(fall: Fall) -> str:
    """Return what stands beside a fall: the floor, its range where it is one, and the confidence."""
    sure = f"{fall.confidence:.0%}"
    if fall.origin is None:
        return sure
    floor, low, high = fall.origin.floor, fall.origin.low, fall.origin.high
    return f"{floor}F {sure}" if low == high else f"{floor}F ({low}-{high}) {sure}"


def still(picture: Picture, fall: Fall) -> Picture:
    """Return a copy of the picture with the whole track drawn in."""
    drawn = picture.copy()
    draw(drawn, fall, fall.track[-1].frame)
    return drawn


def annotate(
    shots: Iterable[Shot],
    falls: Sequence[Fall],
    *,
    film: Path | None,
    stills: Path | None = None,
    progress: Callable[[Shot], None] = lambda _shot: None,
) -> list[Path]:
    """Write the film and a still per fall; return the files written. OSError where they cannot be."""
    written = [] if film is None else [film]
    writer = None
    try:
        for shot in shots:
            for number, fall in enumerate(falls, 1):
                if stills is not None and fall.track[-1].frame == shot.index:
                    written.append(_save(still(shot.picture, fall), stills, number, fall))
            if film is not None:
                for fall in falls:
                    if shot.time_s <= fall.t_end + STAYS_S:
                        draw(shot.picture, fall, shot.index)
                writer = writer or _Writer(film, shot)
                writer.add(shot)
            progress(shot)
        if writer is not None:
            writer.close()
    except BaseException:  # also Ctrl-C: what was drawn so far is no film, and may fill the disk
        if writer is not None:
            writer.abandon()
        raise
    return written


def shots(path: Path) -> Iterator[Shot]:
    """Yield the pictures of a file in colour, numbered, timed and turned as the watcher saw them, pixel by pixel."""
    address = parse(str(path))
    with open_container(address, open_timeout_s=8.0, read_timeout_s=5.0, hwaccel=None) as container:
        stream = pictures_of(container, address)
        decoder = Decoder(stream, threads=0, hardware=False)
        ratio = stream.sample_aspect_ratio or Fraction(1)
        longest_s = longest_gap_s(container, length_of(container, stream))
        clock = StreamClock(rate_of(stream), began_s=beginning_of(container), longest_gap_s=longest_s)
        index, size = 0, None
        for packet in _packets(container, stream):
            for frame in decoder.decode(packet):
                tick = frame.time_base or stream.time_base  # one that the end flushed out has none of its own
                time_s = clock.tick(None if frame.pts is None or tick is None else float(frame.pts * tick))
                size = size or (frame.width, frame.height)
                if not frame.is_corrupt and (frame.width, frame.height) == size:
                    picture = np.rot90(frame.to_ndarray(format="bgr24"), turn_of(frame) // 90)
                    mirror = mirror_of(frame)
                    picture = picture if mirror is None else np.flip(picture, mirror)
                    upright = ratio if turn_of(frame) % 180 == 0 else 1 / ratio
                    yield Shot(index, time_s, np.ascontiguousarray(picture), upright)
                index += 1


def _packets(container: InputContainer, stream: VideoStream) -> Iterator["Packet[VideoStream]"]:
    """Yield packets up to where the file is cut short, then the empty one that empties the decoder."""
    with contextlib.suppress(*FAILURES_OF_OPENING):
        yield from container.demux(stream)
        return
    yield cast("Packet[VideoStream]", Packet())


def _box(spot: Spot, away: int) -> tuple[int, int, int, int]:
    left, top = round(spot.x) - away, round(spot.y) - away
    return left, top, round(spot.x + spot.w) + away, round(spot.y + spot.h) + away


def _write(picture: Picture, text: str, beside: tuple[int, int], bottom: int, scale: float) -> None:
    """Write a text on a dark plate beside what lies between two columns: on the right, or left of it at the edge.

    Where it would still stand out of the picture it is moved into it.
    """
    font, size, thick, edge = cv2.FONT_HERSHEY_SIMPLEX, 0.55 * scale, round(scale), round(4 * scale)
    (wide, high), below = cv2.getTextSize(text, font, size, thick)
    height, width = picture.shape[:2]
    fits = beside[1] + wide + edge <= width
    x = max(edge, min(beside[1] if fits else beside[0] - wide, width - wide - edge))
    y = max(high + edge, min(bottom, height - below - edge))
    cv2.rectangle(picture, (x - edge, y - high - edge), (x + wide + edge, y + below), BLACK, cv2.FILLED)
    cv2.putText(picture, text, (x, y), font, size, YELLOW, thick, cv2.LINE_AA)


def _save(picture: Picture, folder: Path, number: int, fall: Fall) -> Path:
    """Write a still as PNG, named by its number and its time in the film."""
    path = folder / f"fall-{number:03d}-{fall.t_start:.2f}s.png"
    good, data = cv2.imencode(".png", picture)
    if not good:
        raise OSError(f"a picture of {picture.shape[1]} x {picture.shape[0]} pixels cannot be written as PNG")
    try:
        path.write_bytes(data.tobytes())
    except OSError:  # a full disk: half a picture is none
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        raise
    return path


class _Writer:
    """H.264 in MP4 under another name until it is whole, so that a film that is there can always be played."""

    def __init__(self, path: Path, first: Shot) -> None:
        height, width = first.picture.shape[:2]
        self._first = first
        self._path, self._part = path, path.with_name(path.name + ".part")
        self._container = av.open(f"file:{self._part}", "w", format="mp4", options={"movflags": "faststart"})
        self._stream = self._container.add_stream("libx264", options={"preset": "veryfast", "crf": "20"})
        self._stream.width, self._stream.height = width + width % 2, height + height % 2
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = self._stream.time_base = Fraction(1, TICKS)
        context.sample_aspect_ratio = first.ratio
        context.colorspace = context.color_primaries = context.color_trc = BT601

    def add(self, shot: Shot) -> None:
        """Append a picture at its own time; the first at the beginning, so that players count from there as well."""
        wide, high = self._stream.width - shot.picture.shape[1], self._stream.height - shot.picture.shape[0]
        picture = (
            np.pad(shot.picture, ((0, high), (0, wide), (0, 0)), "edge") if wide or high else shot.picture
        )
        planes: Picture = cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8, copy=False)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        time_s = 0.0 if shot is self._first else shot.time_s
        frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds and give the film its name."""
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self._part.replace(self._path)

    def abandon(self) -> None:
        """Leave nothing of it behind; a film that was there before stays."""
        with contextlib.suppress(*FAILURES_OF_OPENING):
            self._container.close()
        self._part.unlink(missing_ok=True)
