"""Pictures out of a file, a network camera or a camera at the USB port: FFmpeg opens and decodes, luma comes out.

`open_source` gives a Source, its `frames()` the pictures with the stream's own times. RTSP goes over TCP, with time
limits for opening and reading. A broken packet is skipped and counted, a file that was cut short gives what it has;
only where nothing more can come there is a SourceError, without credentials. Encoded packets go to `on_packet` before
they are decoded: so a clip can be kept without encoding anything again.

A camera that sends one JPEG after the other over HTTP says of none when it was taken; FFmpeg would have 25 of them in
each second. They are taken when they come, and the stream for what it is: live.

Pictures come upright: where a file says that it is to be turned (telephones), it is turned, as every player does.
So the pixels of a track are those a player shows; where they are not square, as they are stored.
"""

import time
from collections.abc import Callable, Iterator
from typing import Self, cast

import av
import av.error
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gateway.vision.address import Address, parse
from gateway.vision.clock import StreamClock
from gateway.vision.decoder import Decoder, accelerator
from gateway.vision.luma import luma_of, mirror_of, turn_of, upright
from gateway.vision.opening import (
    FAILURES_OF_OPENING,
    beginning_of,
    length_of,
    longest_gap_s,
    open_container,
    pictures_of,
    rate_of,
    restarts,
)
from gateway.vision.sight import Frame
from gateway.vision.source_errors import SourceError, explain
from gateway.vision.source_facts import Encoded, Facts, Statistics

__all__ = ["Encoded", "Facts", "Source", "SourceError", "Statistics", "open_source"]

UNTIMED = frozenset({"mpjpeg"})  # FFmpeg's names of streams without times of their own
STUMBLES = 20  # faults in a row in a file's data after which there is nothing more behind them
FOREIGN = 50  # pictures of another size in a row: then it is no broken one, but another stream


def open_source(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    threads: int = 1,
    hardware: bool = True,
    open_timeout_s: float = 8.0,
    read_timeout_s: float = 5.0,
    clock: Callable[[], float] = time.monotonic,
) -> "Source":
    """Open a path, file://, /dev/videoN, rtsp(s):// or http(s)://; raises SourceError, which says how to mend it."""
    address = parse(url, user=user, password=password)
    container = open_container(
        address,
        open_timeout_s=open_timeout_s,
        read_timeout_s=read_timeout_s,
        hwaccel=accelerator() if hardware else None,
    )
    try:
        stream = pictures_of(container, address)
        decoder = Decoder(stream, threads=threads, hardware=hardware)
        return Source(container, address, decoder, stall_s=read_timeout_s, clock=clock)
    except BaseException:
        container.close()
        raise


class Source:
    """An open source. Close it, or use it as a context manager; it is iterated once."""

    def __init__(
        self,
        container: InputContainer,
        address: Address,
        decoder: Decoder,
        *,
        stall_s: float,
        clock: Callable[[], float],
    ) -> None:
        self.on_packet: Callable[[Encoded], None] | None = None
        self.stream = stream = decoder.stream
        self._tick_s = float(stream.time_base or 1 / 90000)
        self.where = address.shown
        self._untimed = address.kind == "http" and container.format.name in UNTIMED
        self.live = address.live or self._untimed
        self.rate = rate_of(stream)
        self.duration_s = None if self.live else length_of(container, stream)
        self.restarts = restarts(container)
        self._statistics = Statistics()
        self._container, self._decoder, self._address = container, decoder, address
        self._stall_s, self._now = stall_s, clock
        self._codec = stream.codec_context.name
        self._size: tuple[int, int] | None = None
        self._coded = stream.codec_context.width, stream.codec_context.height
        self._unfit = self._foreign = self._damaged = 0
        self._came_at = clock()
        self.start_at(0, 0.0)

    def __repr__(self) -> str:
        return f"<Source {self.where}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    @property
    def facts(self) -> Facts:
        """Return what is known of the source by now."""
        width, height = self._size or self._coded
        return Facts(
            self.where, self.live, width, height, self.rate, self._codec, self._decoder.name, self.duration_s
        )

    @property
    def statistics(self) -> Statistics:
        """Return the counters, as they stand."""
        self._statistics.time_faults = self._clock.faults
        self._statistics.corrupt = self._decoder.errors + self._unfit + self._damaged
        return self._statistics

    def start_at(self, index: int, time_s: float) -> None:
        """Count the first picture as `index` at `time_s`: for a stream that follows on another. Before `frames`."""
        self._index = index
        longest_s = longest_gap_s(self._container, self.duration_s)
        began_s = None if self.live else beginning_of(self._container)
        self._clock = StreamClock(self.rate, start_s=time_s, began_s=began_s, longest_gap_s=longest_s)

    def close(self) -> None:
        """Let go of file, connection and decoder. Pictures already out stay valid."""
        self._container.close()

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures in order. A live stream never just ends: that is a SourceError, as is a stall."""
        last_picture = self._now()
        for packet in self._packets():
            for picture in self._decoder.decode(packet):
                last_picture = self._now()
                frame = self._frame(picture)
                if frame is not None:
                    yield frame
                    last_picture = self._now()
            if self.live and self._now() - last_picture > self._stall_s:
                raise SourceError("timed_out", self.where, f"no picture for {self._stall_s:g} s")
        if self.live:
            raise SourceError("ended", self.where, "the stream ended")
        if not self._statistics.frames:
            raise SourceError("no_video", self.where, "no picture in it could be decoded")

    def _packets(self) -> Iterator["Packet[VideoStream]"]:
        """Yield packets, each after the recorder had it; an error ends a file quietly and a live stream loudly.

        Where the fault lies in the data of a file, reading goes on behind it as long as that leads anywhere.
        """
        problem: SourceError | None = None
        packets = self._container.demux(self.stream)
        stumbles = 0
        while problem is None:
            try:
                packet = next(packets, None)
            except FAILURES_OF_OPENING as error:
                packets, stumbles = self._container.demux(self.stream), stumbles + 1
                self._damaged += 1
                if self.live or stumbles > STUMBLES or not isinstance(error, av.error.InvalidDataError):
                    problem = explain(error, self.where, remote=self._address.remote)
                continue
            if packet is None:
                return
            if packet.size:
                stumbles, self._came_at = 0, self._now()
                self._record(packet)
            yield packet
        if self.live or not self._statistics.frames:
            raise problem
        yield cast("Packet[VideoStream]", Packet())  # brings out what the decoder still holds

    def _record(self, packet: "Packet[VideoStream]") -> None:
        self._statistics.packets += 1
        self._statistics.bytes += packet.size
        if self.on_packet is None:
            return
        tick = self._tick_s
        shown_s = self._stamped(packet.pts if packet.pts is not None else packet.dts)
        lag = packet.pts - packet.dts if packet.pts is not None and packet.dts is not None else 0
        duration_s = packet.duration * tick if packet.duration else 1.0 / self.rate
        self.on_packet(
            Encoded(bytes(packet), self._clock.estimate(shown_s), lag * tick, duration_s, packet.is_keyframe)
        )

    def _stamped(self, stamp: int | None) -> float | None:
        """Return the time the stream gives, in seconds, or when it came where a stream gives none."""
        if self._untimed:
            return self._came_at
        return None if stamp is None else stamp * self._tick_s

    def _frame(self, picture: VideoFrame) -> Frame | None:
        """Return the picture with its time, or None where it is not fit to be seen; it has its number all the same."""
        before_s, index = self._clock.last_s, self._index
        time_s = self._clock.tick(self._stamped(picture.pts))
        self._index += 1
        if before_s is not None and self.live:
            self._statistics.dropped += max(0, round((time_s - before_s) * self.rate) - 1)
        luma = upright(luma_of(picture), turn_of(picture), mirror_of(picture))
        if picture.is_corrupt or not self._fits((luma.shape[1], luma.shape[0])):
            self._unfit += 1
            return None
        self._statistics.frames += 1
        return Frame(index, time_s, luma)

    def _fits(self, size: tuple[int, int]) -> bool:
        """Return whether a picture is as large as the first; raises SourceError once they keep being others."""
        self._size = self._size or size
        self._foreign = 0 if size == self._size else self._foreign + 1
        if self._foreign >= FOREIGN:
            old, new = "x".join(map(str, self._size)), "x".join(map(str, size))
            raise SourceError("changed", self.where, f"pictures of {new} after {old}")
        return self._foreign == 0
