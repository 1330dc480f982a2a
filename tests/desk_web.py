"""The desk's pages for tests: an office over an empty database, and phones that were let in as a person would be."""

import asyncio
import errno
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import msgspec

from gateway.core.events import Place
from gateway.desk.arrivals import Arrival
from gateway.desk.evidence.service import Evidence
from gateway.desk.feed import Feed
from gateway.desk.routing import Directory, Person, Role
from gateway.desk.store import events, files, people, phones
from gateway.desk.store.database import Database
from gateway.desk.web.app import WebServer
from gateway.desk.web.asking import People
from gateway.desk.web.live import Live
from gateway.desk.web.parts import Parts
from gateway.desk.web.showing import Showing
from tests import desk_parts
from tests.desk_parts import NOW, PLACE_OF_COMPOUND, compound, opened

HOST = "http://desk.test"
EVERYWHERE = Place()


def staff() -> Directory:
    """Return one person of every role in the compound of the alerts, the duty room everywhere, a warden elsewhere."""
    base = desk_parts.people()
    names = {"police-1": "police", "committee-1": "committee", "administrator-1": "administrator"}
    others = {name: Person(name, "zh", (("phones", name),), "13800000000") for name in (*names, "warden-9")}
    roles = tuple(Role(name, role, PLACE_OF_COMPOUND) for name, role in names.items())
    elsewhere = Role("warden-9", "warden", compound("别的院"))
    return Directory({**base.people, **others}, (*base.roles, *roles, elsewhere), base.duties)


class Album(Evidence):
    """The desk's own folder of evidence, without its services. `full`: the disk has no room."""

    def __init__(self, folder: Path, database: Database, now: Callable[[], float]) -> None:
        super().__init__(database, folder, quota_bytes=1 << 30, now=now)
        self.full = False
        self.folder, self._database_of_photos, self._at = folder, database, now
        (folder / "new").mkdir()

    async def photo(self, content: bytes, who: str) -> str:
        """Keep a photo."""
        if self.full:
            raise OSError(errno.ENOSPC, "no room")
        return await super().photo(content, who)

    async def keep(self, content: bytes, kind: str, media: str, who: str) -> str:
        """Keep a file of any kind, as if it had come from a gateway."""
        sha256 = hashlib.sha256(content).hexdigest()
        self.path(sha256).parent.mkdir(exist_ok=True)
        self.path(sha256).write_bytes(content)
        size = len(content)
        async with self._database_of_photos.transaction() as transaction:
            await files.add(transaction, sha256, kind=kind, media=media, size=size, who=who, now=self._at())
        return sha256


@dataclass(slots=True)
class Office:
    """A desk without its services: what is taken in and asked for is done at once. `at` is its clock."""

    database: Database
    parts: Parts
    album: Album
    at: float = NOW
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    async def take(self, *batch: Arrival) -> None:
        """Take alerts in, and have the pages know."""
        async with self.database.transaction() as transaction:
            await events.ingest(transaction, batch, self.at)
        await self.parts.showing.load()

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Return a browser that was not let in."""
        transport = httpx.ASGITransport(WebServer(self.parts).app, raise_app_exceptions=True)
        made = httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)
        self.clients.append(made)
        return made

    async def token(self, person: str | None, place: Place = EVERYWHERE) -> str:
        """Return a word that lets a phone in."""
        async with self.database.transaction() as transaction:
            token, _ = await phones.offer(
                transaction, person=person, place=place, label="", by="test", now=self.at
            )
        return token

    async def phone(self, person: str | None, place: Place = EVERYWHERE) -> httpx.AsyncClient:
        """Return the browser of somebody's phone, let in; None: a shared one of `place`."""
        client = self.client()
        answer = await client.post(
            "/api/pair", json={"token": await self.token(person, place), "label": "手机"}
        )
        assert answer.status_code == 200, answer.text
        client.headers["x-desk"] = answer.json()["csrf"]
        return client


@asynccontextmanager
async def office(where: str, directory: Directory | None = None) -> AsyncIterator[Office]:
    """Have an office over the database at `where`."""
    async with opened(where) as database, AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        async with database.transaction() as transaction:
            await people.replace(transaction, directory or staff())
        feed, showing = Feed(database), Showing(database)
        album = Album(folder, database, lambda: made.at)
        parts = Parts(database, feed, showing, Live(database, feed, showing), People(database), album)
        made = Office(database, parts, album)
        parts.now = lambda: made.at
        await showing.load()
        try:
            yield made
        finally:
            for client in made.clients:
                await client.aclose()


def run(where: str, body: Callable[[Office], Awaitable[None]], directory: Directory | None = None) -> None:
    """Run a test in an office."""

    async def main() -> None:
        async with asyncio.timeout(60), office(where, directory) as made:
            await body(made)

    asyncio.run(main())


def events_of(data: bytes) -> Sequence[tuple[str, Any, str]]:
    """Return server-sent events as (event, data, id)."""
    found = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in fields:
            found.append((fields["event"], msgspec.json.decode(fields["data"]), fields.get("id", "")))
    return found
