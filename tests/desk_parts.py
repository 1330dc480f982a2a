"""What tests of the desk share: a real PostgreSQL on a unix socket, alert events as gateways publish them, people."""

import asyncio
import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.core import payload
from gateway.core.events import Change, Event, Place, Severity
from gateway.desk.arrivals import Arrival, read
from gateway.desk.checking import LADDERS
from gateway.desk.escalating import Rules
from gateway.desk.routing import Directory, Duty, Person, Role
from gateway.desk.sending import Delivered, Message, Result
from gateway.desk.store.database import Database
from gateway.desk.store.opening import open_database
from tests.events import MORNING, PLACE, alert_body, event

GATEWAY = "hxtp-01"
NOW = MORNING
RULES = Rules(LADDERS)


def initdb() -> str | None:
    """Return Debian's newest initdb."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return str(found[-1]) if found else shutil.which("initdb")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL of this test run alone."""

    folder: Path
    programs: Path
    user: str

    def database(self) -> str:
        """Return the address of a fresh database."""
        name = f"desk_{uuid.uuid4().hex[:12]}"
        self.command("createdb", "-h", str(self.folder), "-U", self.user, name)
        return f"postgresql://{self.user}@/{name}?host={self.folder}"

    def command(self, program: str, *arguments: str) -> None:
        """Run one of PostgreSQL's programs; as root it will not, so it is run as its own user."""
        other: dict[str, Any] = {"user": self.user, "group": self.user} if os.getuid() == 0 else {}
        subprocess.run(
            [str(self.programs / program), *arguments],
            check=True, capture_output=True, cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            **other,
        )  # fmt: skip

    def start(self) -> None:
        """Start the server."""
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=60"
        self.command(
            "pg_ctl",
            "-D",
            str(self.folder / "data"),
            "-w",
            "-l",
            str(self.folder / "log"),
            "-o",
            options,
            "start",
        )

    def kill(self) -> None:
        """Stop the server as a power cut would."""
        with contextlib.suppress(subprocess.CalledProcessError):
            self.command("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL in a folder of its own, reached by a unix socket only."""
    program = initdb()
    if program is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="desk-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, user, user)
    made = Cluster(folder, Path(program).parent, user)
    try:
        made.command(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-E", "UTF8", "--no-sync", "-U", user
        )
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def opened(where: str) -> AsyncIterator[Database]:
    """Have a database open."""
    database = await open_database(where)
    try:
        yield database
    finally:
        await database.close()


def told(
    seq: int,
    *,
    life: int | None = None,
    change: Change = Change.RAISED,
    kind: str = "fire.smoke",
    severity: Severity = Severity.CRITICAL,
    place: Place = PLACE,
    epoch: int = 1,
    previous: int | None = None,
    by: str | None = None,
) -> Event:
    """Return one step of the life no. `life` (its own by default) as the gateway journals it."""
    body = msgspec.structs.replace(
        alert_body(seq if life is None else life, kind=kind),
        change=change, severity=severity, place=place, by=by, count=seq,
    )  # fmt: skip
    return msgspec.structs.replace(event(seq, body, epoch=epoch), previous=previous)


def published(each: Event, gateway: str = GATEWAY) -> bytes:
    """Return an event as it goes over the broker."""
    return payload.alert_event(each, gateway)


def arrival(seq: int, *, gateway: str = GATEWAY, **changes: Any) -> Arrival:
    """Return an event as the desk reads it."""
    return read(gateway, published(told(seq, **changes), gateway))


def people() -> Directory:
    """Return two wardens on duty, somebody of the property, and the duty room."""
    names = ("warden-1", "warden-2", "property-1", "duty-room")
    return Directory(
        people={name: Person(name, "zh", (("phones", name), ("bot", name))) for name in names},
        roles=(
            Role("warden-1", "warden", PLACE_OF_COMPOUND),
            Role("warden-2", "warden", PLACE_OF_COMPOUND),
            Role("property-1", "property", PLACE_OF_COMPOUND),
            Role("duty-room", "duty_room", Place()),
        ),
        duties=(Duty(PLACE_OF_COMPOUND, (), (), ("warden-1", "warden-2")),),
    )


PLACE_OF_COMPOUND = Place(PLACE.community, PLACE.grid, PLACE.microgrid, PLACE.compound)


class Phones:
    """A sender that keeps what it is given and answers as it is told."""

    def __init__(self, answer: Result | None = None) -> None:
        self.answer: Result = answer or Delivered("ok")
        self.messages: list[Message] = []

    async def send(self, message: Message) -> Result:
        """Keep the message."""
        self.messages.append(message)
        await asyncio.sleep(0)
        return self.answer


def without_place(each: Arrival) -> Arrival:
    """Return the arrival without a place."""
    return replace(each, place=Place())
