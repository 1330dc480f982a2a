"""`python -m models.train --seed 1 --evening`: render, collect, train, mine, train again, export: the whole model.

Each stage leaves its result in the working folder and is skipped when that is already there, so an evening may be
broken off and gone on with. The same seed on the same machine gives the same model.
"""

import argparse
import copy
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from models.train.collect import Split, collect, jobs
from models.train.export import export
from models.train.net import Net
from models.train.recover import recover
from models.train.shards import ABOUT, OBJECT, load_all
from models.train.train import Recipe, Trained, keep, mean_of, predict, restore, train, validate
from models.train.vouch import threshold

VERSION = "0.5"
HARDEST = ("bird", "leaf", "bird", "drip", "insect.near", "plastic_up")
"""What looks most like a fall: streets of these alone, in which nothing falls, come on top; birds twice as often."""

FIRST_STILL = 10_000  # number of the first such stream
SIZE, CONTRAST = ABOUT.index("size_px"), ABOUT.index("contrast")
HOME = Path(__file__).parents[1] / "falling-object"


@dataclass(frozen=True, slots=True)
class Streams:
    """How many streams to collect from, with falls among them and without."""

    train: int
    still: int
    validation: int
    still_validation: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything: streams, those to mine in each round, rounds of mining, epochs."""

    streams: Streams
    mined: int
    rounds: int
    epochs: int
    epochs_between: int


@dataclass(frozen=True, slots=True)
class Lesson:
    """One way to teach a model on."""

    epochs: int
    rate: float


EVENING = Plan(Streams(520, 128, 128, 32), mined=320, rounds=1, epochs=60, epochs_between=12)
QUICK = Plan(Streams(16, 8, 8, 8), mined=8, rounds=1, epochs=2, epochs_between=1)
TEACHING, LESSONS = Streams(784, 384, 96, 32), (Lesson(20, 1e-3), Lesson(24, 1.5e-3))
QUICK_LESSONS = (Lesson(1, 1e-3), Lesson(1, 1.5e-3))


@dataclass(frozen=True, slots=True)
class Evening:
    """One run: where it works, and how."""

    folder: Path
    seed: int
    processes: int
    console: Console

    def gather(
        self, split: Split, streams: int, *, first: int = 0, model: Path | None = None, still: bool = False
    ) -> None:
        """Collect a split, its `still` streams, or hard negatives when there is a model already."""
        title = f"{split} streams" + (
            " in which nothing falls" if still else " for hard negatives" if model else ""
        )
        causes = HARDEST if still else ()
        todo = jobs(self.folder, seed=self.seed, split=split, streams=streams, first=first, model=model,
                    causes=causes, still=still)  # fmt: skip
        collect(todo, self.processes, self.console, title)

    def gather_all(self, streams: Streams, *, model: Path | None = None) -> None:
        """Collect both splits; with a model only what is hard for it of what is learned from."""
        self.gather("validation", streams.validation)
        self.gather("validation", streams.still_validation, first=FIRST_STILL, still=True)
        self.gather("train", streams.still, first=FIRST_STILL, model=model, still=True)
        self.gather("train", streams.train, model=model)

    def learn(self, name: str, recipe: Recipe, *, begun: Net | None = None) -> Trained:
        """Train a new net, or one that has begun, on all shards there are; or take the weights of an earlier run."""
        weights = self.folder / f"{name}.pt"
        validation = load_all(self.folder, "validation-*.npz")
        if weights.exists():
            return validate(restore(weights), validation, recipe.epochs)
        best = train(load_all(self.folder, "train-*.npz"), validation, recipe, self.console, begun=begun)
        keep(best, weights, recipe)
        return best


def build(evening: Evening, plan: Plan, home: Path) -> Trained:
    """Make the model in `home`; return the net with its validation figures."""
    folder, seed, threads = evening.folder, evening.seed, evening.processes
    short, whole = (
        Recipe(seed=seed, epochs=count, threads=threads) for count in (plan.epochs_between, plan.epochs)
    )
    evening.gather_all(plan.streams)
    best = evening.learn("round-0", short if plan.rounds else whole)
    for number in range(plan.rounds):
        model = folder / f"round-{number}"
        publish(best, model, folder, seed=seed, version=f"0.{number}")
        evening.gather("train", plan.mined, first=plan.streams.train + number * plan.mined, model=model)
        best = evening.learn(f"round-{number + 1}", whole if number + 1 == plan.rounds else short)
    publish(best, home, folder, seed=seed, version=VERSION)
    return best


def teach(evening: Evening, streams: Streams, lessons: Sequence[Lesson], home: Path, *, on: Path) -> Trained:
    """Teach the model in `on` further, on what it finds hard in new streams; return the net as `build` does.

    Every lesson begins where it stood. The mean of the weights of all, and of those it had, is what is kept: it
    forgets less and is right more often on streets unlike any of these than each of them.
    """
    evening.gather_all(streams, model=on)
    before = recover(on / "model.onnx", load_all(evening.folder, "train-*.npz"))
    nets = [before]
    for number, lesson in enumerate(lessons):
        recipe = Recipe(seed=evening.seed - 1 + number, epochs=lesson.epochs, rate=lesson.rate,
                        threads=evening.processes)  # fmt: skip
        nets.append(evening.learn(f"taught-{number}", recipe, begun=copy.deepcopy(before)).net)
    best = validate(mean_of(nets), load_all(evening.folder, "validation-*.npz"), 0)
    publish(best, home, evening.folder, seed=evening.seed, version=VERSION, on=on)
    return best


def publish(
    best: Trained, home: Path, folder: Path, *, seed: int, version: str, on: Path | None = None
) -> None:
    """Export a net with the threshold that the validation split gives it."""
    validation = load_all(folder, "validation-*.npz")
    chances = predict(best.net, validation)[:, OBJECT]
    others = validation.labels != OBJECT
    worth = (validation.about[:, SIZE] >= 2.5) & (validation.about[:, CONTRAST] >= 12) & ~others
    cut = threshold(chances[worth], chances[others])
    figures = {
        "validation_objects": int(worth.sum()),
        "validation_others": int(others.sum()),
        "validation_recall": float((chances[worth] >= cut).mean()) if worth.any() else 0.0,
        "validation_passing": float((chances[others] >= cut).mean()) if others.any() else 0.0,
    }
    by = f"python -m models.train --seed {seed}" + (f" --on {version_of(on)}" if on else "")
    export(best.net, home, cut=cut, seed=seed, version=version, figures=figures, by=by)


def version_of(folder: Path) -> str:
    """Return the version of the model in a folder."""
    return str(tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))["version"])


def main() -> None:
    """Build the model with one command."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--evening", action="store_true", help="the model that is shipped; hours on two cores (default)"
    )
    size.add_argument("--quick", action="store_true", help="a few minutes, to see that everything works")
    parser.add_argument(
        "--on", type=Path, metavar="FOLDER",
        help="teach the model in FOLDER on, with new streams (take another --seed): an hour and a half on two cores",
    )  # fmt: skip
    parser.add_argument("--work", type=Path, default=Path("build/falling-object"), help="working folder")
    parser.add_argument(
        "--out", type=Path, help="model folder; models/falling-object, with --quick WORK/model"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args()
    home = options.out or (options.work / "model" if options.quick else HOME)
    torch.use_deterministic_algorithms(True)
    console = Console(stderr=True)
    evening = Evening(options.work, options.seed, options.jobs, console)
    if options.on:
        streams, lessons = (QUICK.streams, QUICK_LESSONS) if options.quick else (TEACHING, LESSONS)
        best = teach(evening, streams, lessons, home, on=options.on)
    else:
        best = build(evening, QUICK if options.quick else EVENING, home)
    console.print(f"{home}: validation recall {', '.join(f'{100 * share:.1f} %' for share in best.recall)}")


if __name__ == "__main__":
    main()
