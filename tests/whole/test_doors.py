"""Doors as their people meet them: a real gateway, a reader that speaks real OSDP, boards on a line, and a kill."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench import door_rig
from tests.bench.rig import ENVIRONMENT, GatewayProcess, Simulator, configuration, gateway, simulator
from tests.broker import until

STRANGER = (26, bytes.fromhex("b2320280"))  # Wiegand 26: facility 100, number 25605


def exported(process: GatewayProcess) -> list[dict[str, Any]]:
    """Return every event of the journal."""
    command = [sys.executable, "-m", "gateway", "export", "-c", str(process.file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return [json.loads(line) for line in done.stdout.splitlines()]


def bodies(process: GatewayProcess, kind: str) -> list[dict[str, Any]]:
    """Return the bodies of one kind, in order."""
    return [event["body"] for event in exported(process) if event["body"]["type"] == kind]


def test_a_card_of_the_list_opens_its_door_and_a_stranger_s_does_not(tmp_path: Path) -> None:
    with door_rig.Entrance(tmp_path / "gate", 115200, relay=True) as entrance, entrance.gateway() as process:
        door_rig.until_locked(process, 1)
        assert entrance.hold_card() < 5.0
        entrance.present(*STRANGER)
        until(lambda: len(bodies(process, "access")) == 2, what="both decisions in the journal")
        granted, denied = bodies(process, "access")
        time.sleep(1.0)
        assert entrance.strikes == 1
        log = process.log.read_text(encoding="utf-8")
        journal = json.dumps(exported(process))
        door = process.ask("doors")["doors"][0]
    assert (granted["granted"], granted["door"], granted["holder"]) == (True, "gate", "bench")
    assert (denied["granted"], denied["reason"]) == (False, "unknown_card")
    # alone: times and hashes hold such digits by chance
    for number in ("25603", "25605", "6579203", "6579205"):
        assert not re.search(rf"(?<![0-9a-f]){number}(?![0-9a-f])", log + "\n" + journal)
    assert door["why"] == "bench"


def test_a_lost_card_is_blocked_at_the_terminal_and_opens_nothing_any_more(tmp_path: Path) -> None:
    with door_rig.Entrance(tmp_path / "gate", 115200, relay=True) as entrance, entrance.gateway() as process:
        door_rig.until_locked(process, 1)
        tool = [sys.executable, "-m", "gateway", "cards", "block", "bench", "-c", str(process.file)]
        subprocess.run(tool, check=True, capture_output=True, env=ENVIRONMENT)
        entrance.present(*door_rig.CARD)
        until(lambda: bodies(process, "access"), what="the decision in the journal")
        (denied,) = bodies(process, "access")
    assert (denied["granted"], denied["reason"], entrance.strikes) == (False, "blocked", 0)


def free(sim: Simulator, doors: list[str]) -> set[str]:
    """Return the boards whose strike is energised."""
    return {door for door in doors if sim.tell(f"get {door}")["points"]["strike"]}


def test_doors_that_a_fire_freed_stand_free_after_a_kill_until_a_person_releases_them(tmp_path: Path) -> None:
    arguments = (
        "--buildings",
        "2",
        "--detectors",
        "6",
        "--covers",
        "1",
        "--doors",
        "4",
        "--lines",
        "2",
        "--unpaced",
    )
    with simulator(*arguments, "--link", str(tmp_path)) as sim:
        text = configuration(sim.bus, broker_url="mqtt://127.0.0.1:1", state_dir=tmp_path / "state")
        text += door_rig.doors(sim.bus)
        mine, others = ["door-1-1", "door-1-2"], ["door-2-1", "door-2-2"]
        with gateway(tmp_path / "first", text) as first:
            door_rig.until_locked(first, 4)
            sim.tell("set smoke-1-1-1 smoke 900")
            until(lambda: free(sim, mine) == set(mine), what="the doors of building 1 free")
            first.process.kill()
            first.process.wait()
        for door in mine:
            sim.tell(f"set {door} strike false")  # the boards lost power, too
        sim.tell("set smoke-1-1-1 smoke 0")
        with gateway(tmp_path / "second", text) as second:
            until(lambda: free(sim, mine) == set(mine), what="the doors free again")
            assert free(sim, others) == set()
            fire = second.ask("doors")["interlocks"][0]
            assert (fire["engaged"], fire["drill"]) == (True, False)

            def told(*arguments: str) -> int:
                tool = [sys.executable, "-m", "gateway", *arguments]
                return subprocess.run(tool, check=False, capture_output=True, env=ENVIRONMENT).returncode

            config = ("-c", str(second.file))
            assert told("drill", "stop", "fire", *config) == 1  # the detector is still latched
            until(lambda: told("alerts", *config, "reset", "smoke-1-1-1") == 0, what="the detector reset")
            assert told("drill", "stop", "fire", *config) == 0
            until(lambda: free(sim, mine) == set(), what="the doors locked")
