"""What is around the house: sky with clouds, trees before it, wires, the ground and the house behind."""

from dataclasses import dataclass

import cv2
import numpy as np

from models.train.render.canvas import cloud
from models.train.render.parts import Plane, View


@dataclass(frozen=True, slots=True)
class Trees:
    """Foliage before everything else: how much of a pixel it covers, and its reflectance."""

    cover: Plane
    light: Plane


def sky(rng: np.random.Generator, view: View, dark: float) -> Plane:
    """Return the light of the sky: overexposed or blue-grey by day, near black with a glow of the town at night."""
    shape = (view.height, view.width)
    high = np.linspace(0, 1, view.height, dtype=np.float32)[:, None]
    base = float(rng.uniform(0.45, 1.5)) * (1 - dark) + dark * float(rng.uniform(0.003, 0.05))
    gradient = 1 + float(rng.uniform(0.0, 0.5)) * high
    clouds = cloud(rng, shape, view.width / 4) + 0.5 * cloud(rng, shape, view.width / 12, 0.6)
    clouds += 0.25 * cloud(rng, shape, view.width / 40, 0.7)
    return np.asarray(base * gradient * (1 + float(rng.uniform(0, 0.3)) * clouds), np.float32)


def trees(rng: np.random.Generator, view: View) -> Trees:
    """Return foliage at the edges of the picture; often none."""
    shape = (view.height, view.width)
    cover = np.zeros(shape, np.float32)
    across = np.linspace(0, 1, view.width, dtype=np.float32)[None, :]
    down = np.linspace(0, 1, view.height, dtype=np.float32)[:, None]
    sides = rng.random(3) < (0.3, 0.3, 0.45)
    if not sides.any():
        return Trees(cover, cover)
    shore = cloud(rng, shape, view.width / 7) * 0.6 + cloud(rng, shape, view.width / 25) * 0.4
    edges = (across, 1 - across, 1 - down)
    depths = rng.uniform((0.02, 0.02, 0.03), (0.2, 0.2, 0.22))
    mass = np.full(shape, -1.0, np.float32)
    for wanted, edge, depth in zip(sides, edges, depths, strict=True):
        if wanted:
            mass = np.maximum(mass, float(depth) - edge + shore * float(rng.uniform(0.05, 0.12)))
    leaf = max(2.0, view.width / float(rng.uniform(180, 420)))
    leaves = cloud(rng, shape, leaf) + 0.6 * cloud(rng, shape, leaf * 2.7)
    cover = np.clip((mass + 0.035 * leaves) * 45, 0, 1).astype(np.float32)
    cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 0.7), np.float32)
    light = float(rng.uniform(0.06, 0.2)) * (1 + 0.65 * leaves + 0.3 * cloud(rng, shape, leaf * 8))
    return Trees(cover, np.clip(light, 0.01, 0.5).astype(np.float32))


def ground(rng: np.random.Generator, view: View, light: Plane) -> None:
    """Paint the ground and a hedge where the picture reaches down to them."""
    foot, _ = view.project(np.array([[0.0, view.distance_m, 0.0]]))
    row = int(np.clip(np.nan_to_num(foot[0, 1], nan=view.height), 0, view.height))
    if row >= view.height:
        return
    shape = (view.height - row, view.width)
    light[row:] = float(rng.uniform(0.15, 0.4)) * (1 + 0.15 * cloud(rng, shape, view.width / 10, 0.3))
    hedge = int(view.pixels_per_metre(0.0) * rng.uniform(0.4, 1.4))
    top = max(row - hedge, 0)
    shape = (row - top, view.width)
    if shape[0] > 1:
        light[top:row] = 0.08 * (1 + 0.6 * cloud(rng, shape, 5))


def wires(rng: np.random.Generator, light: Plane) -> None:
    """Draw a few slack wires across."""
    height, width = light.shape
    for _ in range(int(rng.integers(0, 5)) if rng.random() < 0.4 else 0):
        y0, y1 = rng.uniform(0, height, 2)
        at = np.linspace(0, 1, 40)
        sag = rng.uniform(0, 0.08) * height
        points = np.stack([at * width, y0 + (y1 - y0) * 0.4 * at + 4 * sag * at * (1 - at)], axis=1)
        mask = np.zeros((height, width), np.uint8)
        cv2.polylines(
            mask,
            [np.round(points * 16).astype(np.int32)],
            False,
            255,
            int(rng.integers(1, 4)),
            cv2.LINE_AA,
            4,
        )
        light[mask > 0] *= (1 - 0.85 / 255 * mask[mask > 0]).astype(np.float32)
