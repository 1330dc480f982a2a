"""A gateway and its desk in one house, without a broker: from a register to the pager, whichever of them is killed."""

import contextlib
import os
import random
import re
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bench.rig import Simulator, configuration
from tests.broker import until
from tests.desk_record import burning, online
from tests.desk_service import Service
from tests.faults import victim
from tests.faults.desk_rig import CONFIG
from tests.postgres import Cluster

pytestmark = pytest.mark.slow


def house(folder: Path, sim: Simulator, where: str, pager: Service) -> Path:
    """Write the files of a gateway that has its desk beside it; return the gateway's."""
    desk = CONFIG.format(name="street", store=where, port=1, pager=pager.url, minutes=60)
    (folder / "desk.toml").write_text(re.sub(r"\[mqtt\]\n[^\[]*", "", desk), encoding="utf-8")
    file = folder / "gateway.toml"
    text = configuration(sim.bus, broker_url="", state_dir=folder / "state")
    file.write_text(re.sub(r"\[mqtt\]\n[^\[]*", '[desk]\nconfig = "desk.toml"\n\n', text), encoding="utf-8")
    return file


def desk_of(gateway: int) -> int | None:
    """Return the process of the desk that a gateway has beside it."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == gateway and b"--beside" in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return None


def test_an_alarm_needs_no_broker_to_reach_the_pager_and_none_is_lost_when_either_is_killed(
    tmp_path: Path, pager: Service, sim: Simulator, postgres: Cluster
) -> None:
    where = postgres.database()
    file = house(tmp_path, sim, where, pager)
    names = [device["name"] for device in sim.bus[0]["device"] if device["profile"] == "sonbest-sm7571b"]
    random.Random(3).shuffle(names)
    context = victim.warm()

    def burn(*which: str) -> None:
        for name in which:
            sim.tell(f"set {name} smoke 900")

    with ExitStack() as stack:
        gateway = victim.start(context, file)
        stack.callback(gateway.kill)
        until(lambda: online(where), what="the gateway")
        burn(names[0])
        until(lambda: any("fire.smoke" in each["id"] for each in pager.heard), what="the page")
        assert gateway.pid is not None
        first = desk_of(gateway.pid)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        burn(*names[1:3])
        until(lambda: len(burning(where)) == 3, what="the alarms of the time without a desk", within_s=60)
        second = desk_of(gateway.pid)
        assert second not in {None, first}
        burn(names[3])
        gateway.kill()
        gateway.join(10)
        assert second is not None
        until(lambda: not Path(f"/proc/{second}").exists(), what="the end of the desk whose gateway died")
        gateway = victim.start(context, file)
        stack.callback(gateway.kill)
        burn(*names[4:6])
        until(lambda: len(burning(where)) == 6, what="all six alarms in the record", within_s=60)
        gateway.terminate()
        gateway.join(15)
        assert gateway.exitcode == 0
        assert gateway.pid is not None
        assert desk_of(gateway.pid) is None
