"""What is drawn to fall: every kind as often as its share says, what drifts oftener where that is asked."""

from collections import Counter

import numpy as np

from models.train.render.kinds import KINDS, kind_of


def drawn(*, drifting: float) -> Counter[str]:
    """Return how often each kind came in 4000 draws."""
    rng = np.random.default_rng(1)
    return Counter(kind_of(rng, drifting=drifting).name for _ in range(4000))


def test_kinds_come_as_often_as_their_shares_say() -> None:
    whole = sum(kind.share for kind in KINDS)
    found = drawn(drifting=1.0)
    assert all(abs(found[kind.name] / 4000 - kind.share / whole) < 0.02 for kind in KINDS)


def test_what_drifts_comes_twice_as_often_beside_the_others() -> None:
    light = {kind.name for kind in KINDS if kind.flutters}
    share, twice = (
        sum(found[name] for name in light) / sum(found[name] for name in found.keys() - light)
        for found in (drawn(drifting=1.0), drawn(drifting=2.0))
    )
    assert 1.8 < twice / share < 2.2
