"""Outlines in metres that figures are made of: ovals, boxes, limbs, and cloth that hangs."""

from dataclasses import dataclass

import numpy as np

from models.train.render.negatives.drawing import Part
from models.train.render.negatives.places import Points

ROWS = np.linspace(0.0, 1.0, 6)  # from the upper to the lower edge of a cloth


def oval(x: float, y: float, wide: float, tall: float) -> Points:
    """Return the outline of an oval around (x, y), in metres."""
    around = np.linspace(0, 2 * np.pi, 11)[:-1]
    return np.stack([x + wide / 2 * np.cos(around), y + tall / 2 * np.sin(around)], axis=1)


def limb(start: Points, end: Points, thick: float) -> Points:
    """Return the outline of a limb between two points, in metres."""
    along = end - start
    aside = np.array([-along[1], along[0]]) * (thick / 2 / max(float(np.hypot(*along)), 0.01))
    return np.stack([start + aside, end + aside, end - aside, start - aside])


def box(wide: float, tall: float) -> Points:
    """Return the outline of a rectangle around the origin, in metres."""
    return np.array(
        [(-wide / 2, -tall / 2), (-wide / 2, tall / 2), (wide / 2, tall / 2), (wide / 2, -tall / 2)]
    )


@dataclass(frozen=True, slots=True)
class Look:
    """How a cloth looks: its light, and the number and light of its stripes."""

    light: float
    stripes: int = 0
    other: float = 0.0


def sheet(sway: Points, wide: float, tall: float, look: Look) -> list[Part]:
    """Return a cloth that hangs from its upper edge; `sway` (6,) is how far each row is aside, in metres."""
    left = np.stack([sway - wide / 2, -tall * ROWS], axis=1)
    right = np.stack([sway + wide / 2, -tall * ROWS], axis=1)
    parts = [Part(np.concatenate([left, right[::-1]]), look.light)]
    for k in range(look.stripes):
        low, high = (k + 0.3) / look.stripes, (k + 0.6) / look.stripes
        inner, outer = left + (right - left) * low, left + (right - left) * high
        parts.append(Part(np.concatenate([inner, outer[::-1]]), look.other))
    return parts
