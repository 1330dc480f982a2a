"""Photos taken in and files given out: pictures only, bare, to whom they concern, whole or in part."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.desk.store.files import attach
from gateway.desk.web import api_files
from gateway.desk.web.api_files import LARGEST
from tests.desk_parts import arrival, compound
from tests.desk_web import Office, run
from tests.gateway.desk.test_photos import SECRET, SMALL_PNG, exif, jpeg, riff, segment

PHOTO = jpeg(segment(0xE1, exif(6)), segment(0xFE, SECRET))


async def put(client: httpx.AsyncClient, content: bytes = PHOTO) -> str:
    """Have a photo kept and return its sum."""
    answer = await client.put("/api/files", content=content)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["sha256"])


async def attached(office: Office, alert: str, sha256: str) -> None:
    """Have a file belong to an alert."""
    async with office.database.transaction() as transaction:
        await attach(transaction, [(alert, sha256, alert.partition("/")[0])], office.at)


def test_a_photo_is_kept_without_where_it_was_taken_and_shown_to_whom_it_concerns(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        own, mate, foreign = [await office.phone(name) for name in ("warden-1", "warden-2", "warden-9")]
        sha256 = await put(own)
        kept = office.album.path(sha256).read_bytes()
        assert SECRET not in kept
        assert (await own.get(f"/files/{sha256}")).content == kept
        assert (await mate.get(f"/files/{sha256}")).status_code == 404  # of no alert yet
        step = {"id": "00000000-0001", "step": "note", "note": "x", "photos": [sha256]}
        answer = await own.post(f"/api/alerts/{arrival(1).alert}/steps", json=step)
        assert answer.json()["alert"]["evidence"] == [{"sha256": sha256, "kind": "photo"}]
        shown = await mate.get(f"/files/{sha256}")
        assert shown.headers["content-type"] == "image/jpeg"
        assert "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["x-content-type-options"] == "nosniff"
        assert shown.headers["cache-control"] == "no-store"
        assert (await foreign.get(f"/files/{sha256}")).status_code == 404
        assert (await office.client().get(f"/files/{sha256}")).status_code == 401

    run(where, body)


def test_a_clip_is_given_in_parts(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        sha256 = await office.album.keep(b"0123456789", "clip", "video/mp4", "hxtp-01")
        await attached(office, arrival(1).alert, sha256)
        client = await office.phone("warden-1")
        part = await client.get(f"/files/{sha256}", headers={"range": "bytes=2-4"})
        assert (part.status_code, part.content) == (206, b"234")
        assert part.headers["content-range"] == "bytes 2-4/10"
        assert part.headers["content-type"] == "video/mp4"
        assert (await client.get(f"/files/{sha256}", headers={"range": "bytes=20-30"})).status_code == 416

    run(where, body)


def test_what_is_neither_picture_nor_clip_is_never_shown_as_a_page(where: str) -> None:
    async def body(office: Office) -> None:
        await office.take(arrival(1))
        sha256 = await office.album.keep(b"<script>", "still", "text/html", "hxtp-01")
        await attached(office, arrival(1).alert, sha256)
        shown = await (await office.phone("warden-1")).get(f"/files/{sha256}")
        assert shown.headers["content-type"] == "application/octet-stream"
        assert shown.headers["content-disposition"] == "attachment"

    run(where, body)


@pytest.mark.parametrize("content", [SMALL_PNG, riff((b"VP8 ", b"12"))])
def test_other_pictures_of_phones_are_kept_as_well(where: str, content: bytes) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("committee-1")
        assert (await client.get(f"/files/{await put(client, content)}")).content == content

    run(where, body)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 415),
        (b"<svg onload='alert(1)'/>", 415),
        (b"GIF89a" + bytes(20), 415),
        (PHOTO[:-1], 415),
        (PHOTO + bytes(LARGEST), 413),
    ],
)
def test_only_whole_pictures_of_bearable_size_are_taken(where: str, content: bytes, status: int) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        assert (await client.put("/api/files", content=content)).status_code == status
        assert [path for path in office.album.folder.rglob("*") if path.is_file()] == []

    run(where, body)


def test_a_body_without_an_end_is_cut_off_and_a_full_disk_said(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(65_536)

    async def stuck() -> AsyncIterator[bytes]:
        yield PHOTO[:10]
        await asyncio.Event().wait()

    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        assert (await client.put("/api/files", content=endless())).status_code == 413
        office.album.full = True
        assert (await client.put("/api/files", content=PHOTO)).json()["error"] == "full"
        monkeypatch.setattr(api_files, "WITHIN_S", 0.05)
        assert (await client.put("/api/files", content=stuck())).json()["error"] == "slow"

    run(where, body)


def test_a_photo_of_somebody_else_cannot_be_had_by_its_name_or_taken_into_an_alert_of_ones_own(
    where: str,
) -> None:
    async def body(office: Office) -> None:
        mine = arrival(2, place=compound("别的院"))
        await office.take(arrival(1), mine)
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        sha256 = await put(own)
        step = {"id": "00000000-0002", "step": "note", "note": "x", "photos": [sha256]}
        assert (await foreign.post(f"/api/alerts/{mine.alert}/steps", json=step)).status_code == 400
        assert (await foreign.get(f"/files/{sha256}")).status_code == 404
        again = await put(foreign)  # who has the very same picture may use it
        assert again == sha256
        step["id"] = "00000000-0003"
        assert (await foreign.post(f"/api/alerts/{mine.alert}/steps", json=step)).status_code == 200
        assert (await foreign.get(f"/files/{sha256}")).status_code == 200

    run(where, body)


@pytest.mark.parametrize("name", ["0" * 64, "..%2f..%2fetc%2fpasswd", "%2e%2e", "A" * 64, "0" * 63, "0" * 65])
def test_a_name_that_is_no_file_of_ours_is_none(where: str, name: str) -> None:
    async def body(office: Office) -> None:
        assert (await (await office.phone("duty-room")).get(f"/files/{name}")).status_code == 404

    run(where, body)


def test_a_file_that_is_gone_from_the_disk_or_thrown_away_is_none(where: str) -> None:
    async def body(office: Office) -> None:
        client = await office.phone("warden-1")
        sha256 = await put(client)
        office.album.path(sha256).unlink()
        assert (await client.get(f"/files/{sha256}")).status_code == 404
        await put(client)
        async with office.database.transaction() as transaction:
            await transaction.execute("UPDATE files SET gone_at = 1")
        assert (await client.get(f"/files/{sha256}")).status_code == 404

    run(where, body)


def test_a_gateway_that_names_a_file_of_another_makes_it_none_of_its_own(where: str) -> None:
    async def body(office: Office) -> None:
        thief = arrival(2, gateway="other-01", place=compound("别的院"))
        await office.take(arrival(1), thief)
        own, foreign = await office.phone("warden-1"), await office.phone("warden-9")
        still = await office.album.keep(b"\xff\xd8\xff", "still", "image/jpeg", "hxtp-01")
        photo = await put(own)
        for sha256 in (still, photo):
            for alert in (arrival(1).alert, thief.alert):
                await attached(office, alert, sha256)
            assert (await foreign.get(f"/files/{sha256}")).status_code == 404
            assert (await own.get(f"/files/{sha256}")).status_code == 200

    run(where, body)
