"""`[access]` as `check` sees it: where its files are, and who may read them."""

from pathlib import Path

import pytest

from gateway import configuration

CONFIG = """
[gateway]
id = "hxtp-01"
state_dir = "state"
[access]
"""


def checked(folder: Path, access: str) -> configuration.Checked:
    file = folder / "gateway.toml"
    file.write_text(CONFIG + access, encoding="utf-8")
    return configuration.check(file)


def told(found: configuration.Checked) -> list[tuple[str, bool]]:
    return [(fault.key, fault.warning) for fault in found.faults if fault.key.startswith("access")]


def test_a_file_is_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("card,holder,doors\n")
    (tmp_path / "list.csv").chmod(0o640)
    found = checked(tmp_path, 'file = "list.csv"')
    assert found.config is not None
    assert found.config.access is not None
    assert found.config.access.file == str(tmp_path / "list.csv")
    assert told(found) == []


def test_a_list_everybody_may_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("card,holder,doors\n")
    (tmp_path / "list.csv").chmod(0o644)
    assert told(checked(tmp_path, 'file = "list.csv"')) == [("access.file", True)]


def test_a_list_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    found = checked(tmp_path, 'file = "list.csv"')
    assert told(found) == [("access.file", True)]
    assert found.config is not None


def test_a_token_is_found_among_the_credentials_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "token").write_text("s3cret")
    (credentials / "token").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    found = checked(tmp_path, 'url = "https://desk.example/a.csv"\ntoken_file = "token"')
    assert told(found) == []
    assert found.config is not None
    assert found.config.access is not None
    assert found.config.access.token_file == str(credentials / "token")


def test_a_token_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    found = checked(tmp_path, 'url = "https://desk.example/a.csv"\ntoken_file = "token"')
    assert told(found) == [("access.token_file", False)]
    assert found.config is None
