"""Home Assistant device discovery: what it may say, and that a device which is gone is taken back."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from drivers.api import Quality
from gateway.core import home_assistant
from gateway.core.config import Config, DoorTable, GatewayTable, MqttTable
from gateway.core.events import Clock, Event, Place, ReadingBody
from gateway.core.rules import Watched
from gateway.core.snapshot import Snapshot
from gateway.discovery import FILE, Discovery

# What Home Assistant's MQTT device discovery takes, as its documentation tells it; only sensors are allowed here. It is
# held against Home Assistant itself by tests/interop/home_assistant.py.
CLASSES = ["temperature", "distance", "duration", "voltage", "current", "pressure", "wind_speed"]
CLASSES += ["smoke", "safety", "problem", "tamper", "door", "occupancy", "motion"]
TEMPLATE = {"type": "string", "pattern": r"\{\{.*\}\}"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["dev", "o", "cmps", "state_topic", "avty"],
    "additionalProperties": False,
    "properties": {
        "dev": {
            "type": "object",
            "required": ["ids", "name"],
            "additionalProperties": False,
            "properties": {"ids": {"type": "array", "minItems": 1}, "name": {}, "mdl": {}, "sa": {}},
        },
        "o": {"type": "object", "required": ["name"]},
        "state_topic": {"type": "string"},
        "avty_mode": {"enum": ["all", "any", "latest"]},
        "avty": {"type": "array", "items": {"type": "object", "required": ["topic"]}},
        "cmps": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["p", "unique_id", "name", "value_template"],
                "additionalProperties": False,
                "properties": {
                    "p": {"enum": ["sensor", "binary_sensor"]},
                    "unique_id": {"type": "string"},
                    "qos": {"const": 1},
                    "name": {"type": "string"},
                    "value_template": TEMPLATE,
                    "device_class": {"enum": CLASSES},
                    "state_class": {"const": "measurement"},
                    "unit_of_measurement": {"type": "string"},
                },
            },
        },
    },
}  # fmt: skip


class Broker:
    """What was retained, by topic; an empty message takes it back."""

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.connections = 1
        self.up = True
        self.published = 0

    def publish(self, topic: str, content: bytes, *, retain: bool = False, share: float = 1.0) -> bool:
        assert retain
        assert share < 1, "it leaves no room for alerts"
        if self.up:
            self.published += 1
            self.retained[topic] = content
            if not content:
                del self.retained[topic]
        return self.up

    def statistics(self) -> "Broker":
        return self


def discovery(
    folder: Path, broker: Broker, *names: str, on: bool = True, private: frozenset[str] = frozenset()
) -> Discovery:
    config = Config(
        gateway=GatewayTable(id="hxtp-01", state_dir=str(folder)),
        mqtt=MqttTable(url="mqtt://x", home_assistant=on),
        door=(DoorTable(name="gate-1", strike="board-1", label="单元门"),),
    )
    place = Place(building="2", floor="3")
    watched = {name: Watched(name, "东侧走廊", place, "smoke", private=private) for name in names}
    snapshot = Snapshot(names)
    for name in names:
        for point, value, unit in (("alarm", False, None), ("temperature", 21.5, "°C"), ("count", 3, None)):
            body = ReadingBody(name, point, value, Quality.GOOD, 1.0, unit)
            snapshot.follow(Event(1, 1, 1.0, 1.0, Clock.SYNCED, body))
    return Discovery(config, watched, snapshot, broker)


def test_a_device_is_told_as_the_format_wants_it_with_chinese_names_and_nothing_to_press(
    tmp_path: Path,
) -> None:
    broker = Broker()
    discovery(tmp_path, broker, "smoke-1").look(set())
    for content in broker.retained.values():
        jsonschema.validate(json.loads(content), SCHEMA)
        assert b"command" not in content
    told = json.loads(broker.retained["homeassistant/device/hxtp-01_smoke-1/config"])
    assert told["dev"]["name"] == "2 栋 3 楼 东侧走廊 smoke-1"
    assert told["state_topic"] == "compound/v1/hxtp-01/state/smoke-1"
    assert {name: each["p"] for name, each in told["cmps"].items()} == {
        "alarm": "binary_sensor",
        "temperature": "sensor",
        "count": "sensor",
    }
    assert told["cmps"]["temperature"]["device_class"] == "temperature"
    assert told["cmps"]["alarm"]["name"] == "报警 alarm"
    assert len({each["unique_id"] for each in told["cmps"].values()}) == 3


def test_a_point_whose_values_are_told_to_nobody_is_not_named_either(tmp_path: Path) -> None:
    broker = Broker()
    discovery(tmp_path, broker, "radar-1", private=frozenset({"count"})).look(set())
    told = json.loads(broker.retained["homeassistant/device/hxtp-01_radar-1/config"])
    assert set(told["cmps"]) == {"alarm", "temperature"}


def test_a_door_is_a_binary_sensor_and_nothing_more(tmp_path: Path) -> None:
    broker = Broker()
    discovery(tmp_path, broker).look(set())
    told = json.loads(broker.retained["homeassistant/device/hxtp-01_gate-1/config"])
    (seen,) = told["cmps"].values()
    assert (seen["p"], seen["device_class"]) == ("binary_sensor", "door")


def test_a_device_that_is_gone_is_taken_back_and_nothing_is_told_twice(tmp_path: Path) -> None:
    broker = Broker()
    kept = discovery(tmp_path, broker, "smoke-1", "smoke-2").look(set())
    assert kept == {"smoke-1", "smoke-2", "gate-1"}
    later = discovery(tmp_path, broker, "smoke-1")
    broker.up = False
    assert later.look(kept) == kept, "what could not be taken back yet is not forgotten"
    broker.up = True
    kept = later.look(kept)
    assert kept == {"smoke-1", "gate-1"}
    assert "homeassistant/device/hxtp-01_smoke-2/config" not in broker.retained
    before = broker.published
    assert later.look(kept) == kept
    assert broker.published == before
    broker.connections += 1
    later.look(kept)
    assert broker.published == before + 2, "another broker is told anew"


def test_what_was_told_is_taken_back_once_it_is_switched_off(tmp_path: Path) -> None:
    broker = Broker()
    kept = discovery(tmp_path, broker, "smoke-1").look(set())
    (tmp_path / FILE).write_text(json.dumps(sorted(kept)))
    off = discovery(tmp_path, broker, "smoke-1", on=False)
    assert off.services
    assert off.look(kept) == set()
    assert broker.retained == {}


def test_without_the_switch_nothing_runs(tmp_path: Path) -> None:
    config = Config(
        gateway=GatewayTable(id="hxtp-01", state_dir=str(tmp_path)), mqtt=MqttTable(url="mqtt://x")
    )
    assert Discovery(config, {}, Snapshot(()), Broker()).services == {}


def test_a_component_says_unknown_for_a_value_that_is_not_good() -> None:
    content = home_assistant.config(
        "g", "d", {"alarm": (True, None)}, name="d", model="m", area="", version="1"
    )
    template = json.loads(content)["cmps"]["alarm"]["value_template"]
    assert "p.quality == 'good'" in template
    assert "else None" in template
