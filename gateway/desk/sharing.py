"""Several desks share the alerts of a broker: each takes some, where the broker really deals them out.

MQTT 5's shared subscriptions cannot be believed: one popular broker grants them and delivers nothing. So this is a
connection beside the plain one, which goes on hearing everything until a probe of our own has come through a shared
subscription, and again as soon as this connection is lost. Only alerts are shared: what is retained (availability,
health, states, nonces) is not delivered over a shared subscription, outcomes and the parts of a piece of evidence are
to be where the others of their kind are, and all of it is little.

Clean start and no session: a broker keeps what it dealt to a desk that died for that desk alone, and a session that
lives on would swallow its share of everything new. What was lost so is sent again by a gateway that waits for receipts
(`confirm = "desk"`), and only by such a one; therefore `share` is off unless a person says otherwise.
"""

import asyncio
import logging
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.core.config import BROKER_SCHEMES, MqttTable
from gateway.desk.broker import Broker, make_client
from gateway.desk.intake import Intake
from gateway.runtime.threads import in_thread

log = logging.getLogger(__name__)

ALERTS: Final = "compound/v1/+/alert"
SHARED: Final = f"$share/desk/{ALERTS}"
PROBE_S: Final = 5.0
AGAIN_S: Final = 600.0  # where the broker does not deal


class Share:
    """Takes a share of the alerts of the broker that `plain` listens at."""

    def __init__(self, table: MqttTable, url: str, name: str, plain: Broker, intake: Intake) -> None:
        self.is_sharing = False
        self._table, self._plain, self._intake = table, plain, intake
        self.url, self._name = url, f"{name}-share"
        self._probe = f"compound/v1/@desk/{name}/probe"
        self._loop = asyncio.get_running_loop()
        self._word = b""
        self._session = 0
        self._up, self._dealt, self._lost = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Share, or look now and then whether it can be done, until cancelled."""
        client = make_client(self._table, self.url, self._name, shared=True)
        client.on_connect, client.on_disconnect = self._connected, self._disconnected
        client.on_subscribe, client.on_message = self._subscribed, self._message
        address = urlsplit(self.url)
        none = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        none.SessionExpiryInterval = 0
        port = address.port or BROKER_SCHEMES[address.scheme][0]

        def start() -> None:
            client.connect_async(address.hostname or "", port, clean_start=True, properties=none)
            client.loop_start()

        start()
        try:
            while True:
                if await self._deals():
                    client.subscribe(SHARED, 1)
                    await self._lost.wait()  # and it connects again by itself
                    continue
                log.warning("%s does not deal alerts out: every desk takes them all", self.url)
                client.disconnect()
                await in_thread(client.loop_stop)
                await asyncio.sleep(AGAIN_S)
                start()
        finally:
            self._plain_again()
            client.disconnect()
            await in_thread(client.loop_stop)

    async def _deals(self) -> bool:
        """Wait for a connection; return whether our probe comes through a shared subscription of it."""
        await self._up.wait()
        self._up.clear()
        self._lost.clear()
        try:
            async with asyncio.timeout(PROBE_S):
                await self._dealt.wait()
        except TimeoutError:
            return False
        return True

    def _connected(self, client: Client, _data: object, _flags: object, reason: Any, properties: Any) -> None:
        self._session += 1
        told = properties.json() if properties is not None else {}
        self._call(self._dealt.clear)
        self._call(self._up.set)
        if reason.is_failure or told.get("SharedSubscriptionAvailable", 1) == 0:
            return  # and no probe will come
        self._word = uuid.uuid4().bytes
        client.subscribe(f"$share/{self._name}/{self._probe}", 1)

    def _subscribed(
        self, client: Client, _data: object, _mid: int, reasons: list[Any], _properties: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            return
        if self._word:
            client.publish(self._probe, self._word, qos=1)
        else:
            self._call(self._shared)

    def _disconnected(
        self, _client: Client, _data: object, _flags: object, _reason: Any, _properties: object
    ) -> None:
        self._call(self._plain_again)

    def _message(self, client: Client, _data: object, message: MQTTMessage) -> None:
        number, session = message.mid, self._session

        def settled() -> None:
            if message.qos and session == self._session:
                client.ack(number, message.qos)

        if message.topic == self._probe:
            settled()
            if self._word and bytes(message.payload) == self._word:
                self._word = b""
                self._call(self._dealt.set)
            return
        self._call(self._intake.offer, message.topic, bytes(message.payload), settled)

    def _shared(self) -> None:
        self.is_sharing = True
        self._plain.leave([ALERTS])
        log.info("the alerts of %s are shared", self.url)

    def _plain_again(self) -> None:
        self._lost.set()
        if self.is_sharing:
            self.is_sharing = False
            self._plain.follow([ALERTS])
            log.warning("%s: the shared subscription is lost, all alerts are taken", self.url)

    def _call(self, what: Any, *values: Any) -> None:
        """Hand over to the event loop; runs in paho's thread."""
        try:
            self._loop.call_soon_threadsafe(what, *values)
        except RuntimeError:  # the loop is closed: the program ends
            return
