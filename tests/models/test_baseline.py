"""The classical baseline on drawn frames: it finds a plain fall, so that the comparison with it is fair."""

from collections.abc import Callable

import numpy as np
import pytest

from gateway.vision.sight import Fall, Frame, Outlook
from models.train.baseline import Classical

HEIGHT, WIDTH, RATE = 360, 480, 25

Path = Callable[[float], tuple[float, float]]


def watch(path: Path, outlook: Outlook | None = None, *, size: int = 8, seconds: float = 3.4) -> list[Fall]:
    """A dark square along a path, from 2 s on, before a noisy grey wall."""
    rng = np.random.default_rng(1)
    wall = rng.integers(110, 150, (HEIGHT, WIDTH)).astype(np.int16)
    watcher, falls = Classical(outlook), []
    for index in range(int(seconds * RATE)):
        now = index / RATE
        picture = wall + rng.normal(0, 2, wall.shape).astype(np.int16)
        if now >= 2.0:
            x, y = (int(value) for value in path(now - 2.0))
            picture[max(y, 0) : max(y + size, 0), max(x, 0) : max(x + size, 0)] = 20
        falls += watcher.feed(Frame(index, now, picture.clip(0, 255).astype(np.uint8)))
    return falls + watcher.finish()


def falling(t: float) -> tuple[float, float]:
    return 200 + 10 * t, 20 + 20 * t + 0.5 * 350 * t * t


def sideways(t: float) -> tuple[float, float]:
    return 10 + 0.5 * 350 * t * t, 100 + 20 * t


def gliding(t: float) -> tuple[float, float]:
    return 200 + 10 * t, 20 + 150 * t


def test_a_plain_fall_is_found_once() -> None:
    (fall,) = watch(falling)
    assert fall.t_start == pytest.approx(2.0, abs=0.3)
    assert fall.track[-1].y > fall.track[0].y + 150
    assert fall.track[0].centre[0] == pytest.approx(204, abs=4)


@pytest.mark.parametrize("path", [sideways, gliding])
def test_what_goes_aside_or_does_not_speed_up_is_none(path: Path) -> None:
    assert watch(path) == []


def test_nothing_is_found_where_nothing_moves() -> None:
    assert watch(lambda _: (-50, -50)) == []


def test_a_fall_that_starts_off_the_facade_is_none() -> None:
    assert watch(falling, Outlook(watch=((0, 0), (150, 0), (150, 359), (0, 359)))) == []


def test_nothing_is_found_where_we_are_told_not_to_look() -> None:
    assert watch(falling, Outlook(ignore=(((150, 0), (300, 0), (300, 359), (150, 359)),))) == []
