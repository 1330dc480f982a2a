"""The wizard over pretend lines: a file that `check` accepts and the gateway polls by, whatever happens on the way."""

import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from tests.bench.rig import ENVIRONMENT, GatewayProcess
from tests.broker import free_port, make_pki, mosquitto, needs_mosquitto, until
from tests.gateway.setup.pretend import DOOR, SMOKE, answered, device, lines, typed

BASICS = {"name": "红星亭坡 1 号院", "id": "hxtp-01", "community": "中山二路", "product": SMOKE}


def written(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "gateway.toml").read_text(encoding="utf-8"))


def check(folder: Path) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["--lang", "en", "check", "-c", str(folder / "gateway.toml")])
    return done.exit_code, done.output


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_staircase_becomes_a_file_that_the_check_finds_no_fault_with(tmp_path: Path, language: str) -> None:
    staircase = [device(SMOKE, 1), device(SMOKE, 2), device(SMOKE, 3)]
    with lines(tmp_path, riser=staircase, yard=[device(DOOR, 1)]) as ports:
        told = answered(
            tmp_path, **(BASICS | {"product": [SMOKE, "", "", DOOR]}), lines=" ".join(ports.values()),
            line=["riser-a", "gate"],
            place=["2/1/1", "+", "", "2/1/1"], called=["", "东侧走廊", "smoke-top", ""], language=language,
        )  # fmt: skip
        assert told.exit_code == 0, told.output
        code, checked = check(tmp_path)
    assert (code, "warning" in checked) == (0, False), checked
    made = written(tmp_path)
    assert made["gateway"]["place"] == {"community": "中山二路", "compound": "红星亭坡 1 号院"}
    riser, gate = made["bus"]
    assert [(each["name"], each.get("label"), each["place"]["floor"]) for each in riser["device"]] == [
        ("smoke-2-1-1", None, "1"), ("smoke-2-1-2", "东侧走廊", "2"), ("smoke-top", None, "3"),
    ]  # fmt: skip
    assert gate["device"][0]["profile"] == DOOR
    assert made["door"][0]["contact"] == f"{gate['device'][0]['name']}.contact"
    assert [each["name"] for each in made["interlock"]] == ["fire"]
    assert "smoke-2-1-1  smoke" in told.output
    assert "# " in (tmp_path / "gateway.toml").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.glob("*gateway.toml*")) == ["gateway.toml"]


def test_more_doors_on_a_line_than_its_wire_has_the_time_for_are_told_before_they_are_polled(
    tmp_path: Path,
) -> None:
    with lines(tmp_path, yard=[device(DOOR, address) for address in range(1, 13)]) as ports:
        told = answered(tmp_path, "--address", "1-12", **(BASICS | {"product": DOOR}), lines=ports["yard"])
    assert told.exit_code == 0, told.output
    warned, polled = told.output.index("doors: asked every"), told.output.index("✓ door-")
    assert warned < polled
    assert "between 2 lines" in told.output


def test_the_gateway_polls_by_the_file_at_once(tmp_path: Path) -> None:
    with lines(tmp_path, riser=[device(SMOKE, 1)]) as ports:
        assert answered(tmp_path, **BASICS, lines=ports["riser"]).exit_code == 0
        text = (tmp_path / "gateway.toml").read_text(encoding="utf-8")
        running = GatewayProcess(tmp_path, text)
        try:
            until((tmp_path / "state" / "control.sock").exists, what="the control socket")
            until(lambda: running.ask("status")["buses"][0]["devices"][0]["good"] > 0, what="a poll")
        finally:
            running.stop()


def test_a_person_types_and_is_told_what_will_not_do(tmp_path: Path) -> None:
    with lines(tmp_path, riser=[device(SMOKE, 1)]) as ports:
        told = typed(
            tmp_path, "", "Hongxing Tingpo 1", "No Such ID", "hxtp-01", "", "", "", "9", ports["riser"],
            "riser-a", SMOKE, "upstairs/1/2/3", "2/1/3", "East corridor", "ftp://broker", "",
        )  # fmt: skip
    assert told.exit_code == 0, told.output
    for reason in (
        "cannot be empty",
        "1 to 32 of them",
        "9 is no number of the list",
        "building/unit/floor",
        "mqtts://",
    ):
        assert reason in told.output, reason
    assert written(tmp_path)["bus"][0]["device"][0]["label"] == "East corridor"


def test_a_line_on_which_nothing_is_can_be_looked_at_again_and_passed_over(tmp_path: Path) -> None:
    with lines(tmp_path, riser=[]) as ports:
        told = typed(tmp_path, "A", "hxtp-01", "", "", "", ports["riser"], "r", "", "")
    assert told.exit_code == 0, told.output
    assert told.output.count("nothing answered") == 2
    assert "A and B swapped" in told.output
    assert "bus" not in written(tmp_path)
    assert check(tmp_path)[0] == 0


def test_a_port_that_is_not_there_is_told_and_does_no_harm(tmp_path: Path) -> None:
    told = answered(tmp_path, **BASICS, lines="/dev/no-such-port")
    assert told.exit_code == 0, told.output
    assert "is the adapter plugged in?" in told.output


def test_two_devices_at_one_address_are_told_and_left_out(tmp_path: Path) -> None:
    both = [device(SMOKE, 2), device(SMOKE, 2)]
    both[0].set("smoke", 100.0)
    both[1].set("smoke", 250.0)
    with lines(tmp_path, riser=[device(SMOKE, 1), *both]) as ports:
        told = answered(tmp_path, **BASICS, lines=ports["riser"])
    assert told.exit_code == 0, told.output
    assert "Garbled answers at address 2" in told.output
    assert [each["address"] for each in written(tmp_path)["bus"][0]["device"]] == [1]
    assert "Garbled answers at address 2" in (tmp_path / "gateway.toml").read_text(encoding="utf-8")


def test_a_file_that_somebody_wrote_stays_unless_they_say_so_and_is_kept_even_then(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    for content, answer, code in (("# mine", "n", 1), ("# mine", "y", 0), ("# mine too", "y", 0)):
        file.write_text(content, encoding="utf-8")
        told = answered(tmp_path, **BASICS, lines="/dev/no-such-port", replace=answer)
        assert told.exit_code == code, told.output
        assert (file.read_text(encoding="utf-8") == content) is (answer == "n")
    kept = [(tmp_path / f"gateway.toml.{name}").read_text(encoding="utf-8") for name in ("bak", "bak2")]
    assert kept == ["# mine", "# mine too"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_whoever_is_interrupted_in_the_middle_goes_on_from_there(
    tmp_path: Path, number: signal.Signals
) -> None:
    with lines(tmp_path, riser=[device(SMOKE, 1), device(SMOKE, 2)]) as ports:
        command = [
            sys.executable,
            "-m",
            "gateway",
            "--lang",
            "en",
            "setup",
            "-o",
            str(tmp_path / "gateway.toml"),
        ]
        process = subprocess.Popen(
            [*command, "--address", "1-3", "--baud", "9600"], text=True, env=ENVIRONMENT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(f"Tingpo\nhxtp-01\n\n\n\n{ports['riser']}\nriser-a\n{SMOKE}\n2/1/1\n\n")
        process.stdin.flush()
        record = tmp_path / "gateway.toml.setup"
        until(
            lambda: record.exists() and "called:" in record.read_text(encoding="utf-8"),
            what="the first device",
        )
        process.send_signal(number)
        told, _ = process.communicate(timeout=60)
        assert process.returncode == 130, told
        assert "run it again to go on" in told
        assert "Traceback" not in told
        assert sorted(path.name for path in tmp_path.glob("*gateway.toml*")) == [record.name]
        assert stat.S_IMODE(record.stat().st_mode) == 0o600
        again = typed(tmp_path, "y", SMOKE, "+", "", "")
    assert again.exit_code == 0, again.output
    assert "What is the compound called?" not in again.output
    assert "Looking for devices" not in again.output
    assert [each["name"] for each in written(tmp_path)["bus"][0]["device"]] == ["smoke-2-1-1", "smoke-2-1-2"]
    assert not record.exists()


def test_an_answer_that_is_missing_or_wrong_in_a_file_ends_it_in_one_line_and_keeps_the_others(
    tmp_path: Path,
) -> None:
    missing = answered(tmp_path, id="hxtp-01")
    assert (missing.exit_code, "says nothing of name" in missing.output) == (1, True)
    wrong = answered(tmp_path, **{**BASICS, "id": "No Such"})
    assert (wrong.exit_code, "id: No Such will not do" in wrong.output) == (1, True)
    assert "name" in (tmp_path / "gateway.toml.setup").read_text(encoding="utf-8")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = [", encoding="utf-8")
    unreadable = CliRunner().invoke(cli, ["setup", "-o", str(tmp_path / "other"), "--answers", str(broken)])
    assert unreadable.exit_code == 1
    assert "Traceback" not in missing.output + wrong.output + unreadable.output


def test_a_pipe_that_ends_is_told_and_leaves_no_configuration(tmp_path: Path) -> None:
    told = typed(tmp_path, "Tingpo")
    assert (told.exit_code, "nobody answers" in told.output) == (1, True)
    assert not (tmp_path / "gateway.toml").exists()


def test_a_damaged_record_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml.setup").write_bytes(b"{\xff")
    assert answered(tmp_path, **BASICS, lines="/dev/no-such-port").exit_code == 0


def test_a_folder_that_cannot_be_written_in_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "no-folder").touch()
    told = CliRunner().invoke(
        cli, ["--lang", "en", "setup", "-o", str(tmp_path / "no-folder" / "x")], input="A\n"
    )
    assert (told.exit_code, "-o gateway.toml" in told.output) == (1, True)


@needs_mosquitto
def test_a_broker_that_takes_us_is_told_and_hears_nothing_from_us(tmp_path: Path) -> None:
    with mosquitto(tmp_path, "log_type all") as broker:
        told = answered(tmp_path, **BASICS, lines="/dev/no-such-port", broker=broker.url)
        log = broker.log.read_text(encoding="utf-8")
    assert told.exit_code == 0, told.output
    assert "the broker takes us (MQTT 5)" in told.output
    assert "as hxtp-01" in log
    assert ("PUBLISH" in log, "SUBSCRIBE" in log) == (False, False)
    assert written(tmp_path)["mqtt"] == {"url": broker.url, "confirm": "broker"}


@needs_mosquitto
def test_a_password_that_is_wrong_is_told_in_words_mended_and_stands_in_a_file_of_its_own(
    tmp_path: Path,
) -> None:
    passwords = tmp_path / "passwords"
    made = ["mosquitto_passwd", "-b", "-c", str(passwords), "hxtp-01", "s3cret-good"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        told = answered(
            tmp_path, **BASICS, lines="/dev/no-such-port", broker=broker.url, username="hxtp-01",
            password=["s3cret-bad", "s3cret-good"], refused="change",
        )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "Not authorized" in told.output
    assert "takes us" in told.output
    secret = tmp_path / "mqtt-password"
    assert (secret.read_text(encoding="utf-8"), stat.S_IMODE(secret.stat().st_mode)) == (
        "s3cret-good\n",
        0o640,
    )
    whole = told.output + (tmp_path / "gateway.toml").read_text(encoding="utf-8")
    assert "s3cret" not in whole


def test_a_broker_that_is_away_is_told_and_kept_all_the_same(tmp_path: Path) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    told = answered(tmp_path, **BASICS, lines="/dev/no-such-port", broker=url, language="zh")
    assert told.exit_code == 0, told.output
    assert "那个端口没人监听" in told.output
    assert written(tmp_path)["mqtt"]["url"] == url


@needs_mosquitto
@pytest.mark.parametrize(
    ("certificate", "given", "said"),
    [
        ("broker", (), "nobody we trust vouches"),
        ("broker", ("ca", "client"), "the broker takes us"),
        ("broker", ("ca",), "certificate"),
        ("broker", ("ca", "impostor"), "certificate"),
        ("wrong-name", ("ca", "client"), "for another host name"),
    ],
)
def test_a_broker_behind_tls_takes_us_or_is_told_why_not(
    tmp_path: Path, certificate: str, given: tuple[str, ...], said: str
) -> None:
    pki = make_pki(tmp_path)
    files = {"ca_file": "ca.crt"} if "ca" in given else {}
    for name in given[1:]:
        files |= {"cert_file": f"{name}.crt", "key_file": f"{name}.key"}
    with mosquitto(tmp_path, listener=pki.listener(certificate), protocol="mqtts") as broker:
        told = answered(tmp_path, **BASICS, lines="/dev/no-such-port", broker=broker.url, **files)
    assert told.exit_code == 0, told.output
    verdict = next(
        line
        for line in told.output.splitlines()
        if line.startswith(("✓ the broker", "✗")) and "/dev/" not in line
    )
    assert said in verdict, told.output
    assert {key: written(tmp_path)["mqtt"].get(key) for key in files} == files
