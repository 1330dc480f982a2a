"""`osdp pair`: a reader of the configuration gets a key of its own, and the file that keeps it.

The key is made here, from the machine's own random numbers, and on the disk, beside the one in force, before the
reader is told: a reader whose key nobody knows is a reader nobody can speak to. It takes the old one's place when the
reader is seen to have it. A pairing that failed is tried again with the same key.
"""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from drivers.api import DriverError, LineSettings
from drivers.osdp import pairing as osdp
from gateway import configuration, site
from gateway.core.config import BusTable, DeviceTable
from gateway.core.faults import near
from gateway.surroundings import KEY_BYTES, device_key
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import GOOD
from gateway.terminal.help import DONE
from gateway.terminal.words import Words


def pair(name: str, config: Path | None, words: Words, *, again: bool) -> int:
    """Pair a reader and return the exit code; ToolError says why not."""
    file = config or configuration.find()
    bus, table = _reader(name, file, words)
    path = Path(table.key_file)
    key, pending = _key(path, again=again)
    screen = Console(stderr=True, highlight=False)
    line = site.line_of(bus)
    screen.print(words("osdp_pair.intro", device=name, port=line.port, address=table.address), soft_wrap=True)
    with screen.status(words("osdp_pair.looking")) as status:

        def show(stage: osdp.Stage) -> None:
            status.update(words(f"osdp_pair.{stage}"))

        peripheral = _pair(line, table.address, key, show)
    if pending is not None:
        pending.replace(path)
    told = words("osdp_pair.peripheral", **_facts(peripheral))
    screen.print(
        Text(f"✓ {words('osdp_pair.done', device=name, peripheral=told, path=path)}", GOOD), soft_wrap=True
    )
    return DONE


def _pair(
    line: LineSettings, address: int, key: bytes, show: Callable[[osdp.Stage], None]
) -> osdp.PeripheralId:
    try:
        return asyncio.run(osdp.pair(line, address, new_key=key, progress=show))
    except DriverError as error:
        raise ToolError("osdp_pair.failed", where=error.where, reason=error.hint or error.op) from error


def _facts(peripheral: osdp.PeripheralId) -> dict[str, object]:
    """Return what stands on the reader's label."""
    return {"vendor": f"{peripheral.vendor:06X}", "model": peripheral.model, "serial": peripheral.serial}


def _reader(name: str, file: Path, words: Words) -> tuple[BusTable, DeviceTable]:
    checked = configuration.check(file)
    if checked.config is None:
        raise ToolError("osdp_pair.config", file=file)
    found = {table.name: (bus, table) for bus in checked.config.bus for table in bus.device if table.key_file}
    if name not in found:
        close = near(name, found)
        raise ToolError("osdp_pair.unknown", name=name, guess=f" ({words.of(close)})" if close else "")
    return found[name]


def _key(path: Path, *, again: bool) -> tuple[bytes, Path | None]:
    """Return the key in the file; or a new one, and the file it waits in until the reader has it."""
    before = None if again else device_key(str(path))
    if before is not None:
        return before, None
    if path.exists() and not again:
        raise ToolError("osdp_pair.no_key", path=path)
    pending = path.with_name(path.name + ".new")
    if (tried := device_key(str(pending))) is not None:
        return tried, pending
    key = secrets.token_bytes(KEY_BYTES)
    try:
        with os.fdopen(os.open(pending, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            _for_the_gateway(out.fileno(), path.parent)
            out.write(key.hex() + "\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise ToolError("osdp_pair.unwritable", path=path, reason=error.strerror or error) from error
    return key, pending


def _for_the_gateway(file: int, folder: Path) -> None:
    """Give a file to the group of its folder: who pairs is root, who reads the key is the gateway."""
    os.fchmod(file, 0o640)  # whatever root's umask is
    with contextlib.suppress(PermissionError):
        os.fchown(file, -1, folder.stat().st_gid)
