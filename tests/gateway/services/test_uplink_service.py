"""The uplink over a broker in memory, in virtual time: weeks without a broker take milliseconds."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.core import payload
from gateway.core.config import MqttTable
from gateway.core.events import (
    BaselineBody,
    Body,
    CommandBody,
    Event,
    LinkBody,
    NoteBody,
    OutcomeBody,
    Severity,
)
from gateway.core.incoming import Incoming
from gateway.runtime.journal.rows import START, Lane, Position
from gateway.services.uplink import Uplink
from gateway.services.uplink.connection import Message
from gateway.services.uplink.session import READINGS_SINK, URGENT_SINK
from tests import virtual
from tests.uplink_parts import (
    GATEWAY,
    DeadCard,
    MemoryBroker,
    MemoryJournal,
    MemoryLink,
    alert_body,
    first_seen_order,
    outcome_body,
    reading_body,
    until,
)

WEEK_S = 7 * 86_400.0


@asynccontextmanager
async def running(
    journal: MemoryJournal, broker: MemoryBroker, *, url: str | list[str] = "mqtt://one", **settings: Any
) -> AsyncIterator[Uplink]:
    table = MqttTable(url=url, confirm=settings.pop("confirm", "broker"))
    wanted: dict[str, Any] = {
        "states": lambda device: payload.state(device, []),
        "health": lambda: b"{}",
        "submit": journal.submit,
        "chance": lambda: 1.0,
    }
    uplink = Uplink(table, GATEWAY, journal=journal, connect=broker.connect, **(wanted | settings))
    task = asyncio.create_task(uplink.run(), name="uplink")
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()


def ids(messages: list[Message]) -> list[str]:
    return [json.loads(message.content)["id"] for message in messages]


def drained(journal: MemoryJournal) -> Callable[[], bool]:
    return lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0


def links(journal: MemoryJournal) -> list[LinkBody]:
    return [event.body for event in journal.events[Lane.READINGS] if isinstance(event.body, LinkBody)]


def test_a_week_without_a_broker_loses_nothing_and_keeps_the_order() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()
    broker.up = False

    async def story() -> list[str]:
        sent = []
        async with running(journal, broker):
            for _hour in range(7 * 24):
                sent += [event.id for event in journal.submit_alerts(6)]
                await asyncio.sleep(3_600)
            assert broker.attempts > WEEK_S / 31, "it never stops trying"
            broker.up = True
            await until(drained(journal), within_s=60)
        return sent

    sent = virtual.run(story())
    assert ids(broker.published()) == sent
    assert len(sent) == 1_008


def test_what_was_confirmed_is_not_sent_again_by_the_next_process() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        journal.submit_alerts(10)
        async with running(journal, broker):
            await until(drained(journal))
        journal.submit_alerts(5)
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    assert ids(broker.published()) == [f"1.{seq}" for seq in range(1, 16)]


def test_the_window_is_never_exceeded() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=20)

    async def story() -> None:
        journal.submit_alerts(1_000)
        for number in range(100):
            journal.submit(reading_body(f"smoke-{number}"))
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    assert broker.links[0].most_flying <= 20


def test_who_takes_a_share_of_the_window_leaves_room_for_an_alert_at_a_broker_that_is_slow() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=20)
    broker.answer = lambda message: MemoryLink.SILENT if message.topic == "devices" else None

    async def story() -> None:
        async with running(journal, broker) as uplink:
            await until(lambda: bool(broker.links))
            sent = 0
            while uplink.publish("devices", b"{}", retain=True, share=0.5):
                sent += 1
            assert 0 < sent <= 10
            journal.submit(alert_body())
            await until(drained(journal))

    virtual.run(story())
    assert len(broker.published()) == 1


def test_a_live_alert_goes_ahead_of_a_backlog_of_readings() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=8)
    seen: list[str] = []

    def answer(message: Message) -> None:
        seen.append(message.topic)
        if len(seen) == 50:
            journal.submit(alert_body())

    broker.answer = answer

    async def story() -> None:
        for number in range(20_000):
            journal.submit(reading_body(f"smoke-{number % 180}", number))
        async with running(journal, broker):
            await until(lambda: journal.depth(READINGS_SINK, Lane.READINGS) == 0)

    virtual.run(story())
    place = seen.index("compound/v1/hxtp-01/alert")
    assert place - 49 <= 5, "no more than what was on its way already"


def test_a_fire_overtakes_a_long_backlog_of_alerts_and_is_not_sent_twice() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=8)
    fires: list[str] = []

    def answer(message: Message) -> None:
        if message.topic.endswith("/alert") and len(broker.published()) == 100:
            fires.append(journal.submit(alert_body(kind="fire.smoke", severity=Severity.CRITICAL)).id)
            journal.submit(alert_body())

    broker.answer = answer

    async def story() -> None:
        journal.submit_alerts(5_000)
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    arrived = ids(broker.published())
    assert arrived.index(fires[0]) < 120
    arrived.remove(fires[0])
    assert arrived == [event.id for event in journal.events[Lane.URGENT] if event.id != fires[0]]


def test_a_fire_that_the_broker_refuses_for_a_moment_waits_for_no_backlog() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=8, delay_s=0.05)
    fires: list[str] = []

    def answer(message: Message) -> str | None:
        if not message.topic.endswith("/alert"):
            return None
        if len(broker.published()) == 100:
            fires.append(journal.submit(alert_body(kind="fire.smoke", severity=Severity.CRITICAL)).id)
        refused = ids([message]) == fires and ids(broker.published()).count(*fires) == 1
        return "Quota exceeded (0x97)" if refused else None

    broker.answer = answer

    async def story() -> None:
        journal.submit_alerts(5_000)
        async with running(journal, broker):
            await until(drained(journal), within_s=60)

    virtual.run(story())
    arrived = ids(broker.published())
    tries = [place for place, each in enumerate(arrived) if each == fires[0]]
    assert len(tries) == 2
    assert tries[1] < 150


def test_fires_of_the_time_without_a_broker_go_up_first_and_in_order() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=20)
    fires = []

    async def story() -> None:
        for number in range(6_000):
            fire = number % 3 == 2
            severity = Severity.CRITICAL if fire else Severity.MINOR
            event = journal.submit(alert_body(number, severity=severity))
            fires.extend([event.id] * fire)
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    arrived = ids(broker.published())
    assert len(arrived) == 6_000, "each once"
    assert [one for one in arrived if one in set(fires)] == fires
    assert [one for one in arrived if one not in set(fires)] == [
        event.id for event in journal.events[Lane.URGENT] if event.id not in set(fires)
    ]
    assert sum(one in set(fires) for one in arrived[:1_200]) > 900


def test_a_backlog_of_nothing_but_fires_goes_up_in_order() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=20)

    async def story() -> None:
        for number in range(5_000):
            journal.submit(alert_body(number, severity=Severity.CRITICAL))
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    assert ids(broker.published()) == [event.id for event in journal.events[Lane.URGENT]]


def test_nothing_is_overtaken_without_a_long_backlog() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=8)

    async def story() -> None:
        journal.submit_alerts(500)
        async with running(journal, broker):
            await until(lambda: len(broker.published()) > 20)
            journal.submit(alert_body(kind="fire.smoke", severity=Severity.CRITICAL))
            await until(drained(journal))

    virtual.run(story())
    assert ids(broker.published()) == [event.id for event in journal.events[Lane.URGENT]]


@pytest.mark.parametrize("window", [1, 2, 3])
def test_a_broker_with_a_tiny_window_is_served_too(window: int) -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=window)

    async def story() -> None:
        sent = journal.submit_alerts(50)
        journal.submit(reading_body("smoke-1"))
        async with running(journal, broker):
            await until(drained(journal))
            await until(lambda: journal.depth(READINGS_SINK, Lane.READINGS) == 0)
            assert ids(broker.published()) == [event.id for event in sent]
        assert broker.links[0].most_flying <= window + 1, "the greeting comes before everything"

    virtual.run(story())


def test_readings_wait_while_alerts_are_at_hand() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(window=10)

    async def story() -> None:
        journal.submit(reading_body("smoke-1"))
        journal.submit_alerts(500)
        async with running(journal, broker):
            await until(lambda: broker.published("/state/smoke-1"))

    virtual.run(story())
    topics = [message.topic for message in broker.links[0].published]
    assert topics.index("compound/v1/hxtp-01/state/smoke-1") > 490


def test_rows_that_stay_at_home_are_passed_over() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        journal.submit(NoteBody("started", "version 1"))
        journal.submit(CommandBody("c1", "door-1", "unlock", {}, "console"))
        journal.submit(BaselineBody("lid-1", "roll", 1.0, "console"))
        journal.submit(OutcomeBody("order-0", "flat-302", "away", "done", "away for 3 days", "console"))
        journal.submit(outcome_body())
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    assert [message.topic for message in broker.published("")][1:3] == [
        "compound/v1/hxtp-01/outcome",
        "compound/v1/hxtp-01/health",
    ]


def test_a_lost_acknowledgement_makes_a_duplicate_with_the_same_id_and_bytes() -> None:
    journal, broker = MemoryJournal(), MemoryBroker(lambda _message: MemoryLink.SILENT)

    async def story() -> None:
        journal.submit_alerts(3)
        async with running(journal, broker):
            await until(lambda: len(broker.published()) == 3)
            broker.answer = lambda _message: None
            broker.links[0].drop("the cable")
            await until(drained(journal))

    virtual.run(story())
    first, second = broker.published()[:3], broker.published()[3:]
    assert [message.content for message in first] == [message.content for message in second]


def test_one_refused_message_holds_up_no_other() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()
    broker.answer = lambda message: "Not authorized (0x87)" if message.topic.endswith("/outcome") else None

    async def story() -> None:
        journal.submit(outcome_body())
        sent = journal.submit_alerts(50)
        async with running(journal, broker) as uplink:
            await until(lambda: len(broker.published()) == 50)
            assert ids(broker.published()) == [event.id for event in sent]
            assert journal.cursor(URGENT_SINK) == (0, 0)
            assert uplink.statistics().trouble == "the broker refuses outcome: Not authorized (0x87)"
            broker.answer = lambda _message: None
            await until(drained(journal), within_s=40)
            assert uplink.statistics().refused >= 1
            assert uplink.statistics().trouble == "", "it has been taken since"

    virtual.run(story())


@pytest.mark.parametrize("what", ["health", "availability", "state/thermo"])
def test_what_was_refused_is_trouble_until_it_is_taken_and_no_longer(what: str) -> None:
    journal, broker = MemoryJournal(), MemoryBroker()
    broker.answer = lambda message: "no" if message.topic.endswith(what) else None

    async def story() -> None:
        journal.submit(reading_body("thermo"))
        async with running(journal, broker) as uplink:
            await until(lambda: uplink.statistics().refused)
            journal.submit_alerts(3)
            await until(drained(journal))
            assert uplink.statistics().trouble.endswith(": no"), "what else is taken says nothing of it"
            broker.answer = lambda _message: None
            broker.cut()
            broker.up = True
            await asyncio.sleep(120)
            assert uplink.statistics().trouble == ""

    virtual.run(story())


def test_half_a_minute_without_confirmation_is_told_once_and_so_is_the_end_of_it() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker):
            await until(lambda: broker.links)
            broker.cut()
            journal.submit(alert_body())
            await asyncio.sleep(28)
            assert links(journal) == []
            await asyncio.sleep(4)
            down = LinkBody("uplink", GATEWAY, up=False, reason="connect: mqtt://one (refused)")
            assert links(journal) == [down]
            await asyncio.sleep(7_200)
            assert links(journal) == [down]
            broker.up = True
            await until(lambda: len(links(journal)) == 2, within_s=40)
            assert links(journal)[1].up

    virtual.run(story())


class RefusedJournal(MemoryJournal):
    """Readings wait for a disk that refuses: they are there, and offered to nobody."""

    def has(self, lane: Lane, after: Position) -> bool:
        return lane is not Lane.READINGS and super().has(lane, after)


@pytest.mark.parametrize("confirm", ["broker", "desk"])
def test_one_message_that_is_refused_for_ever_is_told_once_and_not_every_half_minute(confirm: str) -> None:
    """The alert that says so is taken like any other, and with it the trouble is over: upstream hears us."""
    journal, broker = MemoryJournal(), MemoryBroker()

    def answer(message: Message) -> str | None:
        if message.topic.endswith("/outcome"):
            return "Not authorized (0x87)"
        asyncio.get_running_loop().call_soon(broker.receive, b'{"epoch": 1, "stored": [[2, 99]]}')
        return None

    def submit(body: Body) -> Event:
        event = journal.submit(body)
        if isinstance(body, LinkBody):
            journal.submit(alert_body(kind="uplink.down"))
        return event

    async def story() -> None:
        broker.answer = answer
        journal.submit(outcome_body())
        async with running(journal, broker, confirm=confirm, submit=submit) as uplink:
            await asyncio.sleep(3_600)
            assert [body.up for body in links(journal)] == [False, True]
            assert "refuses outcome" in uplink.statistics().trouble, "status goes on saying so"
            broker.cut()
            await asyncio.sleep(40)
            assert [body.up for body in links(journal)] == [False, True, False], "now nothing is heard"

    virtual.run(story())


def test_readings_that_wait_for_the_disk_are_no_trouble_of_the_uplink() -> None:
    journal, broker = RefusedJournal(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker):
            await until(lambda: broker.links)
            journal.submit(reading_body("smoke-1"))
            await asyncio.sleep(600)
            assert journal.depth(READINGS_SINK, Lane.READINGS) == 1
            assert links(journal) == []
            journal.submit_alerts(3)
            await until(drained(journal))

    virtual.run(story())


@pytest.mark.parametrize(
    ("confirm", "answer", "reason"),
    [
        ("broker", MemoryLink.SILENT, "the broker acknowledges nothing"),
        ("broker", "Quota exceeded (0x97)", "the broker refuses alert: Quota exceeded (0x97)"),
        ("desk", None, "the desk sends no receipts"),
    ],
)
def test_the_reason_is_told_in_words(confirm: str, answer: str | None, reason: str) -> None:
    journal = MemoryJournal()
    broker = MemoryBroker(lambda message: answer if message.topic.endswith("/alert") else None)

    async def story() -> None:
        journal.submit(alert_body())
        async with running(journal, broker, confirm=confirm):
            await until(lambda: links(journal), within_s=40)

    virtual.run(story())
    assert links(journal)[0].reason == reason


def test_silence_is_no_trouble_when_nothing_waits() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()
    broker.up = False

    async def story() -> None:
        async with running(journal, broker):
            await asyncio.sleep(3_600)

    virtual.run(story())
    assert links(journal) == []


def test_with_a_desk_that_is_away_new_alerts_still_go_out_at_once() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker, confirm="desk") as uplink:
            for hour in range(1, 25):
                sent = journal.submit_alerts(50)
                await asyncio.sleep(1.0)
                assert {event.id for event in sent} <= set(ids(broker.published())), f"hour {hour}"
                await asyncio.sleep(3_599.0)
            assert uplink.statistics().waiting == 24 * 50
            assert uplink.statistics().resent < 24 * 50 * 3
            journal_cursor = journal.cursor(URGENT_SINK)
            broker.receive(b'{"epoch": 1, "stored": [[1, 9999999]]}')
            await until(drained(journal))
            assert journal_cursor < journal.cursor(URGENT_SINK)

    virtual.run(story())
    assert first_seen_order(ids(broker.published())) == [event.id for event in journal.events[Lane.URGENT]]


class SlowCard(MemoryJournal):
    """A journal of which something happens while one row is read again."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    async def rows(self, lane: Lane, after: Position, limit: int) -> list[Event]:
        """Return rows, slowly."""
        found = await super().rows(lane, after, limit)
        if limit == 1:
            self.meanwhile()
        return found


def test_a_receipt_that_comes_while_its_row_is_read_again_confirms_it_and_the_next_alert_is_safe() -> None:
    """Sent after its receipt it would be taken for new: the cursor went back, and the next alert could be lost."""
    journal, broker = SlowCard(), MemoryBroker()
    journal.meanwhile = lambda: broker.receive(b'{"epoch": 1, "stored": [[1, 3]]}')

    async def story() -> None:
        async with running(journal, broker, confirm="desk") as uplink:
            journal.submit_alerts(3)
            await until(drained(journal))
            assert uplink.statistics().resent == 0
            journal.submit(alert_body(9))  # the desk loses it: it is sent again and again
            await until(lambda: ids(broker.published())[3:] == ["1.4", "1.4"])
            assert journal.cursor(URGENT_SINK) == (1, 3)

    virtual.run(story())


def test_an_alert_goes_out_while_an_older_one_cannot_be_read_again_from_a_dead_card() -> None:
    journal, broker = DeadCard(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker, confirm="desk"):
            journal.submit(alert_body())
            await asyncio.sleep(10)  # no receipt: it is to be sent again
            fire = journal.submit(alert_body(2, kind="fire.smoke", severity=Severity.CRITICAL))
            await until(lambda: fire.id in ids(broker.published()), within_s=1)

    virtual.run(story())


def test_what_was_refused_goes_up_again_while_an_older_row_cannot_be_read_from_a_dead_card() -> None:
    class HalfDead(MemoryJournal):
        async def rows(self, lane: Lane, after: Position, limit: int) -> list[Event]:
            if limit == 1 and after == START:  # the first row is on the card alone
                await asyncio.get_running_loop().create_future()
            return await super().rows(lane, after, limit)

    journal, broker = HalfDead(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker, confirm="desk"):
            broker.answer = lambda message: "Quota exceeded" if message.topic.endswith("/alert") else None
            old, fire = journal.submit(alert_body()), journal.submit(alert_body(2, kind="fire.smoke"))
            await until(lambda: {old.id, fire.id} <= set(ids(broker.published())))
            broker.answer = lambda _message: None
            journal.submit(alert_body(3))
            await until(lambda: ids(broker.published()).count(fire.id) > 1, within_s=20)

    virtual.run(story())


def test_a_receipt_that_comes_before_anything_was_sent_is_no_harm() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker, confirm="desk") as uplink:
            await until(lambda: broker.links)
            broker.receive(b'{"epoch": 1, "stored": [[1, 9]]}')
            broker.receive(b"nonsense")
            journal.submit(alert_body())
            await until(broker.published)
            assert uplink.statistics().receipts_ignored == 1
            assert journal.depth(URGENT_SINK, Lane.URGENT) == 1

    virtual.run(story())


def test_the_second_broker_serves_until_the_first_is_back() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()
    broker.away = {"mqtt://one"}

    async def story() -> None:
        async with running(journal, broker, url=["mqtt://one", "mqtt://two"]) as uplink:
            await until(lambda: uplink.statistics().broker == "mqtt://two")
            await asyncio.sleep(3_600)
            assert uplink.statistics().broker == "mqtt://two"
            assert uplink.statistics().connections == 1, "it was never left while the first was away"
            broker.away = set()
            await asyncio.sleep(610)
            assert uplink.statistics().broker == "mqtt://one"
            journal.submit_alerts(3)
            await until(drained(journal))
        assert broker.links[0].published[-1].content == b"offline"
        assert len(broker.links[1].published) >= 4

    virtual.run(story())


def test_the_first_try_after_a_good_connection_comes_quickly() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> float:
        clock = asyncio.get_running_loop().time
        async with running(journal, broker) as uplink:
            await asyncio.sleep(60)
            broker.links[0].drop("the cable")
            await asyncio.sleep(0.01)
            began = clock()
            await until(lambda: uplink.statistics().connected)
            return clock() - began

    assert virtual.run(story()) <= 0.6


def test_health_goes_up_every_minute_and_soon_after_a_change() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker) as uplink:
            await asyncio.sleep(601)
            assert len(broker.published("/health")) == 11
            for _ in range(100):
                uplink.health_changed()
                await asyncio.sleep(0.1)
            assert 12 <= len(broker.published("/health")) <= 14

    virtual.run(story())
    assert all(message.retain and message.expiry_s for message in broker.published("/health"))


def test_states_are_refreshed_before_they_expire() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        journal.submit(reading_body("smoke-1"))
        async with running(journal, broker):
            await asyncio.sleep(3 * 3_600)

    virtual.run(story())
    states = broker.published("/state/smoke-1")
    assert 6 <= len(states) <= 7
    assert all(message.expiry_s == 3_600 for message in states)


def test_a_hint_tells_a_state_without_a_row() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        async with running(journal, broker) as uplink:
            uplink.device_changed("door-1")
            await until(lambda: broker.published("/state/door-1"))

    virtual.run(story())


def test_named_points_are_passed_in_order() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()
    points: list[str] = []

    async def story() -> None:
        journal.submit(alert_body())
        async with running(journal, broker, probe=points.append):
            await until(drained(journal))

    virtual.run(story())
    assert points == [
        "uplink.before_publish",
        "uplink.after_publish",
        "uplink.before_acknowledgement",
        "uplink.before_cursor",
        "uplink.after_cursor",
        "uplink.after_acknowledgement",
    ]


def test_no_alert_ever_expires_and_none_is_retained() -> None:
    journal, broker = MemoryJournal(), MemoryBroker()

    async def story() -> None:
        journal.submit_alerts(3)
        async with running(journal, broker):
            await until(drained(journal))

    virtual.run(story())
    assert all(not message.retain and message.expiry_s is None for message in broker.published())


# --- orders from afar -----------------------------------------------------------------------------


class Ear:
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.messages: list[Incoming] = []
        self.greeted = 0

    def heard(self, message: Incoming) -> None:
        self.messages.append(message)

    def greet(self) -> None:
        self.greeted += 1


def test_orders_go_to_who_takes_them_and_receipts_do_not() -> None:
    journal, broker, ear = MemoryJournal(), MemoryBroker(), Ear()

    async def story() -> None:
        async with running(journal, broker, remote=ear, confirm="desk") as uplink:
            await until(lambda: broker.links)
            broker.receive(b"order", "command")
            broker.receive(b"nonsense", "receipt")
            broker.receive(b"whatever", "elsewhere")
            assert [message.content for message in ear.messages] == [b"order"]
            assert uplink.statistics().receipts_ignored == 1
            broker.links[-1].drop("cut")
            await until(lambda: ear.greeted == 2)

    virtual.run(story())


def test_what_is_no_row_is_sent_now_or_not_at_all() -> None:
    journal = MemoryJournal()
    broker = MemoryBroker(lambda message: MemoryLink.SILENT if message.topic == "held" else None, window=2)

    async def story() -> None:
        async with running(journal, broker) as uplink:
            assert not uplink.publish("early", b"")
            await until(lambda: uplink.statistics().connected and not uplink.statistics().flying)
            assert uplink.publish("held", b"1", retain=True, expiry_s=60)
            assert uplink.publish("held", b"2", correlation=b"x")
            assert not uplink.publish("held", b"3"), "never more than the broker takes at once"

    virtual.run(story())
    first, second = broker.published("held")
    assert (first.retain, first.expiry_s, first.correlation) == (True, 60, None)
    assert (second.retain, second.correlation) == (False, b"x")


def test_an_answer_nobody_waits_for_is_no_trouble_and_a_refused_nonce_is() -> None:
    journal = MemoryJournal()
    broker = MemoryBroker(lambda message: "no" if message.topic in {"answer", "nonce"} else None)

    async def story() -> None:
        async with running(journal, broker) as uplink:
            await until(lambda: uplink.statistics().connected)
            uplink.publish("answer", b"")
            await asyncio.sleep(1)
            assert uplink.statistics().refused == 0
            uplink.publish("nonce", b"", retain=True)
            await asyncio.sleep(1)
            assert uplink.statistics().trouble == "the broker refuses nonce: no"
            broker.answer = lambda _message: None
            uplink.publish("nonce", b"", retain=True)
            await asyncio.sleep(1)
            assert uplink.statistics().trouble == ""

    virtual.run(story())
