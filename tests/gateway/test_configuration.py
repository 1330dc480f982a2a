"""From the file to what the gateway runs on: files, folders, ports and certificates as they are on a machine."""

import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from drivers import profile
from gateway import configuration, refuge, site, surroundings
from gateway.core import consistency, loading
from gateway.core.faults import ConfigError, Fault

BASE = """
[gateway]
id = "hxtp-01"
state_dir = "state"
[[bus]]
name = "riser-a"
port = "socket://192.168.1.20:4001"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path


def faults(folder: Path, more: str = "", *, base: str = BASE) -> list[Fault]:
    file = folder / "gateway.toml"
    file.write_text(base + more, encoding="utf-8")
    return list(configuration.check(file).faults)


def only(folder: Path, more: str = "", *, base: str = BASE) -> Fault:
    (fault,) = faults(folder, more, base=base)
    return fault


def mqtt(**keys: str) -> str:
    return '[mqtt]\nurl = "mqtts://broker.example"\n' + "\n".join(
        f'{key} = "{value}"' for key, value in keys.items()
    )


def test_a_good_file_is_loaded_with_its_profiles(folder: Path) -> None:
    device = (
        '[[bus.device]]\nname = "s"\nprofile = "sonbest-sm7571b"\naddress = 1\nplace = { building = "1" }'
    )
    assert faults(folder, device) == []
    checked = configuration.load(folder / "gateway.toml")
    assert list(checked.profiles) == ["sonbest-sm7571b"]


def test_relative_paths_count_from_the_folder_of_the_file(folder: Path) -> None:
    (folder / "gateway.toml").write_text(BASE)
    config = configuration.load(folder / "gateway.toml").config
    assert config is not None
    assert config.gateway.state_dir == str(folder / "state")


def test_a_file_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    (fault,) = configuration.check(tmp_path / "nope.toml").faults
    assert "No such file" in fault.found.en


def test_a_folder_in_place_of_the_file_is_one_fault(tmp_path: Path) -> None:
    (fault,) = configuration.check(tmp_path).faults
    assert "directory" in fault.found.en


def test_a_file_that_is_no_utf8_is_one_fault(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_bytes(b'[gateway]\nid = "\xff"')
    (fault,) = configuration.check(tmp_path / "gateway.toml").faults
    assert "UTF-8" in fault.found.en


def test_a_file_of_absurd_size_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_bytes(b"#" * (configuration.MAX_BYTES + 1))
    (fault,) = configuration.check(tmp_path / "gateway.toml").faults
    assert "bytes" in fault.found.en


def test_load_raises_with_all_faults(folder: Path) -> None:
    (folder / "gateway.toml").write_text(BASE.replace("hxtp-01", "A B") + "[mqtts]\n")
    with pytest.raises(ConfigError) as error:
        configuration.load(folder / "gateway.toml")
    assert [fault.key for fault in error.value.faults] == ["gateway.id", "mqtts"]


# --- profiles -------------------------------------------------------------------------------------

DEVICE = '[[bus.device]]\nname = "s"\nprofile = "ours"\naddress = 1\nplace = { building = "1" }\n'


def own_profile(folder: Path, text: str, name: str = "ours") -> None:
    (folder / "profiles").mkdir(exist_ok=True)
    (folder / "profiles" / f"{name}.toml").write_text(text, encoding="utf-8")


def shipped() -> str:
    return (profile.BUILT_IN / "sonbest-sm7571b.toml").read_text(encoding="utf-8")


def test_a_profile_beside_the_file_is_found(folder: Path) -> None:
    own_profile(folder, shipped())
    assert faults(folder, DEVICE) == []


def test_a_profile_beside_the_file_stands_in_for_the_shipped_one(folder: Path) -> None:
    own_profile(folder, shipped().replace("SONBEST", "OURS"), "sonbest-sm7571b")
    (folder / "gateway.toml").write_text(BASE + DEVICE.replace("ours", "sonbest-sm7571b"))
    profiles = configuration.load(folder / "gateway.toml").profiles
    assert "OURS" in profiles["sonbest-sm7571b"].title.en


def test_a_profile_with_faults_names_its_file_and_key(folder: Path) -> None:
    own_profile(folder, shipped().replace('driver = "modbus"', 'driver = "modbuss"'))
    fault = only(folder, DEVICE)
    assert fault.file.endswith("ours.toml")
    assert (fault.key, fault.warning) == ("profile.driver", False)


def test_a_faulty_profile_that_is_not_used_is_a_warning(folder: Path) -> None:
    own_profile(folder, "nonsense")
    assert only(folder).warning


def test_a_profile_that_is_no_profile_by_its_mere_size_is_told_and_not_read(folder: Path) -> None:
    own_profile(folder, shipped() + "#" * profile.MAX_BYTES)
    fault = only(folder, DEVICE)
    assert fault.file.endswith("ours.toml")
    assert (fault.key, fault.warning) == ("file", False)


# --- what is around it ----------------------------------------------------------------------------


def test_a_missing_port_is_a_warning_that_lists_those_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "ttyUSB7").touch()
    monkeypatch.setattr(surroundings, "PORTS", (f"{folder}/ttyUSB*",))
    fault = only(folder, base=BASE.replace("socket://192.168.1.20:4001", "/dev/no-such-port"))
    assert (fault.key, fault.warning) == ("bus[0].port", True)
    assert fault.hint is not None
    assert "ttyUSB7" in fault.hint.en


def test_a_missing_certificate_is_told(folder: Path) -> None:
    fault = only(folder, mqtt(ca_file="nope.pem"))
    assert (fault.key, fault.warning) == ("mqtt.ca_file", False)
    assert str(folder / "nope.pem") in fault.found.en


def test_a_file_that_is_no_certificate_is_told(folder: Path) -> None:
    (folder / "ca.pem").write_text("not a certificate")
    assert only(folder, mqtt(ca_file="ca.pem")).key == "mqtt.ca_file"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_a_file_we_may_not_read_says_what_to_do() -> None:
    """Root reads everything, so the look is taken as nobody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "password").write_text("hunter2")
        (folder / "password").chmod(0o600)
        (folder / "gateway.toml").write_text(BASE + mqtt(username="box", password_file="password"))
        os.seteuid(65534)
        try:
            told = [
                fault for fault in configuration.check(folder / "gateway.toml").faults if not fault.warning
            ]
        finally:
            os.seteuid(0)
    assert [fault.key for fault in told] == ["mqtt.password_file"]
    assert "Permission denied" in told[0].found.en
    assert told[0].hint is not None
    assert "chmod 640" in told[0].hint.en


def test_a_key_of_another_certificate_is_told(folder: Path) -> None:
    for name in ("one", "two"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    good = mqtt(ca_file="one.pem", cert_file="one.pem", key_file="one.key")
    assert faults(folder, good) == []
    fault = only(folder, good.replace("one.key", "two.key"))
    assert (fault.key, fault.warning) == ("mqtt.cert_file", False)
    assert "mismatch" in fault.found.en


def test_an_empty_password_file_is_told(folder: Path) -> None:
    (folder / "password").touch(mode=0o600)
    assert only(folder, mqtt(username="box", password_file="password")).key == "mqtt.password_file"


def test_a_password_everybody_may_read_is_a_warning(folder: Path) -> None:
    (folder / "password").write_text("hunter2")
    (folder / "password").chmod(0o644)
    fault = only(folder, mqtt(username="box", password_file="password"))
    assert fault.warning
    assert "hunter2" not in str(fault)


def test_a_bare_name_is_looked_for_among_the_credentials(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = folder / "credentials"
    credentials.mkdir()
    (credentials / "password").write_text("hunter2")
    (credentials / "password").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert faults(folder, mqtt(username="box", password_file="password")) == []


def test_a_cameras_password_that_is_none_of_ours_is_left_to_the_service_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = f'{CAMERA.format(url="rtsp://192.168.1.30/stream1")}password_file = "north-password"\n'
    base = f'[gateway]\nid = "a"\nstate_dir = "{tmp_path}"\n'
    assert only(tmp_path, camera, base=base).key == "camera[0].password_file"
    monkeypatch.setenv("VISION_SOCKET", "/run/compound-gateway-vision.sock")
    assert faults(tmp_path, camera, base=base) == []
    config = configuration.load(tmp_path / "gateway.toml").config
    assert config is not None
    (seen,) = site.cameras_of(config)
    assert (seen.complete().credential, seen.complete().password) == ("north-password", "")
    (tmp_path / "north-password").write_text("hunter2\n")
    (tmp_path / "north-password").chmod(0o600)
    config = configuration.load(tmp_path / "gateway.toml").config
    assert config is not None
    (seen,) = site.cameras_of(config)
    assert (seen.complete().credential, seen.complete().password) == ("", "hunter2")


def test_a_state_directory_under_a_file_is_told(folder: Path) -> None:
    (folder / "file").touch()
    fault = only(folder, base=BASE.replace('"state"', '"file/state"'))
    assert (fault.key, fault.warning) == ("gateway.state_dir", False)


def test_a_state_directory_that_cannot_be_written_stops_the_start(folder: Path) -> None:
    """/proc takes no directory, not even from root."""
    (folder / "gateway.toml").write_text(BASE.replace('"state"', '"/proc/no/state"'))
    with pytest.raises(ConfigError) as error:
        refuge.settled(configuration.load(folder / "gateway.toml"), {"RUNTIME_DIRECTORY": str(folder)})
    assert error.value.faults[0].key == "gateway.state_dir"


def test_the_state_directory_is_made_for_the_owner_and_group_only(folder: Path) -> None:
    (folder / "gateway.toml").write_text(BASE.replace('"state"', '"new/state"'))
    settled = refuge.settled(configuration.load(folder / "gateway.toml"), {})
    assert settled.trouble == ""
    assert (folder / "new" / "state").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("name", ["x" * 300, "/" + "x/" * 3000, "~", "$NOPE", "a b", "..", "."])
def test_a_strange_path_is_no_trouble(folder: Path, name: str) -> None:
    configuration.check(folder / "gateway.toml")
    more = (
        mqtt(ca_file=name, username="box", password_file=name) + f'\n[[bus]]\nname = "b"\nport = "/{name}"\n'
    )
    keys = {fault.key for fault in faults(folder, more, base=BASE.replace('"state"', f'"{name}"'))}
    assert "mqtt.ca_file" in keys


# --- the control socket ---------------------------------------------------------------------------


def test_the_socket_is_where_the_service_manager_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/compound-gateway:/run/other")
    (folder / "gateway.toml").write_text(BASE)
    config = configuration.check(folder / "gateway.toml").config
    assert config is not None
    assert configuration.control_socket(config.gateway) == Path("/run/compound-gateway/control.sock")


def test_a_tool_looks_where_the_service_and_where_the_configuration_would_have_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    (folder / "gateway.toml").write_text(BASE)
    assert configuration.control_sockets(folder / "gateway.toml") == [
        folder / "state" / "control.sock",
        Path("/run/compound-gateway/control.sock"),
    ]


def test_a_tool_finds_the_service_even_without_a_configuration(tmp_path: Path) -> None:
    assert Path("/run/compound-gateway/control.sock") in configuration.control_sockets(tmp_path / "nope.toml")


def test_a_path_that_is_too_long_for_a_socket_never_gets_so_far(folder: Path) -> None:
    long = "x" * 150
    with pytest.raises(OSError, match="too long"), socket.socket(socket.AF_UNIX) as probe:
        probe.bind(long)
    fault = only(folder, base=BASE.replace('"state"', f'"state"\ncontrol_socket = "/run/{long}"'))
    assert (fault.key, fault.warning) == ("gateway.control_socket", False)


CAMERA = '\n[[camera]]\nname = "north"\nurl = "{url}"\n'


def of_camera(folder: Path, url: str) -> list[Fault]:
    text = f'[gateway]\nid = "a"\nstate_dir = "{folder}"\n' + CAMERA.format(url=url)
    (folder / "gateway.toml").write_text(text, encoding="utf-8")
    return [fault for fault in configuration.check(folder / "gateway.toml").faults if "camera" in fault.key]


def test_a_camera_that_is_not_plugged_in_is_told_as_a_warning(tmp_path: Path) -> None:
    (fault,) = of_camera(tmp_path, "/dev/video77")
    assert (fault.key, fault.warning) == ("camera[0].url", True)


def test_a_film_that_is_not_there_is_an_error_and_counts_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (fault,) = of_camera(tmp_path, "street.mp4")
    assert (fault.key, fault.warning) == ("camera[0].url", False)
    assert str(tmp_path / "street.mp4") in fault.found.en
    (tmp_path / "street.mp4").write_bytes(b"film")
    assert not of_camera(tmp_path, "street.mp4")


def test_a_camera_without_the_libraries_or_the_model_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surroundings, "LIBRARIES", ("numpy", "no_such_library"))
    monkeypatch.setattr(surroundings, "HOMES", (tmp_path / "nowhere",))
    found = of_camera(tmp_path, "rtsp://192.168.1.30/stream1")
    model, libraries = sorted(found, key=lambda fault: "library" in fault.found.en)
    assert "no_such_library" in libraries.found.en
    assert libraries.hint is not None
    assert "compound-gateway[vision]" in libraries.hint.en
    assert str(tmp_path / "nowhere" / "falling-object" / "model.onnx") in model.found.en


def test_a_floor_scale_needs_two_different_floors(tmp_path: Path) -> None:
    text = '[[camera]]\nname = "c"\nurl = "rtsp://c/1"\nfloors = [{ y = 900, floor = 1 }]\n'
    parsed = loading.parse(text)
    assert [fault.key for fault in consistency.check(parsed)] == ["camera[0].floors"]
    text = text.replace("}]", "}, { y = 100, floor = 8 }]")
    assert not list(consistency.check(loading.parse(text)))
    assert not list(consistency.check(loading.parse(f"{text}marked_in = [1920, 1080]\n")))
    (fault,) = consistency.check(loading.parse(f"{text}marked_in = [1920, 0]\n"))
    assert fault.key == "camera[0].marked_in"


def test_a_desk_in_the_same_house_stands_in_for_a_broker(folder: Path) -> None:
    (folder / "desk.toml").write_text("")
    file = folder / "gateway.toml"
    file.write_text(BASE + '[desk]\nconfig = "desk.toml"\n', encoding="utf-8")
    config = configuration.load(file).config
    assert config is not None
    assert config.desk is not None
    assert config.desk.config == str(folder / "desk.toml")
    assert config.mqtt == loading.BESIDE


def test_a_desk_file_that_is_not_there_and_a_broker_beside_a_desk_are_told(folder: Path) -> None:
    missing = only(folder, '[desk]\nconfig = "desk.toml"\n')
    assert missing.key == "desk.config"
    (folder / "desk.toml").write_text("")
    both = only(folder, mqtt() + '\n[desk]\nconfig = "desk.toml"\n')
    assert (both.key, both.wanted.en) == ("desk", "either [mqtt] or [desk]")


def button(profile_name: str, point: str, test: str) -> str:
    return (
        f'[[bus.device]]\nname = "sos"\nprofile = "{profile_name}"\naddress = 1\n'
        f'[[rule]]\ndevice = "sos"\nkind = "care.sos"\npoint = "{point}"\n{test}\n'
    )


def test_a_button_for_help_on_an_input_that_keeps_nothing_is_told_plainly(folder: Path) -> None:
    fault = only(folder, button("waveshare-io-8ch", "contact_3", "when = true"))
    assert fault.warning
    assert fault.found.en == "contact_3: a press of less than 0.5 s may be missed"
    assert "可能漏掉" in fault.found.zh
    fault = only(folder, button("wirenboard-wb-mcm8", "contact_3", "when = true"))
    assert fault.hint is not None
    assert "pulses_3" in fault.hint.en


def test_a_button_on_a_counter_or_a_latch_is_good(folder: Path) -> None:
    assert faults(folder, button("wirenboard-wb-mcm8", "pulses_3", "moved = true")) == []
    assert faults(folder, button("icpdas-tm-da1p1r1", "latched", "when = true")) == []


def test_what_is_to_move_must_be_a_counter(folder: Path) -> None:
    fault = only(folder, button("wirenboard-wb-mcm8", "contact_3", "moved = true"))
    assert not fault.warning
    assert fault.wanted.en.startswith("one counter: ")
    assert "pulses_1" in fault.wanted.en
