"""Learn to tell what fell from what merely moved: AdamW on labelled tubelets, the same weights for the same seed.

The loss counts objects and others alike however many there are of each, and hard tracks more than easy ones
(focal). A running mean of the weights is what is kept; after every epoch it is tried on the validation split, and
the best epoch wins. Training stops when that has not improved for some epochs.
"""

import argparse
import contextlib
import copy
import ctypes
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from torch import Tensor
from torch.nn import functional

from models.train.augment import augment, elsewhere, rescale
from models.train.halfway import Halfway
from models.train.net import Net, parameters
from models.train.shards import ANY_NEGATIVE, OBJECT, Tubelets, census, load_all

CPU = torch.device("cpu")
FALSE_RATES = (0.0003, 0.001, 0.003, 0.01)
"""Shares of negative tracks let through at which validation reads the share of objects found."""

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # from malloc.h


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. `patience` counts epochs without a better validation; `averaging` is the running mean's memory.

    `elsewhere` is the share of tubelets that are laid before the background of another, `scale` how far lengths are
    made longer or shorter, as a natural logarithm. A small net learns long: after 15 epochs it is far from done.
    """

    seed: int = 1
    epochs: int = 75
    batch: int = 1024
    rate: float = 3e-3
    decay: float = 0.05
    focus: float = 1.0
    smoothing: float = 0.02
    averaging: float = 0.9995
    patience: int = 30
    threads: int = 2
    elsewhere: float = 0.3
    scale: float = 0.3


@dataclass(frozen=True, slots=True)
class Trained:
    """The best weights and how they did on the validation split; `recall` is by `FALSE_RATES`, `score` their mean."""

    net: Net
    epoch: int
    score: float
    recall: tuple[float, ...]
    accuracy: float


def inputs(
    tubelets: Tubelets, which: NDArray[np.int64], on: torch.device = CPU
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the crops (n, CROPS, CHANNELS, SIDE, SIDE) in -0.5..0.5, the paths and the labels of some tubelets."""
    crops, paths, labels = (
        torch.from_numpy(values[which]).to(on) for values in (tubelets.crops, tubelets.paths, tubelets.labels)
    )
    return crops.float() / 255.0 - 0.5, paths, labels.long()


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
    answers = [np.zeros((0, 5), np.float32)]
    with torch.no_grad():
        for start in range(0, len(tubelets), batch):
            which = np.arange(start, min(start + batch, len(tubelets)))
            crops, paths, _ = inputs(tubelets, which, net.middle.device)
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


def run_epoch(net: Net, mean: Net, optimizer: torch.optim.Optimizer, data: Tubelets, recipe: Recipe, *,
              step: torch.optim.lr_scheduler.LRScheduler, epoch: int, console: Console) -> float:  # fmt: skip
    """Train once over all tubelets, `mean` following `net`; return the mean loss."""
    rng = np.random.default_rng([recipe.seed, epoch])
    on = net.middle.device
    dice = torch.Generator(on).manual_seed(recipe.seed * 1000 + epoch)
    weights = torch.from_numpy(balance(data.labels)).to(on)
    losses = []
    net.train()
    order = list(batches(len(data), recipe.batch, rng))
    taken = epoch * len(order)
    for which in track(order, f"epoch {epoch + 1}", console=console, transient=True):
        crops, paths, labels = inputs(data, which, on)
        with on:
            crops, paths = elsewhere(crops, recipe.elsewhere, dice), rescale(paths, recipe.scale, dice)
            crops, paths = augment(crops, paths, net.middle, dice=dice)
        error = loss(net(crops.flatten(1, 2), paths), labels, weights[which], recipe)
        optimizer.zero_grad()
        error.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimizer.step()
        step.step()
        taken += 1
        follow(mean, net, min(recipe.averaging, (1 + taken) / (10 + taken)))
        losses.append(error.item())
    return float(np.mean(losses))


def follow(mean: Net, net: Net, memory: float) -> None:
    """Move the running mean of the weights towards the weights of now."""
    with torch.no_grad():
        for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
            if slow.is_floating_point():
                slow.lerp_(fast, 1 - memory)


def mean_of(nets: Sequence[Net]) -> Net:
    """Return the net whose weights are the mean of those of nets that began alike."""
    mean = copy.deepcopy(nets[0]).eval()
    states = [net.state_dict() for net in nets]
    with torch.no_grad():
        for name, value in mean.state_dict().items():
            if value.is_floating_point():
                value.copy_(torch.stack([state[name].double() for state in states]).mean(0))
    return mean


def keep_memory() -> None:
    """Have freed memory kept for the next batch, which asks for the same: three times as fast, and the same sums.

    glibc gives large pieces back at once, and the kernel clears them anew each time. Elsewhere nothing is done.
    Source: mallopt(3).
    """
    with contextlib.suppress(OSError, AttributeError):
        tune = ctypes.CDLL("libc.so.6").mallopt
        tune(M_TRIM_THRESHOLD, -1)
        tune(M_MMAP_MAX, 0)


def train(
    data: Tubelets, validation: Tubelets, recipe: Recipe, console: Console, *, begun: Net | None = None,
    weights: Path | None = None,
) -> Trained:  # fmt: skip
    """Return the best of up to `recipe.epochs` epochs, of a new net or of one that has begun.

    `weights` is the file it is meant for: beside it is kept, after each epoch, what it takes to go on where this is
    broken off. Raises ValueError when there is nothing to learn from.
    """
    if not (data.labels == OBJECT).any() or not (data.labels != OBJECT).any():
        raise ValueError("training needs falling objects and others; collect more streams")
    keep_memory()
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    net = begun or Net()
    if begun is None:
        net.learn_scale(torch.from_numpy(data.paths))
    net.to(torch.device("cuda") if torch.cuda.is_available() else CPU)
    net.encoder.to(memory_format=torch.channels_last)  # a third faster, and the same sums
    mean = copy.deepcopy(net)
    optimizer = torch.optim.AdamW(net.parameters(), recipe.rate, weight_decay=recipe.decay)
    steps = recipe.epochs * -(-len(data) // recipe.batch) + 1
    step = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.rate, steps, pct_start=0.1)
    console.print(
        f"{parameters(net)} parameters, training on {census(data)}, validating on {census(validation)}"
    )
    halfway = Halfway(weights, f"{asdict(recipe)} on {census(data)}", (net, mean, optimizer, step))
    best: Trained | None = None
    first = 0
    if (before := halfway.resume()) is not None:
        first, best = before[0] + 1, _again(mean, **before[1])
        console.print(f"going on after epoch {first}")
    for epoch in range(first, recipe.epochs):
        began = time.monotonic()
        error = run_epoch(net, mean, optimizer, data, recipe, step=step, epoch=epoch, console=console)
        now = validate(copy.deepcopy(mean), validation, epoch)
        recall = " ".join(f"{100 * value:5.1f}" for value in now.recall)
        console.print(f"epoch {epoch + 1:2}: loss {error:.4f}, validation recall {recall} %, "
                      f"classes {100 * now.accuracy:.1f} %, {time.monotonic() - began:.0f} s")  # fmt: skip
        best = now if best is None or now.score > best.score else best
        figures = {name: getattr(best, name) for name in ("epoch", "score", "recall", "accuracy")}
        halfway.save(epoch, {**figures, "weights": best.net.state_dict()})
        if epoch - best.epoch >= recipe.patience:
            break
    assert best is not None
    best.net.to(CPU)
    return best


def _again(net: Net, weights: dict[str, Tensor], **figures: Any) -> Trained:
    """Return what an earlier run had tried, in a copy of a net."""
    tried = copy.deepcopy(net)
    tried.load_state_dict(weights)
    return Trained(tried.eval(), **figures)


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
    out = options.out or options.folder / "net.pt"
    best = train(
        data, load_all(options.folder, "validation-*.npz"), recipe, Console(stderr=True), weights=out
    )
    keep(best, out, recipe)


def keep(best: Trained, path: Path, recipe: Recipe) -> None:
    """Write the weights, and the figures beside them as JSON; forget how they came about."""
    torch.save(best.net.state_dict(), path)
    Halfway(path, "", ()).done()
    figures = {
        "epoch": best.epoch + 1,
        "score": best.score,
        "accuracy": best.accuracy,
        "recall": dict(zip(map(str, FALSE_RATES), best.recall, strict=True)),
        "recipe": asdict(recipe),
    }
    path.with_suffix(".json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def restore(path: Path) -> Net:
    """Return the net whose weights are in a file."""
    net = Net()
    net.load_state_dict(torch.load(path, weights_only=True))
    return net.eval()


if __name__ == "__main__":
    main()
