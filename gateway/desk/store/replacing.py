"""Puts a new record in the place of a damaged one, which is set aside under a name that says when, and not repaired
but for its first page (first_page.py).

Where damage was met a mark is left beside the file: only then, or where the file cannot even be opened, it is looked
through, for that reads all of it. The new file is made under another name, and takes its own when it is whole:

    desk.db.saving  --whole, flushed-->  desk.db.fresh-WHEN
    desk.db, -wal   ------------------>  desk.db.set-aside-WHEN, -wal
    desk.db.fresh-WHEN  -------------->  desk.db

A crash before the first arrow begins anew from the old file, which is still there; after it the rest is made up for.
Some files set aside are kept, and for some days: they hold what residents may have had thrown away.
"""

import logging
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec

from gateway.desk.store import first_page, salvage
from gateway.desk.store.salvage import Lost
from gateway.runtime import whole_file

log = logging.getLogger(__name__)

KEPT: Final = 2
KEPT_S: Final = 30 * 86_400.0
_NO_ROOM: Final = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_DAMAGE: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_damage(error: BaseException | None) -> bool:
    """Return whether an error says that the file is not what was written: no full disk, no line that broke."""
    return _code(error) in _DAMAGE or first_page.is_bad_spot(error)


def mark(path: Path) -> None:
    """Have the file at `path` replaced at the next opening; a disk that takes no mark is met with the damage again."""
    with suppress(OSError):
        _mark(path).touch()
        whole_file.flush(path.parent)


def take_up(path: Path) -> None:
    """Do what is due before an opening: end what a crash cut short, replace what is marked. Blocks."""
    _finish(path)
    if _mark(path).exists() or (not _size(path) and _size(_wal(path))):
        replace(path)


def replace(path: Path) -> None:
    """Set a damaged file aside, with a new one in its place; blocks for as long as it takes to copy it."""
    forget(path, keep=KEPT - 1)
    when, aside = _free(path)
    lost = _made(path, _saving(path), when, aside)
    _saving(path).rename(_fresh(path, _written(when)))
    _mark(path).unlink(missing_ok=True)
    first_page.forget(path)
    whole_file.flush(path.parent)
    if path.exists():
        path.rename(aside)
    _finish(path)
    told = ", ".join(f"{each.table}: {'?' if each.rows is None else each.rows}" for each in lost) or "nothing"
    log.critical(
        "%s was damaged and lies at %s now; rows nobody can read: %s. Replace the card",
        path,
        aside,
        told,
    )


def forget(path: Path, *, keep: int = KEPT, now: float | None = None) -> None:
    """Throw away files that were set aside: what is older than some days, and all but the newest few."""
    found = [each for each in path.parent.glob(f"{path.name}.set-aside-*") if not each.name.endswith("-wal")]
    found.sort(key=lambda each: each.stat().st_ctime, reverse=True)
    oldest = (time.time() if now is None else now) - KEPT_S
    for number, each in enumerate(found):
        if number >= keep or each.stat().st_ctime < oldest:
            for file in (each, _wal(each)):
                with suppress(OSError):  # one that stays costs room, and keeps nobody from being paged
                    file.unlink(missing_ok=True)


def _made(path: Path, saving: Path, when: float, aside: Path) -> list[Lost]:
    """Make the new file, without its history where there is no room for that; return what was lost."""
    room = shutil.disk_usage(path.parent).free > _size(
        path
    )  # else a gateway beside us would be out of it meanwhile
    _remove(saving)
    try:
        lost = salvage.save(path, saving, history=room)
    except sqlite3.OperationalError as error:
        if not room or _code(error) not in _NO_ROOM:
            raise
        _remove(saving)
        lost = salvage.save(path, saving, history=False)
    with closing(sqlite3.connect(saving)) as made, made:
        told = msgspec.json.encode(lost).decode()
        made.execute("INSERT INTO salvages (at, aside, lost) VALUES (?, ?, ?)", (when, str(aside), told))
    if path.exists():
        saving.chmod(path.stat().st_mode & 0o777)
    return lost


def _finish(path: Path) -> None:
    """Let a whole new file take its place, also when a crash came between; remove one that came too early."""
    for fresh in path.parent.glob(f"{path.name}.fresh-*"):
        if path.exists():
            _remove(fresh)
            continue
        wal = _wal(path)
        if wal.exists():  # first, or the new file would be read with it
            wal.rename(_wal(_aside(path, fresh.name.rpartition("-")[2])))
        fresh.rename(path)
        whole_file.flush(path.parent)


def _free(path: Path) -> tuple[float, Path]:
    """Return the moment, a second later where that one is taken, and the name to set aside under."""
    when = time.time()
    while _aside(path, _written(when)).exists():
        when += 1.0
    return when, _aside(path, _written(when))


def _written(when: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when))


def _aside(path: Path, when: str) -> Path:
    return path.with_name(f"{path.name}.set-aside-{when}")


def _fresh(path: Path, when: str) -> Path:
    return path.with_name(f"{path.name}.fresh-{when}")


def _saving(path: Path) -> Path:
    return path.with_name(path.name + ".saving")


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".damaged")


def _wal(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _remove(path: Path) -> None:
    for file in (path, _wal(path), path.with_name(path.name + "-journal")):
        file.unlink(missing_ok=True)


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
