"""Many open phones in one process: plain sockets and epoll, because ten thousand clients of a library measure it.

    python -m tests.bench.open_phones PORT COOKIES RESULT

COOKIES has a phone's cookie on each line. Says `open N` once so many streams have begun, takes in what comes until its
input ends, then writes to RESULT how many streams are still open, and at what wall time each alert came to each phone.
"""

import json
import select
import socket
import sys
import time
from collections import defaultdict
from pathlib import Path

AT_ONCE = 100  # phones that are being let in
BEGUN = b"event: at\n"
ALERT = b'"alert":"'


class Phones:
    """All phones of this process."""

    def __init__(self, port: int, cookies: list[str]) -> None:
        self.heard: dict[str, list[float]] = defaultdict(list)
        self.open = 0
        self.lost = 0
        self._port, self._cookies = port, cookies
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._opening: set[int] = set()
        self._told = False

    def run(self) -> None:
        """Open all streams and read them until standard input ends."""
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)
        while True:
            while self._cookies and len(self._opening) < AT_ONCE:
                self._connect(self._cookies.pop())
            for number, _ in self._poll.poll():
                if number == sys.stdin.fileno():
                    return
                self._read(number)
            if not self._opening and not self._cookies and not self._told:
                self._told = True
                print(f"open {self.open}", flush=True)

    def _connect(self, cookie: str) -> None:
        made = socket.create_connection(("127.0.0.1", self._port))
        request = f"GET /api/events HTTP/1.1\r\nHost: desk.test\r\nCookie: desk={cookie}\r\n\r\n"
        made.sendall(request.encode())
        made.setblocking(False)
        self._sockets[made.fileno()] = made
        self._opening.add(made.fileno())
        self._poll.register(made.fileno(), select.EPOLLIN)

    def _read(self, number: int) -> None:
        data = self._sockets[number].recv(65_536)
        if not data:
            self._poll.unregister(number)
            self._sockets.pop(number).close()
            self._opening.discard(number)
            self.lost += 1
            return
        if (at := data.find(ALERT)) >= 0:
            self.heard[data[at + len(ALERT) : data.index(b'"', at + len(ALERT))].decode()].append(time.time())
        if number in self._opening and BEGUN in data:
            self._opening.discard(number)
            self.open += 1


def main() -> None:
    """Be so many phones."""
    port, cookies, result = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    phones = Phones(port, cookies.read_text(encoding="ascii").split())
    phones.run()
    told = {"open": phones.open - phones.lost, "lost": phones.lost, "heard": phones.heard}
    result.write_text(json.dumps(told), encoding="ascii")


if __name__ == "__main__":
    main()
