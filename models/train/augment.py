"""Tubelets as other cameras might have made them: what the renderer does not vary enough is varied here.

Everything is drawn per tubelet and applied to the whole batch at once. Looks are pushed further than real cameras
go (contrast, gamma, negative, noise, wrong centring, missing pictures), and now and then all pictures or the whole
path are taken away, so that each half of the net learns to judge alone: on real footage either may mislead.
"""

import torch
from torch import Tensor

from gateway.vision.tubelet import CURVES, FACTS, PATH_FEATURES, SIDE

NAMES = (*CURVES, *FACTS)
MIRRORED = [i for i, name in enumerate(NAMES) if name in ("across", "speed_across", "off_across")]
LENGTHS = [i for i, name in enumerate(NAMES) if name.startswith(("across", "down", "speed_", "off_"))]
SIDES = [i for i, name in enumerate(NAMES) if name in ("size", "wide", "tall")]
SPAN, MISFIT, PULL, CONTRAST = (NAMES.index(name) for name in ("span", "misfit", "pull", "contrast"))
BLIND = 0.07
"""Share of tubelets that lose all pictures, and share that lose the path."""


def augment(crops: Tensor, paths: Tensor, middle: Tensor, *, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return changed copies of `crops` (n, CROPS, CHANNELS, SIDE, SIDE) in -0.5..0.5 and `paths` (n, features, STEPS).

    `middle` (1, features, 1) is the mean path: what a path that was taken away is replaced by. All on one device.
    """
    crops, paths = _mirror(crops, paths.clone(), dice)
    crops = _expose(crops, dice)
    crops = _displace(crops, dice)
    noise = torch.randn(crops.shape, generator=dice, device=dice.device)
    crops = crops + noise * (0.02 * _draw(len(crops), dice) ** 2)
    crops = _lose(crops, dice)
    paths = _bend(_zoomed(paths, dice), dice)
    fate = _chance(len(crops), dice)
    crops = torch.where((fate < BLIND).view(-1, 1, 1, 1, 1), 0.0, crops)
    paths = torch.where((fate > 1 - BLIND).view(-1, 1, 1), middle, paths)
    return crops.clamp(-0.5, 0.5), paths


def _chance(n: int, dice: torch.Generator) -> Tensor:
    return torch.rand(n, generator=dice, device=dice.device)


def _draw(n: int, dice: torch.Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    return (low + (high - low) * _chance(n, dice)).view(-1, 1, 1, 1, 1)


def _mirror(crops: Tensor, paths: Tensor, dice: torch.Generator) -> tuple[Tensor, Tensor]:
    """Swap left and right, in the pictures and in the signs of the path, for half of the tubelets."""
    swap = _chance(len(crops), dice) < 0.5
    signs = torch.ones(PATH_FEATURES, device=dice.device)
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
    whole = torch.randint(-2, 3, (n, 1, 2), generator=dice, device=dice.device)
    shifts = whole + torch.randint(-1, 2, (n, count, 2), generator=dice, device=dice.device)
    shifts, line = shifts.view(-1, 2), torch.arange(SIDE, device=dice.device)
    rows = (line + shifts[:, :1]).clamp(0, SIDE - 1)
    columns = (line + shifts[:, 1:]).clamp(0, SIDE - 1)
    flat = crops.reshape(n * count, -1, SIDE, SIDE)
    flat = flat.gather(2, rows[:, None, :, None].expand_as(flat))
    return flat.gather(3, columns[:, None, None, :].expand_as(flat)).view_as(crops)


def _lose(crops: Tensor, dice: torch.Generator) -> Tensor:
    """Blank a few pictures of every third tubelet, and repeat the picture before in others."""
    n, count = crops.shape[:2]
    often, still = ((_chance(n, dice) < share).view(-1, 1) * 0.3 for share in (0.33, 0.15))
    gone, stuck = (_chance(n * count, dice).view(n, count) < each for each in (often, still))
    crops = torch.where(stuck.view(n, count, 1, 1, 1), crops.roll(1, 1), crops)
    return torch.where(gone.view(n, count, 1, 1, 1), 0.0, crops)


def _zoomed(paths: Tensor, dice: torch.Generator) -> Tensor:
    """Show every path as a camera nearer by or further off would: all lengths at once, also those of the facts."""
    zoom = torch.exp2(0.4 * (_chance(len(paths), dice) - 0.5)).view(-1, 1, 1)
    paths[:, LENGTHS] *= zoom
    paths[:, SIDES] += torch.log2(zoom) / 4
    paths[:, [SPAN, MISFIT]] += torch.log10(zoom)
    paths[:, [PULL]] -= torch.log10(zoom)
    return paths


def _bend(paths: Tensor, dice: torch.Generator) -> Tensor:
    """Make the path a little less exact: noise on every curve, and other sizes and contrasts."""
    spread = paths.std((0, 2), keepdim=True)
    noise = torch.randn(paths.shape, generator=dice, device=dice.device) * 0.04
    level = torch.randn(paths.shape[:2], generator=dice, device=dice.device).unsqueeze(2) * 0.06
    paths = paths + (noise + level) * spread
    paths[:, SIDES] += torch.randn((len(paths), 1, 1), generator=dice, device=dice.device) * 0.08
    paths[:, CONTRAST] *= torch.exp(torch.randn((len(paths), 1), generator=dice, device=dice.device) * 0.25)
    return paths
