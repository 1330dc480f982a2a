"""The network that judges a track: ten small pictures along the path, and the path as a curve in time.

Every picture goes through the same small encoder, so that the net learns how a thing looks and not when; three
1-D convolutions then read how its looks change along the way (a wing beats, a brick does not). The path has
1-D convolutions of its own. Plain convolutions, batch norm and ReLU only: batch norm is folded into the
convolutions at export, and what remains is what every runtime does fast on one thread.
"""

import torch
from torch import Tensor, nn

from gateway.vision.tubelet import CHANNELS, CLASSES, CROPS, PATH_FEATURES, SIDE, STEPS

LOOKS, CHANGE, COURSE = 44, 48, 48
"""Width of what is known of one picture, of how it changes, and of the path."""

FAR = 5.0
"""A path feature further from its mean than so many standard deviations counts as so far: real paths are wilder."""


def block(inner: nn.Module, width: int, *, flat: bool = False) -> nn.Sequential:
    """Return a convolution followed by batch norm and ReLU."""
    return nn.Sequential(
        inner, nn.BatchNorm1d(width) if flat else nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    )


class Net(nn.Module):
    """Tubelets to class scores (`forward`, for training) or probabilities (`probabilities`, for export).

    `width` widens every layer but the last: teachers are wider than what the gateway carries.
    """

    middle: Tensor
    scale: Tensor

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()

        def wide(channels: int) -> int:
            return round(width * channels)

        self.register_buffer("middle", torch.zeros(1, PATH_FEATURES, 1))
        self.register_buffer("scale", torch.ones(1, PATH_FEATURES, 1))
        self.encoder = nn.Sequential(
            block(nn.Conv2d(CHANNELS, wide(16), 3, stride=2, padding=1, bias=False), wide(16)),
            block(nn.Conv2d(wide(16), wide(24), 3, stride=2, padding=1, bias=False), wide(24)),
            block(nn.Conv2d(wide(24), wide(LOOKS), 3, stride=2, padding=1, bias=False), wide(LOOKS)),
        )
        self.change = nn.Sequential(
            block(nn.Conv1d(2 * wide(LOOKS), wide(64), 3, padding=1, bias=False), wide(64), flat=True),
            block(nn.Conv1d(wide(64), wide(CHANGE), 3, padding=1, bias=False), wide(CHANGE), flat=True),
            block(nn.Conv1d(wide(CHANGE), wide(CHANGE), 3, padding=1, bias=False), wide(CHANGE), flat=True),
        )
        self.course = nn.Sequential(
            block(nn.Conv1d(PATH_FEATURES, wide(32), 3, padding=1, bias=False), wide(32), flat=True),
            block(nn.Conv1d(wide(32), wide(40), 3, stride=2, padding=1, bias=False), wide(40), flat=True),
            block(
                nn.Conv1d(wide(40), wide(COURSE), 3, stride=2, padding=1, bias=False), wide(COURSE), flat=True
            ),
        )
        self.head = nn.Sequential(
            nn.Dropout(0.2), nn.Linear(2 * wide(CHANGE) + 2 * wide(COURSE), 64), nn.ReLU(inplace=True),
            nn.Dropout(0.2), nn.Linear(64, len(CLASSES)),
        )  # fmt: skip

    def forward(self, crops: Tensor, path: Tensor) -> Tensor:
        """Return (n, classes) scores of `crops` (n, CROPS * CHANNELS, SIDE, SIDE) and `path` (n, features, STEPS)."""
        seen = self.encoder(crops.reshape(-1, CHANNELS, SIDE, SIDE))
        looks = torch.cat([seen.mean((2, 3)), seen.amax((2, 3))], 1).unflatten(0, (-1, CROPS))
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


def empty_input(n: int) -> tuple[Tensor, Tensor]:
    """Return an input of the right shapes, all zero; the exporter traces the net with it."""
    return torch.zeros(n, CROPS * CHANNELS, SIDE, SIDE), torch.zeros(n, PATH_FEATURES, STEPS)
