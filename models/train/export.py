"""Weights become the file the gateway carries: model.onnx, batch norm folded in, and model.toml that vouches for it.

The exported graph is run by onnxruntime on random tubelets and must say what torch says, to 1e-4.
"""

import copy
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.train.net import Net, empty_input, parameters
from models.train.vouch import OPSET, probe, write_toml

CLOSE = 1e-4
MOST_BYTES, MOST_PARAMETERS = 300_000, 100_000


class Exported(nn.Module):
    """What is written to the file: the folded net with the softmax inside."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = fold(net)

    def forward(self, crops: Tensor, path: Tensor) -> Tensor:
        """Return class probabilities."""
        return self.net.probabilities(crops, path)


def export(
    net: Net, folder: Path, *, cut: float, seed: int, version: str, figures: Mapping[str, float], by: str
) -> None:
    """Write both files of a model; raise ValueError when the file does not say what the net says."""
    path = folder / "model.onnx"
    write_onnx(net, path)
    told = by_torch(net)
    apart = float(np.abs(told - by_runtime(path)).max())
    if apart > CLOSE:
        raise ValueError(f"onnxruntime differs from torch by {apart:.2g}, at most {CLOSE}")
    about = {"parameters": parameters(net), "bytes": path.stat().st_size, **figures}
    write_toml(folder, cut=cut, seed=seed, version=version, figures=about, told=told.tolist(), by=by)


def fold(net: Net) -> Net:
    """Return a copy of a net, its batch norms melted into the convolutions before them."""
    folded = copy.deepcopy(net).eval()
    for part in folded.modules():
        if isinstance(part, nn.Sequential) and isinstance(part[1], nn.BatchNorm1d | nn.BatchNorm2d):
            part[0] = fuse_conv_bn_eval(part[0], part[1])
            part[1] = nn.Identity()
    return folded


def write_onnx(net: Net, path: Path) -> None:
    """Write the graph with any number of tubelets per run; raise ValueError when it is too large for the gateway."""
    if parameters(net) > MOST_PARAMETERS:
        raise ValueError(f"{parameters(net)} parameters, at most {MOST_PARAMETERS}")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    torch.onnx.export(
        Exported(net).eval(), empty_input(2), str(draft), dynamo=False, opset_version=OPSET,
        input_names=["crops", "path"], output_names=["probabilities"],
        dynamic_axes={name: {0: "n"} for name in ("crops", "path", "probabilities")},
    )  # fmt: skip
    if draft.stat().st_size > MOST_BYTES:
        raise ValueError(f"{draft.stat().st_size} bytes, at most {MOST_BYTES}")
    draft.replace(path)


def by_torch(net: Net) -> NDArray[np.float32]:
    """Return what a net says about the probe."""
    inputs = {name: torch.from_numpy(values) for name, values in probe().items()}
    with torch.no_grad():
        return net.eval().probabilities(**inputs).numpy()


def by_runtime(path: Path) -> NDArray[np.float32]:
    """Return what onnxruntime says about the probe, run as the gateway runs it: one thread, no telemetry."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when onnxruntime is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["probabilities"], probe())[0], np.float32)
