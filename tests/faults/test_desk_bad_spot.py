"""A disk that cannot read the first page of the record any more: the desk starts all the same, and nothing is lost."""

import asyncio
import subprocess
import sys
from pathlib import Path

from tests.desk_parts import opened
from tests.faults.slowsync import preloaded
from tests.gateway.desk.test_salvage import ALERTS, fill


def test_a_desk_whose_disk_cannot_read_the_first_page_of_the_record_starts_and_has_everything(
    tmp_path: Path,
) -> None:
    path = tmp_path / "desk.db"

    async def record() -> None:
        async with opened(str(path)) as database:
            await fill(database)

    asyncio.run(record())
    command = [sys.executable, "-m", "tests.faults.desk_bad_spot_child", str(path)]
    done = subprocess.run(
        command, env=preloaded(tmp_path, "badspot"), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == [str(ALERTS)], done.stderr[-2000:]
    assert list(tmp_path.glob("desk.db.set-aside-*"))
