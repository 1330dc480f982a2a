"""The `vision` command before files that are odd, broken or no video: the right result, or one line and what to do."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.vision import clips
from tests.vision.command import CHINESE, ENGLISH, falls, model, run


@pytest.fixture
def easily_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What moves like a fall is one, whatever it looks like: these films are no photographs."""
    monkeypatch.setattr("gateway.vision.classifier.HOMES", (model(tmp_path / "sure", -1.0),))


@pytest.fixture(scope="module")
def fall(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.film(tmp_path_factory.mktemp("films") / "fall.mp4")


# --- odd files ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("easily_sure")
def test_times_are_right_in_a_film_of_variable_rate(tmp_path: Path) -> None:
    times = clips.uneven(3.5)
    film = clips.write(tmp_path / "uneven.mp4", clips.pictures(times), times)
    (seen,) = falls(run(film, "--json"))
    track = seen["track"]
    assert isinstance(track, list)
    assert seen["t_start"] == pytest.approx(times[track[0][0]], abs=0.002)
    assert seen["t_end"] == pytest.approx(times[track[-1][0]], abs=0.002)


@pytest.mark.usefixtures("easily_sure")
def test_a_film_taken_on_its_side_is_watched_upright(tmp_path: Path) -> None:
    times = clips.steady(3.5)
    turned = (np.rot90(picture) for picture in clips.pictures(times))
    (seen,) = falls(run(clips.on_its_side(clips.write(tmp_path / "side.mp4", turned, times)), "--json"))
    track = seen["track"]
    assert isinstance(track, list)
    assert track[0][1] == pytest.approx(clips.LEFT, abs=5)
    assert track[-1][2] > 400


@pytest.mark.parametrize(
    ("name", "codec", "form", "width", "height"),
    [
        ("odd.mkv", "ffv1", "gray", 853, 479),
        ("tiny.mp4", "libx264", "yuv420p", 64, 48),
        ("ten-bit.mp4", "libx264", "yuv422p10le", 320, 240),
        ("grey.mp4", "libx264", "gray", 320, 240),
        ("full-range.avi", "mjpeg", "yuvj420p", 320, 240),
        ("colour.mkv", "ffv1", "bgr0", 320, 240),
    ],
)
def test_odd_pictures_are_watched_all_the_same(
    name: str, codec: str, form: str, width: int, height: int, tmp_path: Path
) -> None:
    times = clips.steady(0.8)
    luma = clips.pictures(times, width=width, height=height, drops=False)
    film = clips.write(tmp_path / name, luma, times, codec=codec, form=form)
    result = run(film, "--json", "--annotate", tmp_path / "seen.mp4")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stderr)["frames"] == 20


def test_a_video_of_one_picture_has_no_falls(tmp_path: Path) -> None:
    film = clips.write(tmp_path / "one.mp4", clips.pictures([0.0]), [0.0])
    result = run(film)
    assert result.exit_code == 0
    assert "nothing fell" in result.stderr


@pytest.mark.usefixtures("easily_sure")
def test_a_film_damaged_in_the_middle_gives_what_it_has_and_says_so(fall: Path, tmp_path: Path) -> None:
    data = bytearray(fall.read_bytes())
    middle = len(data) // 4
    data[middle : middle + 1500] = bytes(1500)
    (tmp_path / "damaged.mp4").write_bytes(data)
    result = run(tmp_path / "damaged.mp4")
    assert result.exit_code == 0
    assert "damaged" in result.stderr


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [("cut.mkv", "libx264", 2 / 3), ("cut.avi", "libx264", 1 / 3), ("cut.wmv", "wmv2", 1 / 2)],
)
def test_a_film_cut_short_gives_what_it_has_and_says_so(
    tmp_path: Path, name: str, codec: str, kept: float
) -> None:
    times = clips.steady(3.0)
    film = clips.write(tmp_path / name, clips.pictures(times, drops=False), times, codec=codec)
    data = film.read_bytes()
    film.write_bytes(data[: int(len(data) * kept)])
    result = run(film)
    assert result.exit_code == 0
    assert "cut short" in result.stderr


def test_recordings_joined_end_to_end_are_not_said_to_be_cut_short(tmp_path: Path) -> None:
    times = clips.steady(1.0)
    parts = [
        clips.write(tmp_path / f"{start}.ts", clips.pictures(times, drops=False), [start + t for t in times])
        for start in (0, 5000)
    ]
    (tmp_path / "both.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    result = run(tmp_path / "both.ts")
    assert result.exit_code == 0
    assert "cut short" not in result.stderr


# --- no video -------------------------------------------------------------------------------------


def picture(path: Path) -> Path:
    assert cv2.imwrite(str(path), np.zeros((48, 64), np.uint8))
    return path


def written(data: bytes) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return make


def beheaded(path: Path) -> Path:
    """A recording that never got its index: how MP4 ends when the power fails."""
    data = clips.film(path, seconds=0.4).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def folder(path: Path) -> Path:
    path.mkdir()
    return path


NO_VIDEO: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "missing": ("nothing.mp4", lambda path: path, "no such file"),
    "empty": ("empty.mp4", written(b""), "is empty"),
    "garbage": ("garbage.mp4", written(bytes(range(256)) * 40), "no video"),
    "text": ("notes.txt", written(b"hello\n"), "no video"),
    "truncated": ("half.mp4", beheaded, "cut short"),
    "picture": ("still.png", picture, "single picture"),
    "photo": ("still.jpg", picture, "single picture"),
    "sound": ("sound.m4a", clips.sound, "no pictures"),
    "folder": ("films", folder, "is a folder"),
}


@pytest.mark.parametrize("case", NO_VIDEO)
@pytest.mark.parametrize("env", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_what_is_no_video_is_said_with_what_to_do(case: str, env: dict[str, str], tmp_path: Path) -> None:
    name, make, said = NO_VIDEO[case]
    result = run(make(tmp_path / name), env=env)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert name in result.stderr
    assert result.stderr.count("\n") == 2
    assert env is CHINESE or said in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_said(fall: Path, tmp_path: Path) -> None:
    locked = Path(shutil.copy(fall, tmp_path / "locked.mp4"))
    locked.chmod(0)
    result = run(locked)
    assert result.exit_code == 1
    assert "not allowed" in result.stderr


@pytest.mark.parametrize("url", ["rtsp://admin:hush-hush@127.0.0.1:9/1", "ftp://admin:hush-hush@host/x.mp4"])
def test_a_password_in_an_address_is_never_shown(url: str) -> None:
    result = run(url, "--debug")
    assert result.exit_code == 1
    assert "127.0.0.1" in result.stderr or "host" in result.stderr
    assert "hush" not in result.output
