"""`compound-gateway vision` as people and scripts meet it: lines, JSON, drawn films, odd and broken files."""

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gateway.terminal.words import table
from gateway.vision import annotate
from gateway.vision.frames import Source
from gateway.vision.sight import Frame
from gateway.vision.watcher import REASONS
from tests.vision import clips
from tests.vision.command import CHINESE, ENGLISH, MODEL, falls, model, run

FLOORS = "440:1,40:9"


@pytest.fixture
def easily_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What moves like a fall is one, whatever it looks like: these films are no photographs."""
    monkeypatch.setattr("gateway.vision.classifier.HOMES", (model(tmp_path / "sure", -1.0),))


@pytest.fixture
def never_sure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.vision.classifier.HOMES", (model(tmp_path / "never", 2.0),))
    monkeypatch.setattr("gateway.vision.watcher.TELLING", 0.0)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def fall(films: Path) -> Path:
    return clips.film(films / "fall.mp4")


@pytest.fixture(scope="module")
def calm(films: Path) -> Path:
    return clips.film(films / "calm.mp4", seconds=1.6, drops=False)


# --- what fell ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("easily_sure")
def test_each_fall_is_one_json_object_on_a_line_and_nothing_else_is_written_there(fall: Path) -> None:
    result = run(fall, "--json", "--floors", FLOORS)
    assert result.exit_code == 0
    (seen,) = falls(result)
    assert list(seen) == ["t_start", "t_end", "confidence", "origin_floor", "track"]
    assert seen["t_start"] == pytest.approx(clips.DROP_S, abs=0.4)
    assert seen["t_end"] == pytest.approx(2.7, abs=0.2)
    assert isinstance(seen["origin_floor"], int)


@pytest.mark.usefixtures("easily_sure")
def test_the_track_is_frames_and_pixels_of_the_film(fall: Path) -> None:
    (seen,) = falls(run(fall, "--json"))
    assert seen["origin_floor"] is None
    track = seen["track"]
    assert isinstance(track, list)
    frames = [box[0] for box in track]
    assert frames == sorted(set(frames))
    for frame, x, y, w, h in track:
        assert isinstance(frame, int)
        assert x + w / 2 == pytest.approx(clips.LEFT + clips.SIZE / 2, abs=4)
        assert y + h / 2 == pytest.approx(clips.falling(frame / clips.FPS) + clips.SIZE / 2, abs=6)


@pytest.mark.usefixtures("easily_sure")
@pytest.mark.parametrize(("env", "said"), [(ENGLISH, "floor"), (CHINESE, "楼")], ids=["en", "zh"])
def test_a_person_reads_when_how_sure_which_floor_and_where(
    fall: Path, env: dict[str, str], said: str
) -> None:
    result = run(fall, "--floors", FLOORS, env=env)
    (line,) = result.stdout.splitlines()
    assert re.match(r"▼ 0:01\.\d\d–0:02\.\d\d  ", line)
    assert "%" in line
    assert said in line
    assert "(304, " in line
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("env", "said"), [(ENGLISH, "nothing fell"), (CHINESE, "没有坠物")], ids=["en", "zh"]
)
def test_where_nothing_fell_nothing_is_told_but_the_summary(
    calm: Path, env: dict[str, str], said: str
) -> None:
    result = run(calm, env=env)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert said in result.stderr
    assert "40" in result.stderr


def test_with_json_the_summary_is_an_object_too(calm: Path) -> None:
    result = run(calm, "--json")
    assert result.stdout == ""
    told = json.loads(result.stderr)
    assert (told["frames"], told["falls"]) == (40, 0)


@pytest.mark.usefixtures("never_sure")
def test_near_misses_are_explained_where_asked_for(fall: Path) -> None:
    assert run(fall).stdout == ""
    assert "no fall: does not look or move like" in run(fall, "--explain").stdout
    assert "不是坠物：样子或动作不像坠物" in run(fall, "--explain", env=CHINESE).stdout


@pytest.mark.usefixtures("never_sure")
def test_near_misses_as_json_stay_away_from_standard_output(fall: Path) -> None:
    result = run(fall, "--json", "--explain")
    assert result.stdout == ""
    *misses, _ = (json.loads(line) for line in result.stderr.splitlines())
    assert {miss["rejected"] for miss in misses} == {"unlike"}
    assert all(miss["track"] for miss in misses)


@pytest.mark.usefixtures("easily_sure")
def test_what_was_seen_before_ctrl_c_is_told_though_more_of_it_was_waited_for(
    fall: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Source.frames

    def broken_off(source: Source) -> Iterator[Frame]:
        yield from itertools.islice(whole(source), 74)
        raise KeyboardInterrupt

    monkeypatch.setattr(Source, "frames", broken_off)
    result = run(fall, "--json")
    assert result.exit_code == 130
    (seen,) = falls(result)
    assert seen["t_end"] == pytest.approx(2.7, abs=0.2)
    assert json.loads(result.stderr)["falls"] == 1


def test_every_reason_of_the_watcher_is_said_in_both_languages() -> None:
    assert {f"rejected.{reason}" for reason in REASONS} <= set(table())


# --- what is drawn --------------------------------------------------------------------------------


@pytest.mark.usefixtures("easily_sure")
def test_the_film_is_drawn_on_and_a_still_is_kept(fall: Path, tmp_path: Path) -> None:
    out, stills = tmp_path / "seen.mp4", tmp_path / "stills" / "deep"
    result = run(fall, "--annotate", out, "--stills", stills, "--floors", FLOORS)
    assert result.exit_code == 0
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        pictures = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(pictures) == 88
    assert np.ptp(pictures[60], axis=2).max() > 100
    (still,) = stills.iterdir()
    assert np.ptp(np.asarray(cv2.imread(str(still))), axis=2).max() > 100
    assert f"wrote {out}" in result.stderr


def test_a_film_that_cannot_be_written_is_said_before_anything_is_watched(calm: Path, tmp_path: Path) -> None:
    result = run(calm, "--annotate", tmp_path / "nowhere" / "seen.mp4")
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert "nothing fell" not in result.stderr


def test_a_folder_in_the_place_of_the_film_is_said_before_anything_is_watched(
    calm: Path, tmp_path: Path
) -> None:
    (tmp_path / "seen.mp4").mkdir()
    result = run(calm, "--annotate", tmp_path / "seen.mp4")
    assert result.exit_code == 1
    assert "cannot write" in result.stderr
    assert "nothing fell" not in result.stderr


def test_a_name_in_brackets_is_told_as_it_is(calm: Path, tmp_path: Path) -> None:
    out = tmp_path / "[red]3[b].mp4"
    assert f"wrote {out}" in run(calm, "--annotate", out).stderr


def test_the_video_itself_is_never_drawn_over(fall: Path, tmp_path: Path) -> None:
    film = Path(shutil.copy(fall, tmp_path / "film.mp4"))
    (tmp_path / "link.mp4").symlink_to(film)
    for name in ("film.mp4", "link.mp4"):
        assert run(film, "--annotate", tmp_path / name).exit_code == 2
    assert film.read_bytes() == fall.read_bytes()


def test_a_file_named_by_an_address_is_drawn_on_like_one_named_by_its_path(
    calm: Path, tmp_path: Path
) -> None:
    film = Path(shutil.copy(calm, tmp_path / "a film.mp4"))
    assert run(film.as_uri(), "--annotate", tmp_path / "seen.mp4").exit_code == 0
    assert (tmp_path / "seen.mp4").exists()
    assert run(film.as_uri(), "--annotate", film).exit_code == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_ends_it_while_a_film_is_drawn_leaves_no_half_of_one(
    number: signal.Signals, calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = annotate.shots

    def ended(path: Path) -> Iterator[annotate.Shot]:
        yield from itertools.islice(whole(path), 3)
        signal.raise_signal(number)
        yield from whole(path)

    monkeypatch.setattr(annotate, "shots", ended)
    was = signal.signal(number, signal.SIG_DFL)
    try:
        result = run(calm, "--annotate", tmp_path / "seen.mp4")
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, was)
    assert result.exit_code == 128 + number
    assert list(tmp_path.iterdir()) == []


# --- where it looks -------------------------------------------------------------------------------


def configuration(path: Path) -> Path:
    path.write_text(
        '[gateway]\nid = "a"\n[[camera]]\nname = "north"\nurl = "rtsp://192.0.2.1/1"\n'
        "floors = [{ y = 440, floor = 1 }, { y = 40, floor = 9 }]\n"
        "ignore = [[[280, 0], [330, 0], [330, 480], [280, 480]]]\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.usefixtures("easily_sure")
def test_the_outlook_of_a_camera_is_taken_from_the_configuration(fall: Path, tmp_path: Path) -> None:
    file = configuration(tmp_path / "gateway.toml")
    assert falls(run(fall, "--json", "-c", file, "--camera", "north")) == []
    (seen,) = falls(run(fall, "--json", "-c", file, "--camera", "north", "--ignore", "0,0 9,0 9,9"))
    assert isinstance(seen["origin_floor"], int)


@pytest.mark.usefixtures("easily_sure")
def test_what_does_not_begin_on_the_facade_is_no_fall(fall: Path) -> None:
    result = run(fall, "--explain", "--watch", "400,0 640,0 640,480 400,480")
    assert "did not start on the facade" in result.stdout


def test_a_camera_that_is_not_in_the_configuration_is_said_with_those_that_are(
    calm: Path, tmp_path: Path
) -> None:
    result = run(calm, "-c", configuration(tmp_path / "gateway.toml"), "--camera", "south")
    assert result.exit_code == 1
    assert "no camera south" in result.stderr
    assert "north" in result.stderr
    missing = run(calm, "-c", tmp_path / "none.toml", "--camera", "south")
    assert missing.exit_code == 1
    assert "none.toml" in missing.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--floors", "912"], "912:1,840:2"),
        (["--floors", "912:1"], "912:1,840:2"),
        (["--floors", "912:1,912:2"], "912:1,840:2"),
        (["--floors", "912:one,840:2"], "912:1,840:2"),
        (["--watch", "1,1 2,2"], "three points"),
        (["--ignore", "1,1 2,2 3"], "three points"),
        (["--annotate", "seen.avi"], ".mp4"),
    ],
)
def test_a_slip_in_an_option_is_bad_usage(calm: Path, arguments: list[str], said: str) -> None:
    result = run(calm, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_stream_cannot_be_drawn_on_because_it_comes_only_once() -> None:
    result = run("rtsp://192.0.2.1/1", "--annotate", "seen.mp4")
    assert result.exit_code == 2
    assert "need a file" in result.stderr


def test_a_pipe_cannot_be_drawn_on_because_it_comes_only_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "film.mp4")
    result = run(tmp_path / "film.mp4", "--annotate", tmp_path / "seen.mp4")
    assert result.exit_code == 2
    assert "need a file" in result.stderr


# --- the process ----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["av", "cv2", "numpy", "onnxruntime"])
def test_without_the_vision_parts_it_says_how_to_install_them(module: str) -> None:
    script = f"import sys; sys.modules[{module!r}] = None; from gateway.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "vision", "film.mp4"],
        capture_output=True, text=True, check=False, env={**os.environ, **ENGLISH},
    )  # fmt: skip
    assert done.returncode == 1
    assert f"not installed ({module}" in done.stderr
    assert "pip install 'compound-gateway[vision]'" in done.stderr


def test_a_model_that_was_tampered_with_is_refused(
    calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = model(tmp_path, 0.5)
    (home / MODEL.name / "model.onnx").write_bytes(b"no model")
    monkeypatch.setattr("gateway.vision.classifier.HOMES", (home,))
    result = run(calm)
    assert result.exit_code == 1
    assert "model.onnx" in result.stderr


def test_nothing_is_drawn_at_a_pipe(calm: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "vision", str(calm)],
        capture_output=True, text=True, check=False, env={**os.environ, **ENGLISH},
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout == ""
    assert "\x1b" not in done.stderr
    assert done.stderr.count("\n") == 1
