"""Who decodes: the hardware where there is one that works, else FFmpeg's own software.

Two ways lead to the hardware of small computers. The stateful V4L2 decoders (H.264 on a Pi 4) are decoders of their
own, which must be asked for by name; the stateless ones (H.265 on Pi 4 and 5) sit behind DRM and are offered by the
software decoder where FFmpeg was built with them. Whatever fails on the way falls back to software without a word
but its name in the facts.

An AVI says of no picture when it is shown, and FFmpeg stamps those of H.264, and of packed MPEG-4, in the order in
which they are decoded. Where some are predicted from later ones that is another order: the same times,
each at the wrong picture.

Where a picture of H.265 lacks the one it is predicted from, FFmpeg leaves out all up to the next key frame without a
word. How many that were shows at the end.
"""

from heapq import heappop, heappush
from pathlib import Path

import av.error
from av.codec import Codec
from av.codec.codec import UnknownCodecError
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FAILURES = (av.error.FFmpegError, ValueError, RuntimeError, NotImplementedError, MemoryError)
STATEFUL = "{}_v4l2m2m"  # name of such a decoder, from that of the coding
REORDERED = frozenset({"h264", "mpeg4"})
GIVE_UP_AFTER = 50  # packets that hardware may eat without giving a picture


def accelerator() -> HWAccel | None:
    """Return what the stateless hardware decoders are reached by, where the machine may have some."""
    if (
        "drm" not in hwdevices_available()
        or not Path("/dev/media0").exists()
        or not Path("/dev/dri").exists()
    ):
        return None
    return HWAccel("drm", allow_software_fallback=True)


class Decoder:
    """Decodes the packets of one stream. `name` says by what; `errors` counts packets nothing came of."""

    def __init__(
        self, stream: VideoStream, *, threads: int = 1, hardware: bool = True, stateful: str = STATEFUL
    ) -> None:
        self.errors = self._owed = 0
        self._begun = False
        self.stream = stream
        self._software = stream.codec_context
        self._software.thread_count = threads
        self._software.thread_type = "SLICE" if threads == 1 else "AUTO"
        self._hardware = _stateful(stream, stateful) if hardware else None
        self._fruitless = 0
        in_avi = stream.container.format.name == "avi" and self._software.name in REORDERED
        self._undecided: list[int] | None = [] if in_avi and self._software.has_b_frames else None

    @property
    def name(self) -> str:
        """Return the decoder's name, and by what it is accelerated."""
        if self._hardware is not None:
            return str(self._hardware.name)
        return f"{self._software.name} (drm)" if self._software.is_hwaccel else str(self._software.name)

    def decode(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        """Return the pictures that are ready with this packet; a broken packet is counted and gives none."""
        if not packet.size and packet.dts is not None:  # a picture that was left out, and not the end
            return []
        before = self.errors
        frames = self._decoded(packet)
        if self._software.name == "hevc":
            self._count(packet, frames, failed=self.errors > before)
        if self._undecided is not None:
            if packet.size and packet.pts is not None and self.errors == before:
                heappush(self._undecided, packet.pts)
            for frame in frames:
                _stamp(frame, self._undecided)
        return frames

    def _decoded(self, packet: "Packet[VideoStream]") -> list[VideoFrame]:
        try:
            if self._hardware is not None:
                frames = self._hardware.decode(packet if packet.size else None)
                self._watch_over(bool(frames))
            else:
                frames = self._software.decode(packet if packet.size else None)
        except av.error.EOFError:
            return []
        except FAILURES:
            self.errors += 1
            self._watch_over(False)
            return []
        return frames

    def _count(self, packet: "Packet[VideoStream]", frames: list[VideoFrame], *, failed: bool) -> None:
        """Count at the end the packets of which no picture came, though none of them failed; a cut begins anywhere."""
        self._begun = self._begun or packet.is_keyframe
        self._owed += (self._begun and packet.size > 0 and not packet.is_discard and not failed) - len(frames)
        if not packet.size:
            self.errors += max(self._owed, 0)
            self._owed = 0

    def _watch_over(self, fruitful: bool) -> None:
        """Drop hardware that gives nothing; the software takes over, in earnest from the next key frame on."""
        self._fruitless = 0 if fruitful else self._fruitless + 1
        if self._fruitless >= GIVE_UP_AFTER:
            self._hardware = None


def _stamp(frame: VideoFrame, times: list[int]) -> None:
    """Give a picture, as they come in the order they are shown in, the first of the times that are left.

    With a key frame all that was decoded before it has been shown: what is left of that belonged to lost pictures.
    """
    while frame.key_frame and frame.pts is not None and times and times[0] < frame.pts:
        heappop(times)
    if times:
        frame.pts = heappop(times)


def _stateful(stream: VideoStream, name: str) -> VideoCodecContext | None:
    """Return the decoder of that name for the stream, open, or None where there is none that takes it."""
    software = stream.codec_context
    try:
        decoder = Codec(name.format(software.name), "r").create("video")
        decoder.extradata = software.extradata
        decoder.width, decoder.height = software.width, software.height
        if stream.time_base is not None:  # without it this kind of decoder loses the times
            decoder.options = {"pkt_timebase": f"{stream.time_base.numerator}/{stream.time_base.denominator}"}
        decoder.open()
    except (*FAILURES, UnknownCodecError, AttributeError):
        return None
    return decoder
