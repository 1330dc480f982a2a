"""The command `camera`: one picture of a camera, and a page on which a person marks floors and facade in it.

What the page draws and what it lets a person copy is reckoned here, by the scale the watcher itself tells floors
by. Nothing is written: a person pastes the lines, `check` looks at them, and the running gateway is left alone.
"""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from drivers.api import Text
from gateway import cameras
from gateway.core import marks as marked
from gateway.core.config import CameraTable
from gateway.core.marks import Marks, Trouble
from gateway.desk.marking import MarkingServer, NoPictureError, Picture
from gateway.desk.server import serve
from gateway.runtime.loop import run
from gateway.runtime.threads import in_thread
from gateway.terminal.errors import ToolError
from gateway.terminal.help import DONE, error_lines
from gateway.terminal.words import Words
from gateway.vision import address, scale
from gateway.vision.frames import SourceError
from gateway.vision.glimpse import glimpse

WITHIN_S = 20.0
LOOPBACK = ("127.", "localhost", "::1")
ANY = {
    "0.0.0.0": "192.0.2.1",
    "::": "2001:db8::1",
}  # to where a packet would go, of which the way out is asked
WELL_KNOWN = 80


def mark(source: str, config: Path | None, words: Words, *, host: str, port: int) -> int:
    """Serve the page until Ctrl-C and return the exit code; ToolError where there is no picture or no port."""
    camera, file = cameras.meant(source, config)
    with contextlib.suppress(KeyboardInterrupt), _listener(host, port) as listener:
        run(_serve(camera, file, words, host=host, listener=listener))
    return DONE


async def _serve(
    camera: CameraTable, file: Path | None, words: Words, *, host: str, listener: socket.socket
) -> None:
    where = camera.name or _shown(camera)
    click.echo(words("camera.looking", where=where), err=True)
    picture = await _look(camera)
    server = MarkingServer(
        picture,
        camera={
            "name": camera.name,
            "where": where,
            "file": str(file) if file else "",
            "marks": marked.of_camera(camera, picture.width, picture.height),
        },
        look=lambda: _look_again(camera),
        judge=judge,
    )
    port = listener.getsockname()[1]
    click.echo(words("camera.open"), err=True)
    click.echo(f"http://{_reached_at(host)}:{port}/{server.token}/")
    click.echo(words("camera.local" if host.startswith(LOOPBACK) else "camera.plain", port=port), err=True)
    await serve(server, listener=listener)


def judge(marks: Marks, picture: Picture) -> Mapping[str, object]:
    """Return what marks come to: the line of each floor, what is wrong, and the TOML while nothing is."""
    found = list(marked.troubles(marks, picture.width, picture.height))
    floors = [(mark.y, mark.floor) for mark in marks.floors]
    sound = not any(trouble.stops and trouble.floors for trouble in found)
    if sound:
        found += [_missed(place, floors[place][1], there) for place, there in scale.missed(floors)]
    return {
        "lines": scale.lines(floors, picture.height) if sound else [],
        "troubles": [
            {**asdict(trouble.what), "floors": trouble.floors, "level": trouble.level} for trouble in found
        ],
        "toml": ""
        if any(trouble.stops for trouble in found)
        else marked.lines(marks, picture.width, picture.height),
    }


def _missed(place: int, floor: float, there: float) -> Trouble:
    what = Text(
        f"{floor:g} 楼的标记与其他标记不合：按它们推算，那里是 {there:.1f} 楼",
        f"the mark of floor {floor:g} does not fit the others, by which floor {there:.1f} is there",
    )
    return Trouble(what, "odd", (place,))


async def _look(camera: CameraTable) -> Picture:
    """Take a picture; ToolError where none comes, or none in time."""
    try:
        async with asyncio.timeout(WITHIN_S):
            seen = await in_thread(lambda: glimpse(camera.url, password=cameras.password_of(camera)))
    except TimeoutError:
        raise ToolError("camera.silent", where=_shown(camera), seconds=f"{WITHIN_S:g}") from None
    except SourceError as error:
        raise ToolError(f"video.{error.reason}", where=error.where) from error
    return Picture(seen.jpeg, seen.width, seen.height)


def _shown(camera: CameraTable) -> str:
    """Return the camera's address without credentials; ToolError for one of no known kind."""
    try:
        return address.parse(camera.url).shown
    except SourceError as error:
        raise ToolError(f"video.{error.reason}", where=error.where) from error


async def _look_again(camera: CameraTable) -> Picture:
    """Take a picture for the page, which is told in both languages why there is none."""
    try:
        return await _look(camera)
    except ToolError as error:
        raise NoPictureError(Text(*(error_lines(error, Words(each)) for each in ("zh", "en")))) from error


def _listener(host: str, port: int) -> socket.socket:
    """Listen before the camera is asked; ToolError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        reason = error.strerror or error
        raise ToolError("camera.port", host=host, port=port, reason=reason) from error


def _reached_at(host: str) -> str:
    """Return by what name a browser reaches us; for "everywhere" the address of the way out (no packet is sent)."""
    if host in ANY:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as way:
            way.connect((ANY[host], WELL_KNOWN))
            host = str(way.getsockname()[0])
    if host in ANY:
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
