"""The whole gateway killed while it reports to a fire centre: no fire lost, none invented, repeats only of the same.

The centre has no ids to tell copies by: what comes twice is the same component with the same state at the same time.
`CENTRE_KILLS=200` kills it so often at random moments; by default it is less.
"""

import os
import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from drivers.gb26875.units import ComponentState
from drivers.sim.centre import Manners, SimCentre
from tests.bench.rig import Simulator, configuration, simulator
from tests.broker import until
from tests.centre_thread import centre_thread, table, told
from tests.faults import victim

KILLS = int(os.environ.get("CENTRE_KILLS", "16"))
POINTS = (
    "centre.before_send", "centre.after_send",
    "centre.before_confirmation", "centre.after_confirmation",
    "centre.before_cursor", "centre.after_cursor",
)  # fmt: skip


@dataclass
class World:
    """A compound of detectors and a centre; the gateway between them comes and goes."""

    sim: Simulator
    centre: SimCentre
    file: Path
    quiet: dict[str, int]
    burning: dict[str, int] = field(default_factory=dict)

    def burn(self) -> None:
        """Set one more detector on fire."""
        name, place = self.quiet.popitem()
        self.sim.tell(f"set {name} smoke 900")
        self.burning[name] = place

    def fires(self) -> dict[int, set[bytes]]:
        """Return the components whose fire was taken, each with the times it was told for."""
        found = defaultdict(set)
        for report in told(self.centre):
            assert report.unit is not None
            for each in report.unit.objects:
                if isinstance(each, ComponentState) and each.state & 2:
                    found[each.place].add(each.stamp)
        return found


@contextmanager
def world(folder: Path, detectors: int) -> Iterator[World]:
    lines = (
        "--buildings",
        "2",
        "--detectors",
        str(detectors),
        "--covers",
        "0",
        "--doors",
        "0",
        "--lines",
        "3",
    )
    with simulator(*lines, "--unpaced") as sim, centre_thread() as centre:
        devices = [device for bus in sim.bus for device in bus["device"]]
        named = {device["name"]: f"1.{number}" for number, device in enumerate(devices, 1)}
        places = ", ".join(f'"{name}" = "{at}"' for name, at in named.items())
        text = configuration(sim.bus, broker_url="mqtt://127.0.0.1:9", state_dir=folder / "state")
        without = text.replace('[mqtt]\nurl = "mqtt://127.0.0.1:9"\n', "")
        file = folder / "gateway.toml"
        more = table(centre, timeout_s=1.0, components="{ " + places + " }", analog="false")
        file.write_text(without + more, encoding="utf-8")
        plain = {device["name"] for device in devices if device["profile"] == "sonbest-sm7571b"}
        quiet = {name: 1 | number << 16 for number, name in enumerate(named, 1) if name in plain}
        yield World(sim, centre, file, quiet)


def in_the_end_every_fire_was_told(world: World) -> None:
    """Let one gateway live and hold what the centre took against what happened."""
    world.centre.manners = Manners.HONEST
    before = world.centre.connections
    process = victim.start(victim.warm(), world.file)
    try:
        wanted = set(world.burning.values())
        until(lambda: world.centre.connections > before, within_s=60, what="the last gateway")
        until(lambda: set(world.fires()) >= wanted, within_s=60, what="every fire")
    finally:
        process.terminate()
        process.join(10)
    assert process.exitcode == 0
    fires = world.fires()
    assert set(fires) == wanted, "a fire was told that nobody had"
    assert all(len(times) == 1 for times in fires.values()), "a copy says something else"


def test_kills_at_random_moments_lose_and_invent_no_fire(tmp_path: Path) -> None:
    context, chance = victim.warm(), random.Random(26875)
    detectors = max(60, KILLS * 5 // 4)  # two in six are of a product that does not burn here
    with world(tmp_path, detectors) as street:
        for number in range(KILLS):
            process = victim.start(context, street.file)
            if number % 4 != 3:
                street.burn()
            bad = chance.choice([each for each in Manners if each is not Manners.HONEST])
            street.centre.manners = bad if number % 3 == 1 else Manners.HONEST
            process.join(chance.uniform(0.2, 1.2))
            assert process.exitcode is None, "a gateway ended by itself"
            process.kill()
            process.join()
        in_the_end_every_fire_was_told(street)


def test_a_kill_at_every_named_point_loses_and_invents_no_fire(tmp_path: Path) -> None:
    context = victim.warm()
    with world(tmp_path, 60) as street:
        missed = []
        for point in POINTS:
            process = victim.start(context, street.file, point, 2)
            street.burn()
            process.join(60)
            if process.exitcode is None:
                missed.append(point)
                process.kill()
                process.join()
        assert not missed, "these points were never reached"
        in_the_end_every_fire_was_told(street)
