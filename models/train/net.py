"""The network that judges a track: ten small pictures along the path, and the path as a curve in time.

Every picture goes through the same small encoder, so that the net learns how a thing looks and not when; two
1-D convolutions then read how its looks change along the way (a wing beats, a brick does not). The path has
1-D convolutions of its own. Plain convolutions, batch norm and ReLU only: batch norm is folded into the
convolutions at export, and what remains is what every runtime does fast on one thread.
"""

import torch
from torch import Tensor, nn

from gateway.vision.tubelet import CHANNELS, CLASSES, CROPS, PATH_FEATURES, SIDE, STEPS

LOOKS, COURSE = 40, 48
"""Width of what is known of one picture, and of the path."""

FAR = 5.0
"""A path feature further from its mean than so many standard deviations counts as so far: real paths are wilder."""


def block(inner: nn.Module, width: int, *, flat: bool = False) -> nn.Sequential:
    """Return a convolution followed by batch norm and ReLU."""
    return nn.Sequential(
        inner, nn.BatchNorm1d(width) if flat else nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


class Net(nn.Module):
    """Tubelets to class scores (`forward`, for training) or probabilities (`probabilities`, for export)."""

    middle: Tensor
    scale: Tensor

    def __init__(self, features: int = PATH_FEATURES, classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(1, features, 1))
        self.register_buffer("scale", torch.ones(1, features, 1))
        self.encoder = nn.Sequential(
            block(nn.Conv2d(CHANNELS, 12, 3, stride=2, padding=1, bias=False), 12),
            block(nn.Conv2d(12, 12, 3, padding=1, bias=False), 12),
            block(nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False), 24),
            block(nn.Conv2d(24, 24, 3, padding=1, bias=False), 24),
            block(nn.Conv2d(24, LOOKS, 3, stride=2, padding=1, bias=False), LOOKS),
        )
        self.change = nn.Sequential(
            block(nn.Conv1d(2 * LOOKS, 64, 3, padding=1, bias=False), 64, flat=True),
            block(nn.Conv1d(64, 48, 3, padding=1, bias=False), 48, flat=True),
        )
        self.course = nn.Sequential(
            block(nn.Conv1d(features, 32, 3, padding=1, bias=False), 32, flat=True),
            block(nn.Conv1d(32, 32, 3, stride=2, padding=1, bias=False), 32, flat=True),
            block(nn.Conv1d(32, COURSE, 3, stride=2, padding=1, bias=False), COURSE, flat=True),
        )
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(2 * 48 + 2 * COURSE, 64), nn.ReLU(inplace=True), nn.Dropout(0.2),
            nn.Linear(64, classes),
        )  # fmt: skip

    def forward(self, crops: Tensor, path: Tensor) -> Tensor:
        """Return (n, classes) scores of `crops` (n, CROPS * CHANNELS, SIDE, SIDE) and `path` (n, features, STEPS)."""
        seen = self.encoder(crops.reshape(-1, CHANNELS, SIDE, SIDE))
        looks = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1).reshape(-1, CROPS, 2 * LOOKS)
        change = self.change(looks.transpose(1, 2))
        course = self.course(torch.clamp((path - self.middle) * self.scale, -FAR, FAR))
        return self.head(torch.cat([change.mean(2), change.amax(2), course.mean(2), course.amax(2)], 1))

    def learn_scale(self, paths: Tensor) -> None:
        """Take the mean and the spread of every path feature from the training paths (n, features, STEPS)."""
        self.middle.copy_(paths.mean((0, 2), keepdim=True))
        self.scale.copy_(1.0 / paths.std((0, 2), keepdim=True).clamp_min(1e-3))

    def probabilities(self, crops: Tensor, path: Tensor) -> Tensor:
        """Return `forward` as probabilities that sum to one."""
        return torch.softmax(self(crops, path), 1)


def parameters(net: nn.Module) -> int:
    """Return how many weights a net has."""
    return sum(each.numel() for each in net.parameters())


def empty_input(n: int, features: int = PATH_FEATURES) -> tuple[Tensor, Tensor]:
    """Return an input of the right shapes, all zero; the exporter traces the net with it."""
    return torch.zeros(n, CROPS * CHANNELS, SIDE, SIDE), torch.zeros(n, features, STEPS)
