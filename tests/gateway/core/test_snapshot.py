"""The snapshot is the fold of all events: the last word on each point, device and bus."""

from drivers.api import Quality
from gateway.core.events import Body, Clock, Event, LinkBody, NoteBody, ReadingBody
from gateway.core.snapshot import DeviceSnapshot, Snapshot


def event(seq: int, body: Body) -> Event:
    return Event(1, seq, float(seq), float(seq), Clock.SYNCED, body)


def test_the_last_reading_of_a_point_stands() -> None:
    snapshot = Snapshot(("smoke-1",))
    snapshot.follow(event(1, ReadingBody("smoke-1", "alarm", False, Quality.GOOD, 1.0)))
    snapshot.follow(event(2, ReadingBody("smoke-1", "alarm", True, Quality.GOOD, 2.0)))
    assert snapshot.devices["smoke-1"].points["alarm"].seq == 2


def test_a_device_is_neither_online_nor_offline_before_it_was_heard() -> None:
    snapshot = Snapshot(("smoke-1",))
    assert snapshot.devices["smoke-1"] == DeviceSnapshot()
    snapshot.follow(event(1, LinkBody("device", "smoke-1", False, "no answer for 3 s")))
    device = snapshot.devices["smoke-1"]
    assert (device.online, device.reason) == (False, "no answer for 3 s")


def test_a_bus_is_remembered_and_strangers_are_not() -> None:
    snapshot = Snapshot(("smoke-1",))
    snapshot.follow(event(1, LinkBody("bus", "riser-a", False, "unplugged")))
    snapshot.follow(event(2, LinkBody("device", "stranger", True, "")))
    snapshot.follow(event(3, ReadingBody("stranger", "alarm", True, Quality.GOOD, 1.0)))
    snapshot.follow(event(4, NoteBody("started", "")))
    assert snapshot.buses["riser-a"].up is False
    assert list(snapshot.devices) == ["smoke-1"]
