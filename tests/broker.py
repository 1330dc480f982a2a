"""Real brokers for tests: Debian's mosquitto on a free loopback port, a small PKI, and somebody who listens."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.subscribeoptions import SubscribeOptions

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed")

DEADLINE_S = 60.0
"""Patience, no claim: a machine that has other work starts a process in 20 s at times."""
PATIENT = ("max_queued_messages 0", "max_inflight_messages 200")
"""So that the listener loses nothing: the defaults queue 1,000 messages for a client and take 20 at a time."""


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int = 0) -> socket.socket:
    """Return a loopback socket that listens: whoever comes before its server is ready waits and is not turned away."""
    return socket.create_server(("127.0.0.1", port))


def until(condition: Callable[[], object], *, within_s: float = DEADLINE_S, what: str = "it") -> None:
    """Wait in this thread until `condition` holds; fail after `within_s`."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"{what} did not come about in {within_s} s"
        time.sleep(0.005)


class Mosquitto:
    """A broker process that can be killed and started again on the same port."""

    def __init__(
        self,
        directory: Path,
        *lines: str,
        listener: Sequence[str] = (),
        protocol: str = "mqtt",
        port: int = 0,
    ) -> None:
        self.port = port or free_port()
        self.url = f"{protocol}://127.0.0.1:{self.port}"
        self._config = directory / f"mosquitto-{self.port}.conf"
        self._config.write_text(
            "\n".join(
                (
                    "user root",
                    "per_listener_settings false",
                    *(
                        ()
                        if any(line.startswith("allow_anonymous") for line in lines)
                        else ("allow_anonymous true",)
                    ),
                    *(lines or PATIENT),
                    f"listener {self.port} 127.0.0.1",
                    *listener,
                    "",
                )
            )
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.log = directory / f"mosquitto-{self.port}.log"

    def start(self) -> None:
        """Start the broker and wait until it answers."""
        assert MOSQUITTO is not None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log)
        until(self._answers, what="mosquitto")

    def kill(self) -> None:
        """Kill the broker as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """Return the process id of the running broker."""
        assert self._process is not None
        return self._process.pid

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@contextmanager
def mosquitto(
    directory: Path, *lines: str, listener: Sequence[str] = (), protocol: str = "mqtt", port: int = 0
) -> Iterator[Mosquitto]:
    """Run a broker; `lines` replace the usual settings, `listener` adds to those of its one listener."""
    broker = Mosquitto(directory, *lines, listener=listener, protocol=protocol, port=port)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came to a listener."""

    topic: str
    content: bytes
    retained: bool
    at: float
    properties: dict[str, Any]


class Listener:
    """A client in a thread of its own that keeps everything it hears, and answers if told how.

    With a `name` its session is persistent: what comes while it or the broker is away waits for it.
    """

    def __init__(
        self,
        port: int,
        *topics: str,
        name: str = "",
        answer: Callable[["Listener", Heard], None] | None = None,
        prepare: Callable[[Client], None] | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.heard: list[Heard] = []
        self.listening = threading.Event()
        self._answer = answer
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTProtocolVersion.MQTTv5,
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topic, SubscribeOptions(qos=1)) for topic in topics or ("#",)]
        )
        self._client.on_subscribe = lambda *_: self.listening.set()
        self._client.on_disconnect = lambda *_: self.listening.clear()
        self._client.on_message = self._take
        if prepare is not None:
            prepare(self._client)
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600 if name else 0
        self._client.connect(host, port, 15, clean_start=not name, properties=properties)
        self._client.loop_start()
        assert self.listening.wait(DEADLINE_S)

    def publish(self, topic: str, content: bytes, *, retain: bool = False) -> None:
        """Publish with QoS 1."""
        self._client.publish(topic, content, qos=1, retain=retain)

    def on(self, ending: str) -> list[Heard]:
        """Return what was heard on topics that end so."""
        return [heard for heard in self.heard if heard.topic.endswith(ending)]

    def close(self) -> None:
        """Go away."""
        self._client.disconnect()
        self._client.loop_stop()
        # it holds us and we hold it: without that its sockets are closed now, and not whenever a circle is found
        self._client.on_connect = self._client.on_subscribe = None
        self._client.on_disconnect = self._client.on_message = None

    def _take(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        properties = message.properties.json() if message.properties else {}  # type: ignore[no-untyped-call]
        heard = Heard(message.topic, bytes(message.payload), message.retain, time.monotonic(), properties)
        self.heard.append(heard)
        if self._answer is not None:
            self._answer(self, heard)


@contextmanager
def listener(port: int, *topics: str, **settings: Any) -> Iterator[Listener]:
    """Have somebody listen to `topics`, by default to everything."""
    heard = Listener(port, *topics, **settings)
    try:
        yield heard
    finally:
        heard.close()


@dataclass(frozen=True, slots=True)
class Pki:
    """A certificate authority with one broker and one client; `stranger` is signed by somebody else."""

    directory: Path

    def file(self, name: str) -> str:
        """Return the path of `ca.crt`, `broker.crt`, `client.key`, ... as text."""
        return str(self.directory / name)

    def issue(
        self, name: str, common_name: str, *, by: str = "ca", days: int = 30, broker: bool = False
    ) -> None:
        """Sign another certificate, in place of one of this name."""
        what = "subjectAltName=DNS:localhost,IP:127.0.0.1" if broker else "extendedKeyUsage=clientAuth"
        _signed(self.directory, name, common_name, by, what, days=days)

    def authority(self, name: str) -> None:
        """Make another authority."""
        _authority(self.directory, name, f"Authority {name}")

    def listener(self, certificate: str = "broker") -> tuple[str, ...]:
        """Return mosquitto's lines for TLS with client certificates."""
        return (
            f"cafile {self.file('ca.crt')}",
            f"certfile {self.file(certificate + '.crt')}",
            f"keyfile {self.file(certificate + '.key')}",
            "require_certificate true",
            "use_identity_as_username true",
        )


def make_pki(directory: Path) -> Pki:
    """Return a fresh PKI made by openssl; the broker's certificate is for localhost and 127.0.0.1."""
    _authority(directory, "ca", "Test authority")
    _authority(directory, "stranger", "Somebody else")
    _signed(directory, "broker", "localhost", "ca", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    _signed(directory, "wrong-name", "elsewhere.example", "ca", "subjectAltName=DNS:elsewhere.example")
    _signed(directory, "client", "hxtp-01", "ca", "extendedKeyUsage=clientAuth")
    _signed(directory, "impostor", "hxtp-01", "stranger", "extendedKeyUsage=clientAuth")
    return Pki(directory)


def _authority(directory: Path, name: str, common_name: str) -> None:
    _openssl(
        directory,
        "req",
        "-x509",
        *_key(name),
        "-out",
        f"{name}.crt",
        "-days",
        "30",
        "-subj",
        f"/CN={common_name}",
    )


def _signed(directory: Path, name: str, common_name: str, by: str, extension: str, *, days: int = 30) -> None:
    _openssl(
        directory,
        "req",
        *_key(name),
        "-out",
        f"{name}.csr",
        "-subj",
        "/CN=" + common_name.replace("/", "\\/"),
    )
    (directory / f"{name}.ext").write_text(extension + "\n")
    _openssl(
        directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial",
        "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.crt",
    )  # fmt: skip


def _key(name: str) -> tuple[str, ...]:
    return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)
