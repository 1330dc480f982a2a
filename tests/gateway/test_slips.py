"""Slips in gateway.toml that would be passed over, and what `check` says of them before anybody relies on it."""

from pathlib import Path

import pytest

from gateway import configuration
from gateway.core.faults import Fault

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


def test_a_rule_whose_kind_is_misspelt_changes_nothing_and_says_so(tmp_path: Path) -> None:
    fault = only(tmp_path, '[[rule]]\nkind = "manhole.watr"\nreads = 3\n')
    assert (fault.key, fault.warning) == ("rule[0].kind", True)
    assert fault.hint is not None
    assert "manhole.water" in fault.hint.en
