"""Ways to build: styles of old residential blocks, some of which only the test split ever shows.

Training also breeds new ones: each feature of a bred style comes from one of two styles.
"""

from dataclasses import asdict, dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from models.train.render.settings import Split

Span: TypeAlias = tuple[float, float]
BRED = 0.5


@dataclass(frozen=True, slots=True)
class Style:
    """One way to build. Widths and heights in metres, brightness as reflectance, shares of all places.

    `texture` is the cladding, `bands` where a second colour runs, `bays` the kinds of column that repeat.
    """

    name: str
    wall: Span
    texture: Literal["plaster", "tile", "mosaic", "brick", "panel", "pebble"]
    bands: Literal["none", "slab", "parapet", "pilaster", "checked"]
    band: Span
    bays: tuple[str, ...]
    bay_m: Span
    pane_m: tuple[Span, Span]
    floor_m: Span
    cages: float
    coolers: float
    laundry: float
    glazed: float
    stains: float
    bar_light: Span = (0.15, 0.6)


_MOSAIC = Style(
    "white mosaic", (0.45, 0.7), "mosaic", "none", (0.2, 0.4), ("window", "balcony", "small", "window"),
    (2.7, 3.6), ((1.2, 1.8), (1.3, 1.6)), (2.8, 3.0), 0.7, 0.6, 0.3, 0.4, 0.6,
)  # fmt: skip
_BRICK = Style(
    "red brick", (0.12, 0.28), "brick", "slab", (0.35, 0.55), ("window", "window", "stair", "balcony"),
    (2.8, 3.4), ((1.2, 1.6), (1.3, 1.5)), (2.8, 2.9), 0.5, 0.4, 0.4, 0.2, 0.5,
)  # fmt: skip
_GREY = replace(
    _MOSAIC, name="grey plaster", wall=(0.2, 0.4), texture="plaster", bands="slab", cages=0.5, stains=1.0
)
_CREAM = replace(
    _BRICK, name="cream parapets", wall=(0.4, 0.6), texture="plaster", bands="parapet", band=(0.25, 0.8),
    bays=("balcony", "window", "balcony"), glazed=0.5, cages=0.3,
)  # fmt: skip
_STRIPES = replace(
    _MOSAIC, name="tiled pilasters", wall=(0.3, 0.5), texture="tile", bands="pilaster", band=(0.12, 0.75),
    bays=("window", "small", "balcony"), bay_m=(3.0, 4.0),
)  # fmt: skip
_SLABS = replace(
    _GREY, name="precast panels", wall=(0.3, 0.5), texture="panel", bands="none", bays=("window", "window", "wide"),
    cages=0.2, coolers=0.7, stains=0.8,
)  # fmt: skip
_LOGGIA = replace(
    _CREAM, name="row of loggias", wall=(0.25, 0.55), texture="tile", bands="slab", bays=("loggia", "loggia", "window"),
    bay_m=(3.2, 4.4), glazed=0.6, laundry=0.6,
)  # fmt: skip
_TOWER = replace(
    _STRIPES, name="tower of the nineties", wall=(0.35, 0.6), texture="mosaic", bands="checked", band=(0.15, 0.35),
    bays=("wide", "small", "balcony", "small"), floor_m=(2.8, 3.1), cages=0.35, glazed=0.8,
)  # fmt: skip
_DORMITORY = replace(
    _GREY, name="gallery house", wall=(0.3, 0.6), bands="parapet", band=(0.4, 0.7), bays=("gallery",),
    bay_m=(3.3, 3.9), floor_m=(3.0, 3.1), laundry=0.8, cages=0.15, coolers=0.3,
)  # fmt: skip
_PEBBLE = replace(
    _BRICK, name="pebble dash", wall=(0.18, 0.4), texture="pebble", bands="pilaster", band=(0.3, 0.6),
    bays=("window", "loggia", "stair", "loggia"), bay_m=(3.0, 3.7),
)  # fmt: skip
_VALIDATION = (
    replace(_LOGGIA, name="dark tiles, white loggias", wall=(0.1, 0.2), texture="tile", band=(0.6, 0.8), bands="slab"),
    replace(_SLABS, name="striped panels", wall=(0.4, 0.6), bands="parapet", band=(0.1, 0.3), bays=("wide", "balcony")),
)  # fmt: skip
_TEST = (
    Style(
        "long slab of cages", (0.25, 0.65), "plaster", "slab", (0.15, 0.6), ("wide", "balcony", "wide"),
        (3.4, 4.6), ((1.8, 2.4), (1.4, 1.8)), (2.8, 3.1), 0.95, 0.8, 0.5, 0.3, 0.9, (0.5, 0.85),
    ),
    Style(
        "glazed corners", (0.1, 0.35), "mosaic", "checked", (0.5, 0.8), ("loggia", "small", "wide", "small"),
        (2.4, 3.2), ((0.9, 1.5), (1.5, 1.9)), (2.9, 3.1), 0.2, 0.5, 0.15, 0.95, 0.4,
    ),
    Style(
        "bare concrete galleries", (0.25, 0.45), "panel", "parapet", (0.2, 0.35), ("gallery", "gallery", "stair"),
        (2.9, 3.4), ((0.9, 1.3), (1.2, 1.5)), (2.9, 3.1), 0.4, 0.3, 0.9, 0.1, 1.0,
    ),
    Style(
        "narrow brick bays", (0.14, 0.3), "brick", "pilaster", (0.5, 0.7), ("small", "window", "balcony", "stair"),
        (2.2, 2.7), ((0.8, 1.2), (1.4, 1.7)), (2.8, 3.0), 0.3, 0.7, 0.3, 0.5, 0.7,
    ),
)  # fmt: skip

STYLES: dict[Split, tuple[Style, ...]] = {
    "train": (_MOSAIC, _BRICK, _GREY, _CREAM, _STRIPES, _SLABS, _LOGGIA, _TOWER, _DORMITORY, _PEBBLE),
    "validation": _VALIDATION,
    "test": _TEST,
}


def style_of(rng: np.random.Generator, split: Split) -> Style:
    """Return a style of a split."""
    known = STYLES[split]
    first, second = known[rng.integers(len(known))], known[rng.integers(len(known))]
    if split != "train" or rng.random() > BRED or first == second:
        return first
    mine, theirs = asdict(first), asdict(second)
    mixed = {name: mine[name] if rng.random() < 0.5 else theirs[name] for name in mine}
    return replace(first, **(mixed | {"name": f"{first.name} × {second.name}"}))
