"""A pretend network camera: a rendered facade as a live stream, and a bottle that falls from it when the story says so.

How it works: facade.mp4 is quiet at first, then something falls. Every connection is sent the quiet parts again and
again, in real time and with times that run on, as MPEG-TS over plain HTTP on loopback. When something is thrown,
the rest of the film follows at the next end of a quiet part, once. So the falling comes when it is told, not each
time a film comes round again, and the camera's process meets what it meets in the street: a stream without end.

PyAV comes with the vision parts and is loaded with the first connection: without them, or before, nothing is lost.
"""

import asyncio
import contextlib
import itertools
import tomllib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from gateway.runtime.threads import in_thread
from gateway.vision.homes import HOMES, MODEL

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

NAME = "facade"
LIBRARIES = ("av", "cv2", "numpy", "onnxruntime")
WARM_UP_S = 4.0  # of quiet before anything falls: the watcher gets to know the view
TICKS = 90_000  # of MPEG-TS
ANSWER = b"HTTP/1.0 200 OK\r\nContent-Type: video/mp2t\r\nCache-Control: no-store\r\n\r\n"
LONGEST_REQUEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded picture of the film; `at_s` is its time from the start of its part."""

    data: bytes
    is_key: bool
    at_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """Pictures that can be shown after those of any other part: the first is a key frame."""

    pictures: tuple[Picture, ...]
    lasts_s: float


def available() -> bool:
    """Return whether a camera can be watched here: the vision parts and the model are installed."""
    there = any((home / MODEL / "model.onnx").is_file() for home in HOMES)
    return there and all(find_spec(name) is not None for name in LIBRARIES)


def view() -> dict[str, Any]:
    """Return what is known of the film: `quiet_s`, and what an installer would tell: `watch` and `floors`."""
    return tomllib.loads(_film().with_name("facade.toml").read_text(encoding="ascii"))


@contextlib.asynccontextmanager
async def facade() -> AsyncIterator["Facade"]:
    """Have the camera hang on its wall; it comes down with all its connections."""
    camera = Facade()
    server = await asyncio.start_server(camera.connected, "127.0.0.1", limit=LONGEST_REQUEST)
    camera.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{NAME}.ts"
    try:
        yield camera
    finally:
        server.close()
        await camera.close()


class Facade:
    """Streams to whoever connects. `throw` has something fall for everybody who looks, or else for who comes next."""

    def __init__(self) -> None:
        self.url = ""
        self.thrown = self.shown = 0
        self._streams: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def throw(self) -> None:
        """Have something fall."""
        self.thrown += 1

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request with the stream, until the other side or the demo has had enough."""
        task = asyncio.current_task()
        assert task is not None
        self._streams[task] = writer
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self._stream(writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a camera does not mind who is gone
        finally:
            del self._streams[task]
            writer.transport.abort()

    async def close(self) -> None:
        """Hang up on everybody, and wait until they have noticed."""
        streams = dict(self._streams)
        for writer in streams.values():
            writer.transport.abort()
        if streams:
            await asyncio.wait(streams)

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        """Send parts for ever, each picture when it is due."""
        film = await in_thread(Film)
        writer.write(ANSWER)
        quiet = itertools.cycle(film.quiet)
        began, played_s, shown = asyncio.get_running_loop().time(), 0.0, self.shown
        while True:
            falls = self.thrown > shown and played_s >= WARM_UP_S
            shown += falls
            self.shown = max(self.shown, shown)
            part = film.fall if falls else next(quiet)
            for picture in part.pictures:
                due_s = began + played_s + picture.at_s
                await asyncio.sleep(due_s - asyncio.get_running_loop().time())
                writer.write(film.encoded(picture, played_s + picture.at_s))
                await writer.drain()
            played_s += part.lasts_s


class Film:
    """The film in its two parts, and the way to put pictures of it into a stream. Blocks while it is read."""

    def __init__(self) -> None:
        import av

        with av.open(str(_film())) as source:
            video = source.streams.video[0]
            rate = float(video.average_rate or 25)
            packets = [packet for packet in source.demux(video) if packet.pts is not None]
            film = [Picture(bytes(p), p.is_keyframe, float((p.pts or 0) * p.time_base)) for p in packets]
            self._sink = _Sink()
            self._container, self._video = _muxer(self._sink, video)
        quiet_s = float(view()["quiet_s"])
        quiet = [each for each in film if each.at_s < quiet_s]
        keys = [number for number, each in enumerate(quiet) if each.is_key]
        ends = [*keys[1:], len(quiet)]
        self.quiet = [_part(quiet[key:end], 1 / rate) for key, end in zip(keys, ends, strict=True)]
        self.fall = _part(film[len(quiet) :], 1 / rate)

    def encoded(self, picture: Picture, at_s: float) -> bytes:
        """Return the bytes that bring a picture into the stream at a time."""
        from av.packet import Packet

        packet = Packet(picture.data)
        packet.stream = self._video
        packet.time_base = Fraction(1, TICKS)
        packet.pts = packet.dts = round(at_s * TICKS)
        packet.is_keyframe = picture.is_key
        self._container.mux_one(packet)
        return self._sink.taken()


class _Sink:
    """A file for PyAV that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        """Keep some bytes."""
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last time."""
        taken, self._written = bytes(self._written), bytearray()
        return taken


def _muxer(sink: _Sink, like: "VideoStream") -> "tuple[OutputContainer, VideoStream]":
    """Return an MPEG-TS that is written into `sink` picture by picture, and its one stream."""
    import av

    container = av.open(sink, "w", format="mpegts", options={"flush_packets": "1"})
    stream = container.add_stream_from_template(like, opaque=True)
    return container, stream


def _part(pictures: Sequence[Picture], step_s: float) -> Part:
    """Return pictures as a part that begins at 0."""
    first_s = pictures[0].at_s
    moved = tuple(Picture(each.data, each.is_key, each.at_s - first_s) for each in pictures)
    return Part(moved, moved[-1].at_s + step_s)


def _film() -> Any:
    return resources.files("gateway.demo") / "facade.mp4"
