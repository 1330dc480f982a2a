"""The desk killed at random moments: what has a receipt is stored, stored once, and each step is paged once.

A page that is in a desk's hands as it dies goes out again under the same id when its lease is over: a double ring is
better than none. So it may be repeated in each life of a desk, and usually is not.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.broker import Mosquitto, needs_mosquitto, until
from tests.desk_record import pages, stored
from tests.desk_service import Service
from tests.faults.desk_rig import Desk, Gateway
from tests.postgres import Cluster, cluster

pytestmark = [needs_mosquitto, pytest.mark.slow]

KILLS = 6
LIVES = 4
ALERTS = 150  # new ones in each life


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where an empty database is."""
    if request.param == "sqlite":
        return str(tmp_path / "desk.db")
    running: Cluster = request.getfixturevalue("postgres")
    return running.database()


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """Run a PostgreSQL that may be killed."""
    with cluster() as running:
        yield running


def test_a_desk_killed_at_random_moments_loses_nothing_it_gave_a_receipt_for(
    tmp_path: Path, broker: Mosquitto, pager: Service, store: str
) -> None:
    chance = random.Random(11)
    desk = Desk(tmp_path, "street", store, broker.port, pager.url)
    gateway = Gateway(broker.port, "hxtp-01")
    births = []
    with ExitStack() as stack:
        stack.callback(gateway.close)
        stack.callback(desk.kill)
        for _ in range(KILLS):
            births.append(len(pager.heard))
            desk.start()
            enough = len(gateway.receipts) + chance.randint(1, ALERTS)
            gateway.send(ALERTS, chance)
            until(lambda enough=enough: len(gateway.receipts) >= enough, what="some receipts")  # type: ignore[misc]
            desk.kill()
            receipts = set(gateway.receipts)
            assert receipts <= {seq for _, seq in stored(store)}, "a receipt for what is not stored"
        births.append(len(pager.heard))
        desk.start()
        gateway.finish()
        assert desk.stop() == 0
    found = stored(store)
    assert {seq for _, seq in found} == set(range(1, gateway.sent + 1))
    assert max(found.values()) == 1
    assert pager.heard
    for born, died in itertools.pairwise([*births, None]):
        sent = Counter(message["id"] for message in pager.heard[born:died])
        assert all(times == 1 for times in sent.values()), "somebody was paged twice for the same step"


def test_two_desks_share_a_database_and_lose_nothing_when_desk_broker_and_database_are_killed(
    tmp_path: Path, broker: Mosquitto, pager: Service, own_postgres: Cluster
) -> None:
    chance = random.Random(5)
    where = own_postgres.database()
    desks = [Desk(tmp_path, f"street-{each}", where, broker.port, pager.url, minutes=0.05) for each in "ab"]
    gateways = [Gateway(broker.port, f"gw-{number}") for number in range(3)]
    with ExitStack() as stack:
        for gateway in gateways:
            stack.callback(gateway.close)
        for desk in desks:
            stack.callback(desk.kill)
            desk.start()
        for turn in range(LIVES):
            for gateway in gateways:
                gateway.send(50, chance)
            time.sleep(chance.uniform(0.0, 0.3))  # the moment of the kill is what is tried out
            desks[turn % 2].kill()
            if turn == 1:
                own_postgres.kill()
                own_postgres.start()
            if turn == 2:
                broker.kill()
                broker.start()
            desks[turn % 2].start()
        for gateway in gateways:
            gateway.finish()
        until(lambda: any("|1.1|duty-room" in each["id"] for each in pager.heard), what="the second rung")
        until(lambda: set(pages(where).values()) == {"delivered"}, what="the pages", within_s=90)
    found = stored(where)
    assert len(found) == sum(gateway.sent for gateway in gateways)
    sent = Counter(message["id"] for message in pager.heard)
    assert sum(sent.values()) - len(sent) <= LIVES, "somebody was paged twice for the same step"


def test_a_desk_that_is_told_to_stop_stops_in_order(
    tmp_path: Path, broker: Mosquitto, pager: Service
) -> None:
    desk = Desk(tmp_path, "street", str(tmp_path / "desk.db"), broker.port, pager.url)
    desk.start()
    began = time.monotonic()
    assert desk.stop() == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in desk.log
