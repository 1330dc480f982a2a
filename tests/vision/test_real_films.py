"""Real films in which nothing falls raise nothing: people in a street, a tree in the wind, a desk (of OpenCV)."""

import gzip
from pathlib import Path

import pytest

from gateway.vision.classifier import Classifier
from gateway.vision.frames import open_source
from gateway.vision.watcher import Watcher

HOME = Path("/usr/share/doc/opencv-doc")
FILMS = (
    "examples/data/vtest.avi",
    "examples/data/tree.avi",
    "opencv4/html/cup.mp4.gz",
    "opencv4/html/box.mp4.gz",
)


@pytest.mark.parametrize("name", FILMS)
def test_a_real_film_in_which_nothing_falls_raises_nothing(name: str, tmp_path: Path) -> None:
    film = HOME / name
    if not film.exists():
        pytest.skip("opencv-doc is not installed, or its documentation was left out")
    if film.suffix == ".gz":
        plain = tmp_path / film.stem
        plain.write_bytes(gzip.decompress(film.read_bytes()))
        film = plain
    judge = Classifier.default()
    watcher = Watcher(judge, threshold=judge.card.threshold)
    with open_source(str(film)) as source:
        falls = [fall for frame in source.frames() for fall in watcher.feed(frame)]
    assert falls + watcher.finish() == []
    assert watcher.statistics.frames > 60
