"""`report` brings all a maintainer needs and nothing that is secret, while the gateway runs and while it is down."""

import asyncio
import hashlib
import json
import os
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from gateway.core.events import AlertBody, Clock, Event, NoteBody, OutcomeBody, Words
from gateway.runtime.journal import Journal
from tests.gateway.test_daemon import PATIENCE_S, environment, start, tool
from tests.uplink_parts import alert_body

SECRETS = {
    "mqtt password": "Tr0ub4dor-and-3",
    "access token": "tok_9f8e7d6c5b4a39281706",
    "osdp key": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "bot address": "https://oapi.example.com/robot/send?access_token=deadbeefcafe",
    "operator seed": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    "card list pin": "739104",
    "comment": "Kommentar-Geheimnis-77",
    "camera": "kamera:geheim99",
    "door code": "code 4829#",
    "log password": "log-Pa55wort",
    "log token": "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJkZXNrIn0",
    "pem": "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp",
    "person": "warden-of-third-floor",
    "note": "三楼那位住户",
    "phone": "13912345678",
    "public address": "47.98.12.34",
    "environment": "env-S3cret-value",
    "door number": "9-9-0901",
    "care device": "radar-of-0901",
    "care label": "九栋王家雷达",
    "care asset": "flat-of-0901",
    "care asset of nobody": "bed-of-0902",
}
PARTS = {
    "MANIFEST.sha256", "configuration.json", "check.txt", "rows.json", "journal.txt", "machine.json", "versions.txt",
    "ports.txt", "profiles/used.txt", "usb.txt", "udev.txt", "unit.txt", "log.txt", "clock.txt", "network.txt",
}  # fmt: skip
NEEDED = b"line riser-a is down"

CONFIG = """
# {comment}
[gateway]
id = "hxtp-01"
state_dir = "state"
[mqtt]
url = "mqtts://127.0.0.1:9"
username = "hxtp-01"
password_file = "mqtt-password"
[access]
file = "cards.csv"
[[bus]]
name = "riser-a"
port = "/dev/no-such-port"
[[bus.device]]
name = "smoke-1"
profile = "own-smoke"
address = 1
[[bus]]
name = "gate"
port = "/dev/no-such-port-either"
[[bus.device]]
name = "reader-1"
profile = "osdp-reader"
address = 0
key_file = "reader-key"
[[bus]]
name = "home"
port = "/dev/no-such-port-at-home"
baud = 115200
[[bus.device]]
name = "{care device}"
label = "{care label}"
profile = "micradar-r60afd1"
address = 1
[[asset]]
name = "{care asset}"
kind = "home"
parts = {{ moves = ["{care device}.presence"] }}
[[asset]]
name = "{care asset of nobody}"
kind = "bed"
parts = {{ bed = "{care device}.presence" }}
[[resident]]
code = "{door number}"
sensors = ["{care device}", "{care asset}"]
consent = ["fall"]
[[last_resort]]
kind = "dingtalk"
url_file = "group-bot"
to = "{phone}"
after_s = 30
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return the configuration of a site with a secret in every place where one can be."""
    files = {
        "mqtt-password": SECRETS["mqtt password"] + "\n",
        "reader-key": SECRETS["osdp key"] + "\n",
        "group-bot": SECRETS["bot address"] + "\n",
        "cards.csv": f"holder,card,pin\n{SECRETS['person']},12:34567,{SECRETS['card list pin']}\n",
        "state/desk.key": SECRETS["operator seed"] + "\n",
        "state/access.key": "binary" + SECRETS["operator seed"],
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    shipped = Path(__file__).parents[2] / "drivers" / "profiles" / "sonbest-sm7571b.toml"
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own-smoke.toml").write_text(
        shipped.read_text(encoding="utf-8"), encoding="utf-8"
    )
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.format(**SECRETS), encoding="utf-8")
    programs(tmp_path)
    return file


def programs(folder: Path) -> None:
    """Put programs on the path that say what a system would, with all that may slip into a log."""
    log = (
        f"2026-11-24T08:00:00 gateway: {NEEDED.decode()}\n"
        f"mqtt: connect mqtts://hxtp-01:{SECRETS['mqtt password']}@{SECRETS['public address']}:8883 failed\n"
        f"camera rtsp://{SECRETS['camera']}@192.168.1.30/1\nPOST {SECRETS['bot address']} -> 500\n"
        f"door {SECRETS['door code']} typed; PIN {SECRETS['card list pin']}\npassword={SECRETS['log password']}\n"
        f"order {SECRETS['log token']}.c2ln refused\n-----BEGIN PRIVATE KEY-----\n{SECRETS['pem']}\n"
        f"-----END PRIVATE KEY-----\npaged {SECRETS['phone']}; loaded {SECRETS['operator seed']}\n"
        f"key {SECRETS['osdp key']} token: {SECRETS['access token']}\n"
        f"no answer of {SECRETS['care device']} ({SECRETS['care label']}) at {SECRETS['door number']}\n"
    )
    (folder / "log").write_text(log, encoding="utf-8")
    (folder / "bin").mkdir()
    for name in ("journalctl", "systemctl", "lsusb", "udevadm", "ip", "timedatectl"):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\necho "{name} says"\n/bin/cat {folder}/log\n')
        program.chmod(0o755)


def report(file: Path, path: str = "") -> tuple[dict[str, bytes], Path]:
    """Make a report as a person would, and return its files."""
    target = file.parent / "report.tar.gz"
    env = {
        **environment(),
        "PATH": path or f"{file.parent}/bin:{os.environ['PATH']}",
        "A_SECRET": SECRETS["environment"],
    }
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "report", "-c", str(file), "-o", str(target)],
        capture_output=True, text=True, check=False, env=env, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert str(target) in done.stdout
    with tarfile.open(target) as archive:
        found = {
            member.name.removeprefix("report/"): opened.read()
            for member in archive
            if (opened := archive.extractfile(member)) is not None
        }
    return found, target


def told_journal(folder: Path) -> None:
    """Fill a journal with alerts that people dealt with, notes, and what no report needs."""

    async def fill() -> None:
        journal = await Journal.open(folder / "journal.db")
        task = asyncio.create_task(journal.run())
        at = time.time()
        for number in range(1, 301):
            alert = alert_body(number)
            silent = Words(
                f"{SECRETS['care label']} 失联", f"{SECRETS['care device']}, {SECRETS['door number']}"
            )
            person: dict[str, object] = {
                "by": f"local:{SECRETS['person']}",
                "note": f"{SECRETS['note']} {SECRETS['phone']}",
            }
            person |= {"text": silent, "device": SECRETS["care device"]}
            bodies = [msgspec.structs.replace(alert, **person), NoteBody("gateway.started", "version 0.1.0"),
                      OutcomeBody(f"o-{number}", "door-1", "unlock", "done", SECRETS["person"], "local:x")]  # fmt: skip
            body = cast("AlertBody | NoteBody | OutcomeBody", bodies[number % 3])
            journal.append(
                Event(journal.epoch, number, at - 301 + number, float(number), Clock.SYNCED, body, None)
            )
        async with asyncio.timeout(PATIENCE_S):
            while journal.statistics().held:
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        await journal.close()

    asyncio.run(fill())


def check_whole(found: dict[str, bytes]) -> None:
    """Have the sums fit, and everything be there."""
    assert found.keys() >= PARTS
    lines = found["MANIFEST.sha256"].decode().splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    assert sums == {
        name: hashlib.sha256(data).hexdigest() for name, data in found.items() if name != "MANIFEST.sha256"
    }
    assert NEEDED in found["log.txt"]
    assert b"192.168.1.30" in found["log.txt"]


def check_clean(found: dict[str, bytes], target: Path) -> None:
    """Have no secret anywhere, in no encoding we can think of."""
    whole = b"\n".join(found.values()) + "\n".join(found).encode() + target.read_bytes()
    for what, secret in SECRETS.items():
        for form in (secret.encode(), json.dumps(secret)[1:-1].encode(), secret.encode().hex().encode()):
            assert form not in whole, f"{what} is in the report"
    assert SECRETS["bot address"].partition("?")[2].encode() not in whole


@pytest.fixture
def daemon(site: Path) -> Iterator[Path]:
    told_journal(site.parent / "state")
    process = start(site)
    give_up_at = time.monotonic() + PATIENCE_S
    while tool(site, "status").returncode != 0:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < give_up_at
    yield site
    process.kill()
    process.communicate()


def test_a_report_of_a_running_gateway_is_whole_and_clean(daemon: Path) -> None:
    found, target = report(daemon)
    check_whole(found)
    check_clean(found, target)
    assert json.loads(found["health.json"])["gateway"]["id"] == "hxtp-01"
    assert "riser-a" in found["status-zh.txt"].decode()
    rows = json.loads(found["rows.json"])
    assert len(rows) == 200
    assert {row["body"]["type"] for row in rows} == {"alert", "note"}
    assert "gateway.started" in {row["body"].get("what") for row in rows}
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_report_of_one_that_is_down_reads_a_copy_of_its_journal(site: Path) -> None:
    told_journal(site.parent / "state")
    journal = site.parent / "state" / "journal.db"
    before = (journal.read_bytes(), journal.stat().st_mtime_ns, sorted(os.listdir(journal.parent)))
    found, target = report(site)
    check_whole(found)
    check_clean(found, target)
    assert found["health.json"].startswith(b"not to be had")
    assert len(json.loads(found["rows.json"])) == 200
    assert before == (journal.read_bytes(), journal.stat().st_mtime_ns, sorted(os.listdir(journal.parent)))


def test_a_configuration_with_mistakes_and_secrets_in_it_gives_a_clean_report_too(site: Path) -> None:
    wrong = CONFIG.format(**SECRETS) + (
        f'strange = "{SECRETS["door code"]}"\n[[camera]]\nname = "north"\n'
        f'url = "rtsp://{SECRETS["camera"]}@192.168.1.30/1"\npassword = "{SECRETS["log password"]}"\n'
        f'[[operator]]\nname = "{SECRETS["person"]}"\nkey = "{SECRETS["operator seed"]}"\nrole = "nobody"\n'
    )
    site.write_text(wrong, encoding="utf-8")
    found, target = report(site)
    check_whole(found)
    told = json.loads(found["configuration.json"])
    assert told["bus"][0]["device"][0]["profile"] == "own-smoke"
    assert told["mqtt"]["password_file"] == "mqtt-password"
    assert b"found" in found["check.txt"]
    secrets = {
        what: secret for what, secret in SECRETS.items() if what != "person"
    }  # a name of an operator is an id
    whole = b"\n".join(found.values()) + target.read_bytes()
    assert [what for what, secret in secrets.items() if secret.encode() in whole] == []


@pytest.mark.parametrize("text", ["not toml at all [", ""])
def test_a_file_nobody_can_read_is_told_and_the_rest_is_there(site: Path, text: str) -> None:
    site.write_text(text, encoding="utf-8")
    found, _ = report(site)
    assert NEEDED in found["log.txt"]
    assert "versions.txt" in found


def test_a_file_that_lay_there_for_all_to_read_is_its_owners_alone_once_the_report_is_in_it(
    site: Path,
) -> None:
    target = site.parent / "lay-there.tar.gz"
    target.write_bytes(b"")
    target.chmod(0o644)
    done = tool(site, "report", "-o", str(target))
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_place_that_cannot_be_written_is_one_clear_line(site: Path) -> None:
    done = tool(site, "report", "-o", str(site / "x.tar.gz"))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "cannot be written" in done.stderr


def test_a_program_that_is_missing_costs_nothing_but_its_part(site: Path) -> None:
    (site.parent / "bin" / "lsusb").unlink()
    found, _ = report(site, path=f"{site.parent}/bin")
    assert found["usb.txt"] == b"lsusb is not installed\n"
    assert NEEDED in found["log.txt"]
