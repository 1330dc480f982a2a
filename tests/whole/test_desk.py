"""From a smoke detector's register to the pager of who is on duty: the real gateway, a real broker, the real desk."""

import random
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench.rig import Simulator, configuration
from tests.broker import Mosquitto, needs_mosquitto, until
from tests.desk_record import burning, online
from tests.desk_service import Service
from tests.faults import victim
from tests.faults.desk_rig import Desk
from tests.postgres import Cluster

pytestmark = [needs_mosquitto, pytest.mark.slow]


def test_a_smoke_alarm_is_on_the_pager_at_once_and_no_alarm_is_lost_when_both_ends_are_killed(
    tmp_path: Path, broker: Mosquitto, pager: Service, sim: Simulator, postgres: Cluster
) -> None:
    where = postgres.database()
    file = tmp_path / "gateway.toml"
    text = configuration(sim.bus, broker_url=broker.url, state_dir=tmp_path / "state")
    file.write_text(text.replace("[mqtt]\n", '[mqtt]\nconfirm = "desk"\n'), encoding="utf-8")
    names = [device["name"] for device in sim.bus[0]["device"] if device["profile"] == "sonbest-sm7571b"]
    random.Random(3).shuffle(names)
    desk = Desk(tmp_path, "street", where, broker.port, pager.url)
    context = victim.warm()
    with ExitStack() as stack:
        stack.callback(desk.kill)
        desk.start()
        gateway = victim.start(context, file)
        stack.callback(gateway.kill)
        until(lambda: online(where), what="the gateway")
        sim.tell(f"set {names[0]} smoke 900")
        began = time.monotonic()
        until(lambda: any("fire.smoke" in each["id"] for each in pager.heard), what="the page")
        assert time.monotonic() - began < 5
        desk.kill()
        for name in names[1:4]:
            sim.tell(f"set {name} smoke 900")
        time.sleep(0.5)  # the gateway sends, and nobody answers
        gateway.kill()
        gateway.join(10)
        gateway = victim.start(context, file)
        stack.callback(gateway.kill)
        desk.start()
        for name in names[4:6]:
            sim.tell(f"set {name} smoke 900")
        until(lambda: len(burning(where)) == 6, what="all six alarms in the record", within_s=60)
        gateway.terminate()
        gateway.join(10)
        assert gateway.exitcode == 0
        assert desk.stop() == 0
