"""Where the brokers are and how to prove who we are: addresses, certificates, password, the pause between tries.

Addresses never carry a secret. A bare file name is looked for among systemd's credentials first
(`$CREDENTIALS_DIRECTORY`, systemd.exec(5)); files are read anew for every connection, so that a renewed
certificate is taken up without a restart.
"""

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.core.config import BROKER_SCHEMES, MqttTable

FIRST_PAUSE_S: Final = 0.5
LAST_PAUSE_S: Final = 30.0


class UplinkError(Exception):
    """Base of what can go wrong on the way to a broker: what was tried, where, how to mend it."""

    def __init__(self, op: str, where: str, hint: str = "") -> None:
        super().__init__(op, where, hint)
        self.op, self.where, self.hint = op, where, hint

    def __str__(self) -> str:
        return f"{self.op}: {self.where}" + (f" ({self.hint})" if self.hint else "")


class SetupError(UplinkError):
    """An address or a file is wrong: a person must mend it."""


class ConnectError(UplinkError):
    """The broker could not be reached, or turned us away."""


class VersionError(ConnectError):
    """The broker does not speak MQTT 5."""


@dataclass(frozen=True, slots=True)
class Broker:
    """One address of the list. `path` is that of the web socket, None over plain TCP."""

    url: str
    host: str
    port: int
    tls: bool
    path: str | None = None


def parse(url: str) -> Broker:
    """Return the broker at `mqtt://`, `mqtts://`, `ws://` or `wss://`; raises SetupError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SetupError("read mqtt.url", url, str(error)) from error
    if parts.username is not None or parts.password is not None:
        hint = "an address carries no user or password: use username and password_file"
        raise SetupError("read mqtt.url", f"{parts.scheme}://...@{host}", hint)
    if parts.scheme not in BROKER_SCHEMES or not host:
        raise SetupError("read mqtt.url", url, "wanted mqtt://, mqtts://, ws:// or wss:// and a host")
    usual, tls = BROKER_SCHEMES[parts.scheme]
    path = (parts.path or "/mqtt") if parts.scheme.startswith("ws") else None
    return Broker(url, host, port or usual, tls, path)


def brokers(table: MqttTable) -> tuple[Broker, ...]:
    """Return the brokers in the order they are tried; raises SetupError."""
    urls = [table.url] if isinstance(table.url, str) else table.url
    if not urls:
        raise SetupError("read mqtt.url", "an empty list", "name at least one broker")
    return tuple(parse(url) for url in urls)


def check(table: MqttTable) -> list[SetupError]:
    """Return everything wrong with addresses and files, for `check` and for the start of the daemon."""
    found: list[SetupError] = []
    tries: list[Callable[[], object]] = [lambda: brokers(table), lambda: password(table)]
    if table.ca_file or table.cert_file or table.key_file:
        tries.append(lambda: tls_context(table))
    for attempt in tries:
        try:
            attempt()
        except SetupError as error:
            found.append(error)
    return found


def credential(name: str) -> Path:
    """Return where a secret lies: a bare name is one of systemd's credentials, if there are any."""
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if directory and "/" not in name:
        return Path(directory) / name
    return Path(name)


def password(table: MqttTable) -> str | None:
    """Return the broker's password, or None where none is configured; raises SetupError."""
    if not table.password_file:
        return None
    where = str(credential(table.password_file))
    try:
        secret = _read(table.password_file, "mqtt.password_file").decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:  # the cause would carry the secret
        raise SetupError("read mqtt.password_file", where, "the file is no UTF-8 text") from None
    if not secret:
        raise SetupError("read mqtt.password_file", where, "the file is empty")
    return secret


def tls_context(table: MqttTable) -> ssl.SSLContext:
    """Return what TLS needs: at least 1.2, the host's name checked, our certificate if there is one."""
    for key in ("ca_file", "cert_file", "key_file"):
        if getattr(table, key):  # ssl does not say which file it could not open
            _read(getattr(table, key), f"mqtt.{key}")
    if bool(table.cert_file) != bool(table.key_file):
        raise SetupError("read mqtt", "cert_file and key_file", "a certificate needs its key; give both")
    try:
        context = ssl.create_default_context(cafile=str(credential(table.ca_file)) if table.ca_file else None)
    except ssl.SSLError as error:
        hint = f"no certificate in PEM form: {error.reason}"
        raise SetupError("read mqtt.ca_file", str(credential(table.ca_file)), hint) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _Socket
    if table.cert_file:
        _load_certificate(context, table)
    return context


class Pause:
    """The pause before the next try: 0.5 s growing to 30, varied by chance so that a street of gateways spreads."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._next_s = FIRST_PAUSE_S

    def take(self) -> float:
        """Return how many seconds to wait now; the one after is twice as long."""
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, LAST_PAUSE_S)
        return pause_s * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        """Start again: a connection was good."""
        self._next_s = FIRST_PAUSE_S


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho would leave it open."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, or close and raise."""
        try:
            super().do_handshake(block)
        except (OSError, ValueError):
            self.close()
            raise


def _load_certificate(context: ssl.SSLContext, table: MqttTable) -> None:
    certificate, key = credential(table.cert_file), credential(table.key_file)
    try:
        context.load_cert_chain(certificate, key, password="")  # never ask at a terminal
    except ssl.SSLError as error:
        hint = f"no pair of certificate and unencrypted key in PEM form: {error.reason}"
        raise SetupError("read mqtt.cert_file and key_file", f"{certificate}, {key}", hint) from error


def _read(name: str, key: str) -> bytes:
    path = credential(name)
    try:
        return path.read_bytes()
    except OSError as error:
        hint = f"{error.strerror}; is it there and may this user read it?"
        raise SetupError(f"read {key}", str(path), hint) from error
