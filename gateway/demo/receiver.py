"""The far end of the demo: an MQTT subscriber that is not our own uplink, feeding the page.

paho runs in its own thread here; every message is handed to the event loop before anybody looks at it.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

TOPICS = tuple(f"compound/v1/+/{what}" for what in ("alert", "outcome", "availability", "evidence/+"))


class Receiver:
    """Subscribes while the `with` block lasts, and again whenever the broker is back."""

    def __init__(self, url: str, receive: Callable[[str, bytes], None]) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._address = urlsplit(url)
        # 3.1.1, because that is what every broker speaks; a persistent session, so that nothing is missed
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id="demo-page",
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_message = self._message

    def __enter__(self) -> "Receiver":
        self._client.connect_async(self._address.hostname or "127.0.0.1", self._address.port or 1883)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(topic, 1) for topic in TOPICS])

    def _message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        self._loop.call_soon_threadsafe(self._receive, message.topic, bytes(message.payload))
