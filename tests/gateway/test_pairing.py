"""`osdp pair`: a reader gets its key, the file keeps it, and nothing is lost when it goes wrong."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from drivers.api import LineSettings
from drivers.sim.osdp import SimReader
from drivers.sim.osdp_line import ReaderLine
from drivers.sim.pty_line import PtyLine
from gateway import configuration
from gateway.cli import cli

TEXT = """
[gateway]
id = "bench"
state_dir = "{folder}/state"

[[bus]]
name = "readers"
port = "{folder}/readers"
baud = 115200

[[bus.device]]
name = "reader-1"
profile = "osdp-reader"
address = 0
key_file = "reader-1-key"
"""


@contextmanager
def line(folder: Path, reader: SimReader) -> Iterator[None]:
    """Have a reader on a line, served by a loop in a thread of its own: pairing runs one itself."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    stack = ExitStack()

    async def plug() -> None:
        settings = LineSettings("readers", "pty", baud=115200)
        stack.enter_context(PtyLine(ReaderLine(settings, [reader]), link=folder / "readers"))

    async def unplug() -> None:
        stack.close()
        reader.close()

    asyncio.run_coroutine_threadsafe(plug(), loop).result(timeout=10)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(unplug(), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


def pair(folder: Path, *arguments: str, device: str = "reader-1") -> Result:
    """Run the command on the configuration in a folder."""
    (folder / "gateway.toml").write_text(TEXT.format(folder=folder), encoding="utf-8")
    command = ["osdp", "pair", device, "-c", str(folder / "gateway.toml"), *arguments]
    return CliRunner().invoke(cli, command, env={"LC_ALL": "C.UTF-8"})


def test_a_new_reader_gets_a_key_that_only_the_gateway_may_read(tmp_path: Path) -> None:
    reader = SimReader(0, None)
    with line(tmp_path, reader):
        result = pair(tmp_path)
        key = bytes.fromhex((tmp_path / "reader-1-key").read_text(encoding="ascii").strip())
        assert result.exit_code == 0, result.output
        assert reader.key == key
        again = pair(tmp_path)  # it is only checked
        assert again.exit_code == 0, again.output
        assert reader.key == key
    assert (tmp_path / "reader-1-key").stat().st_mode & 0o007 == 0
    assert key.hex() not in result.output
    assert "paired (vendor 00CAFE, model 7, serial number 20261101)" in result.output
    assert not (tmp_path / "reader-1-key.new").exists()


def test_when_nobody_answers_the_key_is_kept_for_the_next_try(tmp_path: Path) -> None:
    reader = SimReader(0, None)
    reader.alive = False
    with line(tmp_path, reader):
        silent = pair(tmp_path)
        key = (tmp_path / "reader-1-key.new").read_text(encoding="ascii")
        assert silent.exit_code == 1
        reader.alive = True
        result = pair(tmp_path)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "reader-1-key").read_text(encoding="ascii") == key


def test_a_reader_with_another_s_key_is_left_alone_and_said_so(tmp_path: Path) -> None:
    theirs = bytes(range(1, 17))
    reader = SimReader(0, theirs)
    with line(tmp_path, reader):
        result = pair(tmp_path)
    assert result.exit_code == 1
    assert "install mode" in result.output
    assert reader.key == theirs


def test_a_new_key_takes_the_old_one_s_place_only_when_the_reader_has_it(tmp_path: Path) -> None:
    reader = SimReader(0, None)
    with line(tmp_path, reader):
        assert pair(tmp_path).exit_code == 0
        key = (tmp_path / "reader-1-key").read_text(encoding="ascii")
        assert pair(tmp_path, "--again").exit_code == 1  # it is not in install mode
        assert reader.key is not None
        assert (tmp_path / "reader-1-key").read_text(encoding="ascii").strip() == reader.key.hex()
    assert (tmp_path / "reader-1-key").read_text(encoding="ascii") == key


def test_a_file_that_is_no_key_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "reader-1-key").write_text("a note\n", encoding="ascii")
    result = pair(tmp_path)
    assert result.exit_code == 1
    assert (tmp_path / "reader-1-key").read_text(encoding="ascii") == "a note\n"


@pytest.mark.parametrize("device", ["reader-9", "readre-1"])
def test_an_unknown_reader_is_one_line_with_what_to_do(tmp_path: Path, device: str) -> None:
    result = pair(tmp_path, device=device)
    assert result.exit_code == 1
    assert "key_file" in result.output
    assert not list(tmp_path.glob("*key*"))


def test_a_port_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    result = pair(tmp_path)
    assert result.exit_code == 1
    assert "readers" in result.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_key_belongs_to_the_group_that_the_folder_belongs_to(tmp_path: Path) -> None:
    """Root pairs, and the gateway has to read it."""
    os.chown(tmp_path, -1, 12345)
    with line(tmp_path, SimReader(0, None)):
        assert pair(tmp_path).exit_code == 0
    status = (tmp_path / "reader-1-key").stat()
    assert (status.st_gid, status.st_mode & 0o777) == (12345, 0o640)


@pytest.mark.parametrize("content", [None, "", "no key"])
def test_a_reader_without_a_good_key_keeps_nobody_from_starting(tmp_path: Path, content: str | None) -> None:
    (tmp_path / "gateway.toml").write_text(TEXT.format(folder=tmp_path), encoding="utf-8")
    if content is not None:
        (tmp_path / "reader-1-key").write_text(content, encoding="ascii")
        (tmp_path / "reader-1-key").chmod(0o640)
    checked = configuration.check(tmp_path / "gateway.toml")
    assert checked.config is not None
    assert any(fault.key.endswith("key_file") and fault.warning for fault in checked.faults)
