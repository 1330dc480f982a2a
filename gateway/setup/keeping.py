"""The file itself: checked before it takes its place, and what was there is kept beside it."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace as changed
from pathlib import Path
from typing import Final

from drivers.api import Profile
from gateway import configuration
from gateway.runtime.whole_file import replace
from gateway.setup.broker import PASSWORD_FILE
from gateway.setup.document import document
from gateway.setup.found import Site
from gateway.terminal.words import Words

SAMPLE: Final = Path("/usr/share/doc/compound-gateway/examples/gateway.toml")
SYSTEM_STATE: Final = "/var/lib/compound-gateway"
READABLE: Final = 0o640


def state_dir(output: Path) -> str:
    """Return where the journal goes: the system's place for the system's file, else a folder beside the file."""
    return SYSTEM_STATE if output == configuration.SYSTEM_FILE else "state"


def is_somebodys(output: Path, sample: Path = SAMPLE) -> bool:
    """Say whether there is a file that somebody wrote: anything but the sample the package put there."""
    if not output.exists():
        return False
    try:
        return output.read_bytes() != sample.read_bytes()
    except OSError:
        return True


def write(
    output: Path, site: Site, password: str, profiles: Mapping[str, Profile], words: Words
) -> configuration.Checked:
    """Write the file and the password beside it, if `check` finds no error in it; return what it found.

    With an error nothing is changed but the password. OSError where the folder cannot be written in.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    group = output.parent.stat().st_gid if os.geteuid() == 0 else -1
    text = document(site, profiles, words).encode()
    candidate = output.with_name(f".{output.name}.new")
    secret = output.with_name(PASSWORD_FILE)
    try:
        if password and not _says(secret, password):
            _keep_copy(secret)
            replace(secret, password.encode() + b"\n", mode=READABLE, group=group)
        replace(candidate, text, mode=READABLE, group=group)
        checked = configuration.check(candidate)
        if checked.config is not None:
            _keep_copy(output)
            candidate.replace(output)
    finally:
        candidate.unlink(missing_ok=True)
    faults = tuple(
        changed(each, file=each.file.replace(str(candidate), str(output))) for each in checked.faults
    )
    return changed(checked, file=output, faults=faults)


def _says(secret: Path, password: str) -> bool:
    try:
        return secret.read_text(encoding="utf-8").rstrip("\r\n") == password
    except (OSError, UnicodeDecodeError):
        return False


def _keep_copy(path: Path) -> None:
    """Keep what is there as .bak, or as .bak2, .bak3 and so on: no copy is ever written over."""
    if path.exists():
        names = (
            path.with_name(f"{path.name}.bak{number if number > 1 else ''}") for number in range(1, 10_000)
        )
        shutil.copy2(path, next(name for name in names if not name.exists()))
