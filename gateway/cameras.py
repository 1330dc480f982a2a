"""Which camera of a configuration is meant, for the commands that work on one without a running gateway."""

from collections.abc import Mapping
from pathlib import Path

from gateway import configuration
from gateway.core.config import CameraTable
from gateway.core.faults import ConfigError
from gateway.terminal.errors import ToolError


def named(name: str, config: Path | None) -> CameraTable:
    """Return the camera of that name; ToolError where there is none."""
    path = config or configuration.find()
    known = of(path)
    if name not in known:
        raise ToolError("vision.no_camera", file=path, name=name, names=", ".join(known) or "–")
    return known[name]


def meant(source: str, config: Path | None) -> tuple[CameraTable, Path | None]:
    """Return the camera called `source`, by its name or its address, and the file that tells of it.

    What no configuration tells of is itself the address, with None for the file: a path, /dev/videoN, a URL.
    Raises ToolError for what is neither, and for a configuration that was asked for and cannot be read.
    """
    path = config or configuration.find()
    known = of(path) if config or path.exists() else {}
    for camera in known.values():
        if source == camera.name:
            return camera, path
    if not ("/" in source or Path(source).exists()):
        names = ", ".join(known) or "–"
        raise ToolError("camera.unknown", name=source, file=path, names=names)
    for camera in known.values():
        if source == camera.url or Path(source).absolute() == Path(camera.url):
            return camera, path
    return CameraTable(name="", url=source), None


def password_of(camera: CameraTable) -> str | None:
    """Return the camera's password, read from its file; None for none, ToolError where it cannot be read."""
    if not camera.password_file:
        return None
    try:
        return Path(camera.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "?"
        raise ToolError("camera.no_password", path=camera.password_file, reason=reason) from None


def of(path: Path) -> Mapping[str, CameraTable]:
    """Return a configuration's cameras by name; ToolError where it cannot be read."""
    try:
        return configuration.cameras(path)
    except ConfigError as error:
        first = error.faults[0]
        where = f"{path}:{first.line}" if first.line else path
        raise ToolError("vision.no_config", file=where, reason=first.found.en) from error
