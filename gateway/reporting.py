"""`report`: everything whoever maintains a gateway asks for, in one file, with no secret and no person in it.

A gateway that runs is asked over its control socket. One that is down is looked at from outside: its journal is
copied first and the copy is read, because the file has one owner and that is the gateway. Whatever cannot be had is
said in its place; every other program is asked for ten seconds at most. What is blanked says gateway/core/redaction.py.
"""

import asyncio
import hashlib
import io
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from drivers.api import ProfileError
from gateway import __version__, configuration
from gateway.core import config as tables
from gateway.core.assets import kinds as asset_kinds
from gateway.core.redaction import Redactor
from gateway.runtime.board import Board
from gateway.runtime.journal import Journal, StoreError
from gateway.terminal import status as status_screen
from gateway.terminal.client import Client
from gateway.terminal.document import Status, read
from gateway.terminal.errors import ToolError
from gateway.terminal.words import Words

ROWS: Final = 200
DAYS: Final = (1, 7, 30)
LARGEST: Final = 2_000_000  # bytes of one part
LARGEST_COPY: Final = 128_000_000
LARGEST_SECRET: Final = 64_000
WITHIN_S: Final = 10.0
UNIT: Final = "compound-gateway"
CREDENTIALS: Final = Path(f"/run/credentials/{UNIT}.service")
TOLD: Final = frozenset({"alert", "note"})
COMMANDS: Final = {
    "usb.txt": ("lsusb",),
    "udev.txt": ("udevadm", "info", "--export-db", "--property-match=SUBSYSTEM=tty"),
    "unit.txt": ("systemctl", "status", "--no-pager", "--lines=0", UNIT),
    "unit-settings.txt": ("systemctl", "show", UNIT, "--property=ActiveState,SubState,NRestarts,Result,ExecMainStatus,"
                          "ExecMainStartTimestamp,MemoryCurrent,TasksCurrent,StatusText"),
    "log.txt": ("journalctl", "--unit", UNIT, "--unit", f"{UNIT}-vision", "--lines=2000", "--no-pager",
                "--output=short-iso-precise"),
    "kernel.txt": ("journalctl", "--dmesg", "--lines=300", "--no-pager", "--output=short-iso-precise"),
    "clock.txt": ("timedatectl", "show"),
    "network.txt": ("ip", "-brief", "address"),
    "routes.txt": ("ip", "route"),
    "disks.txt": ("df", "-h"),
    "inodes.txt": ("df", "-i"),
}  # fmt: skip


class Report:
    """Collects the parts of one report. `redactor` blanks each; nothing is kept that did not pass through it."""

    def __init__(self, redactor: Redactor) -> None:
        self.parts: dict[str, bytes] = {}
        self._redactor = redactor

    def text(self, name: str, told: str) -> None:
        """Keep a text; the end of one that is too long."""
        self.parts[name] = self._redactor.text(told).encode(errors="replace")[-LARGEST:]

    def tree(self, name: str, told: Any, harmless: frozenset[str] | None = None) -> None:
        """Keep a document as JSON."""
        blanked = self._redactor.tree(msgspec.to_builtins(told), harmless)
        self.parts[name] = json.dumps(blanked, ensure_ascii=False, indent=1).encode()

    def tried(self, name: str, collect: Callable[[], None]) -> None:
        """Collect a part, or say in its place why it cannot be had."""
        try:
            collect()
        except (OSError, ValueError, ToolError, StoreError, ProfileError, sqlite3.Error) as error:
            self.text(name, f"not to be had: {type(error).__name__}: {error}\n")


def make(config: Path | None, socket: Path | None, output: Path | None, words: Words) -> str:
    """Write a report and return what to tell of it; ToolError if it cannot be written."""
    file, wall = config or configuration.find(), time.time()
    target = output or Path(name_of(file, wall))
    client = Client([socket] if socket else configuration.control_sockets(file))
    try:
        parts = write(file, target, client, wall)
    except OSError as error:
        raise ToolError("report.unwritable", path=target, reason=error.strerror or error) from error
    return words("report.written", path=target, n=len(parts), kilobytes=target.stat().st_size // 1000 + 1)


def write(file: Path, target: Path, client: Client, wall: float) -> list[str]:
    """Write the report on the gateway of a configuration; return the names of its parts. OSError if it cannot."""
    report = Report(Redactor(_secrets(file)))
    report.tried("configuration.json", lambda: _configuration(report, file))
    report.text(
        "check.txt", "".join(f"{fault}\n" for fault in configuration.check(file).faults) or "no faults\n"
    )
    report.tried("health.json", lambda: _health(report, client))
    report.tried("rows.json", lambda: report.tree("rows.json", _rows(file, client, wall)))
    report.tried("journal.txt", lambda: _state_dir(report, file))
    report.tried("machine.json", lambda: report.tree("machine.json", Board(_folder(file)).measure()))
    report.text("versions.txt", "".join(f"{line}\n" for line in _versions()))
    report.text("ports.txt", "".join(f"{line}\n" for line in _ports()))
    report.tried("profiles", lambda: _profiles(report, file))
    for name, command in COMMANDS.items():
        report.text(name, _asked(command))
    return _pack(report.parts, target, wall)


def _configuration(report: Report, file: Path) -> None:
    """Keep the configuration under the keys that the gateway knows; comments and all else stay behind."""
    report.tree("configuration.json", tomllib.loads(file.read_text(encoding="utf-8-sig")), _known_keys())


def _known_keys() -> frozenset[str]:
    """Return every key a table of gateway.toml has, and those of the tables that have no fixed form."""
    structs = [
        each
        for each in vars(tables).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each is not tables.ResidentTable
    ]
    keys = {field.name for struct in structs for field in msgspec.structs.fields(struct)}
    places = {"community", "grid", "microgrid", "compound", "building", "unit", "floor"}
    rules = {
        "kind",
        "category",
        "point",
        "points",
        "when",
        "above",
        "below",
        "clear",
        "hold_s",
        "deviates",
        "urgent",
    }
    keys.discard("resident")  # who lives where with which sensor is nobody's business but theirs
    return frozenset(keys | places | rules | {"after_s", "language", "y", "action", "device", "url_file"})


def _health(report: Report, client: Client) -> None:
    told = client.ask("status")["status"]
    report.tree("health.json", told)
    for language in ("zh", "en"):
        page = io.StringIO()
        Console(file=page, width=140).print(status_screen.screen(read(Status, told), Words(language)))
        report.text(f"status-{language}.txt", page.getvalue())


def _rows(file: Path, client: Client, wall: float) -> list[Any]:
    """Return the last alerts and notes: of the gateway that runs, else of a copy of its journal."""
    until = wall + 86_400
    rows: list[Any] = []
    try:
        for days in DAYS:  # most of a long time are readings, which nobody wants here
            answers = client.stream("export", since=wall - days * 86_400, until=until)
            rows = list(deque((each["event"] for each in answers if _is_told(each["event"])), ROWS))
            if len(rows) == ROWS:
                break
        return rows
    except ToolError:
        return asyncio.run(_copied_rows(_folder(file) / "journal.db", wall - DAYS[-1] * 86_400, until))


def _is_told(event: Any) -> bool:
    body = event.get("body", {})
    return body.get("type") in TOLD and not str(body.get("kind", "")).startswith("care.")


async def _copied_rows(journal: Path, since: float, until: float) -> list[Any]:
    pieces = [each for each in journal.parent.glob("journal.db*") if each.suffix in {".db", ".db-wal"}]
    if sum(each.stat().st_size for each in pieces) > LARGEST_COPY:
        raise ValueError(
            f"the journal is larger than {LARGEST_COPY // 1_000_000} MB; start the gateway and try again"
        )
    with tempfile.TemporaryDirectory() as folder:
        for each in pieces or [journal]:
            shutil.copyfile(each, Path(folder) / each.name)
        book = await Journal.open(Path(folder) / journal.name)
        try:
            rows = [
                row
                async for event in book.export(since, until)
                if _is_told(row := msgspec.to_builtins(event))
            ]
        finally:
            await book.close()
    return rows[-ROWS:]


def _state_dir(report: Report, file: Path) -> None:
    """List what lies in the state directory, by name and size, never by content."""
    folder = _folder(file)
    lines = [f"{each.stat().st_size:>12}  {each.name}" for each in sorted(folder.iterdir()) if each.is_file()]
    report.text("journal.txt", f"{folder}\n" + "".join(f"{line}\n" for line in lines))


def _profiles(report: Report, file: Path) -> None:
    checked = configuration.check(file)
    report.text("profiles/used.txt", "".join(f"{name}\n" for name in sorted(checked.profiles)))
    for own in sorted((file.parent / "profiles").glob("*.toml"))[:100]:
        report.text(f"profiles/{own.name}", own.read_text(encoding="utf-8", errors="replace"))


def _folder(file: Path) -> Path:
    """Return the state directory, also of a configuration with mistakes."""
    told = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("gateway", {}).get("state_dir", "")
    return file.parent.absolute() / os.path.expandvars(str(told) or tables.GatewayTable(id="-").state_dir)


def _secrets(file: Path) -> list[str]:
    """Return what the files hold that the configuration calls secret, and every key in the state directory."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        kept = [each for each in _folder(file).glob("*.key") if each.is_file()]
    except (OSError, ValueError):
        return []
    names = [os.path.expandvars(value) for value in _file_values(told)]
    found = []
    for path in (*(folder / name for name in names for folder in (file.parent, CREDENTIALS)), *kept):
        try:
            data = path.read_bytes()[:LARGEST_SECRET]
        except OSError:
            continue
        found += [data.decode("utf-8", "replace"), data.hex()]
    return [*found, *_of_residents(told)]


def _of_residents(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield what tells who lives where: door numbers, and names and labels of what watches over somebody."""
    homes = _tables(told, "resident")
    watching = {str(part) for each in homes for part in _list(each, "sensors")}
    yield from (str(each.get("code", "")) for each in homes)
    over = {name for name, kind in asset_kinds.built_in().items() if kind.asset.consent}
    devices = (device for bus in _tables(told, "bus") for device in _tables(bus, "device"))
    for each in (*devices, *_tables(told, "asset")):
        if each.get("name") in watching or each.get("kind") in over:
            yield from (str(each.get("name", "")), str(each.get("label", "")))


def _tables(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [each for each in _list(told, name) if isinstance(each, dict)]


def _list(told: Mapping[str, Any], name: str) -> list[Any]:
    found = told.get(name)
    return found if isinstance(found, list) else []


def _file_values(told: Any) -> Iterator[str]:
    if isinstance(told, dict):
        for key, value in told.items():
            if key.endswith("_file") and key not in {"ca_file", "cert_file"} and isinstance(value, str):
                yield value
            yield from _file_values(value)
    elif isinstance(told, list):
        for each in told:
            yield from _file_values(each)


def _versions() -> Iterator[str]:
    yield f"compound-gateway {__version__}"
    yield f"python {sys.version.split()[0]} at {sys.executable}"
    yield f"sqlite {sqlite3.sqlite_version}"
    yield f"kernel {platform.release()} {platform.machine()}"
    release = Path("/etc/os-release")
    yield from release.read_text(encoding="utf-8").splitlines() if release.is_file() else ()
    yield from sorted(f"{each.name} {each.version}" for each in metadata.distributions())


def _ports() -> Iterator[str]:
    for pattern in (
        "dev/serial/by-id/*",
        "dev/serial/by-path/*",
        "dev/rs485/*",
        "dev/tty[A-Z][A-Z]*",
        "dev/video*",
    ):
        for path in sorted(Path("/").glob(pattern)):
            yield f"{path} -> {path.resolve()}"


def _asked(command: Sequence[str]) -> str:
    """Return what a program of the system says; why not, where it cannot be asked."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
            timeout=WITHIN_S, env={**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"},
        )  # fmt: skip
    except FileNotFoundError:
        return f"{command[0]} is not installed\n"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{command[0]}: {error}\n"
    return (
        done.stdout.decode("utf-8", "replace") + f"[{' '.join(command[:2])}: exit code {done.returncode}]\n"
    )


def _pack(parts: dict[str, bytes], target: Path, wall: float) -> list[str]:
    """Write the parts and their sums into one file that only its owner may read."""
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(parts.items()))
    whole = {"MANIFEST.sha256": sums.encode(), **dict(sorted(parts.items()))}
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        os.fchmod(file.fileno(), 0o600)  # a file that lay there has kept its own mode
        for name, data in whole.items():
            entry = tarfile.TarInfo(f"report/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(wall), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return list(whole)


def name_of(file: Path, wall: float) -> str:
    """Return the usual name of a report: whose it is, and when it was made."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8-sig")).get("gateway", {}).get("id", "")
    except (OSError, ValueError):
        told = ""
    own = "".join(each for each in str(told) if each.isascii() and (each.isalnum() or each == "-"))[:32]
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(wall))
    return f"report-{own or 'gateway'}-{stamp}.tar.gz"
