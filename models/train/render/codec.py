"""The camera's encoder and the gateway's decoder, both in memory: what compression leaves of a picture.

Cameras encode in hardware, without pictures that look ahead: P-frames between regular key frames, at a bit rate
held over a second or two. One thread each, so that many streams can be rendered side by side.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import av
import numpy as np
from av.codec.context import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from gateway.vision.luma import luma_of
from gateway.vision.sight import Frame, Luma

TICKS = 90_000


@dataclass(frozen=True, slots=True)
class Coding:
    """How a camera encodes. `gop` is the number of frames from one key frame to the next."""

    name: Literal["h264", "h265"]
    mbps: float
    gop: int
    preset: str


def through(coding: Coding, fps: int, pictures: Iterable[tuple[float, Luma]]) -> Iterator[Frame]:
    """Encode (time, picture) pairs and yield them decoded, in order."""
    encoder: VideoCodecContext | None = None
    decoder = CodecContext.create("h264" if coding.name == "h264" else "hevc", "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    waiting: deque[float] = deque()
    count = 0
    for time_s, luma in pictures:
        encoder = encoder or encoder_of(coding, fps, (luma.shape[1], luma.shape[0]))
        waiting.append(time_s)
        for packet in encoder.encode(video_frame(luma, time_s)):
            for picture in decoder.decode(packet):
                yield Frame(count, waiting.popleft(), luma_of(picture))
                count += 1
    last: list[Packet[av.VideoStream] | None] = [*(encoder.encode(None) if encoder else []), None]
    for rest in last:
        for picture in decoder.decode(rest):
            yield Frame(count, waiting.popleft(), luma_of(picture))
            count += 1


def encoder_of(coding: Coding, fps: int, size: tuple[int, int]) -> VideoCodecContext:
    """Return an open encoder for pictures of (width, height)."""
    encoder = CodecContext.create("libx264" if coding.name == "h264" else "libx265", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, TICKS), Fraction(fps, 1)
    encoder.bit_rate = round(coding.mbps * 1e6)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = coding.gop, 0, 1
    options = {"preset": coding.preset, "tune": "zerolatency"}
    kilobits = round(coding.mbps * 1000)
    if coding.name == "h264":
        options |= {"maxrate": f"{kilobits * 3 // 2}k", "bufsize": f"{kilobits * 2}k", "sc_threshold": "0"}
    else:
        most = f"vbv-maxrate={kilobits * 3 // 2}:vbv-bufsize={kilobits * 2}"
        options["x265-params"] = f"log-level=0:pools=none:frame-threads=1:scenecut=0:{most}"
    encoder.options = options
    return encoder


def video_frame(luma: Luma, time_s: float) -> av.VideoFrame:
    """Return a grey picture as YUV 4:2:0."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    for number, plane in enumerate(frame.planes):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        if number:
            rows[:] = 128
        else:
            rows[:height, :width] = luma
    frame.pts, frame.time_base = round(time_s * TICKS), Fraction(1, TICKS)
    return frame
