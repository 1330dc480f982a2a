"""Upkeep as a service: what a unit says of itself, what people tell of swaps and checks, and what is refused."""

import asyncio
import contextlib
from typing import Any

import pytest

from drivers.api import Identified
from gateway.core import kinds
from gateway.core.config import BusTable, DeviceTable
from gateway.core.events import Body, Clock, Event, Place, RoundBody
from gateway.core.policy import PolicyError
from gateway.core.rules import Watched
from gateway.core.upkeep_bodies import CheckedBody, UnitBody
from gateway.services.upkeep import Upkeep
from tests import virtual


class Desk:
    """The service with its own events fed back to it."""

    def __init__(self) -> None:
        device = DeviceTable(name="tilt-1", profile="witmotion-wt901c485", address=80, serial="A-1")
        self.told: list[Body] = []
        self.upkeep = Upkeep(
            [BusTable(name="yard", port="/dev/x", device=[device])],
            {"tilt-1": Watched("tilt-1", profile="witmotion-wt901c485")},
            kinds.built_in(),
            lines=lambda: (),
            submit=self._submit,
        )

    def _submit(self, body: Body) -> None:
        self.told.append(body)
        seq = len(self.told)
        self.upkeep.follow(Event(1, seq, 1_800_000_000.0 + seq, float(seq), Clock.SYNCED, body))

    def ask(self, operation: str, **request: Any) -> Any:
        return asyncio.run(self.upkeep.operations[operation]({"origin": "local:维保", **request}))

    def row(self) -> dict[str, Any]:
        (row,) = self.upkeep.rows()
        return row


@pytest.mark.parametrize(("ahead_s", "ends"), [(9 * 365 * 86_400.0, True), (600.0, False)])
def test_a_test_round_that_began_by_a_clock_that_was_ahead_does_not_last_for_years(
    ahead_s: float, ends: bool
) -> None:
    """Found at a start by the right time: whatever alarms in it would count as tested."""
    now, told = 1_800_000_000.0, list[Body]()
    standing = RoundBody("1", True, "local:维保", Place(), now + ahead_s)

    def submit(body: Body) -> None:
        told.append(body)
        upkeep.follow(Event(1, 2, now, 1.0, Clock.SYNCED, body))

    upkeep = Upkeep(
        [], {}, kinds.built_in(), lines=lambda: (), submit=submit, wall=lambda: now,
        restore=[Event(1, 1, now + ahead_s, 0.0, Clock.SYNCED, standing)],
    )  # fmt: skip

    async def main() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60.0):
                await upkeep.run()

    virtual.run(main())
    assert [body.begun for body in told if isinstance(body, RoundBody)] == ([False] if ends else [])


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_a_unit_says_of_itself_is_in_the_inventory(desk: Desk) -> None:
    assert (desk.row()["serial"], desk.row()["firmware"]) == ("A-1", ""), "what the file says"
    desk.upkeep.identified(Identified("tilt-1", "serial", "5744", 1.0))
    desk.upkeep.identified(Identified("tilt-1", "firmware", "23", 1.0))
    desk.upkeep.identified(Identified("tilt-1", "serial", "5744", 2.0))
    assert (desk.row()["serial"], desk.row()["firmware"], desk.row()["swaps"]) == ("5744", "23", [])
    assert len(desk.told) == 2, "a day on which nothing is new writes nothing"


def test_a_unit_that_was_swapped_and_nobody_said_so_is_noticed_and_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.upkeep.identified(Identified("tilt-1", "serial", "5744", 1.0))
    desk.upkeep.identified(Identified("tilt-1", "serial", "9999", 2.0))
    assert "tilt-1: unit 9999 hangs there now, not 5744" in caplog.text
    (swap,) = desk.row()["swaps"]
    assert (swap["before"], swap["after"], swap["by"]) == ("5744", "9999", "")


def test_a_person_tells_of_a_swap_with_the_number_of_the_file_as_the_old_one(desk: Desk) -> None:
    assert desk.ask("unit_replaced", device="tilt-1", serial=" B-2 ") == {"before": "A-1"}
    assert desk.told == [UnitBody("tilt-1", "B-2", replaced=True, before="A-1", by="local:维保")]
    assert desk.row()["serial"] == "B-2"


def test_a_round_that_was_done_is_told_with_who_and_a_note(desk: Desk) -> None:
    desk.ask("task_done", task="quarter_panel", note="两次")
    assert desk.told == [CheckedBody("quarter_panel", "local:维保", "两次")]
    assert desk.ask("upkeep")["done"]["quarter_panel"]["by"] == "local:维保"


@pytest.mark.parametrize(
    ("operation", "request_", "told"),
    [
        ("unit_replaced", {"device": "tilt-2"}, "there is no device 'tilt-2'"),
        ("unit_replaced", {"device": "tilt-1", "serial": "x" * 121}, "serial is no line of text"),
        ("unit_replaced", {"device": "tilt-1", "serial": "a\nb"}, "serial is no line of text"),
        ("unit_replaced", {"device": ["tilt-1"]}, "device is no line of text"),
        ("task_done", {"task": "life"}, "the calendar has no task 'life'"),
        ("task_done", {}, "the calendar has no task ''"),
        ("task_done", {"task": "quarter_panel", "note": 7}, "note is no line of text"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    desk: Desk, operation: str, request_: dict[str, Any], told: str
) -> None:
    with pytest.raises(PolicyError, match=told):
        desk.ask(operation, **request_)
    assert desk.told == []
