"""A small RTSP server with real bytes: H.264 of a file over TCP, with a password if wanted, and with all its moods.

RFC 2326 (RTSP 1.0), RFC 6184 (H.264 in RTP, single NAL units and FU-A), RFC 2617 (Basic and Digest). One thread
listens, one serves each viewer. `frozen` keeps the connection and sends nothing more; `cut` breaks all connections;
`down` refuses new ones; `garbled` breaks the slices of every tenth picture.
"""

import base64
import contextlib
import hashlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import av
from av.packet import Packet

MOST = 1400  # bytes of an RTP payload
TICKS = 90000
NONCE = "5f3c9a"


@dataclass(frozen=True)
class Account:
    """Who may watch."""

    user: str
    password: str
    scheme: Literal["Basic", "Digest"] = "Digest"
    realm: str = "camera"

    def allows(self, method: str, header: str) -> bool:
        """Return whether an Authorization header is right for a request."""
        if self.scheme == "Basic":
            given = base64.b64decode(header.removeprefix("Basic ") or b"").decode()
            return given == f"{self.user}:{self.password}"
        parts = dict(re.findall(r'(\w+)="([^"]*)"', header))
        secret = _md5(f"{self.user}:{self.realm}:{self.password}")
        request = _md5(f"{method}:{parts.get('uri', '')}")
        return parts.get("response") == _md5(f"{secret}:{NONCE}:{request}")

    def challenge(self) -> str:
        """Return the header that asks for user and password."""
        nonce = f', nonce="{NONCE}"' if self.scheme == "Digest" else ""
        return f'WWW-Authenticate: {self.scheme} realm="{self.realm}"{nonce}\r\n'


class RtspServer:
    """Serves a file, over and over, `speed` times as fast as it is; 0 means as fast as the viewer takes it."""

    def __init__(self, film: Path, *, account: Account | None = None, speed: float = 1.0, rounds: int = 1000):
        self.account, self.speed, self.rounds = account, speed, rounds
        self.frozen, self.down, self.garbled = threading.Event(), False, False
        self.requests: list[str] = []
        self.units, self.parameters, self.step = _units(film)
        self._open: set[socket.socket] = set()
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._listen)]

    @property
    def url(self) -> str:
        """Return where to watch."""
        return f"rtsp://127.0.0.1:{self.port}/stream1"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.cut()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """Break all connections."""
        for viewer in tuple(self._open):
            with contextlib.suppress(OSError):
                viewer.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                viewer, _ = self._listener.accept()
            except OSError:
                return
            if self.down:
                viewer.close()
                continue
            self._open.add(viewer)
            self._threads.append(threading.Thread(target=self._serve, args=(viewer,)))
            self._threads[-1].start()

    def _serve(self, viewer: socket.socket) -> None:
        with contextlib.suppress(OSError), viewer:
            for method, headers in _requests(viewer):
                self.requests.append(method)
                status, extra, body = self._answer(method, headers)
                head = f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{extra}"
                length = f"Content-Length: {len(body)}\r\n" if body else ""
                viewer.sendall(f"{head}{length}\r\n{body}".encode())
                if method == "PLAY" and status.startswith("200"):
                    self._play(viewer)
                    break
        self._open.discard(viewer)

    def _answer(self, method: str, headers: dict[str, str]) -> tuple[str, str, str]:
        account = self.account
        if account and method != "OPTIONS" and not account.allows(method, headers.get("authorization", "")):
            return "401 Unauthorized", account.challenge(), ""
        match method:
            case "OPTIONS":
                return "200 OK", "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", ""
            case "DESCRIBE":
                return "200 OK", "Content-Type: application/sdp\r\n", self._sdp()
            case "SETUP":
                return "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 12345678\r\n", ""
            case "PLAY" | "TEARDOWN" | "GET_PARAMETER":
                return "200 OK", "Session: 12345678\r\n", ""
        return "405 Method Not Allowed", "", ""

    def _sdp(self) -> str:
        sets = ",".join(base64.b64encode(p).decode() for p in self.parameters)
        return (
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\n"
            f"a=rtpmap:96 H264/{TICKS}\r\na=control:track1\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
        )

    def _play(self, viewer: socket.socket) -> None:
        number, stamp = 0, 1000
        for turn in range(self.rounds * len(self.units)):
            while self.frozen.is_set() and not self._over.wait(0.02):
                viewer.getpeername()
            if self.speed and self._over.wait(self.step / TICKS / self.speed):
                return
            nals = self.units[turn % len(self.units)]
            for payload, last in _payloads(
                [_garble(n) for n in nals] if self.garbled and turn % 10 == 5 else nals
            ):
                rtp = (
                    struct.pack(">BBHII", 0x80, 96 | (last << 7), number & 0xFFFF, stamp & 0xFFFFFFFF, 77)
                    + payload
                )
                viewer.sendall(struct.pack(">BBH", 0x24, 0, len(rtp)) + rtp)
                number += 1
            stamp += self.step


def _requests(viewer: socket.socket) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (method, headers by lower-case name) as they come in."""
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            got = viewer.recv(4096)
            if not got:
                return
            waiting += got
        head, waiting = waiting.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        yield first.split(" ")[0], {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines)}


def _units(film: Path) -> tuple[list[list[bytes]], list[bytes], int]:
    """Return the NAL units of each picture in order of decoding, the parameter sets, and ticks per picture."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        extra = stream.codec_context.extradata or b""
        rate = float(stream.average_rate or 25)
        units = [_split(bytes(p)) for p in container.demux(stream) if isinstance(p, Packet) and p.size]
    size = int.from_bytes(extra[6:8])
    sps, rest = extra[8 : 8 + size], extra[8 + size + 1 :]
    return units, [sps, rest[2 : 2 + int.from_bytes(rest[:2])]], round(TICKS / rate)


def _split(data: bytes) -> list[bytes]:
    """Take a packet of an MP4 file apart, where each NAL unit has its length before it."""
    nals = []
    while data:
        size = int.from_bytes(data[:4])
        nals.append(data[4 : 4 + size])
        data = data[4 + size :]
    return nals


def _payloads(nals: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield (RTP payload, whether it ends the picture): RFC 6184, 5.6 and 5.8."""
    for which, nal in enumerate(nals):
        ends = which == len(nals) - 1
        if len(nal) <= MOST:
            yield nal, ends
            continue
        pieces = [nal[i : i + MOST] for i in range(1, len(nal), MOST)]
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            yield (
                bytes([nal[0] & 0xE0 | 28, (i == 0) << 7 | last << 6 | nal[0] & 0x1F]) + piece,
                ends and last,
            )


def _garble(nal: bytes) -> bytes:
    """Return a NAL unit of the same kind with nonsense in it."""
    return nal[:1] + bytes(255 - b for b in nal[1:])


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
