"""A camera that sends one JPEG after the other over HTTP: its pictures are taken when they come."""

import contextlib
import itertools
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import pytest

from gateway.vision.frames import SourceError, open_source
from tests.vision.films import picture

PICTURES = 60


class Camera(BaseHTTPRequestHandler):
    """Sends some pictures as fast as they are taken from it, and hangs up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for number in range(PICTURES):
                data = cv2.imencode(".jpg", picture(number, 320, 240))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/mjpg"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("rate", [8, 30])
def test_pictures_without_times_have_those_they_come_at_however_many_there_are(url: str, rate: int) -> None:
    now, times = 1000.0, list[float]()
    packets: list[float] = []
    with open_source(url, clock=lambda: now) as source:
        source.on_packet = lambda packet: packets.append(packet.time_s)
        for frame in itertools.islice(source, 40):
            times.append(frame.time_s)
            now += 1 / rate
    assert times == pytest.approx([number / rate for number in range(40)], abs=1e-3)
    assert packets == pytest.approx(times, abs=1e-3)


def test_such_a_stream_is_live_and_its_end_is_a_loss(url: str) -> None:
    with open_source(url) as source:
        with pytest.raises(SourceError):
            list(source)
        assert source.live
        assert source.statistics.frames == PICTURES
