"""The control socket: a running gateway answers the tools of its own machine, one JSON line a request.

A request is `{"op": "status", ...}`, its answer `{"ok": true, ...}` or `{"ok": false, "error": ..., "hint":
...}`. An operation that is an async generator answers with many lines and a last `{"ok": true, "end": true}`,
so that a client can tell the end of an export from a broken connection.

Who may connect is decided by the file: mode 0660, owner and group of the daemon. Every input is bounded: the
length of a request, the number of clients, and the time one of them may take to read its answer.
"""

import asyncio
import errno
import logging
import os
import pwd
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from drivers.api import DriverError
from gateway.core.policy import PolicyError
from gateway.runtime.peer import peer_uid

log = logging.getLogger(__name__)

MAX_REQUEST = 64 * 1024
MAX_CLIENTS = 32
IDLE_S = 60.0  # a client that asks nothing for so long is sent away
WRITE_S = 5.0  # ... and one that does not read its answer

Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, Any]
Operation: TypeAlias = Callable[[Request], Awaitable[Answer] | AsyncIterator[Answer]]


class ControlError(Exception):
    """The socket cannot be had, or a request makes no sense; `hint` says what to do."""

    def __init__(self, error: str, hint: str = "") -> None:
        super().__init__(error, hint)
        self.error, self.hint = error, hint

    def __str__(self) -> str:
        return self.error + (f" ({self.hint})" if self.hint else "")


class Control:
    """Serves `operations` at `path`. Each gets the request with `origin`, the local user who asks, added."""

    def __init__(self, path: Path, operations: Mapping[str, Operation], *, write_s: float = WRITE_S) -> None:
        self.served = 0
        self.refused = 0
        self.dropped = 0  # clients sent away because they did not read
        self._path, self._operations, self._write_s = path, operations, write_s
        self._socket: socket.socket | None = None
        self._clients = 0

    def open(self) -> None:
        """Take the socket, before anything else is started; ControlError if a gateway has it already."""
        if self._socket is None:
            self._socket = _listen(self._path)

    async def run(self) -> None:
        """Serve until cancelled, then leave no socket behind."""
        self.open()
        assert self._socket is not None
        listening, self._socket = self._socket, None
        with listening:
            await self._serve(listening)

    def close(self) -> None:
        """Give the socket back where nobody came to serve at it: whoever asks next finds no gateway there."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._path.unlink(missing_ok=True)

    async def _serve(self, listening: socket.socket) -> None:
        async with asyncio.TaskGroup() as group:
            serving = True

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                if not serving:  # accepted in the very moment of stopping
                    writer.close()
                    return
                task = group.create_task(self._client(reader, writer), name="control client")
                task.add_done_callback(lambda _: writer.close())  # also when it never got to run

            server = await asyncio.start_unix_server(
                connected, sock=listening, limit=MAX_REQUEST, start_serving=False
            )
            try:
                # who is cancelled in here must take the socket out of the loop too
                await server.start_serving()
                await asyncio.get_running_loop().create_future()
            finally:
                serving = False
                server.close()
                self._path.unlink(missing_ok=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if self._clients > MAX_CLIENTS:
                error = ControlError(f"more than {MAX_CLIENTS} clients at once", "close some of them")
                await self._refuse(writer, error)
            else:
                await self._converse(reader, writer)
        except ConnectionError as error:  # it went away in the middle of an answer, or was sent away
            log.debug("control client gone: %s", error)
        finally:
            self._clients -= 1

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        origin = f"local:{_user(writer)}"
        try:
            while line := await _read_line(reader):
                try:
                    await self._answer(writer, {**_parse(line), "origin": origin})
                except ControlError as error:
                    await self._refuse(writer, error)
        except ControlError as error:  # what follows a line that is too long cannot be told apart
            await self._refuse(writer, error)

    async def _answer(self, writer: asyncio.StreamWriter, request: Request) -> None:
        operation = self._operations.get(request["op"])
        if operation is None:
            raise ControlError(f"no operation {request['op']!r}", "there is: " + ", ".join(self._operations))
        try:
            await self._carry_out(writer, operation(request))
        except PolicyError as error:
            raise ControlError(error.what, error.hint) from error
        except DriverError as error:
            raise ControlError(f"{error.op}: {error.where}", error.hint) from error
        except (ControlError, ConnectionError):
            raise
        except Exception as fault:  # one bad request must not cost the daemon its control socket
            log.exception("operation %s failed", request["op"])
            what = f"{request['op']} failed: {type(fault).__name__}"
            raise ControlError(what, "see the gateway's log") from fault
        self.served += 1

    async def _carry_out(
        self, writer: asyncio.StreamWriter, answer: Awaitable[Answer] | AsyncIterator[Answer]
    ) -> None:
        if isinstance(answer, Awaitable):
            await self._write(writer, {"ok": True, **await answer})
            return
        try:
            async for line in answer:
                await self._write(writer, {"ok": True, **line})
        finally:
            if isinstance(answer, AsyncGenerator):
                await answer.aclose()
        await self._write(writer, {"ok": True, "end": True})

    async def _refuse(self, writer: asyncio.StreamWriter, error: ControlError) -> None:
        self.refused += 1
        await self._write(writer, {"ok": False, "error": error.error, "hint": error.hint})

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        writer.write(msgspec.json.encode(answer) + b"\n")
        try:
            async with asyncio.timeout(self._write_s):
                await writer.drain()
        except TimeoutError as error:
            self.dropped += 1
            log.warning("a client of the control socket does not read its answer; sent away")
            writer.transport.abort()
            raise ConnectionAbortedError("does not read") from error


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; empty at the end, or when none comes; ControlError if it is too long."""
    try:
        async with asyncio.timeout(IDLE_S):
            return await reader.readuntil(b"\n")
    except TimeoutError:
        return b""
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        raise ControlError("request too long", f"at most {MAX_REQUEST} bytes") from error


def _parse(line: bytes) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ControlError("this is not JSON", 'ask like {"op": "status"}') from error
    if not isinstance(request, dict) or not isinstance(request.get("op"), str):
        raise ControlError("no operation named", 'ask like {"op": "status"}')
    return request


def _listen(path: Path) -> socket.socket:
    """Return a listening socket nobody but owner and group can connect to, in place of a dead one."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        _remove_stale(path)
        os.fchmod(listening.fileno(), 0o600)  # Linux makes the file with this mode: never open too wide
        listening.bind(os.fspath(path))
        path.chmod(0o660)
        listening.listen(MAX_CLIENTS)
    except ControlError:
        listening.close()
        raise
    except OSError as error:
        listening.close()
        raise ControlError(f"control socket {path}: {error.strerror or error}", _hint(error)) from error
    return listening


def _remove_stale(path: Path) -> None:
    """Remove a socket nobody answers at; ControlError if a gateway does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as trial:
        trial.settimeout(1.0)
        try:
            trial.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
    raise ControlError(
        f"a gateway is running here already (it answers at {path})",
        "stop it first: systemctl stop compound-gateway; or give this one its own state_dir",
    )


def _hint(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "something that is no socket has this name; move it away"
    if "too long" in str(error):
        return "a socket's path has at most 107 bytes; set gateway.control_socket to a shorter one"
    return "set gateway.control_socket, or run as the user who owns the directory"


def _user(writer: asyncio.StreamWriter) -> str:
    """Return the name of the local user at the other end."""
    uid = peer_uid(writer.get_extra_info("socket"))
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
