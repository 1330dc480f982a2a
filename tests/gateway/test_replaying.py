"""`replay`: the same rules, the record's own time, and errors that name their line."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from drivers.api import Quality
from gateway.cli import cli
from gateway.core.events import Clock, Event, ReadingBody
from gateway.terminal.export import csv_lines, json_lines

CONFIG = """
[gateway]
id = "hxtp-01"
state_dir = "{state}"
[[bus]]
name = "riser-a"
port = "/dev/ttyS91"
[[bus.device]]
name = "smoke-1"
profile = "sonbest-sm7571b"
address = 1
place = {{ building = "2", floor = "3" }}
"""
RULES = '[[rule]]\nkind = "device.fault"\npoint = "smoke"\nabove = 50.0\nclear = 40.0\nhold_s = 60.0\n'
T0 = 1_795_508_130.0
READINGS = [(0, 10), (100, 60), (400, 20), (500, 900), (520, 10), (600, 60), (630, 10)]


def rows() -> list[Event]:
    return [
        Event(
            1, n, T0 + at, at, Clock.SYNCED, ReadingBody("smoke-1", "smoke", value, Quality.GOOD, at, "ppm")
        )
        for n, (at, value) in enumerate(READINGS, 1)
    ]


def told(
    folder: Path, lines: Iterable[str], *options: str, rules: str | None = RULES, config: str = CONFIG
) -> Result:
    (folder / "gateway.toml").write_text(config.format(state=folder), encoding="utf-8")
    (folder / "rows").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tried = []
    if rules is not None:
        (folder / "rules.toml").write_text(rules, encoding="utf-8")
        tried = ["--rules", str(folder / "rules.toml")]
    where = ["-c", str(folder / "gateway.toml")]
    return CliRunner().invoke(cli, ["--lang", "en", "replay", str(folder / "rows"), *tried, *where, *options])


def exported(form: str) -> Iterable[str]:
    events = iter([msgspec.to_builtins(event) for event in rows()])
    return json_lines(events) if form == "jsonl" else csv_lines(events)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_rule_tells_what_it_would_have_raised_when_and_for_how_long(tmp_path: Path, form: str) -> None:
    result = told(tmp_path, exported(form), "--alone", "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output)
    assert answer["readings"] == len(READINGS)
    (spell,) = answer["spells"]  # 60 ppm from 100 to 400 s; 900 and 60 later were too short for a minute
    assert spell["kind"] == "device.fault"
    assert spell["raised"] == pytest.approx(T0 + 160, abs=2)
    assert spell["cleared"] == pytest.approx(T0 + 400, abs=2)
    assert answer["by_kind"] == {"device.fault": 1}


def test_beside_the_rules_in_force_it_tells_their_alerts_too(tmp_path: Path) -> None:
    answer = json.loads(told(tmp_path, exported("jsonl"), "--json").output)
    assert answer["by_kind"] == {"device.fault": 1, "fire.smoke": 1}
    alone = json.loads(told(tmp_path, exported("jsonl"), "--json", rules=None).output)
    assert alone["by_kind"] == {"fire.smoke": 1}


def test_people_get_a_line_an_alert_and_a_summary(tmp_path: Path) -> None:
    result = told(tmp_path, exported("jsonl"))
    assert "Fault in smoke-1" in result.output
    assert "7 readings, 2 alerts" in result.output


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    result = told(tmp_path, [*list(exported("jsonl"))[:2], "{oops"])
    assert result.exit_code != 0
    assert "line 3" in result.output


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_what_is_no_export_is_said_so(tmp_path: Path, text: str) -> None:
    result = told(tmp_path, [text])
    assert result.exit_code != 0
    assert "line 1" in result.output


def test_a_mistake_in_the_rules_is_shown_with_its_line(tmp_path: Path) -> None:
    result = told(tmp_path, exported("jsonl"), rules=RULES.replace("device.fault", "device.fualt"))
    assert result.exit_code == 1
    assert "rules.toml:2" in result.output
    assert "device.fault" in result.output


def test_readings_of_a_device_nobody_knows_are_told(tmp_path: Path) -> None:
    lines = [line.replace("smoke-1", "smoke-9") for line in exported("jsonl")]
    assert "smoke-9" in told(tmp_path, lines).output


FLAT = """
[[bus.device]]
name = "door-301"
profile = "wellpro-wp8026adam"
address = 2
[[asset]]
name = "flat-301"
kind = "home"
parts = {{ contacts = "door-301.contact_1" }}
[[resident]]
code = "2-1-301"
sensors = ["door-301", "flat-301"]
consent = ["home"]
"""


def test_what_a_watch_over_a_resident_said_in_a_trial_can_be_played_again(tmp_path: Path) -> None:
    """The gateway itself writes none of it down: such a record is made on a bench."""
    said = [(0, False), (21_600, True), (21_660, True), (30_000, False), (30_060, False)]
    events = [
        Event(1, n, T0 + at, at, Clock.SYNCED, ReadingBody("flat-301", "quiet", on, Quality.GOOD, at))
        for n, (at, on) in enumerate(said, 1)
    ]
    lines = json_lines(iter([msgspec.to_builtins(event) for event in events]))
    result = told(tmp_path, lines, "--json", rules=None, config=CONFIG + FLAT)
    assert result.exit_code == 0, result.output
    (spell,) = json.loads(result.output)["spells"]
    assert spell["kind"] == "care.quiet"
    assert spell["cleared"] - spell["raised"] == pytest.approx(8400, abs=5)


def test_what_the_record_ends_with_is_told_as_it_would_have_been_and_an_empty_record_is_said_to_be_one(
    tmp_path: Path,
) -> None:
    last = list(itertools.islice(exported("jsonl"), 4))  # the fire is the last that was recorded
    shown = told(tmp_path, last, "--json", rules=None)
    assert [each["kind"] for each in json.loads(shown.stdout)["spells"]] == ["fire.smoke"]
    (tmp_path / "rows").write_text("", encoding="utf-8")
    empty = CliRunner().invoke(
        cli, ["--lang", "en", "replay", str(tmp_path / "rows"), "-c", str(tmp_path / "gateway.toml")]
    )
    assert "the file is empty" in empty.stderr
