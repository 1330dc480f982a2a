"""Serve an ASGI app within a program: signals stay with whoever runs it, and open pages are ended in order."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Protocol

import uvicorn
from starlette.applications import Starlette

from gateway.desk.impatient import Impatient


class QuietServer(uvicorn.Server):
    """uvicorn without its own signal handlers: Ctrl-C belongs to whoever runs us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave all signals alone."""
        yield


class Served(Protocol):
    """An ASGI app, and the way to end what keeps its connections open."""

    @property
    def app(self) -> Starlette:
        """Return the app."""

    def close(self) -> None:
        """End every open page."""


async def serve(
    server: Served, *, host: str = "127.0.0.1", port: int = 0, listener: socket.socket | None = None
) -> None:
    """Serve until cancelled, then end every open page in order; on `listener`, if given, in place of host and port."""
    config = uvicorn.Config(
        server.app,
        host=host,
        port=port,
        http=Impatient,
        ws="none",
        server_header=False,
        log_level="critical",  # a browser that went away is no news
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    quiet = QuietServer(config)
    serving = asyncio.create_task(quiet.serve([listener] if listener else None), name="uvicorn")
    try:
        await asyncio.shield(serving)
    finally:
        server.close()
        quiet.should_exit = True
        await asyncio.wait([serving])
