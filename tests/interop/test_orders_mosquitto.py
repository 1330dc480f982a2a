"""Orders over a real broker: what waits there, what is retained there, and what the old protocol leaves out."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessageInfo
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.core import payload
from gateway.core.config import MqttTable
from gateway.core.incoming import Incoming
from gateway.runtime.loop import run
from gateway.services.uplink import Uplink
from tests.broker import Listener, Mosquitto, listener, mosquitto, needs_mosquitto
from tests.proxy import Proxy, turn_mqtt_5_away
from tests.uplink_parts import GATEWAY, MemoryJournal, until

pytestmark = needs_mosquitto
COMMAND = f"compound/v1/{GATEWAY}/command"
ANSWER = f"compound/v1/{GATEWAY}/outcome/me"


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as broker:
        yield broker


class Ear:
    """Keeps every message of the command topic."""

    def __init__(self) -> None:
        self.messages: list[Incoming] = []
        self.greeted = 0

    def heard(self, message: Incoming) -> None:
        self.messages.append(message)

    def greet(self) -> None:
        self.greeted += 1


@asynccontextmanager
async def running(ear: Ear, url: str) -> AsyncIterator[Uplink]:
    journal = MemoryJournal()
    uplink = Uplink(
        MqttTable(url=url),
        GATEWAY,
        journal=journal,
        states=lambda device: payload.state(device, []),
        health=lambda: payload.health({}),
        submit=journal.submit,
        remote=ear,
    )
    task = asyncio.create_task(uplink.run(), name="uplink")
    try:
        await until(lambda: uplink.statistics().connected)
        await asyncio.sleep(0.3)  # SUBACK is nobody's news
        yield uplink
    finally:
        task.cancel()
        await asyncio.wait([task])


def ask(ears: Listener, content: bytes, *, retain: bool = False) -> MQTTMessageInfo:
    """Publish an order with everything MQTT 5 has for it; what is returned can be waited for."""
    told = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    told.ResponseTopic, told.CorrelationData = ANSWER, b"seven"
    return ears._client.publish(COMMAND, content, qos=1, retain=retain, properties=told)


def test_an_order_comes_with_its_response_topic_and_correlation_data(broker: Mosquitto) -> None:
    async def story() -> None:
        ear = Ear()
        async with running(ear, broker.url) as uplink:
            ask(ears, b"order")
            await until(lambda: ear.messages)
            assert uplink.publish(ANSWER, b"{}", correlation=b"seven")
            await until(lambda: ears.on("/outcome/me"))
        assert ear.messages == [Incoming(COMMAND, b"order", False, ANSWER, b"seven")]
        assert ear.greeted == 1
        assert ears.on("/outcome/me")[0].properties["CorrelationData"] == b"seven".hex()

    with listener(broker.port) as ears:
        run(story())


def test_orders_given_while_we_are_away_do_not_wait_for_us(broker: Mosquitto) -> None:
    async def story() -> None:
        ear = Ear()
        async with running(ear, broker.url):
            pass
        # mosquitto keeps for our return what it sends before it knows that we are gone
        await until(lambda: f"Client {GATEWAY} disconnected" in broker.log.read_text())
        ask(ears, b"stale").wait_for_publish(10)  # else it may come when we are back
        async with running(ear, broker.url):
            ask(ears, b"fresh")
            await until(lambda: ear.messages)
        assert [message.content for message in ear.messages] == [b"fresh"]

    with listener(broker.port) as ears:
        run(story())


def test_a_retained_order_is_not_sent_to_us_and_with_the_old_protocol_comes_marked(broker: Mosquitto) -> None:
    async def story() -> None:
        ask(ears, b"retained", retain=True)
        await until(lambda: ears.on("/command"))
        ear, old_ear = Ear(), Ear()
        async with running(ear, broker.url):
            ask(ears, b"fresh")
            await until(lambda: ear.messages)
        assert [message.content for message in ear.messages] == [b"fresh"]
        async with (
            Proxy(broker.port, answer=turn_mqtt_5_away(b"\x20\x02\x00\x01")) as old,
            running(old_ear, f"mqtt://127.0.0.1:{old.port}") as uplink,
        ):
            assert uplink.statistics().protocol == "3.1.1"
            ask(ears, b"fresh")
            await until(lambda: len(old_ear.messages) == 2)
        assert old_ear.messages == [
            Incoming(COMMAND, b"retained", retained=True),
            Incoming(COMMAND, b"fresh"),
        ]

    with listener(broker.port) as ears:
        run(story())
