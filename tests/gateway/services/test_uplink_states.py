"""Which devices' states are told, and when the readings' cursor moves."""

from drivers.api import Quality
from gateway.core.events import Clock, Event, LinkBody, ReadingBody
from gateway.services.uplink.states import States


def reading(seq: int, device: str = "smoke-1") -> Event:
    return Event(1, seq, 0.0, 0.0, Clock.SYNCED, ReadingBody(device, "t", 1.0, Quality.GOOD, 0.0))


def told(states: States, now: float = 0.0) -> list[str]:
    devices = []
    while (device := states.due(now)) is not None:
        states.sent(device, now)
        devices.append(device)
    return devices


def test_a_device_is_told_once_a_batch_however_many_rows_it_has() -> None:
    states = States((1, 0))
    states.begin([reading(1), reading(2, "smoke-2"), reading(3), reading(4)])
    assert told(states) == ["smoke-1", "smoke-2"]
    assert states.thinned == 2


def test_the_cursor_moves_when_the_whole_batch_is_confirmed() -> None:
    states = States((1, 0))
    states.begin([reading(1), reading(2, "smoke-2")])
    told(states)
    states.confirmed("smoke-1")
    assert states.cursor == (1, 0)
    assert states.waiting
    states.confirmed("smoke-2")
    assert states.cursor == (1, 2)
    assert not states.waiting


def test_a_refused_state_is_told_again_later() -> None:
    states = States((1, 0))
    states.begin([reading(1)])
    told(states)
    states.refused("smoke-1", 0.0)
    assert told(states, 29.0) == []
    assert told(states, 30.0) == ["smoke-1"]
    assert states.cursor == (1, 0)


def test_what_was_on_its_way_is_told_again_after_a_lost_connection() -> None:
    states = States((1, 0))
    states.begin([reading(1), reading(2, "smoke-2")])
    told(states)
    states.confirmed("smoke-1")
    states.link_lost()
    assert told(states) == ["smoke-2"]


def test_a_link_event_of_a_device_tells_its_state_and_others_are_passed_over() -> None:
    states = States((1, 0))
    link = LinkBody("device", "door-1", up=False, reason="silent")
    bus = LinkBody("bus", "riser-a", up=False, reason="unplugged")
    states.begin([Event(1, seq, 0.0, 0.0, Clock.SYNCED, body) for seq, body in ((1, link), (2, bus))])
    assert told(states) == ["door-1"]
    states.confirmed("door-1")
    assert states.cursor == (1, 2)


def test_rows_that_concern_no_device_are_passed_at_once() -> None:
    states = States((1, 0))
    states.begin([Event(1, 7, 0.0, 0.0, Clock.SYNCED, LinkBody("uplink", "me", up=True, reason=""))])
    assert states.idle
    assert states.cursor == (1, 7)


def test_a_device_that_is_no_longer_configured_holds_nothing_back() -> None:
    states = States((1, 0))
    states.begin([reading(1)])
    states.unknown("smoke-1")
    assert states.cursor == (1, 1)


def test_a_hint_joins_the_next_batch() -> None:
    states = States((1, 0))
    states.changed("door-1")
    assert states.due(0.0) is None
    states.begin([])
    assert told(states) == ["door-1"]


def test_states_are_told_again_before_they_expire() -> None:
    states = States((1, 0))
    states.begin([reading(1)])
    told(states)
    states.confirmed("smoke-1")
    states.refresh(1_799.0)
    states.begin([])
    assert told(states) == []
    states.refresh(1_800.0)
    states.begin([])
    assert told(states, 1_800.0) == ["smoke-1"]


def test_a_broker_that_forgot_us_is_told_everything_again() -> None:
    states = States((1, 0))
    states.begin([reading(1), reading(2, "smoke-2")])
    for device in told(states):
        states.confirmed(device)
    states.refresh(1.0, every_s=0.0)
    states.begin([])
    assert told(states, 1.0) == ["smoke-1", "smoke-2"]
