"""What the control socket promises: an answer stands for what is on the disk, or says that it is not."""

import asyncio
import threading
from pathlib import Path
from typing import Any

from gateway import operations
from gateway.core.events import OutcomeBody
from gateway.operations import Operations
from gateway.runtime.journal import Journal, Lane
from tests.events import alert
from tests.gateway.runtime.journal_use import running

ACKNOWLEDGE = {"op": "acknowledge", "alert": "a", "origin": "local:duty"}
UNLOCK = {"op": "command", "device": "gate", "action": "unlock", "origin": "local:duty"}


class Disk:
    """A disk that stands still from the next transaction on, until it is let go."""

    def __init__(self) -> None:
        self.stalled, self.reached = False, threading.Event()
        self.go_on = threading.Event()

    def probe(self, point: str) -> None:
        """Be called by the journal, on its own thread."""
        if point == "journal.before_commit" and self.stalled:
            self.reached.set()
            self.go_on.wait(30)


class House:
    """Alerts and orders that write an event for each deed."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self.deeds = journal, 0

    def operations(self) -> Operations:
        """Return the operations over it."""
        return Operations(
            status=dict,
            alerts=self,
            orders=self,
            export=self._journal.export,
            watch=lambda _: self._journal.export(0, 0),  # type: ignore[arg-type,return-value]
            kept=self._journal.kept,
            wall=lambda: 0.0,
        )

    def alerts(self) -> list[Any]:
        """Return nothing."""
        return []

    def acknowledge(self, _alert: str, _by: str, _note: str | None) -> None:
        """Write it down."""
        self._write()

    def shelve(self, _alert: str, _until: float, _by: str) -> None:
        """Write it down."""
        self._write()

    async def execute(self, device: str, action: str, _arguments: object, origin: str) -> OutcomeBody:
        """Write it down."""
        self._write()
        return OutcomeBody("1", device, action, "done", "", origin)

    def _write(self) -> None:
        self.deeds += 1
        self._journal.append(alert(self.deeds))


def test_who_acknowledges_is_answered_when_it_is_on_the_disk(tmp_path: Path) -> None:
    disk = Disk()

    async def scene() -> None:
        async with running(tmp_path, probe=disk.probe) as journal:
            house = House(journal)
            disk.stalled = True
            for number, request in enumerate((ACKNOWLEDGE, UNLOCK), 1):
                ask = house.operations().by_name[str(request["op"])]
                answer = asyncio.ensure_future(ask(request))  # type: ignore[arg-type]
                await asyncio.to_thread(disk.reached.wait, 10)
                assert house.deeds == number, "the deed waited for the disk"
                assert not answer.done(), "answered before it was on the disk"
                disk.go_on.set()
                assert (await answer)["kept"]
                assert journal.last(Lane.URGENT) == (1, number)
                disk.reached.clear()
                disk.go_on.clear()
            disk.stalled = False

    asyncio.run(scene())


def test_a_disk_that_does_not_answer_keeps_nobody_waiting_and_is_told(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(operations, "KEPT_WITHIN_S", 0.05)
    disk = Disk()

    async def scene() -> None:
        async with running(tmp_path, probe=disk.probe) as journal:
            disk.stalled = True
            answer = await House(journal).operations().by_name["acknowledge"](ACKNOWLEDGE)  # type: ignore[misc]
            disk.stalled = False
            disk.go_on.set()
            assert answer == {"kept": False}

    asyncio.run(scene())


def test_nothing_written_is_nothing_to_wait_for(tmp_path: Path) -> None:
    async def scene() -> None:
        async with running(tmp_path) as journal:
            assert await journal.kept(0.0)

    asyncio.run(scene())
