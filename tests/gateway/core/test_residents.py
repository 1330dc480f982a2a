"""What residents agreed to: who is watched, what is written down, what leaves, and what `check` says of it."""

from pathlib import Path
from unittest.mock import Mock

import pytest

from drivers.api import Quality
from gateway import assetry, configuration, site, states
from gateway.core import kinds
from gateway.core.assets import kinds as asset_kinds
from gateway.core.events import Clock, Event, LinkBody, ReadingBody
from gateway.core.faults import Fault
from gateway.core.residents import NOBODYS, Privacy
from gateway.core.rules import Watched
from gateway.core.snapshot import Snapshot

KINDS = kinds.built_in()
BASE = """
[gateway]
id = "hxtp-01"
state_dir = "state"
place = { compound = "红星亭坡 1 号院" }
[[bus]]
name = "riser-a"
port = "socket://192.168.1.20:4001"
[[bus.device]]
name = "sos-board"
profile = "wirenboard-wb-mcm8"
address = 1
place = { building = "2", unit = "1", floor = "1" }
[[bus]]
name = "home-301"
port = "socket://192.168.1.20:4002"
baud = 115200
[[bus.device]]
name = "radar-301"
profile = "seeed-mr60bha2"
address = 1
"""
RESIDENT = """
[[resident]]
code = "2-1-301"
place = { building = "2", unit = "1", floor = "3" }
sos = ["sos-board.pulses_3"]
sensors = ["radar-301", "sos-board.contact_7"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path


def checked(folder: Path, more: str = "") -> configuration.Checked:
    file = folder / "gateway.toml"
    file.write_text(BASE + more, encoding="utf-8")
    return configuration.check(file)


def faults(folder: Path, more: str) -> list[Fault]:
    return list(checked(folder, more).faults)


def reading(device: str, point: str, value: float = 71.0) -> Event:
    body = ReadingBody(device, point, value, Quality.GOOD, 1.0, "/min")
    return Event(1, 1, 1_800_000_000.0, 1.0, Clock.SYNCED, body)


def state_of(folder: Path, more: str, *events: Event) -> str:
    found = checked(folder, more)
    assert found.config is not None
    watched = site.watched_of(found.config, found.profiles, KINDS)
    snapshot = Snapshot(tuple(watched))
    for event in events:
        snapshot.follow(event)
    snapshot.follow(
        Event(1, 2, 1_800_000_000.0, 2.0, Clock.SYNCED, LinkBody("device", "radar-301", True, ""))
    )
    told = states.state(snapshot, watched, "radar-301")
    assert told is not None
    return told.decode()


def kinds_watched(folder: Path, more: str) -> set[str]:
    found = checked(folder, more)
    assert found.config is not None
    watched = site.watched_of(found.config, found.profiles, KINDS)
    return {rule.kind.name for each in watched.values() for rule in each.rules if rule.kind.family == "care"}


def test_without_a_resident_nobody_is_watched_and_an_installer_is_told(folder: Path) -> None:
    assert kinds_watched(folder, "") == set()
    (fault,) = faults(folder, "")
    assert fault.warning
    assert fault.hint is not None
    assert "nothing of it is kept or sent" in fault.hint.en


@pytest.mark.parametrize(
    ("consent", "watched"),
    [
        ("", {"care.sos"}),
        ('consent = ["fall"]', {"care.sos"}),  # the radar knows no falls
        ('consent = ["vitals"]', {"care.sos", "care.vitals", "care.vitals_low"}),
    ],
)
def test_only_what_somebody_agreed_to_is_looked_for_and_a_call_for_help_always(
    folder: Path, consent: str, watched: set[str]
) -> None:
    assert kinds_watched(folder, RESIDENT + consent) == watched
    assert faults(folder, RESIDENT + consent) == []


def test_a_button_rings_for_its_flat_and_not_for_where_the_board_hangs(folder: Path) -> None:
    found = checked(folder, RESIDENT)
    assert found.config is not None
    board = site.watched_of(found.config, found.profiles, KINDS)["sos-board"]
    subject = board.about_point("pulses_3")
    assert (subject.label, subject.place.floor, subject.place.compound) == ("2-1-301", "3", "红星亭坡 1 号院")
    assert board.about_point("pulses_4").place.floor == "1"


def test_the_kinds_of_asset_are_not_read_where_there_are_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are 13 files: a start that nobody may wait for has better things to do."""
    read = Mock(wraps=asset_kinds.built_in)
    monkeypatch.setattr(asset_kinds, "built_in", read)
    found = checked(folder, RESIDENT)
    assert found.config is not None
    assert len(site.watched_of(found.config, found.profiles, KINDS)) > 1
    assert read.call_count == 0


@pytest.mark.parametrize(
    ("more", "device", "point", "told"),
    [
        ("", "radar-301", "heart", ""),
        (RESIDENT, "radar-301", "heart", ""),
        (RESIDENT + "sends = true", "radar-301", "heart", "radar-301"),
        (RESIDENT, "sos-board", "contact_7", ""),
        (RESIDENT, "sos-board", "contact_1", None),
        (RESIDENT, "sos-board", "pulses_3", None),
    ],
)
def test_what_a_care_sensor_measures_is_never_written_down(
    folder: Path, more: str, device: str, point: str, told: str | None
) -> None:
    found = checked(folder, more)
    assert found.config is not None
    privacy = site.privacy_of(found.config, found.profiles, KINDS)
    assert privacy.unwritten(reading(device, point).body) == told


def test_the_bytes_that_go_up_have_a_heart_rate_only_where_somebody_agreed_to_that(folder: Path) -> None:
    heart = reading("radar-301", "heart", 71.25)
    assert "71.25" not in state_of(folder, "", heart)
    assert "71.25" not in state_of(folder, RESIDENT + 'consent = ["vitals"]', heart)
    assert "71.25" in state_of(folder, RESIDENT + 'consent = ["vitals"]\nsends = true', heart)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('sos = ["sos-board.pulses_3"]', 'sos = ["sos-bord.pulses_3"]', "resident[0].sos"),
        ('sos = ["sos-board.pulses_3"]', 'sos = ["sos-board"]', "resident[0].sos"),
        ('"radar-301", ', '"radar-301.hart", ', "resident[0].sensors"),
        ('code = "2-1-301"', 'code = ""', "resident[0].code"),
        ('code = "2-1-301"', 'code = "2-1-301"\nconsent = ["fal"]', "resident[0].consent"),
    ],
)
def test_a_mistake_is_told_with_its_key(folder: Path, old: str, new: str, key: str) -> None:
    told = [fault for fault in faults(folder, RESIDENT.replace(old, new)) if fault.key == key]
    assert told
    assert not told[0].warning


@pytest.mark.parametrize(
    ("theirs", "key"),
    [
        ('sensors = ["radar-301"]', "resident[1].sensors"),
        ('sensors = ["radar-301.heart"]', "resident[1].sensors"),
        ('sensors = ["sos-board"]', "resident[1].sensors"),
        ('sensors = ["sos-board.pulses_3"]', "resident[1].sensors"),
        ('sos = ["sos-board.pulses_3"]', "resident[1].sos"),
        ('sos = ["sos-board.contact_7"]', "resident[1].sos"),
        ('sensors = ["flat"]', "resident[1].sensors"),
    ],
)
def test_what_two_residents_have_is_a_mistake_for_help_would_go_to_one_door_alone(
    folder: Path, theirs: str, key: str
) -> None:
    other = f'[[resident]]\ncode = "2-1-302"\n{theirs}\n'
    (fault,) = [each for each in faults(folder, WATCHED + other + ASSET) if each.key == key]
    assert not fault.warning
    assert fault.hint is not None
    assert "resident[0]" in fault.hint.en
    whole = WATCHED.replace('"sos-board.contact_7"', '"sos-board"')
    assert [
        each for each in hard(folder, whole + ASSET) if each.startswith("resident")
    ] == []  # their own board


def test_a_button_on_an_input_that_keeps_nothing_is_told_for_a_resident_too(folder: Path) -> None:
    (fault,) = faults(folder, RESIDENT.replace("pulses_3", "contact_3"))
    assert fault.warning
    assert "may be missed" in fault.found.en


@pytest.mark.parametrize("more", ["", RESIDENT, RESIDENT + "sends = true"])
@pytest.mark.parametrize("kind", ["group", "lot"])
def test_what_a_care_sensor_measures_leaves_by_no_asset_either(folder: Path, more: str, kind: str) -> None:
    role = {"group": "pulse", "lot": "bays"}[kind]
    asset = f'[[asset]]\nname = "flat"\nkind = "{kind}"\nparts = {{ {role} = "radar-301.presence" }}\n'
    (fault,) = [each for each in faults(folder, more + "\n" + asset) if not each.warning]
    assert fault.key == f"asset[0].parts.{role}"


def test_a_button_for_help_may_be_part_of_an_asset(folder: Path) -> None:
    asset = '[[asset]]\nname = "hall"\nkind = "group"\nparts = { button = "sos-board.pulses_3" }\n'
    assert [each for each in faults(folder, RESIDENT + asset) if not each.warning] == []


@pytest.mark.parametrize(
    ("more", "device", "point", "whose"),
    [
        (RESIDENT, "sos-board", "pulses_3", "2-1-301"),
        (RESIDENT, "radar-301", "heart", "2-1-301"),
        (RESIDENT, "radar-301", "", "2-1-301"),
        (RESIDENT, "sos-board", "pulses_4", ""),
        (RESIDENT, "sos-board", "", ""),
        ("", "radar-301", "", "?"),
        ("", "sos-board", "pulses_3", ""),
    ],
)
def test_an_alert_says_whom_it_concerns_so_that_a_desk_knows_who_may_see_it(
    folder: Path, more: str, device: str, point: str, whose: str
) -> None:
    found = checked(folder, more)
    assert found.config is not None
    assert site.privacy_of(found.config, found.profiles, KINDS).whose(device, point) == whose


def test_a_care_sensors_state_says_whom_it_watches_over(folder: Path) -> None:
    assert '"resident":"2-1-301"' in state_of(folder, RESIDENT, reading("radar-301", "heart"))
    assert '"resident":"?"' in state_of(folder, "", reading("radar-301", "heart"))


ASSET = """
[[asset]]
name = "flat"
kind = "home"
parts = { moves = "radar-301.presence", contacts = ["sos-board.contact_7"] }
"""
WATCHED = RESIDENT.replace("sensors = [", 'sensors = ["flat", ')


def hard(folder: Path, more: str) -> list[str]:
    return [fault.key for fault in faults(folder, more) if not fault.warning]


def test_a_watch_is_made_of_the_sensors_of_the_resident_it_is_one_of(folder: Path) -> None:
    assert hard(folder, WATCHED + 'consent = ["home"]' + ASSET) == []
    stranger = ASSET.replace("contact_7", "contact_1")  # the hall's, which everybody may know of
    assert hard(folder, WATCHED + stranger) == ["asset[0].parts.contacts"]
    neighbour = (
        WATCHED.replace('"radar-301", ', "") + '[[resident]]\ncode = "2-1-302"\nsensors = ["radar-301"]\n'
    )
    assert hard(folder, neighbour + ASSET) == ["asset[0].parts.moves"]


def test_a_watch_that_is_nobodys_watches_nobody_and_an_installer_is_told(folder: Path) -> None:
    assert hard(folder, RESIDENT + ASSET) == []
    (fault,) = [each for each in faults(folder, RESIDENT + ASSET) if each.key == "asset[0].kind"]
    assert fault.warning
    assert "nothing of it is kept or sent" in (fault.hint.en if fault.hint else "")
    found = checked(folder, RESIDENT + ASSET)
    assert found.config is not None
    assert assetry.assets_of(found.config, found.profiles).plans == ()


def test_a_watch_without_anything_that_sees_movement_is_a_mistake(folder: Path) -> None:
    blind = ASSET.replace('moves = "radar-301.presence", contacts', "leaves")
    assert hard(folder, WATCHED + blind) == ["asset[0].parts"]


def test_an_asset_that_watches_over_nobody_is_no_sensor_of_a_resident(folder: Path) -> None:
    hall = ASSET.replace('kind = "home"', 'kind = "group"').replace('moves = "radar-301.presence", ', "")
    assert "resident[0].sensors" in hard(folder, WATCHED + hall.replace("contact_7", "contact_1"))


@pytest.mark.parametrize(("sends", "told"), [("", ""), ("sends = true\n", "flat")])
def test_what_a_watch_says_is_as_private_as_what_its_sensors_say(folder: Path, sends: str, told: str) -> None:
    watched, privacy = house(folder, WATCHED + 'consent = ["home"]\n' + sends + ASSET)
    assert privacy.unwritten(reading("flat", "moved").body) == told
    flat = watched["flat"]
    assert (flat.label, flat.place.floor, flat.resident) == ("2-1-301", "3", "2-1-301")
    assert ("moved" in flat.private) is not bool(sends)


@pytest.mark.parametrize("consent", ["home", "away", ""])
def test_that_somebody_is_away_is_sent_to_nobody_also_where_their_values_are(
    folder: Path, consent: str
) -> None:
    leaving = ASSET.replace("contacts = ", "leaves = ")
    more = '[[asset.point]]\nname = "gone"\nis = "away"\nwhen = true\n'
    agreed = f'consent = ["home", "{consent}"]\nsends = true\n' if consent else "sends = true\n"
    watched, privacy = house(folder, WATCHED + agreed + leaving + more)
    assert privacy.unwritten(reading("sos-board", "contact_7").body) == ""
    assert "contact_7" in watched["sos-board"].private  # the bolt, locked from outside
    for point in ("away", "away_over", "quiet_min", "quiet_day_min", "gone"):
        assert privacy.unwritten(reading("flat", point).body) == "", point
        assert "flat" not in watched or point in watched["flat"].private, point
    assert privacy.unwritten(reading("radar-301", "presence").body) == "radar-301"  # which they agreed to


def test_the_door_of_a_flat_is_no_contact_like_others_once_consent_is_taken_back(folder: Path) -> None:
    watched, privacy = house(folder, ASSET)
    assert privacy.unwritten(reading("sos-board", "contact_7").body) == ""
    assert privacy.whose("sos-board", "contact_7") == NOBODYS
    assert "contact_7" in watched["sos-board"].private
    assert privacy.unwritten(reading("sos-board", "contact_1").body) is None


def test_what_leaves_of_the_latest_readings_is_never_what_a_resident_keeps_to_themselves(
    folder: Path,
) -> None:
    watched, _ = house(folder, RESIDENT)
    snapshot = Snapshot(tuple(watched))
    for device, point in (("radar-301", "heart"), ("sos-board", "contact_7"), ("sos-board", "contact_1")):
        snapshot.follow(reading(device, point))
    told = [
        each.body.point
        for device in watched
        for each in states.readings(snapshot, watched, device)
        if isinstance(each.body, ReadingBody)
    ]
    assert told == ["contact_1"]


def test_how_often_the_door_of_a_flat_was_opened_is_as_private_as_that_it_is_open(folder: Path) -> None:
    watched, privacy = house(folder, RESIDENT)
    assert privacy.unwritten(reading("sos-board", "pulses_7").body) == ""
    assert {"contact_7", "pulses_7", "presses_7"} <= watched["sos-board"].private
    assert not {"pulses_1", "contact_3", "pulses_3"} & watched["sos-board"].private


def house(folder: Path, more: str) -> tuple[dict[str, Watched], Privacy]:
    """Return everything as it is watched, and what of it is private, as the house itself has them."""
    found = checked(folder, more)
    assert found.config is not None, [str(each) for each in found.faults]
    made = assetry.assets_of(found.config, found.profiles)
    devices = site.watched_of(found.config, found.profiles, KINDS, made)
    privacy = site.privacy_of(found.config, found.profiles, KINDS, made)
    return assetry.watched_with(made, devices, found.config, KINDS), privacy


def test_no_other_asset_is_made_of_what_a_watch_says(folder: Path) -> None:
    group = '[[asset]]\nname = "hall"\nkind = "group"\nparts = { away = "flat.away" }\n'
    told = WATCHED + 'consent = ["home"]\nsends = true' + ASSET
    assert hard(folder, told + group) == ["asset[1].parts.away"]
