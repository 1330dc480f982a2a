"""`[[fire_centre]]`: what is checked before anything starts, and who is which component at a centre."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway import configuration, fire_centre_making
from gateway.core import kinds
from gateway.core.events import Body, Event, LinkBody
from gateway.core.snapshot import Snapshot
from gateway.fire_centre_needs import Around
from gateway.fire_centres import FireCentres
from gateway.runtime.journal.cursors import UNSERVED
from gateway.runtime.stream import Stamp
from tests import events
from tests.gateway.runtime.journal_use import running
from tests.uplink_parts import MemoryJournal

HEAD = """
[gateway]
id = "hxtp-01"
name = "红星亭坡 1 号院"
state_dir = "{state}"

[[bus]]
name = "riser-a"
port = "/dev/ttyS91"

[[bus.device]]
name = "smoke-3f-east"
label = "东侧走廊"
profile = "sonbest-sm7571b"
address = 5
place = {{ building = "2", unit = "1", floor = "3" }}

[[bus.device]]
name = "cover-7"
profile = "witmotion-wt901c485"
address = 80
"""
CENTRE = """
[[fire_centre]]
name = "district"
url = "tcp://10.8.0.1:5000"
address = 889
centre_address = 88888
"""


def check(folder: Path, text: str) -> configuration.Checked:
    file = folder / "gateway.toml"
    file.write_text(HEAD.format(state=folder) + text, encoding="utf-8")
    return configuration.check(file)


def errors(folder: Path, text: str) -> list[tuple[str, str]]:
    return [(fault.key, fault.wanted.en) for fault in check(folder, text).faults if not fault.warning]


def test_a_centre_is_told_of_detectors_by_building_unit_floor_and_bus_address(tmp_path: Path) -> None:
    checked = check(tmp_path, CENTRE)
    assert checked.config is not None, checked.faults
    made = fire_centre_making.make(checked.config, checked.profiles, kinds.built_in(), _around())
    (component,) = made[0].facility.components.values()
    assert (component.place & 0xFFFF, component.place >> 16) == (201, 3005)
    assert (component.system, component.number) == (1, 42)
    assert component.text.rstrip(b"\0").decode("gb18030") == "2 栋 1 单元 3 楼 东侧走廊"


def test_a_site_names_an_address_and_lays_its_own_table_over_ours(tmp_path: Path) -> None:
    (tmp_path / "centre.toml").write_text("[category.tilt]\ncomponent = 130\n", encoding="utf-8")
    more = 'table = "centre.toml"\ncomponents = { "smoke-3f-east" = "10.2" }\n'
    checked = check(tmp_path, CENTRE + more)
    assert checked.config is not None, checked.faults
    made = fire_centre_making.make(checked.config, checked.profiles, kinds.built_in(), _around())
    places = {name: each.place for name, each in made[0].facility.components.items()}
    assert places == {"smoke-3f-east": 10 | 2 << 16, "cover-7": 80 << 16}


@pytest.mark.parametrize(
    ("change", "key", "wanted"),
    [
        ('url = "mqtt://10.8.0.1"', "fire_centre[0].url", "tcp://"),
        ('url = "tcp://10.8.0.1"', "fire_centre[0].url", "tcp://"),
        ('url = "tcp://10.8.0.1:70000"', "fire_centre[0].url", "1 to 65535"),
        ("url = []", "fire_centre[0].url", "tcp://"),
        ("address = -1", "fire_centre[0].address", "0 to"),
        ("address = 88888", "fire_centre[0].address", "the centre has given"),
        ("timeout_s = 11", "fire_centre[0].timeout_s", "10"),
        ("heartbeat_s = 1", "fire_centre[0].heartbeat_s", "5 to 600"),
        ('name = "District"', "fire_centre[0].name", "a-z"),
        ('components = { "smoke" = "1.1" }', 'fire_centre[0].components."smoke"', "the name of a device"),
        ('components = { "cover-7" = "70000.1" }', 'fire_centre[0].components."cover-7"', "65535"),
        ('table = "nowhere.toml"', "fire_centre[0].table", "can be read"),
        ("resend = 3", "fire_centre[0].resend", ""),
    ],
)
def test_a_mistake_is_found_before_anything_starts(
    tmp_path: Path, change: str, key: str, wanted: str
) -> None:
    name = change.partition(" ")[0]
    lines = [line for line in CENTRE.splitlines() if not line.startswith(f"{name} ")]
    found = errors(tmp_path, "\n".join([*lines, change]))
    assert [each for each in found if each[0] == key and wanted in each[1]], found


def test_two_devices_with_one_address_at_the_centre_are_named_both(tmp_path: Path) -> None:
    other = (
        '\n[[bus]]\nname = "riser-b"\nport = "/dev/ttyS92"\n[[bus.device]]\nname = "smoke-3f-west"\naddress = 5\n'
        'profile = "sonbest-sm7571b"\nplace = { building = "2", unit = "1", floor = "3" }\n'
    )
    checked = check(tmp_path, CENTRE + other)
    (fault,) = [fault for fault in checked.faults if not fault.warning]
    assert fault.key == "fire_centre[0].components"
    assert "smoke-3f-west and smoke-3f-east, both zone 201 number 3005" in fault.found.en
    assert fault.hint is not None
    assert not errors(tmp_path, CENTRE + 'components = { "smoke-3f-west" = "201.3105" }\n' + other)


def test_a_mistake_in_a_sites_table_names_that_file(tmp_path: Path) -> None:
    table = tmp_path / "centre.toml"
    table.write_text('[kind."fire.smok"]\nstate = ["fire"]\n', encoding="utf-8")
    checked = check(tmp_path, CENTRE + 'table = "centre.toml"\n')
    (fault,) = [fault for fault in checked.faults if not fault.warning]
    assert fault.file == str(table)


def test_nothing_is_kept_for_a_centre_that_is_gone_and_its_trouble_is_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path) as journal:
            journal.cursor("centre-old.urgent")
            checked = check(tmp_path, "")
            assert checked.config is not None
            around = Around(journal, _numbered, _no_time, Snapshot(()), {}, (), (), lambda _point: None)
            centres = FireCentres(checked.config, checked.profiles, kinds.built_in(), around)
            assert journal.cursor("centre-old.urgent") == UNSERVED
            told: list[object] = []
            body = events.alert_body(2, kind="centre.unreachable")
            centres.begin([msgspec.structs.replace(body, key="centre.unreachable/old")], told.append)
            assert [each.name for each in told if isinstance(each, LinkBody) and each.up] == ["old"]
            assert centres.services == {}

    asyncio.run(story())


def _around() -> Around:
    journal: Any = MemoryJournal()
    journal.epoch = 1
    return Around(journal, journal.submit, _no_time, Snapshot(()), {}, (), (), lambda _point: None)


def _numbered(_body: Body) -> Event:
    raise AssertionError("nobody submits")


def _no_time() -> Stamp:
    raise AssertionError("nobody asks")
