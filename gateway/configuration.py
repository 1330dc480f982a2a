"""From the file to what the gateway runs on: gateway.toml, the profiles it names, and what they need here.

Relative paths count from the folder of the file and variables are filled in; a certificate or secret given by
a bare name is looked for among systemd's credentials first (`$CREDENTIALS_DIRECTORY`, systemd.exec(5)). A
folder `profiles` beside the file holds the site's own profiles; one of them stands in for the shipped one of
the same name.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from drivers import profile as profile_files
from drivers.api import Profile, ProfileError, Text
from gateway import assetry, crowding, fire_centres, last_resorts, point_lists, service_user, surroundings
from gateway.core import consistency, door_checks, fitting, kinds, loading
from gateway.core.config import CameraTable, Config, GatewayTable
from gateway.core.faults import ConfigError, Fault, same

log = logging.getLogger(__name__)

SYSTEM_FILE = Path("/etc/compound-gateway/gateway.toml")
SYSTEM_SOCKET = Path("/run/compound-gateway/control.sock")
SOCKET_NAME = "control.sock"
SOCKET_KEY = "gateway.control_socket"
LONGEST_SOCKET = 107
MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """A configuration with everything it needs, and all that was found wrong; `config` is None on any error.

    `trouble` says why the state directory is not the one that was written there (gateway/refuge.py).
    """

    file: Path
    config: Config | None
    profiles: Mapping[str, Profile]
    faults: tuple[Fault, ...]
    trouble: str = ""


def find() -> Path:
    """Return the configuration meant when none is named: gateway.toml here, else the system's."""
    here = Path("gateway.toml")
    return here if here.exists() else SYSTEM_FILE


def load(path: Path, *, starting: bool = False) -> Checked:
    """Return a configuration that can be run; ConfigError with all faults if it cannot.

    `starting`: nothing runs yet, so what is wrong with the files of one wing is told and keeps no other waiting.
    """
    checked = check(path, starting=starting)
    # whoever only checks may be kept out where the service is not: who runs knows, and does without none
    if checked.config is None or any(fault.key == SOCKET_KEY for fault in checked.faults):
        raise ConfigError(checked.faults)
    for fault in checked.faults:
        log.warning("%s", fault)
    return checked


def check(path: Path, *, starting: bool = False, for_service: bool = False) -> Checked:
    """Look at everything and return what was found; never raises for anything a file can contain.

    `for_service`: it is not we who will run on the system's own file.
    """
    text, unreadable = _read(path)
    if unreadable is not None:
        return Checked(path, None, {}, (unreadable,))
    parsed = loading.parse(text)
    _resolve(parsed, path.parent)
    products, of_profiles = _products(parsed, path.parent / "profiles")
    parsed.faults += of_profiles
    parsed.faults += point_lists.expand(parsed, products.profiles)
    parsed.faults += [
        *consistency.check(parsed),
        *fitting.check(parsed, products),
        *door_checks.check(parsed, products),
        *assetry.check(parsed, products),
        *surroundings.check(parsed),
        *crowding.check(parsed, products.profiles),
        *last_resorts.check(parsed.last_resorts),
        *fire_centres.check(parsed, products.profiles, products.kinds),
        *_socket_faults(parsed),
    ]
    if for_service and path == SYSTEM_FILE:
        parsed.faults += service_user.check(parsed, path)
    if starting:
        parsed.faults = [replace(each, warning=each.warning or each.beside) for each in parsed.faults]
    faults = loading.located(parsed.faults, text, str(path))
    used = {device.profile for device in parsed.devices.values()}
    profiles = {name: each for name, each in products.profiles.items() if name in used}
    return Checked(path, parsed.config(), profiles, tuple(faults))


def control_socket(table: GatewayTable) -> Path:
    """Return where this gateway's control socket is to be."""
    if table.control_socket:
        return Path(table.control_socket)
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(runtime or table.state_dir) / SOCKET_NAME


def vision_socket() -> Path | None:
    """Return where the nursery listens that starts the cameras' processes; None: they are children of the gateway's.

    The unit says so and not the file: it is by the unit that the gateway may, or may not, reach what cameras need.
    """
    told = os.environ.get("VISION_SOCKET")
    return Path(told) if told else None


def control_sockets(path: Path) -> list[Path]:
    """Return where a running gateway may answer, most likely first. The file may be missing or out of reach."""
    text, _ = _read(path)
    parsed = loading.parse(text)
    _resolve(parsed, path.parent)
    table = parsed.gateway or GatewayTable(id="-")
    likely = [control_socket(table), SYSTEM_SOCKET, Path(table.state_dir) / SOCKET_NAME]
    return list(dict.fromkeys(likely[:1] if table.control_socket else likely))


def cameras(path: Path) -> Mapping[str, CameraTable]:
    """Return the cameras of a configuration by name, whatever else is wrong in it; ConfigError if it cannot be read."""
    text, unreadable = _read(path)
    parsed = loading.parse(text)
    broken = [unreadable] if unreadable else [fault for fault in parsed.faults if fault.key == "file"]
    if broken:
        raise ConfigError(tuple(loading.located(broken, text, str(path))))
    _resolve(parsed, path.parent)
    return {camera.name: camera for camera in parsed.cameras.values()}


def _read(path: Path) -> tuple[str, Fault | None]:
    wanted = Text("可读的 TOML 文件（UTF-8）", "a TOML file in UTF-8 that can be read")
    try:
        data = path.read_bytes()
        if len(data) <= MAX_BYTES:
            return data.decode("utf-8-sig"), None  # editors of Windows begin a file with a byte order mark
        found = Text(f"{len(data)} 字节", f"{len(data)} bytes")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        found = Text(f"第 {line} 行不是 UTF-8", f"line {line}, which is no UTF-8")
        hint = Text("另存为 UTF-8 编码，不要 ANSI 或 GBK", "save it as UTF-8, not as ANSI or GBK")
        return "", Fault("file", found, wanted, hint, file=str(path), line=line)
    except OSError as error:
        found = same(error.strerror or str(error))
    hint = Text(
        "用 -c 指定文件；范例见 systemd/gateway.toml", "name one with -c; systemd/gateway.toml is a sample"
    )
    return "", Fault("file", found, wanted, hint, file=str(path))


def _resolve(parsed: loading.Parsed, folder: Path) -> None:
    """Make every path of the configuration absolute."""

    def absolute(value: str) -> str:
        return str(folder.absolute() / os.path.expandvars(value)) if value else ""

    def secret(value: str) -> str:
        credential = Path(os.environ.get("CREDENTIALS_DIRECTORY", "/")) / value
        bare = bool(value) and "/" not in value
        return str(credential) if bare and surroundings.is_there(credential) else absolute(value)

    if parsed.gateway is not None:
        names = ("state_dir", "control_socket")
        changes = {name: absolute(getattr(parsed.gateway, name)) for name in names}
        parsed.gateway = msgspec.structs.replace(parsed.gateway, **changes)
    if parsed.mqtt is not None:
        files: tuple[str, ...] = ("ca_file", "cert_file", "key_file", "password_file")
        changes = {name: secret(getattr(parsed.mqtt, name)) for name in files}
        parsed.mqtt = msgspec.structs.replace(parsed.mqtt, **changes)
    if parsed.desk is not None:
        parsed.desk = msgspec.structs.replace(parsed.desk, config=absolute(parsed.desk.config))
    for key, device in parsed.devices.items():
        parsed.devices[key] = msgspec.structs.replace(device, key_file=secret(device.key_file))
    for key, bus in parsed.buses.items():
        devices = [msgspec.structs.replace(each, key_file=secret(each.key_file)) for each in bus.device]
        parsed.buses[key] = msgspec.structs.replace(bus, device=devices, points=absolute(bus.points))
    if parsed.access is not None:
        access = parsed.access
        tokens = {name: secret(getattr(access, name)) for name in ("token_file", "ca_file")}
        parsed.access = msgspec.structs.replace(access, file=absolute(access.file), **tokens)
    if parsed.vision is not None:
        folder_of_evidence = absolute(parsed.vision.evidence_dir)
        parsed.vision = msgspec.structs.replace(parsed.vision, evidence_dir=folder_of_evidence)
    for key, camera in parsed.cameras.items():
        url = camera.url if "://" in camera.url else absolute(camera.url)
        password_file = _password(camera.password_file, secret(camera.password_file))
        parsed.cameras[key] = msgspec.structs.replace(camera, url=url, password_file=password_file)
    for key, centre in parsed.fire_centres.items():
        parsed.fire_centres[key] = msgspec.structs.replace(centre, table=absolute(centre.table))
    for each in parsed.last_resorts.values():
        each |= {name: secret(v) for name, v in each.items() if name.endswith("_file") and isinstance(v, str)}


def _password(told: str, resolved: str) -> str:
    """Return where a camera's password is: a bare name that is no file here is a credential of the nursery's."""
    there = "/" in told or vision_socket() is None or surroundings.is_there(Path(resolved))
    return resolved if there else told


def _socket_faults(parsed: loading.Parsed) -> Iterator[Fault]:
    """Yield what keeps the control socket from being made: a gateway without one ends, in force as it may be.

    Linux takes 107 bytes of a path (unix(7)). The folders it has by default are made when the gateway starts.
    """
    path = control_socket(parsed.gateway) if parsed.gateway else Path()
    made = {SYSTEM_SOCKET.parent, Path(parsed.gateway.state_dir)} if parsed.gateway else set()
    if parsed.gateway and parsed.gateway.control_socket and path.parent not in made:
        yield from surroundings.place_of_socket(SOCKET_KEY, path)
    if (length := len(os.fsencode(path))) > LONGEST_SOCKET:
        found = Text(f"{length} 字节的路径", f"a path of {length} bytes")
        wanted = Text(f"至多 {LONGEST_SOCKET} 字节", f"at most {LONGEST_SOCKET}")
        yield Fault(SOCKET_KEY, found, wanted, same('control_socket = "/run/control.sock"'))


def _products(parsed: loading.Parsed, own: Path) -> tuple[fitting.Products, list[Fault]]:
    """Return the products the devices are, and the faults of their profiles and of all the site's own."""
    search = (own, profile_files.BUILT_IN)
    used = {device.profile for device in parsed.devices.values()}
    known = set(profile_files.names(search))
    profiles: dict[str, Profile] = {}
    faults: list[Fault] = []
    for name in sorted(known & (used | set(profile_files.names((own,))))):
        file = next(folder / f"{name}.toml" for folder in search if (folder / f"{name}.toml").is_file())
        profile, errors = profile_files.read(file)
        faults += [_of_profile(error, warning=name not in used) for error in errors]
        if profile is not None:
            profiles[name] = profile
    shipped_at = {name: getattr(each.wire, "address", 0) for name, each in profiles.items()}
    alone = {name for name, each in profiles.items() if getattr(each.wire, "alone", False)}
    framed = {name: each.wire for name, each in profiles.items() if each.driver == "framed"}
    bauds = {name: getattr(wire, "baud", 0) for name, wire in framed.items()}
    unwatched = {name for name, each in profiles.items() if getattr(each.wire, "regular_s", None) == 0}
    return fitting.Products(profiles, known, shipped_at, kinds.built_in(), alone, unwatched, bauds), faults


def _of_profile(error: ProfileError, *, warning: bool) -> Fault:
    return Fault(error.key, same(error.found), same(error.wanted), warning=warning, file=error.file)
