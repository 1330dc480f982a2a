"""Run the watcher over rendered streams and keep, labelled, every track it would ask the network about.

The network so learns from what the watcher really makes of a picture, its mistakes included. A track is a falling
object when at least half of its spots lie on one; a track that lies on one only partly is kept out, nobody could
say what it is, and so is what may be a ball that was thrown up. Everything else is named after the cause its stream
was rendered with. Every shard can be rendered again from seed, split and number alone, and a run that was broken off
goes on where it stopped.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track as progress

from gateway.vision.classifier import Classifier
from gateway.vision.sight import Spot
from gateway.vision.tubelet import Tubelet
from gateway.vision.watcher import Judge, Watcher
from models.train.render.negatives import CAUSES
from models.train.render.stream import LoopStream, Settings, Stream, Truth
from models.train.scoring import SHARE_ON_TRUTH, on_truth
from models.train.shards import ANY_NEGATIVE, OBJECT, Tubelets, nothing, save
from models.train.spread import spread

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

STREAMS_PER_SHARD = 8
QUIET_S, BASE_S = 30.0, 6.0
"""How long a stream in which nothing falls is watched, and how much of its empty scene is rendered for that."""

QUIET_EVERY: dict[Split, int] = {"train": 4, "validation": 2, "test": 2}
"""One stream of so many has no falls: training wants falls most, the others want both alike."""

MOST_OF_A_STREAM = 120
PARTLY = 0.15
"""A track with more of its spots than this on an object, and fewer than half, is kept out."""

HARD = 0.02
EASY_SHARE = 0.1
"""Mining keeps the negatives the model gives at least this chance to be an object, and this share of the others."""

CLASS_OF_CAUSE = {
    "bird": 1, "insect.near": 1, "insect.far": 1, "spider": 1,
    "rain.far": 2, "rain.near": 2, "snow": 2, "drip": 2,
    "leaf": 3, "foliage": 3, "laundry": 3, "curtain": 3, "plastic_up": 3, "lights": 3, "shadow": 3, "reflection": 3,
    "smoke_steam": 3, "osd": 3, "dust_noise": 3, "shake": 3, "exposure": 3, "ir_switch": 3, "lightning": 3,
    "headlights": 4, "vehicle": 4, "person": 4, "elevator": 4, "gondola": 4, "kite_drone": 4, "thrown_up": 4,
}  # fmt: skip
"""The class, an index of CLASSES, of every cause that can be rendered."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One labelled tubelet on its way into a shard."""

    tubelet: Tubelet
    label: int
    cause: str
    about: tuple[float, float, float, float]


def label(
    spots: Sequence[Spot], truths: Sequence[Truth], causes: Sequence[str]
) -> tuple[int, str, Truth | None] | None:
    """Return (class, cause, the truth it lies on) of a track; None when it can't be said."""
    best = max(truths, key=lambda truth: on_truth(spots, truth.spots), default=None)
    share = on_truth(spots, best.spots) if best else 0.0
    if best is not None and share >= SHARE_ON_TRUTH:
        return OBJECT, "object", best
    if share > PARTLY or "thrown_up" in causes:  # from its highest place on a ball falls like anything else
        return None
    if len(causes) == 1:
        return CLASS_OF_CAUSE[causes[0]], causes[0], None
    return ANY_NEGATIVE, "+".join(causes) or "nothing", None


def plan(seed: int, split: Split, number: int, causes: Sequence[str], *, still: bool = False) -> Settings:
    """Return the settings of one stream: one with falls, or each so many-th a longer one in which nothing falls.

    Causes come round in turn, so that every one is seen equally often, with falls and without. In `still` streams
    nothing ever falls.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), number])
    turn, quiet = (number, 1) if still else divmod(number, QUIET_EVERY[split])
    falls = 0 if quiet == 1 else int(rng.choice([1, 4, 6, 8], p=[0.1, 0.25, 0.3, 0.35]))
    count = (
        int(rng.choice([0, 1, 2], p=[0.15, 0.7, 0.15])) if falls else int(rng.choice([1, 2], p=[0.8, 0.2]))
    )
    first = causes[(turn if quiet < 2 else number) % len(causes)]
    others = [str(cause) for cause in rng.permutation([cause for cause in causes if cause != first])]
    return Settings(
        seed=int(rng.integers(2**31)),
        split=split,
        fps=int(rng.choice([12, 15, 20, 25, 25, 25, 30])),
        seconds=float(rng.choice([6, 9, 12])) if falls else QUIET_S,
        bitrate_mbps=float(np.exp(rng.uniform(np.log(0.7), np.log(7.0)))),
        shaking=None if rng.random() < 0.7 else bool(rng.random() < 0.5),
        falls=falls,
        causes=(first, *others)[:count],
        window="part" if rng.random() < (0.9 if falls else 0.85) else "full",
    )


def tubelets_of(settings: Settings, number: int) -> list[Kept]:
    """Render one stream, watch it, and return what the watcher made of it, labelled."""
    found: list[Tubelet] = []
    stream = Stream(settings) if settings.falls else LoopStream(settings, base_s=BASE_S)
    truths = stream.truths if isinstance(stream, Stream) else []
    watcher = Watcher(None, outlook=stream.outlook, collect=found.append, height=settings.height)
    for frame in stream.frames():
        watcher.feed(frame)
    watcher.finish()
    shaking = float(bool(stream.facts["jitter_px"]))
    kept = []
    for tubelet in found:
        told = label(tubelet.track, truths, settings.causes)
        if told is not None:
            size, contrast = (told[2].size_px, abs(told[2].contrast)) if told[2] else (0.0, 0.0)
            kept.append(Kept(tubelet, told[0], told[1], (float(number), size, contrast, shaking)))
    return kept


def thinned(kept: Sequence[Kept], rng: np.random.Generator) -> list[Kept]:
    """Return all objects and at most `MOST_OF_A_STREAM` of the others: one shower would drown everything else."""
    objects = [each for each in kept if each.label == OBJECT]
    others = [each for each in kept if each.label != OBJECT]
    chosen = rng.permutation(len(others))[:MOST_OF_A_STREAM]
    return objects + [others[which] for which in sorted(chosen.tolist())]


def mined(kept: Sequence[Kept], model: Judge, rng: np.random.Generator) -> list[Kept]:
    """Return the objects, the negatives that the model might take for objects, and a share of the others."""
    chances = model.classify([each.tubelet for each in kept])[:, OBJECT]
    easy = rng.random(len(kept)) < EASY_SHARE
    return [
        each for each, chance, lucky in zip(kept, chances, easy, strict=True)
        if each.label == OBJECT or chance > HARD or lucky
    ]  # fmt: skip


def packed(kept: Sequence[Kept]) -> Tubelets:
    """Return labelled tubelets as the arrays of a shard."""
    if not kept:
        return nothing()
    return Tubelets(
        np.stack([each.tubelet.crops for each in kept]),
        np.stack([each.tubelet.path for each in kept]).astype(np.float32),
        np.array([each.label for each in kept], np.uint8),
        np.array([each.cause for each in kept], "U32"),
        np.array([each.about for each in kept], np.float32),
    )


@dataclass(frozen=True, slots=True)
class Job:
    """One shard to make: streams `first` to `first + count - 1` of a split."""

    path: Path
    seed: int
    split: Split
    first: int
    count: int
    model: Path | None = None
    causes: tuple[str, ...] = ()
    still: bool = False


def make(job: Job) -> Path:
    """Make one shard; runs in a process of its own."""
    cv2.setNumThreads(1)
    names = job.causes or tuple(sorted(CAUSES))
    model = Classifier.load(job.model) if job.model else None
    kept: list[Kept] = []
    for number in range(job.first, job.first + job.count):
        mine = tubelets_of(plan(job.seed, job.split, number, names, still=job.still), number)
        rng = np.random.default_rng([job.seed, number])
        kept += thinned(mined(mine, model, rng) if model else mine, rng)
    save(packed(kept), job.path)
    return job.path


def jobs(
    folder: Path, *, seed: int, split: Split, streams: int, first: int = 0, model: Path | None = None,
    causes: tuple[str, ...] = (), still: bool = False,
) -> list[Job]:  # fmt: skip
    """Return the shards that are still missing, of `streams` streams counted from `first`."""
    starts = range(first, first + streams, STREAMS_PER_SHARD)
    wanted = [
        Job(folder / f"{split}-{seed}-{start:06}.npz", seed, split, start,
            min(STREAMS_PER_SHARD, first + streams - start), model, causes, still)
        for start in starts
    ]  # fmt: skip
    return [job for job in wanted if not job.path.exists()]


def collect(todo: Sequence[Job], processes: int, console: Console, title: str) -> None:
    """Make all missing shards, with a progress bar."""
    for _ in progress(spread(make, todo, processes), title, total=len(todo), console=console):
        pass


def main() -> None:
    """Collect one split into a folder."""
    parser = argparse.ArgumentParser(
        prog="python -m models.train.collect", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="folder of the shards")
    parser.add_argument("--split", choices=SPLITS, default="train")
    parser.add_argument("--streams", type=int, default=400)
    parser.add_argument("--first", type=int, default=0, help="number of the first stream")
    parser.add_argument("--mine", type=Path, metavar="MODEL", help="model folder; keep what it finds hard")
    parser.add_argument("--causes", nargs="*", default=(), help="these negative causes only")
    parser.add_argument("--still", action="store_true", help="only streams in which nothing falls")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    todo = jobs(options.out, seed=options.seed, split=options.split, streams=options.streams,
                first=options.first, model=options.mine, causes=tuple(options.causes), still=options.still)  # fmt: skip
    collect(todo, options.jobs, Console(stderr=True), f"{options.split} streams")


if __name__ == "__main__":
    main()
