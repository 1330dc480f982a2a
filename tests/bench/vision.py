"""Bench of the watcher on one core: frames a second, with and without decoding, against MOG2 and a full-frame network.

    .venv/bin/python -m tests.bench.vision [--quick]

All of them see the same rendered scene of a lively street (birds, leaves, laundry: about as much that moves as in
a real leafy street), in turns, in one process bound to one core with one
thread. The first second is left out: a camera starts once and runs for years. Frames lie in memory, except where
decoding is measured. A figure is the median of several rounds, because machines have other guests; p99 is over
the frames of all rounds. Memory is that of a camera's process as the gateway starts it, with all that it does:
it decodes, watches, keeps the last seconds, and writes still and clip of what falls. It is asked every second, as the
gateway hears it, from when all is filled on; the median is what a camera takes, the peak what it took for a moment.
"""

import argparse
import os
import re
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TypeVar

import av
import cv2
import numpy as np

from gateway.vision import messages, spawning
from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.classifier import Classifier
from gateway.vision.frames import open_source
from gateway.vision.sight import Fall, Frame, Outlook
from gateway.vision.watcher import Watcher
from gateway.vision.worker import watcher_of
from models.train.render.stream import Settings, Stream, Truth
from tests.bench.network import yolo_n
from tests.bench.table import Figure, present

FPS = 25
BITRATE_MBPS = 4.0
FILLED = 25  # seconds in which a camera's process has filled all that it keeps
Given = TypeVar("Given")
Result = TypeVar("Result")
LIVELY = ("bird", "foliage", "laundry")
NEAR_PX = 40.0  # between a fall and what was rendered, for one to be the other


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure is held to."""

    key: str
    what: str
    wanted: float
    unit: str
    more_is_better: bool

    def figure(self, value: float | None) -> Figure:
        """Return the line of the table, with how many times the limit is kept; None is what nothing came of."""
        if value is None:
            return Figure(self.what, "none seen", f"<= {self.wanted:,g}{self.unit}", met=False)
        ratio = value / self.wanted if self.more_is_better else self.wanted / max(value, 1e-9)
        sign = ">=" if self.more_is_better else "<="
        told = f"{value:,.4g}{self.unit} ({ratio:.2f}x)"
        return Figure(self.what, told, f"{sign} {self.wanted:,g}{self.unit}", met=ratio >= 1)


LIMITS = (
    Limit("fps_1080p", "watching 1080p, frames/s on one core", 250, "", more_is_better=True),
    Limit("p99_ms_1080p", "... a frame, p99", 12, " ms", more_is_better=False),
    Limit("fps_1080p_with_decode", "... with H.264 decoded in software", 100, "", more_is_better=True),
    Limit(
        "rss_mb", "memory of a camera's whole process, 1080p, with evidence", 150, " MB", more_is_better=False
    ),
    Limit("alert_delay_p95_s", "last visible frame to verdict, p95", 0.5, " s", more_is_better=False),
)


def main() -> None:
    """Measure everything and print it."""
    options = arguments()
    cv2.setNumThreads(1)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    rounds = 3 if options.quick else 7
    found: dict[str, float | None] = {**speeds(rounds, seconds=4.0 if options.quick else 8.0)}
    found |= delays(streams=2 if options.quick else 10)
    present("vision", figures(found), found)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vision")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and shorter scenes")
    return parser.parse_args()


def figures(found: Mapping[str, float | None]) -> list[Figure]:
    """Return the lines of the table."""
    ours = found["fps_1080p"] or 0.0
    peers = [
        Figure(f"{name}, frames/s", f"{fps:,.4g} (the watcher: {ours / fps:.1f}x as fast)")
        for fps, name in (
            (found["mog2_fps_1080p"] or np.nan, "MOG2 at full resolution, the same frames"),
            (found["yolo_fps"] or np.nan, "a full-frame network of YOLO-n's size"),
        )
    ]
    return [
        *(limit.figure(found[limit.key]) for limit in LIMITS[:3]),
        Figure("... of a calm facade, nothing decoded", f"{found['fps_1080p_calm']}"),
        Figure("watching 1440p, frames/s on one core", f"{found['fps_1440p']}"),
        Figure("watching 2160p (at half its size), frames/s on one core", f"{found['fps_2160p']}"),
        Figure("things that move in a picture of 1080p", f"{found['candidates_per_frame']}"),
        *peers,
        LIMITS[3].figure(found["rss_mb"]),
        Figure("... for a moment, while a still is drawn", f"{found['rss_peak_mb']} MB"),
        *(
            Figure(
                f"... of {height}p, and for a moment",
                f"{found[f'rss_{height}p_mb']} MB, {found[f'rss_peak_{height}p_mb']} MB",
            )
            for height in (1440, 2160)
        ),
        *(limit.figure(found[limit.key]) for limit in LIMITS[4:]),
        Figure("... falls seen of those rendered for it", f"{found['falls_seen']} of {found['falls']}"),
    ]


def speeds(rounds: int, seconds: float) -> dict[str, float]:
    """Return all frames per second, and the memory."""
    calm = scene(1920, 1080, seconds / 2, causes=())
    found_calm = statistics.median(watch(calm)[0] for _ in range(rounds))
    del calm
    frames = scene(1920, 1080, seconds)
    watched = [watch(frames) for _ in range(rounds)]
    found = {
        "fps_1080p": round(statistics.median(fps for fps, _ in watched), 1),
        "p99_ms_1080p": round(float(np.quantile([t for _, each in watched for t in each], 0.99)) * 1000, 2),
        "fps_1080p_calm": round(found_calm, 1),
        "candidates_per_frame": round(candidates(frames), 1),
        "mog2_fps_1080p": round(mog2(frames), 1),
        "yolo_fps": round(yolo(10 if rounds > 3 else 4), 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.mp4"
        encode(frames, path)
        del frames
        found["fps_1080p_with_decode"] = round(statistics.median(decode(path) for _ in range(rounds)), 1)
        found["rss_mb"], found["rss_peak_mb"] = as_camera(path, Path(folder), 4 * rounds)
    for height, length_s in ((1440, seconds / 2), (2160, max(seconds / 4, 2.0))):
        frames = scene(height * 16 // 9, height, length_s)
        found[f"fps_{height}p"] = round(statistics.median(watch(frames)[0] for _ in range(rounds)), 1)
        with tempfile.TemporaryDirectory() as folder:
            encode(frames, path := Path(folder) / "scene.mp4")
            del frames
            held, peak = as_camera(path, Path(folder), 4 * rounds)
        found |= {f"rss_{height}p_mb": held, f"rss_peak_{height}p_mb": peak}
    return found


def scene(width: int, height: int, seconds: float, *, causes: tuple[str, ...] = LIVELY) -> list[Frame]:
    """Return the frames of a street in which a thing falls, and `causes` move."""
    settings = Settings(
        seed=3, split="validation", width=width, height=height, fps=FPS, seconds=seconds,
        bitrate_mbps=BITRATE_MBPS, shaking=False, falls=1, causes=causes, window="full",
    )  # fmt: skip
    return [
        Frame(each.index, each.time_s, np.ascontiguousarray(each.luma)) for each in Stream(settings).frames()
    ]


def watcher() -> AdaptedWatcher:
    """Return the daemon's own watcher."""
    return watcher_of(Classifier.default(), Outlook())


def watch(frames: Sequence[Frame]) -> tuple[float, list[float]]:
    """Return frames per second and the seconds each frame took, without the first second."""
    watching = watcher()
    took = [timed(watching.feed, frame)[0] for frame in frames][FPS:]
    return len(took) / sum(took), took


def candidates(frames: Sequence[Frame]) -> float:
    """Return how many moving things a frame has, on average, after the first second."""
    watching = Watcher(None)
    for frame in frames[:FPS]:
        watching.feed(frame)
    before = watching.statistics.candidates
    for frame in frames[FPS:]:
        watching.feed(frame)
    return (watching.statistics.candidates - before) / (len(frames) - FPS)


def mog2(frames: Sequence[Frame]) -> float:
    """Return frames per second of OpenCV's usual background subtraction, with its default settings, on luma."""
    subtractor = cv2.createBackgroundSubtractorMOG2()
    took = [timed(subtractor.apply, frame.luma)[0] for frame in frames][FPS:]
    return len(took) / sum(took)


def yolo(runs: int) -> float:
    """Return frames per second of the network alone, on a picture that is already 640 x 640."""
    import onnxruntime  # only now: the classifier has told it not to phone home

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model, _, _ = yolo_n()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(1).random((1, 3, 640, 640), np.float32)
    took = [timed(partial(session.run, None), {"images": picture})[0] for _ in range(runs + 2)][2:]
    return 1 / statistics.median(took)


def encode(frames: Sequence[Frame], path: Path) -> None:
    """Write the frames as a camera would send them: H.264, one I-frame in two seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=FPS, options={"preset": "veryfast", "tune": "zerolatency"}
        )
        stream.height, stream.width = frames[0].luma.shape
        stream.pix_fmt, stream.bit_rate = "yuv420p", round(BITRATE_MBPS * 1e6)
        stream.codec_context.gop_size = 2 * FPS
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame.luma, format="gray")
            picture.pts, picture.time_base = frame.index, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def decode(path: Path) -> float:
    """Return frames per second of decoding and watching, without the first second."""
    watching, began, count = watcher(), 0.0, 0
    with open_source(str(path)) as frames:
        for count, frame in enumerate(frames, 1):
            watching.feed(frame)
            if count == FPS:
                began = time.perf_counter()
    return (count - FPS) / (time.perf_counter() - began)


def as_camera(path: Path, evidence: Path, seconds: int) -> tuple[float, float]:
    """Return what a camera's process takes that plays the file again and again, in MB (10^6 bytes): median, peak.

    The median is over the `seconds` after all is filled, of what the process tells the gateway; the peak the kernel's.
    """
    ours, theirs = socket.socketpair()
    with ours, theirs, spawning.spawn(spawning.COMMAND, "bench", theirs) as process:
        theirs.close()
        setup = messages.Setup(
            camera="bench", url=str(path), password="", watch=(), ignore=(), floors=(), title="bench",
            evidence_dir=str(evidence), room=1_000_000_000, privacy=False, memory_max_bytes=300_000_000,
            max_falls_per_minute=10,
        )  # fmt: skip
        ours.sendall(messages.encode(setup))
        inbox, beats = messages.Inbox(time.monotonic()), list[messages.Heartbeat]()
        while len(beats) < FILLED + seconds and (data := ours.recv(1 << 16)):
            told = inbox.take(data, time.monotonic())
            beats += [each for each in told if isinstance(each, messages.Heartbeat)]
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        ours.shutdown(socket.SHUT_RDWR)  # the gateway is gone, and so is the process
    held = statistics.median(beat.rss_bytes for beat in beats[FILLED:])
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024  # proc(5)
    return round(held / 1e6, 1), round(peak / 1e6, 1)


def delays(streams: int) -> dict[str, float | None]:
    """Return how long after the last visible frame a fall is told, in time of the stream and of the processor."""
    waits, falls = [], 0
    for seed in range(streams):
        settings = Settings(
            seed=100 + seed, split="validation", fps=FPS, bitrate_mbps=BITRATE_MBPS,
            shaking=False, falls=1,
        )  # fmt: skip
        stream, watching = Stream(settings), watcher()
        told: dict[int, tuple[float, Fall]] = {}  # the first time, by number
        for frame in stream.frames():
            took, seen = timed(watching.feed, frame)
            told = {fall.number: (took, fall) for fall in seen} | told
        truths = [truth for truth in stream.truths if truth.spots and not truth.twin]
        falls += len(truths)
        waits += [
            fall.decided_s + took - truth.spots[-1].time_s
            for truth in truths
            for took, fall in told.values()
            if _same(fall, truth)
        ]
    late = round(float(np.quantile(waits, 0.95)), 3) if waits else None
    return {"alert_delay_p95_s": late, "falls": falls, "falls_seen": len(waits)}


def _same(fall: Fall, truth: Truth) -> bool:
    """Say whether a fall is the rendered one: near it in at least half of the frames both know."""
    true = {spot.frame: spot.centre for spot in truth.spots}
    both = [(spot.centre, true[spot.frame]) for spot in fall.track if spot.frame in true]
    near = sum(abs(x - u) + abs(y - v) <= NEAR_PX for (x, y), (u, v) in both)
    return bool(near * 2 > len(both))


def timed(call: Callable[[Given], Result], given: Given) -> tuple[float, Result]:
    """Return the seconds a call took, and what it returned."""
    began = time.perf_counter()
    result = call(given)
    return time.perf_counter() - began, result


if __name__ == "__main__":
    main()
