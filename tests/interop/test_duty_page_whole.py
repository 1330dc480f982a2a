"""All of the phone page in a real browser: nothing that axe calls serious, nothing wider than a small phone."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.core.events import Place, Severity
from tests.broker import until
from tests.browser import Browser, needs_browser
from tests.desk_live import LiveDesk, alarm, opened, ready, shows
from tests.desk_parts import PLACE_OF_COMPOUND
from tests.interop.test_duty_page_work import look

pytestmark = needs_browser

AXE = "axe-core@4.11.0"
SMALL = (360, 740)
VIEWS = ("alerts", "closed", "doors", "devices", "duty", "report")


@pytest.fixture(scope="module")
def axe() -> str:
    """npm's axe-core, installed once into the cache folder."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "compound-gateway-tests"
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(cache), AXE]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"npm cannot install {AXE}: {error}")
    return script.read_text(encoding="utf-8")


@contextmanager
def phone(
    folder: Path, *, theme: str = "light", language: str = "zh", person: str | None = "warden-1"
) -> Iterator[tuple[LiveDesk, Browser]]:
    """Have the page open on a small phone, with something of everything on it."""
    with opened(folder, person, place=PLACE_OF_COMPOUND if person is None else Place()) as (running, window):
        window.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=SMALL[0],
            height=SMALL[1],
            deviceScaleFactor=2,
            mobile=True,
        )
        window.devtools(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}]
        )
        bins = [
            alarm(n, kind="bin.full", severity=Severity.MINOR, zh="垃圾桶已满", en="Bin is full")
            for n in (4, 5)
        ]
        running.take(
            alarm(1),
            alarm(2, kind="door.forced", severity=Severity.MAJOR, zh="单元门被强行打开", en="Door forced open"),
            alarm(3, kind="device.test", severity=Severity.INFO, zh="自检", en="Self-test"), *bins,
        )  # fmt: skip
        window.open(f"{running.url}/?lang={language}")
        ready(window)
        yield running, window


def serious(window: Browser, axe: str) -> list[str]:
    """Return what axe-core finds on a page that is serious or critical."""
    window.run(axe)
    window.run("window.found = null; axe.run().then((told) => { window.found = told.violations; });")
    until(lambda: window.run("return window.found !== null"), what="axe", within_s=60)
    found: list[dict[str, Any]] = window.run("return window.found")
    return [
        f"{each['id']}: {node['html'][:120]} {node.get('failureSummary', '')[:200]}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


def fits(window: Browser) -> bool:
    """Return whether nothing reaches over the side of the screen."""
    return bool(window.run("return document.documentElement.scrollWidth <= innerWidth"))


def go(window: Browser, name: str) -> None:
    """Open a view, and wait until it has its answer."""
    window.run(f"location.hash = {json.dumps('#/' + name)}")
    until(lambda: "正在读取" not in window.text() and "Loading" not in window.text(), what=name)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("theme", "language"), [("light", "zh"), ("dark", "zh"), ("light", "en"), ("dark", "en")]
)
def test_nothing_serious_is_in_the_way_of_anybody(
    tmp_path: Path, axe: str, theme: str, language: str
) -> None:
    with phone(tmp_path, theme=theme, language=language) as (_, window):
        found: dict[str, list[str]] = {}
        window.click("#start")
        for name in VIEWS:
            go(window, name)
            found[name] = serious(window, axe)
            assert fits(window), name
        go(window, "alerts")
        window.click("[data-act=expand]")
        window.click("#waiting [data-act=acknowledge]")
        until(lambda: window.run("return !document.querySelector('#toast').hidden"), what="what was done")
        window.run("document.querySelector('#lost').hidden = document.querySelector('#queue').hidden = false")
        found["a group, a notice, the bars"] = serious(window, axe)
        window.run("location.hash = document.querySelector('#working .card a').getAttribute('href')")
        shows(window, "119")
        found["an alert"] = serious(window, axe)
        assert fits(window)
        for sign in ("resolved", "assigned", "report"):
            window.click(f".acting button:has([href='#i-{sign}'])")
            found[sign] = serious(window, axe)
            assert fits(window)
            window.run("document.querySelector('dialog').close()")
        window.open(f"{window.run('return location.origin')}/pair")
        found["pair"] = serious(window, axe)
        assert {name: told for name, told in found.items() if told} == {}


def test_a_shared_phone_asks_who_has_it_and_what_they_do_is_theirs(tmp_path: Path, axe: str) -> None:
    with phone(tmp_path, person=None) as (running, window):
        assert "谁在值班" in window.text()
        assert "烟感报警" not in window.text()
        assert serious(window, axe) == []
        window.press("warden-2")
        shows(window, "烟感报警")
        ready(window)
        window.click("#waiting [data-act=acknowledge]")
        until(lambda: running.audit("acknowledge") == ["warden-2"], what="the record")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_button_fits_a_thumb(tmp_path: Path, language: str) -> None:
    with phone(tmp_path, language=language) as (_, window):
        for name in VIEWS:
            go(window, name)
            shown = "[...document.querySelectorAll('button, a:not(.skip), input:not([type=file])')]"
            sizes = window.run(
                f"return {shown}.filter((each) => each.offsetWidth)"
                ".map((each) => [each.innerText, each.offsetWidth, each.offsetHeight])"
            )
            assert [each for each in sizes if min(each[1:]) < 56] == [], name


def test_text_of_twice_the_size_fits_a_small_phone(tmp_path: Path) -> None:
    with phone(tmp_path) as (_, window):
        window.run("document.documentElement.style.fontSize = '200%'")
        for name in VIEWS:
            go(window, name)
            assert fits(window), name
            cut = window.run(
                "return [...document.querySelectorAll('button, h1, h2, strong, b')].filter((each) => each.offsetWidth"
                " && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline')"
                ".map((each) => each.outerHTML)"
            )
            assert cut == [], name


def test_who_wants_no_motion_sees_none(tmp_path: Path) -> None:
    with phone(tmp_path) as (_, window):
        assert window.run("return document.getAnimations().length") > 0  # a matter of life and death moves
        window.devtools(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}]
        )
        until(lambda: window.run("return document.getAnimations().length") == 0, what="rest")


def test_a_group_is_acknowledged_only_after_it_was_looked_at(tmp_path: Path) -> None:
    with phone(tmp_path) as (running, window):
        assert "确认这 2 条" not in window.text()
        window.click("[data-act=expand]")
        shows(window, "确认这 2 条")
        assert window.run("return document.querySelectorAll('.members .card').length") == 2
        window.click("[data-act=these]")
        shows(window, "已确认 2 条")
        assert running.audit("acknowledge") == ["warden-1", "warden-1"]


def test_duty_begins_by_one_tap_and_a_new_critical_alert_then_rings_and_flashes_the_title(
    tmp_path: Path,
) -> None:
    with phone(tmp_path) as (running, window):
        running.take(alarm(20, kind="care.sos", zh="求助", en="Call for help"))
        until(lambda: window.run("return document.title") != "值班告警", what="the title")
        assert not window.run("return document.documentElement.dataset.rings")  # no sound before duty
        window.tap("#start", 0.5, 0.5)
        shows(window, "值班中，声音已开")
        until(lambda: running.audit("begins duty") == ["warden-1"], what="the record")
        running.take(alarm(21, kind="fire.heat", zh="温感报警", en="Heat alarm"))
        until(lambda: window.run("return document.documentElement.dataset.rings") == "1", what="the siren")
        running.take(alarm(22, kind="bin.full", severity=Severity.MINOR, zh="垃圾桶已满", en="Bin is full"))
        shows(window, "共 3 条")
        assert window.run("return document.documentElement.dataset.rings") == "1"


def test_a_critical_alert_rings_again_and_again_until_somebody_acknowledges_it(tmp_path: Path) -> None:
    hasty = "const set = window.setInterval; window.setInterval = (what, ms) => set(what, ms / 20);"
    rings = "return Number(document.documentElement.dataset.rings ?? 0)"
    with opened(tmp_path) as (running, window):
        running.take(alarm(1))
        window.devtools("Page.addScriptToEvaluateOnNewDocument", source=hasty)
        window.open(running.url)
        ready(window)
        window.tap("#start", 0.5, 0.5)
        shows(window, "值班中，声音已开")
        until(lambda: window.run(rings) >= 3, what="the third siren")
        window.click("#waiting [data-act=acknowledge]")
        shows(window, "已确认 · warden-1")
        heard = window.run("window.turns = 0; setInterval(() => { turns += 1; }, 15000);" + rings)
        until(lambda: window.run("return turns") >= 3, what="as long again")
        assert window.run(rings) == heard


def test_a_page_whose_sound_the_browser_took_away_says_so_and_asks_for_the_tap_again(tmp_path: Path) -> None:
    caught = "class Caught extends AudioContext { constructor() { super(); window.sound = this; } }"
    with opened(tmp_path) as (running, window):
        window.devtools(
            "Page.addScriptToEvaluateOnNewDocument", source=f"{caught} window.AudioContext = Caught;"
        )
        window.open(running.url)
        ready(window)
        window.tap("#start", 0.5, 0.5)
        shows(window, "值班中，声音已开")
        window.run("sound.suspend()")
        shows(window, "继续值班")
        assert "值班中，声音已开" not in window.text()
        window.tap("#start", 0.5, 0.5)
        shows(window, "值班中，声音已开")
        assert running.audit("begins duty") == ["warden-1"]


def test_times_are_the_compounds_whatever_the_time_zone_of_the_phone(tmp_path: Path) -> None:
    with opened(tmp_path) as (running, window):
        window.devtools("Emulation.setTimezoneOverride", timezoneId="America/New_York")
        running.take(alarm(1))
        window.open(running.url)
        ready(window)
        look(window)
        assert "11月23日周一 16:15" in window.text()


def test_the_age_of_an_alert_ticks(tmp_path: Path) -> None:
    with phone(tmp_path) as (_, window):
        until(
            lambda: window.run("return document.querySelector('#waiting time').textContent") == "6 秒",
            what="six seconds",
        )


def test_a_word_that_was_used_lets_nobody_else_in_and_says_so(tmp_path: Path) -> None:
    with phone(tmp_path) as (running, window):
        window.open("about:blank")
        window.open(f"{running.url}/pair#not-a-word-at-all")
        shows(window, "二维码已用过或已过期")
        assert window.run("return location.hash") == ""
        assert "怎样登记" in window.text()
