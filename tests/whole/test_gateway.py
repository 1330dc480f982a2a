"""The gateway as its people meet it: a process, a line, a broker, a signal."""

import json
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.rig import ENVIRONMENT, GatewayProcess
from tests.broker import needs_mosquitto, until
from tests.whole.street import Street, street

pytestmark = needs_mosquitto


def test_smoke_is_delivered_as_the_contract_says_and_its_neighbour_confirms_it(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway():
        at = time.time()
        for name in ("smoke-2-1-1", "smoke-2-1-3"):
            compound.sim.tell(f"set {name} smoke 900")
        alert = compound.wait_for_alert("raised", kind="fire.smoke", device="smoke-2-1-1")
        both = compound.wait_for_alert("raised", kind="fire.confirmed")
    assert alert["source"] == "/compound/bench"
    assert alert["data"]["place"] == {"building": "2", "unit": "1", "floor": "1"}
    assert alert["data"]["text"]["zh"] == "2 栋 1 单元 1 楼 烟感报警"
    assert alert["data"]["text"]["en"] == "Smoke alarm, building 2, unit 1, floor 1"
    assert alert["data"]["severity"] == "critical"
    assert set(both["data"]["devices"]) == {"smoke-2-1-1", "smoke-2-1-3"}
    assert time.time() - at < 20


def test_sigterm_stops_it_within_five_seconds_and_says_offline(tmp_path: Path) -> None:
    with street(tmp_path) as compound:
        with compound.gateway() as gateway:
            took_s = gateway.stop()
        assert took_s < 5
        until(lambda: compound.far_end.on("/availability")[-1].content == b"offline", what="offline")


def test_a_fire_is_still_there_after_a_restart_and_not_raised_again(tmp_path: Path) -> None:
    with street(tmp_path) as compound:
        with compound.gateway():
            compound.sim.tell("set smoke-2-1-1 smoke 900")
            first = compound.wait_for_alert("raised", kind="fire.smoke")
        with compound.gateway() as gateway:
            compound.sim.tell("set smoke-2-1-3 smoke 900")
            compound.wait_for_alert("raised", kind="fire.smoke", device="smoke-2-1-3")
            open_alerts = gateway.ask("alerts")
        assert first["subject"] in {alert["alert"] for alert in open_alerts}
        assert len(raised(compound, device="smoke-2-1-1")) == 1


def test_a_detector_in_test_never_goes_up_as_a_fire(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway():
        compound.sim.tell("set smoke-1-1-6 test on")
        compound.wait_for_alert("raised", kind="device.test", device="smoke-1-1-6")
        compound.sim.tell("set smoke-1-1-6 alarm on")
        compound.sim.tell("set smoke-2-1-1 smoke 900")
        compound.wait_for_alert("raised", kind="fire.smoke", device="smoke-2-1-1")
        compound.sim.tell("set smoke-2-1-3 smoke 900")
        compound.wait_for_alert("raised", kind="fire.smoke", device="smoke-2-1-3")
        assert not compound.alerts(kind="fire.smoke", device="smoke-1-1-6")


def test_an_unlocked_door_may_open_its_strike_ends_by_itself_and_the_outcome_is_told(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway() as gateway:
        until(lambda: compound.state("door-1-1").get("online"), what="the door online")
        answer = gateway.ask("command", "door-1-1", "unlock", "seconds=4")
        assert answer["result"] == "done"
        assert compound.sim.tell("get door-1-1")["points"]["strike"] is True
        compound.sim.tell("set door-1-1 contact on")
        until(lambda: compound.sim.tell("get door-1-1")["points"]["strike"] is False, what="the strike falls")
        until(lambda: compound.far_end.on("/outcome"), what="the outcome")
        outcome = json.loads(compound.far_end.on("/outcome")[0].content)
        assert outcome["data"]["action"] == "unlock"
        compound.sim.tell("set door-2-1 contact on")
        compound.wait_for_alert("raised", kind="door.forced", device="door-2-1")
        assert not compound.alerts(kind="door.forced", device="door-1-1")


def test_a_silent_device_is_unknown_never_normal_and_its_alert_stays(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway() as gateway:
        compound.sim.tell("set smoke-2-1-1 smoke 900")
        compound.wait_for_alert("raised", kind="fire.smoke")
        compound.sim.tell("kill smoke-2-1-1")
        compound.wait_for_alert("raised", kind="device.offline", device="smoke-2-1-1")
        until(lambda: compound.state("smoke-2-1-1").get("online") is False, what="its state")
        assert compound.state("smoke-2-1-1")["points"]["smoke"]["quality"] == "stale"
        assert "fire.smoke" in {alert["kind"] for alert in gateway.ask("alerts")}


def test_an_unplugged_line_is_one_alert_and_comes_back_by_itself(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway():
        until(lambda: compound.state("smoke-1-1-1").get("online"), what="the line")
        line = next(
            bus["name"] for bus in compound.sim.bus if any(d["name"] == "smoke-1-1-1" for d in bus["device"])
        )
        compound.sim.tell(f"unplug {line}")
        compound.wait_for_alert("raised", kind="bus.down")
        compound.sim.tell(f"replug {line}")
        compound.wait_for_alert("cleared", kind="bus.down")
        assert not compound.alerts(kind="device.offline")


def test_sighup_takes_a_new_configuration_and_keeps_the_alerts(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway() as gateway:
        compound.sim.tell("set smoke-2-1-1 smoke 900")
        alert = compound.wait_for_alert("raised", kind="fire.smoke")
        gateway.file.write_text(
            compound.text.replace('id = "bench"', 'id = "bench"\nname = "新名字"'), encoding="utf-8"
        )
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: name_of(gateway) == "新名字", what="the new name")
        assert alert["subject"] in {each["alert"] for each in gateway.ask("alerts")}
        assert len(raised(compound)) == 1


def raised(compound: Street, **wanted: object) -> set[str]:
    """Return the ids under which fires were raised: QoS 1 may bring an event twice, under the same id."""
    return {
        event["id"]
        for event in compound.alerts(kind="fire.smoke", **wanted)
        if event["type"].endswith(".raised")
    }


def name_of(gateway: GatewayProcess) -> str:
    try:
        return str(gateway.ask("status")["gateway"]["name"])
    except subprocess.CalledProcessError:  # between two lives there is no socket
        return ""


def test_sighup_with_a_mistake_leaves_the_old_configuration_in_force(tmp_path: Path) -> None:
    with street(tmp_path) as compound, compound.gateway() as gateway:
        gateway.file.write_text(compound.text.replace("[gateway]", "[gatway]"), encoding="utf-8")
        gateway.process.send_signal(signal.SIGHUP)
        until(lambda: "has mistakes" in gateway.log.read_text(encoding="utf-8"), what="the log")
        gateway.file.write_text(compound.text, encoding="utf-8")
        assert gateway.ask("status")["gateway"]["id"] == "bench"
        assert gateway.process.poll() is None


def test_the_demo_plays_delivers_everything_and_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway", "demo", "--seconds", "9", "--port", "0"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "井盖倾斜" in done.stdout
    assert "0 missing" in done.stdout
    assert not done.stderr


def test_a_story_with_a_mistake_is_told_in_one_line(tmp_path: Path) -> None:
    story = tmp_path / "story.toml"
    story.write_text('[[scene]]\nat_s = 1\ndo = "lift"\ntarget = "cover-5"\n', encoding="utf-8")
    command = [sys.executable, "-m", "gateway", "demo", "--script", str(story), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("scene 1: nothing is called 'cover-5' (did you mean 'cover-05'?)")
    assert done.stderr.count("\n") == 1


FAKETIME = Path("/usr/lib") / f"{platform.machine()}-linux-gnu" / "faketime" / "libfaketimeMT.so.1"


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_a_clock_that_jumps_loses_reorders_and_invents_nothing(tmp_path: Path) -> None:
    jump = tmp_path / "jump"
    jump.write_text("+0\n", encoding="ascii")
    environment = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(jump),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with street(tmp_path) as compound, compound.gateway(environment=environment):
        ids = []
        for offset, detector in (("+0", "smoke-1-1-1"), ("-3600", "smoke-1-1-2"), ("+10y", "smoke-1-1-4")):
            jump.write_text(f"{offset}\n", encoding="ascii")
            compound.sim.tell(f"set {detector} smoke 900")
            ids.append(compound.wait_for_alert("raised", kind="fire.smoke", device=detector)["id"])
        numbers = [int(each.partition(".")[2]) for each in ids]
        assert numbers == sorted(numbers)
        times = [event["time"][:4] for event in compound.alerts(kind="fire.smoke") if event["id"] in ids]
        assert int(times[2]) - int(times[1]) >= 9, "the clock did not jump"
        assert {event["data"]["kind"] for event in compound.alerts()} <= {"fire.smoke", "fire.confirmed"}
