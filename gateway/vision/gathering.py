"""The pixels that move in a picture, and the things they make up."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.vision.shake import Floats, Places
from gateway.vision.sight import Luma

MOST_CANDIDATES = 128
OF_PEAK = 0.4  # a thing ends where less than this share of its strongest pixel moves


@dataclass(frozen=True, slots=True)
class Candidates:
    """What moved in one picture, one row each: centre, box (left, top, right, bottom), pixels."""

    centre: Floats  # (n, 2), px of the background
    box: Floats  # (n, 4), right and bottom exclusive
    pixels: Floats  # (n,) how many moved

    def __len__(self) -> int:
        return len(self.pixels)


@dataclass(frozen=True, slots=True)
class Moving:
    """The pixels that move in one picture: where, ascending, and by how many grey levels more than is needed."""

    places: Places  # (n,), as if all rows were one
    excess: NDArray[np.uint8]  # (n,)


NOBODY: Final = Candidates(
    np.zeros((0, 2), np.float32), np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
)


def moving_in(excess: Luma) -> Moving:
    """Return the bytes that are not 0, found eight at a time: nearly all words are."""
    flat = excess.reshape(-1)
    even = len(flat) // 8 * 8
    words = np.flatnonzero(flat[:even].view(np.uint64) != 0)  # of truth values: the quick way
    which, byte = np.nonzero(flat[:even].reshape(-1, 8)[words])
    places = words[which] * 8 + byte
    if even < len(flat):
        places = np.append(places, even + np.flatnonzero(flat[even:]))
    return Moving(places, flat[places])


def chosen(places: Places, excess: NDArray[np.uint8]) -> Moving:
    """Return those of the places where there is an excess."""
    some = np.flatnonzero(excess)
    return Moving(places[some], excess[some])


def gather(moving: Moving, shape: tuple[int, ...]) -> Candidates:
    """Return the moving pixels as things: what lies within two squares of 4 px of one another is one."""
    height, width = shape
    down, across = np.divmod(moving.places, width)
    coarse = np.zeros((height // 4 + 1, width // 4 + 1), np.uint8)
    coarse[down >> 2, across >> 2] = 1
    labels = cv2.connectedComponents(cv2.dilate(coarse, np.ones((3, 3), np.uint8)), ltype=cv2.CV_16U)[1]
    of = labels[down >> 2, across >> 2].astype(np.intp)
    weight = moving.excess.astype(np.float32)
    strongest = np.zeros(int(of.max()) + 1, np.float32)
    np.maximum.at(strongest, of, weight)
    # the trail a noise filter leaves behind a thing is weaker than it
    body = weight >= OF_PEAK * strongest[of]
    of, across, down, weight = of[body], across[body], down[body], weight[body]
    order = np.argsort(of, kind="stable")
    of, across, down, weight = of[order], across[order], down[order], weight[order]
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    total = np.add.reduceat(weight, starts)
    most = np.sort(np.argsort(total)[-MOST_CANDIDATES:])
    centre = np.stack(
        [np.add.reduceat(weight * across, starts), np.add.reduceat(weight * down, starts)], axis=1
    )
    box = np.stack(
        [
            np.minimum.reduceat(across, starts), np.minimum.reduceat(down, starts),
            np.maximum.reduceat(across, starts) + 1, np.maximum.reduceat(down, starts) + 1,
        ],
        axis=1,
    )  # fmt: skip
    pixels = np.diff(starts, append=len(of))
    return Candidates(
        (centre / total[:, None])[most].astype(np.float32),
        box[most].astype(np.float32),
        pixels[most].astype(np.float32),
    )
