"""Desks as processes that get killed, and gateways that send every alert until its receipt comes."""

import random
import socket
import subprocess
import sys
from pathlib import Path

import msgspec

from gateway.core.payload import topic
from tests.broker import Heard, Listener, until
from tests.desk_parts import compound, published, told
from tests.events import PLACE

PATIENCE_S = 60.0

CONFIG = """
[desk]
name = "{name}"
store = "{store}"

[mqtt]
url = "mqtt://127.0.0.1:{port}"

[[channel]]
name = "pager"
kind = "webhook"
url = "{pager}"
success = {{ errcode = 0 }}
per_minute = 10000

[[person]]
name = "warden-1"
role = "warden"
channels = [["pager", "warden-1"]]

[[person]]
name = "duty-room"
role = "duty_room"
channels = [["pager", "duty-room"]]

[[duty]]
people = ["warden-1"]

[[ladder]]
severity = "critical"
steps = [{{ after_minutes = 0, to = "first" }}, {{ after_minutes = {minutes}, to = "duty_room" }}]
"""

WEB = """
[web]
listen = "127.0.0.1:{port}"
"""


class Desk:
    """One `compound-gateway desk`, started and killed at will."""

    def __init__(
        self,
        folder: Path,
        name: str,
        store: str,
        port: int,
        pager: str,
        *,
        minutes: float = 60.0,
        web: int = 0,
    ) -> None:
        self.name, self._file, self._web = name, folder / f"{name}.toml", web
        text = CONFIG.format(name=name, store=store, port=port, pager=pager, minutes=minutes)
        self._file.write_text(text + (WEB.format(port=web) if web else ""))
        self._log = folder / f"{name}.log"
        self.environment: dict[str, str] | None = None
        self._listened = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Start it."""
        self._listened = self.log.count("listening at")
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "gateway", "desk", "-c", str(self._file)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)

    def wait(self) -> None:
        """Wait until it listens; as systemd would, start it again where it ended for want of a database."""
        until(self._listens, what=f"the desk ({self._file.name})", within_s=PATIENCE_S)
        if self._web:
            until(lambda: answers(self._web), what="its pages", within_s=PATIENCE_S)

    def kill(self) -> None:
        """Kill it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> int:
        """Stop it in order; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        code = self._process.wait(10)
        self._process = None
        return code

    @property
    def runs(self) -> bool:
        """Return whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def _listens(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            self.launch()
        return self.log.count("listening at") > self._listened

    @property
    def pid(self) -> int:
        """Return the number of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def memory_mb(self) -> float:
        """Return its resident memory in MB (10^6 bytes)."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6

    @property
    def log(self) -> str:
        """Return what it has logged so far."""
        return self._log.read_text() if self._log.exists() else ""


def answers(port: int) -> bool:
    """Return whether somebody listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Gateway:
    """Publishes alerts and sends again whatever has no receipt yet, as the uplink does with `confirm = "desk"`.

    With `compounds_of`, so many alerts lie in one compound and the next in another: each compound is an incident.
    """

    def __init__(self, port: int, name: str, *, compounds_of: int = 0) -> None:
        self.name, self.sent, self.published, self._compounds_of = name, 0, 0, compounds_of
        self.receipts: set[int] = set()
        self._listener = Listener(port, topic(name, "receipt"), name=name, answer=self._take)

    def send(self, count: int, chance: random.Random) -> None:
        """Publish so many new alerts, in disorder, with some of the old ones among them."""
        new = list(range(self.sent + 1, self.sent + count + 1))
        self.sent += count
        again = sorted(set(range(1, self.sent + 1)) - self.receipts - set(new))
        mixed = [*new, *again, *chance.sample(new, k=min(10, count))]
        chance.shuffle(mixed)
        for seq in mixed:
            self._publish(seq)

    def send_again(self) -> None:
        """Publish what has no receipt."""
        for seq in set(range(1, self.sent + 1)) - self.receipts:
            self._publish(seq)

    @property
    def done(self) -> bool:
        """Return whether every alert has its receipt."""
        return len(self.receipts) == self.sent

    def finish(self) -> None:
        """Send again until everything has its receipt."""
        for _ in range(20):
            self.send_again()
            try:
                until(lambda: self.done, within_s=PATIENCE_S / 20, what="the receipts")
            except AssertionError:
                continue
            return
        assert self.done, f"{self.name}: {self.sent - len(self.receipts)} of {self.sent} have no receipt"

    def close(self) -> None:
        """Go away."""
        self._listener.close()

    def _publish(self, seq: int) -> None:
        self.published += 1
        place = compound(f"{self.name} {(seq - 1) // self._compounds_of}") if self._compounds_of else PLACE
        event = told(seq, previous=seq - 1 or None, place=place)
        self._listener.publish(topic(self.name, "alert"), published(event, self.name))

    def _take(self, _listener: Listener, heard: Heard) -> None:
        for first, last in msgspec.json.decode(heard.content)["stored"]:
            self.receipts.update(range(first, last + 1))
