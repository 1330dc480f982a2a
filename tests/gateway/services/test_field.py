"""The field turns what drivers report into events, over a simulated line in virtual time."""

import asyncio

import pytest

from drivers import profile
from drivers.api import Device, DeviceReport, LateError, LineReport, LineSettings, Presented, Quality, Reading
from drivers.figures import LineStatistics
from drivers.modbus.driver import ModbusDriver
from gateway.core.events import Body, Clock, Event, LinkBody, ReadingBody
from gateway.services.field import Field, LinePulse, body_of

LINE = LineSettings("riser-a", "/dev/nowhere")


def make_field(told: list[Body]) -> Field:
    def submit(body: Body) -> Event:
        told.append(body)
        return Event(1, len(told), 0.0, 0.0, Clock.SYNCED, body)

    door = Device("door-1", profile.load("waveshare-door"), 1)
    return Field([(LINE, [door]), (LineSettings("empty", "/dev/none"), [])], submit=submit)


def test_each_report_becomes_an_event_with_nothing_left_out() -> None:
    reading = Reading("smoke-1", "smoke", 121.0, Quality.GOOD, 5.0, "ppm")
    assert body_of(reading) == ReadingBody("smoke-1", "smoke", 121.0, Quality.GOOD, 5.0, "ppm")
    assert body_of(DeviceReport("smoke-1", False, "no answer", 5.0)) == LinkBody(
        "device", "smoke-1", False, "no answer"
    )
    assert body_of(LineReport("riser-a", False, "unplugged", 5.0)) == LinkBody(
        "bus", "riser-a", False, "unplugged"
    )


def test_a_reading_and_its_event_have_the_same_fields_in_the_same_order() -> None:
    """One is made of the other as it stands, hundreds a second."""
    assert Reading._fields == ReadingBody.__struct_fields__


def test_a_card_goes_to_whoever_decides_and_never_becomes_an_event() -> None:
    told: list[Body] = []
    seen: list[Presented] = []
    field = Field([], submit=lambda body: pytest.fail(f"told: {body}"), presented=seen.append)
    card = Presented("reader-1", "card", 26, b"\x12\x34\x56\x78", 5.0)
    field._report(card)
    assert (seen, told) == ([card], [])
    assert "data" not in repr(card)


def test_a_line_without_devices_is_left_alone() -> None:
    field = make_field([])
    assert list(field.drivers) == ["riser-a"]
    assert [line.line for line in field.statistics()] == ["riser-a"]


def test_it_knows_what_a_device_can_do() -> None:
    field = make_field([])
    assert "unlock" in [action.name for action in field.actions("door-1")]
    with pytest.raises(KeyError):
        field.actions("door-9")


def test_an_action_on_a_line_that_is_not_open_is_late_not_lost() -> None:
    async def main() -> None:
        clock = asyncio.get_running_loop().time
        field = make_field([])
        with pytest.raises(LateError):
            await field.act("door-1", "unlock", {"seconds": 1.0}, clock() + 0.05)

    asyncio.run(main())


class Sending(ModbusDriver):
    """A driver that only says how far it got."""

    def __init__(self) -> None:
        self.up, self.polls = False, 0

    def statistics(self) -> LineStatistics:
        return LineStatistics("riser-a", self.up, 0.0, self.polls, 0, 0, None, ())


def test_the_pulse_of_a_line_goes_while_it_sends_and_while_it_waits_for_its_port() -> None:
    driver = Sending()
    pulse = LinePulse(driver, [Device("door-1", profile.load("waveshare-door"), 1)])
    assert pulse(10.0) == 10.0  # not open yet
    driver.up, driver.polls = True, 1
    assert pulse(20.0) == 20.0
    assert pulse(30.0) == 20.0  # up, and nothing was sent since
    driver.polls = 2
    assert pulse(40.0) == 40.0
    driver.up = False
    assert pulse(50.0) == 50.0
    assert pulse.patience_s > 150.0
