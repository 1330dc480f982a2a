"""Slips in gateway.toml that would be passed over, and what `check` says of them before anybody relies on it."""

from pathlib import Path

import pytest

from drivers import profile as profile_files
from gateway import configuration
from gateway.core.faults import ConfigError, Fault

BASE = """
[gateway]
id = "hxtp-01"
state_dir = "state"
[[bus]]
name = "yard"
port = "socket://192.168.1.20:4001"
[[bus.device]]
name = "level-3"
profile = "submersible-level"
address = 3
place = { building = "2" }
[[asset]]
name = "manhole-3"
kind = "manhole"
parts = { level = "level-3.level" }
set = { high = 1.2 }
"""


def faults(folder: Path, more: str = "", base: str = BASE) -> list[Fault]:
    file = folder / "gateway.toml"
    file.write_text(base + more, encoding="utf-8")
    return list(configuration.check(file).faults)


def only(folder: Path, more: str = "", base: str = BASE) -> Fault:
    (fault,) = faults(folder, more, base)
    return fault


@pytest.mark.parametrize("whom", ['device = "manhole-3"', 'category = "manhole"', ""])
def test_a_rule_for_an_asset_is_in_use(tmp_path: Path, whom: str) -> None:
    assert faults(tmp_path, f'[[rule]]\nkind = "manhole.water"\nreads = 3\n{whom}') == []


def test_a_rule_no_device_has_a_use_for_is_a_warning(tmp_path: Path) -> None:
    more = '[[rule]]\nkind = "door.held"\npoint = "contact"\nwhen = true\ncategory = "door"'
    assert [(fault.key, fault.warning) for fault in faults(tmp_path, more)] == [("rule[0]", True)]


def test_a_rule_whose_kind_is_misspelt_changes_nothing_and_says_so(tmp_path: Path) -> None:
    fault = only(tmp_path, '[[rule]]\nkind = "manhole.watr"\nreads = 3\n')
    assert (fault.key, fault.warning) == ("rule[0].kind", True)
    assert fault.hint is not None
    assert "manhole.water" in fault.hint.en


@pytest.mark.parametrize("where", ["nowhere/control.sock", "gateway.toml", "."])
def test_a_control_socket_that_cannot_be_made_is_told_before_a_reload_ends_the_gateway(
    tmp_path: Path, where: str
) -> None:
    base = BASE.replace('state_dir = "state"', f'state_dir = "state"\ncontrol_socket = "{where}"')
    fault = only(tmp_path, base=base)
    assert (fault.key, fault.warning) == ("gateway.control_socket", False)


@pytest.mark.parametrize("where", ["/run/compound-gateway/control.sock", "control.sock", "state/mine.sock"])
def test_a_control_socket_that_will_be_there_is_good(tmp_path: Path, where: str) -> None:
    base = BASE.replace('state_dir = "state"', f'state_dir = "state"\ncontrol_socket = "{where}"')
    assert faults(tmp_path, base=base) == []


def test_whoever_only_checks_is_warned_of_a_folder_of_anothers_and_who_runs_refuses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, _mode: Path(path) != tmp_path)
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
    base = BASE.replace('state_dir = "state"', 'state_dir = "/tmp"\ncontrol_socket = "mine.sock"')
    assert only(tmp_path, base=base).warning
    with pytest.raises(ConfigError):
        configuration.load(tmp_path / "gateway.toml")


def test_a_file_that_windows_has_saved_with_a_byte_order_mark_is_good(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    shipped = (profile_files.BUILT_IN / "submersible-level.toml").read_text(encoding="utf-8")
    (tmp_path / "profiles" / "submersible-level.toml").write_text("\ufeff" + shipped, encoding="utf-8")
    assert faults(tmp_path, base="\ufeff" + BASE.lstrip()) == []


def test_a_file_saved_as_gbk_is_told_with_the_line_and_how_to_save_it(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_bytes(BASE.replace('"manhole"', '"manhole"\nlabel = "三号井"').encode("gbk"))
    (fault,) = configuration.check(file).faults
    assert fault.line == BASE[: BASE.index('"manhole"')].count("\n") + 2
    assert fault.hint is not None
    assert "UTF-8" in fault.hint.zh


OPERATOR = """
[mqtt]
url = "mqtts://broker.example"
[[operator]]
name = "desk"
key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
role = "police"
places = [{ building = "WHERE" }]
"""
SIREN = """
[[interlock]]
name = "siren"
free_doors = false
place = { building = "WHERE" }
"""


@pytest.mark.parametrize(
    ("table", "key"), [(OPERATOR, "operator[0].places[0]"), (SIREN, "interlock[0].place")]
)
def test_a_place_where_nothing_is_is_told_for_the_siren_and_the_operator_it_would_keep_out(
    tmp_path: Path, table: str, key: str
) -> None:
    assert faults(tmp_path, table.replace("WHERE", "2")) == []
    fault = only(tmp_path, table.replace("WHERE", "二"))
    assert (fault.key, fault.warning) == (key, True)
    assert fault.wanted.en.endswith("spelt as there: 2")


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("retention_days = nan", "gateway.retention_days"),
        ("[access]\npull_minutes = inf", "access.pull_minutes"),
        ('[[camera]]\nname = "n"\nurl = "rtsp://a/b"\nwatch = [[0, 0], [nan, 1], [2, 2]]', "camera[0].watch"),
        ('[[bus.device]]\nname = "t"\nprofile = "witmotion-wt901c485"\naddress = 80\nbaseline = { roll = nan }',
         "bus[0].device[1].baseline"),
    ],
)  # fmt: skip
def test_a_number_that_is_none_is_refused_wherever_it_stands(tmp_path: Path, table: str, key: str) -> None:
    """How a cover lies at rest was taken as nan without a word: no tilt was ever far from that."""
    base = BASE.partition("[[asset]]")[0]
    if key.startswith("gateway"):
        base, table = base.replace('state_dir = "state"', f'state_dir = "state"\n{table}'), ""
    assert key in [fault.key for fault in faults(tmp_path, table, base=base) if not fault.warning]


def test_two_names_of_one_port_are_told(tmp_path: Path) -> None:
    """The line that came second was down for ever, and said that another program had its port."""
    (tmp_path / "by-id").symlink_to("/dev/null")
    lines = "".join(
        f'[[bus]]\nname = "{name}"\nport = "{port}"\n'
        for name, port in (("a", "/dev/null"), ("b", tmp_path / "by-id"))
    )
    fault = only(tmp_path, lines)
    assert (fault.key, fault.warning) == ("bus[2].port", True)
    assert fault.found.en.endswith("which is the same port as /dev/null")
