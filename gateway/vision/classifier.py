"""The network that tells a falling object from all else: loads a model folder, checks it, asks it.

onnxruntime phones home from 1.29 on unless told not to before it is imported, so that is the first thing here.
"""

import hashlib
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from gateway.vision.homes import HOMES, MODEL
from gateway.vision.tubelet import (
    CHANNELS,
    CLASSES,
    CROPS,
    PATH_FEATURES,
    SIDE,
    STEPS,
    Floats,
    Tubelet,
    stack,
)

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import onnxruntime  # only now: see above

MOST_BYTES = 300_000

CROPS_SHAPE, PATH_SHAPE = (CROPS * CHANNELS, SIDE, SIDE), (PATH_FEATURES, STEPS)
BATCH = 32


class ModelError(Exception):
    """A model folder can't be used: `where` is the file, `found` what is wrong, `hint` how to mend it."""

    def __init__(self, where: str, found: str, hint: str) -> None:
        super().__init__(f"{where}: {found}; {hint}")
        self.where, self.found, self.hint = where, found, hint


class Card(msgspec.Struct, frozen=True):
    """The fields of model.toml that the watcher needs."""

    name: str
    version: str
    sha256: str
    opset: int
    threshold: float
    classes: tuple[str, ...]
    inputs: dict[str, tuple[int, ...]]


class Classifier:
    """A loaded model. `card.threshold` is the probability of `object` from which a track is a fall."""

    def __init__(self, card: Card, session: Any) -> None:
        self.card, self._session = card, session

    @classmethod
    def default(cls) -> "Classifier":
        """Load the model that came with the gateway; ModelError when it is not there."""
        for home in HOMES:
            if (home / MODEL / "model.toml").exists():
                return cls.load(home / MODEL)
        raise ModelError(str(HOMES[0] / MODEL), "no model", "install the package again")

    @classmethod
    def load(cls, folder: Path) -> "Classifier":
        """Load a folder with model.onnx and model.toml; ModelError unless it is what its card says."""
        card = _card(folder / "model.toml")
        path = folder / "model.onnx"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ModelError(str(path), str(error.strerror), "install the package again") from error
        found = hashlib.sha256(data).hexdigest()
        if found != card.sha256:
            raise ModelError(
                str(path), f"sha256 {found[:12]}…, not {card.sha256[:12]}…", "copy both files again"
            )
        if len(data) > MOST_BYTES:
            raise ModelError(str(path), f"{len(data)} bytes", f"a model has at most {MOST_BYTES}")
        _check_shapes(card, folder / "model.toml")
        return cls(card, _session(data, path))

    def classify(self, tubelets: Sequence[Tubelet]) -> Floats:
        """Return (n, classes) probabilities, in the order of `tubelet.CLASSES`."""
        if not tubelets:
            return np.zeros((0, len(CLASSES)), np.float32)
        parts = [tubelets[start : start + BATCH] for start in range(0, len(tubelets), BATCH)]
        return np.concatenate([self._ask(part) for part in parts])

    def _ask(self, tubelets: Sequence[Tubelet]) -> Floats:
        crops, path = stack(tubelets)
        (answer,) = self._session.run(["probabilities"], {"crops": crops, "path": path})
        return np.asarray(answer, np.float32)


def _card(path: Path) -> Card:
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Card)
    except OSError as error:
        raise ModelError(str(path), str(error.strerror), "install the package again") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ModelError(str(path), str(error), "copy the file again") from error


def _check_shapes(card: Card, path: Path) -> None:
    wanted = {"crops": CROPS_SHAPE, "path": PATH_SHAPE}
    for name, shape in wanted.items():
        if card.inputs.get(name) != shape:
            raise ModelError(
                str(path), f"input {name} is {card.inputs.get(name)}", f"this release asks {shape}"
            )
    if card.classes != CLASSES:
        raise ModelError(str(path), f"classes {card.classes}", f"this release knows {CLASSES}")


def _session(data: bytes, path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_mem_pattern = options.enable_cpu_mem_arena = (
        False  # a watcher asks seldom and lives for years
    )
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises classes of its own without a common base
        raise ModelError(str(path), str(error).splitlines()[0], "copy the file again") from error
