"""The command `camera` up to its page: which camera is meant, what marks come to, and every way it can fail."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result

from gateway import cameras, marking
from gateway.cli import cli
from gateway.core.marks import Mark, Marks
from gateway.demo.facade import view
from gateway.desk.marking import Picture
from gateway.terminal.errors import ToolError

ENGLISH = {"LC_ALL": "C.UTF-8"}
CHINESE = {"LC_ALL": "zh_CN.UTF-8"}
FACADE = Path(marking.__file__).with_name("demo") / "facade.mp4"
PICTURE = Picture(b"", 960, 720)
TABLES = """
[gateway]
id = "hxtp-01"
state_dir = "state"
[[camera]]
name = "north"
url = "film.mp4"
floors = [{ y = 599, floor = 5 }, { y = 284, floor = 8 }]
[[camera]]
name = "south"
url = "rtsp://admin@127.0.0.1:1/stream"
password_file = "secret"
[[bus]]
name = "a fault that is none of the camera's"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text(TABLES, encoding="utf-8")
    (tmp_path / "secret").write_text("s3cret\n", encoding="utf-8")
    return file


def run(*arguments: object, env: Mapping[str, str] = ENGLISH) -> Result:
    return CliRunner().invoke(cli, ["camera", *map(str, arguments)], env=env)


# --- what marks come to ---------------------------------------------------------------------------


def test_two_marks_draw_all_floors_and_give_the_line_to_paste() -> None:
    told = marking.judge(Marks([Mark(602, 5), Mark(302, 8)]), PICTURE)
    rows = {4: 702.0, 5: 602.0, 6: 502.0, 7: 402.0, 8: 302.0, 9: 202.0, 10: 102.0, 11: 2.0}
    assert dict(told["lines"]) == pytest.approx(rows)  # type: ignore[call-overload]
    assert told["troubles"] == []
    assert (
        told["toml"] == "floors = [{ y = 602, floor = 5 }, { y = 302, floor = 8 }]\nmarked_in = [960, 720]\n"
    )


def test_marks_that_contradict_give_no_lines_and_nothing_to_paste() -> None:
    told = marking.judge(Marks([Mark(300, 5), Mark(600, 8)]), PICTURE)
    assert (told["lines"], told["toml"]) == ([], "")
    troubles = cast(list[dict[str, object]], told["troubles"])
    assert [(each["level"], each["floors"]) for each in troubles] == [("wrong", (1, 0))]


def test_an_unfinished_facade_leaves_the_lines_of_the_floors() -> None:
    told = marking.judge(Marks([Mark(600, 5), Mark(300, 8)], watch=[(1, 1)]), PICTURE)
    assert told["lines"]
    assert told["toml"] == ""


def test_a_mark_that_fits_none_of_the_others_is_worth_a_word() -> None:
    floors = [Mark(each["y"], each["floor"]) for each in view()["floors"]]
    assert marking.judge(Marks(floors), PICTURE)["troubles"] == []
    floors[1] = Mark(floors[1].y - 60, floors[1].floor)
    told = marking.judge(Marks(floors), PICTURE)
    troubles = cast(list[dict[str, object]], told["troubles"])
    assert any("does not fit" in str(each["en"]) for each in troubles)
    assert told["toml"]


# --- which camera ---------------------------------------------------------------------------------


def test_a_camera_is_meant_by_its_name_its_address_or_its_file(config: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    assert cameras.meant("north", config)[0].url == str(film)
    assert cameras.meant(str(film), config) == cameras.meant("north", config)
    assert cameras.meant("rtsp://admin@127.0.0.1:1/stream", config)[0].name == "south"
    other, file = cameras.meant("/dev/video7", config)
    assert (other.url, other.name, file) == ("/dev/video7", "", None)


def test_its_password_comes_from_its_file(config: Path, tmp_path: Path) -> None:
    camera, _ = cameras.meant("south", config)
    assert cameras.password_of(camera) == "s3cret"
    assert cameras.password_of(cameras.meant("north", config)[0]) is None
    (tmp_path / "secret").unlink()
    with pytest.raises(ToolError) as error:
        cameras.password_of(camera)
    assert error.value.key == "camera.no_password"


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("west", "it has: north, south"),
        ("/nowhere/film.mp4", "no such file"),
        ("gopher://camera", "no known kind"),
        ("north", "no such file"),
    ],
)
def test_what_is_no_camera_is_one_line_and_what_to_do(config: Path, source: str, said: str) -> None:
    result = run(source, "-c", config, "--port", 0)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_a_camera_that_refuses_is_told_without_its_password(config: Path) -> None:
    result = run("south", "-c", config, "--port", 0, env=CHINESE)
    assert result.exit_code == 1
    assert "拒绝连接" in result.stderr
    assert "s3cret" not in result.output


def test_a_configuration_that_is_asked_for_must_be_there_and_be_toml(tmp_path: Path) -> None:
    assert "No such file" in run("north", "-c", tmp_path / "nope.toml").stderr
    broken = tmp_path / "broken.toml"
    broken.write_text("[gateway]\nid = \n", encoding="utf-8")
    result = run("north", "-c", broken)
    assert result.exit_code == 1
    assert f"{broken}:2" in result.stderr


def test_a_port_that_is_taken_is_told_before_the_camera_is_asked(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = run("south", "-c", config, "--port", port)
    assert result.exit_code == 1
    assert str(port) in result.stderr
    assert "--port 0" in result.stderr


def test_an_address_that_is_not_ours_is_told(config: Path) -> None:
    result = run("north", "-c", config, "--host", "192.0.2.7", "--port", 0)
    assert result.exit_code == 1
    assert "192.0.2.7" in result.stderr


def test_a_camera_that_never_answers_is_given_up(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(marking, "glimpse", lambda *_, **__: never.wait(10))
    monkeypatch.setattr(marking, "WITHIN_S", 0.1)
    result = run("south", "-c", config, "--port", 0)
    never.set()
    assert result.exit_code == 1
    assert "no picture came from rtsp://127.0.0.1:1/stream within 0.1 s" in result.stderr


@pytest.mark.parametrize("name", ["uvicorn", "cv2"])
def test_without_the_extras_it_says_what_to_install(name: str) -> None:
    script = f"import sys; sys.modules[{name!r}] = None; from gateway.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script, "camera", "north.mp4"],
        capture_output=True, text=True, check=False, env={**os.environ, **ENGLISH},
    )  # fmt: skip
    assert done.returncode == 1
    assert f"({name})" in done.stderr
    assert "compound-gateway[desk,vision]" in done.stderr


@pytest.mark.parametrize(
    ("host", "said"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("gateway.lan", "gateway.lan")]
)
def test_the_address_told_is_one_a_browser_takes(host: str, said: str) -> None:
    assert marking._reached_at(host) == said
    assert marking._reached_at("0.0.0.0") != "0.0.0.0"
