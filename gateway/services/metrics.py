"""The Prometheus endpoint: a GET of /metrics answers with the health document as figures. Off unless configured.

prometheus-client writes the exposition format; the few lines of HTTP are ours, because its own server answers from a
thread, and the document belongs to the loop. Only reading, nothing secret, every request bounded in size and time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from gateway.core.measures import Family, families

log = logging.getLogger(__name__)

LONGEST_REQUEST: Final = 8 * 1024
PATIENCE_S: Final = 5.0
MOST_CLIENTS: Final = 8
OPEN: Final = "application/openmetrics-text"
PATHS: Final = ("/metrics", "/")
STATUS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    503: "Service Unavailable",
}


class Metrics:
    """Serves `document` at an address, "127.0.0.1" and 9108."""

    def __init__(self, host: str, port: int, document: Callable[[], Mapping[str, Any]]) -> None:
        self._host, self._port = host, port
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Figures(document))
        self._clients = 0

    async def run(self) -> None:
        """Serve until cancelled; OSError where the address cannot be had."""
        server = await asyncio.start_server(
            self._client, self._host, self._port, limit=LONGEST_REQUEST, start_serving=False
        )
        async with server:
            await server.start_serving()  # who is cancelled in here must give the port back too
            log.info("figures for Prometheus at http://%s:%d/metrics", self._host, self._port)
            await asyncio.get_running_loop().create_future()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                writer.write(await self._answer(reader))
                await writer.drain()
        except (TimeoutError, ConnectionError) as error:
            log.debug("a reader of the figures is gone: %s", error)
        finally:
            self._clients -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader) -> bytes:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return _response(400)
        if self._clients > MOST_CLIENTS:
            return _response(503)
        head, *lines = request.split("\r\n")
        words = head.split(" ")
        if len(words) != 3:
            return _response(400)
        if words[0] != "GET":
            return _response(405)
        if words[1].partition("?")[0] not in PATHS:
            return _response(404)
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        # Not the header itself: on a strange version in it prometheus-client 0.26 fails with a TypeError.
        encode, kind = choose_encoder(OPEN if OPEN in headers.get("accept", "") else "")
        return _response(200, encode(self._registry), kind)


class _Figures(Collector):
    """Makes prometheus-client's families out of ours, at the time they are asked for."""

    def __init__(self, document: Callable[[], Mapping[str, Any]]) -> None:
        self._document = document

    def collect(self) -> Iterable[Metric]:
        """Return all families."""
        return [_metric(family) for family in families(self._document())]


def _metric(family: Family) -> Metric:
    make = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = make(family.name, family.help, labels=family.labels)
    for labels, value in family.samples:
        metric.add_metric(labels, value)
    return metric


def _response(status: int, content: bytes = b"", kind: str = "text/plain") -> bytes:
    content = content or f"{status} {STATUS[status]}\n".encode()
    head = f"HTTP/1.1 {status} {STATUS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"Connection: close\r\nX-Content-Type-Options: nosniff\r\n\r\n" + content
