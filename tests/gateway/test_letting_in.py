"""`desk pair` lets in the first phone: the running desk is asked, address and QR code are shown, all is on record."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from gateway import desk_client, desk_control, duty
from gateway.cli import cli
from gateway.desk import service
from gateway.desk.store import work
from gateway.desk.store.opening import open_database
from gateway.desk.tables import DeskConfig
from gateway.desk.web.app import WebServer
from gateway.letting_in import place_of
from gateway.runtime.supervisor import Run
from gateway.runtime.systemd import Notifier

FILE = """
[desk]
name = "street"
[web]
listen = "127.0.0.1:0"
url = "http://desk.example:8090/"
[[channel]]
name = "phones"
kind = "ntfy"
url = "http://127.0.0.1:2586"
[[person]]
name = "duty-room"
role = "duty_room"
channels = [["phones", "duty-room"]]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the file of a desk."""
    made = tmp_path / "desk.toml"
    made.write_text(FILE)
    return made


def pair(file: Path, *arguments: str, language: str = "en") -> Result:
    """Run the command."""
    return CliRunner().invoke(cli, ["--lang", language, "desk", "pair", "-c", str(file), *arguments])


def with_desk(file: Path, body: Callable[[service.Desk], Awaitable[None]]) -> None:
    """Do something while the desk of a file runs."""
    desks: list[service.Desk] = []

    async def main() -> None:
        config, faults = duty.load(file)
        assert config is not None, faults
        stop, path = asyncio.Event(), Path(config.desk.control_socket)

        def more(desk: service.Desk, config: DeskConfig) -> Mapping[str, Run]:
            desks.append(desk)
            return desk_control.services(desk, config)

        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            group.create_task(service.serve(config, stop, Notifier(), more=more))
            while not path.exists():
                await asyncio.sleep(0.01)
            try:
                await body(desks[0])
            finally:
                stop.set()

    asyncio.run(main())


def test_a_desk_beside_an_installed_gateway_is_found_where_that_has_its_sockets(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = file.parent / "run"
    folder.mkdir()
    monkeypatch.setattr(desk_client, "SYSTEM_SOCKETS", (folder / "nobody.sock", folder / "desk.sock"))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(folder))

    async def body(_: service.Desk) -> None:
        monkeypatch.delenv("RUNTIME_DIRECTORY")  # which the tools do not have
        result = await asyncio.to_thread(pair, file, "duty-room")
        assert result.exit_code == 0, result.output

    with_desk(file, body)


def test_the_first_phone_is_let_in_by_an_address_and_a_code_in_the_terminal(file: Path) -> None:
    async def body(desk: service.Desk) -> None:
        result = await asyncio.to_thread(pair, file, "duty-room", "--label", "值班室")
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert lines[0].startswith("until ")
        assert lines[1].startswith("http://desk.example:8090/pair#")
        assert sum("█" in line or "▄" in line for line in lines[2:]) > 10
        assert desk.parts is not None
        transport = httpx.ASGITransport(WebServer(desk.parts).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.example:8090") as phone:
            answer = await phone.post("/api/pair", json={"token": lines[1].partition("#")[2]})
        assert (answer.json()["person"], answer.json()["label"]) == ("duty-room", "值班室")

    with_desk(file, body)

    async def record() -> list[str]:
        database = await open_database(str(file.parent / "desk.db"))
        async with database.transaction() as transaction:
            rows = await work.trail(transaction, "phones")
        await database.close()
        return [row["who"] for row in rows]

    (who,) = asyncio.run(record())
    assert who.startswith("local:")


def test_a_shared_phone_is_let_in_for_its_place(file: Path) -> None:
    async def body(desk: service.Desk) -> None:
        result = await asyncio.to_thread(pair, file, "--shared", "compound=红星亭坡", language="zh")
        assert result.exit_code == 0, result.output
        assert "扫码" in result.output

    with_desk(file, body)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nobody-at-all",), "there is no [[person]] 'nobody-at-all'"),
        ((), "name either a person or, with --shared, a place"),
        (("duty-room", "--shared", "everywhere"), "name either a person"),
        (("--shared", "roof=1"), "roof=1 is no place"),
        (("x" * 200,), "Expected `str` of length <= 100"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line(file: Path, arguments: tuple[str, ...], told: str) -> None:
    async def body(desk: service.Desk) -> None:
        result = await asyncio.to_thread(pair, file, *arguments)
        assert result.exit_code == 1
        assert told in result.output

    with_desk(file, body)


def test_without_a_desk_running_it_says_so(file: Path) -> None:
    result = pair(file, "duty-room")
    assert result.exit_code == 1
    assert "no desk is running here" in result.output


def test_a_desk_without_pages_says_what_is_missing(file: Path) -> None:
    file.write_text(FILE.replace('[web]\nlisten = "127.0.0.1:0"\nurl = "http://desk.example:8090/"\n', ""))

    async def body(desk: service.Desk) -> None:
        result = await asyncio.to_thread(pair, file, "duty-room")
        assert "this desk has no pages" in result.output

    with_desk(file, body)


@pytest.mark.parametrize("url", ["", 'url = "http://[::1]"\n', 'url = "http://localhost/"\n'])
def test_an_address_that_only_this_machine_reaches_is_said_to_be_one(file: Path, url: str) -> None:
    file.write_text(FILE.replace('url = "http://desk.example:8090/"\n', url))

    async def body(desk: service.Desk) -> None:
        result = await asyncio.to_thread(pair, file, "duty-room")
        assert "only this machine reaches that address" in result.output

    with_desk(file, body)


@pytest.mark.parametrize(
    ("listen", "url"),
    [("127.0.0.1:8090", "http://127.0.0.1:8090"), ("[::1]:80", "http://[::1]:80")],
)
def test_the_address_is_where_the_desk_listens(listen: str, url: str) -> None:
    assert desk_control.reached(listen) == url
    assert "0.0.0.0" not in desk_control.reached("0.0.0.0:8090")


def test_a_place_is_told_by_its_levels() -> None:
    assert place_of(["community=中山二路", "compound=1 号院"]) == {
        "community": "中山二路",
        "compound": "1 号院",
    }
    assert place_of(["everywhere"]) == {}
