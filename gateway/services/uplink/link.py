"""One MQTT connection, from CONNECT to its end, driven by the event loop; never used a second time.

How it works: paho-mqtt does the protocol over a socket that the event loop watches. Each connection has a paho
client of its own, so that nothing it holds in memory can ever be sent on a later one: the journal is the only
store. The session at the broker is persistent all the same, so that receipts wait there while we are away.

A half-open link shows within 5 s: TCP_USER_TIMEOUT (RFC 5482) bounds how long sent bytes may stay unanswered,
TCP keep-alive probes do the same for an idle line, and a broker that says nothing for 4 s while it owes an
acknowledgement is left. paho's own ping needs up to twice the keep-alive time. So is one that passes a message over and
acknowledges those sent 4 s after it: MQTT lets nobody send a message twice on one connection.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gateway.core.incoming import Incoming
from gateway.services.uplink.brokers import Broker
from gateway.services.uplink.connection import Done, Message, Receive, Subscription

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode
    from paho.mqtt.subscribeoptions import SubscribeOptions

log = logging.getLogger(__name__)

SILENCE_S: Final = 4.0
FAREWELL_S: Final = 0.5

_NO_SUBSCRIBER: Final = 0x10


class Link:
    """A live connection to one broker."""

    def __init__(self, client: "Client", broker: Broker, window: int, receive: Receive) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._receive = receive
        self._unacknowledged: dict[int, tuple[float, bool, Done]] = {}
        self._properties: dict[tuple[str, int | None], Properties | None] = {}
        self._heard = self._loop.time()
        self._taken = float("-inf")  # when the latest message that was acknowledged had been sent
        self._descriptor: int | None = None
        self._largest: int | None = None
        self._retains = True
        self.broker = broker.url
        self.protocol = "5" if client.protocol == 5 else "3.1.1"
        self.window = window
        self.resumed = False
        self.welcome: asyncio.Future[ReasonCode] = self._loop.create_future()
        self.lost: asyncio.Future[str] = self._loop.create_future()

    @property
    def flying(self) -> int:
        """Return how many messages are unacknowledged."""
        return len(self._unacknowledged)

    def attach(self) -> None:
        """Put the connected socket under the event loop and send what waits: CONNECT."""
        client = self._client
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_socket_register_write = self._on_want_write
        client.on_socket_unregister_write = self._on_written
        client.on_socket_close = self._on_socket_close
        open_socket = client.socket()
        if open_socket is None:
            self._end("the connection was closed at once")
            return
        self._descriptor = open_socket.fileno()
        self._loop.add_reader(self._descriptor, self._readable)
        self._loop.add_writer(self._descriptor, self._writable)

    def subscribe(self, subscriptions: tuple[Subscription, ...]) -> None:
        """Ask for topics: QoS 1 for those that are to wait for us, QoS 0 for the others; none retained."""
        for each in subscriptions:
            qos = 1 if each.queued else 0
            if self.protocol == "5":
                self._client.subscribe(each.topic, options=_subscribe_options(qos))
            else:
                self._client.subscribe(each.topic, qos)

    def publish(self, message: Message, done: Done) -> None:
        """Send `message`; `done` is called once, or never if the connection is lost first."""
        if self.lost.done():
            return
        if self._largest is not None and len(message.content) + len(message.topic) + 64 > self._largest:
            reason = f"the broker takes packets of {self._largest} bytes at most"
            self._loop.call_soon(done, reason)
            return
        retain = message.retain and self._retains
        sent = self._client.publish(
            message.topic, message.content, qos=1, retain=retain, properties=self._properties_of(message)
        )
        if sent.rc:
            self._end(f"a message could not be handed to the connection: {sent.rc}")
            return
        self._unacknowledged[sent.mid] = (self._loop.time(), retain, done)

    def tick(self) -> None:
        """Send a ping when one is due; leave a broker that owes us an answer and is silent."""
        if self.lost.done():
            return
        self._client.loop_misc()
        if self._unacknowledged:
            oldest = next(iter(self._unacknowledged.values()))[0]
            if self._loop.time() - max(self._heard, oldest) > SILENCE_S:
                self._end(f"the broker acknowledged nothing for {SILENCE_S:.0f} s")
            elif self._taken - oldest > SILENCE_S:
                self._end("the broker passed a message over and acknowledged later ones")

    async def close(self, farewell: Message) -> None:
        """Publish `farewell`, disconnect in order, within half a second."""
        self.publish(farewell, lambda _refusal: None)
        if not self.lost.done():
            self._client.disconnect()
        await asyncio.wait([self.lost], timeout=FAREWELL_S)
        self._end("closed")

    def abandon(self) -> None:
        """Drop the connection as it is."""
        self._end("abandoned")

    def _readable(self) -> None:
        self._heard = self._loop.time()
        self._guard(self._read_all)

    def _read_all(self) -> None:
        self._client.loop_read()
        # TLS and web sockets may hold bytes that the descriptor no longer announces
        while (open_socket := self._client.socket()) is not None:
            pending = getattr(open_socket, "pending", None)
            if pending is None or not pending():
                return
            self._client.loop_read()

    def _writable(self) -> None:
        self._guard(self._client.loop_write)

    def _guard(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # whatever paho's parser trips over in foreign bytes ends the link only
            log.debug("connection to %s failed", self.broker, exc_info=True)
            self._end(f"the broker sent what is no MQTT: {type(error).__name__}: {error}")

    def _on_connect(
        self, _client: Any, _data: Any, flags: Any, reason: "ReasonCode", properties: Any
    ) -> None:
        limits: dict[str, int] = properties.json() if self.protocol == "5" else {}
        self.resumed = bool(flags.session_present)
        self.window = min(self.window, limits.get("ReceiveMaximum", 65_535))
        self._largest = limits.get("MaximumPacketSize")
        self._retains = bool(limits.get("RetainAvailable", 1))
        if not self.welcome.done():
            self.welcome.set_result(reason)

    def _on_disconnect(
        self, _client: Any, _data: Any, flags: Any, reason: "ReasonCode", _properties: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(f"the broker ended the connection: {reason}")
        else:
            self._end("the connection was cut")

    def _on_publish(self, _client: Any, _data: Any, mid: int, reason: "ReasonCode", _properties: Any) -> None:
        entry = self._unacknowledged.pop(mid, None)
        if entry is None:
            return
        at, retained, done = entry
        self._taken = max(self._taken, at)
        # what is retained needs no subscriber: the broker keeps it for those to come
        if reason.value == 0 or (reason.value == _NO_SUBSCRIBER and retained):
            done(None)
        else:
            done(f"{reason} (0x{reason.value:02x})")

    def _on_message(self, _client: Any, _data: Any, message: "MQTTMessage") -> None:
        told: Properties | None = getattr(message, "properties", None)  # paho sets it with MQTT 5 only
        self._receive(
            Incoming(
                topic=message.topic,
                content=bytes(message.payload),
                retained=message.retain,
                answer_to=getattr(told, "ResponseTopic", None),
                correlation=getattr(told, "CorrelationData", None),
            )
        )

    def _on_subscribe(
        self, _client: Any, _data: Any, _mid: int, reasons: "list[ReasonCode]", _properties: Any
    ) -> None:
        for reason in reasons:
            if reason.is_failure:
                log.error("%s refuses a subscription of ours: %s", self.broker, reason)

    def _on_want_write(self, _client: Any, _data: Any, _socket: Any) -> None:
        if self._descriptor is not None:
            self._loop.add_writer(self._descriptor, self._writable)

    def _on_written(self, _client: Any, _data: Any, _socket: Any) -> None:
        if self._descriptor is not None:
            self._loop.remove_writer(self._descriptor)

    def _on_socket_close(self, _client: Any, _data: Any, _socket: Any) -> None:
        self._detach()

    def _detach(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._descriptor = None

    def _end(self, reason: str) -> None:
        """Close and tell, once."""
        self._detach()
        close_client(self._client)
        self._unacknowledged.clear()
        if not self.lost.done():
            self.lost.set_result(reason)

    def _properties_of(self, message: Message) -> "Properties | None":
        if self.protocol != "5":
            return None
        if message.correlation is not None:
            return properties(
                "PUBLISH", ContentType=message.content_type, CorrelationData=message.correlation
            )
        key = message.content_type, message.expiry_s
        if key not in self._properties:
            self._properties[key] = properties("PUBLISH", ContentType=key[0], MessageExpiryInterval=key[1])
        return self._properties[key]


def _subscribe_options(qos: int) -> "SubscribeOptions":
    from paho.mqtt.subscribeoptions import SubscribeOptions

    return SubscribeOptions(qos=qos, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)


def close_client(client: "Client") -> None:
    """Close a client's socket at once; paho has no public way but an orderly DISCONNECT."""
    client.on_socket_close = client.on_socket_unregister_write = client.on_disconnect = None
    opened = client.socket()
    if opened is not None:
        opened.close()


def properties(packet: str, **values: object) -> "Properties":
    """Return MQTT 5 properties of one kind of packet; those that are None are left out."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    made = Properties(getattr(PacketTypes, packet))  # type: ignore[no-untyped-call]
    for name, value in values.items():
        if value is not None:
            setattr(made, name, value)
    return made
