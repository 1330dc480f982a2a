"""The control socket over a real socket: answers, refusals, bounds, and who may have it."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.api import DeviceError
from gateway.core.policy import PolicyError
from gateway.runtime import loop
from gateway.services.control import MAX_CLIENTS, MAX_REQUEST, Control, ControlError, Operation

Answer = dict[str, Any]


async def echo(request: Mapping[str, Any]) -> Answer:
    return {"you_said": dict(request)}


async def refuse(request: Mapping[str, Any]) -> Answer:
    raise PolicyError("not allowed", "ask somebody else")


async def silent_device(request: Mapping[str, Any]) -> Answer:
    raise DeviceError("write", "door-1", "exception 4")


async def broken(request: Mapping[str, Any]) -> Answer:
    raise ZeroDivisionError("our own fault")


async def count(request: Mapping[str, Any]) -> AsyncIterator[Answer]:
    for number in range(int(request.get("to", 3))):
        yield {"number": number}


async def flood(request: Mapping[str, Any]) -> AsyncIterator[Answer]:
    while True:
        yield {"padding": "x" * 10_000}


OPERATIONS: dict[str, Operation] = {
    "echo": echo, "refuse": refuse, "device": silent_device, "broken": broken, "count": count, "flood": flood
}  # fmt: skip


def with_control(path: Path, talk: Callable[[Control], Awaitable[None]], *, write_s: float = 5.0) -> None:
    """Run `talk` while a control socket serves at `path`."""

    async def main() -> None:
        control = Control(path, OPERATIONS, write_s=write_s)
        control.open()
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(control.run())
            await asyncio.sleep(0)  # let it begin, so that it has something to end
            async with asyncio.timeout(10):
                await talk(control)
            serving.cancel()

    asyncio.run(main())


async def ask(path: Path, *lines: bytes, answers: int = 1) -> list[Answer]:
    reader, writer = await asyncio.open_unix_connection(path, limit=2**20)
    writer.write(b"".join(line + b"\n" for line in lines))
    told = [json.loads(await reader.readline()) for _ in range(answers)]
    writer.close()
    return told


def asked(path: Path, *lines: bytes, answers: int = 1) -> list[Answer]:
    told: list[Answer] = []

    async def talk(control: Control) -> None:
        told.extend(await ask(path, *lines, answers=answers))

    with_control(path, talk)
    return told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


def test_a_request_gets_one_line_back(path: Path) -> None:
    (answer,) = asked(path, b'{"op": "echo", "x": 1}')
    assert answer["ok"] is True
    assert answer["you_said"]["x"] == 1


def test_an_operation_learns_the_local_user_and_cannot_be_lied_to(path: Path) -> None:
    (answer,) = asked(path, b'{"op": "echo", "origin": "local:somebody-else"}')
    assert answer["you_said"]["origin"] != "local:somebody-else"
    assert answer["you_said"]["origin"].startswith("local:")


def test_a_stream_ends_with_a_line_that_says_so(path: Path) -> None:
    answers = asked(path, b'{"op": "count", "to": 2}', answers=3)
    assert answers == [{"ok": True, "number": 0}, {"ok": True, "number": 1}, {"ok": True, "end": True}]


def test_one_connection_takes_many_requests_good_and_bad(path: Path) -> None:
    answers = asked(path, b'{"op": "echo"}', b"rubbish", b'{"op": "echo"}', answers=3)
    assert [answer["ok"] for answer in answers] == [True, False, True]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"rubbish", "this is not JSON"),
        (b"\xff\xfe", "this is not JSON"),
        (b"[" * 60_000, "this is not JSON"),
        (b"[]", "no operation named"),
        (b'{"op": 3}', "no operation named"),
        (b'{"op": "nonsense"}', "no operation 'nonsense'"),
        (b'{"op": "refuse"}', "not allowed"),
        (b'{"op": "device"}', "write: door-1"),
        (b'{"op": "broken"}', "broken failed: ZeroDivisionError"),
        (b"x" * (MAX_REQUEST + 10), "request too long"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason_and_a_hint(path: Path, line: bytes, error: str) -> None:
    (answer,) = asked(path, line)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["hint"]


def test_only_owner_and_group_may_connect(path: Path) -> None:
    async def talk(control: Control) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660

    with_control(path, talk)


def test_no_socket_is_left_behind(path: Path) -> None:
    asked(path, b'{"op": "echo"}')
    assert not path.exists()


def test_one_stopped_in_the_moment_it_begins_to_serve_leaves_a_loop_that_runs(path: Path) -> None:
    """Two reloads in one breath: a closed socket that is still looked at ends the whole process."""

    async def main() -> None:
        control = Control(path, OPERATIONS)
        control.open()
        serving = asyncio.create_task(control.run())
        await asyncio.sleep(0)
        serving.cancel()
        await asyncio.wait([serving])
        await asyncio.sleep(0.001)

    loop.run(main())
    assert not path.exists()


def test_a_dead_socket_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(os.fspath(path))
    assert path.is_socket()
    assert asked(path, b'{"op": "echo"}')[0]["ok"]


def test_a_second_gateway_is_refused_and_the_first_goes_on(path: Path) -> None:
    async def talk(control: Control) -> None:
        with pytest.raises(ControlError, match="running here already"):
            await asyncio.to_thread(Control(path, OPERATIONS).open)
        assert (await ask(path, b'{"op": "echo"}'))[0]["ok"]

    with_control(path, talk)


def test_a_file_in_the_way_is_left_alone(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(ControlError, match="no socket has this name"):
        Control(path, OPERATIONS).open()
    assert path.read_text() == "mine"


def test_a_path_too_long_for_a_socket_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="control_socket"):
        Control(tmp_path / ("x" * 120), OPERATIONS).open()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="No such file"):
        Control(tmp_path / "nope" / "control.sock", OPERATIONS).open()


def test_a_client_that_does_not_read_is_sent_away_and_counted(path: Path) -> None:
    async def talk(control: Control) -> None:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"op": "flood"}\n')
        while not control.dropped:
            await asyncio.sleep(0.01)
        assert (await ask(path, b'{"op": "echo"}'))[0]["ok"]
        writer.close()

    with_control(path, talk, write_s=0.05)


def test_more_clients_than_there_is_room_for_are_told_so(path: Path) -> None:
    async def talk(control: Control) -> None:
        held = [await asyncio.open_unix_connection(path) for _ in range(MAX_CLIENTS)]
        for reader, writer in held:
            writer.write(b'{"op": "echo"}\n')
            await reader.readline()
        (answer,) = await ask(path, answers=1)
        assert not answer["ok"]
        for _, writer in held:
            writer.close()

    with_control(path, talk)


def test_stopping_does_not_wait_for_clients(path: Path) -> None:
    async def talk(control: Control) -> None:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"op": "flood"}\n')
        await asyncio.sleep(0)
        writer.close()

    with_control(path, talk)
