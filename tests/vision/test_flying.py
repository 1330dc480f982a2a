"""Birds come down aslant and lie across their way: that weighs against a fall, and nothing else does."""

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from gateway.vision.flying import tempered
from gateway.vision.sight import Frame, NearMiss, Spot
from gateway.vision.watcher import Watcher
from tests.vision.street import FPS, film
from tests.vision.test_watcher import Sure

SCORE = 0.8


def track(*, aside: float, down: float = 200.0, w: float, h: float) -> list[Spot]:
    """A straight way with boxes of one size."""
    shares = np.linspace(0.0, 1.0, 12)
    return [
        Spot(n, n / 25, 300 + aside * share, 40 + down * share, w, h)
        for n, share in enumerate(shares.tolist())
    ]


def test_what_falls_straight_is_asked_nothing_more_however_wide_it_is() -> None:
    assert tempered(SCORE, track(aside=0.0, w=60, h=12)) == pytest.approx(SCORE)


def test_what_is_thrown_far_aside_is_asked_nothing_more_when_its_streak_lies_along_its_way() -> None:
    assert tempered(SCORE, track(aside=160.0, w=8, h=10)) == pytest.approx(SCORE)


def test_what_glides_down_with_wings_spread_must_look_very_much_like_a_fall() -> None:
    bird = track(aside=180.0, w=24, h=12)
    assert tempered(SCORE, bird) < 0.6
    assert tempered(0.98, bird) > 0.8


def test_the_wider_and_the_more_aslant_the_less_is_believed() -> None:
    aslant = [tempered(SCORE, track(aside=aside, w=16, h=10)) for aside in (0, 40, 120, 200)]
    wide = [tempered(SCORE, track(aside=120, w=w, h=10)) for w in (10, 12, 16, 24)]
    assert aslant == sorted(set(aslant), reverse=True)
    assert wide == sorted(set(wide), reverse=True)


def test_a_score_stays_a_probability_at_both_ends() -> None:
    bird = track(aside=400.0, w=80, h=1)
    assert tempered(1.0, bird) <= 1.0
    assert tempered(0.0, bird) == 0.0


def coming_down(*, aside: float) -> Iterator[Frame]:
    """A thing twice as wide as tall that speeds up on its way down, `aside` px a second to the right."""
    for frame in film(lambda _: None):
        luma, since = frame.luma.copy(), frame.time_s - 1.4
        if since > 0:
            at = (round(120 + aside * since), round(50 + 110 * since + 70 * since**2))
            cv2.ellipse(luma, at, (9, 4), 0, 0, 360, (20,), -1)
        yield Frame(frame.index, frame.time_s, luma)


@pytest.mark.parametrize(("aside", "told"), [(0.0, 1), (220.0, 0)], ids=["straight", "aslant"])
def test_the_watcher_tells_of_a_wide_thing_that_falls_straight_and_of_none_that_comes_down_aslant(
    aside: float, told: int
) -> None:
    heard: list[NearMiss] = []
    watcher = Watcher(Sure(SCORE), threshold=0.6, explain=heard.append)
    falls = [fall for frame in coming_down(aside=aside) for fall in watcher.feed(frame)] + watcher.finish()
    assert len(falls) == told
    assert [miss.reason for miss in heard] == ["flying"] * (1 - told)
    assert all(fall.t_end < 3.0 and len(fall.track) > FPS // 4 for fall in falls)
