"""`cards` against a control socket: what is brought, what is shown, and that no number is ever shown whole."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from gateway.core.access import DoorFacts
from gateway.core.config import AccessTable
from gateway.core.events import Body, Clock
from gateway.core.schedule import parse
from gateway.runtime.stream import Stamp
from gateway.services.access import Access
from gateway.services.control import Control
from gateway.terminal.cards import PART

HEAD = "card,pin,holder,doors,schedule,valid_from,valid_until,blocked,note\n"
LIST = HEAD + (
    "12:34567,482913,2-1-301 住户 A,gate,nights,2026-01-01,2999-12-31,,早班\n"
    "12:34568,,2-1-302 住户 B,elsewhere,,,,,\n"
    "12:34569,,2-1-303 住户 C,*,,,,yes,\n"
)
PLAIN = {"LC_ALL": "C.UTF-8"}


class Running:
    """A gateway's access list behind a control socket, in a thread of its own."""

    def __init__(self, folder: Path, table: AccessTable | None = None) -> None:
        self.folder, self.socket = folder, folder / "control.sock"
        self.told: list[Body] = []
        self._table = table
        self._stop: list[object] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "Running":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        access = Access(
            self._table,
            [DoorFacts("gate", readers=("reader-1",))],
            {"nights": parse(["daily 22:00-06:00"])},
            folder=self.folder,
            submit=self.told.append,
            grant=lambda *_: None,
            feedback=lambda *_: None,
            now=lambda: Stamp(1.0, 1.0, Clock.SYNCED),
        )
        control = Control(self.socket, access.operations)
        control.open()
        tasks = [asyncio.ensure_future(run()) for run in (control.run, access.services["access list"])]
        while not access.statistics()["ready"]:
            await asyncio.sleep(0.01)
        self._ready.set()
        await self._stopping.wait()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def run(self, *arguments: str, answers: str = "") -> Result:
        command, *rest = arguments
        given = ["cards", command, "--socket", str(self.socket), *rest]
        return CliRunner().invoke(cli, given, env=PLAIN, input=answers)

    def bring(self, text: str, *options: str) -> Result:
        (self.folder / "list.csv").write_text(text, encoding="utf-8")
        return self.run("import", str(self.folder / "list.csv"), *options)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        yield running


def test_a_list_is_brought_and_shown(gateway: Running) -> None:
    brought = gateway.bring(LIST)
    assert brought.exit_code == 0, brought.output
    assert "3 new, 0 changed, 0 gone, 0 as before" in brought.output
    assert "1 of them may open no door with a reader here" in brought.output
    shown = gateway.run("list").output
    assert "2-1-301 住户 A  …4567  ●    gate" in shown
    assert "2026-01-01–2999-12-31" in shown
    assert "blocked" in shown
    assert "34567" not in shown + brought.output
    assert "482913" not in shown + repr(gateway.told)


def test_a_dry_run_changes_nothing(gateway: Running) -> None:
    assert "it would be: 3 new" in gateway.bring(LIST, "--dry-run").output
    assert "0 in the list" in gateway.run("list").output


def test_every_fault_is_told_with_its_line_and_nothing_is_changed(gateway: Running) -> None:
    gateway.bring(LIST)
    result = gateway.bring(HEAD + "12345678,,A,*,,,,,\n12:1,,,bulding=2,,,,,\n")
    assert result.exit_code == 1
    for told in ("list.csv:2", "card", "list.csv:3", "holder", "did you mean building?", "faults: 3"):
        assert told in result.output
    assert "3 in the list" in gateway.run("list").output


def test_a_schedule_that_is_not_configured_is_told_by_the_gateway(gateway: Running) -> None:
    result = gateway.bring(HEAD + "12:1,,A,*,nigths,,,,\n")
    assert result.exit_code == 1
    assert "did you mean nights?" in result.output


def test_dropping_more_than_half_takes_force(gateway: Running) -> None:
    gateway.bring(LIST)
    short = "".join(LIST.splitlines(keepends=True)[:2])
    refused = gateway.bring(short)
    assert refused.exit_code == 1
    assert "2 entries would go" in refused.output
    assert "--force" in refused.output
    assert gateway.bring(short, "--dry-run").exit_code == 0
    assert gateway.bring(short, "--force").exit_code == 0


def test_a_list_of_many_parts_arrives_whole(gateway: Running) -> None:
    lines = "".join(f"{n // 60000}:{n % 60000 + 1},,2-1-{n} 住户 😀,*,,,,,\n" for n in range(3000))
    assert len(lines) > 10 * PART
    assert "3000 new" in gateway.bring(HEAD + lines).output
    shown = gateway.run("list").output
    assert "500 shown, 3000 in the list" in shown
    assert "2500 more" in shown
    assert "1 shown" in gateway.run("list", "2-1-2999 ").output


def test_scripts_get_json(gateway: Running) -> None:
    assert json.loads(gateway.bring(LIST, "--json").stdout)["changes"]["new"] == 3
    cards = json.loads(gateway.run("list", "--door", "gate", "--json").stdout)["cards"]
    assert [card["card"] for card in cards] == ["…4567", "…4569"]
    faults = json.loads(gateway.bring(HEAD + "1,,A,*,,,,,\n", "--json").stdout)["faults"]
    assert faults[0]["line"] == 2


def test_one_card_is_added_with_a_pin_nobody_sees(gateway: Running) -> None:
    added = gateway.run(
        "add", "访客 D", "--pin", "--doors", "gate", "--until", "2999-12-31", answers="7391\n"
    )
    assert added.exit_code == 0, added.output
    assert "访客 D" in added.output
    assert "7391" not in added.output
    wrong = gateway.run("add", "访客 D", "--card", "1234", "--doors", "gate")
    assert wrong.exit_code == 1
    assert "leading zeros" in wrong.output


def test_a_lost_card_is_blocked_and_let_go_by_its_holder(gateway: Running) -> None:
    gateway.bring(LIST)
    assert "blocked here" in gateway.run("block", "2-1-301 住户 A").output
    assert gateway.run("unblock", "2-1-301 住户 A").exit_code == 0
    assert "removed from the list: 1" in gateway.run("remove", "12:34568").output
    nobody = gateway.run("remove", "12:34568")
    assert nobody.exit_code == 1
    assert "34568" not in nobody.output


def test_who_changes_a_list_that_has_a_source_is_told_so(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_text(LIST, encoding="utf-8")
    with Running(tmp_path, AccessTable(file=str(source))) as gateway:
        assert (
            f"the list comes from {source}" in gateway.run("add", "D", "--card", "1:1", "--doors", "*").output
        )


def test_a_file_that_cannot_be_read_and_a_gateway_that_is_not_there_are_told(tmp_path: Path) -> None:
    gateway = Running(tmp_path)
    assert "cannot read" in gateway.run("import", str(tmp_path / "nothing.csv")).output
    assert gateway.bring(LIST).exit_code == 1
    assert "faults: 1" in gateway.bring("").output, "a file is looked at also where no gateway runs"
