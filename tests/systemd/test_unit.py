"""The unit, the rules and the lists beside it say what the program expects and what systemd understands."""

import os
import re
import shutil
import sqlite3
import subprocess
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from gateway import configuration, desk_client, duty
from gateway.vision.nursery import GONE_S, SELDOM_S

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = ("compound-gateway.service", "compound-gateway-desk.service", "compound-gateway-vision.service")
CAMERAS, LISTENING = UNITS[2], "compound-gateway-vision.socket"
TRIAL = "compound-gateway-trial.service"  # as root, for minutes after an upgrade
UNIT, DESK, VISION = ((SYSTEMD / name).read_text(encoding="utf-8") for name in UNITS)
RULES = (SYSTEMD / "60-compound-gateway.rules").read_text(encoding="utf-8")
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
YOUNG_KEYS = {"RestartSteps", "RestartMaxDelaySec"}  # of systemd 254; Debian 12 has 252 and passes over them
needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
needs_sysusers = pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers")


def settings(text: str) -> dict[str, list[str]]:
    """Return what a unit says, key by key."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text.replace("\\\n", ""), re.M):
        found.setdefault(key, []).append(value)
    return found


SAID, DESK_SAID, VISION_SAID = settings(UNIT), settings(DESK), settings(VISION)
SOCKET = settings((SYSTEMD / LISTENING).read_text(encoding="utf-8"))


@needs_analyze
@pytest.mark.parametrize("name", [*UNITS, TRIAL, LISTENING])
def test_systemd_understands_every_line_of_the_units(name: str, tmp_path: Path) -> None:
    for each in (name, LISTENING, CAMERAS):
        text = (SYSTEMD / each).read_text(encoding="utf-8")
        there = re.sub("/usr/bin/compound-gateway|/bin/kill", shutil.which("true") or "/bin/true", text)
        (tmp_path / each).write_text(there, encoding="utf-8")
    file = tmp_path / name
    done = subprocess.run(
        ["systemd-analyze", "verify", str(file)],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    complaints = [line for line in done.stderr.splitlines() if str(file) in line or file.name in line]
    assert {line for line in complaints if not any(f"'{key}'" in line for key in YOUNG_KEYS)} == set()


@needs_analyze
@pytest.mark.parametrize("name", [*UNITS, TRIAL])
def test_the_sandbox_is_as_tight_as_promised(name: str) -> None:
    unit = str(SYSTEMD / name)
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", unit]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


def test_the_trial_is_run_by_the_systems_python_where_an_upgrade_left_one() -> None:
    said = settings((SYSTEMD / TRIAL).read_text(encoding="utf-8"))
    program = "/usr/bin/python3 -I /usr/libexec/compound-gateway/trial.py"
    assert (said["ExecStartPre"], said["ExecStart"]) == ([f"-{program} mend"], [program])
    assert set(said["Before"][0].split()) == set(UNITS)  # nothing of half a version is started
    assert said["ConditionPathExists"] == [
        "|/usr/lib/compound-gateway.previous/trial",
        "|/usr/lib/compound-gateway.previous/unpacking",
        "|/usr/lib/compound-gateway.failed",
    ]
    postinst = (SYSTEMD / "package" / "postinst").read_text(encoding="utf-8")
    assert f"systemctl start --no-block {TRIAL}" in postinst
    assert "multi-user.target" in said["WantedBy"]  # a power cut does not end it


def test_the_sandbox_of_the_trial_leaves_it_what_it_puts_back() -> None:
    said = settings((SYSTEMD / TRIAL).read_text(encoding="utf-8"))
    assert said["ReadWritePaths"] == [f"/usr -/var/lib/{SAID['StateDirectory'][0]}"]
    assert said["CapabilityBoundingSet"] == [
        "CAP_DAC_OVERRIDE"
    ]  # the state folder and the socket are the gateway's
    assert said["RestrictAddressFamilies"] == ["AF_UNIX"]  # systemctl and the socket


def test_the_unit_and_the_program_mean_the_same_places() -> None:
    run = f"/usr/bin/compound-gateway run -c {configuration.SYSTEM_FILE}"
    assert SAID["ExecStart"] == [run]
    assert f"/usr/bin/compound-gateway check -c {configuration.SYSTEM_FILE}" in SAID["ExecReload"][0]
    assert f"/run/{SAID['RuntimeDirectory'][0]}/control.sock" == str(configuration.SYSTEM_SOCKET)
    assert f"/run/{SAID['RuntimeDirectory'][0]}/desk.sock" == str(desk_client.SYSTEM_SOCKETS[1])
    assert f"/etc/{SAID['ConfigurationDirectory'][0]}" == str(configuration.SYSTEM_FILE.parent)
    sample = tomllib.loads((SYSTEMD / "gateway.toml").read_text(encoding="utf-8"))
    assert f"/var/lib/{SAID['StateDirectory'][0]}" == sample["gateway"]["state_dir"]


def test_a_box_on_a_wall_is_never_given_up() -> None:
    assert SAID["Type"] == ["notify"]
    assert SAID["Restart"] == ["always"]
    assert SAID["StartLimitIntervalSec"] == ["0"]
    assert int(SAID["WatchdogSec"][0]) > 0
    assert int(SAID["TimeoutStopSec"][0]) > 5
    assert SAID["RuntimeDirectoryPreserve"] == ["yes"]  # what was not sent from a dead card outlives a stop
    assert SAID["OOMPolicy"] == ["continue"]  # a desk beside it that grew is killed alone
    assert SAID["MemoryMax"]
    assert "MemoryHigh" not in SAID, "held back there, a fire was no alert after four minutes (limits.py)"


def test_the_desk_means_the_same_places_as_its_program_and_has_none_in_common_with_the_gateway() -> None:
    assert DESK_SAID["ExecStart"] == [f"/usr/bin/compound-gateway desk -c {duty.SYSTEM_FILE}"]
    assert f"ConditionPathExists={duty.SYSTEM_FILE}" in DESK
    assert f"/etc/{DESK_SAID['ConfigurationDirectory'][0]}" == str(duty.SYSTEM_FILE.parent)
    for key in ("User", "StateDirectory", "RuntimeDirectory", "ConfigurationDirectory"):
        assert DESK_SAID[key] != SAID[key]
    assert DESK_SAID["PrivateDevices"] == ["yes"]
    assert "SupplementaryGroups" not in DESK_SAID
    assert (DESK_SAID["Restart"], DESK_SAID["StartLimitIntervalSec"]) == (["always"], ["0"])
    users = (SYSTEMD / "sysusers.conf").read_text(encoding="utf-8")
    assert re.search(
        rf"^u {DESK_SAID['User'][0]} - .* /var/lib/{DESK_SAID['StateDirectory'][0]}$", users, re.M
    )


def test_what_the_desk_writes_lies_where_systemd_lets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    file = tmp_path / "desk.toml"
    file.write_text((SYSTEMD / "desk.toml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("STATE_DIRECTORY", str(state))
    config, _ = duty.load(file)
    assert config is not None
    assert Path(config.desk.store).parent == state
    assert Path(config.desk.files).parent == state


def test_it_runs_as_nobody_in_particular_and_reaches_serial_ports_alone() -> None:
    assert SAID["User"] == ["compound-gateway"]
    assert SAID["SupplementaryGroups"] == ["dialout compound-vision"]
    assert SAID["CapabilityBoundingSet"] == [""]
    assert SAID["DevicePolicy"] == ["closed"]
    (devices,) = SAID["DeviceAllow"]
    group = devices.removeprefix("char-").removesuffix(" rw")
    assert all(
        fnmatchcase(each, group) for each in ("ttyUSB", "ttyACM", "ttyAMA", "ttyS", "ttySC", "ttyCH343USB")
    )
    assert not any(
        fnmatchcase(each, group) for each in ("tty", "/dev/tty", "pts", "ptm", "mem", "video4linux")
    )
    assert SAID["ProcSubset"] == ["all"]  # `pid` blinds it to /proc/meminfo


def test_the_cameras_run_as_another_user_and_reach_nothing_of_the_gateways_but_the_evidence() -> None:
    assert VISION_SAID["User"] == ["compound-vision"] != SAID["User"]
    assert VISION_SAID["SupplementaryGroups"] == ["video"]
    assert VISION_SAID["DeviceAllow"] == ["char-video4linux rw"]
    assert VISION_SAID["DevicePolicy"] == ["closed"]
    assert VISION_SAID["BindPaths"] == [f"-/var/lib/{SAID['StateDirectory'][0]}/evidence"]
    assert VISION_SAID["TemporaryFileSystem"] == ["/var/lib:ro"]
    for name in ("/etc/compound-gateway", "/run/compound-gateway"):
        assert f"-{name}" in VISION_SAID["InaccessiblePaths"][0].split()
    assert "StateDirectory" not in VISION_SAID
    made = (SYSTEMD / "tmpfiles.conf").read_text(encoding="utf-8")
    assert "d /var/lib/compound-gateway/evidence 0770 compound-gateway compound-vision -" in made.splitlines()
    assert "ORT_DISABLE_TELEMETRY=1" in " ".join(VISION_SAID["Environment"])
    assert int(VISION_SAID["OOMScoreAdjust"][0]) > 0 > int(SAID["OOMScoreAdjust"][0])


def test_the_gateway_asks_for_cameras_where_systemd_listens_for_it_and_for_nobody_else() -> None:
    assert f"VISION_SOCKET={SOCKET['ListenStream'][0]}" in SAID["Environment"]
    assert (SOCKET["SocketUser"], SOCKET["SocketMode"]) == (SAID["User"], ["0600"])
    assert VISION_SAID["ExecStart"] == ["/usr/bin/compound-gateway nursery"]
    assert SAID["Wants"] == ["compound-gateway-vision.socket"]


def test_the_cameras_are_watched_over_and_never_given_up() -> None:
    assert (VISION_SAID["Type"], VISION_SAID["Restart"]) == (["notify"], ["on-failure"])
    assert VISION_SAID["StartLimitIntervalSec"] == ["0"]
    assert SOCKET["TriggerLimitIntervalSec"] == ["0"]
    assert int(VISION_SAID["WatchdogSec"][0]) > GONE_S + SELDOM_S
    assert VISION_SAID["MemoryMax"]


def test_every_line_of_the_udev_rules_is_a_list_of_matches_and_assignments() -> None:
    part = r'[A-Z_]+(\{[^}]+\})?(==|!=|=|\+=|-=|:=)"[^"]*"'
    rules = [line for line in RULES.splitlines() if line and not line.startswith("#")]
    assert [line for line in rules if not re.fullmatch(rf"{part}(, {part})*", line)] == []
    assert set(re.findall(r'GOTO="(\w+)"', RULES)) == set(re.findall(r'LABEL="(\w+)"', RULES))


@pytest.mark.skipif(shutil.which("udevadm") is None, reason="no udevadm")
def test_udev_itself_finds_no_fault_with_the_rules() -> None:
    command = ["udevadm", "verify", str(SYSTEMD / "60-compound-gateway.rules")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "Unknown command" in done.stderr:
        pytest.skip("this udevadm is older than its verify (254)")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_sysusers
def test_the_user_is_made_with_its_groups(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    lists = str(SYSTEMD / "sysusers.conf")
    command = ["systemd-sysusers", f"--root={tmp_path}", lists]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    groups = (tmp_path / "etc" / "group").read_text(encoding="utf-8")
    assert re.search(r"^dialout:.*:compound-gateway$", groups, re.M), groups
    assert re.search(r"^video:.*:compound-vision$", groups, re.M), groups
    assert re.search(r"^compound-vision:.*:compound-gateway$", groups, re.M), groups
    assert not re.search(r"^compound-gateway:.*:[^:\n]+$", groups, re.M), (
        "in that group is who may order doors"
    )
    passwd = (tmp_path / "etc" / "passwd").read_text(encoding="utf-8")
    assert re.search(r"^compound-gateway:.*:/var/lib/compound-gateway:.*nologin$", passwd, re.M), passwd


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_packages_scripts_are_sound_shell(name: str) -> None:
    file = SYSTEMD / "package" / name
    subprocess.run(["sh", "-n", str(file)], check=True, timeout=60)
    assert file.read_text(encoding="utf-8").splitlines()[0] == "#!/bin/sh"


@pytest.mark.parametrize("record", ["{}-desk/desk.db", "{}/desk.db"])
@pytest.mark.parametrize(("there", "taken"), [(1, True), (2, False)])
def test_an_older_package_refuses_a_desks_record_it_cannot_read(
    tmp_path: Path, record: str, there: int, taken: bool
) -> None:
    file = Path(record.format(tmp_path / "state"))
    file.parent.mkdir()
    connection = sqlite3.connect(file)
    connection.execute(f"PRAGMA user_version={there}")
    connection.close()
    done = preinst(tmp_path, "install", tmp_path / "state")
    assert (done.returncode == 0) is taken, done.stderr
    assert ("the desk here is of version 2" in done.stderr) is not taken


@pytest.mark.parametrize("argument", ["install", "upgrade"])
@pytest.mark.parametrize(
    ("there", "installed", "taken"),
    [(None, None, True), (1, 1, True), (0, None, True), (2, None, False), (1, 2, False), (300, 1, False)],
)
def test_an_older_package_refuses_a_journal_it_cannot_read(
    tmp_path: Path, argument: str, there: int | None, installed: int | None, taken: bool
) -> None:
    if there is not None:
        connection = sqlite3.connect(tmp_path / "journal.db")
        connection.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY)")
        connection.execute(f"PRAGMA user_version={there}")
        connection.close()
    if installed is not None:
        (tmp_path / "schemas").write_text(f"journal {installed}\naccess 1\n", encoding="ascii")
    done = preinst(tmp_path, argument, tmp_path)
    assert (done.returncode == 0) is taken, done.stderr
    assert ("too old for what is on this machine" in done.stderr) is not taken


def preinst(tmp_path: Path, argument: str, state: Path) -> subprocess.CompletedProcess[str]:
    """Run preinst of a package whose schemas are all of version 1, on a machine in a folder."""
    text = (SYSTEMD / "package" / "preinst").read_text(encoding="utf-8")
    for old, new in {
        "state=/var/lib/compound-gateway": f"state={state}",
        "installed=/usr/lib/compound-gateway/schemas": f"installed={tmp_path}/schemas",
        "root=\n": f"root={tmp_path}\n",
        **{f"@{name}@": "1" for name in ("JOURNAL", "ACCESS", "DESK")},
    }.items():
        assert old in text
        text = text.replace(old, new)
    script = tmp_path / "preinst"
    script.write_text(text, encoding="utf-8")
    return subprocess.run(
        ["sh", str(script), argument, "9.9"], capture_output=True, text=True, check=False, timeout=60
    )
