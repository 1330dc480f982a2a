"""The caretaker turns what the machine says into alerts that people can do something about, and into figures."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core import health
from gateway.core.board import DAY_S, HOUR_S, Measured
from gateway.core.events import AlertBody, Body, Clock, LinkBody
from gateway.runtime.board import Board
from gateway.services.caretaker import Caretaker
from tests.gateway.street import CLEARED, RAISED, Street
from tests.machine import CARD, FIRMWARE, Pi
from tests.uplink_parts import until


class Wall:
    """A caretaker of a pretend Pi whose events go to real alerting."""

    def __init__(self, folder: Path, *, card_tbw: float = 0.0) -> None:
        self.pi = Pi(folder / "pi", folder)
        self.street = Street()
        self.synced = True
        self.now = 0.0
        self._board = Board(folder, root=self.pi.root)
        self.caretaker = Caretaker(
            self._board.measure,
            name="hxtp-01",
            submit=self._submit,
            synced=lambda: self.synced,
            card_tbw=card_tbw,
        )

    def _submit(self, body: Body) -> None:
        self.street.now = self.now
        self.street.submit(body)

    def wait(self, seconds: float, *, every_s: float = 30.0) -> None:
        """Let time pass with a look twice a minute."""
        end = self.now + seconds
        while self.now <= end:
            self.caretaker.take(self._board.measure(), self.now)
            self.now += every_s

    @property
    def alerts(self) -> dict[str, AlertBody]:
        return {alert.kind: alert for alert in self.street.alerting.alerts()}

    def advice(self) -> list[str]:
        document = health.document(
            health.Identity("hxtp-01", "", "0.1.0", "boot", 1, 0.0),
            clock=Clock.SYNCED if self.synced else Clock.UNSYNCED, uptime_s=1.0, faults=0, buses=[], uplink=None,
            board=self.caretaker.statistics(), journal={}, alerts=[], services={}, now=0.0,
        )  # fmt: skip
        return [each["what"] for each in document["advice"]]


@pytest.fixture
def wall(tmp_path: Path) -> Wall:
    return Wall(tmp_path)


def hot(wall: Wall) -> None:
    wall.pi.write("sys/class/thermal/thermal_zone0/temp", "84100\n")


def weak(wall: Wall) -> None:
    wall.pi.write(FIRMWARE, "50005\n")


def worn(wall: Wall) -> None:
    wall.pi.write(f"{CARD}/device/life_time", "0x0a 0x03\n")


def taken_back(wall: Wall) -> None:
    (wall.pi.root.parent / "update-taken-back").write_text(
        "0.2.0 -> 0.1.0: line a is down\n", encoding="utf-8"
    )


def unset(wall: Wall) -> None:
    wall.synced = False


@pytest.mark.parametrize(
    ("cause", "kind", "what", "severity"),
    [
        (hot, "gateway.hot", "board.hot", "minor"),
        (weak, "gateway.undervoltage", "board.undervoltage", "major"),
        (worn, "gateway.card_worn", "board.card_worn", "major"),
        (taken_back, "gateway.update_taken_back", "board.update_taken_back", "minor"),
        (unset, "gateway.clock_unset", "clock.unset", "minor"),
    ],
)
def test_a_fault_of_the_machine_is_one_alert_and_one_advice(
    wall: Wall, cause: Callable[[Wall], None], kind: str, what: str, severity: str
) -> None:
    wall.wait(600)
    assert wall.alerts == {}
    assert wall.advice() == []
    cause(wall)
    wall.wait(3600)
    assert set(wall.alerts) == {kind}
    assert wall.alerts[kind].severity == severity
    assert "：" in wall.alerts[kind].text.zh
    assert wall.advice()[0] == what


def test_it_is_over_when_the_machine_is_well_again(wall: Wall) -> None:
    hot(wall)
    wall.wait(120)
    assert set(wall.alerts) == {"gateway.hot"}
    assert wall.alerts["gateway.hot"].note == "84 °C"
    wall.pi.write("sys/class/thermal/thermal_zone0/temp", "60000\n")
    wall.wait(600)
    assert wall.street.story == [("gateway.hot", RAISED), ("gateway.hot", CLEARED)]


def test_a_card_that_is_written_to_death_is_told_by_the_endurance_somebody_gave(tmp_path: Path) -> None:
    wall = Wall(tmp_path, card_tbw=30.0)
    sectors = 0
    for _ in range(50):  # two days at 200 GB a day: 30 TB last five months
        wall.wait(HOUR_S, every_s=600.0)
        sectors += int(200e9 / 24 / 512)
        wall.pi.written(sectors)
    assert set(wall.alerts) == {"gateway.card_worn"}
    assert wall.advice() == ["board.card_short"]
    told = wall.caretaker.statistics()
    assert told["card_written_bytes_per_day"] == pytest.approx(200e9 * HOUR_S / (HOUR_S + 600), rel=0.2)
    assert told["card_years"] == pytest.approx(30e12 / told["card_written_bytes_per_day"] / 365.25, rel=0.01)


def test_what_the_machine_does_not_tell_is_left_out(tmp_path: Path) -> None:
    caretaker = Caretaker(Measured, name="hxtp-01", submit=lambda _: None, synced=lambda: True)
    caretaker.take(Measured(rss_bytes=7), 0.0)
    assert caretaker.statistics() == {"rss_bytes": 7}


def test_a_look_that_hangs_holds_up_nothing_and_there_is_no_second(tmp_path: Path) -> None:
    looks: list[int] = []

    async def scenario() -> None:
        import threading

        free = threading.Event()

        def measure() -> Measured:
            looks.append(1)
            free.wait(20)
            return Measured(rss_bytes=5)

        caretaker = Caretaker(measure, name="a", submit=lambda _: None, synced=lambda: True, every_s=0.001)
        task = asyncio.create_task(caretaker.run())
        try:
            await until(lambda: looks)
            for _ in range(50):
                await asyncio.sleep(0)
            assert len(looks) == 1
            free.set()
            await until(lambda: len(looks) > 2)
            assert caretaker.statistics() == {"rss_bytes": 5}
        finally:
            task.cancel()

    asyncio.run(scenario())


def test_an_alert_of_an_earlier_life_is_ended_as_soon_as_all_is_well() -> None:
    told: list[Body] = []
    caretaker = Caretaker(
        Measured, name="a", submit=told.append, synced=lambda: True, wrong=["clock", "power"]
    )
    caretaker.take(Measured(undervoltage=False), 0.0)
    assert told == [LinkBody("clock", "a", up=True, reason="the clock is set")]
    caretaker.take(Measured(undervoltage=False), DAY_S)
    assert [body.what for body in told if isinstance(body, LinkBody)] == ["clock", "power"]
