"""The whole road of a page: rows, the delivery worker, real senders, services that refuse as the real ones do."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.desk.channels import BarkTable, ChannelTable, DingtalkTable, WecomTable
from gateway.desk.delivery import Delivery
from gateway.desk.senders.building import Builder
from gateway.desk.store import notices
from gateway.desk.store.database import Database
from gateway.desk.store.notices import Notice
from tests.desk_bots import DingtalkGroup, WecomGroup
from tests.desk_parts import NOW, opened
from tests.desk_service import Service


class Street:
    """Two groups, a desk's delivery that speaks to them, and a clock that all of them go by."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.now, self.database = NOW, database
        self.dingtalk, self.wecom = DingtalkGroup(keyword="消防"), WecomGroup()
        self.services = [Service(self.dingtalk), Service(self.wecom)]
        self.secrets = (self.dingtalk.token, self.wecom.key)
        for name, service, path in zip(
            ("dingtalk", "wecom"), self.services, (self.dingtalk.path, self.wecom.path), strict=True
        ):
            (folder / name).write_text(service.origin + path)
        self.tables: list[ChannelTable] = [
            DingtalkTable(name="dingtalk", kind="dingtalk", url_file=str(folder / "dingtalk")),
            WecomTable(name="wecom", kind="wecom", url_file=str(folder / "wecom")),
        ]

    def delivery(self) -> Delivery:
        senders = Builder().build_all(self.tables)
        paces = {each.name: each.pace for each in self.tables}
        return Delivery(self.database, senders, owner="desk", paces=paces, now=lambda: self.now)

    async def write(self, count: int, *channels: str, person: str = "warden-1", rank: int = 3) -> None:
        """Have pages sent to somebody over these channels."""
        made = [
            Notice(
                f"i|{number}|{person}", "i", person, "zh",
                tuple((name, person) for name in channels), rank, f"告警 {number}", "", NOW,
            )
            for number in range(count)
        ]  # fmt: skip
        async with self.database.transaction() as transaction:
            await notices.write(transaction, made, NOW)

    async def rows(self) -> Any:
        async with self.database.transaction() as transaction:
            return await notices.everything(transaction)


@asynccontextmanager
async def street(folder: Path) -> AsyncIterator[Street]:
    """Have all of it."""
    async with opened(str(folder / "desk.db")) as database:
        made = Street(folder, database)
        try:
            yield made
        finally:
            for each in made.services:
                each.close()


def test_a_bot_that_answers_200_and_refuses_hands_the_page_to_the_next_channel_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with street(tmp_path) as scene:
            await scene.write(1, "dingtalk", "wecom")
            delivery = scene.delivery()
            await delivery.look()
            [row] = await scene.rows()
            assert row["state"] == "waiting"
            assert "310000" in row["answer"]
            assert "自定义关键词" in row["answer"]
            await delivery.look()
            [row] = await scene.rows()
            assert (row["state"], row["sent_by"]) == ("delivered", "wecom")
            assert [each["text"]["content"] for each in scene.wecom.shown] == ["告警 0"]
            assert not any(secret in str([dict(row), caplog.text]) for secret in scene.secrets)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert "did not take" in caplog.text


def test_a_flood_on_a_bot_comes_through_whole_at_the_pace_the_bot_takes(tmp_path: Path) -> None:
    """600 pages to 30 people on one WeCom bot that counts for itself and refuses the 21st of a minute."""

    async def main() -> None:
        async with street(tmp_path) as scene:
            for number in range(30):
                await scene.write(20, "wecom", person=f"userid-{number}", rank=2)
            delivery = scene.delivery()
            for _ in range(40):
                await delivery.look()
                scene.now += 5
                scene.wecom.pace.now += 5
            rows = await scene.rows()
            assert {row["state"] for row in rows} == {"delivered"}
            assert len(rows) == 600
            assert len(scene.services[1].heard) == len(scene.wecom.shown) == 30
            assert all("另有 17 条" in each["text"]["content"] for each in scene.wecom.shown)

    asyncio.run(main())


def test_a_secret_that_cannot_be_read_keeps_the_desk_from_nothing_but_that_channel(tmp_path: Path) -> None:
    async def main() -> None:
        async with street(tmp_path) as scene:
            gone = str(tmp_path / "gone")
            scene.tables.append(BarkTable(name="bark", kind="bark", keys_file=gone))
            await scene.write(1, "bark", "wecom")
            delivery = scene.delivery()
            await delivery.look()
            [row] = await scene.rows()
            assert "No such file" in row["answer"]
            await delivery.look()
            [row] = await scene.rows()
            assert (row["state"], row["sent_by"]) == ("delivered", "wecom")

    asyncio.run(main())


def test_two_channels_at_one_port_share_the_modem_and_its_turns() -> None:
    from gateway.desk.channels import CallTable, SmsTable

    builder = Builder()
    sms = builder.build(SmsTable(name="sms", kind="sms", port="/dev/modem"))
    call = builder.build(CallTable(name="call", kind="call", port="/dev/modem"))
    assert vars(sms)["_modem"] is vars(call)["_modem"]
