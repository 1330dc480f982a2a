"""A desk whose disk is full, and one whose clock is stepped: no alert is lost, and each goes on by itself.

The disk is full for the desk alone: RLIMIT_FSIZE lets no file of it grow. Its clock is libfaketime's.
"""

import os
import random
import resource
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.broker import Mosquitto, needs_mosquitto, until
from tests.desk_service import Service
from tests.faults.desk_rig import Desk, Gateway

pytestmark = [needs_mosquitto, pytest.mark.slow]

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)
HOUR_S = 3600
TEN_YEARS_S = 10 * 365 * 86_400


@pytest.fixture
def rig(tmp_path: Path, broker: Mosquitto, pager: Service) -> Iterator[tuple[Desk, Gateway]]:
    """Return a desk on SQLite that does not run yet, and a gateway."""
    with ExitStack() as stack:
        desk = Desk(tmp_path, "street", str(tmp_path / "desk.db"), broker.port, pager.url)
        stack.callback(desk.kill)
        gateway = Gateway(broker.port, "hxtp-01", compounds_of=10)
        stack.callback(gateway.close)
        yield desk, gateway


def take(gateway: Gateway, count: int) -> None:
    """Have so many alerts sent, and their receipts come."""
    gateway.send(count, random.Random(gateway.sent))
    gateway.finish()


def test_a_desk_whose_disk_is_full_gives_no_receipt_and_takes_everything_when_there_is_room_again(
    rig: tuple[Desk, Gateway], pager: Service
) -> None:
    desk, gateway = rig
    desk.start()
    take(gateway, 10)
    resource.prlimit(desk.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    gateway.send(50, random.Random(1))
    until(lambda: "nothing can be stored" in desk.log, what="the fault in the log")
    assert len(gateway.receipts) == 10
    resource.prlimit(desk.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    gateway.finish()
    until(
        lambda: {f"hxtp-01 {each}" for each in range(6)} <= compounds(pager), what="a page for every compound"
    )
    assert desk.stop() == 0


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed: apt-get install faketime")
def test_a_desk_whose_clock_is_stepped_an_hour_back_and_ten_years_ahead_takes_in_and_pages_all_the_same(
    rig: tuple[Desk, Gateway], pager: Service, tmp_path: Path
) -> None:
    desk, gateway = rig
    clock = tmp_path / "clock"
    clock.write_text("+0")
    desk.environment = {
        **os.environ,
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    desk.start()
    for turn, offset in enumerate((0, -HOUR_S, TEN_YEARS_S, 0)):
        clock.write_text(f"{offset:+d}")
        take(gateway, 10)
        until(lambda turn=turn: f"hxtp-01 {turn}" in compounds(pager), what=f"the page at {offset:+d} s")  # type: ignore[misc]
    assert desk.stop() == 0
    assert "Traceback" not in desk.log


def compounds(pager: Service) -> set[str]:
    """Return the compounds that somebody was told of."""
    return {message["id"].partition("|")[0].rpartition("/")[2] for message in pager.heard}
