"""Evidence over a real broker, the desk killed in the middle: the still is whole in the end, and its alert has it."""

import asyncio
import random
from pathlib import Path

import msgspec
import pytest

from gateway.core import payload
from gateway.core.payload import topic
from gateway.desk.store import files
from tests.broker import Listener, mosquitto, needs_mosquitto, until
from tests.desk_evidence import STILL, parts, sum_of
from tests.desk_parts import GATEWAY, opened, told
from tests.desk_service import paging
from tests.faults.desk_rig import Desk

pytestmark = [needs_mosquitto, pytest.mark.slow]

PICTURE = STILL * 40
SUM = sum_of(PICTURE)


def naming(number: int) -> bytes:
    """Return an alert that names the picture."""
    event = told(number)
    body = msgspec.structs.replace(event.body, evidence=(SUM,))
    return payload.alert_event(msgspec.structs.replace(event, body=body), GATEWAY)


def of_the_alert(where: str) -> list[tuple[str, int]]:
    """Return the evidence in the record."""

    async def main() -> list[tuple[str, int]]:
        async with opened(where) as database, database.transaction() as transaction:
            rows = await transaction.fetch("SELECT alert FROM attachments")
            found = await files.of_alerts(transaction, [row["alert"] for row in rows])
            return [(row["sha256"], row["size"]) for row in found]

    return asyncio.run(main())


def test_a_still_is_whole_although_the_desk_was_killed_while_it_came(tmp_path: Path) -> None:
    where = str(tmp_path / "desk.db")
    sent = parts(PICTURE, 4_000)
    random.Random(5).shuffle(sent)
    folder = tmp_path / "desk-files"
    with mosquitto(tmp_path) as broker, paging() as pager:
        desk = Desk(tmp_path, "street", where, broker.port, pager.url)
        gateway = Listener(broker.port, topic(GATEWAY, "receipt"), name=GATEWAY)
        try:
            desk.start()
            until(lambda: "-evidence is connected" in desk.log, what="the desk's second connection")
            for content in sent[:8]:
                gateway.publish(topic(GATEWAY, "evidence", SUM), content)
            until(lambda: any(folder.glob("unfinished/*/*")), what="the first part on the disk")
            desk.kill()
            gateway.publish(topic(GATEWAY, "alert"), naming(1))
            for content in sent[8:]:
                gateway.publish(topic(GATEWAY, "evidence", SUM), content)
            desk.start()
            path = folder / SUM[:2] / SUM
            until(path.exists, what="the still", within_s=30)
            until(lambda: not any(folder.glob("unfinished/*/*")), what="the end of its parts")
            assert path.read_bytes() == PICTURE
            assert desk.stop() == 0
        finally:
            desk.kill()
            gateway.close()
    assert of_the_alert(where) == [(SUM, len(PICTURE))]
