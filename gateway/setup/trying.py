"""Whether a broker takes us: one connection exactly as the gateway's own, and the broker's answer in words.

Nothing is published and nothing subscribed. The client id is the gateway's, since a broker may ask for that, and its
session is resumed and left as it was: what waits there is not acknowledged, so a gateway that runs finds it again.
"""

import queue
import socket
import ssl
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.config import MqttTable
from gateway.services.uplink import brokers
from gateway.services.uplink.opening import SESSION_EXPIRY_S

ANSWER_S: Final = 8.0
KEEP_ALIVE_S: Final = 15
OLDER_WANTED: Final = (0x01, 0x84)
TRY_OLDER: Final = (
    "version",
    "silent",
    "hung_up",
    "certificate",
)  # what old brokers do at a CONNECT of MQTT 5
REFUSALS: Final = {  # MQTT 5.0, 3.2.2.2, and 3.1.1, 3.2.2.3
    0x85: "client_id", 0x86: "password", 0x87: "not_allowed", 0x88: "busy", 0x89: "busy", 0x8A: "banned",
    0x8C: "method", 0x9F: "busy", 0x95: "size", 0x84: "version",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: `reason` ends a key of words under setup.broker_, `detail` is the broker's or system's word."""

    good: bool
    reason: str
    detail: str = ""


def attempt(identity: str, table: MqttTable, password: str | None, *, wait_s: float = ANSWER_S) -> Tried:
    """Connect and leave. Blocks, `wait_s` at most for each step of each version of the protocol."""
    try:
        broker = brokers.brokers(table)[0]
        context = brokers.tls_context(table) if broker.tls else None
    except brokers.SetupError as error:
        return Tried(False, "files", f"{error.where}: {error.hint}")
    tried = _attempt(identity, table, password, broker, context, protocol=5, wait_s=wait_s)
    if tried.reason in TRY_OLDER:
        tried = _attempt(identity, table, password, broker, context, protocol=4, wait_s=wait_s)
    return tried


def _attempt(
    identity: str, table: MqttTable, password: str | None, broker: brokers.Broker,
    context: ssl.SSLContext | None, *, protocol: int, wait_s: float,
) -> Tried:  # fmt: skip
    answers: queue.Queue[Any] = queue.Queue()
    client = _client(identity, broker, protocol, wait_s)
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(reason)
    client.on_disconnect = lambda *_: answers.put(None)
    if table.username:
        client.username_pw_set(table.username, password)
    if context is not None:
        client.tls_set_context(context)
    if broker.path is not None:
        client.ws_set_options(path=broker.path)
    try:
        client.connect(broker.host, broker.port, KEEP_ALIVE_S, **_session(protocol))
    except (OSError, ValueError) as error:
        return Tried(False, reason_of(error), str(error))
    client.loop_start()
    try:
        answer = answers.get(timeout=wait_s)
    except queue.Empty:
        return Tried(False, "silent")
    finally:
        client.disconnect()
        client.loop_stop()
    return judged(answer, protocol, tls=broker.tls)


def judged(answer: Any, protocol: int, *, tls: bool = False) -> Tried:
    """Return what a CONNACK means; None stands for a broker that hung up instead.

    Under TLS 1.3 that is how a broker refuses our certificate: the handshake is over for us before it has looked.
    """
    if answer is None:
        return Tried(False, "certificate" if tls else "hung_up")
    if not answer.is_failure:
        return Tried(True, "good" if protocol == 5 else "good_311")
    if protocol == 5 and answer.value in OLDER_WANTED:
        return Tried(False, "version", str(answer))
    return Tried(False, REFUSALS.get(answer.value, "refused"), str(answer))


def reason_of(error: OSError | ValueError) -> str:
    """Return what kept us from the broker's door."""
    match error:
        case ssl.SSLCertVerificationError():
            reasons = {10: "expired", 9: "early", 62: "other_name", 64: "other_name"}  # X509_V_ERR_*
            return reasons.get(error.verify_code, "authority")
        case ssl.SSLError():
            return "tls"
        case socket.gaierror():
            return "name"
        case ConnectionRefusedError():
            return "nobody"
        case TimeoutError():
            return "silent"
    return "network"


def _client(identity: str, broker: brokers.Broker, protocol: int, wait_s: float) -> Any:
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=identity,
        clean_session=None if protocol == 5 else False,
        protocol=MQTTProtocolVersion(protocol),
        transport="tcp" if broker.path is None else "websockets",
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = wait_s
    return client


def _session(protocol: int) -> dict[str, Any]:
    from gateway.services.uplink.link import properties

    if protocol != 5:
        return {}
    return {
        "clean_start": False,
        "properties": properties("CONNECT", SessionExpiryInterval=SESSION_EXPIRY_S),
    }
