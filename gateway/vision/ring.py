"""The last seconds of a camera as they came over the line, and a clip cut out of them: nothing is encoded again.

Only whole groups of pictures are kept: pictures between two key frames mean nothing without the first. A group is let
go when the next one is old enough by itself, so a camera with rare key frames keeps more than it was asked to, up to
`most_bytes`. While a clip is wanted, all from its beginning on is held, again up to `most_bytes`. Beyond that the
oldest group goes, even if it is the only one; that is counted. A clip begins at the last key frame at or before the
time asked for, which its `start_s` tells.

The form of the stream (size, parameter sets) is kept as a stream of an unwritten file: so a clip can be cut after the
camera is gone. When a camera comes back in another form, what was kept before cannot go into one clip with it: it goes.
Of what no MP4 holds (the bare pixels of many a USB camera) nothing is kept: it is watched, and has no clips.
"""

import io
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from gateway.runtime import whole_file
from gateway.vision.frames import Source
from gateway.vision.source_facts import Encoded

MIB = 1 << 20
KEPT_S = 20.0  # ten seconds before the longest track (6 s), and until what goes on from it has landed (2 s)
TICKS = 90000  # of a clip's time base: the same as RTP's, so times of network cameras stay exact
PLAYS_ON_APPLE = {"hevc": "hvc1"}  # FFmpeg's own choice is hev1, which Safari and iPhones refuse


class ClipError(Exception):
    """A clip could not be written: `where`, what was `found`, and a `hint`."""

    def __init__(self, where: str, found: str, hint: str) -> None:
        self.where, self.found, self.hint = where, found, hint
        super().__init__(f"{where}: {found} ({hint})")


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip on disk; `start_s` and `end_s` are times of the stream, of its first picture and after its last."""

    path: Path
    start_s: float
    end_s: float
    frames: int
    size: int


@dataclass(frozen=True, slots=True)
class Form:
    """What pictures of one clip must have in common."""

    codec: str
    width: int
    height: int
    extradata: bytes | None


class Ring:
    """Keeps at least `seconds` of packets in at most `most_bytes`, if groups of pictures allow it."""

    def __init__(self, seconds: float = KEPT_S, most_bytes: int = 32 * MIB) -> None:
        self.lost_packets = 0
        self._seconds, self._most_bytes = seconds, most_bytes
        self._groups: deque[list[Encoded]] = deque()
        self._sizes: deque[int] = deque()
        self._form: Form | None = None
        self._mould: tuple[OutputContainer, VideoStream] | None = None
        self._awaits_key = True
        self._held: list[float] = []  # where the clips that are wanted begin
        self._lock = threading.Lock()  # packets come in one thread, clips are cut in another

    @property
    def size(self) -> int:
        """Return how many bytes of packets are kept."""
        with self._lock:
            return sum(self._sizes)

    @property
    def span(self) -> tuple[float, float] | None:
        """Return the times of the first and the last picture kept; None where there is none."""
        with self._lock:
            if not self._groups:
                return None
            return self._groups[0][0].time_s, max(packet.time_s for packet in self._groups[-1])

    def follow(self, source: Source) -> None:
        """Keep what comes from a source that was just opened; the last source's packets stay if they go with it."""
        context = source.stream.codec_context
        form = Form(context.name, context.width, context.height, context.extradata)
        with self._lock:
            if form != self._form:
                self.lost_packets += sum(map(len, self._groups))
                self._groups.clear()
                self._sizes.clear()
                self._form, self._mould = form, _mould(source.stream)
            self._awaits_key = True
        source.on_packet = self.add if self._mould else None

    def add(self, packet: Encoded) -> None:
        """Keep a packet; the first after `follow` that is kept is a key frame."""
        with self._lock:
            if packet.is_key:
                self._groups.append([])
                self._sizes.append(0)
                self._awaits_key = False
            elif self._awaits_key:
                self.lost_packets += 1
                return
            self._groups[-1].append(packet)
            self._sizes[-1] += len(packet.data)
            self._thin_out(packet.time_s)

    def hold(self, t0_s: float) -> None:
        """Let nothing from `t0_s` on go by its age, until that is released as often as it was held."""
        with self._lock:
            self._held.append(t0_s)

    def release(self, t0_s: float) -> None:
        """Hold it no more; what is too old by then goes with the next packet."""
        with self._lock:
            self._held.remove(t0_s)

    def cut(self, t0_s: float, t1_s: float, path: Path) -> Clip:
        """Write what there is from t0 to t1 as an MP4 that plays from its first byte; whole, on disk, or not at all.

        Raises ClipError where there is nothing to write, or no way to write it.
        """
        with self._lock:
            packets, form, mould = self._between(t0_s, t1_s), self._form, self._mould
        if form is not None and mould is None:
            raise ClipError(str(path), f"no clip holds {form.codec}", "can the camera send H.264 or MJPEG?")
        if not packets or mould is None:
            raise ClipError(str(path), "nothing kept from that time", "was the camera connected?")
        unfinished = path.with_name(f".{path.name}.part")
        try:
            _write(unfinished, packets, mould[1])
            _onto_disk(unfinished, path)
        except (OSError, av.error.FFmpegError, ValueError) as error:
            unfinished.unlink(missing_ok=True)
            raise ClipError(
                str(path), f"cannot be written: {error}", "is the disk full or read-only?"
            ) from error
        end_s = max(packet.time_s + packet.duration_s for packet in packets)
        start_s = min(packet.time_s for packet in packets)
        return Clip(path, start_s, end_s, len(packets), path.stat().st_size)

    def _between(self, t0_s: float, t1_s: float) -> list[Encoded]:
        """Return the packets of a clip in order of decoding, key frame first."""
        kept = [list(group) for group in list(self._groups)]  # at once: another thread goes on adding
        starts = [i for i, group in enumerate(kept) if group[0].time_s <= t0_s + 1e-6]
        packets = [packet for group in kept[starts[-1] if starts else 0 :] for packet in group]
        # Pictures that follow a key frame but are shown before it lean on the group before: they cannot be decoded.
        packets = [packet for packet in packets if packet.time_s >= packets[0].time_s]
        # To decode the last picture wanted, all that was decoded before it is needed, also pictures shown later.
        wanted = [i for i, packet in enumerate(packets) if packet.time_s <= t1_s + 1e-6]
        return packets[: wanted[-1] + 1] if wanted else []

    def _thin_out(self, now_s: float) -> None:
        """Let go of what is older than it must be, and of what is too much."""
        wanted_s = min(now_s - self._seconds, *self._held) if self._held else now_s - self._seconds
        while len(self._groups) > 1 and self._groups[1][0].time_s <= wanted_s:
            self._let_go()
        while sum(self._sizes) > self._most_bytes:
            self.lost_packets += len(self._groups[0])
            self._let_go()

    def _let_go(self) -> None:
        self._groups.popleft()
        self._sizes.popleft()
        self._awaits_key = self._awaits_key or not self._groups


def _mould(stream: VideoStream) -> tuple[OutputContainer, VideoStream] | None:
    """Return a copy of the stream's form that outlives the stream: in a file in memory that is never written.

    None for what the format does not hold.
    """
    container = av.open(io.BytesIO(), "w", format="mp4")
    try:
        return container, container.add_stream_from_template(stream, opaque=True)
    except ValueError:
        return None


def _write(path: Path, packets: Sequence[Encoded], template: VideoStream) -> None:
    """Write packets with times from 0 on; times of decoding only grow, as the format demands."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream_from_template(template, opaque=True)
        tag = PLAYS_ON_APPLE.get(template.codec_context.name)
        if tag and template.codec_context.extradata:
            stream.codec_context.codec_tag = tag
        stream.time_base = Fraction(1, TICKS)
        first_s, last_dts = min(packet.time_s for packet in packets), None
        for packet in packets:
            encoded = _packet(packet, first_s, last_dts)
            last_dts = encoded.dts
            encoded.stream = stream
            container.mux_one(encoded)


def _packet(packet: Encoded, first_s: float, last_dts: int | None) -> "Packet[Stream]":
    encoded: Packet[Stream] = Packet(packet.data)
    pts = round((packet.time_s - first_s) * TICKS)
    dts = pts - round(packet.lag_s * TICKS)
    if last_dts is not None:
        dts = max(dts, last_dts + 1)
    encoded.time_base = Fraction(1, TICKS)
    encoded.pts, encoded.dts = max(pts, dts), dts
    encoded.duration = round(packet.duration_s * TICKS)
    encoded.is_keyframe = packet.is_key
    return encoded


def _onto_disk(unfinished: Path, path: Path) -> None:
    """Give a file its name once it is on the disk: a power cut leaves the whole of it or nothing."""
    whole_file.flush(unfinished)
    unfinished.replace(path)
    whole_file.flush(path.parent)
