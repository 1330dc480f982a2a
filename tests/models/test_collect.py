"""Tracks get the right names, shards come back as they were, and a stream is the same whoever renders it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.vision.sight import Spot
from gateway.vision.tubelet import CHANNELS, CLASSES, CROPS, PATH_FEATURES, SIDE, STEPS, Tubelet
from models.train import collect, shards
from models.train.collect import Kept
from models.train.render.negatives import CAUSES
from models.train.render.stream import Truth
from models.train.shards import ANY_NEGATIVE, OBJECT


def path(first: int, last: int, *, x: float = 100.0) -> tuple[Spot, ...]:
    return tuple(Spot(frame, frame / 25, x, 5.0 * frame, 8, 8) for frame in range(first, last + 1))


def truth(first: int, last: int, *, twin: bool = False) -> Truth:
    return Truth(kind="bottle", floor=5, terminal_mps=25.0, twin=twin, spots=path(first, last))


def kept(label: int, *, cause: str = "bird") -> Kept:
    crops = np.full((CROPS, CHANNELS, SIDE, SIDE), label, np.uint8)
    paths = np.full((PATH_FEATURES, STEPS), label / 8, np.float32)
    return Kept(Tubelet(crops, paths, (), {}), label, cause, (7.0, 3.0, 20.0, 1.0))


def test_a_track_half_on_a_fall_is_an_object() -> None:
    told = collect.label(path(0, 9), [truth(0, 4)], ("bird",))
    assert told is not None
    assert told[:2] == (OBJECT, "object")


def test_a_track_partly_on_a_fall_is_kept_out() -> None:
    assert collect.label(path(0, 9), [truth(0, 2)], ("bird",)) is None


def test_what_may_be_a_ball_that_comes_down_again_is_kept_out_and_a_true_fall_beside_it_is_not() -> None:
    """Tracks are judged from their highest place on, and from there a ball falls like anything else."""
    assert collect.label(path(0, 9, x=300), [truth(0, 9)], ("bird", "thrown_up")) is None
    told = collect.label(path(0, 9), [truth(0, 9)], ("thrown_up",))
    assert told is not None
    assert told[0] == OBJECT


def test_a_track_beside_the_fall_is_named_after_what_else_went_on() -> None:
    told = collect.label(path(0, 9, x=300), [truth(0, 9)], ("rain.far",))
    assert told == (CLASSES.index("rain_snow_drip"), "rain.far", None)


def test_the_mirror_image_of_a_fall_is_an_object_too() -> None:
    told = collect.label(path(0, 9), [truth(0, 9, twin=True)], ())
    assert told is not None
    assert told[0] == OBJECT


@pytest.mark.parametrize("causes", [(), ("bird", "leaf")])
def test_where_the_cause_is_not_known_it_is_only_no_object(causes: tuple[str, ...]) -> None:
    told = collect.label(path(0, 9), [], causes)
    assert told is not None
    assert told[0] == ANY_NEGATIVE


def test_every_cause_that_can_be_rendered_has_a_class() -> None:
    assert collect.CLASS_OF_CAUSE.keys() == CAUSES.keys()
    assert set(collect.CLASS_OF_CAUSE.values()) == set(range(1, len(CLASSES)))


def test_the_same_number_gives_the_same_stream_and_another_split_another() -> None:
    names = sorted(CAUSES)
    assert collect.plan(1, "train", 5, names) == collect.plan(1, "train", 5, names)
    assert collect.plan(1, "train", 5, names).seed != collect.plan(1, "validation", 5, names).seed


@pytest.mark.parametrize("split", collect.SPLITS)
def test_every_cause_comes_round_in_turn(split: collect.Split) -> None:
    names, every = sorted(CAUSES), collect.QUIET_EVERY[split]
    quiet = [collect.plan(1, split, number, names) for number in range(1, every * len(names), every)]
    assert sorted(settings.causes[0] for settings in quiet) == names
    assert not any(settings.falls for settings in quiet)


@pytest.mark.parametrize("split", collect.SPLITS)
def test_all_other_streams_have_falls(split: collect.Split) -> None:
    names, every = sorted(CAUSES), collect.QUIET_EVERY[split]
    others = [number for number in range(40) if number % every != 1]
    assert all(collect.plan(1, split, number, names).falls for number in others)


def test_in_still_streams_nothing_falls_and_causes_come_round() -> None:
    plans = [collect.plan(1, "train", number, ("bird", "leaf"), still=True) for number in range(4)]
    assert [each.falls for each in plans] == [0] * 4
    assert [each.causes[0] for each in plans] == ["bird", "leaf"] * 2


def test_one_shower_does_not_drown_everything_else() -> None:
    shower = [kept(0), *[kept(2) for _ in range(500)]]
    left = collect.thinned(shower, np.random.default_rng(1))
    assert [each.label for each in left] == [OBJECT, *[2] * collect.MOST_OF_A_STREAM]


def test_a_shard_comes_back_as_it_was(tmp_path: Path) -> None:
    before = collect.packed([kept(0, cause="object"), kept(3)])
    shards.save(before, tmp_path / "train-1.npz")
    after = shards.load(tmp_path / "train-1.npz")
    np.testing.assert_array_equal(after.crops, before.crops)
    np.testing.assert_array_equal(after.paths, before.paths)
    assert after.causes.tolist() == ["object", "bird"]
    assert [file.name for file in tmp_path.iterdir()] == ["train-1.npz"]


def test_shards_of_one_split_are_joined_in_order(tmp_path: Path) -> None:
    for number, label in enumerate((2, 0)):
        shards.save(collect.packed([kept(label)]), tmp_path / f"train-{number}.npz")
    shards.save(collect.packed([]), tmp_path / "train-2.npz")
    shards.save(collect.packed([kept(4)]), tmp_path / "validation-0.npz")
    assert shards.load_all(tmp_path, "train-*.npz").labels.tolist() == [2, 0]


def test_no_shards_are_no_tubelets(tmp_path: Path) -> None:
    assert len(shards.load_all(tmp_path, "*.npz")) == 0


def test_only_missing_shards_are_made(tmp_path: Path) -> None:
    todo = collect.jobs(tmp_path, seed=1, split="train", streams=20)
    assert [(job.first, job.count) for job in todo] == [(0, 8), (8, 8), (16, 4)]
    todo[1].path.touch()
    assert [job.first for job in collect.jobs(tmp_path, seed=1, split="train", streams=20)] == [0, 16]


class Opinion:
    """Finds everything as likely to be an object as its first pixel is bright."""

    def classify(self, tubelets: Sequence[Tubelet]) -> NDArray[np.float32]:
        chances = np.zeros((len(tubelets), len(CLASSES)), np.float32)
        chances[:, OBJECT] = [tubelet.crops[0, 0, 0, 0] / 255 for tubelet in tubelets]
        return chances


def test_mining_keeps_objects_and_what_looks_like_one() -> None:
    easy, hard = kept(1), kept(200)
    found = collect.mined([kept(0), hard, *[easy] * 200], Opinion(), np.random.default_rng(1))
    assert [each.label for each in found[:2]] == [0, 200]
    assert 5 <= sum(each.label == 1 for each in found) <= 40


def test_mining_of_nothing_is_nothing() -> None:
    assert collect.mined([], Opinion(), np.random.default_rng(1)) == []


def test_a_working_folder_is_not_taken_for_another_seed_or_size(tmp_path: Path) -> None:
    shards.claim(tmp_path / "work", "--seed 1")
    shards.claim(tmp_path / "work", "--seed 1")
    with pytest.raises(ValueError, match="take another --work"):
        shards.claim(tmp_path / "work", "--seed 2")
