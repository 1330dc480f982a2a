"""Labelled tubelets on disk and in memory: .npz shards of bytes, as the watcher made them.

Pictures stay uint8 all the way (20 kB a tubelet), so that sixty thousand fit into the memory of a small machine.
A shard is written beside its place and moved there, so that what exists is whole and a broken run goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.vision.tubelet import CHANNELS, CLASSES, CROPS, PATH_FEATURES, SIDE, STEPS

OBJECT = 0
ANY_NEGATIVE = 9
"""A label beside the classes: no falling object, but which of several causes made it is not known."""

ABOUT = ("stream", "size_px", "contrast", "shaking")


@dataclass(frozen=True, slots=True)
class Tubelets:
    """Many labelled tubelets: `crops` (n, CROPS, CHANNELS, SIDE, SIDE), `paths` (n, PATH_FEATURES, STEPS).

    `labels` (n,) are indices of CLASSES or ANY_NEGATIVE, `causes` (n,) names, `about` (n, 4) numbers as `ABOUT` says.
    """

    crops: NDArray[np.uint8]
    paths: NDArray[np.float32]
    labels: NDArray[np.uint8]
    causes: NDArray[np.str_]
    about: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> "Tubelets":
        """Return those that a mask or an index names."""
        return Tubelets(
            self.crops[which], self.paths[which], self.labels[which], self.causes[which], self.about[which]
        )


def nothing() -> Tubelets:
    """Return no tubelets."""
    return Tubelets(
        np.zeros((0, CROPS, CHANNELS, SIDE, SIDE), np.uint8), np.zeros((0, PATH_FEATURES, STEPS), np.float32),
        np.zeros(0, np.uint8), np.zeros(0, "U32"), np.zeros((0, len(ABOUT)), np.float32),
    )  # fmt: skip


def joined(parts: Sequence[Tubelets]) -> Tubelets:
    """Return all tubelets of several sets."""
    parts = [nothing(), *parts]
    return Tubelets(
        np.concatenate([each.crops for each in parts]), np.concatenate([each.paths for each in parts]),
        np.concatenate([each.labels for each in parts]), np.concatenate([each.causes for each in parts]),
        np.concatenate([each.about for each in parts]),
    )  # fmt: skip


def save(tubelets: Tubelets, path: Path) -> None:
    """Write a shard, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    with draft.open("wb") as file:
        np.savez_compressed(
            file, crops=tubelets.crops, paths=tubelets.paths, labels=tubelets.labels, causes=tubelets.causes,
            about=tubelets.about,
        )  # fmt: skip
    draft.replace(path)


def load(path: Path) -> Tubelets:
    """Read a shard."""
    with np.load(path, allow_pickle=False) as file:
        return Tubelets(file["crops"], file["paths"], file["labels"], file["causes"], file["about"])


def load_all(folder: Path, pattern: str) -> Tubelets:
    """Read all shards of a folder whose names fit the pattern, in order of name."""
    return joined([load(path) for path in sorted(folder.glob(pattern))])


def census(tubelets: Tubelets) -> dict[str, int]:
    """Count the tubelets of every class."""
    names = {**dict(enumerate(CLASSES)), ANY_NEGATIVE: "any_negative"}
    return {name: int((tubelets.labels == number).sum()) for number, name in names.items()}


def claim(folder: Path, made: str) -> None:
    """Give a working folder to one making, `made` in words; raise ValueError where it is another's.

    What lies there is taken as it is, so shards and weights of another seed or size would be passed off as these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "made-as.txt"
    if note.exists() and (before := note.read_text(encoding="utf-8")) != made:
        raise ValueError(f"{folder} is of `{before}`, not of `{made}`: take another --work, or remove it")
    note.write_text(made, encoding="utf-8")
