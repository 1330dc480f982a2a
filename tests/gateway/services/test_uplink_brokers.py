"""Addresses, files and pauses: what is wrong is named, and no secret shows."""

from pathlib import Path

import pytest

from gateway.core.config import MqttTable
from gateway.services.uplink import Uplink
from gateway.services.uplink.brokers import Broker, Pause, SetupError, brokers, check, parse, password
from tests.uplink_parts import GATEWAY, MemoryJournal


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("mqtt://broker", ("broker", 1883, False, None)),
        ("mqtts://broker.example", ("broker.example", 8883, True, None)),
        ("mqtt://10.0.0.7:1884", ("10.0.0.7", 1884, False, None)),
        ("mqtt://[fd00::7]:1884", ("fd00::7", 1884, False, None)),
        ("ws://broker", ("broker", 80, False, "/mqtt")),
        ("wss://broker:8443/bridge", ("broker", 8443, True, "/bridge")),
    ],
)
def test_an_address_is_read(url: str, broker: tuple[str, int, bool, str | None]) -> None:
    assert parse(url) == Broker(url, *broker)


@pytest.mark.parametrize(
    "url", ["", "broker:1883", "http://broker", "mqtt://", "mqtt://broker:x", "mqtt://[broken"]
)
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(SetupError, match=r"mqtt\.url"):
        parse(url)


def test_an_address_with_a_password_is_turned_away_without_showing_it() -> None:
    with pytest.raises(SetupError) as caught:
        parse("mqtt://guard:s3cret@broker")
    assert "s3cret" not in str(caught.value)
    assert "password_file" in str(caught.value)


def test_the_list_is_kept_in_order() -> None:
    table = MqttTable(url=["mqtt://b", "mqtt://a"])
    assert [broker.host for broker in brokers(table)] == ["b", "a"]


def test_an_empty_list_is_an_error_at_once() -> None:
    journal = MemoryJournal()
    with pytest.raises(SetupError, match="at least one"):
        Uplink(
            MqttTable(url=[]),
            GATEWAY,
            journal=journal,
            states=lambda _device: None,
            health=lambda: b"",
            submit=journal.submit,
        )


def test_a_bare_file_name_is_one_of_the_systemd_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mqtt").write_text("s3cret\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert password(MqttTable(url="mqtt://b", password_file="mqtt")) == "s3cret"


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mqtt").write_text("s3cret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/nowhere")
    assert password(MqttTable(url="mqtt://b", password_file=str(tmp_path / "mqtt"))) == "s3cret"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe\xfd"])
def test_a_password_file_without_a_password_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mqtt").write_bytes(content)
    with pytest.raises(SetupError, match=str(tmp_path / "mqtt")) as caught:
        password(MqttTable(url="mqtt://b", password_file=str(tmp_path / "mqtt")))
    assert caught.value.__cause__ is None


def test_everything_wrong_is_found_at_once(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("this is no certificate")
    table = MqttTable(url="gopher://b", password_file=str(tmp_path / "none"), ca_file=str(tmp_path / "ca"))
    found = [str(error) for error in check(table)]
    assert len(found) == 3
    assert "gopher://b" in found[0]
    assert str(tmp_path / "none") in found[1]
    assert str(tmp_path / "ca") in found[2]


def test_a_certificate_without_its_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "client.crt").write_text("x")
    found = check(MqttTable(url="mqtts://b", cert_file=str(tmp_path / "client.crt")))
    assert [error.hint for error in found] == ["a certificate needs its key; give both"]


def test_pauses_grow_to_half_a_minute_and_start_again() -> None:
    pause = Pause(lambda: 1.0)
    assert [pause.take() for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    pause.reset()
    assert pause.take() == 0.5


def test_pauses_are_spread_by_chance() -> None:
    assert Pause(lambda: 0.0).take() == 0.25
