"""The desk gives orders to a whole gateway over a real broker: a door opens once or not at all, and the row knows."""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives import serialization

from gateway.core.events import Place
from gateway.desk import order_texts
from gateway.desk.doors import Door
from gateway.desk.orders import Order, State
from gateway.desk.store import door_rows, events, orders, work
from gateway.desk.store.database import Database, Transaction
from gateway.desk.store.orders import Wish
from gateway.desk.workflow import Command, Step
from tests.bench.rig import ENVIRONMENT
from tests.broker import needs_mosquitto, until
from tests.desk_parts import opened
from tests.faults.desk_rig import Desk
from tests.orders import DESK, GATEWAY, WARDEN, Operator
from tests.postgres import Cluster
from tests.whole.orders import COMMAND, Afar, afar
from tests.whole.test_orders import DOOR, exported, ready

pytestmark = [needs_mosquitto, pytest.mark.slow]

T = TypeVar("T")
ROUNDS = 6
FINAL_S = 20.0


class Office:
    """A desk beside a street, and the record that both it and the test can look at."""

    def __init__(self, folder: Path, far: Afar, where: str, operator: Operator) -> None:
        key = folder / "desk.key"
        pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key.write_bytes(operator.key.private_bytes(*pem))
        key.chmod(0o600)
        self.far, self.where = far, where
        self.desk = Desk(folder, "street", where, far.street.broker.port, "http://127.0.0.1:9/none")
        self._edit(
            f'store = "{where}"', f'store = "{where}"\nkey_file = "{key}"\noperator = "{operator.name}"'
        )

    def _edit(self, before: str, after: str) -> None:
        file = self.desk._file
        file.write_text(file.read_text().replace(before, after))

    def ask(self, question: Callable[[Transaction], Awaitable[T]]) -> T:
        """Ask the record."""

        async def main() -> T:
            async with opened(self.where) as database:
                return await self._within(database, question)

        return asyncio.run(main())

    @staticmethod
    async def _within(database: Database, question: Callable[[Transaction], Awaitable[T]]) -> T:
        async with database.transaction() as transaction:
            return await question(transaction)

    def give(self, name: str, target: str = "gate-2-1", action: str = "unlock", **arguments: float) -> None:
        """Give an order as a page does."""
        wish = Wish(name, GATEWAY, target, action, arguments, "网格员", "网格员的手机")
        self.ask(lambda transaction: orders.order(transaction, wish, time.time()))

    def state(self, name: str) -> Order:
        """Return how an order stands."""
        found = self.ask(lambda transaction: orders.state(transaction, name))
        assert found is not None
        return found

    def end(self, name: str) -> Order:
        """Return what became of an order, when it has ended."""
        until(lambda: self.state(name).state not in {State.WAITING, State.SENT}, what=name, within_s=FINAL_S)
        return self.state(name)

    def doors(self) -> list[Door]:
        """Return the doors as a page is shown them."""
        return self.ask(lambda transaction: door_rows.doors(transaction, everything, signs=True))


def everything(_action: str, _place: Place) -> bool:
    return True


@contextmanager
def office(folder: Path, postgres: Cluster, operator: Operator = DESK) -> Iterator[Office]:
    """Have a street with a desk that runs."""
    with afar(folder) as far:
        far.street.text += DOOR
        made = Office(folder, far, postgres.database(), operator)
        made.desk.start()
        try:
            yield made
        finally:
            made.desk.kill()


def carried_out(file: Path, name: str) -> list[dict[str, Any]]:
    """Return how often the gateway has an order of this id on record."""
    rows = [row["body"] for row in exported(file)]
    return [body for body in rows if body["type"] == "command" and body["id"] == name]


def test_a_door_is_listed_opened_from_the_desk_and_its_new_state_is_there_at_once(
    tmp_path: Path, postgres: Cluster
) -> None:
    with office(tmp_path, postgres) as there, there.far.street.gateway():
        ready(there.far)
        until(there.doors, what="the doors")
        [door] = there.doors()
        assert (door.door, door.where.zh, door.hindrance) == ("gate-2-1", "2 栋 1 单元", None)
        began = time.monotonic()
        there.give("o-1", seconds=3.0)
        found = there.end("o-1")
        assert time.monotonic() - began < 5.0
        assert (found.state, found.words.zh[:3]) == (State.DONE, "已执行")
        assert there.far.strike("door-2-1")
        until(lambda: there.doors()[0].state != door.state, what="the state of the door")
        captured = there.far.street.far_end.on("/command")[-1].content
        until(lambda: not there.far.strike("door-2-1"), what="the strike falls")
        there.far.give(captured)
        until(lambda: reasons(there.far)[-1:] == ["nonce"], what="the replay refused")
        assert not there.far.strike("door-2-1")
        assert there.state("o-1") == found, "what somebody replays says nothing about our order"


def reasons(far: Afar) -> list[str]:
    return [each["data"]["detail"].partition(":")[0] for each in far.outcomes()]


def test_what_the_gateway_does_not_let_the_desk_do_is_refused_in_words(
    tmp_path: Path, postgres: Cluster
) -> None:
    with office(tmp_path, postgres, WARDEN) as there, there.far.street.gateway():
        ready(there.far)
        for name, target, action, words in (
            ("role", "gate-2-1", "lock_down", order_texts.refused("role")),
            ("place", "door-1-1", "unlock", order_texts.refused("place")),
            ("order", "gate-9", "unlock", order_texts.refused("order")),
        ):
            there.give(name, target, action)
            found = there.end(name)
            assert (found.state, found.words) == (State.REFUSED, words), found
        assert not there.far.strike("door-1-1")
        assert not there.far.strike("door-2-1")


def test_an_order_for_a_gateway_that_is_away_dies_after_ten_seconds_and_opens_nothing_later(
    tmp_path: Path, postgres: Cluster
) -> None:
    with office(tmp_path, postgres) as there:
        began = time.monotonic()
        there.give("o-1")
        found = there.end("o-1")
        assert 9.0 < time.monotonic() - began < 14.0
        assert (found.state, found.sent) == (State.LATE, 0)
        with there.far.street.gateway() as gateway:
            ready(there.far)
            there.give("o-2")
            assert there.end("o-2").state is State.DONE
            assert carried_out(gateway.file, "o-1") == []
            assert [heard.topic for heard in there.far.street.far_end.on("/command")] == [COMMAND]


def test_a_desk_killed_at_any_moment_opens_no_door_twice_and_never_tells_a_lie(
    tmp_path: Path, postgres: Cluster
) -> None:
    chance = random.Random(7)
    with office(tmp_path, postgres) as there, there.far.street.gateway() as gateway:
        ready(there.far)
        names = [f"round-{number}" for number in range(ROUNDS)]
        for number, name in enumerate(names):
            there.give(name, seconds=1.0)
            if number % 2:  # as soon as it says that it sends; else at any time before
                until(lambda name=name: there.state(name).state is not State.WAITING, what="sent")  # type: ignore[misc]
            else:
                time.sleep(chance.uniform(0.0, 0.6))
            there.desk.kill()
            there.desk.start()
            there.end(name)
        told = {State.DONE, State.LATE}  # a desk that takes long to start may say first that it does not know
        until(lambda: all(there.state(name).state in told for name in names), what="how each ended")
        ends = {name: there.state(name).state for name in names}
        for name, state in ends.items():
            done = carried_out(gateway.file, name)
            assert len(done) <= 1, f"{name} was carried out twice"
            assert (state is State.DONE) == bool(done), (
                f"{name} is told as {state}, on record {len(done)} times"
            )
        assert State.DONE in ends.values()


def test_an_alert_acknowledged_at_either_end_is_acknowledged_at_both_and_told_no_further(
    tmp_path: Path, postgres: Cluster
) -> None:
    with office(tmp_path, postgres) as there, there.far.street.gateway() as gateway:
        ready(there.far)
        street = there.far.street
        street.sim.tell("set smoke-2-1-1 smoke 900")
        until(lambda: there.ask(events.alerts), what="the alert at the desk")
        [row] = there.ask(events.alerts)
        command = Command("tap-1", row["alert"], Step.ACKNOWLEDGE, "网格员")
        there.ask(lambda transaction: work.take_step(transaction, command, time.time()))
        event = street.wait_for_alert("acknowledged", kind="fire.smoke")
        assert event["data"]["by"] == "remote:desk/网格员"
        street.sim.tell("set smoke-1-1-1 smoke 900")
        other = street.wait_for_alert("raised", kind="fire.smoke", device="smoke-1-1-1")["subject"]
        command_line = [sys.executable, "-m", "gateway", "alerts", "-c", str(gateway.file), "ack", other]
        subprocess.run(command_line, check=True, capture_output=True, env=ENVIRONMENT)
        until(lambda: there.ask(lambda t: work.find(t, f"{GATEWAY}/{other}")), what="the other at the desk")

        def seen() -> object:
            found = there.ask(lambda transaction: work.find(transaction, f"{GATEWAY}/{other}"))
            return found is not None and found.acknowledged_by

        until(seen, what="the other acknowledged at the desk")
        commands = [row["body"] for row in exported(gateway.file) if row["body"]["type"] == "command"]
        assert [body["device"] for body in commands] == [event["subject"]], "nothing was sent back"
