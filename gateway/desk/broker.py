"""The desk's connection to a broker: a thin shell over paho, in a thread of paho's own.

MQTT 3.1.1, because every broker speaks it and nothing here needs more. The session is persistent and a message is
acknowledged by hand after its commit, so what a desk had not committed when it was killed comes again; and every
desk hears everything, and the primary key takes the second. Neither is relied on: it is receipts that gateways
wait for.
"""

import asyncio
import logging
import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from gateway.core.chunks import chunks
from gateway.core.config import BROKER_SCHEMES, MqttTable
from gateway.core.payload import topic
from gateway.desk.intake import Intake
from gateway.desk.listening import Listener, heard, quality
from gateway.runtime.threads import in_thread

log = logging.getLogger(__name__)

TOPICS: Final = ("alert", "availability", "health")
LONGEST_PAUSE_S: Final = 30


class Broker:
    """Hears all gateways at one broker; with an intake, their alerts too, and answers those with receipts."""

    def __init__(
        self,
        table: MqttTable,
        url: str,
        name: str,
        intake: Intake | None,
        listeners: Sequence[Listener] = (),
    ) -> None:
        self.url, self.name, self._intake, self._listeners = url, name, intake, listeners
        self._topics = {topic for each in listeners for topic in each.subscriptions}
        self._topics |= {f"compound/v1/+/{what}" for what in TOPICS if intake is not None}
        self._since: float | None = None
        self._session = 0  # message numbers mean something within one connection only
        self._asked: set[int] = set()  # subscriptions of this connection that the broker has not answered yet
        self._loop = asyncio.get_running_loop()
        self._client = make_client(table, url, name)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._message
        if intake is not None:
            intake.ears.receipt.append(self._receipt)

    @property
    def takes_alerts(self) -> bool:
        """Return whether alerts come over this connection."""
        return self._intake is not None

    def listening_since(self) -> float | None:
        """Return since when, wall seconds, we hear what is published; None: not now."""
        return self._since

    async def run(self) -> None:
        """Stay connected until cancelled."""
        address = urlsplit(self.url)
        port = address.port or BROKER_SCHEMES[address.scheme][0]
        self._client.connect_async(address.hostname or "", port)
        self._client.loop_start()
        try:
            await asyncio.Event().wait()
        finally:
            self._since, self._asked = None, set()  # so that a goodbye of our own is no loss
            self._client.disconnect()
            await in_thread(self._client.loop_stop)

    def _connected(
        self, client: Client, _data: object, _flags: object, reason: Any, _properties: object
    ) -> None:
        if reason.is_failure:
            log.error("%s refuses us: %s", self.url, reason)
            return
        self._session += 1
        self._asked = self._subscribe(sorted(self._topics))
        if not self._asked:
            self._listens()

    def _subscribed(
        self, _client: Client, _data: object, number: int, reasons: list[Any], _properties: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            log.error(
                "%s lets %s not listen to all it should: look at the broker's access rules",
                self.url,
                self.name,
            )
        if number not in self._asked:  # one that came on top
            return
        self._asked.discard(number)
        if not self._asked:
            self._listens()

    def _listens(self) -> None:
        """Hear from now on, and not before: what is published ahead of the broker's answer it keeps for nobody."""
        self._since = time.time()
        if self._intake is None:
            log.info("%s: %s is connected", self.url, self.name)
        else:
            log.info("listening at %s", self.url)

    def _disconnected(
        self, _client: Client, _data: object, _flags: object, reason: Any, _properties: object
    ) -> None:
        if self._since is not None or self._asked:  # also where it hung up in place of an answer
            log.error("%s is lost: %s; trying again and again", self.url, reason)
        self._since, self._asked = None, set()

    def _message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        """Hand over to the event loop; runs in paho's thread."""
        number, session = message.mid, self._session

        def settled() -> None:
            if message.qos and session == self._session:  # else it comes again, and is known
                client.ack(number, message.qos)

        try:
            self._loop.call_soon_threadsafe(self._offer, message, settled)
        except RuntimeError:  # the loop is closed: the program ends, and the message stays at the broker
            return

    def is_open(self) -> bool:
        """Return whether what is published now goes out now."""
        return self._since is not None and self._client.is_connected()

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        """Send with QoS 1, not retained; say no if it does not go out now. What is late is dead by its own word."""
        if not self.is_open():
            return False
        return self._client.publish(topic, content, qos=1).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def follow(self, topics: Sequence[str]) -> None:
        """Listen to these topics too, also after a new connection."""
        fresh = sorted(set(topics) - self._topics)
        self._topics = self._topics | set(topics)
        if self._client.is_connected():
            self._subscribe(fresh)

    def leave(self, topics: Sequence[str]) -> None:
        """Listen to these no more."""
        self._topics = self._topics - set(topics)
        if self._client.is_connected():
            self._client.unsubscribe(list(topics))

    def _subscribe(self, topics: Sequence[str]) -> set[int]:
        """Ask to listen to topics; return the numbers by which the broker will answer."""
        asked = set()
        for some in chunks(topics, 50):
            _, number = self._client.subscribe([(each, quality(each)) for each in some])
            asked |= {number} if number is not None else set()
        return asked

    def _offer(self, message: MQTTMessage, settled: Any) -> None:
        told = heard(message.topic, bytes(message.payload), retained=message.retain, settled=settled)
        if told is not None and any(each.hear(told, self) for each in self._listeners):
            return
        if self._intake is None:
            settled()
            return
        self._intake.offer(message.topic, bytes(message.payload), settled, live=not message.retain)

    def _receipt(self, gateway: str, payload: bytes) -> None:
        if not gateway.startswith("@"):
            self._client.publish(topic(gateway, "receipt"), payload, qos=1)


def make_client(table: MqttTable, url: str, name: str, *, shared: bool = False) -> Client:
    """Return a client that is not connected yet; `shared`: with MQTT 5, and no session that outlives it."""
    address = urlsplit(url)
    tls = BROKER_SCHEMES[address.scheme][1]
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        clean_session=None if shared else False,
        protocol=MQTTProtocolVersion.MQTTv5 if shared else MQTTProtocolVersion.MQTTv311,
        transport="websockets" if address.scheme.startswith("ws") else "tcp",
        manual_ack=True,
    )
    client.reconnect_delay_set(1, LONGEST_PAUSE_S)
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(10_000)  # receipts; one that is lost is asked for again by its alert
    if table.username:
        secret = (
            Path(table.password_file).read_text(encoding="utf-8").strip() if table.password_file else None
        )
        client.username_pw_set(table.username, secret)
    if address.scheme.startswith("ws"):
        client.ws_set_options(path=address.path or "/mqtt")
    if tls:
        context = ssl.create_default_context(cafile=table.ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if table.cert_file:
            context.load_cert_chain(table.cert_file, table.key_file, password="")
        client.tls_set_context(context)
    return client
