"""One picture from a film, a photograph, a camera: the pixels the watcher sees, or why there are none."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from gateway.vision.frames import SourceError
from gateway.vision.glimpse import Glimpse, glimpse
from tests.vision import clips
from tests.vision.rtsp_server import Account, RtspServer


def luma(seen: Glimpse) -> clips.Luma:
    return np.asarray(cv2.imdecode(np.frombuffer(seen.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.film(tmp_path_factory.mktemp("films") / "calm.mp4", seconds=2.0, drops=False)


def test_the_picture_of_a_film_is_the_wall_in_it(film: Path) -> None:
    seen = glimpse(str(film))
    assert (seen.width, seen.height) == (640, 480)
    assert np.abs(luma(seen) - clips.wall(640, 480)).mean() < 6


def test_a_film_taken_on_its_side_is_shown_upright_as_it_is_watched(tmp_path: Path) -> None:
    times = clips.steady(0.5)
    turned = (np.rot90(picture) for picture in clips.pictures(times))
    seen = glimpse(str(clips.on_its_side(clips.write(tmp_path / "side.mp4", turned, times))))
    assert (seen.width, seen.height) == (640, 480)
    assert np.abs(luma(seen) - clips.wall(640, 480)).mean() < 6


@pytest.mark.parametrize("name", ["wall.jpg", "wall.png"])
def test_a_photograph_will_do(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / name), clips.wall(320, 240).astype(np.uint8))
    seen = glimpse(str(tmp_path / name))
    assert (seen.width, seen.height) == (320, 240)
    assert np.abs(luma(seen) - clips.wall(320, 240)).mean() < 6


def test_a_camera_gives_a_picture_to_who_knows_the_password_and_the_error_does_not_tell_it(
    film: Path,
) -> None:
    with RtspServer(film, account=Account("admin", "s3cret")) as camera:
        seen = glimpse(camera.url, password="s3cret")
        assert (seen.width, seen.height) == (640, 480)
        with pytest.raises(SourceError) as refused:
            glimpse(camera.url, password="wr0ng")
    assert refused.value.reason == "password"
    assert "wr0ng" not in f"{refused.value!r} {refused.value} {refused.value.__context__!r}"


def test_a_stream_that_breaks_after_its_first_pictures_has_given_one(tmp_path: Path) -> None:
    short = clips.film(tmp_path / "short.mp4", seconds=0.6, drops=False)
    with RtspServer(short, rounds=1, speed=0) as camera:
        assert glimpse(camera.url).width == 640


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"no video at all" * 99, "no_video")], ids=["empty", "text"]
)
def test_what_has_no_picture_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "film.mp4"
    file.write_bytes(content)
    with pytest.raises(SourceError) as refused:
        glimpse(str(file))
    assert refused.value.reason == reason
