"""Publishes one message again and again, at a steady rate, over a plain socket: what an attacker would write.

python -m tests.bench.flooder PORT TOPIC FILE PER_SECOND SECONDS
"""

import json
import socket
import sys
import time
from pathlib import Path

CONNECT = b"\x10\x14\x00\x04MQTT\x04\x02\x00\x3c\x00\x08attacker"  # MQTT 3.1.1, section 3.1
BURST_S = 0.01


def main() -> None:
    """Flood, then say how much it was."""
    port, topic, file, per_second, seconds = sys.argv[1:]
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + Path(file).read_bytes()
    packet = b"\x30" + length(len(body)) + body
    burst = max(int(int(per_second) * BURST_S), 1)
    with socket.create_connection(("127.0.0.1", int(port))) as broker:
        broker.sendall(CONNECT)
        assert broker.recv(4) == b"\x20\x02\x00\x00"
        began, sent = time.monotonic(), 0
        while (now := time.monotonic()) - began < float(seconds):
            due = int((now - began) * int(per_second)) - sent
            if due >= burst:
                broker.sendall(packet * due)
                sent += due
            time.sleep(BURST_S / 2)
        print(json.dumps({"sent": sent, "seconds": time.monotonic() - began}))


def length(size: int) -> bytes:
    """Return a length as MQTT writes it (section 2.2.3)."""
    made = bytearray()
    while True:
        size, digit = divmod(size, 128)
        made.append(digit | (128 if size else 0))
        if not size:
            return bytes(made)


if __name__ == "__main__":
    main()
