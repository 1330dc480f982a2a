"""The health document says everything in plain JSON and fits its own schema."""

import dataclasses
import json
from importlib import resources

import jsonschema
import pytest

from drivers.figures import DeviceStatistics, LineStatistics
from gateway.core import health, payload
from gateway.core.doors import Mode, State
from gateway.core.events import Clock, Place
from tests.gateway.runtime.test_stream import ALERT

DEVICE = DeviceStatistics(
    device="smoke-1",
    address=1,
    online=True,
    last_good_at=90.0,
    round_trip_p50_s=0.025,
    round_trip_p99_s=0.03,
    timeout_s=0.05,
    polls=10,
    good=9,
    timeouts=1,
    crc_errors=0,
    retries=0,
    late=0,
    exceptions=0,
    suspect_duplicate=False,
)
LINE = LineStatistics("riser-a", True, 0.5, 10, 0, 0, None, (DEVICE,))
IDENTITY = health.Identity("hxtp-01", "红星亭坡 1 号院", "0.1.0", "boot", 1, 1_795_392_000.0)


def document(**changes: object) -> dict[str, object]:
    parts: dict[str, object] = {
        "clock": Clock.SYNCED,
        "uptime_s": 61.25,
        "faults": 2,
        "buses": [LINE],
        "uplink": None,
        "journal": {"rows": 3},
        "alerts": [ALERT, ALERT],
        "services": {"uplink": {"running": True}},
        "now": 100.0,
    }
    return health.document(IDENTITY, **(parts | changes))  # type: ignore[arg-type]


DOOR = {"door": "gate-2-1", "place": Place(building="2"), "state": State.LOCKED, "mode": Mode.NORMAL, "why": "",
        "kinds": (), "fail": "secure", "until": None}  # fmt: skip
CENTRE = {"name": "district", "connected": True, "waiting": 0, "confirmed": 7, "refused": 0, "trouble": "",
          "last_confirmed_at": 90.0}  # fmt: skip
FIRE = {"interlock": "fire", "engaged": False, "drill": False, "places": (), "burning": 0, "dry_run": False}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {
            "doors": [DOOR],
            "interlocks": [FIRE],
            "access": {"entries": 2, "ready": True},
            "fire_centres": [CENTRE],
        },
    ],
)
def test_it_fits_the_published_schema(more: dict[str, object]) -> None:
    schema = json.loads(
        resources.files("gateway.core").joinpath("schemas/health.json").read_text(encoding="utf-8")
    )
    told = json.loads(payload.health(document(**more)))
    jsonschema.validate(told, schema)
    assert len(told["doors"]) == len(more.get("doors", []))  # type: ignore[arg-type]


def test_a_stamp_of_this_boot_is_told_as_an_age() -> None:
    line = document()["buses"][0]  # type: ignore[index]
    assert line["devices"][0]["last_good_ago_s"] == 10.0
    assert "last_good_at" not in line["devices"][0]


def test_a_fire_centres_last_word_is_told_as_an_age() -> None:
    told = document(fire_centres=[CENTRE])["fire_centres"][0]  # type: ignore[index]
    assert told["last_confirmed_ago_s"] == 10.0
    assert "last_confirmed_at" not in told


def test_a_device_that_never_answered_has_no_age() -> None:
    silent = dataclasses.replace(LINE, devices=(dataclasses.replace(DEVICE, last_good_at=None),))
    line = document(buses=[silent])["buses"][0]  # type: ignore[index]
    assert line["devices"][0]["last_good_ago_s"] is None


def test_alerts_are_counted_by_severity_and_a_missing_uplink_is_null() -> None:
    told = document()
    assert told["alerts"] == {"critical": 2}
    assert told["uplink"] is None


def test_events_that_a_part_of_the_gateway_failed_on_are_counted_where_people_look() -> None:
    assert document()["gateway"]["faults"] == 2  # type: ignore[index]
