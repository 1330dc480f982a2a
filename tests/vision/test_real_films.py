"""Real films in which nothing falls raise nothing: people in a street, a tree in the wind (of OpenCV)."""

from pathlib import Path

import pytest

from gateway.vision.classifier import Classifier
from gateway.vision.frames import open_source
from gateway.vision.watcher import Watcher

FILMS = Path("/usr/share/doc/opencv-doc/examples/data")


@pytest.mark.parametrize("name", ["vtest.avi", "tree.avi"])
def test_a_real_film_in_which_nothing_falls_raises_nothing(name: str) -> None:
    film = FILMS / name
    if not film.exists():
        pytest.skip("opencv-doc is not installed, or its documentation was left out")
    judge = Classifier.default()
    watcher = Watcher(judge, threshold=judge.card.threshold)
    with open_source(str(film)) as source:
        falls = [fall for frame in source.frames() for fall in watcher.feed(frame)]
    assert falls + watcher.finish() == []
    assert watcher.statistics.frames > 60
