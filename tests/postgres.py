"""A real PostgreSQL for tests, from Debian's package, on a unix socket in a folder of its own."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


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
    durable: bool = False

    def database(self) -> str:
        """Return the address of an empty database: a schema of its own, which is made in a tenth of the time."""
        name = f"desk_{uuid.uuid4().hex[:12]}"
        self.command(
            "psql",
            "-q",
            "-h",
            str(self.folder),
            "-U",
            self.user,
            "-d",
            "postgres",
            "-c",
            f"CREATE SCHEMA {name}",
        )
        return f"postgresql://{self.user}@/postgres?host={self.folder}&search_path={name}"

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
        flush = (
            "on" if self.durable else "off"
        )  # nobody cuts the power here, and a flush of everything takes a minute
        options = f"-k {self.folder} -c listen_addresses= -c max_connections=60 -c fsync={flush}"
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
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """Run a PostgreSQL in a folder of its own, reached by a unix socket only; `durable`: it flushes to the disk."""
    program = initdb()
    if program is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="desk-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, user, user)
    made = Cluster(folder, Path(program).parent, user, durable)
    try:
        made.command(
            "initdb", "-D", str(folder / "data"), "-A", "trust", "-E", "UTF8", "--no-sync", "-U", user
        )
        made.start()
        yield made
    finally:
        made.kill()
        shutil.rmtree(folder, ignore_errors=True)
