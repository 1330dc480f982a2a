"""Jitter goes out of a stream's times; what truly varies stays as it is."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gateway.vision.jitter import JitterFilter

Times = NDArray[np.float64]
PICTURES = 1000
SETTLED = 50  # pictures after which it knows a stream


def evened(stamps: Sequence[float] | Times) -> Times:
    jitter = JitterFilter()
    return np.array([jitter.even(float(stamp)) for stamp in stamps])


def wobble_ms(times: Times, true: Times) -> float:
    """How far times lie off the true ones, over the length of a fall and apart from a steady difference."""
    parts = [slice(at, at + 16) for at in range(SETTLED, len(true) - 16, 8)]
    off = [np.polynomial.Polynomial.fit(true[p], (times - true)[p], 1) for p in parts]
    left = [(times - true)[p] - fit(true[p]) for p, fit in zip(parts, off, strict=True)]
    return float(1000 * np.sqrt(np.mean(np.square(left))))


def normal(spread_s: float, seed: int = 0) -> Times:
    dice = np.random.default_rng(seed)
    return np.clip(dice.normal(0, spread_s, PICTURES), -0.018, 0.018)


@pytest.mark.parametrize("fps", [12, 15, 25, 30, 60])
def test_regular_times_stay_what_they_are_also_where_pictures_are_lost(fps: int) -> None:
    times = np.arange(PICTURES) / fps
    kept = times[np.random.default_rng(1).random(PICTURES) > 0.1]
    assert evened(times).tolist() == times.tolist()
    assert evened(kept).tolist() == kept.tolist()


@pytest.mark.parametrize("spread_ms", [1, 2, 4, 6])
@pytest.mark.parametrize("fps", [15, 25])
def test_jitter_goes_out(spread_ms: int, fps: int) -> None:
    true = np.arange(PICTURES) / fps
    stamps = true + normal(spread_ms / 1000)
    assert wobble_ms(evened(stamps), true) < wobble_ms(stamps, true) / 4


def test_jitter_goes_out_where_pictures_are_lost_or_late_by_half_a_period() -> None:
    true = np.arange(PICTURES) / 25
    kept = np.random.default_rng(2).random(PICTURES) > 0.1
    stamps = true + normal(0.004)
    assert wobble_ms(evened(stamps[kept]), true[kept]) < wobble_ms(stamps[kept], true[kept]) / 4
    late = true + np.where(np.arange(PICTURES) % 4 == 0, 0.02, 0.0)
    assert wobble_ms(evened(late), true) < wobble_ms(late, true) / 4


def test_a_camera_s_clock_that_drifts_is_followed() -> None:
    true = np.cumsum(0.04 * (1 + 2e-4 * np.sin(np.arange(PICTURES) / 100)))
    stamps = true + normal(0.003)
    times = evened(stamps)
    assert wobble_ms(times, true) < wobble_ms(stamps, true) / 4
    assert np.abs(times - true)[SETTLED:].max() < 0.008


@pytest.mark.parametrize(
    "periods",
    [
        1 / 30 + np.random.default_rng(3).normal(0, 0.003, PICTURES),
        1 / (27 + 3 * np.sin(np.arange(PICTURES) / 60)),
        np.where(np.arange(PICTURES) % 3 == 0, 1 / 15, 1 / 30),
    ],
    ids=["by chance", "with the light", "by turns"],
)
def test_periods_that_truly_vary_are_left_as_they_are(periods: Times) -> None:
    true = np.cumsum(periods)
    assert wobble_ms(evened(true), true) < 0.1


@pytest.mark.parametrize("after", [1 / 12, 1 / 50, 0.0333])
def test_another_rate_is_soon_known(after: float) -> None:
    true = np.cumsum(np.where(np.arange(PICTURES) < 300, 0.04, after))
    stamps = true + normal(0.002)
    later = slice(300 + SETTLED, None)
    assert wobble_ms(evened(stamps)[later], true[later]) < wobble_ms(stamps[later], true[later]) / 2


def test_after_a_break_times_are_those_of_the_stream() -> None:
    true = np.arange(PICTURES) * 0.04
    true[500:] += 7.013
    times = evened(true + normal(0.003))
    assert np.abs(times - true).max() < 0.03


def test_the_period_is_known_after_a_dozen_pictures() -> None:
    jitter = JitterFilter()
    for stamp in np.arange(12) / 50:
        jitter.even(float(stamp))
    assert jitter.period_s == 0.0
    jitter.even(12 / 50)
    assert jitter.period_s == pytest.approx(0.02)


@given(st.lists(st.floats(1e-4, 5.0), min_size=2, max_size=200))
def test_times_always_grow(lapses: list[float]) -> None:
    times = evened(list(itertools.accumulate(lapses)))
    assert all(a < b for a, b in itertools.pairwise(times.tolist()))
