"""Where a fall was lost: each part of the watcher is named by what it says of the tracks that lie on the fall."""

from collections.abc import Sequence

import numpy as np
import pytest

from gateway.vision.sight import Fall, Frame, NearMiss, Spot
from gateway.vision.tubelet import CHANNELS, CROPS, PATH_FEATURES, SIDE, STEPS, Tubelet
from models.train.losses import Loss, Notes, loss_of
from models.train.render.settings import Truth
from tests.vision.clips import pictures, steady


def spots(first: int, last: int, *, x: float = 100.0) -> tuple[Spot, ...]:
    return tuple(Spot(frame, frame / 25, x, 5.0 * frame, 8, 8) for frame in range(first, last + 1))


TRUTH = Truth(kind="bottle", floor=5, terminal_mps=25.0, spots=spots(10, 29))


def miss(reason: str, track: Sequence[Spot], score: float = 0.0) -> NearMiss:
    return NearMiss(track[0].time_s, track[-1].time_s, reason, score, tuple(track))


def tubelet(track: tuple[Spot, ...]) -> Tubelet:
    crops = np.zeros((CROPS, CHANNELS, SIDE, SIDE), np.uint8)
    return Tubelet(crops, np.zeros((PATH_FEATURES, STEPS), np.float32), track, {})


@pytest.mark.parametrize(
    ("misses", "lost"),
    [
        ([miss("short", spots(10, 13))], Loss("gate", "short", 0.0, 4)),
        ([miss("short", spots(10, 13)), miss("unlike", spots(15, 24), 0.4)], Loss("network", "unlike", 0.4, 10)),
        ([miss("flying", spots(15, 24), 0.6), miss("unlike", spots(11, 13), 0.2)],
         Loss("checks", "flying", 0.6, 10)),
        ([miss("unlike", (*spots(10, 12), *spots(13, 20, x=300)), 0.4)], Loss("mixed")),
    ],
)  # fmt: skip
def test_a_loss_is_laid_to_the_last_part_that_a_track_on_the_fall_reached(
    misses: list[NearMiss], lost: Loss
) -> None:
    assert loss_of(TRUTH, (), Notes(misses=misses), ()) == lost


def test_a_track_that_the_network_gave_no_chance_is_lost_by_the_network() -> None:
    """Of scores below a twentieth the watcher does not speak."""
    assert loss_of(TRUTH, (), Notes(tubelets=[tubelet(spots(10, 20))]), ()) == Loss(
        "network", "unlike", 0.0, 11
    )


def test_an_alarm_on_the_fall_that_did_not_count_was_told() -> None:
    track = (*spots(10, 13), *spots(14, 20, x=300))
    alarm = Fall(0.4, 0.8, 0.9, track, 1.0)
    assert loss_of(TRUTH, (alarm,), Notes(), ()) == Loss("told")


@pytest.mark.parametrize(("drops", "part"), [(True, "linking"), (False, "motion")])
def test_without_a_track_it_is_asked_whether_motion_was_seen_at_all(drops: bool, part: str) -> None:
    times = steady(2.6)
    shown = pictures(times, drops=drops)
    frames = [Frame(n, time, luma) for n, (time, luma) in enumerate(zip(times, shown, strict=True))]
    path = tuple(Spot(n, n / 25, 300, 30 + 260 * (n / 25 - 1.4) ** 2, 7, 7) for n in range(36, 62))
    lost = loss_of(Truth("can", 3, 20.0, spots=path), (), Notes(), frames)
    assert lost.part == part
