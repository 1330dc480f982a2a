"""Measure what a captive portal does to the uplink; run in mount and network namespaces of its own (`unshare -mn`).

Every name resolves to the portal, which answers each port like a web server that wants a login. Then somebody logs in:
the name resolves to the broker. Prints one JSON object: what the trouble was called, and how long until an alert that
waited was confirmed.
"""

import asyncio
import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from gateway.core.config import MqttTable
from gateway.runtime.loop import run
from gateway.services.uplink import Uplink
from tests.broker import Mosquitto, listener, mosquitto
from tests.uplink_parts import GATEWAY, MemoryJournal, alert_body, until

PORTAL, HOME = "127.0.0.77", "127.0.0.1"
LOGIN = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nContent-Length: 0\r\n\r\n"


class Names(threading.Thread):
    """A DNS server (RFC 1035) that has one answer to every question; it hands out no address of version 6."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.address = PORTAL
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))

    def run(self) -> None:
        while True:
            query, who = self._socket.recvfrom(512)
            self.asked += 1
            question = query[12 : query.index(b"\0", 12) + 5]
            wants_v4 = question[-4:-2] == b"\0\1"
            head = query[:2] + b"\x81\x80\0\1" + struct.pack(">HHH", wants_v4, 0, 0)
            answer = b"\xc0\x0c\0\1\0\1" + struct.pack(">IH", 0, 4) + socket.inet_aton(self.address)
            self._socket.sendto(head + question + (answer if wants_v4 else b""), who)


async def story(broker: Mosquitto, names: Names) -> dict[str, object]:
    """Have an alert wait behind the portal, then let it through."""

    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(LOGIN)
        writer.close()

    server = await asyncio.start_server(portal, PORTAL, broker.port)
    journal = MemoryJournal()
    table = MqttTable(url=f"mqtt://broker.example:{broker.port}")
    uplink = Uplink(
        table, GATEWAY, journal=journal, states=lambda _: None, health=lambda: b"{}", submit=journal.submit
    )
    task = asyncio.create_task(uplink.run(), name="uplink")
    try:
        journal.submit(alert_body())
        await until(lambda: "connect" in uplink.statistics().trouble, within_s=60)
        trouble, waiting = (
            uplink.statistics().trouble,
            journal.depth("uplink.urgent", next(iter(journal.events))),
        )
        names.address = HOME
        began = asyncio.get_running_loop().time()
        await until(lambda: uplink.statistics().confirmed > 0, within_s=60)
        took_s = asyncio.get_running_loop().time() - began
        return {"trouble": trouble, "waiting": waiting, "took_s": took_s, "asked": names.asked}
    finally:
        task.cancel()
        await asyncio.wait([task])
        server.close()


def main() -> None:
    """Set the scene and measure."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as name:
        resolver = Path(name) / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="ascii")
        subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True)
        names = Names()
        names.start()
        with mosquitto(Path(name)) as broker, listener(broker.port):
            found = run(story(broker, names))
        subprocess.run(["umount", "/etc/resolv.conf"], check=True)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
