"""A TCP proxy that stands before a broker and misbehaves: freezes, is slow, swallows answers, turns MQTT 5 away."""

import asyncio
from collections.abc import Callable
from types import TracebackType

Answer = Callable[[bytes], bytes | None]
"""Looks at the first bytes of a connection; returns None to pass everything on, or the last words to it."""


class Proxy:
    """Passes bytes to `port` on loopback until told otherwise.

    `edit` may change what the broker says, `late_s` is how long each piece of it takes to arrive.
    """

    def __init__(self, port: int, *, answer: Answer = lambda _hello: None) -> None:
        self.port = 0
        self.edit: Callable[[bytes], bytes] = lambda data: data
        self.late_s = 0.0
        self.connections = 0
        self._onward = port
        self._answer = answer
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def freeze(self) -> None:
        """Neither read nor write from now on, and close nothing."""
        self._open.clear()

    def thaw(self) -> None:
        """Go on where the freeze began."""
        self._open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._open.wait()
            hello = await reader.read(4096)
            last_words = self._answer(hello)
            if last_words is None:
                await self._join(reader, writer, hello)
            else:
                writer.write(last_words)
                await writer.drain()
        except (asyncio.CancelledError, OSError):
            pass  # the test is over, or somebody hung up: both are what a proxy is for
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: bytes) -> None:
        inside, onward = await asyncio.open_connection("127.0.0.1", self._onward)
        onward.write(hello)
        try:
            async with asyncio.TaskGroup() as group:
                back = group.create_task(self._pass(inside, writer, edited=True), name="back")
                await self._pass(reader, onward, edited=False)
                back.cancel()
        except* OSError:
            pass
        finally:
            onward.close()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, edited: bool
    ) -> None:
        while data := await reader.read(65_536):
            await self._open.wait()
            if edited and self.late_s:
                await asyncio.sleep(self.late_s)
            writer.write(self.edit(data) if edited else data)
            await writer.drain()
        writer.close()


def turn_mqtt_5_away(last_words: bytes) -> Answer:
    """Return an answer that ends every CONNECT of protocol level 5 with `last_words` (MQTT 5, 3.1.2.2)."""

    def answer(hello: bytes) -> bytes | None:
        level = hello[hello.index(b"\x00\x04MQTT") + 6]
        return last_words if level == 5 else None

    return answer
