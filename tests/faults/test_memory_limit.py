"""A gateway that is given too little memory: the kernel kills it at each start, and nothing is lost by that.

systemd's `MemoryMax=` is this same limit. Here the group is made by hand, with the controller of version 1: needs root.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench.rig import ENVIRONMENT, Simulator, configuration, simulator
from tests.broker import Listener, Mosquitto, listener, mosquitto, needs_mosquitto, until
from tests.faults.soak.manager import Manager
from tests.faults.soak.site import arrival_of

MEMORY = Path("/sys/fs/cgroup/memory")
TOO_LITTLE = 20 << 20  # an interpreter with half of its modules
ENOUGH = 512 << 20
SMALL = "--buildings 1 --detectors 4 --covers 0 --doors 0 --lines 1 --unpaced"
JOIN = 'echo $$ > "$0" && exec "$@"'

pytestmark = [
    needs_mosquitto,
    pytest.mark.slow,
    pytest.mark.skipif(
        os.geteuid() != 0 or not (MEMORY / "memory.limit_in_bytes").exists(),
        reason="needs root and the memory controller of version 1",
    ),
]


@pytest.fixture(name="group")
def _group() -> Iterator[Path]:
    """Make a group of processes with a limit of its own."""
    folder = MEMORY / f"compound-gateway-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        until(lambda: not (folder / "cgroup.procs").read_text(), what="the group empty")
        folder.rmdir()


@pytest.fixture(name="sim")
def _sim() -> Iterator[Simulator]:
    with simulator(*SMALL.split()) as running:
        yield running


@pytest.fixture(name="house")
def _house(tmp_path: Path, group: Path, sim: Simulator) -> Iterator[tuple[Manager, Mosquitto]]:
    """Run a broker and a gateway that is born in the group in each of its lives."""
    with mosquitto(tmp_path) as broker:
        file = tmp_path / "gateway.toml"
        file.write_text(configuration(sim.bus, broker_url=broker.url, state_dir=tmp_path / "state"))
        command = ["sh", "-c", JOIN, str(group / "cgroup.procs"), sys.executable, "-m", "gateway", "run"]
        manager = Manager([*command, "-c", str(file)], tmp_path, watchdog_s=20.0, environment=ENVIRONMENT)
        yield manager, broker
        limit(group, ENOUGH)
        alive(manager, lambda: manager.ready, what="a life that can be ended")
        manager.stop()


def alive(manager: Manager, condition: Callable[[], object], *, what: str) -> None:
    """Keep the gateway running until something is so."""

    def seen() -> object:
        manager.tick()
        return condition()

    until(seen, within_s=60, what=what)


def limit(group: Path, size: int) -> None:
    (group / "memory.limit_in_bytes").write_text(str(size), encoding="ascii")


def killed(group: Path) -> int:
    """Return how many processes the kernel has killed for want of memory."""
    words = (group / "memory.oom_control").read_text(encoding="ascii").split()
    return int(words[words.index("oom_kill") + 1])


def fires(ears: Listener) -> list[str]:
    return [str(arrival_of(each, 0.0).device) for each in ears.heard if b'"fire.smoke"' in each.content]


def test_a_gateway_that_is_killed_for_its_memory_at_each_start_tells_all_when_it_has_enough(
    group: Path, sim: Simulator, house: tuple[Manager, Mosquitto]
) -> None:
    manager, broker = house
    before, meanwhile, *_ = (str(each["name"]) for bus in sim.bus for each in bus["device"])

    with listener(broker.port, "compound/v1/+/alert") as ears:
        limit(group, ENOUGH)
        alive(manager, lambda: manager.ready, what="the first life")
        sim.tell(f"set {before} smoke 900")
        alive(manager, lambda: before in fires(ears), what="the first fire")
        manager.kill()
        until(lambda: not (group / "cgroup.procs").read_text(), what="its end")
        (group / "memory.force_empty").write_text("0", encoding="ascii")
        limit(group, TOO_LITTLE)
        sim.tell(f"set {meanwhile} smoke 900")
        alive(manager, lambda: killed(group) >= 3, what="three killed at their start")
        assert set(manager.ended[1:]) == {-signal.SIGKILL}
        assert meanwhile not in fires(ears)
        limit(group, ENOUGH)
        alive(manager, lambda: meanwhile in fires(ears), what="the second fire")
        lives = {arrival_of(each, 0.0).life for each in ears.heard if b'"fire.smoke"' in each.content}
        assert len(lives) == 2, "the first fire is still the same alert"
