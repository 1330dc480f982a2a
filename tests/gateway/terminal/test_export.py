"""Times as people write them, and rows as JSON lines and CSV."""

import csv
import json
from datetime import datetime, timedelta, timezone

import pytest

from gateway.terminal.errors import ToolError
from gateway.terminal.export import COLUMNS, csv_lines, json_lines, moment

CHONGQING = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 23, 8, 15, 30, tzinfo=CHONGQING)


@pytest.mark.parametrize(
    ("told", "then"),
    [
        ("now", NOW),
        ("today", NOW.replace(hour=0, minute=0, second=0)),
        ("yesterday", NOW.replace(day=22, hour=0, minute=0, second=0)),
        ("2h", NOW - timedelta(hours=2)),
        ("30 min", NOW - timedelta(minutes=30)),
        ("1.5d", NOW - timedelta(days=1.5)),
        ("2026-11-23", NOW.replace(hour=0, minute=0, second=0)),
        ("2026-11-23T08:00", NOW.replace(minute=0, second=0)),
        ("2026-11-23 08:00:05", NOW.replace(minute=0, second=5)),
        ("2026-11-23T00:00:00Z", NOW.replace(minute=0, second=0)),
    ],
)
def test_a_time_is_understood_as_people_write_it(told: str, then: datetime) -> None:
    assert moment(told, NOW) == then.timestamp()


@pytest.mark.parametrize("told", ["", "soon", "2x", "2026-13-01", "99999999999999999999d", "h", "12:00"])
def test_anything_else_is_refused_with_examples(told: str) -> None:
    with pytest.raises(ToolError) as error:
        moment(told, NOW)
    assert error.value.key == "export.moment"


ALERT = {
    "epoch": 1, "seq": 7, "time": 1.5, "clock": "synced",
    "body": {"type": "alert", "kind": "fire.smoke", "severity": "critical", "change": "raised", "device": "smoke-1",
             "value": True, "text": {"zh": "烟感，报警", "en": 'Smoke "alarm"'}, "note": None},
}  # fmt: skip
OUTCOME = {
    "epoch": 1, "seq": 8, "time": 2.0, "clock": "synced",
    "body": {"type": "outcome", "device": "door-1", "action": "unlock", "result": "done", "detail": "read back"},
}  # fmt: skip


def test_json_lines_are_the_events_as_they_came() -> None:
    assert [json.loads(line) for line in json_lines(iter([ALERT, OUTCOME]))] == [ALERT, OUTCOME]


def test_csv_has_a_heading_and_can_be_read_back() -> None:
    heading, alert, outcome = csv.reader(csv_lines(iter([ALERT, OUTCOME])))
    assert tuple(heading) == COLUMNS
    row = dict(zip(heading, alert, strict=True))
    assert (row["id"], row["kind"], row["text_zh"], row["text_en"]) == (
        "1.7",
        "fire.smoke",
        "烟感，报警",
        'Smoke "alarm"',
    )
    assert (row["time"], row["value"]) == ("1970-01-01T00:00:01.500+00:00", "true")
    assert dict(zip(heading, outcome, strict=True))["detail"] == "unlock done read back"
