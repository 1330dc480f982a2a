"""What vouches for a model file: where its threshold comes from, and model.toml. Needs no torch.

model.toml carries, beside digest and shapes, what torch said about some random tubelets when the file was written:
anybody can ask his own runtime the same (`probe`) and see that it is the same net.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.vision.tubelet import CHANNELS, CLASSES, CROPS, PATH_FEATURES, SIDE, STEPS

OPSET = 17
NAME = "falling-object"
PROBE_SEED, PROBES = 7, 4
PASSING = 0.004
"""Share of the validation split's negative tracks that may pass, all of streets in which something moves all the time.

A day without a false alarm would ask for 0.0005 or less, and with that the present net finds two falls in three.
"""

SPARED, COMFORTABLE = 0.01, 0.9

Floats = NDArray[np.float32]


def probe(count: int = PROBES, seed: int = PROBE_SEED) -> dict[str, Floats]:
    """Return inputs of random tubelets, the same for ever: the generator's stream is part of numpy's promise."""
    rng = np.random.Generator(np.random.PCG64(seed))
    crops = rng.random((count, CROPS * CHANNELS, SIDE, SIDE), np.float32) - np.float32(0.5)
    paths = 2 * rng.random((count, PATH_FEATURES, STEPS), np.float32) - np.float32(1.0)
    return {"crops": crops, "path": paths}


def threshold(objects: Floats, others: Floats, *, passing: float = PASSING) -> float:
    """Return the threshold for chances of objects worth finding and of all negatives, both of the validation split.

    It is at least the smallest that lets no more than the share `passing` of the negatives through. Where that is
    easy it is raised, to 0.9 at most, as far as it costs no more than 1 % of the objects: what a validation split
    has no room for, a street has. It stays within 0.3 to 0.97: more than that tells of a bad net, not of a good cut.
    """
    if not len(others):
        return 0.5
    needed = float(np.nextafter(np.quantile(others, 1 - passing, method="higher"), np.float32(1)))
    cheap = float(np.quantile(objects, SPARED)) if len(objects) else 0.0
    return round(float(np.clip(max(needed, min(cheap, COMFORTABLE)), 0.3, 0.97)), 3)


def write_toml(
    folder: Path,
    *,
    cut: float,
    seed: int,
    version: str,
    figures: Mapping[str, float],
    told: Sequence[Sequence[float]],
    by: str,
) -> None:
    """Write model.toml beside model.onnx: what is in the file, `by` what it was made, and what it was found to do.

    `told` is what was said of the probe.
    """
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    quoted = ", ".join(f'"{each}"' for each in CLASSES)
    rows = ",\n".join("    [" + ", ".join(f"{value:.6f}" for value in row) + "]" for row in told)
    text = f"""\
# Written by models.train.export; the gateway checks the digest and the shapes when it loads the model.
name = "{NAME}"
version = "{version}"
created_by = "{by}"
sha256 = "{digest}"
opset = {OPSET}
classes = [{quoted}]
threshold = {cut}  # probability of the first class from which a track is a fall; from the validation split
seed = {seed}

# Shapes without the number of tubelets, which comes first and may be any.
[inputs]
crops = [{CROPS * CHANNELS}, {SIDE}, {SIDE}]
path = [{PATH_FEATURES}, {STEPS}]

[outputs]
probabilities = [{len(CLASSES)}]

# What torch said about the random tubelets of models.train.vouch.probe(): any runtime must say the same to 1e-4.
[probe]
seed = {PROBE_SEED}
probabilities = [
{rows},
]

[figures]
"""
    text += "".join(f"{key} = {value:.6g}\n" for key, value in figures.items())
    (folder / "model.toml").write_text(text, encoding="utf-8")
