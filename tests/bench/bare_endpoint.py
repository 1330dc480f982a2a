"""What the desk is measured against: a Starlette endpoint that does one INSERT for every request, and nothing else.

python -m tests.bench.bare_endpoint STORE PORT
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.desk import server
from gateway.desk.store.opening import open_database
from tests.bench.rig import ENVIRONMENT
from tests.broker import free_port, until
from tests.faults.desk_rig import answers

CLIENTS = 32  # connections that are kept open, each with one request at a time
HEAD = b"POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n"
DONE = b"HTTP/1.1 200"


class Bare:
    """An ASGI app with one table and one endpoint."""

    def __init__(self, where: str) -> None:
        self.app = Starlette(routes=[Route("/", self._take, methods=["POST"])])
        self._where = where

    async def serve(self, port: int) -> None:
        """Serve until killed."""
        self._database = await open_database(self._where)
        async with self._database.transaction() as transaction:
            await transaction.execute("CREATE TABLE bare (id TEXT PRIMARY KEY, body TEXT NOT NULL)")
        self._number = 0
        await server.serve(self, port=port)

    def close(self) -> None:
        """Have nothing to end."""

    async def _take(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self._number += 1
        name = str(self._number)
        async with self._database.transaction() as transaction:
            await transaction.execute("INSERT INTO bare (id, body) VALUES ($1, $2)", name, body)
        return Response()


def rate(where: str, bodies: Sequence[bytes]) -> float:
    """Return how many requests a second a bare endpoint over the database at `where` takes."""
    with _running(where) as port:
        return asyncio.run(_ask(port, bodies))


@contextmanager
def _running(where: str) -> Iterator[int]:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.bare_endpoint", where, str(port)]
    process = subprocess.Popen(command, env=ENVIRONMENT)
    try:
        until(lambda: answers(port), what="the bare endpoint")
        yield port
    finally:
        process.kill()
        process.wait()


async def _ask(port: int, bodies: Sequence[bytes]) -> float:
    waiting = list(bodies)
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(_client(port, waiting), name=f"client {number}")
    return len(bodies) / (time.perf_counter() - began)


async def _client(port: int, waiting: list[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while waiting:
        body = waiting.pop()
        writer.write(HEAD % len(body) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(DONE), answer
    writer.close()


if __name__ == "__main__":
    asyncio.run(Bare(sys.argv[1]).serve(int(sys.argv[2])))
