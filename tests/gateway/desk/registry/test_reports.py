"""Gateways keep the registry: coalesced, never over what a person wrote; what is gone is marked and not lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import msgspec

from drivers.api import Quality
from gateway.core import payload
from gateway.core.events import Place
from gateway.core.installed import Asset, Written
from gateway.core.payload import PointState
from gateway.desk.listening import Heard
from gateway.desk.registry.reports import AGAIN_S, MOST_OF_GATEWAY, Reports
from gateway.desk.store import assets, news
from gateway.desk.store.database import Database
from tests.desk_parts import GATEWAY, NOW, opened
from tests.events import PLACE

ABOUT = {"category": "smoke", "profile": "renke-rs-yg-n01", "label": "走廊"}


class Way:
    """A way to gateways that nothing is sent over."""

    def is_open(self) -> bool:
        return True

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        raise AssertionError(topic)

    def follow(self, topics: Any) -> None:
        raise AssertionError(topics)


class Scene:
    """A registry that hears what the test says. `at` is its clock."""

    def __init__(self, database: Database) -> None:
        self.database, self.at, self.settled = database, NOW, 0
        self.reports = Reports(database, now=lambda: self.at)

    def say(self, what: str, name: str, content: bytes, *, retained: bool = False) -> bool:
        def settled() -> None:
            self.settled += 1

        return self.reports.hear(Heard(GATEWAY, what, name, content, retained, settled), Way())

    def state(
        self, device: str = "smoke-1", *, retained: bool = False, value: float = 0.1, **told: Any
    ) -> bool:
        point = PointState("smoke", value, Quality.GOOD, self.at)
        told = {"online": True, "place": PLACE, "about": ABOUT, **told}
        return self.say("state", device, payload.state(device, [point], **told), retained=retained)

    def health(self, *devices: str, online: bool = True, **more: Any) -> bool:
        lines = [
            {"line": "bus-1", "up": True, "devices": [{"device": each, "online": online} for each in devices]}
        ]
        document = {"gateway": {}, "buses": lines, "cameras": [{"camera": "yard", "up": True}], **more}
        return self.say("health", "", msgspec.json.encode(document))

    async def found(self) -> dict[str, Asset]:
        await self.reports.flush()
        async with self.database.transaction() as transaction:
            return {each.device: each for each in await assets.everything(transaction)}

    async def told(self) -> list[str]:
        async with self.database.transaction() as transaction:
            return [each.subject for each in await news.after(transaction, 0) if each.topic == "asset"]


def run(where: str, body: Callable[[Scene], Awaitable[None]]) -> None:
    """Run a test over an empty registry."""

    async def main() -> None:
        async with asyncio.timeout(60), opened(where) as database:
            await body(Scene(database))

    asyncio.run(main())


def test_a_device_a_gateway_speaks_of_stands_in_the_registry(where: str) -> None:
    async def body(scene: Scene) -> None:
        assert scene.state()
        asset = (await scene.found())["smoke-1"]
        assert (asset.facts.kind, asset.facts.model, asset.reported.label) == (
            "smoke",
            "renke-rs-yg-n01",
            "走廊",
        )
        assert (asset.facts.place, asset.reported.online, asset.reported_at) == (PLACE, True, NOW)
        assert (asset.version, scene.settled) == (0, 1)

    run(where, body)


def test_nothing_a_gateway_reports_writes_over_what_a_person_wrote(where: str) -> None:
    async def body(scene: Scene) -> None:
        written = Written(
            "gas", "JTQ-BM", Place(building="9"), "SN1", date(2020, 1, 1), 5.0, None, None, "柜子上方"
        )
        async with scene.database.transaction() as transaction:
            await assets.write(transaction, [Asset(GATEWAY, "smoke-1", written)], NOW)
        scene.state()
        scene.health("smoke-1")
        asset = (await scene.found())["smoke-1"]
        assert (asset.written, asset.version) == (written, 1)
        assert asset.reported.model == "renke-rs-yg-n01"
        async with scene.database.transaction() as transaction:
            await assets.write(transaction, [asset], NOW)
        assert (await scene.found())["smoke-1"].reported.model == "renke-rs-yg-n01"

    run(where, body)


def test_readings_that_change_are_not_written_and_tell_no_page(where: str) -> None:
    async def body(scene: Scene) -> None:
        for value in range(50):
            scene.state(value=float(value))
            await scene.found()
        assert await scene.told() == [f"{GATEWAY}/smoke-1"]
        scene.at += AGAIN_S + 1
        scene.state()
        assert (await scene.found())["smoke-1"].reported_at == scene.at
        assert len(await scene.told()) == 1

    run(where, body)


def test_a_device_that_falls_silent_is_told_by_state_and_by_health_alike(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.state()
        await scene.found()
        assert not scene.health("smoke-1", online=False)
        asset = (await scene.found())["smoke-1"]
        assert (asset.reported.online, asset.facts.place) == (False, PLACE)
        scene.state(online=True)
        assert (await scene.found())["smoke-1"].reported.online
        assert len(await scene.told()) == 4  # the camera as well

    run(where, body)


def test_a_device_its_gateway_has_no_more_is_marked_and_keeps_what_was_written(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.state("smoke-1")
        scene.state("smoke-2")
        await scene.found()
        async with scene.database.transaction() as transaction:
            await assets.write(transaction, [Asset(GATEWAY, "paper", Written(note="没有联网"))], NOW)
        scene.at += 60
        scene.health("smoke-2")
        found = await scene.found()
        assert found["smoke-1"].gone_at == scene.at
        assert found["smoke-2"].gone_at is None
        assert found["paper"].gone_at is None  # no gateway ever spoke of it
        scene.state("smoke-1", retained=True)
        assert (await scene.found())["smoke-1"].gone_at is not None
        scene.state("smoke-1")
        assert (await scene.found())["smoke-1"].gone_at is None

    run(where, body)


def test_a_topic_that_is_emptied_says_that_its_device_is_gone(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.state()
        await scene.found()
        scene.say("state", "smoke-1", b"")
        assert (await scene.found())["smoke-1"].gone_at == NOW

    run(where, body)


def test_a_device_that_is_back_before_it_was_marked_is_not_gone(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.state()
        await scene.found()
        scene.say("state", "smoke-1", b"")
        scene.state()
        assert (await scene.found())["smoke-1"].gone_at is None

    run(where, body)


def test_health_that_lost_its_devices_for_its_size_accuses_none(where: str) -> None:
    async def body(scene: Scene) -> None:
        scene.state()
        await scene.found()
        scene.say("health", "", b'{"gateway": {}, "cameras": [], "truncated": ["buses"]}')
        assert (await scene.found())["smoke-1"].gone_at is None

    run(where, body)


def test_a_doors_state_and_rubbish_are_no_devices(where: str) -> None:
    async def body(scene: Scene) -> None:
        assert not scene.say("state", "gate", b'{"door": "gate", "state": "locked", "mode": "free"}')
        for content in (
            b"rubbish",
            b"\xff",
            b"[" * 70_000,
            b'{"device": "other"}',
            b'{"device": "a\\u0000"}',
            b"null",
        ):
            assert not scene.say("state", "smoke-1", content)
        assert await scene.found() == {}
        assert scene.reports.unreadable == 5

    run(where, body)


def test_a_gateway_cannot_fill_the_registry(where: str) -> None:
    async def body(scene: Scene) -> None:
        for number in range(MOST_OF_GATEWAY + 50):
            scene.state(f"d-{number}")
        assert len(await scene.found()) == MOST_OF_GATEWAY

    run(where, body)


def test_what_cannot_be_written_now_waits_and_is_written_later(where: str) -> None:
    class Away:
        """A database that is away at first."""

        def __init__(self, database: Database) -> None:
            self.database, self.away = database, True

        def transaction(self) -> Any:
            if self.away:
                raise OSError("away")
            return self.database.transaction()

        def is_outage(self, error: BaseException) -> bool:
            return isinstance(error, OSError)

    async def body(scene: Scene) -> None:
        away = Away(scene.database)
        scene.reports = Reports(away, now=lambda: NOW)  # type: ignore[arg-type]
        scene.state()
        await scene.reports.flush()
        away.away = False
        assert "smoke-1" in await scene.found()

    run(where, body)
