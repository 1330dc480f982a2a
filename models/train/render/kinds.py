"""What falls from windows: sizes, terminal speeds, shapes and brightness of each kind."""

from dataclasses import dataclass

import numpy as np

from models.train.render.bodies import Shape

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing: largest side in m, terminal speed in m/s, turns in rad/s, and how often it comes."""

    name: str
    shapes: tuple[Shape, ...]
    size_m: Span
    terminal_mps: Span
    spin: Span
    share: float
    flutters: bool = False


KINDS = (
    Kind("paper", ("sheet",), (0.08, 0.35), (1.2, 3.0), (2, 9), 0.06, flutters=True),
    Kind("plastic bag", ("soft",), (0.18, 0.5), (2.0, 5.0), (0.5, 4), 0.09, flutters=True),
    Kind("cloth", ("soft", "sheet"), (0.25, 0.6), (4.0, 8.0), (0.5, 4), 0.1, flutters=True),
    Kind("cigarette butt", ("stick",), (0.02, 0.05), (6.0, 8.0), (5, 25), 0.05),
    Kind("carton", ("box",), (0.1, 0.5), (8.0, 16.0), (1, 8), 0.08),
    Kind("tissue ball", ("blob",), (0.04, 0.1), (6.0, 11.0), (2, 12), 0.06),
    Kind("bottle", ("bottle",), (0.15, 0.33), (15.0, 28.0), (2, 16), 0.16),
    Kind("can", ("bottle", "stick"), (0.1, 0.17), (15.0, 25.0), (4, 20), 0.08),
    Kind("food waste", ("blob", "soft"), (0.04, 0.3), (15.0, 30.0), (1, 10), 0.13),
    Kind("toy", ("blob", "box"), (0.06, 0.3), (14.0, 28.0), (2, 12), 0.05),
    Kind("brick", ("box",), (0.08, 0.25), (35.0, 50.0), (1, 10), 0.05),
    Kind("glass", ("shard",), (0.04, 0.4), (28.0, 45.0), (2, 18), 0.05),
    Kind("flower pot", ("pot",), (0.12, 0.35), (35.0, 50.0), (0.5, 6), 0.05),
    Kind("stone", ("blob",), (0.025, 0.1), (30.0, 45.0), (2, 20), 0.07),
)


def kind_of(rng: np.random.Generator) -> Kind:
    """Return a kind, each as often as its share says."""
    shares = np.array([kind.share for kind in KINDS])
    return KINDS[int(rng.choice(len(KINDS), p=shares / shares.sum()))]


def reflectance(rng: np.random.Generator) -> float:
    """Return how bright a thing is: dark, middling or white."""
    low, high = ((0.03, 0.12), (0.12, 0.45), (0.45, 0.95))[rng.integers(3)]
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
