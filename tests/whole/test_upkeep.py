"""A detector is tested on its line, and the street's report says so: gateway, journal, control socket and tools."""

import csv
import io
import subprocess
import sys
from pathlib import Path

from gateway.desk.registry import ledger, sheets
from tests.bench.rig import ENVIRONMENT, GatewayProcess
from tests.broker import needs_mosquitto, until
from tests.whole.street import street

pytestmark = needs_mosquitto


def tool(gateway: GatewayProcess, *arguments: str) -> bytes:
    """Return what a command of the tool writes."""
    command = [sys.executable, "-m", "gateway", *arguments, "-c", str(gateway.file)]
    return subprocess.run(command, capture_output=True, check=True, env=ENVIRONMENT).stdout


def reported(gateway: GatewayProcess) -> dict[str, list[str]]:
    text = tool(gateway, "tests", "report", "--format", "csv").decode("utf-8-sig")
    return {row[0]: row for row in csv.reader(io.StringIO(text)) if len(row) > 1}


def test_what_is_tested_is_in_the_report_before_and_after_a_restart_and_a_fire_in_a_round_is_still_one(
    tmp_path: Path,
) -> None:
    with street(tmp_path) as compound:
        with compound.gateway() as gateway:
            compound.sim.tell("set smoke-1-1-6 test on")
            compound.wait_for_alert("raised", kind="device.test", device="smoke-1-1-6")
            compound.sim.tell("set smoke-1-1-6 alarm on")
            until(
                lambda: "alarm in test mode" in reported(gateway)["smoke-1-1-6"],
                what="the test in the report",
            )
            assert not compound.alerts(kind="fire.smoke", device="smoke-1-1-6")
            tool(gateway, "tests", "start", "--place", "building=2", "--minutes", "5")
            compound.sim.tell("set smoke-2-1-1 smoke 900")
            compound.wait_for_alert("raised", kind="fire.smoke", device="smoke-2-1-1")
            until(
                lambda: "alarm during a round" in reported(gateway)["smoke-2-1-1"],
                what="the round in the report",
            )
            assert reported(gateway)["smoke-2-1-3"][-1] == "never tested"
            tool(gateway, "upkeep", "replaced", "smoke-2-1-1", "--serial", "B-2")
            tool(gateway, "upkeep", "done", "clean", "--note", "by the contractor")
            assert reported(gateway)["smoke-2-1-1"][-1] == "never tested", "another unit hangs there"
        with compound.gateway() as gateway:
            assert reported(gateway)["smoke-1-1-6"][3] == "alarm in test mode"
            assert b"smoke-2-1-3" in tool(gateway, "tests", "plan")
            assert b"B-2" in tool(gateway, "upkeep", "history")
            assert b"by the contractor" in tool(gateway, "upkeep", "calendar")
            page = tool(gateway, "tests", "report", "--format", "html").decode()
            assert "smoke-1-1-6" in page
            rows = {row["device"]: row for row in gateway.ask("inventory")}
            assert rows["smoke-1-1-6"]["tested"]["how"] == "test_mode"
            assert rows["smoke-1-1-6"]["first_seen"] < rows["smoke-1-1-6"]["last_seen"]
            file = tmp_path / "devices.xlsx"
            tool(gateway, "inventory", "--format", "xlsx", "-o", str(file))
        taken = ledger.read(sheets.rows_of(file.read_bytes()))
        assert taken.faults == [], "a desk's ledger takes the inventory as it is"
        assert {line.device for line in taken.lines} == set(rows)
        offline = tool(gateway, "inventory", "--format", "csv").decode("utf-8-sig")
        assert "smoke-2-1-3" in offline
