"""`python -m models.train --seed 1 --evening`: render, collect, train, mine, train again, export: the whole model.

Each stage leaves its result in the working folder and is skipped when that is already there, and learning goes on
after its last whole epoch: an evening may be broken off and gone on with. The same seed on the same machine gives the
same model. With `--on FOLDER` the model that lies there is taught on, with streams of another seed.
"""

import argparse
import copy
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console

from models.train.collect import Split, collect, jobs
from models.train.export import export
from models.train.net import Net
from models.train.recover import recover
from models.train.shards import ABOUT, OBJECT, claim, load_all
from models.train.train import Recipe, Trained, keep, mean_of, predict, restore, train, validate
from models.train.vouch import threshold

VERSION = "0.7"
STILL = (
    "bird", "leaf", "bird", "drip", "insect.near", "plastic_up", "elevator", "lights", "bird", "laundry", "vehicle",
    "rain.near", "shadow", "snow", "foliage", "person", "curtain", "kite_drone", "gondola", "leaf", "headlights",
)  # fmt: skip
"""Causes that have streets to themselves, in which nothing falls, on top of those that all causes share."""

FIRST_STILL = 10_000  # number of the first such stream
SIZE, CONTRAST = ABOUT.index("size_px"), ABOUT.index("contrast")
HOME = Path(__file__).parents[1] / "falling-object"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything: streams to collect from, rounds of mining, epochs."""

    train: int
    still: int
    validation: int
    mined: int
    rounds: int
    epochs: int
    epochs_between: int


EVENING = Plan(train=1520, still=480, validation=192, mined=480, rounds=1, epochs=75, epochs_between=12)
TAUGHT = Plan(train=504, still=256, validation=96, mined=0, rounds=0, epochs=10, epochs_between=0)
QUICK = Plan(train=16, still=8, validation=8, mined=8, rounds=1, epochs=2, epochs_between=1)


@dataclass(frozen=True, slots=True)
class Evening:
    """One run: where it works, how much it does, and how."""

    folder: Path
    plan: Plan
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
        causes = STILL if still else ()
        todo = jobs(self.folder, seed=self.seed, split=split, streams=streams, first=first, model=model,
                    causes=causes, still=still)  # fmt: skip
        collect(todo, self.processes, self.console, title)

    def learn(self, name: str, recipe: Recipe, *, begun: Net | None = None) -> Trained:
        """Train a new net, or one that has begun, on all shards there are; or take the weights an earlier run left."""
        weights = self.folder / f"{name}.pt"
        validation = load_all(self.folder, "validation-*.npz")
        if weights.exists():
            return validate(restore(weights), validation, recipe.epochs)
        best = train(load_all(self.folder, "train-*.npz"), validation, recipe, self.console, begun=begun,
                     weights=weights)  # fmt: skip
        keep(best, weights, recipe)
        return best

    def recipe(self, epochs: int) -> Recipe:
        """Return how a new net is trained."""
        return Recipe(seed=self.seed, epochs=epochs, threads=self.processes)


def build(evening: Evening, home: Path) -> Trained:
    """Make the model in `home`; return the net with its validation figures."""
    plan, folder = evening.plan, evening.folder
    evening.gather("validation", plan.validation)
    evening.gather("train", plan.still, first=FIRST_STILL, still=True)
    evening.gather("train", plan.train)
    best = evening.learn("round-0", evening.recipe(plan.epochs_between if plan.rounds else plan.epochs))
    for number in range(plan.rounds):
        model = folder / f"round-{number}"
        publish(best, model, folder, seed=evening.seed, version=f"0.{number}")
        evening.gather("train", plan.mined, first=plan.train + number * plan.mined, model=model)
        last = number + 1 == plan.rounds
        recipe = evening.recipe(plan.epochs if last else plan.epochs_between)
        best = evening.learn(f"round-{number + 1}", recipe)
    publish(best, home, folder, seed=evening.seed, version=VERSION)
    return best


def teach(evening: Evening, home: Path, *, on: Path) -> Trained:
    """Teach the model in `on` further, on streams it has not seen; return the net as `build` does.

    What is kept is the mean of the weights before and after: it forgets less, and is right more often on streets
    unlike any of these.
    """
    plan, folder = evening.plan, evening.folder
    evening.gather("validation", plan.validation)
    evening.gather("train", plan.still, first=FIRST_STILL, still=True)
    evening.gather("train", plan.train)
    before = recover(on / "model.onnx", load_all(folder, "train-*.npz"))
    recipe = replace(evening.recipe(plan.epochs), rate=1e-3)
    after = evening.learn("taught", recipe, begun=copy.deepcopy(before)).net
    best = validate(mean_of([before, after]), load_all(folder, "validation-*.npz"), recipe.epochs)
    version = tomllib.loads((on / "model.toml").read_text(encoding="utf-8"))["version"]
    publish(best, home, folder, seed=evening.seed, version=VERSION, on=f" --on {version}")
    return best


def publish(best: Trained, home: Path, folder: Path, *, seed: int, version: str, on: str = "") -> None:
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
    by = f"python -m models.train --seed {seed}{on}"
    export(best.net, home, cut=cut, seed=seed, version=version, figures=figures, by=by)


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
        help="teach the model in FOLDER on, with new streams (take another --seed): an hour on two cores",
    )  # fmt: skip
    parser.add_argument(
        "--work", type=Path, help="working folder; build/falling-object, -quick or -on-SEED behind it"
    )
    parser.add_argument(
        "--out", type=Path, help="model folder; models/falling-object, with --quick WORK/model"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    options = parser.parse_args()
    variant = "-quick" if options.quick else f"-on-{options.seed}" if options.on else ""
    work = options.work or Path(f"build/falling-object{variant}")
    try:
        claim(work, f"--seed {options.seed}{variant}")
    except ValueError as error:
        parser.error(str(error))
    home = options.out or (work / "model" if options.quick else HOME)
    torch.use_deterministic_algorithms(True, warn_only=torch.cuda.is_available())
    console = Console(stderr=True)
    plan = QUICK if options.quick else TAUGHT if options.on else EVENING
    evening = Evening(work, plan, options.seed, options.jobs, console)
    best = teach(evening, home, on=options.on) if options.on else build(evening, home)
    console.print(f"{home}: validation recall {', '.join(f'{100 * share:.1f} %' for share in best.recall)}")


if __name__ == "__main__":
    main()
