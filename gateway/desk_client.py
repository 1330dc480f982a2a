"""The running desk, asked over its control socket by the tools of its own machine."""

from pathlib import Path
from typing import Any, Final

from gateway import duty
from gateway.terminal.client import Client
from gateway.terminal.errors import ToolError

SYSTEM_SOCKETS: Final = (
    Path("/run/compound-gateway-desk/desk.sock"),
    Path("/run/compound-gateway/desk.sock"),
)
"""Of a desk in a unit of its own, and of one that a gateway runs beside it."""


def ask(file: Path | None, command: str, **wanted: object) -> dict[str, Any]:
    """Return what the desk of this file answers, or the machine's own; ToolError where none is there."""
    config, faults = duty.load(file or duty.find())
    if config is None and file is not None:
        reason = next((str(each) for each in faults if not each.warning), file)
        raise ToolError("desk_pair.file", reason=reason)
    named = [Path(config.desk.control_socket)] if config is not None else []
    try:
        return Client([*named, *SYSTEM_SOCKETS]).ask(command, **wanted)
    except ToolError as error:
        if error.key != "client.nobody":
            raise
        raise ToolError("desk_pair.nobody", **error.values) from error
