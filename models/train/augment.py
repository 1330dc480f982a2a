"""Tubelets as other cameras might have made them: what the renderer does not vary enough is varied here.

Everything is drawn per tubelet and applied to the whole batch at once. Looks are pushed further than real cameras
go (contrast, gamma, negative, noise, wrong centring, missing pictures), and now and then all pictures or the whole
path are taken away, so that each half of the net learns to judge alone: on real footage either may mislead.
"""

import math

import torch
from torch import Tensor

from gateway.vision.tubelet import CURVES, FACTS, PATH_FEATURES, SIDE

MIRRORED = [i for i, name in enumerate((*CURVES, *FACTS)) if name in ("across", "speed_across", "off_across")]
LOOKS = [i for i, name in enumerate((*CURVES, *FACTS)) if name in ("size", "contrast")]
LENGTHS = [
    i for i, name in enumerate((*CURVES, *FACTS)) if name in ("across", "down", "speed_across", "speed_down")
]
SPAN, PULL = (len(CURVES) + FACTS.index(name) for name in ("span", "pull"))
ZERO = 128 / 255 - 0.5
"""What a difference of nothing is in the pictures as the net takes them."""

BLIND = 0.07
"""Share of tubelets that lose all pictures, and share that lose the path."""


def augment(crops: Tensor, paths: Tensor, middle: Tensor, *, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return changed copies of `crops` (n, CROPS, CHANNELS, SIDE, SIDE) in -0.5..0.5 and `paths` (n, features, STEPS).

    `middle` (1, features, 1) is the mean path: what a path that was taken away is replaced by.
    """
    crops, paths = _mirror(crops, paths.clone(), dice)
    crops = _expose(crops, dice)
    crops = _displace(crops, dice)
    crops = crops + torch.randn(crops.shape, generator=dice) * (0.02 * _draw(len(crops), dice) ** 2)
    crops = _lose(crops, dice)
    paths = _bend(paths, dice)
    fate = torch.rand(len(crops), generator=dice)
    crops = torch.where((fate < BLIND).view(-1, 1, 1, 1, 1), torch.zeros(()), crops)
    paths = torch.where((fate > 1 - BLIND).view(-1, 1, 1), middle, paths)
    return crops.clamp(-0.5, 0.5), paths


def elsewhere(crops: Tensor, share: float, dice: torch.Generator) -> Tensor:
    """Lay a share of tubelets before the background of another: it moves there as it did, and differs as much."""
    if not share:
        return crops
    luma, half = crops[:, :, 0], crops[:, :, 1] - ZERO
    behind = (luma - 2 * half)[torch.randperm(len(crops), generator=dice)]
    turned = torch.rand(len(crops), generator=dice) < 0.5
    behind = torch.where(turned.view(-1, 1, 1, 1), behind.flip(-1), behind)
    before = (behind + 2 * half).clamp(-0.5, 0.5)
    laid = torch.stack([before, (before - behind) / 2 + ZERO], 2)  # where it is too bright it differs by less
    return torch.where(_draw(len(crops), dice) < share, laid, crops)


def rescale(paths: Tensor, most: float, dice: torch.Generator) -> Tensor:
    """Make paths up to e to the power of `most` longer or shorter, as from a picture of another height."""
    if not most:
        return paths
    by = (2 * torch.rand((len(paths), 1, 1), generator=dice) - 1) * most
    paths = paths.clone()
    paths[:, LENGTHS] *= torch.exp(by)
    decades = by[:, 0] / math.log(10.0)
    paths[:, SPAN] += decades
    paths[:, PULL] -= decades
    return paths.clamp(-8, 8)


def _draw(n: int, dice: torch.Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    return (low + (high - low) * torch.rand(n, generator=dice)).view(-1, 1, 1, 1, 1)


def _mirror(crops: Tensor, paths: Tensor, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """Swap left and right, in the pictures and in the signs of the path, for half of the tubelets."""
    swap = torch.rand(len(crops), generator=dice) < 0.5
    signs = torch.ones(PATH_FEATURES)
    signs[MIRRORED] = -1.0
    crops = torch.where(swap.view(-1, 1, 1, 1, 1), crops.flip(-1), crops)
    return crops, torch.where(swap.view(-1, 1, 1), paths * signs.view(1, -1, 1), paths)


def _expose(crops: Tensor, dice: torch.Generator) -> Tensor:
    """Change contrast, gamma and brightness; turn some to negatives. Differences follow contrast and sign only."""
    n = len(crops)
    gain = torch.exp(_draw(n, dice, -0.6, 0.5))
    sign = torch.where(_draw(n, dice) < 0.2, -1.0, 1.0)
    luma, diff = crops[:, :, :1], crops[:, :, 1:]
    bent = (luma + 0.5).clamp(1e-3, 1.0) ** torch.exp(_draw(n, dice, -0.4, 0.4)) - 0.5
    luma = (bent * gain + _draw(n, dice, -0.2, 0.2)) * sign
    return torch.cat([luma.clamp(-0.5, 0.5), diff * gain * sign], 2)


def _displace(crops: Tensor, dice: torch.Generator) -> Tensor:
    """Shift each tubelet by up to two pixels, and each of its pictures by up to one more: spots are never exact."""
    n, count = crops.shape[:2]
    whole = torch.randint(-2, 3, (n, 1, 2), generator=dice)
    shifts = (whole + torch.randint(-1, 2, (n, count, 2), generator=dice)).view(-1, 2)
    line = torch.arange(SIDE)
    rows = (line + shifts[:, :1]).clamp(0, SIDE - 1)
    columns = (line + shifts[:, 1:]).clamp(0, SIDE - 1)
    flat = crops.reshape(n * count, -1, SIDE, SIDE)
    flat = flat.gather(2, rows[:, None, :, None].expand_as(flat))
    return flat.gather(3, columns[:, None, None, :].expand_as(flat)).view_as(crops)


def _lose(crops: Tensor, dice: torch.Generator) -> Tensor:
    """Blank a few pictures of every third tubelet, and repeat the picture before in others."""
    n, count = crops.shape[:2]
    often = (torch.rand(n, 1, generator=dice) < 0.33) * 0.3
    gone = torch.rand(n, count, generator=dice) < often
    stuck = torch.rand(n, count, generator=dice) < (torch.rand(n, 1, generator=dice) < 0.15) * 0.3
    crops = torch.where(stuck.view(n, count, 1, 1, 1), crops.roll(1, 1), crops)
    return torch.where(gone.view(n, count, 1, 1, 1), torch.zeros(()), crops)


def _bend(paths: Tensor, dice: torch.Generator) -> Tensor:
    """Make the path a little less exact: noise on every curve, and other sizes and contrasts."""
    n = len(paths)
    spread = paths.std((0, 2), keepdim=True)
    noise = torch.randn(paths.shape, generator=dice) * 0.04
    level = torch.randn((n, paths.shape[1], 1), generator=dice) * 0.06
    paths = paths + (noise + level) * spread
    gains = torch.ones(n, PATH_FEATURES, 1)
    gains[:, LOOKS] = torch.exp(torch.randn((n, len(LOOKS), 1), generator=dice) * 0.25)
    return paths * gains
