"""What a stream is asked to be, and what was true in it."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from gateway.vision.sight import Spot

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

PART_SIZES = ((640, 960), (960, 720), (320, 800), (288, 640), (240, 900), (320, 640))
"""Width and height of a part of a picture, for cheap training at the pixel scale of the whole.

A fall is a narrow thing: strips show as many a second for a fifth of the work.
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is wanted. `shaking` None: by chance. `causes` are names of negative agents to add.

    `window` "part" renders a part of the picture only, at the pixel scale and bits per pixel of the whole; the
    falls are inside it.
    """

    seed: int
    split: Split = "train"
    width: int = 1920
    height: int = 1080
    fps: int = 25
    seconds: float = 6.0
    bitrate_mbps: float = 4.0
    shaking: bool | None = None
    falls: int = 1
    causes: tuple[str, ...] = ()
    window: Literal["full", "part"] = "full"

    @property
    def held_out(self) -> bool:
        """Return whether the ranges of the test split are in force."""
        return self.split == "test"

    def dice(self) -> np.random.Generator:
        """Return the generator from which everything random of the stream comes."""
        return np.random.default_rng([self.seed, SPLITS.index(self.split)])


@dataclass(frozen=True, slots=True)
class Truth:
    """One thing that fell, or its image in a window (`twin`).

    `spots` has one box per frame in which it can be seen: the pixels it covers for more than 12 % of the exposure.
    `size_px` is the smaller side of the thing without blur, `contrast` how many grey levels its streak stands
    off the wall in the finished picture before noise; both are medians over the frames. `floor` is where it left.
    """

    kind: str
    floor: int
    terminal_mps: float
    twin: bool = False
    cause: str = "object"
    size_px: float = 0.0
    contrast: float = 0.0
    spots: tuple[Spot, ...] = field(default=())
