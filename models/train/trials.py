"""One trial on the held-out test split: a clip with a fall, or a stretch of a stream in which nothing falls.

Each runs in a process of its own, feeds our watcher and the classical baseline the same frames, and returns plain
data that goes to disk as JSON, so that an evaluation of many hours can be broken off and gone on with.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import msgspec
import numpy as np

from gateway.vision.adapting import AdaptedWatcher
from gateway.vision.classifier import Classifier
from gateway.vision.film import Watching
from gateway.vision.merging import PATIENCE_S
from gateway.vision.sight import Fall, Frame, Outlook, Spot
from models.train import scoring
from models.train.baseline import Classical
from models.train.render.negatives import CAUSES
from models.train.render.stream import LoopStream, Settings, Stream, Truth

Result = TypeVar("Result", "Clip", "Stretch")

VISIBLE_FRAMES = 6
"""A fall that shows in fewer frames is not counted: nobody could tell it from noise, in the picture or in a list."""

STRETCH_S = 600.0
"""Length of one stretch of a stream in which nothing falls."""

SHAKING_SHARE = 0.25
BITRATES = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
CLASSICAL_SHARE = 8
"""The baseline watches every so many-th stretch only: it is several times as slow as our watcher."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How one watcher did in one clip. Counts of boxes are (right, false, missed)."""

    hit: bool = False
    pieces: int = 0
    strays: tuple[float, ...] = ()
    boxes: tuple[int, int, int] = (0, 0, 0)
    near: tuple[int, int, int] = (0, 0, 0)
    tro: float = 0.0
    tro_benchmark: float = 0.0
    floor_off: int | None = None
    range_right: bool | None = None
    late_s: float | None = None


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip with one fall and what was made of it."""

    number: int
    visible: int
    size_px: float
    contrast: float
    terminal_mps: float
    bitrate_mbps: float
    shaking: bool
    kind: str
    causes: tuple[str, ...]
    twin: bool
    seconds: float
    facts: dict[str, float | str | bool]
    ours: Marks
    classical: Marks


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some minutes in which nothing fell: when alarms were given all the same. `classical` is None if not asked."""

    number: int
    causes: tuple[str, ...]
    seconds: float
    ours: tuple[float, ...]
    classical: tuple[float, ...] | None = None
    facts: dict[str, float | str | bool] = field(default_factory=dict)


def clip_settings(seed: int, number: int) -> Settings:
    """Return the settings of a clip: one fall, 1080p25, 1 to 6 Mb/s, every second one with something else going on."""
    rng = np.random.default_rng([seed, 2, number])
    causes = tuple(str(name) for name in rng.choice(sorted(CAUSES), 1)) if number % 2 else ()
    return Settings(
        seed=int(rng.integers(2**31)),
        split="test",
        seconds=6,
        bitrate_mbps=BITRATES[number % len(BITRATES)],
        shaking=bool(rng.random() < SHAKING_SHARE),
        falls=1,
        causes=causes,
        window="full",
    )


def stretch_settings(seed: int, number: int) -> Settings:
    """Return the settings of a stretch: the causes in turn, alone and with one or two others."""
    rng = np.random.default_rng([seed, 3, number])
    names = sorted(CAUSES)
    first = names[number % len(names)]
    others = [str(name) for name in rng.permutation([name for name in names if name != first])]
    return Settings(
        seed=int(rng.integers(2**31)),
        split="test",
        seconds=STRETCH_S,
        bitrate_mbps=BITRATES[number % len(BITRATES)],
        shaking=bool(rng.random() < SHAKING_SHARE),
        falls=0,
        causes=(first, *others[: number // len(names) % 3]),
        window="full",
    )


def run_clip(seed: int, number: int, model: Path) -> Clip | None:
    """Run both watchers on one clip, as on a film; None when the fall is hardly in the picture."""
    cv2.setNumThreads(1)
    settings = clip_settings(seed, number)
    stream = Stream(settings)
    ours, classical = _both(model, stream.outlook, patience_s=PATIENCE_S)
    alarms, others = watch(stream.frames(), (ours, classical))
    mine = [truth for truth in stream.truths if not truth.twin]
    truth = max(mine, key=lambda each: len(each.spots), default=None)
    if truth is None or len(truth.spots) < VISIBLE_FRAMES:
        return None
    last = settings.seconds * settings.fps - 1
    looks = [each.spots for each in stream.truths if each.twin]
    return Clip(
        number=number,
        visible=len(truth.spots),
        size_px=float(truth.size_px),
        contrast=abs(float(truth.contrast)),
        terminal_mps=float(truth.terminal_mps),
        bitrate_mbps=settings.bitrate_mbps,
        shaking=bool(settings.shaking),
        kind=truth.kind,
        causes=settings.causes,
        twin=bool(looks),
        seconds=float(settings.seconds),
        facts=dict(stream.facts),
        ours=marks(alarms, truth, looks, int(last)),
        classical=marks(others, truth, looks, int(last)),
    )


def marks(alarms: Sequence[Fall], truth: Truth, twins: Sequence[Sequence[Spot]], last: int) -> Marks:
    """Return how a watcher did: its alarms against the one fall of a clip and that fall's mirror images."""
    found = scoring.match(alarms, [[truth.spots, *twins]])
    mine = [alarms[i] for i in found.hits[0]]
    tracks = [alarm.track for alarm in alarms]
    boxes = scoring.tally(tracks, [truth.spots])
    near = scoring.tally(tracks, [truth.spots], by_distance=True)
    spans = [scoring.span(alarm.track) for alarm in mine]
    alarmed = (min(first for first, _ in spans), max(end for _, end in spans)) if spans else None
    true = scoring.span(truth.spots)
    benchmark = scoring.benchmark_span(tracks, truth.spots, last)
    origin = next((alarm.origin for alarm in mine if alarm.origin), None)
    return Marks(
        hit=bool(mine),
        pieces=len(mine),
        strays=tuple(alarms[i].t_start for i in found.strays),
        boxes=(boxes.right, boxes.false, boxes.missed),
        near=(near.right, near.false, near.missed),
        tro=scoring.overlap_in_time(alarmed, true),
        tro_benchmark=scoring.overlap_in_time(benchmark, true),
        floor_off=origin.floor - truth.floor if origin else None,
        range_right=origin.low <= truth.floor <= origin.high if origin else None,
        late_s=min(alarm.decided_s for alarm in mine) - truth.spots[-1].time_s if mine else None,
    )


def run_stretch(seed: int, number: int, model: Path) -> Stretch:
    """Run our watcher, and now and then the baseline, over one stretch in which nothing falls."""
    cv2.setNumThreads(1)
    settings = stretch_settings(seed, number)
    stream = LoopStream(settings)
    ours, classical = _both(model, stream.outlook)
    compared = number % CLASSICAL_SHARE == 0
    alarms = watch(stream.frames(), (ours, classical) if compared else (ours,))
    return Stretch(
        number=number,
        causes=settings.causes,
        seconds=float(settings.seconds),
        ours=tuple(alarm.t_start for alarm in alarms[0]),
        classical=tuple(alarm.t_start for alarm in alarms[1]) if compared else None,
        facts=dict(stream.facts),
    )


def watch(frames: Iterable[Frame], watchers: Sequence[Watching]) -> list[list[Fall]]:
    """Feed the same frames to several watchers; return the alarms of each."""
    alarms: list[list[Fall]] = [[] for _ in watchers]
    for frame in frames:
        for mine, watcher in zip(alarms, watchers, strict=True):
            mine.extend(watcher.feed(frame))
    for mine, watcher in zip(alarms, watchers, strict=True):
        mine.extend(watcher.finish())
    return alarms


def _both(model: Path, outlook: Outlook, *, patience_s: float = 0.0) -> tuple[AdaptedWatcher, Classical]:
    judge = Classifier.load(model)
    ours = AdaptedWatcher(judge, threshold=judge.card.threshold, outlook=outlook, patience_s=patience_s)
    return ours, Classical(outlook)


def read(paths: Iterable[Path], kind: type[Result]) -> Iterator[Result]:
    """Read what earlier runs left; empty files stand for clips without a visible fall."""
    for path in paths:
        if data := path.read_bytes():
            yield msgspec.json.decode(data, type=kind)


def write(result: Clip | Stretch | None, path: Path) -> None:
    """Leave a result, whole or not at all."""
    draft = path.with_name(f".{path.name}")
    draft.write_bytes(msgspec.json.encode(asdict(result)) if result else b"")
    draft.replace(path)
