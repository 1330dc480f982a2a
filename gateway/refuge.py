"""Where the gateway lives when its disk cannot be written at the start: in memory, so that fire and doors have one.

A card that dies is made read-only by the kernel, and the next start must not fail for it. What the state directory
holds (journal, access list, keys; not pictures) is copied into the service's runtime directory, a tmpfs, and life goes
on there: alerts that were not sent are sent, a fire's doors stay free, covers keep their angles. When the disk takes
writes again at some later start, everything is carried home, the newer over the older. A reboot before that loses
what had happened meanwhile and was not sent.

Only a service has a runtime directory (`$RUNTIME_DIRECTORY`, systemd.exec(5)). Whoever starts the program by hand is
told what is wrong instead.
"""

import dataclasses
import errno
import logging
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from gateway import surroundings
from gateway.configuration import Checked
from gateway.core.config import GatewayTable
from gateway.core.faults import ConfigError
from gateway.runtime.journal import StoreError
from gateway.runtime.journal.epochs import set_apart

log = logging.getLogger(__name__)

T = TypeVar("T")

DEAD: Final = frozenset({errno.EROFS, errno.EIO, errno.ENOSPC, errno.EUCLEAN})
"""What a disk says that cannot be written; everything else is a mistake that a person must mend."""
RESERVE: Final = ".reserve"
LARGEST: Final = 128 * 1024 * 1024  # of one file: memory is what we live in
PART: Final = ".carried"
JOURNAL, WAL = "journal.db", "-wal"
LEFT: Final = "left-behind"  # the names of what was not taken along


def settled(checked: Checked, environment: Mapping[str, str] = os.environ) -> Checked:
    """Return the configuration with the directory to live in, where nobody may live yet; ConfigError if there is none.

    What `trouble` then says is a matter for people: the disk is dead.
    """
    assert checked.config is not None
    return _moved(checked, *_settle(checked.config.gateway, environment))


def _moved(checked: Checked, folder: Path, trouble: str) -> Checked:
    assert checked.config is not None
    table = msgspec.structs.replace(checked.config.gateway, state_dir=str(folder))
    config = msgspec.structs.replace(checked.config, gateway=table)
    return dataclasses.replace(checked, config=config, trouble=trouble)


async def opened(
    checked: Checked,
    open_at: Callable[[Path], Awaitable[T]],
    environment: Mapping[str, str] = os.environ,
) -> tuple[Checked, T]:
    """Return where we live and what `open_at` opened there: in memory where it finds that the disk is dead after all.

    A disk may take a trial byte and no database: it is full to the last block, or its file cannot be read.
    """
    checked = settled(checked, environment)
    assert checked.config is not None
    home = Path(checked.config.gateway.state_dir)
    try:
        return checked, await open_at(home)
    except StoreError as error:
        refuge = _refuge(environment)
        if refuge is None or checked.trouble or not _is_dead(error.__cause__):
            raise
        moved = _moved(checked, *_flee(home, refuge, str(error)))
        return moved, await open_at(refuge)


def _is_dead(cause: BaseException | None) -> bool:
    """Return whether it is the disk that refuses, and not a file that somebody else has or a newer version wrote."""
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY}
    return isinstance(cause, OSError) and cause.errno in DEAD


def _settle(table: GatewayTable, environment: Mapping[str, str]) -> tuple[Path, str]:
    """Return where to live from now on, and why it is not where it should be."""
    refuge = _refuge(environment)
    try:
        folder = surroundings.prepare_state_dir(table)
        if refuge is not None and refuge.exists():
            _carry_home(refuge, folder)
        return folder, ""
    except (ConfigError, OSError) as error:
        cause = error.__cause__ if isinstance(error, ConfigError) else error
        number = cause.errno if isinstance(cause, OSError) else None
        home = Path(table.state_dir)
        if number == errno.ENOSPC and any(home.glob("*" + RESERVE)):
            return home, ""  # the journal gives up its reserve
        if number not in DEAD or refuge is None:
            raise
        return _flee(home, refuge, os.strerror(number or 0))


def _refuge(environment: Mapping[str, str]) -> Path | None:
    runtime = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(runtime) / "state" if runtime else None


def _flee(home: Path, refuge: Path, reason: str) -> tuple[Path, str]:
    trouble = f"{home}: {reason}; living in memory until the disk is mended"
    log.critical("%s", trouble)
    if not refuge.exists():
        _move_in(home, refuge)
    return refuge, trouble


def _move_in(home: Path, refuge: Path) -> None:
    """Copy what can be read. What cannot is told and left: a gateway without it is better than none."""
    part = refuge.with_name(refuge.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(mode=0o750, parents=True)
    left: list[str] = []
    for file in _files(home):
        if trouble := _copied(file, part):
            log.error("%s is not taken along: %s", file, trouble)
            left.append(file.name)
    if JOURNAL in left:  # a WAL without its file is nothing
        (part / (JOURNAL + WAL)).unlink(missing_ok=True)
    (part / LEFT).write_text("\n".join(left), encoding="utf-8")
    set_apart(part / JOURNAL)
    part.rename(refuge)


def _copied(file: Path, folder: Path) -> str:
    """Copy a file into a folder; return why that could not be."""
    try:
        if file.stat().st_size > LARGEST:
            return "too large for a life in memory"
        shutil.copy2(file, folder / file.name)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _carry_home(refuge: Path, home: Path) -> None:
    """Copy everything back, flushed, then let each file take its place; OSError leaves both as they are."""
    left = (refuge / LEFT).read_text(encoding="utf-8").splitlines()
    files = [file for file in _files(refuge) if file.name != LEFT and not file.name.endswith(WAL)]
    for file in files:
        _fold(file)
        shutil.copy2(file, copy := home / (file.name + PART))
        with copy.open("rb") as copied:
            os.fsync(copied.fileno())
    for file in files:
        if file.name in left:  # what is at home is not in it: it stays beside, for people
            (home / (file.name + PART)).rename(home / (file.name + ".from-memory"))
            continue
        _fold(home / file.name)
        (home / (file.name + WAL)).unlink(missing_ok=True)
        (home / (file.name + PART)).rename(home / file.name)
    shutil.rmtree(refuge)
    log.warning("%s takes writes again: what happened meanwhile was carried there", home)


def _fold(file: Path) -> None:
    """Fold a database's WAL into it, so that it is one file; a damaged one, which is replaced, stays as it is."""
    if file.suffix == ".db" and file.exists():
        with suppress(sqlite3.Error), closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files that make up a gateway's state."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        passing = file.suffix in {RESERVE, PART, ".new"} or ".set-aside-" in file.name
        if file.is_file() and not file.is_symlink() and not passing:
            yield file
