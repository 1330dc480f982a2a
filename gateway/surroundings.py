"""What gateway.toml needs around it on this machine: ports, certificates, secrets, a directory to write in.

Warnings are for what may come later or may only look wrong from here: an adapter that is not plugged in (the
daemon starts and waits for it), a directory the service's own user may write in but we may not.
"""

import dataclasses
import os
import ssl
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from pwd import getpwuid

from drivers.api import Text
from gateway.core.config import AccessTable, BusTable, CameraTable, DeviceTable, GatewayTable, MqttTable
from gateway.core.faults import ConfigError, Fault, same
from gateway.core.loading import Parsed
from gateway.vision.homes import HOMES, MODEL

PORTS = ("/dev/serial/by-id/*", "/dev/serial/by-path/*", "/dev/tty[A-Z][A-Z]*")
"""Where serial ports are; not ttyS, of which there are many without a chip."""

KEY_BYTES = 16  # AES-128 (IEC 60839-11-5)
LIBRARIES = ("av", "cv2", "numpy", "onnxruntime")

Faults = Iterator[Fault]


def check(parsed: Parsed) -> Faults:
    """Yield everything that is missing or out of reach on this machine. Paths in `parsed` are absolute."""
    if parsed.gateway is not None:
        yield from _state_dir(parsed.gateway)
    yield from (dataclasses.replace(fault, beside=True) for fault in _of_wings(parsed))
    taken: dict[Path, str] = {}
    for key, bus in parsed.buses.items():
        yield from _port(f"{key}.port", bus)
        yield from _same_port(f"{key}.port", bus, taken)
    for key, device in parsed.devices.items():
        if device.key_file:
            yield from _key(f"{key}.key_file", device)


def _of_wings(parsed: Parsed) -> Faults:
    """Yield what is wrong with files of uplink, desk, access list and cameras: each tries anew, again and again."""
    if parsed.mqtt is not None:
        yield from _certificates(parsed.mqtt)
    if parsed.desk is not None and (fault := readable("desk.config", parsed.desk.config)):
        yield fault
    if parsed.access is not None:
        yield from _access(parsed.access)
    for key, camera in parsed.cameras.items():
        yield from _camera(key, camera)
    if parsed.cameras:
        yield from _watcher(next(iter(parsed.cameras)))


def serial_ports() -> list[str]:
    """Return the serial ports there are, those whose name survives replugging first."""
    return [str(path) for pattern in PORTS for path in sorted(Path("/").glob(pattern[1:]))]


def is_there(path: Path) -> bool:
    """Say whether there is such a file; a name no file can have (too long) is not there either."""
    try:
        return path.exists()
    except OSError:
        return False


def prepare_state_dir(table: GatewayTable, *, durably: bool = False) -> Path:
    """Make the state directory if need be and return it; ConfigError if nothing can be written there.

    `durably`: returns only when the disk has taken something.
    """
    folder = Path(table.state_dir)
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"x")
            trial.flush()
            if durably:
                os.fsync(trial.fileno())
    except OSError as error:
        found = Text(f"{folder}：{error.strerror}", f"{folder}: {error.strerror}")
        raise ConfigError((_unwritable(found, folder),)) from error
    return folder


def _state_dir(table: GatewayTable) -> Faults:
    folder = Path(table.state_dir)
    nearest = next(each for each in (folder, *folder.parents) if is_there(each))
    if not nearest.is_dir():
        found = Text(f"{nearest} 是一个文件", f"{nearest}, which is a file")
        yield _unwritable(found, folder)
    elif not os.access(nearest, os.W_OK | os.X_OK):
        found = Text(f"{_me()} 无权写入 {nearest}", f"{nearest}, where {_me()} may not write")
        # On a disk that is read-only as a whole a service lives in memory: see refuge.py.
        dead = os.statvfs(nearest).f_flag & os.ST_RDONLY
        yield _unwritable(found, folder, warning=bool(dead) or nearest.stat().st_uid != os.getuid())


def place_of_socket(key: str, path: Path) -> Faults:
    """Yield what is wrong with where the control socket is to be; the state directory is made when need be."""
    folder = path.parent
    wanted = Text(
        "已有的、可写的目录里的新名字", "a new name in a directory that is there, where it can write"
    )
    if is_there(path) and not path.is_socket():
        yield Fault(key, Text(f"{path}，已经是别的东西", f"{path}, which is something else"), wanted)
    elif not folder.is_dir():
        yield Fault(key, Text(f"{folder} 不存在", f"{folder}, which is not there"), wanted)
    elif not os.access(folder, os.W_OK | os.X_OK):
        found = Text(f"{_me()} 无权写入 {folder}", f"{folder}, where {_me()} may not write")
        yield Fault(key, found, wanted, warning=folder.stat().st_uid != os.getuid())


def _unwritable(found: Text, folder: Path, *, warning: bool = False) -> Fault:
    hint = Text(
        f"sudo install -d -o {_me()} {folder}，或把 state_dir 设到别处",
        f"sudo install -d -o {_me()} {folder}, or set state_dir elsewhere; the installed service makes its own",
    )
    return Fault("gateway.state_dir", found, Text("可写的目录", "a directory it can write in"), hint, warning)


def _port(key: str, bus: BusTable) -> Faults:
    if not bus.port.startswith("/"):
        return
    if not is_there(Path(bus.port)):
        ports = "  ".join(serial_ports())
        hint = (
            Text(f"现有：{ports}", f"there is: {ports}")
            if ports
            else Text(
                "没有发现任何串口，适配器插上了吗？", "no serial port at all; is the adapter plugged in?"
            )
        )
        found = Text(f"{bus.port}，现在不存在", f"{bus.port}, which is not there now")
        wanted = Text(
            "一个存在的串口（网关会等它出现）", "a port that is there (the gateway starts and waits for it)"
        )
        yield Fault(key, found, wanted, hint, warning=True)
    elif not os.access(bus.port, os.R_OK | os.W_OK):
        found = Text(f"{_me()} 无权使用 {bus.port}", f"{bus.port}, which {_me()} may not use")
        hint = same(f"sudo usermod -aG dialout {_me()}")
        yield Fault(key, found, Text("可读写的串口", "a port it may read and write"), hint, warning=True)


def _same_port(key: str, bus: BusTable, taken: dict[Path, str]) -> Faults:
    """Two names of one adapter are one line: whoever opens it second stays down. A warning, as names may move."""
    path = Path(bus.port)
    if not bus.port.startswith("/") or not is_there(path):
        return
    if (other := taken.setdefault(path.resolve(), bus.port)) != bus.port:
        found = Text(f"{bus.port} 与 {other} 是同一个串口", f"{bus.port}, which is the same port as {other}")
        yield Fault(key, found, Text("每条总线一个串口", "a port of its own for each line"), warning=True)


def device_key(path: str) -> bytes | None:
    """Return the secret key in a file, 32 hexadecimal digits; None where there is none, or something else."""
    try:
        key = bytes.fromhex(Path(path).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _key(key: str, device: DeviceTable) -> Faults:
    """A reader without its key stays away and says so; the rest of the gateway, fire and doors, starts all the same."""
    if not is_there(Path(device.key_file)):
        found = Text(f"{device.key_file} 不存在", f"{device.key_file}, which is not there")
        wanted = Text("配对得来的密钥", "the key that pairing makes")
        yield Fault(key, found, wanted, same(f"compound-gateway osdp pair {device.name}"), warning=True)
        return
    faults = list(_secret(key, device.key_file))
    if os.access(device.key_file, os.R_OK) and device_key(device.key_file) is None:
        found = Text(f"{device.key_file} 不是密钥", f"{device.key_file}, which is no key")
        faults.append(Fault(key, found, Text("32 个十六进制数字", "32 hexadecimal digits")))
    yield from (dataclasses.replace(fault, warning=True) for fault in faults)


def _camera(key: str, camera: CameraTable) -> Faults:
    if "/" in camera.password_file:  # else it is none of our credentials
        yield from _secret(f"{key}.password_file", camera.password_file)
    path = camera.url.removeprefix("file://")
    if "://" in path:
        return
    if path.startswith("/dev/"):
        if not is_there(Path(path)):
            found = Text(f"{path}，现在不存在", f"{path}, which is not there now")
            wanted = Text(
                "一个存在的摄像机（网关会等它出现）", "a camera that is there (the gateway waits for it)"
            )
            yield Fault(f"{key}.url", found, wanted, same("ls /dev/video*"), warning=True)
    elif (fault := readable(f"{key}.url", path)) is not None:
        yield fault


def _watcher(key: str) -> Faults:
    """Look for what cameras are watched with: the libraries and the model."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        found = Text(f"缺少 {', '.join(missing)}", f"{', '.join(missing)} not installed")
        wanted = Text("看护摄像机所需的库", "the libraries that cameras are watched with")
        yield Fault(key, found, wanted, same("pip install 'compound-gateway[vision]'"))
    files = [home / MODEL / name for home in HOMES for name in ("model.toml", "model.onnx")]
    if not any(all(is_there(file) for file in files[i : i + 2]) for i in range(0, len(files), 2)):
        found = Text(f"{files[1]} 不存在", f"{files[1]}, which is not there")
        hint = Text("重新安装本软件", "install the package again")
        yield Fault(key, found, Text("识别坠物的模型", "the model that tells falling objects"), hint)


def _certificates(table: MqttTable) -> Faults:
    good = True
    for name in ("ca_file", "cert_file", "key_file"):
        if path := getattr(table, name):
            fault = readable(f"mqtt.{name}", path)
            good = good and fault is None
            if fault is not None:
                yield fault
    if table.password_file:
        yield from _secret("mqtt.password_file", table.password_file)
    if good:
        yield from _usable(table)


def _access(table: AccessTable) -> Faults:
    """A list that is not there yet is waited for: whoever brings it may come later."""
    if table.file and (fault := readable("access.file", table.file)) is not None:
        yield dataclasses.replace(fault, warning=True)
    elif table.file and Path(table.file).stat().st_mode & 0o004:
        found = Text(f"{table.file} 人人可读", f"{table.file}, which everybody may read")
        wanted = Text("卡号和密码只有网关可读", "cards and PINs for the gateway only")
        yield Fault("access.file", found, wanted, same(f"chmod 640 {table.file}"), warning=True)
    if table.ca_file and (fault := readable("access.ca_file", table.ca_file)) is not None:
        yield fault
    if table.token_file:
        yield from _secret("access.token_file", table.token_file)


def _usable(table: MqttTable) -> Faults:
    """Have the TLS library read them: a file that is no certificate, a key that belongs to another one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if table.ca_file:
        try:
            context.load_verify_locations(table.ca_file)
        except (ssl.SSLError, OSError) as error:
            yield _not_pem("mqtt.ca_file", table.ca_file, error)
    if table.cert_file and table.key_file:
        try:
            context.load_cert_chain(table.cert_file, table.key_file, password="")
        except (ssl.SSLError, OSError, ValueError) as error:
            yield _not_pem("mqtt.cert_file", f"{table.cert_file}, {table.key_file}", error)


def _not_pem(key: str, path: str, error: Exception) -> Fault:
    reason = str(getattr(error, "reason", None) or error).lower().replace("_", " ")
    wanted = Text("PEM 证书，密钥与之相配且不加密", "a PEM certificate, with its own key, not encrypted")
    return Fault(key, Text(f"{path}：{reason}", f"{path}: {reason}"), wanted)


def _secret(key: str, path: str) -> Faults:
    fault = readable(key, path)
    if fault is not None:
        yield fault
        return
    status = Path(path).stat()
    if not status.st_size:
        yield Fault(
            key, Text(f"{path} 是空的", f"{path}, which is empty"), Text("密码一行", "the password, one line")
        )
    if status.st_mode & 0o004:
        found = Text(f"{path} 人人可读", f"{path}, which everybody may read")
        yield Fault(
            key, found, Text("只有网关可读", "for the gateway only"), same(f"chmod 640 {path}"), warning=True
        )


def readable(key: str, path: str) -> Fault | None:
    """Return what is wrong with a file that must be there and readable; None if nothing is."""
    wanted = Text("可读的文件", "a file that can be read")
    file = Path(path)
    try:
        with file.open("rb") as opened:
            opened.read(1)
    except FileNotFoundError:
        hint = Text("相对路径从配置文件所在目录算起", "a relative path counts from the folder of this file")
        return Fault(key, Text(f"{path} 不存在", f"{path}, which is not there"), wanted, hint)
    except OSError as error:
        hint = same(f"sudo chgrp {_group()} {path} && sudo chmod 640 {path}")
        return Fault(key, Text(f"{path}：{error.strerror}", f"{path}: {error.strerror}"), wanted, hint)
    return None


def _me() -> str:
    try:
        return getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def _group() -> str:
    return "compound-gateway"
