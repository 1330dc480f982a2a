"""Floors and facade marked by a finger in a real browser, on a rendered picture, and what comes of it in the end."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from gateway import configuration, marking
from gateway.demo.facade import view
from gateway.site import cameras_of
from gateway.vision.floors import Storeys
from gateway.vision.sight import Outlook
from tests.broker import until
from tests.browser import Browser, browser, needs_browser
from tests.gateway.test_cli import run

FILM = Path(marking.__file__).with_name("demo") / "facade.mp4"
WIDTH, HEIGHT = 960, 720
SLABS = {int(each["floor"]): each["y"] for each in view()["floors"]}
CORNERS = ((0.02, 0.32), (0.80, 0.32), (0.97, 0.98), (0.02, 0.98))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'[gateway]\nid = "hxtp-01"\nstate_dir = "{tmp_path}"\n'
        f'[[camera]]\nname = "north"\nurl = "{FILM}"\nplace = {{ building = "2" }}\n',
        encoding="utf-8",
    )
    return file


@contextmanager
def served(*arguments: object, language: str = "zh_CN") -> Iterator[str]:
    """Run `compound-gateway camera` as a person does; yield the address it tells; end it by Ctrl-C."""
    command = [sys.executable, "-m", "gateway", "camera", *map(str, arguments), "--port", "0"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"LC_ALL": f"{language}.UTF-8"},
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0


@contextmanager
def opened(folder: Path, *arguments: object, language: str = "zh-CN") -> Iterator[Browser]:
    """Have the page open in a browser, its picture there."""
    with served(*arguments) as url, browser(language) as window:
        window.open(url)
        until(
            lambda: window.run("return document.querySelector('#picture').naturalWidth") == WIDTH,
            what="picture",
        )
        until(lambda: str(WIDTH) in window.text(), what="the page")
        yield window


def mark(window: Browser, floor: int, *, x: float = 0.3) -> None:
    """Tap on the slab of a floor and set its number with the buttons beside it."""
    before = window.run("return document.querySelectorAll('#rows .row').length")
    window.tap("#marks", x, SLABS[floor] / HEIGHT)
    until(lambda: settled(window) and rows(window) == before + 1, what="the mark")
    guessed = int(window.run("return document.querySelector('#rows .row.chosen input').value"))
    for _ in range(abs(floor - guessed)):
        window.click(f"#rows .row.chosen [data-key^={'more' if floor > guessed else 'less'}]")
    until(lambda: settled(window), what="the answer")


def rows(window: Browser) -> int:
    return int(window.run("return document.querySelectorAll('#rows .row').length"))


def settled(window: Browser) -> bool:
    """Say whether the page has its answer to what is marked."""
    return bool(window.run("return document.querySelector('#marks').dataset.judged === 'yes'"))


def toml(window: Browser) -> str:
    return str(
        window.run(
            "return document.querySelector('#result').hidden ? '' : document.querySelector('#toml').textContent"
        )
    )


def pasted(config: Path, lines: str) -> Outlook:
    """Return what the gateway's camera looks at with the lines pasted; `check` must have nothing to say."""
    config.write_text(f"{config.read_text(encoding='utf-8')}{lines}", encoding="utf-8")
    checked = run("check", "-c", str(config))
    assert checked.exit_code == 0, checked.output
    assert "warning" not in checked.output
    (camera,) = cameras_of(configuration.load(config).config)  # type: ignore[arg-type]
    setup = camera.setup
    return Outlook(setup.watch, setup.ignore, setup.floors, setup.marked_in)


@needs_browser
def test_two_floors_and_a_facade_are_marked_and_pasted_and_give_the_right_floors(
    tmp_path: Path, config: Path
) -> None:
    with opened(tmp_path, "north", "-c", config) as window:
        mark(window, 5)
        assert "再标一层" in window.text()
        assert toml(window) == ""
        mark(window, 8)
        window.click("#watch")
        for corner in CORNERS:
            window.tap("#marks", *corner)
        until(  # three corners are a facade as well, and its lines may be there before the fourth is answered
            lambda: re.match(r"watch = \[(\[\d+, \d+\](, )?){4}\]\n", toml(window)), what="the facade"
        )
        lines = toml(window)
        assert 'name = "north"' in window.text()
    assert re.fullmatch(
        r"watch = .*\nfloors = \[\{ y = \d+, floor = 5 \}, \{ y = \d+, floor = 8 \}\]\nmarked_in = .*\n",
        lines,
    )
    outlook = pasted(config, lines)
    assert np.abs(np.array(outlook.watch) - np.array(CORNERS) * (WIDTH, HEIGHT)).max() < 3
    storeys = Storeys(outlook.floors)
    between = {floor: (row + SLABS[floor + 1]) / 2 for floor, row in SLABS.items() if floor < 8}
    assert {floor: int(storeys.at(np.array([row]))[0]) for floor, row in between.items()} == {
        5: 5,
        6: 6,
        7: 7,
    }
    seen = run("vision", str(FILM), "--json", "-c", str(config), "--camera", "north")
    assert [json.loads(line)["origin_floor"] for line in seen.stdout.splitlines()] == [view()["floor"]]


@needs_browser
def test_the_lines_drawn_fit_the_facade_once_a_third_floor_is_marked(tmp_path: Path) -> None:
    with opened(tmp_path, FILM, language="en-US") as window:
        mark(window, 5)
        mark(window, 8)
        assert (
            abs(drawn(window)["floor 6"] - SLABS[6]) > 20
        )  # seen from below, an even scale is off in between
        mark(window, 7)
        assert drawn(window)["floor 6"] == pytest.approx(SLABS[6], abs=12)


def drawn(window: Browser) -> dict[str, float]:
    """Return the row of each line by what stands beside it."""
    script = (
        "return [...document.querySelectorAll('#marks text')].map(t => [t.textContent, t.getAttribute('y')])"
    )
    unit = WIDTH / float(window.run("return document.querySelector('#marks').getBoundingClientRect().width"))
    return {text: float(y) + 3 * unit for text, y in window.run(script)}


@needs_browser
def test_marks_that_contradict_are_told_and_can_be_undone(tmp_path: Path) -> None:
    with opened(tmp_path, FILM, language="en-US") as window:
        mark(window, 5)
        mark(window, 8)
        good = toml(window)
        assert "floor = 8" in good
        for _ in range(3):
            window.click("#rows .row.chosen [data-key^=less]")
        until(lambda: "Floor 5 twice" in window.text(), what="the contradiction")
        assert toml(window) == ""
        assert window.run("return document.querySelectorAll('#rows .bad').length") == 2
        window.click("#rows .row.chosen [data-key^=less]")
        until(lambda: "is marked below floor 4" in window.text(), what="the other contradiction")
        for _ in range(4):
            window.click("#undo")
        until(lambda: toml(window) == good, what="the marks as they were")


@needs_browser
def test_a_finger_drags_what_is_marked_and_areas_not_looked_at_are_listed(tmp_path: Path) -> None:
    with opened(tmp_path, FILM) as window:
        mark(window, 5)
        mark(window, 8)
        knob = 1 - 30 / float(
            window.run("return document.querySelector('#marks').getBoundingClientRect().width")
        )
        window.tap("#marks", knob, SLABS[8] / HEIGHT, to=(knob, SLABS[7] / HEIGHT))
        until(
            lambda: abs(int(re.findall(r"y = (\d+)", toml(window))[1]) - SLABS[7]) < 4, what="the mark moved"
        )
        window.click("#ignore")
        for corner in ((0.9, 0.1), (0.99, 0.1), (0.99, 0.5)):
            window.tap("#marks", *corner)
        until(lambda: "ignore = [[[" in toml(window), what="the area")
        window.click("[data-key=another]")
        window.tap("#marks", 0.1, 0.1)
        until(lambda: "还差 2 个角点" in window.text(), what="the second area")
        window.click("[data-key='remove 1']")
        until(lambda: "区域 1：3 个角点" in window.text() and toml(window), what="the first area alone")


@needs_browser
def test_what_the_configuration_says_is_there_at_once_and_survives_a_reload(
    tmp_path: Path, config: Path
) -> None:
    large = "watch = [[40, 460], [1536, 460], [1862, 1410]]\n"
    floors = "floors = [{ y = 1198, floor = 5 }, { y = 568, floor = 8 }]\n"
    pasted(config, f"{large}{floors}marked_in = [1920, 1440]\n")
    lines = "watch = [[20, 230], [768, 230], [931, 705]]\nfloors = [{ y = 599, floor = 5 }, { y = 284, floor = 8 }]\n"
    with opened(tmp_path, "north", "-c", config) as window:
        until(lambda: toml(window) == f"{lines}marked_in = [960, 720]\n", what="what was configured")
        mark(window, 7)
        window.run("location.reload()")
        until(lambda: "floor = 7" in toml(window), what="what was marked")
        window.click("#look")
        until(lambda: "重拍一张" in window.text(), what="another picture")
        assert "floor = 7" in toml(window)


@needs_browser
@pytest.mark.parametrize(("width", "height"), [(360, 640), (1366, 768)])
def test_nothing_of_the_page_is_wider_than_the_screen_and_every_button_fits_a_thumb(
    tmp_path: Path, width: int, height: int
) -> None:
    with opened(tmp_path, FILM) as window:
        window.resize(width, height)
        mark(window, 5)
        mark(window, 8)
        assert window.run("return document.documentElement.scrollWidth <= window.innerWidth")
        shown = "[...document.querySelectorAll('button')].filter(each => each.offsetWidth)"
        sizes = window.run(f"return {shown}.map(each => [each.offsetWidth, each.offsetHeight])")
        assert len(sizes) > 10
        assert min(min(size) for size in sizes) >= 40
