"""Open a connection: the parts that block, in a thread of their own, then CONNECT and the broker's welcome.

Name resolution, TCP, TLS and the web socket's handshake block; each is bounded, and so is all of it together.
"""

import asyncio
import functools
import logging
import os
import socket
from typing import TYPE_CHECKING, Any, Final

from gateway.core import payload
from gateway.runtime.threads import in_thread
from gateway.services.uplink.brokers import Broker, ConnectError, VersionError, password, tls_context
from gateway.services.uplink.connection import Connection, Identity, Receive
from gateway.services.uplink.link import Link, close_client, properties

if TYPE_CHECKING:  # paho is loaded with the first connection: a gateway without uplink does without
    from paho.mqtt.client import Client

log = logging.getLogger(__name__)

SESSION_EXPIRY_S: Final = 7 * 86_400
OPEN_S: Final = 5.0  # TCP connect, TLS handshake, CONNACK: each
ATTEMPT_S: Final = 20.0  # all of them and the name resolution together
USER_TIMEOUT_MS: Final = 3_000
IDLE_PROBE_S: Final = 2
LARGEST_INCOMING: Final = 131_072

_TCP_USER_TIMEOUT: Final = getattr(socket, "TCP_USER_TIMEOUT", 18)


async def connect(broker: Broker, identity: Identity, receive: Receive) -> Connection:
    """Connect with MQTT 5, or with 3.1.1 where the broker has no 5. Raises SetupError or ConnectError.

    A broker may say so (CONNACK 0x84, or 0x01 in the old form), hang up or say nothing; all get a second try.
    """
    try:
        return await _connect(broker, identity, receive, protocol=5)
    except VersionError as refusal:
        log.info("%s; trying MQTT 3.1.1", refusal)
        return await _connect(broker, identity, receive, protocol=4)


async def _connect(broker: Broker, identity: Identity, receive: Receive, *, protocol: int) -> Link:
    """Return a link that the broker welcomed."""
    try:
        async with asyncio.timeout(ATTEMPT_S):
            client = await in_thread(functools.partial(_open, broker, identity, protocol), close_client)
    except (OSError, ValueError) as error:  # TimeoutError is one of them
        raise ConnectError("connect", broker.url, str(error) or f"no answer in {ATTEMPT_S:.0f} s") from error
    link = Link(client, broker, identity.table.window, receive)
    try:
        link.attach()
        await _welcomed(link, protocol)
        link.subscribe(identity.subscribe)
    except BaseException:
        link.abandon()
        raise
    return link


async def _welcomed(link: Link, protocol: int) -> None:
    """Wait for CONNACK; raises VersionError where 3.1.1 is worth a try, ConnectError otherwise."""
    ends: list[asyncio.Future[Any]] = [link.welcome, link.lost]
    await asyncio.wait(ends, timeout=OPEN_S, return_when=asyncio.FIRST_COMPLETED)
    if link.welcome.done():
        reason = link.welcome.result()
        if not reason.is_failure:
            return
        if protocol == 5 and reason.value in {0x01, 0x84}:
            raise VersionError("connect", link.broker, "the broker has no MQTT 5")
        raise ConnectError("connect", link.broker, f"the broker refuses us: {reason}")
    why = f": {link.lost.result()}" if link.lost.done() else f" in {OPEN_S:.0f} s"
    kind = VersionError if protocol == 5 else ConnectError
    raise kind("connect", link.broker, f"no CONNACK{why}")


def _open(broker: Broker, identity: Identity, protocol: int) -> "Client":
    """Return a client whose socket is open and whose CONNECT waits to be sent. Blocks."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    table = identity.table
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=identity.gateway_id,
        clean_session=None if protocol == 5 else False,
        protocol=MQTTProtocolVersion(protocol),
        transport="tcp" if broker.path is None else "websockets",
        reconnect_on_failure=False,
    )
    client.connect_timeout = OPEN_S
    client.max_inflight_messages_set(0)  # no queue inside: the window is ours
    client.will_set(identity.availability, payload.OFFLINE, qos=1, retain=True)
    client.on_socket_open = _tune
    client.on_socket_register_write = lambda *_: None  # the loop writes, not this thread
    if table.username:
        client.username_pw_set(table.username, password(table))
    if broker.tls:
        client.tls_set_context(tls_context(table))
    if broker.path is not None:
        client.ws_set_options(path=broker.path)
    if protocol == 5:
        limits = properties(
            "CONNECT", SessionExpiryInterval=SESSION_EXPIRY_S, MaximumPacketSize=LARGEST_INCOMING
        )
        client.connect(broker.host, broker.port, table.keep_alive_s, clean_start=False, properties=limits)
    else:
        client.connect(broker.host, broker.port, table.keep_alive_s)
    return client


def _tune(_client: Any, _data: Any, opened: Any) -> None:
    """Set the socket's options through a second descriptor: TLS and web socket wrappers do not pass them on."""
    with socket.socket(fileno=os.dup(opened.fileno())) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, IDLE_PROBE_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
