"""`check` by root says what the service's own user may not read: with a real user, and files of root's alone."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import configuration, service_user
from tests.gateway.test_slips import BASE

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can look in another's place")
SECRET = '[mqtt]\nurl = "mqtts://broker.example"\nusername = "a"\npassword_file = "{}"\n'


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a folder everybody may enter, whose gateway.toml is the system's; the service's user is nobody."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        monkeypatch.setattr(service_user, "USER", "nobody")
        monkeypatch.setattr(configuration, "SYSTEM_FILE", Path(name) / "gateway.toml")
        yield Path(name)


def faults(folder: Path, secret: Path, mode: int, *, of_file: int = 0o644) -> list[str]:
    secret.write_text("x")
    secret.chmod(mode)
    file = folder / "gateway.toml"
    file.write_text(BASE + SECRET.format(secret), encoding="utf-8")
    file.chmod(of_file)
    found = configuration.check(file, for_service=True).faults
    return [fault.key for fault in found if not fault.warning]


@needs_root
@pytest.mark.parametrize(("mode", "told"), [(0o600, ["mqtt.password_file"]), (0o644, [])])
def test_a_password_of_roots_alone_is_told(folder: Path, mode: int, told: list[str]) -> None:
    assert faults(folder, folder / "secret", mode) == told


@needs_root
def test_a_configuration_of_roots_alone_is_told_before_the_next_start_fails(folder: Path) -> None:
    assert faults(folder, folder / "secret", 0o644, of_file=0o600) == ["file"]


@needs_root
def test_a_folder_that_user_cannot_enter_is_told(folder: Path) -> None:
    (folder / "closed").mkdir(mode=0o700)
    assert faults(folder, folder / "closed" / "secret", 0o644) == ["mqtt.password_file"]


@needs_root
def test_a_credential_is_the_units_affair(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert faults(folder, folder / "secret", 0o600) == []


@needs_root
def test_another_file_is_for_whoever_runs_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "SYSTEM_FILE", folder / "other.toml")
    assert faults(folder, folder / "secret", 0o600) == []
