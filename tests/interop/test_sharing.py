"""Desks that share the alerts of a real broker: each alert goes to one of them, and to all where it does not deal."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.config import MqttTable
from gateway.core.payload import topic
from gateway.desk.broker import Broker
from gateway.desk.intake import Intake
from gateway.desk.sharing import Share
from gateway.desk.store.opening import open_database
from tests.broker import Listener, Mosquitto, mosquitto, needs_mosquitto
from tests.desk_parts import GATEWAY, published, told

pytestmark = needs_mosquitto

WAIT_S = 30.0
COUNT = 40


class Desk:
    """An intake behind a plain connection and a share."""

    def __init__(self, broker: Mosquitto, name: str, intake: Intake) -> None:
        table = MqttTable(url=broker.url)
        self.intake = intake
        self.plain = Broker(table, broker.url, name, intake)
        self.share = Share(table, broker.url, name, self.plain, intake)
        self.runs = (intake.run, self.plain.run, self.share.run)


@asynccontextmanager
async def desks(broker: Mosquitto, folder: Path, *names: str) -> AsyncIterator[list[Desk]]:
    """Run desks, each over a record of its own, so that it is seen who took what."""
    async with contextlib.AsyncExitStack() as stack:
        found: list[Desk] = []
        for name in names:
            database = await open_database(str(folder / f"{name}.db"))
            stack.push_async_callback(database.close)
            found.append(Desk(broker, name, Intake(database)))
        tasks = [asyncio.create_task(run()) for each in found for run in each.runs]
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(wanted: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(WAIT_S):
        while not wanted():
            await asyncio.sleep(0.01)


def tell(gateway: Listener, first: int) -> None:
    """Publish alerts."""
    for number in range(first, first + COUNT):
        gateway.publish(topic(GATEWAY, "alert"), published(told(number)))


def test_each_alert_goes_to_one_desk_and_to_all_again_until_a_lost_broker_is_back(tmp_path: Path) -> None:
    async def main() -> None:
        with mosquitto(tmp_path) as broker:
            gateway = Listener(broker.port, topic(GATEWAY, "receipt"))
            try:
                async with desks(broker, tmp_path, "one", "two") as (one, two):
                    await until(lambda: one.share.is_sharing and two.share.is_sharing)
                    tell(gateway, 1)
                    await until(lambda: one.intake.tally.stored + two.intake.tally.stored >= COUNT)
                    stored = one.intake.tally.stored, two.intake.tally.stored
                    assert sum(stored) == COUNT
                    assert min(stored) > 0
                    broker.kill()
                    await until(lambda: not one.share.is_sharing and not two.share.is_sharing)
                    broker.start()
                    await until(lambda: one.share.is_sharing and two.share.is_sharing)
            finally:
                gateway.close()

    asyncio.run(main())


def test_where_the_broker_grants_and_delivers_nothing_every_desk_takes_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The rules of this one let nobody publish a probe; its answers are those of a broker that does not deal."""
    monkeypatch.setattr("gateway.desk.sharing.PROBE_S", 0.5)
    rules = tmp_path / "acl"
    rules.write_text(
        "".join(f"topic readwrite compound/v1/+/{what}\n" for what in ("alert", "health", "receipt"))
    )
    rules.chmod(0o644)

    async def main() -> None:
        with mosquitto(tmp_path, f"acl_file {rules}") as broker:
            gateway = Listener(broker.port, topic(GATEWAY, "receipt"))
            try:
                async with desks(broker, tmp_path, "one", "two") as (one, two):
                    await until(lambda: caplog.text.count("does not deal") == 2)
                    tell(gateway, 1)
                    await until(lambda: one.intake.tally.stored == two.intake.tally.stored == COUNT)
                    assert not one.share.is_sharing
            finally:
                gateway.close()

    asyncio.run(main())
