"""`desk`: the file of the duty desk found, read and checked; the desk run until a signal ends it."""

import asyncio
import gc
import logging
import os
import socket
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from drivers.api import Text
from gateway import desk_control
from gateway.core import loading
from gateway.core.faults import Fault, same
from gateway.desk import channel_checks, channels, checking, reading, service
from gateway.desk.store.database import StoreError
from gateway.desk.tables import DeskConfig
from gateway.runtime import logs
from gateway.runtime.key_file import KeyFileError
from gateway.runtime.key_file import load as load_key
from gateway.runtime.lives import lives
from gateway.runtime.systemd import Notifier
from gateway.terminal import faults as fault_list
from gateway.terminal.errors import ToolError
from gateway.terminal.figures import console
from gateway.terminal.help import DONE, NO
from gateway.terminal.words import Words

log = logging.getLogger(__name__)

SYSTEM_FILE = Path("/etc/compound-gateway-desk/desk.toml")
MAX_BYTES = 1024 * 1024
GARBAGE: Final = (10_000, 100, 100)
"""How seldom rings of objects are looked for: ten thousand open pages are a million objects, and a look stops us.

The youngest are looked at sooner: paho leaves a ring of 0.9 kB of each message it takes in (`MQTTMatcher.iter_match`).
"""


def check(path: Path | None, words: Words) -> int:
    """Look at a configuration, show all its faults, return the exit code."""
    file = path or find()
    config, faults = load(file)
    out = console()
    fault_list.show(faults, words, out)
    if config is None:
        return NO
    told = words("desk.good", file=file, people=len(config.person), channels=len(config.channel))
    out.print(told, soft_wrap=True)
    return DONE


def run(path: Path | None, words: Words, verbosity: int, *, beside: bool = False) -> int:
    """Run the desk until SIGTERM or SIGINT; return the exit code. SIGHUP starts it anew with its file as it is now.

    `beside`: a gateway started it, and is at the other end of the socket that is our standard input.
    """
    file = path or find()
    logs.set_up(verbosity, os.environ)
    config = _read(file)
    if config is None:
        return NO
    try:
        asyncio.run(_lives(file, config, socket.socket(fileno=os.dup(0)) if beside else None))
    except* StoreError as group:
        raise ToolError("desk.store", reason=_first(group)) from group
    return DONE


def _first(group: BaseExceptionGroup[StoreError]) -> BaseException:
    """Return the first error of a group, which may hold groups again."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def find() -> Path:
    """Return the configuration meant when none is named: desk.toml here, else the system's."""
    here = Path("desk.toml")
    return here if here.exists() else SYSTEM_FILE


def load(file: Path) -> tuple[DeskConfig | None, list[Fault]]:
    """Return a configuration with its paths made absolute, and all that is wrong with it; never raises."""
    wanted = Text("可读的 TOML 文件（UTF-8）", "a TOML file in UTF-8 that can be read")
    hint = Text("用 -c 指定文件；范例见 systemd/desk.toml", "name one with -c; systemd/desk.toml is a sample")
    try:
        data = file.read_bytes()
        text = data[: MAX_BYTES + 1].decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return None, [Fault("file", same(reason), wanted, hint, file=str(file))]
    read = reading.parse(text)
    _resolve(read, file.parent)
    read.faults += [*checking.check(read), *_files(read)]
    return read.config(), loading.located(read.faults, text, str(file))


def _read(file: Path) -> DeskConfig | None:
    """Return the configuration, its faults told in the log."""
    config, faults = load(file)
    for fault in faults:
        (log.warning if fault.warning else log.error)("%s", fault)
    return config


async def _lives(file: Path, first: DeskConfig, beside: socket.socket | None) -> None:
    """Live one life after the other; a gateway that has its desk beside it starts it anew: the hatch has two ends."""
    notifier = Notifier()
    gc.freeze()
    gc.set_threshold(*GARBAGE)

    async def live(config: DeskConfig, stop: asyncio.Event, _again: Callable[[], None]) -> None:
        ready = partial(notifier.send, "READY=1")
        await service.serve(config, stop, notifier, ready, beside=beside, more=desk_control.services)

    def read() -> DeskConfig | None:
        fresh = _read(file)
        if fresh is None:
            log.error("desk.toml has mistakes, the one in force stays")
        else:
            log.info("desk.toml is read anew: %d people, %d channels", len(fresh.person), len(fresh.channel))
        return fresh

    await lives(first, live, read, notifier, only=beside is not None)


def _resolve(read: reading.Read, folder: Path) -> None:
    """Make paths absolute; a bare name of a secret is one of systemd's credentials if it is there.

    What the desk writes lies in the state directory that systemd gives it, else beside the file.
    """
    state = Path(os.environ.get("STATE_DIRECTORY", "").partition(":")[0] or folder.absolute())
    running = Path(os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0] or folder.absolute())

    def secret(value: str) -> str:
        if not value:
            return ""
        credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/nowhere")) / value
        return str(credential) if "/" not in value and credential.exists() else str(folder.absolute() / value)

    if read.desk is not None:
        remote = "://" in read.desk.store
        read.desk = msgspec.structs.replace(
            read.desk,
            store=read.desk.store if remote else str(state / read.desk.store),
            files=str(state / read.desk.files),
            control_socket=str(running / read.desk.control_socket),
            store_password_file=secret(read.desk.store_password_file),
            key_file=secret(read.desk.key_file),
        )
    if read.mqtt is not None:
        names: tuple[str, ...] = ("ca_file", "cert_file", "key_file", "password_file")
        found = {name: secret(getattr(read.mqtt, name)) for name in names}
        read.mqtt = msgspec.structs.replace(read.mqtt, **found)
    for key, each in read.channels.items():
        named = {name: secret(file) for name, file in channels.files(each).items()}
        read.channels[key] = msgspec.structs.replace(each, **named)


def _files(read: reading.Read) -> Iterator[Fault]:
    """Yield a fault for every file that is named and cannot be read, and for a folder that is not there."""
    named = {
        f"{key}.{name}": file
        for key, each in read.channels.items()
        for name, file in channels.files(each, made=False).items()
    }
    if read.desk is not None:
        named["desk.store_password_file"] = read.desk.store_password_file
        yield from _key(read.desk.key_file)
        if "://" not in read.desk.store and not Path(read.desk.store).parent.is_dir():
            yield Fault("desk.store", same(read.desk.store), Text("存在的目录", "a folder that is there"))
        if not Path(read.desk.files).parent.is_dir():
            yield Fault("desk.files", same(read.desk.files), Text("存在的目录", "a folder that is there"))
    if read.mqtt is not None:
        for name in ("ca_file", "cert_file", "key_file", "password_file"):
            named[f"mqtt.{name}"] = getattr(read.mqtt, name)
    for key, path in named.items():
        if path and not os.access(path, os.R_OK):
            yield Fault(key, same(path), Text("可读的文件", "a file that can be read"))
    for key, each in read.channels.items():
        if all(not file or os.access(file, os.R_OK) for file in channels.files(each, made=False).values()):
            yield from channel_checks.check_files(key, each, _addresses(read, each.name))


def _key(file: str) -> Iterator[Fault]:
    """Yield what is wrong with the key that signs orders: a warning, for alerts must reach people all the same."""
    if not file:
        return
    try:
        load_key(Path(file))
    except KeyFileError as error:
        told = {
            "read": Text("不能读取", error.detail),
            "open": Text("别人也能读", "which others may read"),
            "key": Text("不是 Ed25519 私钥", "which holds no Ed25519 key"),
        }[error.why]
        found = Text(f"{file}：{told.zh}", f"{file}: {told.en}")
        wanted = Text(
            "只有值班台能读的私钥；没有它就不能开门",
            "a key only the desk may read, or no door is opened",
        )
        hint = {"open": f"chmod 600 {file}"}.get(error.why, "compound-gateway sign keygen desk")
        yield Fault("desk.key_file", found, wanted, same(hint), warning=True)


def _addresses(read: reading.Read, channel: str) -> dict[str, str]:
    """Return the addresses people have at a channel, by where they stand."""
    return {
        f"{key}.channels": address
        for key, each in read.people.items()
        for name, address in each.channels
        if name == channel
    }
