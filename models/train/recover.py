"""The weights of a model that is there, back into a net that can be taught on: what `export` folded, unfolded.

In model.onnx every batch norm is melted into the convolution before it. Any mean and spread of what such a
convolution gives can be taken out again by a batch norm that puts both back, and the net says what it said; those of
the tubelets that it is about to learn from are right for learning. A net begun so goes on; one begun anew forgets.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from models.train.net import Net
from models.train.shards import Tubelets
from models.train.train import inputs

ENOUGH = 3000
"""Tubelets by which means and spreads are taken."""


def recover(path: Path, tubelets: Tubelets) -> Net:
    """Return the net of a model.onnx; raise ValueError when the file is of another net, or there are no tubelets."""
    if not len(tubelets):
        raise ValueError("no tubelets to take means and spreads from; collect some streams")
    written = {
        each.name.removeprefix("net."): torch.from_numpy(numpy_helper.to_array(each).copy())
        for each in onnx.load(path).graph.initializer
    }
    net = Net()
    net.eval()
    missing = {name for name, _ in net.named_parameters() if not _of_a_norm(net, name)} - written.keys()
    if missing:
        raise ValueError(f"{path} is of another net: it has no {', '.join(sorted(missing))}")
    state = net.state_dict()
    net.load_state_dict({name: written.get(name, now) for name, now in state.items()})
    which = np.random.default_rng(0).permutation(len(tubelets))[:ENOUGH]
    crops, paths, _ = inputs(tubelets, which)
    with torch.no_grad():
        for name, part in net.named_modules():
            if isinstance(part, nn.Sequential) and isinstance(part[1], nn.BatchNorm1d | nn.BatchNorm2d):
                _unfold(net, part, written[f"{name}.0.bias"], crops.flatten(1, 2), paths)
    return net


def _of_a_norm(net: Net, name: str) -> bool:
    return isinstance(net.get_submodule(name.rpartition(".")[0]), nn.BatchNorm1d | nn.BatchNorm2d)


def _unfold(net: Net, part: nn.Sequential, bias: Tensor, crops: Tensor, paths: Tensor) -> None:
    """Set the batch norm of a part; those before it must be set already."""
    came: list[Tensor] = []
    hook = part[0].register_forward_hook(lambda _, __, what: came.append(what))
    net(crops, paths)
    hook.remove()
    others = [number for number in range(came[0].dim()) if number != 1]
    norm = part[1]
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(came[0].mean(others))
    norm.running_var.copy_(came[0].var(others, unbiased=False))
    norm.weight.copy_(torch.sqrt(norm.running_var + norm.eps))
    norm.bias.copy_(bias + norm.running_mean)
