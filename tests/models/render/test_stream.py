"""Streams: the same from the same seed, true to their truths, and honest about what is held out."""

from collections import deque
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models.train.render.loop import LoopStream
from models.train.render.settings import SPLITS, Settings
from models.train.render.stream import Stream, write
from models.train.render.styles import STYLES, style_of

SMALL = Settings(seed=4, width=960, height=540, seconds=2.5, shaking=False)
Pictures = list[NDArray[np.uint8]]


def streamed(settings: Settings) -> tuple[Stream, Pictures]:
    stream = Stream(settings)
    return stream, [frame.luma.copy() for frame in stream.frames()]


def test_the_same_seed_makes_the_same_stream() -> None:
    settings = replace(SMALL, seconds=1.0)
    (first, pictures), (second, others) = streamed(settings), streamed(settings)
    assert all(np.array_equal(a, b) for a, b in zip(pictures, others, strict=True))
    assert first.truths == second.truths


def test_splits_with_the_same_seed_are_different_streets() -> None:
    stills = [next(iter(Stream(replace(SMALL, split=split)).frames())).luma for split in SPLITS]
    assert not np.array_equal(stills[0], stills[1])
    assert not np.array_equal(stills[0], stills[2])


def test_no_style_of_the_test_is_shown_in_training() -> None:
    names = {split: {style.name for style in STYLES[split]} for split in SPLITS}
    assert not names["test"] & (names["train"] | names["validation"])
    assert not names["validation"] & names["train"]
    rng = np.random.default_rng(1)
    for _ in range(50):
        bred = set(style_of(rng, "train").name.split(" × "))
        assert bred <= names["train"]


@pytest.mark.parametrize("seed", [2, 8])
def test_truth_boxes_lie_where_pixels_change(seed: int) -> None:
    """Inside its boxes a picture differs from the one before the fall by about the contrast it is said to have."""
    stream, pictures = streamed(replace(SMALL, seed=seed))
    truth = stream.truths[0]
    still = np.median(pictures[:: max(1, len(pictures) // 9)], axis=0)
    peaks = []
    for spot in truth.spots:
        x, y = int(spot.x), int(spot.y)
        region = np.s_[y : y + int(spot.h) + 1, x : x + int(spot.w) + 1]
        peaks.append(np.abs(pictures[spot.frame][region] - still[region]).max())
    assert np.median(peaks) > 0.5 * truth.contrast


def test_truth_boxes_stay_in_the_picture_and_go_down() -> None:
    stream, pictures = streamed(replace(SMALL, seed=8, falls=2))
    height, width = pictures[0].shape
    for truth in stream.truths:
        frames = [spot.frame for spot in truth.spots]
        assert frames == sorted(set(frames))
        assert all(spot.x >= 0 and spot.y >= 0 for spot in truth.spots)
        assert all(spot.x + spot.w <= width and spot.y + spot.h <= height for spot in truth.spots)
        assert truth.spots[-1].y > truth.spots[0].y
        assert truth.size_px > 0


def test_frames_are_numbered_and_timed_without_a_gap_unless_frames_were_lost() -> None:
    stream = Stream(replace(SMALL, seconds=1.0))
    frames = [(frame.index, frame.time_s) for frame in stream.frames()]
    assert [index for index, _ in frames] == list(range(len(frames)))
    times = [time_s for _, time_s in frames]
    assert times == sorted(set(times))
    assert times[-1] <= SMALL.seconds


def test_a_part_is_smaller_and_its_fall_is_inside() -> None:
    stream, pictures = streamed(replace(SMALL, seed=5, width=1920, height=1080, window="part", seconds=3.0))
    assert pictures[0].shape == (stream.view.height, stream.view.width)
    assert stream.view.width < 1920
    assert len(stream.truths[0].spots) >= 6


def test_a_shaking_camera_moves_and_a_steady_one_does_not() -> None:
    steady, shaken = (
        Stream(replace(SMALL, seed=3, shaking=shaking)).facts["jitter_px"] for shaking in (False, True)
    )
    assert steady == 0.0
    assert float(shaken) > 0.05


def test_the_outlook_knows_the_floors_from_bottom_to_top() -> None:
    floors = Stream(replace(SMALL, seed=6)).outlook.floors
    assert len(floors) >= 2
    assert [floor for _, floor in floors] == sorted(floor for _, floor in floors)
    assert [y for y, _ in floors] == sorted((y for y, _ in floors), reverse=True)


def test_a_stream_can_be_written_and_read_again(tmp_path: Path) -> None:
    stream = Stream(replace(SMALL, seconds=1.0))
    write(stream, tmp_path / "street.mp4")
    with av.open(str(tmp_path / "street.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 20


def test_a_loop_is_its_base_wherever_nothing_moves() -> None:
    """Birds change the pixels they are at, and no others."""
    settings = replace(SMALL, seed=9, causes=("bird",))
    base = LoopStream(settings).base()
    frames = LoopStream(settings).frames()
    changed = [float((frame.luma != base[frame.index]).mean()) for frame in islice(frames, 40)]
    assert max(changed) < 0.25
    assert any(share > 0 for share in changed)


def test_a_loop_without_causes_shows_its_base_to_and_fro() -> None:
    hours = 3 / 3600
    base = LoopStream(SMALL, hours, base_s=1.0).base()
    frames = [frame.luma for frame in LoopStream(SMALL, hours, base_s=1.0).frames()]
    assert len(base) == 25
    assert len(frames) == 75
    assert all(np.array_equal(a, b) for a, b in zip(frames, [*base, *base[-2:0:-1], *base], strict=False))


def test_a_frame_of_a_loop_stays_as_it_is_for_sixteen_more() -> None:
    loop = LoopStream(replace(SMALL, seed=9, causes=("rain.far",)), base_s=1.0)
    recent: deque[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = deque(maxlen=16)
    for frame in islice(loop.frames(), 50):
        recent.append((frame.luma, frame.luma.copy()))
        assert all(np.array_equal(now, then) for now, then in recent)
