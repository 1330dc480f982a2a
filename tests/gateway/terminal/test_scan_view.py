"""What a scan shows while it goes on and leaves in the end."""

import io
import tomllib
from collections.abc import Iterator
from typing import TypeAlias

import pytest
from rich.console import Console

from drivers.scan import Fit, Found, Noise, Progress, Setting
from drivers.scan.order import HOLDING, Step
from gateway.terminal import scan
from gateway.terminal.words import Words

EN = Words("en")
SLOW, FAST = Setting(9600, "none"), Setting(19200, "even")


def fit(name: str, category: str = "smoke") -> Fit:
    return Fit(name, category, 1, 1, identified=True, registers=1, as_shipped=True, verified=True)


ONE = Found(SLOW, 1, (fit("sonbest-sm7571b"), fit("sonbest-sm2130b-co")))
TWO = Found(FAST, 80, ())
Event: TypeAlias = Progress | Found | Noise
EVENTS: list[Event] = [Progress(Step(SLOW, 1, HOLDING, 0.1), 0.0, 75.0), ONE, TWO, Noise(FAST, 3, 9)]


def followed(events: Iterator[Event]) -> tuple[scan.Results, str]:
    out, results = io.StringIO(), scan.Results("/dev/ttyUSB0")
    scan.follow(events, results, EN, Console(file=out, width=120, force_terminal=True))
    return results, out.getvalue()


def test_progress_says_what_is_asked_and_how_long_it_may_take() -> None:
    _, told = followed(iter(EVENTS[:1]))
    assert "9600 8N1  address 1" in told
    assert "about 1 min left" in told


def test_devices_appear_with_the_products_they_may_be() -> None:
    results, told = followed(iter(EVENTS))
    assert "sonbest-sm7571b" in told
    assert "or sonbest-sm2130b-co" in told
    assert "no product we know" in told
    assert results.devices == [ONE, TWO]
    assert results.whole


def test_ctrl_c_keeps_what_was_found() -> None:
    def interrupted() -> Iterator[Event]:
        yield ONE
        raise KeyboardInterrupt

    results, _ = followed(interrupted())
    assert results.devices == [ONE]
    assert not results.whole


def test_what_is_pasted_is_a_table_for_each_speed() -> None:
    results, _ = followed(iter(EVENTS))
    tables = tomllib.loads(scan.toml(results, EN))
    assert [(bus["baud"], bus["parity"]) for bus in tables["bus"]] == [(9600, "none"), (19200, "even")]
    assert tables["bus"][0]["device"][0] | {"place": 0} == {
        "name": "smoke-1-1", "profile": "sonbest-sm7571b", "address": 1, "place": 0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([], "A and B swapped"),
        ([Noise(FAST, 3, 9)], "at 19200 8E1: something there speaks at another speed"),
        ([ONE, Noise(SLOW, 3, 9)], "share an address"),
        ([ONE, TWO], "a line can have only one"),
        ([ONE], "1 found"),
    ],
)
def test_the_end_says_what_it_means(events: list[Event], said: str) -> None:
    results, _ = followed(iter(events))
    assert any(said in line.plain for line in scan.closing(results, EN))


def test_the_results_are_there_for_scripts() -> None:
    results, _ = followed(iter(EVENTS))
    assert results.plain()["devices"][0] == {
        "address": 1, "baud": 9600, "parity": "none", "profiles": ["sonbest-sm7571b", "sonbest-sm2130b-co"]
    }  # fmt: skip
    assert results.plain()["noise"] == [{"baud": 19200, "parity": "even", "bytes": 9}]
