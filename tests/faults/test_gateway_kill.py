"""The whole gateway killed, again and again, with its broker coming and going: no alert lost, none invented.

The world outside stays: a simulated compound on real ptys, whose detectors go into alarm one after the other,
and somebody who listens at the broker with a persistent session. When all is over and one gateway is left in
peace, every alarm must have arrived, nothing may have arrived that was no alarm, and whatever came twice must
have come with the same id and the same words.
"""

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.rig import Simulator, configuration, simulator
from tests.broker import Listener, Mosquitto, listener, mosquitto, needs_mosquitto, until
from tests.faults import victim

RANDOM_KILLS = 200
LONGEST_LIFE_S = 0.6
COMPOUND = (
    "--buildings",
    "6",
    "--detectors",
    "240",
    "--covers",
    "0",
    "--doors",
    "0",
    "--lines",
    "3",
    "--unpaced",
)
NAMED = tuple((point, hits) for point in victim.POINTS for hits in (1, 3))


@dataclass
class Street:
    """The world outside the gateway."""

    sim: Simulator
    broker: Mosquitto
    far_end: Listener
    file: Path
    chance: random.Random
    quiet: list[str]
    burning: set[str] = field(default_factory=set)

    def burn(self) -> None:
        """Set one more detector on fire."""
        name = self.quiet.pop()
        points = {"sonbest-sm7571b": "smoke 900"}
        self.sim.tell(f"set {name} {points[self.profile_of(name)]}")
        self.burning.add(name)

    def profile_of(self, name: str) -> str:
        devices = (device for bus in self.sim.bus for device in bus["device"])
        return str(next(device["profile"] for device in devices if device["name"] == name))

    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(heard.content) for heard in self.far_end.on("/alert")]

    def raised(self) -> set[str]:
        """Return the detectors whose smoke alarm has arrived."""
        return {
            alert["data"]["device"]
            for alert in self.alerts()
            if alert["data"]["kind"] == "fire.smoke" and alert["type"] == "compound.alert.raised"
        }


@contextmanager
def street(folder: Path) -> Iterator[Street]:
    with (
        mosquitto(folder, "persistence true", f"persistence_location {folder}/", "autosave_interval 1",
                  "autosave_on_changes true", "max_queued_messages 0", "max_inflight_messages 200") as broker,
        simulator(*COMPOUND) as sim,
        listener(broker.port, "compound/v1/+/alert", name="far-end") as far_end,
    ):  # fmt: skip
        file = folder / "gateway.toml"
        text = configuration(sim.bus, broker_url=broker.url, state_dir=folder / "state")
        file.write_text(text, encoding="utf-8")
        devices = [device for bus in sim.bus for device in bus["device"]]
        quiet = [device["name"] for device in devices if device["profile"] == "sonbest-sm7571b"]
        chance = random.Random(7)
        chance.shuffle(quiet)
        yield Street(sim, broker, far_end, file, chance, quiet)


def in_the_end_everything_has_arrived_once(street: Street, *, copies: int = 0) -> None:
    """Let one gateway live and hold what arrived, at least so many events, against what happened."""
    process = victim.start(victim.warm(), street.file)
    try:
        until(lambda: street.raised() >= street.burning, what="every alarm")
        until(lambda: len(street.alerts()) >= copies, what="what is sent again")
        time_for_what_must_not_come(street)
    finally:
        process.terminate()
        process.join(10)
    assert process.exitcode == 0
    assert street.raised() == street.burning, "an alarm arrived that nobody had"
    by_id = defaultdict(set)
    for alert in street.alerts():
        by_id[alert["id"]].add(json.dumps(alert, sort_keys=True))
    assert all(len(copies) == 1 for copies in by_id.values()), "one id stands for two different things"
    lives: dict[str, set[str]] = defaultdict(set)
    for alert in street.alerts():
        if alert["data"]["kind"] == "fire.smoke":
            lives[alert["data"]["device"]].add(alert["subject"])
    assert all(len(subjects) == 1 for subjects in lives.values()), "one fire was raised as two alerts"


def time_for_what_must_not_come(street: Street) -> None:
    """Wait until nothing has come for a second."""
    before = -1
    while before != len(street.far_end.heard):
        before = len(street.far_end.heard)
        time.sleep(1.0)


@needs_mosquitto
def test_two_hundred_kills_at_random_moments_lose_and_invent_nothing(tmp_path: Path) -> None:
    context = victim.warm()
    with street(tmp_path) as world:
        assert len(world.quiet) > RANDOM_KILLS * 0.7
        for number in range(RANDOM_KILLS):
            process = victim.start(context, world.file)
            if world.quiet and number % 4 != 3:
                world.burn()
            if number % 20 == 9:
                world.broker.kill()
            if number % 20 == 12:
                world.broker.start()
            process.join(world.chance.uniform(0.0, LONGEST_LIFE_S))
            assert process.exitcode is None, "a gateway ended by itself"
            process.kill()
            process.join()
        in_the_end_everything_has_arrived_once(world)
        assert len(world.burning) == RANDOM_KILLS * 3 // 4


@needs_mosquitto
def test_a_kill_at_every_named_point_loses_and_invents_nothing(tmp_path: Path) -> None:
    context = victim.warm()
    with street(tmp_path) as world:
        missed = []
        for point, hits in NAMED:
            once = point.endswith("_open")
            process = victim.start(context, world.file, point, 1 if once else hits)
            world.burn()
            process.join(8)
            if process.exitcode is None:
                missed.append(point)
                process.kill()
                process.join()
        assert not missed, "these points were never reached"
        in_the_end_everything_has_arrived_once(world)


@needs_mosquitto
def test_a_kill_between_acknowledgement_and_cursor_sends_the_same_id_again(tmp_path: Path) -> None:
    context = victim.warm()
    with street(tmp_path) as world:
        first = victim.start(context, world.file, "uplink.after_acknowledgement")
        world.burn()
        first.join(20)
        assert first.exitcode == -9, "the point was never reached"
        in_the_end_everything_has_arrived_once(world, copies=2)
        raised = [alert["id"] for alert in world.alerts() if alert["type"] == "compound.alert.raised"]
        assert len(raised) == 2
        assert len(set(raised)) == 1
