"""The tools' end of the control socket: one JSON line a request, answers as plain dicts. Blocking, stdlib only."""

import grp
import json
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gateway.terminal.errors import ToolError

ANSWER_S = 15.0  # an order has five seconds to reach its device
MAX_LINE = 16 * 1024 * 1024


class Client:
    """Asks the gateway that answers at the first of `paths` where there is one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Return the one answer to a request; ToolError if there is nobody to ask or the answer is no."""
        return next(self.stream(op, **fields))

    def stream(self, op: str, **fields: object) -> Iterator[dict[str, Any]]:
        """Yield answer after answer until the gateway says it was the last; ToolError if it breaks off before."""
        with self._connect() as connection, connection.makefile("rb") as lines:
            connection.sendall(json.dumps({"op": op, **fields}).encode() + b"\n")
            while line := _read(lines.readline):
                answer = _parse(line)
                if answer.get("end"):
                    return
                yield answer
        raise ToolError("client.broken")

    def _connect(self) -> socket.socket:
        for path in self._paths:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(ANSWER_S)
            try:
                connection.connect(os.fspath(path))
            except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
                connection.close()
            except PermissionError as error:
                connection.close()
                raise ToolError("client.forbidden", path=path, group=_group(path)) from error
            except OSError as error:
                connection.close()
                raise ToolError("client.unreachable", path=path, reason=error) from error
            else:
                return connection
        raise ToolError("client.nobody", looked=", ".join(str(path) for path in self._paths))


def _read(readline: Any) -> bytes:
    try:
        line: bytes = readline(MAX_LINE)
    except TimeoutError as error:
        raise ToolError("client.silent", seconds=int(ANSWER_S)) from error
    except OSError as error:
        raise ToolError("client.broken") from error
    return line


def _parse(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError as error:
        raise ToolError("client.broken") from error
    if not isinstance(answer, dict):
        raise ToolError("client.broken")
    if not answer.get("ok"):
        hint = f"\n{answer['hint']}" if answer.get("hint") else ""
        raise ToolError("client.refused", error=f"{answer.get('error', '?')}{hint}")
    return answer


def _group(path: Path) -> str:
    """Return the group that may connect: the socket's own, or that of the folder that cannot be entered."""
    for each in (path, *path.parents):
        try:
            return grp.getgrgid(each.stat().st_gid).gr_name
        except (PermissionError, FileNotFoundError):
            continue
        except KeyError:
            break
    return "compound-gateway"
