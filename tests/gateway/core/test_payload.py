"""Payloads keep to the published schemas and never grow past their bound."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import Quality
from gateway.core import doors, payload
from gateway.core.events import (
    AlertBody,
    Certainty,
    Change,
    Clock,
    DoorBody,
    Event,
    OutcomeBody,
    Place,
    Severity,
    Words,
)
from gateway.core.payload import LARGEST, PointState

SCHEMAS = Path(payload.__file__).parent / "schemas"
NAMES = ("alert", "outcome", "state", "door", "health", "receipt")


@cache
def validator(name: str) -> Any:
    return jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text()))


def valid(name: str, content: bytes) -> Any:
    document = json.loads(content)
    validator(name).validate(document)
    assert len(content) <= LARGEST
    return document


def event(body: Any, *, previous: int | None = None, seq: int = 1042) -> Event:
    return Event(1, seq, 1_795_508_130.1239, 12.5, Clock.SYNCED, body, previous)


SMOKE = AlertBody(
    alert="0193a5f2-7d1e-7c3a-9f00-0123456789ab",
    key="fire.smoke/smoke-3f-east",
    change=Change.RAISED,
    state="unacknowledged",
    kind="fire.smoke",
    severity=Severity.CRITICAL,
    certainty=Certainty.OBSERVED,
    text=Words(zh="2 栋 1 单元 3 楼 烟感报警", en="Smoke alarm, building 2, unit 1, floor 3"),
    place=Place(
        community="中山二路",
        grid="3",
        microgrid="17",
        compound="红星亭坡 1 号院",
        building="2",
        unit="1",
        floor="3",
    ),
    first_seen=1_795_508_129.98,
    clock=Clock.SYNCED,
    device="smoke-3f-east",
    point="smoke",
    value=1,
    devices=("smoke-3f-east",),
)

text = st.text(max_size=300)
name = st.text(min_size=1, max_size=60).filter(lambda value: value.strip())
number = st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats())
alerts = st.builds(
    AlertBody,
    alert=st.just(SMOKE.alert),
    key=text,
    change=st.sampled_from(Change),
    state=name,
    kind=st.sampled_from(["fire.smoke", "manhole.tilt", "device.offline"]),
    severity=st.sampled_from(Severity),
    certainty=st.sampled_from(Certainty),
    text=st.builds(Words, zh=text, en=text),
    place=st.builds(Place, community=text, grid=text, compound=text, building=text, floor=text),
    first_seen=st.floats(),
    clock=st.sampled_from(Clock),
    device=st.one_of(st.none(), name),
    point=st.one_of(st.none(), name),
    value=number,
    unit=st.one_of(st.none(), text),
    count=st.integers(1, 2**40),
    devices=st.lists(name, max_size=60).map(tuple),
    evidence=st.lists(name, max_size=60).map(tuple),
    by=st.one_of(st.none(), text),
    note=st.one_of(st.none(), text),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads((SCHEMAS / f"{name}.json").read_text()))


def test_an_alert_has_the_shape_of_the_contract() -> None:
    document = valid("alert", payload.alert_event(event(SMOKE, previous=1040), "hxtp-01"))
    data = document.pop("data")
    assert document == {
        "specversion": "1.0",
        "type": "compound.alert.raised",
        "source": "/compound/hxtp-01",
        "id": "1.1042",
        "previous": "1.1040",
        "subject": SMOKE.alert,
        "time": "2026-11-24T08:15:30.123Z",
        "datacontenttype": "application/json",
    }
    assert data == {
        "kind": "fire.smoke",
        "severity": "critical",
        "certainty": "observed",
        "state": "unacknowledged",
        "device": "smoke-3f-east",
        "point": "smoke",
        "value": 1,
        "unit": None,
        "place": {
            "community": "中山二路",
            "grid": "3",
            "microgrid": "17",
            "compound": "红星亭坡 1 号院",
            "building": "2",
            "unit": "1",
            "floor": "3",
        },
        "text": {"zh": "2 栋 1 单元 3 楼 烟感报警", "en": "Smoke alarm, building 2, unit 1, floor 3"},
        "first_seen": "2026-11-24T08:15:29.980Z",
        "count": 1,
        "clock": "synced",
        "devices": ["smoke-3f-east"],
        "evidence": [],
    }


@pytest.mark.parametrize("previous", [None, 0])
def test_the_first_alert_of_all_names_none_before_it(previous: int | None) -> None:
    assert "previous" not in valid("alert", payload.alert_event(event(SMOKE, previous=previous), "hxtp-01"))


@given(alerts, st.integers(0, 2**40))
def test_every_alert_keeps_to_the_schema(body: AlertBody, previous: int) -> None:
    document = valid("alert", payload.alert_event(event(body, previous=previous), "hxtp-01"))
    assert document["type"] == f"compound.alert.{body.change}"


@given(alerts)
def test_the_same_event_always_makes_the_same_bytes(body: AlertBody) -> None:
    """A duplicate is recognised by its id, and differs in nothing else either."""
    assert payload.alert_event(event(body), "hxtp-01") == payload.alert_event(event(body), "hxtp-01")


@dataclass(frozen=True)
class Worst:
    """The text that grows most: quotes double in JSON, control characters would grow sixfold."""

    text: str


@pytest.mark.parametrize(
    "worst", [Worst('"'), Worst("\\"), Worst("\x01"), Worst("汉"), Worst("🔥"), Worst("\ud800")]
)
def test_no_alert_is_larger_than_the_bound(worst: Worst) -> None:
    long = worst.text * 100_000
    body = msgspec.structs.replace(
        SMOKE,
        **dict.fromkeys(("kind", "state", "device", "point", "unit", "by", "note", "key", "alert"), long),
        text=Words(long, long),
        place=Place(*[long] * 7),
        devices=(long,) * 5_000,
        evidence=(long,) * 5_000,
        value=-1.7976931348623157e308,
        count=2**63,
    )
    content = payload.alert_event(event(body, previous=2**40 - 2, seq=2**40 - 1), "g" * 63)
    assert 20_000 < len(content) <= LARGEST


@pytest.mark.parametrize("worst", ['"', "\x01", "汉"])
def test_no_state_is_larger_than_the_bound(worst: str) -> None:
    long = worst * 1_000
    points = [PointState(f"{number}{long}", -1.7e308, Quality.STALE, 1e9, long) for number in range(1_000)]
    about = dict.fromkeys(("category", "profile", "label"), long)
    content = payload.state(long, points, online=True, place=Place(*[long] * 7), about=about)
    assert 20_000 < len(content) <= LARGEST


def test_no_outcome_is_larger_than_the_bound() -> None:
    long = '"' * 100_000
    body = OutcomeBody(long, long, long, "refused", long, long)
    assert len(payload.outcome_event(event(body), "hxtp-01")) <= LARGEST


def test_an_outcome_keeps_to_its_schema() -> None:
    body = OutcomeBody("order-7", "door-2", "unlock", "done", "read back 1", "console", grants=True)
    document = valid("outcome", payload.outcome_event(event(body), "hxtp-01"))
    assert document["subject"] == "order-7"
    assert document["data"]["result"] == "done"


def test_a_state_keeps_to_its_schema() -> None:
    points = [
        PointState("alarm", True, Quality.GOOD, 1_795_508_130.0),
        PointState("temperature", 21.5, Quality.STALE, 1_795_508_131.5, "°C"),
        PointState("smoke", None, Quality.BAD, 1_795_508_129.0, "ppm"),
    ]
    document = valid("state", payload.state("smoke-1", points, online=False, place=Place(building="2")))
    assert document["online"] is False
    assert document["time"] == "2026-11-24T08:15:31.500Z"
    assert document["points"]["temperature"] == {
        "value": 21.5,
        "unit": "°C",
        "quality": "stale",
        "time": "2026-11-24T08:15:31.500Z",
    }


def test_a_state_says_what_the_device_is_as_far_as_that_is_known() -> None:
    about = {"category": "smoke", "profile": "renke-rs-yg-n01", "label": ""}
    document = valid("state", payload.state("smoke-1", [], about=about))
    assert (document["category"], document["profile"]) == ("smoke", "renke-rs-yg-n01")
    assert "label" not in document


def test_a_state_without_points_is_one_too() -> None:
    assert valid("state", payload.state("smoke-1", []))["points"] == {}


def test_health_that_grows_too_large_loses_its_longest_part_and_says_so() -> None:
    gateway = {"id": "hxtp-01", "version": "1", "boot": "b", "epoch": 1, "clock": "synced"}
    buses = [{"line": f"riser-{number}", "up": True, "devices": ["x" * 100] * 20} for number in range(50)]
    document = valid("health", payload.health({"gateway": gateway, "buses": buses, "alerts": {"major": 2}}))
    assert document == {"gateway": gateway, "alerts": {"major": 2}, "truncated": ["buses"]}


def test_health_of_usual_size_is_sent_as_it_is() -> None:
    gateway = {"id": "hxtp-01", "version": "1", "boot": "b", "epoch": 1, "clock": "unsynced"}
    document = {"gateway": gateway, "buses": [{"line": "riser-a", "up": False}], "uplink": None}
    assert valid("health", payload.health(document)) == document


@pytest.mark.parametrize(
    ("words", "size", "clipped"),
    [
        ("short", 5, "short"),
        ("longer", 5, "lo…"),
        ("汉字汉字", 9, "汉字…"),
        ("汉字汉字", 10, "汉字…"),
        ("🔥🔥🔥", 8, "🔥…"),
        ("two\nlines\x7f", 20, "two lines "),
    ],
)
def test_a_text_is_cut_on_a_character_boundary(words: str, size: int, clipped: str) -> None:
    assert payload.clip(words, size) == clipped


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (-5.0, "1970-01-01T00:00:00.000Z"),
        (1e30, "9999-12-31T23:59:59.000Z"),
        (float("nan"), "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_outside_the_calendar_becomes_its_nearest_end(seconds: float, written: str) -> None:
    assert payload.rfc3339(seconds) == written


def test_only_alerts_make_alert_events() -> None:
    with pytest.raises(TypeError):
        payload.alert_event(event(OutcomeBody("1", "d", "a", "done", "", "")), "hxtp-01")
    with pytest.raises(TypeError):
        payload.outcome_event(event(SMOKE), "hxtp-01")


@pytest.mark.parametrize(
    "damage",
    [
        {"specversion": "0.3"},
        {"id": "1042"},
        {"type": "compound.alert.exploded"},
        {"subject": "not-a-uuid"},
        {"time": "yesterday"},
        {"extra": 1},
    ],
)
def test_the_schema_turns_away_what_is_no_alert(damage: dict[str, Any]) -> None:
    document = json.loads(payload.alert_event(event(SMOKE), "hxtp-01"))
    assert validator("alert").is_valid(document)
    assert not validator("alert").is_valid(document | damage)


@given(
    st.sampled_from(doors.State),
    st.sampled_from(doors.Mode),
    st.text(max_size=400),
    st.lists(st.sampled_from(doors.KINDS), unique=True),
)
def test_a_door_keeps_to_its_schema(state: str, mode: str, why: str, kinds: list[str]) -> None:
    body = DoorBody("gate-2-1", state, mode, why, tuple(kinds))
    document = valid("door", payload.door_state(body, 1_795_392_000.0, place=Place(building="2")))
    assert (document["state"], document["mode"], document["kinds"]) == (state, mode, kinds)
    assert document["place"] == {"building": "2"}
    assert document["time"] == "2026-11-23T00:00:00.000Z"


@pytest.mark.parametrize(
    "document", [{"epoch": 1, "stored": [[1040, 1042], [1045, 1045]]}, {"epoch": 2, "stored": []}]
)
def test_receipts_of_the_contract_keep_to_their_schema(document: Any) -> None:
    assert validator("receipt").is_valid(document)


@pytest.mark.parametrize(
    "document", [{"epoch": 0, "stored": []}, {"epoch": 1, "stored": [[1]]}, {"stored": []}, []]
)
def test_the_schema_turns_away_what_is_no_receipt(document: Any) -> None:
    assert not validator("receipt").is_valid(document)
