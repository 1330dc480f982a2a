"""Falls over real pictures: the same from the same seed, where the truth says, and the picture itself elsewhere."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.train import composed
from models.train.composed import ComposedStream, settings_of
from models.train.footage import Footage
from models.train.losses import PARTS
from models.train.render.lens import look
from models.train.render.overlay import Overlay
from models.train.render.parts import Patch
from models.train.render.settings import Settings
from tests.vision.clips import pictures, steady, write

SEED = 3


@pytest.fixture(scope="module")
def street() -> Footage:
    """Return a wall before a camera that stands still; two seconds of it, so it is played to and fro."""
    shown = tuple(pictures(steady(2.0), width=480, height=360, drops=False))
    return Footage("street.mp4", 25, shown, 1.5)


def test_the_same_seed_and_footage_make_the_same_clip(street: Footage) -> None:
    one, other = (ComposedStream(street, settings_of(street, SEED, 0)) for _ in range(2))
    assert all(np.array_equal(a.luma, b.luma) for a, b in zip(one.frames(), other.frames(), strict=True))
    assert one.truths == other.truths
    assert settings_of(street, SEED, 1).seed != settings_of(street, SEED, 0).seed


def test_the_fall_goes_down_through_the_picture_and_shows_where_it_is_said_to(street: Footage) -> None:
    stream = ComposedStream(street, settings_of(street, SEED, 0))
    shown = [frame.luma.copy() for frame in stream.frames()]
    (truth,) = stream.truths
    assert all(b.y + b.h >= a.y + a.h - 2 for a, b in pairwise(truth.spots))
    still = np.median(shown[::9], axis=0)
    peaks = []
    for spot in truth.spots:
        region = np.s_[int(spot.y) : int(spot.y + spot.h) + 1, int(spot.x) : int(spot.x + spot.w) + 1]
        peaks.append(float(np.abs(shown[spot.frame][region] - still[region]).max()))
    assert np.median(peaks) > 0.5 * truth.contrast


def test_a_picture_over_which_nothing_is_laid_is_the_picture_itself(street: Footage) -> None:
    lens = look(np.random.default_rng(1), Settings(seed=1, split="test"), 0.0)
    overlay = Overlay(np.random.default_rng(1), lens, np.ones((360, 480), np.float32), noise=0.0)
    plain = street.pictures[0]
    assert overlay.lay(plain, [])[0] is plain
    black = Patch(200, 100, np.ones((12, 12), np.float32), np.zeros((12, 12), np.float32))
    changed, (seen,) = overlay.lay(plain, [black])
    assert seen is not None
    assert seen.contrast > 20
    off = np.abs(changed.astype(int) - plain)
    assert off[100:112, 200:212].min() > 8
    off[88:124, 188:224] = 0
    assert off.max() == 0
    for _ in range(30):  # its ghost fades
        after = overlay.lay(plain, [])[0]
    assert after is plain


def test_a_loss_is_told_with_the_part_that_lost_it(street: Footage, tmp_path: Path) -> None:
    home = Path(composed.__file__).parents[1] / "falling-object"
    film = write(tmp_path / "street.mp4", street.pictures, steady(2.0))
    trials = composed.run_trials((film, range(2)), seed=SEED, model=home)
    assert not isinstance(trials, str)
    assert trials
    for trial in trials:
        assert (trial.loss is None) == trial.clip.ours.hit
        assert trial.loss is None or trial.loss.part in PARTS
    told = composed.figures(trials)
    assert told["falls"] == len(trials)
    assert json.loads(json.dumps(told)) == told
    assert "lost, because" in composed.tables(trials)


def test_a_clip_that_is_no_footage_is_told_and_not_counted(tmp_path: Path) -> None:
    film = write(tmp_path / "short.mp4", pictures(steady(1.0), width=480, height=360), steady(1.0))
    told = composed.run_trials((film, range(2)), seed=SEED, model=Path())
    assert isinstance(told, str)
    assert "short.mp4" in told
