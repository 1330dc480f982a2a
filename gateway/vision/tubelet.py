"""What the network is shown of a track: ten small pictures along it, and the path as a curve in time.

The pictures are cut around the object wherever it was (motion compensated), each with the picture of what
differs from the background; things that do not fit are shrunk, and the path says by how much. The path is
sampled at even times, lengths in shares of the picture's height and times in seconds, so that neither frame
rate nor resolution matters.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway.vision.sight import Spot

CROPS, CHANNELS, SIDE = 10, 2, 32
STEPS = 32
CURVES = (
    "across",
    "down",
    "speed_across",
    "speed_down",
    "off_across",
    "off_down",
    "size",
    "contrast",
    "seen",
)
FACTS = ("span", "seconds", "misfit", "bend", "pull", "straight", "shrunk")
"""Facts of the whole track, each a constant row below the curves: see `facts_of` in paths.py for their meaning."""

PATH_FEATURES = len(CURVES) + len(FACTS)
CLASSES = ("object", "bird_insect", "rain_snow_drip", "foliage_cloth_flicker", "vehicle_person_other")

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tubelet:
    """One track as the network sees it.

    `crops` is uint8 (CROPS, CHANNELS, SIDE, SIDE): luma, and 128 + half the signed difference to the background.
    `path` is float32 (PATH_FEATURES, STEPS). `facts` are those of FACTS and what the gate behind the network asks.
    `track` is the way down, which is judged; `rise` is what was seen of the way up to it.
    """

    crops: Bytes
    path: Floats
    track: tuple[Spot, ...]
    facts: Mapping[str, float]
    rise: tuple[Spot, ...] = ()

    @property
    def way(self) -> tuple[Spot, ...]:
        """Return the whole way, up and down."""
        return self.rise + self.track


def stack(tubelets: Sequence[Tubelet]) -> tuple[Floats, Floats]:
    """Return the network's two inputs: (n, CROPS * CHANNELS, SIDE, SIDE) in -0.5..0.5 and (n, PATH_FEATURES, STEPS)."""
    crops = np.stack([each.crops for each in tubelets]).astype(np.float32) / 255.0 - 0.5
    paths = np.stack([each.path for each in tubelets]).astype(np.float32)
    return crops.reshape(len(tubelets), CROPS * CHANNELS, SIDE, SIDE), paths
