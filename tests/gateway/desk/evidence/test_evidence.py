"""Evidence kept: only what an alert of its gateway names, in either order of arrival, whole, and under a quota."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.desk.arrivals import Arrival
from gateway.desk.evidence.keeping import SPARE
from gateway.desk.evidence.service import Evidence
from gateway.desk.listening import Heard
from gateway.desk.photos import PhotoError
from gateway.desk.store import events, files, lists, news, work
from gateway.desk.store.database import Database, Transaction
from gateway.desk.workflow import Command, Step
from tests.desk_evidence import CLIP, STILL, parts, sum_of
from tests.desk_parts import GATEWAY, NOW, arrival, opened

WAIT_S = 20.0
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


class Nowhere:
    """A way to gateways that nothing goes."""

    def is_open(self) -> bool:
        return False

    def publish(self, topic: str, content: bytes, *, expiry_s: int) -> bool:
        return False

    def follow(self, topics: Any) -> None:
        return


class Scene:
    """Evidence at work over a database; the clock and the free room of the disk are ours."""

    def __init__(self, database: Database, folder: Path, quota_bytes: int) -> None:
        self.database, self.now, self.free = database, NOW, 10 * SPARE
        self.settled: list[bytes] = []
        self._news = asyncio.Event()
        self.evidence = Evidence(
            database, folder, quota_bytes=quota_bytes,
            changed=self._news.set, now=lambda: self.now, free=lambda _: self.free,
        )  # fmt: skip

    def hear(self, content: bytes, sha256: str, gateway: str = GATEWAY) -> None:
        heard = Heard(gateway, "evidence", sha256, content, False, lambda: self.settled.append(content))
        assert self.evidence.hear(heard, Nowhere())

    def send(self, data: bytes, what: str = "still", gateway: str = GATEWAY) -> None:
        for content in parts(data, what=what):
            self.hear(content, sum_of(data), gateway)

    async def alert(
        self, number: int, *sums: str, gateway: str = GATEWAY, life: int | None = None
    ) -> Arrival:
        """Take in an alert that names these."""
        told = arrival(number, gateway=gateway, life=life)
        named = Arrival(**{name: getattr(told, name) for name in Arrival.__slots__} | {"evidence": sums})
        async with self.database.transaction() as transaction:
            await events.ingest(transaction, [named], self.now)
        self.evidence.wake()
        return named

    async def close(self, alert: str) -> None:
        async with self.database.transaction() as transaction:
            for number, step in enumerate((Step.ACKNOWLEDGE, Step.FALSE_ALARM)):
                await work.take_step(transaction, Command(f"{alert}-{number}", alert, step, "a"), self.now)

    async def ask(self, question: Callable[..., Any], *values: Any) -> Any:
        async with self.database.transaction() as transaction:
            return await question(transaction, *values)

    async def until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not wanted():
                await asyncio.sleep(0.005)

    async def kept(self, *sums: str) -> None:
        """Return once these are kept."""
        async with asyncio.timeout(WAIT_S):
            while await self.ask(files.known, sums) != set(sums):
                self._news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._news.wait()


@asynccontextmanager
async def scene(where: str, folder: Path, quota_bytes: int = 1 << 30) -> AsyncIterator[Scene]:
    """Run evidence until the block ends."""
    async with opened(where) as database:
        made = Scene(database, folder / "files", quota_bytes)
        task = asyncio.create_task(made.evidence.run(), name="evidence")
        try:
            yield made
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def test_evidence_is_kept_and_told_whether_it_comes_before_its_alert_or_behind(
    where: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            made.send(STILL)
            await made.until(lambda: len(made.settled) == len(parts(STILL)))
            assert not made.evidence.path(sum_of(STILL)).exists()  # nobody has named it
            alert = await made.alert(1, sum_of(STILL), sum_of(CLIP))
            await made.kept(sum_of(STILL))
            made.send(CLIP, "clip")
            await made.kept(sum_of(STILL), sum_of(CLIP))
            rows = await made.ask(files.of_alerts, [alert.alert])
            found = {(row["kind"], row["media"], row["size"], row["who"]) for row in rows}
            assert found == {
                ("still", "image/jpeg", len(STILL), GATEWAY), ("clip", "video/mp4", len(CLIP), GATEWAY),
            }  # fmt: skip
            assert made.evidence.path(sum_of(CLIP)).read_bytes() == CLIP
            told = await made.ask(news.after, 0)
            assert [each.subject for each in told] == [alert.alert] * 3
            await made.until(lambda: not list((tmp_path / "files" / "unfinished").glob("*/*")))

    asyncio.run(main())


def test_what_only_another_gateways_alert_names_is_not_kept(where: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            await made.alert(1, sum_of(STILL), gateway="other-01")
            await made.alert(2, sum_of(CLIP))
            made.send(STILL)
            made.send(CLIP, "clip")
            await made.kept(sum_of(CLIP))
            assert await made.ask(files.known, [sum_of(STILL)]) == set()

    asyncio.run(main())


def test_a_part_is_settled_only_when_it_is_on_the_disk(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("gateway.desk.evidence.service.PAUSE_S", 0.01)

    async def main() -> None:
        async with scene(where, tmp_path) as made:
            made.free = 0
            made.send(STILL)
            await made.until(lambda: "cannot be kept" in caplog.text)
            assert made.settled == []
            made.free = 10 * SPARE
            await made.until(lambda: len(made.settled) == len(parts(STILL)))

    asyncio.run(main())
    assert caplog.text.count("cannot be kept") == 1


def test_what_cannot_be_read_is_settled_and_counted(where: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            for number in range(5):
                made.hear(b"%d no part" % number, sum_of(STILL))
            await made.until(lambda: len(made.settled) == 5)
            assert made.evidence.tally.refused == 5

    asyncio.run(main())


def test_a_kill_between_folder_and_record_loses_nothing_and_leaves_nothing(
    where: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            await made.alert(1, sum_of(STILL), sum_of(CLIP))
            made.send(STILL)
            await made.kept(sum_of(STILL))
        folder = tmp_path / "files"
        clip, stray = folder / sum_of(CLIP)[:2] / sum_of(CLIP), folder / sum_of(PNG)[:2] / sum_of(PNG)
        for path, data in ((clip, CLIP), (stray, PNG)):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        (folder / "new" / "half").write_bytes(b"half")
        async with opened_again(where, tmp_path) as made:
            made.now = clip.stat().st_mtime + 2 * files.FRESH_S
            await made.kept(sum_of(STILL), sum_of(CLIP))
            await made.until(lambda: not stray.exists() and not (folder / "new" / "half").exists())

    asyncio.run(main())


@asynccontextmanager
async def opened_again(where: str, tmp_path: Path) -> AsyncIterator[Scene]:
    """Run evidence over what an earlier life left, the clock set before it looks."""
    async with opened(where) as database:
        made = Scene(database, tmp_path / "files", 1 << 30)
        made.now = 4e9
        task = asyncio.create_task(made.evidence.run(), name="evidence")
        try:
            yield made
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def test_over_the_quota_clips_go_before_stills_the_oldest_first_and_none_of_an_open_alert(
    where: str, tmp_path: Path
) -> None:
    def piece(number: int, what: str) -> bytes:
        return (CLIP if what == "clip" else STILL) + bytes([number])

    async def main() -> None:
        async with scene(where, tmp_path, quota_bytes=3 * (len(CLIP) + len(STILL)) + 100) as made:
            alerts = []
            for number in range(4):  # 0 is open, 1 to 3 are closed
                made.now = NOW + number
                still, clip = piece(number, "still"), piece(number, "clip")
                alerts.append(await made.alert(number + 1, sum_of(still), sum_of(clip)))
                made.send(still)
                made.send(clip, "clip")
                await made.kept(sum_of(still), sum_of(clip))
            for alert in alerts[1:]:
                await made.close(alert.alert)

            async def left() -> list[tuple[int, str]]:
                await made.evidence.keeper.sweep()
                names = {sum_of(piece(number, what)): (number, what)
                         for number in range(4) for what in ("still", "clip")}  # fmt: skip
                known = await made.ask(files.known, list(names))
                assert {each for each in names if made.evidence.path(each).exists()} == known
                return sorted(names[each] for each in known)

            everything = [(number, what) for number in range(4) for what in ("clip", "still")]
            assert await left() == everything  # all too fresh
            made.now = NOW + files.FRESH_S + 10
            gone = [(1, "clip"), (2, "clip")]
            assert await left() == [each for each in everything if each not in gone]
            made.free = SPARE - 2 * len(CLIP) + 10  # the disk is fuller than the quota says
            gone += [(3, "clip"), (1, "still"), (2, "still")]
            assert await left() == [each for each in everything if each not in gone]
            made.free = 0
            assert await left() == [(0, "clip"), (0, "still")]

    asyncio.run(main())


def test_what_another_desk_threw_away_goes_here_too(where: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            alert = await made.alert(1, sum_of(STILL))
            made.send(STILL)
            await made.kept(sum_of(STILL))
            await made.close(alert.alert)
            made.now += 2 * files.FRESH_S

            async def elsewhere(transaction: Transaction) -> None:
                assert await files.throw_away(transaction, 1, made.now) == [sum_of(STILL)]

            await made.ask(elsewhere)
            await made.evidence.keeper.sweep()
            assert not made.evidence.path(sum_of(STILL)).exists()

    asyncio.run(main())


def test_what_is_thrown_away_after_the_clock_was_set_back_leaves_the_disk_as_well(
    where: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            alert = await made.alert(1, sum_of(STILL))
            made.send(STILL)
            await made.kept(sum_of(STILL))
            await made.close(alert.alert)
            made.now = NOW + 365 * 86_400.0
            await made.evidence.keeper.sweep()
            made.now, made.free = NOW + 2 * files.FRESH_S, 0
            await made.evidence.keeper.sweep()
            assert not made.evidence.path(sum_of(STILL)).exists()

    asyncio.run(main())


def test_a_photo_is_kept_by_what_it_is_and_belongs_to_the_alert_it_is_attached_to(
    where: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with scene(where, tmp_path) as made:
            await made.until((tmp_path / "files" / "new").exists)
            sha256 = await made.evidence.photo(PNG, "warden-1")
            assert sha256 == await made.evidence.photo(PNG, "warden-2")
            assert made.evidence.path(sha256).read_bytes() == PNG
            alert = await made.alert(1)
            await made.ask(files.attach, [(alert.alert, sha256, "warden-1")], NOW)
            [row] = await made.ask(files.of_alerts, [alert.alert])
            assert (row["kind"], row["media"], row["made_by"], row["who"]) == (
                "photo", "image/png", "warden-1", "warden-1",
            )  # fmt: skip
            for content in (b"<svg/>", CLIP, b"", PNG + bytes(8 * 1024 * 1024)):
                with pytest.raises(PhotoError):
                    await made.evidence.photo(content, "warden-1")

    asyncio.run(main())


def test_pictures_are_told_as_they_were_named_and_a_still_before_its_clip(where: str, tmp_path: Path) -> None:
    clips = sorted(
        (CLIP + bytes([each]) for each in range(9)), key=sum_of
    )  # the first before any still, by its sum
    named = [(STILL, "still"), (clips[0], "clip"), (STILL + b"2", "still"), (clips[-1], "clip")]

    async def main() -> None:
        async with scene(where, tmp_path) as made:
            for number, (data, what) in enumerate(named, start=1):
                made.now = NOW + number // 3
                made.send(data, what)
                alert = await made.alert(number, *(sum_of(each) for each, _ in named[:number]), life=1)
                await made.kept(*(sum_of(each) for each, _ in named[:number]))
            rows = await made.ask(lists.files, [alert.alert])
            assert [(row["sha256"], row["kind"]) for row in rows] == [
                (sum_of(data), what) for data, what in named
            ]

    assert sum_of(clips[0]) < sum_of(STILL)
    asyncio.run(main())
