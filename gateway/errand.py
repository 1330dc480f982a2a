"""One order taken to a gateway over a broker: fetch a nonce, give the order, wait for what comes of it. Blocking.

Written as another upstream would write it, over plain paho: nothing here knows more than the protocol says. With
MQTT 5 it asks for the answer on a topic of its own; the outcome that everybody gets serves as well.
"""

import queue
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

import msgspec
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.core.config import MqttTable
from gateway.core.outcomes import UNVERIFIED
from gateway.core.payload import topic
from gateway.services.uplink import brokers
from gateway.services.uplink.link import properties
from gateway.terminal.errors import ToolError

CONNECT_S: Final = 10.0
NONCE_S: Final = 5.0
GRACE_S: Final = 5.0  # an outcome may come so long after its order's deadline
DOUBT_S: Final = 1.0  # so long after a refusal that may be of a forgery under our order's id
STALE: Final = "nonce:"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an order; `event` is the whole CloudEvent."""

    event: dict[str, Any]
    device: str
    action: str
    result: str
    detail: str
    origin: str

    @property
    def is_stale(self) -> bool:
        """Return whether somebody else was quicker with the nonce."""
        return self.result == "refused" and self.detail.startswith(STALE)

    @property
    def is_doubtful(self) -> bool:
        """Return whether it may be of a forgery: whoever listens at the broker can send one under our order's id."""
        return self.result == "refused" and self.origin == UNVERIFIED


class Errand:
    """A connection for one order. `broker` has what `[mqtt]` may have: url, username, password_file, ca_file."""

    def __init__(self, gateway: str, broker: Mapping[str, Any]) -> None:
        self._gateway = gateway
        self._table = MqttTable(**broker)
        self._heard: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._connected: queue.Queue[str] = queue.Queue()
        self._answers = topic(gateway, "outcome", secrets.token_hex(8))
        self._used: set[str] = set()
        self._pool = b""
        self._client: Client | None = None
        self._protocol = 5

    def __enter__(self) -> "Errand":
        """Connect and listen."""
        refusal = ""
        for self._protocol in (5, 4):
            refusal = self._connect()
            if not refusal:
                return self
        raise ToolError("sign.broker", url=self._table.url, error=refusal)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave."""
        self._close()

    def nonce(self, seconds: int) -> str:
        """Return a nonce nobody is likely to reach for just now; ToolError if the gateway tells none."""
        end = time.monotonic() + NONCE_S
        while not (pool := self._fresh(self._pool, seconds)):
            content = self._next(topic(self._gateway, "nonce"), end)
            if content is None:
                raise ToolError("sign.no_nonce", gateway=self._gateway)
        chosen = secrets.choice(pool)
        self._used.add(chosen)
        return chosen

    def give(self, order: str, name: str, *, within_s: float) -> Answer:
        """Publish an order and return what came of it; ToolError when nobody says."""
        assert self._client is not None
        asked = None
        if self._protocol == 5:
            asked = properties(
                "PUBLISH",
                ContentType="application/jwt",
                MessageExpiryInterval=max(int(within_s), 1),
                ResponseTopic=self._answers,
                CorrelationData=name.encode(),
            )
        self._client.publish(topic(self._gateway, "command"), order.encode(), qos=1, properties=asked)
        end = time.monotonic() + within_s + GRACE_S
        doubtful: Answer | None = None
        while (content := self._next(topic(self._gateway, "outcome"), end)) is not None:
            answer = _answer(content, name)
            if answer is not None and not answer.is_doubtful:
                return answer
            if answer is not None and doubtful is None:
                doubtful, end = answer, min(end, time.monotonic() + DOUBT_S)
        if doubtful is None:
            raise ToolError("sign.no_answer", gateway=self._gateway)
        return doubtful

    def _fresh(self, content: bytes, seconds: int) -> list[str]:
        """Return the nonces worth trying: all that live long enough, the freshest where the clock is not set."""
        try:
            told = msgspec.json.decode(content)
            pool = [(str(each["nonce"]), float(each["seconds"])) for each in told["nonces"]]
            synced = told["clock"] == "synced"
        except (ValueError, KeyError, TypeError):
            return []
        unused = [each for each in pool if each[0] not in self._used]
        enough = [text for text, left_s in unused if left_s >= min(seconds, 10)]
        return enough if synced else [text for text, _ in unused[:2]]

    def _next(self, wanted: str, end: float) -> bytes | None:
        """Return the next message on a topic or below it; None when none comes in time."""
        while (left_s := end - time.monotonic()) > 0:
            try:
                name, content = self._heard.get(timeout=left_s)
            except queue.Empty:
                return None
            if name.endswith("/nonce"):
                self._pool = content
            if name == wanted or name.startswith(wanted + "/"):
                return content
        return None

    def _connect(self) -> str:
        """Connect with one version of the protocol; return why that failed, or nothing."""
        self._close()
        try:
            broker = brokers.brokers(self._table)[0]
            client = self._client = self._make(broker)
            client.connect(broker.host, broker.port, 15)
        except brokers.UplinkError as error:
            raise ToolError("sign.setup", error=error) from error
        except (OSError, ValueError) as error:
            return str(error)
        client.loop_start()
        try:
            return self._connected.get(timeout=CONNECT_S)
        except queue.Empty:
            return "no answer"

    def _make(self, broker: brokers.Broker) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            protocol=MQTTProtocolVersion(self._protocol),
            transport="tcp" if broker.path is None else "websockets",
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        if self._table.username:
            client.username_pw_set(self._table.username, brokers.password(self._table))
        if broker.tls:
            client.tls_set_context(brokers.tls_context(self._table))
        if broker.path is not None:
            client.ws_set_options(path=broker.path)
        client.on_connect = self._on_connect
        client.on_subscribe = lambda *_: self._connected.put("")
        client.on_message = self._on_message
        return client

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._connected.put(str(reason))
            return
        wanted = [topic(self._gateway, "nonce"), topic(self._gateway, "outcome"), self._answers]
        if self._protocol == 5:
            client.subscribe([(each, SubscribeOptions(qos=1)) for each in wanted])
        else:
            client.subscribe([(each, 1) for each in wanted])

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._heard.put((message.topic, bytes(message.payload)))

    def _close(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None


def _answer(content: bytes, name: str) -> Answer | None:
    """Return what an outcome says if it is that of our order."""
    try:
        event = msgspec.json.decode(content)
        if event["subject"] != name:
            return None
        data = event["data"]
        return Answer(event, *(str(data[key]) for key in ("device", "action", "result", "detail", "origin")))
    except (ValueError, KeyError, TypeError):
        return None
