"""A model is used only when it is what its card says, and every refusal says where and how to mend it."""

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from gateway.vision.classifier import Classifier, ModelError
from gateway.vision.homes import HOMES, MODEL
from gateway.vision.tubelet import CHANNELS, CLASSES, CROPS, PATH_FEATURES, SIDE, STEPS, Tubelet

SHIPPED = HOMES[-1] / MODEL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / MODEL))


def tubelet(seed: int) -> Tubelet:
    rng = np.random.default_rng(seed)
    crops = rng.integers(0, 255, (CROPS, CHANNELS, SIDE, SIDE), dtype=np.uint8)
    return Tubelet(crops, rng.normal(0, 1, (PATH_FEATURES, STEPS)).astype(np.float32), (), {})


def test_the_shipped_model_loads_and_gives_probabilities() -> None:
    chances = Classifier.default().classify([tubelet(seed) for seed in range(40)])
    assert chances.shape == (40, len(CLASSES))
    assert chances.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_batch_says_the_same_as_one_by_one() -> None:
    judge, tubelets = Classifier.default(), [tubelet(seed) for seed in range(5)]
    together = judge.classify(tubelets)
    assert together == pytest.approx(np.concatenate([judge.classify([each]) for each in tubelets]), abs=1e-5)


def test_nothing_asked_is_nothing_answered() -> None:
    assert Classifier.default().classify([]).shape == (0, len(CLASSES))


def test_the_runtime_is_told_not_to_phone_home() -> None:
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_the_shipped_model_is_small() -> None:
    assert (SHIPPED / "model.onnx").stat().st_size <= 300_000


def test_a_changed_file_is_refused_by_its_digest(folder: Path) -> None:
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(ModelError, match=r"model\.onnx: sha256 .* not"):
        Classifier.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "model.toml"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        Classifier.load(folder)


@pytest.mark.parametrize(
    ("was", "now", "found"),
    [
        ("crops = [20, 32, 32]", "crops = [20, 16, 16]", "input crops"),
        ('"object", ', "", "classes"),
        ("threshold = ", "treshold = ", "threshold"),
        ("opset = ", "opset = = ", "model.toml"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(folder: Path, was: str, now: str, found: str) -> None:
    card = folder / "model.toml"
    text = card.read_text(encoding="utf-8")
    assert was in text
    card.write_text(text.replace(was, now, 1), encoding="utf-8")
    with pytest.raises(ModelError, match=found):
        Classifier.load(folder)


def test_what_is_no_network_is_refused(folder: Path) -> None:
    card, data = folder / "model.toml", b"no network"
    (folder / "model.onnx").write_bytes(data)
    old = card.read_text(encoding="utf-8").split('sha256 = "')[1].split('"')[0]
    text = card.read_text(encoding="utf-8").replace(old, hashlib.sha256(data).hexdigest())
    card.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.onnx"):
        Classifier.load(folder)
