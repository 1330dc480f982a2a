"""Learn to tell what fell from what merely moved: AdamW on labelled tubelets, the same weights for the same seed.

The loss counts objects and others alike however many there are of each, and hard tracks more than easy ones
(focal). A running mean of the weights is what is kept; after every epoch it is tried on the validation split, and
the best epoch wins. Training stops when that has not improved for some epochs.

What the gateway carries must be small, so it has teachers: wider nets, trained alike, whose mean opinion of every
tubelet it learns beside the label (distillation, Hinton 2015). A graphics card only makes all this faster.
"""

import argparse
import copy
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from gateway.vision.tubelet import CLASSES
from models.train.augment import augment
from models.train.net import Net, parameters
from models.train.shards import ANY_NEGATIVE, OBJECT, Tubelets, census, load_all

FALSE_RATES = (0.0003, 0.001, 0.003, 0.01)
"""Shares of negative tracks let through at which validation reads the share of objects found."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. `patience` counts epochs without a better validation; `averaging` is the running mean's memory.

    `width` is the net's, `lesson` the share of the loss that the teachers' opinion has.
    """

    seed: int = 1
    width: float = 1.0
    lesson: float = 0.6
    epochs: int = 30
    batch: int = 512
    rate: float = 2e-3
    decay: float = 0.02
    focus: float = 1.0
    smoothing: float = 0.02
    averaging: float = 0.998
    patience: int = 15
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Trained:
    """The best weights and how they did on the validation split; `recall` is by `FALSE_RATES`, `score` their mean."""

    net: Net
    epoch: int
    score: float
    recall: tuple[float, ...]
    accuracy: float


@dataclass(frozen=True, slots=True)
class Lessons:
    """All tubelets of a training on its device, pictures still bytes; `weights` say how much each counts."""

    crops: Tensor
    paths: Tensor
    labels: Tensor
    weights: Tensor

    @classmethod
    def of(cls, tubelets: Tubelets, device: torch.device) -> "Lessons":
        """Take over what shards held."""
        return cls(
            torch.from_numpy(tubelets.crops).to(device),
            torch.from_numpy(tubelets.paths).to(device),
            torch.from_numpy(tubelets.labels).long().to(device),
            torch.from_numpy(balance(tubelets.labels)).to(device),
        )


def best_device() -> torch.device:
    """Return the graphics card, if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def inputs(crops: Tensor) -> Tensor:
    """Return pictures (n, CROPS, CHANNELS, SIDE, SIDE) of bytes as the net wants them: -0.5..0.5."""
    return crops.float() / 255.0 - 0.5


def loss(scores: Tensor, labels: Tensor, weights: Tensor, recipe: Recipe) -> Tensor:
    """Return the weighted focal loss; of ANY_NEGATIVE only not being an object is asked."""
    logs = functional.log_softmax(scores, 1)
    known = labels != ANY_NEGATIVE
    named = functional.nll_loss(logs, torch.where(known, labels, 1), reduction="none")
    smoothed = (1 - recipe.smoothing) * named - recipe.smoothing * logs.mean(1)
    not_object = torch.logsumexp(logs[:, 1:], 1)
    each = torch.where(known, smoothed, -not_object)
    right = torch.where(labels == OBJECT, logs[:, OBJECT], not_object).exp()
    return (each * weights * (1 - right + 0.1) ** recipe.focus).sum() / weights.sum()


def balance(labels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a weight per tubelet so that objects count as much as all others, and rare causes not much less.

    Classes weigh by the square root of their number: twice the birds matter more, but not twice.
    """
    weights = np.zeros(len(labels), np.float32)
    for label in np.unique(labels):
        mine = labels == label
        weights[mine] = 1.0 / np.sqrt(mine.sum())
    objects = labels == OBJECT
    for half in (objects, ~objects):
        if half.any():
            weights[half] /= weights[half].sum()
    return weights * len(labels) / max(weights.sum(), 1e-9)


def batches(n: int, size: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield all indices in random order, `size` at a time; a last batch of one is left out (batch norm needs two)."""
    order = rng.permutation(n)
    return (order[i : i + size] for i in range(0, n, size) if len(order[i : i + size]) > 1)


def predict(net: Net, tubelets: Tubelets, *, batch: int = 512) -> NDArray[np.float32]:
    """Return the probabilities (n, classes) a net gives to tubelets."""
    net.eval()
    answers = [np.zeros((0, len(CLASSES)), np.float32)]
    with torch.no_grad():
        for start in range(0, len(tubelets), batch):
            part = slice(start, start + batch)
            crops = inputs(torch.from_numpy(tubelets.crops[part]).to(net.scale.device))
            paths = torch.from_numpy(tubelets.paths[part]).to(net.scale.device)
            answers.append(net.probabilities(crops.flatten(1, 2), paths).cpu().numpy())
    return np.concatenate(answers)


def recall_at(objects: NDArray[np.float32], others: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the share of objects above the score that lets each of `FALSE_RATES` of the others through."""
    if not len(objects) or not len(others):
        return tuple(0.0 for _ in FALSE_RATES)
    return tuple(float((objects > np.quantile(others, 1 - rate)).mean()) for rate in FALSE_RATES)


def validate(net: Net, tubelets: Tubelets, epoch: int) -> Trained:
    """Return a net with what it does on the validation split."""
    told = predict(net, tubelets)
    objects = tubelets.labels == OBJECT
    recall = recall_at(told[objects, OBJECT], told[~objects, OBJECT])
    named = tubelets.labels != ANY_NEGATIVE
    accuracy = float((told[named].argmax(1) == tubelets.labels[named]).mean()) if named.any() else 0.0
    return Trained(net, epoch, float(np.mean(recall)), recall, accuracy)


def run_epoch(net: Net, mean: Net, optimizer: torch.optim.Optimizer, data: Lessons, recipe: Recipe, *,
              teachers: Sequence[Net], step: torch.optim.lr_scheduler.LRScheduler, epoch: int) -> float:  # fmt: skip
    """Train once over all tubelets, `mean` following `net`; return the mean loss."""
    rng = np.random.default_rng([recipe.seed, epoch])
    dice = torch.Generator(data.crops.device).manual_seed(recipe.seed * 1000 + epoch)
    losses = []
    net.train()
    order = list(batches(len(data.labels), recipe.batch, rng))
    taken = epoch * len(order)
    for chosen in order:
        which = torch.from_numpy(chosen).to(data.crops.device)
        crops, paths = augment(inputs(data.crops[which]), data.paths[which], net.middle, dice=dice)
        scores = net(crops.flatten(1, 2), paths)
        error = loss(scores, data.labels[which], data.weights[which], recipe)
        if teachers:
            error = (1 - recipe.lesson) * error + recipe.lesson * lesson(
                scores, opinion(teachers, crops, paths), data.weights[which]
            )
        optimizer.zero_grad()
        error.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimizer.step()
        step.step()
        taken += 1
        follow(mean, net, min(recipe.averaging, (1 + taken) / (10 + taken)))
        losses.append(error.detach())
    return float(torch.stack(losses).mean())


def opinion(teachers: Sequence[Net], crops: Tensor, paths: Tensor) -> Tensor:
    """Return what several nets think of tubelets, on average."""
    with torch.no_grad():
        return torch.stack([each.probabilities(crops.flatten(1, 2), paths) for each in teachers]).mean(0)


def lesson(scores: Tensor, told: Tensor, weights: Tensor) -> Tensor:
    """Return how far off the teachers' opinion a net is."""
    each = -(told * functional.log_softmax(scores, 1)).sum(1)
    return (each * weights).sum() / weights.sum()


def follow(mean: Net, net: Net, memory: float) -> None:
    """Move the running mean of the weights towards the weights of now."""
    with torch.no_grad():
        for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if slow.is_floating_point():
                slow.lerp_(fast, 1 - memory)


def train(
    data: Tubelets, validation: Tubelets, recipe: Recipe, console: Console, *, teachers: Sequence[Net] = ()
) -> Trained:
    """Return the best of up to `recipe.epochs` epochs; raise ValueError when there is nothing to learn from."""
    if not (data.labels == OBJECT).any() or not (data.labels != OBJECT).any():
        raise ValueError("training needs falling objects and others; collect more streams")
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    device = best_device()
    net = Net(recipe.width)
    net.learn_scale(torch.from_numpy(data.paths))
    net.to(device).encoder.to(memory_format=torch.channels_last)  # a third faster, and the same sums
    mean, tutors = copy.deepcopy(net), [each.to(device).eval() for each in teachers]
    optimizer = torch.optim.AdamW(net.parameters(), recipe.rate, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(data) // recipe.batch) + 1
    step = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, steps, pct_start=0.1)
    console.print(
        f"{parameters(net)} parameters, training on {census(data)}, validating on {census(validation)}"
    )
    lessons = Lessons.of(data, device)
    best: Trained | None = None
    for epoch in range(recipe.epochs):
        began = time.monotonic()
        error = run_epoch(net, mean, optimizer, lessons, recipe, teachers=tutors, step=step, epoch=epoch)
        now = validate(copy.deepcopy(mean), validation, epoch)
        recall = " ".join(f"{100 * value:5.1f}" for value in now.recall)
        console.print(f"epoch {epoch + 1:2}: loss {error:.4f}, validation recall {recall} %, "
                      f"classes {100 * now.accuracy:.1f} %, {time.monotonic() - began:.0f} s")  # fmt: skip
        best = now if best is None or now.score > best.score else best
        if epoch - best.epoch >= recipe.patience:
            break
    assert best is not None
    best.net.cpu()
    return best


def main() -> None:
    """Train on a folder of shards; write weights and figures into it."""
    parser = argparse.ArgumentParser(prog="python -m models.train.train", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where collect.py put its shards")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=Recipe(seed=1).epochs)
    parser.add_argument("--out", type=Path, help="weights file; FOLDER/net.pt by default")
    options = parser.parse_args()
    recipe = Recipe(seed=options.seed, epochs=options.epochs)
    data = load_all(options.folder, "train-*.npz")
    best = train(data, load_all(options.folder, "validation-*.npz"), recipe, Console(stderr=True))
    keep(best, options.out or options.folder / "net.pt", recipe)


def keep(best: Trained, path: Path, recipe: Recipe) -> None:
    """Write the weights, and the figures beside them as JSON."""
    torch.save(best.net.state_dict(), path)
    figures = {
        "epoch": best.epoch + 1,
        "score": best.score,
        "accuracy": best.accuracy,
        "recall": dict(zip(map(str, FALSE_RATES), best.recall, strict=True)),
        "recipe": asdict(recipe),
    }
    path.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def restore(path: Path, width: float = 1.0) -> Net:
    """Return the net whose weights are in a file."""
    net = Net(width)
    net.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    return net.eval()


if __name__ == "__main__":
    main()
