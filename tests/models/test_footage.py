"""Footage to lay falls over is of a camera that stands still; what is none is refused, and says why."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.footage import FootageError, footage, noise_of
from tests.vision.clips import pictures, steady, wall, write

Luma = NDArray[np.uint8]


def street(seconds: float) -> list[Luma]:
    """Return a wall with a little noise before a camera that stands still."""
    return list(pictures(steady(seconds), drops=False))


def test_a_clip_of_a_fixed_camera_comes_whole_with_its_rate(tmp_path: Path) -> None:
    real = footage(write(tmp_path / "street.mp4", street(3.0), steady(3.0)))
    assert (real.fps, len(real.pictures), real.seconds) == (25, 75, 3.0)
    assert real.pictures[0].shape == (480, 640)


def test_shown_at_another_rate_it_is_as_many_pictures_in_another_time(tmp_path: Path) -> None:
    real = footage(write(tmp_path / "street.mp4", street(3.0), steady(3.0)), fps=10)
    assert (real.fps, len(real.pictures), real.seconds) == (10, 75, 7.5)


def test_of_two_scenes_the_longer_is_taken_alone(tmp_path: Path) -> None:
    dark = [255 - picture for picture in street(3.0)]
    film = write(tmp_path / "cut.mp4", [*street(1.0), *dark], steady(4.0))
    real = footage(film)
    assert len(real.pictures) == 75
    assert np.median(real.pictures[0]) < 120


def test_a_camera_that_turns_is_refused(tmp_path: Path) -> None:
    wide = wall(1600, 480)
    turning = [wide[:, 3 * n : 3 * n + 640].clip(0, 255).astype(np.uint8) for n in range(60)]
    with pytest.raises(FootageError, match=r"turns\.mp4: the camera moves"):
        footage(write(tmp_path / "turns.mp4", turning, steady(2.4)))


@pytest.mark.parametrize(
    ("seconds", "fps", "why"), [(1.0, None, "25 pictures without a cut"), (3.0, 5, "5.0 pictures a second")]
)
def test_what_is_too_short_or_too_slow_is_refused(
    seconds: float, fps: int | None, why: str, tmp_path: Path
) -> None:
    film = write(tmp_path / "few.mp4", street(seconds), steady(seconds))
    with pytest.raises(FootageError, match=why):
        footage(film, fps=fps)


@pytest.mark.parametrize("sigma", [0.6, 2.0])
def test_noise_is_measured_beside_what_moves(sigma: float) -> None:
    rng = np.random.default_rng(1)
    shown = [(wall(640, 480) + rng.normal(0, sigma, (480, 640))).clip(0, 255) for _ in range(6)]
    for number, picture in enumerate(shown):
        picture[100:300, 60 * number : 60 * number + 120] = 20
    assert noise_of([picture.round().astype(np.uint8) for picture in shown]) == pytest.approx(sigma, rel=0.25)
