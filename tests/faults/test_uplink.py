"""Faults between the gateway and whoever listens: silent links, frozen brokers, lost acknowledgements, restarts."""

import asyncio
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.config import MqttTable
from gateway.core.events import AlertBody, Clock, Event
from gateway.runtime.journal import Journal, Lane
from gateway.runtime.loop import run
from gateway.runtime.stream import Stamp, Stream
from gateway.services.uplink import Uplink
from gateway.services.uplink.session import URGENT_SINK
from tests.broker import Mosquitto, listener, mosquitto, needs_mosquitto
from tests.proxy import Proxy
from tests.uplink_parts import (
    GATEWAY,
    MORNING,
    MemoryJournal,
    alert_body,
    first_seen_order,
    reading_body,
    until,
)

pytestmark = needs_mosquitto

ROOT = Path(__file__).parent.parent.parent
NOTICED_S = 5.0


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as broker:
        yield broker


@asynccontextmanager
async def running(journal: MemoryJournal, port: int) -> AsyncIterator[Uplink]:
    uplink = Uplink(
        MqttTable(url=f"mqtt://127.0.0.1:{port}"),
        GATEWAY,
        journal=journal,
        states=lambda _device: None,
        health=lambda: b"{}",
        submit=journal.submit,
    )
    task = asyncio.create_task(uplink.run(), name="uplink")
    try:
        yield uplink
    finally:
        task.cancel()
        await asyncio.wait([task])


def _namespaces() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip", "iptables"))):
        return False
    attempt = "ip link set lo up && iptables -w -L -n"
    return (
        subprocess.run(["unshare", "-n", "sh", "-c", attempt], capture_output=True, check=False).returncode
        == 0
    )


def test_a_half_open_link_is_noticed_within_five_seconds() -> None:
    """Every packet is dropped in silence, both ways, with an alert in flight and on an idle line."""
    if not _namespaces():
        pytest.skip("needs root, unshare, ip and iptables")
    command = ["unshare", "-n", sys.executable, "-m", "tests.faults.half_open"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    found = json.loads(done.stdout)
    assert found["in_flight"] < NOTICED_S
    assert found["idle"] < NOTICED_S


def test_a_path_that_swallows_everything_is_left_within_five_seconds(broker: Mosquitto) -> None:
    """TCP is well, but nobody reads: only the missing acknowledgement shows it."""
    journal = MemoryJournal()

    async def story() -> None:
        async with Proxy(broker.port) as proxy, running(journal, proxy.port) as uplink:
            await until(lambda: uplink.statistics().connected and uplink.statistics().flying == 0)
            clock = asyncio.get_running_loop().time
            proxy.freeze()
            began = clock()
            event = journal.submit(alert_body())
            await until(lambda: not uplink.statistics().connected)
            assert clock() - began < NOTICED_S
            proxy.thaw()
            await until(lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0)
            assert event.id in {json.loads(heard.content)["id"] for heard in ears.heard}

    with listener(broker.port, "compound/v1/+/alert") as ears:
        run(story())


def test_a_frozen_broker_gets_everything_when_it_wakes(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        async with running(journal, broker.port) as uplink:
            await until(lambda: uplink.statistics().connected)
            os.kill(broker.pid, signal.SIGSTOP)
            sent = journal.submit_alerts(50)
            await until(lambda: not uplink.statistics().connected)
            os.kill(broker.pid, signal.SIGCONT)
            await until(lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0, within_s=40)
            await until(lambda: len({heard.content for heard in ears.heard}) == 50)
            arrived = first_seen_order([json.loads(heard.content)["id"] for heard in ears.heard])
            assert arrived == [event.id for event in sent]

    with listener(broker.port, "compound/v1/+/alert") as ears:
        run(story())


def test_a_broker_that_takes_two_seconds_to_answer_is_kept_and_gets_everything_once(
    broker: Mosquitto,
) -> None:
    """Slow is not dead: whoever left it would send all of it again, and make a slow link slower."""
    journal = MemoryJournal()

    async def story() -> None:
        async with Proxy(broker.port) as proxy, running(journal, proxy.port) as uplink:
            await until(lambda: uplink.statistics().connected and uplink.statistics().flying == 0)
            proxy.late_s = 2.0
            sent = journal.submit_alerts(250)
            await until(lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0, within_s=40)
            assert proxy.connections == 1
            assert [json.loads(heard.content)["id"] for heard in ears.heard] == [event.id for event in sent]

    with listener(broker.port, "compound/v1/+/alert") as ears:
        run(story())


def test_lost_acknowledgements_make_duplicates_of_the_same_id_and_bytes(broker: Mosquitto) -> None:
    """The broker has the alert, its PUBACK is lost with the connection: it goes out again as it was."""
    journal = MemoryJournal()

    async def story() -> None:
        async with Proxy(broker.port) as proxy, running(journal, proxy.port) as uplink:
            await until(lambda: uplink.statistics().connected and uplink.statistics().flying == 0)
            proxy.edit = lambda _data: b""
            sent = journal.submit_alerts(10)
            await until(lambda: len(ears.heard) == 10)
            proxy.edit = lambda data: data
            await until(lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0)
            await until(lambda: len(ears.heard) == 20)
            assert [json.loads(heard.content)["id"] for heard in ears.heard] == [
                event.id for event in sent
            ] * 2
            assert len({heard.content for heard in ears.heard}) == 10

    with listener(broker.port, "compound/v1/+/alert") as ears:
        run(story())


def test_an_alert_that_the_broker_passed_over_goes_out_again_however_busy_the_line_is(
    broker: Mosquitto,
) -> None:
    """Brokers that limit what they take drop a message without a word, and acknowledge all that comes after it."""
    journal = MemoryJournal()

    async def story() -> None:
        async with Proxy(broker.port) as proxy, running(journal, proxy.port) as uplink:

            def swallow(data: bytes) -> bytes:
                proxy.edit = lambda later: later
                return b""

            await until(lambda: uplink.statistics().connected and uplink.statistics().flying == 0)
            proxy.edit = swallow
            journal.submit(alert_body())
            await until(lambda: ears.heard)
            busy = f"compound/v1/{GATEWAY}/nonce"
            await until(lambda: uplink.publish(busy, b"{}") and journal.depth(URGENT_SINK, Lane.URGENT) == 0)
            assert len({heard.content for heard in ears.heard}) == 1

    with listener(broker.port, "compound/v1/+/alert") as ears:
        run(story())


@pytest.mark.parametrize(
    "garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\xff\xff\xff\xff\x7f", b"\x20\x02\x00"]
)
def test_a_peer_that_is_no_broker_is_turned_from_and_tried_again(broker: Mosquitto, garbage: bytes) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        async with (
            Proxy(broker.port, answer=lambda _hello: garbage) as liar,
            running(journal, liar.port) as uplink,
        ):
            await until(lambda: liar.connections >= 4)
            assert not uplink.statistics().connected
            assert "connect:" in uplink.statistics().trouble

    run(story())


def test_garbage_in_mid_flow_ends_the_connection_and_nothing_else(broker: Mosquitto) -> None:
    journal = MemoryJournal()

    async def story() -> None:
        async with Proxy(broker.port) as proxy, running(journal, proxy.port) as uplink:
            await until(lambda: uplink.statistics().connected)
            proxy.edit = lambda data: b"\xff" * len(data)
            journal.submit_alerts(10)
            await until(lambda: proxy.connections >= 2)
            proxy.edit = lambda data: data
            await until(lambda: journal.depth(URGENT_SINK, Lane.URGENT) == 0)

    with listener(broker.port, "compound/v1/+/alert"):
        run(story())


class Store:
    """A real journal behind a real stream."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.stream = Stream(
            epoch=journal.epoch,
            last_seq=journal.last_seq,
            last_alert_seq=journal.last_alert_seq,
            now=lambda: Stamp(MORNING, 0.0, Clock.SYNCED),
        )
        self.stream.follow("journal", journal.append)

    def submit_alerts(self, count: int) -> list[Event]:
        return [self.stream.submit(alert_body(number)) for number in range(count)]

    def drained(self) -> bool:
        return self.journal.depth(URGENT_SINK, Lane.URGENT) == 0


@asynccontextmanager
async def gateway(path: Path, url: str) -> AsyncIterator[Store]:
    """Run a journal and an uplink as the daemon does."""
    journal = await Journal.open(path / "journal.db")
    store = Store(journal)
    uplink = Uplink(
        MqttTable(url=url),
        GATEWAY,
        journal=journal,
        states=lambda _device: b"{}",
        health=lambda: b"{}",
        submit=store.stream.submit,
    )
    tasks = [
        asyncio.create_task(journal.run(), name="journal"),
        asyncio.create_task(uplink.run(), name="uplink"),
    ]
    try:
        yield store
    finally:
        for task in reversed(tasks):
            task.cancel()
            await asyncio.wait([task])


def test_the_real_journal_is_drained_in_order_and_only_once_over_restarts(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async def story() -> list[str]:
        sent: list[Event] = []
        async with gateway(tmp_path, "mqtt://127.0.0.1:1") as store:
            sent += store.submit_alerts(500)
            for number in range(300):
                store.stream.submit(reading_body(f"smoke-{number % 9}", number))
        for _ in range(3):
            async with gateway(tmp_path, broker.url) as store:
                sent += store.submit_alerts(100)
                await until(store.drained)
        return [event.id for event in sent if isinstance(event.body, AlertBody)]

    with listener(broker.port, "compound/v1/+/alert") as ears:
        sent = run(story())
        arrived = [json.loads(heard.content) for heard in ears.heard]
    assert [event["id"] for event in arrived] == sent
    for before, after in itertools.pairwise(arrived):
        assert after["previous"] == before["id"], "no gap a receiver could see"
