"""`run`: the log set up, the house served until a signal, whatever stops it told in a line."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from gateway import app, configuration, surroundings
from gateway.configuration import Checked
from gateway.core.faults import ConfigError, Fault
from gateway.runtime import logs, loop
from gateway.runtime.journal import Journal, StoreError
from gateway.runtime.lives import lives
from gateway.runtime.systemd import Notifier
from gateway.services.control import ControlError
from gateway.services.uplink.brokers import UplinkError
from gateway.terminal.help import DONE, NO, PROGRAM
from gateway.terminal.words import Words

log = logging.getLogger(__name__)

UNWRITTEN: Final = (
    "the journal cannot be written, the configuration in force stays: with this life the alerts that wait in memory"
    " for the disk would end (make room on the disk or mend it, see dmesg; then reload again)"
)


def run(path: Path | None, verbosity: int, words: Words) -> int:
    """Run the gateway until it is told to stop; return the exit code."""
    logs.set_up(verbosity, os.environ)
    code = DONE
    try:
        loop.run(_lives(path or configuration.find()))
    except* ConfigError as group:
        code = _say([_line(fault, words) for error in _leaves(group) for fault in _worst_first(error.faults)])
    except* (ControlError, StoreError, UplinkError) as group:
        code = _say([str(error) for error in _leaves(group)])
    return code


async def _lives(path: Path) -> None:
    """Serve house after house. Raises ConfigError, StoreError, ControlError or UplinkError when it cannot start."""
    first = configuration.load(path, starting=True)
    journals: list[Journal] = []  # that of the life in force

    async def live(checked: Checked, stop: asyncio.Event, again: Callable[[], None]) -> None:
        try:
            await app.serve(checked, stop=stop, reload=again, opened=journals.append)
        finally:
            journals.clear()

    def read() -> Checked | None:
        try:
            fresh = configuration.load(path)
            # a life in force is not ended where the next could not write, or not now
            if fresh.config is not None:
                surroundings.prepare_state_dir(fresh.config.gateway, durably=True)
        except ConfigError as error:
            log.error("the configuration has mistakes, the one in force stays: %s", error)
            return None
        # asked last: the disk may have failed while all that was read
        if any(journal.failing for journal in journals):
            log.error("%s", UNWRITTEN)
            return None
        return fresh

    await lives(first, live, read, Notifier())


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[Any]:
    """Yield the errors inside a group, whatever groups lie between."""
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _worst_first(faults: Sequence[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: fault.warning)


def _say(lines: list[str]) -> int:
    """Say every fault in a line of its own: this goes into a log, where nobody sees colours."""
    for line in lines:
        click.echo(f"{PROGRAM}: {line}", err=True)
    return NO


def _line(fault: Fault, words: Words) -> str:
    where = f"{fault.file}:{fault.line}" if fault.line else fault.file
    kind = words("faults.warning" if fault.warning else "faults.error").strip()
    told = f"{kind}: {where}: {fault.key}: {words('faults.found').strip()} {words.of(fault.found)}"
    told += f", {words('faults.wanted').strip()} {words.of(fault.wanted)}"
    return told + (f" ({words.of(fault.hint)})" if fault.hint else "")
