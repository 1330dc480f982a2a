"""desk.toml: every mistake is told with its place, what was found and what was wanted; the sample has none."""

from pathlib import Path

import pytest

from gateway import duty, signing
from gateway.desk import checking
from gateway.desk.routing import Audience
from gateway.terminal.words import Words
from tests.events import PLACE

SAMPLE = Path(__file__).parents[2] / "systemd" / "desk.toml"
GOOD = """
[desk]
name = "street"
[[channel]]
name = "phones"
kind = "ntfy"
url = "http://127.0.0.1:2586"
[[person]]
name = "duty-room"
role = "duty_room"
channels = [["phones", "duty-room"]]
"""


def faults(tmp_path: Path, text: str) -> list[str]:
    """Return what is wrong with a file, as `key: found, wanted`."""
    file = tmp_path / "desk.toml"
    file.write_text(text)
    _, found = duty.load(file)
    return [f"{each.line} {each.key}: {each.found.en}; {each.wanted.en}" for each in found]


def test_the_sample_has_no_mistake_and_is_what_it_says() -> None:
    config, found = duty.load(SAMPLE)
    assert found == []
    assert config is not None
    ladder = checking.ladders(config)[3]
    assert [(rung.after_s, rung.to) for rung in ladder.rungs] == [
        (0, Audience.FIRST), (120, Audience.NEXT), (300, Audience.EVERYBODY), (600, Audience.DUTY_ROOM),
    ]  # fmt: skip
    directory = checking.directory(config)
    assert [each.person for each in directory.roles] == ["warden-1", "property-1", "duty-room"]
    assert directory.duties[0].place.compound == PLACE.compound


def test_the_least_desk_is_good(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ('name = "street"', 'nam = "street"', "3 desk.nam: an unknown key"),
        ('name = "street"', "", "2 desk.name: nothing; a text in quotes"),
        ('kind = "ntfy"', 'kind = "ntfi"', '6 channel[0].kind: "ntfi"; one of ntfy, webhook, wecom'),
        ("http://127", "ftp://127", "an http:// or https:// address"),
        ('role = "duty_room"', 'role = "boss"', '"boss"; one of administrator'),
        ('["phones", "duty', '["phone", "duty', '11 person[0].channels: "phone"; one of phones'),
        ('channels = [["phones", "duty-room"]]', "channels = [1]", "a list like"),
        ("[desk]", "[desk]\nquiet_hours = ['at night']", 'desk.quiet_hours: "at night"; "mon-fri'),
        ("[desk]", '[desk]\nstore = "no/such/desk.db"', "a folder that is there"),
        ("[desk]", "[mqtt]\nurl = 'http://x'\n[desk]", 'mqtt.url: "http://x"; mqtt:// or mqtts://'),
        ("[desk]", "[[duty]]\npeople = ['x']\n[desk]", 'duty[0].people: "x"; one of duty-room'),
        ("[desk]", "[[ladder]]\nseverity = 'bad'\nsteps = []\n[desk]", "one of critical, major"),
        ("[desk]", "[[ladder]]\nseverity = 'minor'\nsteps = [{ to = 'me' }]\n[desk]", "to one of first, next"),
        (
            "[desk]",
            "[[ladder]]\nseverity = 'minor'\n"
            "steps = [{ after_minutes = 5, to = 'first' }, { after_minutes = 1, to = 'next' }]\n[desk]",
            "steps in order of time",
        ),
        ("[desk]", "duty = 3\n[desk]", "a list of tables"),
        ("[desk]", "[desk", "valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_was_wanted(
    tmp_path: Path, wrong: str, right: str, told: str
) -> None:
    found = faults(tmp_path, GOOD.replace(wrong, right, 1))
    assert any(told in line for line in found), found


def test_a_desk_that_could_reach_nobody_is_a_mistake(tmp_path: Path) -> None:
    assert any("an alert must reach somebody" in line for line in faults(tmp_path, '[desk]\nname = "x"\n'))


def test_a_file_that_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    config, [fault] = duty.load(tmp_path / "none.toml")
    assert config is None
    assert "No such file" in fault.found.en


def test_a_key_that_systemd_hands_over_may_show_its_access_list_as_rights_of_a_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = GOOD.replace('name = "street"', 'name = "street"\nkey_file = "desk.key"')
    handed = tmp_path / "credentials"
    handed.mkdir()
    assert signing.keygen("desk", handed / "desk.key", Words("en")) == 0
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(handed))
    (handed / "desk.key").chmod(0o440)
    assert faults(tmp_path, text) == []
    (handed / "desk.key").chmod(0o444)
    assert "which others may read" in faults(tmp_path, text)[0]


def test_a_key_that_is_missing_open_to_others_or_none_is_told_and_people_are_paged_all_the_same(
    tmp_path: Path,
) -> None:
    text, file = (
        GOOD.replace('name = "street"', 'name = "street"\nkey_file = "desk.key"'),
        tmp_path / "desk.key",
    )
    assert [told.partition("; ")[0] for told in faults(tmp_path, text)] == [
        f"4 desk.key_file: {file}: No such file or directory"
    ]
    file.write_text("-----BEGIN PRIVATE KEY-----\n")
    file.chmod(0o640)
    assert "which others may read" in faults(tmp_path, text)[0]
    file.chmod(0o600)
    assert "which holds no Ed25519 key" in faults(tmp_path, text)[0]
    file.unlink()
    assert signing.keygen("desk", file, Words("en")) == 0
    assert faults(tmp_path, text) == []
    file.chmod(0o644)
    config, found = duty.load(tmp_path / "desk.toml")
    assert [each.warning for each in found] == [True]
    assert config is not None
