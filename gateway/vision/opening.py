"""Open a video by FFmpeg with the options each kind of source needs, and find the stream with the pictures in it."""

import re
import stat
import struct
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.video.stream import VideoStream

from gateway.vision.address import Address
from gateway.vision.decoder import FAILURES
from gateway.vision.source_errors import SourceError, explain

FAILURES_OF_OPENING = (*FAILURES, OSError)
NOMINAL_RATE = 25.0  # where a stream does not say, or says nonsense
RATES = (1.0, 240.0)
LEAST_JUMP_S = 10.0
TIMES_RESTART = 0x200  # FFmpeg's AVFMT_TS_DISCONT
MATROSKA_END = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")  # of each stream, as all who write MKV note it
ASF_FILE = bytes.fromhex("A1DCAB8C47A9CF118EE400C00C205365")  # the file properties (ASF specification, 3.2)
ASF_BROADCAST = 1  # flag: it was not known yet
NO_VIDEO = frozenset({"tty"})  # FFmpeg reads any text file as a film of text

OPTIONS: dict[str, dict[str, str]] = {
    # A file is a file: a playlist or a concat script must not reach other files or the network through us.
    "file": {"protocol_whitelist": "file,crypto,data"},
    "rtsp": {"rtsp_transport": "tcp", "allowed_media_types": "video", "analyzeduration": "3000000"},
    "http": {"analyzeduration": "3000000"},
    "camera": {"input_format": "mjpeg"},
}


def open_container(
    address: Address, *, open_timeout_s: float, read_timeout_s: float, hwaccel: HWAccel | None
) -> InputContainer:
    """Open what the address names; raises SourceError."""
    if address.kind == "file":
        _check_file(address)
    options = dict(OPTIONS[address.kind])
    name = f"file:{address.bare}" if address.kind == "file" else address.full()
    driver = "video4linux2" if address.kind == "camera" else None
    problem: SourceError | None = None
    while True:
        try:
            return av.open(
                name, "r", driver, options=options, timeout=(open_timeout_s, read_timeout_s), hwaccel=hwaccel,
                metadata_errors="replace",  # cameras and recorders write titles in GBK as well
            )  # fmt: skip
        except FAILURES_OF_OPENING as error:
            problem = explain(error, address.shown, remote=address.remote)
        if options.pop("input_format", None) is None or problem.reason != "broken":
            raise problem  # here, where FFmpeg's own error with the password in it is no longer at hand


def pictures_of(container: InputContainer, address: Address) -> VideoStream:
    """Return the stream with the pictures; raises SourceError where there is none, or none that can be decoded."""
    if container.format.name in NO_VIDEO:
        raise SourceError("no_video", address.shown, "a text file, not a video")
    streams = [s for s in container.streams.video if not s.disposition & s.disposition.attached_pic]
    if not streams:
        raise SourceError("no_stream", address.shown, f"no pictures in it ({container.format.name})")
    best = container.streams.best("video")
    stream = best if isinstance(best, VideoStream) and best in streams else streams[0]
    if stream.codec_context is None:
        raise SourceError("codec", address.shown, "no decoder for its coding")
    if not stream.codec_context.width:
        raise SourceError("no_video", address.shown, "no picture in it that can be decoded")
    return stream


def length_of(container: InputContainer, stream: VideoStream) -> float | None:
    """Return how many seconds of pictures there are, as the file says: its sound may go on for longer.

    Of an AVI it is what its header says: FFmpeg gives one that was cut the length that there are bytes for, and an ASF
    (WMV) that was cut none.
    """
    if stream.duration is None and container.format.name == "asf":
        return _length_of_asf(container.name)
    if stream.duration is not None and stream.time_base is not None:
        said = stream.frames if container.format.name == "avi" else 0
        return float(max(stream.duration, said) * stream.time_base)
    whole_s = None if container.duration is None else container.duration / av.time_base
    ends = MATROSKA_END.fullmatch(stream.metadata.get("DURATION", ""))
    if whole_s is None or ends is None:
        return whole_s
    began_s = float((stream.start_time or 0) * (stream.time_base or 0))
    hours, minutes, seconds = map(float, ends.groups())
    return min(whole_s, hours * 3600 + minutes * 60 + seconds - max(began_s, 0.0))


def _length_of_asf(name: str) -> float | None:
    """Return how many seconds an ASF says it plays; in front of that lies what is loaded before."""
    try:
        with Path(name.removeprefix("file:")).open("rb") as file:
            head = file.read(1 << 16)
    except OSError:
        return None
    at = head.find(ASF_FILE)
    if at < 0 or len(head) < at + 92:
        return None
    plays, _, loads_ms, flags = struct.unpack_from("<3QI", head, at + 64)
    return None if flags & ASF_BROADCAST else max(plays / 1e7 - loads_ms / 1e3, 0.0)


def beginning_of(container: InputContainer) -> float | None:
    """Return from what time of its own on players count a file's, in seconds: sound may come before the pictures.

    An AVI has no times of its own: with what is decoded first, which need not be shown first, it begins.
    """
    if container.start_time is None or container.format.name == "avi":
        return None
    return float(container.start_time / av.time_base)


def restarts(container: InputContainer) -> bool:
    """Return whether times may begin anew in the middle: MPEG streams, which recorders join end to end.

    How long such a file is no header says, and the time of its last picture less that of its first says nothing.
    """
    return bool(container.format.flags & TIMES_RESTART)


def longest_gap_s(container: InputContainer, length_s: float | None) -> float:
    """Return from what time between two pictures on it is a jump of the clock, and no pause in the film."""
    return LEAST_JUMP_S if length_s is None or restarts(container) else max(LEAST_JUMP_S, length_s)


def rate_of(stream: VideoStream) -> float:
    """Return the stream's nominal pictures per second."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and RATES[0] <= rate <= RATES[1]:
            return float(rate)
    return NOMINAL_RATE


def _check_file(address: Address) -> None:
    """Say at once what FFmpeg would only say in riddles."""
    path, problem = Path(address.bare), None
    try:
        found = path.stat()
    except OSError as error:
        problem = explain(error, address.shown, remote=False)
    if problem is not None:
        raise problem
    if stat.S_ISREG(found.st_mode) and found.st_size == 0:
        raise SourceError("empty", address.shown, "the file is empty")
