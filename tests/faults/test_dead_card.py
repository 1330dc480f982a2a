"""A gateway that is started while its card is dead: fire and doors have one all the same, and nothing is told twice.

The card is an ext4 in which the kernel found an error; the gateway is the whole process as systemd starts it, with a
runtime directory.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench.rig import GatewayProcess
from tests.broker import needs_mosquitto
from tests.faults.disk import Disk, disk, needs_disks
from tests.faults.soak.site import FAKETIME
from tests.whole.street import Street, street

pytestmark = [needs_mosquitto, needs_disks]


@dataclass
class Wall:
    """A street whose gateway lives on a card."""

    street: Street
    card: Disk
    environment: Mapping[str, str]

    def fire(self, detector: str) -> str:
        """Let a detector see smoke; return the life of its alert."""
        self.street.sim.tell(f"set {detector} smoke 900")
        return str(self.street.wait_for_alert("raised", kind="fire.smoke", device=detector)["subject"])

    @contextmanager
    def gateway(self) -> Iterator[GatewayProcess]:
        with self.street.gateway(environment=self.environment) as running:
            yield running


@pytest.fixture
def wall(tmp_path: Path) -> Iterator[Wall]:
    (tmp_path / "run").mkdir()
    with disk(tmp_path / "state") as card, street(tmp_path) as around:
        yield Wall(around, card, {"RUNTIME_DIRECTORY": str(tmp_path / "run")})


def killed(gateway: GatewayProcess) -> None:
    """Kill it as a power cut would, and let the context have nothing to stop."""
    gateway.process.kill()
    gateway.process.wait()


@pytest.mark.parametrize("dies", [Disk.break_, Disk.remount])
def test_a_gateway_started_on_a_read_only_card_goes_on_with_its_alerts_and_comes_home_when_it_is_mended(
    wall: Wall, tmp_path: Path, dies: Callable[[Disk], None]
) -> None:
    with wall.gateway() as gateway:
        first = wall.fire("smoke-1-1-1")
        killed(gateway)
    dies(wall.card)
    with wall.gateway() as gateway:
        wall.street.wait_for_alert("raised", kind="storage.failing")
        second = wall.fire("smoke-2-1-1")
        wall.street.sim.tell("set smoke-1-1-1 smoke 20")
        killed(gateway)
    with wall.gateway():
        wall.fire("smoke-1-1-4")
    wall.card.unmount()
    wall.card.mount()
    with wall.gateway():
        wall.street.wait_for_alert("cleared", kind="storage.failing")
        third = wall.fire("smoke-2-1-3")
    assert not (tmp_path / "run" / "state").exists()
    lives = {event["data"]["device"]: event["subject"] for event in wall.street.alerts(kind="fire.smoke")}
    assert (lives["smoke-1-1-1"], lives["smoke-2-1-1"], lives["smoke-2-1-3"]) == (first, second, third)
    assert all(len(each) == 1 for each in lives_of(wall).values()), "a fire was told as two"
    assert all(len(each) == 1 for each in words_of(wall).values()), "one number for two things"
    with sqlite3.connect(tmp_path / "state" / "journal.db") as journal:
        assert journal.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    journal.close()


def test_a_card_that_is_never_mended_and_a_boot_in_between_give_no_number_twice(
    wall: Wall, tmp_path: Path
) -> None:
    """The memory is lost with each boot; what was told from it must never be taken for something else."""
    with wall.gateway() as gateway:
        wall.fire("smoke-1-1-1")
        killed(gateway)
    wall.card.break_()
    for detector in ("smoke-2-1-1", "smoke-2-1-3"):
        with wall.gateway() as gateway:
            wall.fire(detector)
            killed(gateway)
        for file in (tmp_path / "run" / "state").iterdir():
            file.unlink()
        (tmp_path / "run" / "state").rmdir()
    wall.card.unmount()
    wall.card.mount()
    with wall.gateway():
        wall.fire("smoke-1-1-4")
    assert all(len(each) == 1 for each in words_of(wall).values()), "one number for two things"


def test_a_gateway_on_a_full_card_starts_and_lives_on_it(wall: Wall) -> None:
    with wall.gateway() as gateway:
        wall.fire("smoke-1-1-1")
        killed(gateway)
    wall.card.fill()
    with wall.gateway():
        wall.fire("smoke-2-1-1")
    assert wall.street.alerts(kind="storage.failing") == []
    wall.card.empty()


def test_a_gateway_on_a_card_that_is_full_to_the_last_block_lives_in_memory(
    wall: Wall, tmp_path: Path
) -> None:
    with wall.gateway() as gateway:
        first = wall.fire("smoke-1-1-1")
        killed(gateway)
    (tmp_path / "state" / "journal.db.reserve").unlink()
    wall.card.fill()
    with wall.gateway() as gateway:
        wall.street.wait_for_alert("raised", kind="storage.failing")
        wall.fire("smoke-2-1-1")
        killed(gateway)
    wall.card.empty()
    with wall.gateway():
        wall.street.wait_for_alert("cleared", kind="storage.failing")
        wall.fire("smoke-2-1-3")
    assert lives_of(wall)["smoke-1-1-1"] == {first}
    assert all(len(each) == 1 for each in words_of(wall).values()), "one number for two things"


def lives_of(wall: Wall) -> dict[str, set[str]]:
    """Return the alerts of each detector."""
    lives: dict[str, set[str]] = defaultdict(set)
    for event in wall.street.alerts(kind="fire.smoke"):
        lives[event["data"]["device"]].add(event["subject"])
    return lives


def words_of(wall: Wall) -> dict[str, set[str]]:
    """Return what was told under each number."""
    told: dict[str, set[str]] = defaultdict(set)
    for event in wall.street.alerts():
        told[event["id"]].add(json.dumps(event, sort_keys=True))
    return told


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")
def test_a_new_card_begins_with_numbers_that_were_never_given(wall: Wall, tmp_path: Path) -> None:
    """Nothing of the old card is left; whoever took its alerts in must not take the new ones for repeats."""
    with wall.gateway():
        wall.fire("smoke-1-1-1")
    before = {event["id"] for event in wall.street.alerts()}
    epochs = {each.partition(".")[0] for each in before}
    assert epochs != {"1"}
    for file in (tmp_path / "state").iterdir():
        if file.is_file():
            file.unlink()
    later = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+1h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    with wall.street.gateway(environment={**later, **wall.environment}):
        wall.fire("smoke-2-1-1")
    fresh = [event["id"] for event in wall.street.alerts(device="smoke-2-1-1")]
    assert not before & set(fresh)
