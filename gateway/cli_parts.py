"""What the commands of the command line share: their common options, and how to ask a running gateway."""

import functools
import io
import sys
from pathlib import Path
from typing import Any

import click

from gateway.terminal.help import Option, words_of
from gateway.terminal.words import Words

FILE = click.Path(path_type=Path)

option = functools.partial(click.option, cls=Option)
config_option = option("-c", "--config", type=FILE, metavar="FILE", help="option.config")
socket_option = option("--socket", type=FILE, metavar="PATH", help="option.socket")


def for_machines(_context: object, _param: object, wanted: bool, /) -> bool:
    """Have what a script reads be UTF-8 (RFC 8259) whatever a terminal here speaks; return `wanted`."""
    if wanted and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return wanted


json_option = option("--json", "as_json", is_flag=True, help="option.json", callback=for_machines)


def words() -> Words:
    """Return the words this run of the program speaks."""
    return words_of(click.get_current_context())


def asking(config: Path | None, socket: Path | None) -> Any:
    """Return the commands that ask a running gateway."""
    from gateway import configuration
    from gateway.terminal.asking import Asking
    from gateway.terminal.client import Client

    paths = [socket] if socket else configuration.control_sockets(config or configuration.find())
    return Asking(Client(paths), words())
