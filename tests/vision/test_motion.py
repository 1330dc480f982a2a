"""What moves in a picture costs a few passes over its bytes, and few copies of it."""

import tracemalloc
from collections.abc import Container, Iterator
from typing import Any

import numpy as np
import pytest

from gateway.vision import motion
from gateway.vision.motion import Motion
from gateway.vision.sight import Frame, Outlook
from tests.vision.street import falling, film

WIDTH, HEIGHT = 1280, 720
PICTURE = WIDTH * HEIGHT


@pytest.fixture
def measured() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def blinking(frames: int, *, flash: Container[int] = ()) -> Iterator[Frame]:
    """A grey wall with some noise; some pictures of it are all white."""
    rng = np.random.default_rng(1)
    walls = [rng.integers(96, 102, (HEIGHT, WIDTH), np.uint8) for _ in range(3)]
    for index in range(frames):
        luma = np.full_like(walls[0], 250) if index in flash else walls[index % 3]
        yield Frame(index, index / 25, luma)


@pytest.mark.usefixtures("measured")
def test_what_a_camera_holds_is_no_more_than_fifteen_pictures() -> None:
    frames = list(blinking(3))
    watching = Motion(Outlook())
    before = tracemalloc.get_traced_memory()[0]
    for index in range(60):
        watching.feed(Frame(index, index / 25, frames[index % 3].luma))
    held = tracemalloc.get_traced_memory()[0] - before
    assert len(watching.earlier) > 10
    assert held < 15 * PICTURE


@pytest.mark.usefixtures("measured")
def test_a_flash_in_which_every_pixel_moves_takes_no_more_memory_than_a_picture() -> None:
    watching = Motion(Outlook())
    for frame in blinking(40, flash=[30]):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        watching.feed(frame)
        if frame.index > 30:
            assert tracemalloc.get_traced_memory()[1] - before < 1.2 * PICTURE
    assert watching.blind > 0


@pytest.mark.parametrize("shake", [0.0, 1.2], ids=["steady", "shaking"])
def test_what_moves_is_the_same_however_a_picture_is_cut_into_strips(
    shake: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(strip: int) -> list[bytes]:
        monkeypatch.setattr(motion, "STRIP", strip)
        monkeypatch.setattr(motion, "MANY_PIXELS", -1)  # all of every picture is compared
        watching = Motion(Outlook())
        street = film(falling(330.3, 60.0, at_s=0.4), shake=shake, seconds=1.6)
        return [watching.feed(frame).box.tobytes() for frame in street]

    whole = seen(10_000)
    assert any(whole)
    assert seen(77) == whole


@pytest.mark.parametrize(
    "seen",
    [{}, {"noise": 6.0}, {"shake": 1.2}, {"light": lambda t: 1.5 if 1.5 < t < 1.6 else 1.0}],
    ids=["plain", "noisy", "shaking", "a flash"],
)
def test_few_changed_pixels_compared_alone_are_the_same_things(
    seen: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def things(most: int) -> list[list[list[float]]]:
        monkeypatch.setattr(motion, "MANY_PIXELS", most)
        watching = Motion(Outlook())
        found = [watching.feed(frame) for frame in film(falling(330.3, 60.0, at_s=1.0), **seen)]
        return [np.column_stack([each.centre, each.box, each.pixels]).tolist() for each in found]

    alone = things(10**9)
    assert alone == things(-1)
    assert sum(map(len, alone)) > 20


def test_a_flash_leaves_the_watcher_no_less_attentive() -> None:
    """Lightning, or a camera that turns to infrared: for seconds after it nothing faint was seen."""
    watching = Motion(Outlook())
    before = 0.0
    for frame in blinking(60, flash=range(41, 45)):
        if frame.index == 40:
            before = float(watching.threshold.mean())
        watching.feed(frame)
    assert float(watching.threshold.mean()) < before + 2.0
