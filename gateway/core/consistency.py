"""What the tables of gateway.toml mean together: names, addresses, ports, urls. Pure.

Each check takes what `loading.parse` could read, so that a file with one bad table is still looked at whole,
and yields faults. What products can do is looked at in gateway/core/fitting.py.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from drivers.api import Text
from gateway.core import access_checks, centre_checks, listening, operator_checks
from gateway.core.config import BROKER_SCHEMES, BusTable, CameraTable, MqttTable, VisionTable
from gateway.core.faults import Fault, near, one_of, same, shown
from gateway.core.loading import Parsed
from gateway.core.marks import upside_down

ID = re.compile(r"[a-z0-9-]{1,32}")
_URL = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^/\s]*)@)?(?P<host>\[[0-9a-fA-F:.]+\]|[^/:@\s?#]*)"
    r"(?::(?P<port>[0-9]{1,5}))?(?:[/?#]\S*)?"
)
ID_WANTED = Text("1 到 32 个小写字母、数字或连字符", "1 to 32 of a-z, 0-9 and -")
BAUDS = (300, 600, 1200, 2400, 4800, 9600, 14400, 19200, 28800, 38400, 57600, 115200, 230400, 460800, 921600)
PARITIES = ("none", "even", "odd")
CAMERA_SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
LINE_SCHEMES = ("socket", "tcp")
NUMBERED = re.compile(r"/dev/tty(USB|ACM)[0-9]+")  # in the order they were found, so not the same tomorrow

Faults = Iterator[Fault]


def check(parsed: Parsed) -> Faults:
    """Yield everything that does not go together."""
    yield from _gateway(parsed)
    if parsed.mqtt is not None:
        yield from _mqtt(parsed.mqtt)
    if parsed.mqtt is not None and parsed.desk is not None:
        wanted = Text("[mqtt] 与 [desk] 二选一", "either [mqtt] or [desk]")
        hint = Text(
            "值班台自己可以连消息服务器", "the desk can listen at a broker itself: [mqtt] in its own file"
        )
        yield Fault("desk", same("[mqtt]"), wanted, hint)
    if parsed.vision is not None:
        yield from _vision(parsed.vision)
    if parsed.metrics is not None:
        yield from listening.check(parsed.metrics)
    for key, bus in parsed.buses.items():
        yield from _bus(key, bus)
    for key, device in parsed.devices.items():
        if device.service_years is not None:
            yield from _range(f"{key}.service_years", device.service_years, 0.1, 100)
    for key, camera in parsed.cameras.items():
        yield from _camera(key, camera)
    yield from _names(parsed)
    yield from _ports(parsed)
    yield from _addresses(parsed)
    yield from operator_checks.check(parsed)
    yield from access_checks.check(parsed)
    yield from centre_checks.check(
        parsed.fire_centres, {device.name: device for device in parsed.devices.values()}
    )
    if not parsed.buses and not parsed.cameras and not parsed.faults:
        wanted = Text("至少一条 [[bus]] 或一个 [[camera]]", "at least one [[bus]] or [[camera]]")
        yield Fault("bus", Text("没有总线，也没有摄像机", "neither line nor camera"), wanted, warning=True)


def _gateway(parsed: Parsed) -> Faults:
    table = parsed.gateway
    if table is None:
        return
    yield from _id("gateway.id", table.id)
    yield from _range("gateway.retention_days", table.retention_days, 1, 36500)
    yield from _range("gateway.journal_max_mb", table.journal_max_mb, 16, 1e6)
    yield from _range("gateway.utc_offset_h", table.utc_offset_h, -14, 14)
    yield from _range("gateway.card_tbw", table.card_tbw, 0, 1e6)
    if not table.state_dir:
        yield Fault("gateway.state_dir", shown(""), Text("一个目录", "a directory"))


def _mqtt(table: MqttTable) -> Faults:
    several = isinstance(table.url, list)
    urls = table.url if isinstance(table.url, list) else [table.url]
    if not urls:
        yield Fault("mqtt.url", shown(urls), Text("至少一个地址", "at least one address"))
    parts = []
    for index, url in enumerate(urls):
        key = f"mqtt.url[{index}]" if several else "mqtt.url"
        yield from _url(key, url, tuple(BROKER_SCHEMES), "mqtts://broker.example:8883")
        parts.append(url.partition("://")[0])
    yield from _choice("mqtt.confirm", table.confirm, ("broker", "desk"))
    yield from _range("mqtt.keep_alive_s", table.keep_alive_s, 2, 3600)
    yield from _range("mqtt.window", table.window, 1, 65535)
    yield from _pair(table, "cert_file", "key_file")
    yield from _pair(table, "key_file", "cert_file")
    yield from _pair(table, "password_file", "username")
    plain = bool(parts) and all(scheme in {"mqtt", "ws"} for scheme in parts)
    for name in ("ca_file", "password_file"):
        if plain and getattr(table, name):
            found = Text(f"未加密的地址却有 {name}", f"{name} with an address that is not encrypted")
            yield Fault(f"mqtt.{name}", found, Text("mqtts:// 或 wss://", "mqtts:// or wss://"), warning=True)


def _bus(key: str, bus: BusTable) -> Faults:
    yield from _id(f"{key}.name", bus.name)
    yield from _choice(f"{key}.baud", bus.baud, BAUDS)
    yield from _choice(f"{key}.parity", bus.parity, PARITIES)
    yield from _choice(f"{key}.stop_bits", bus.stop_bits, (1, 2))
    if "://" in bus.port:
        yield from _url(f"{key}.port", bus.port, LINE_SCHEMES, "socket://192.168.1.20:4001", port=True)
    elif not bus.port.startswith("/"):
        wanted = Text(
            "/dev/serial/by-id/...、socket://主机:端口 或 tcp://主机:端口",
            "/dev/serial/by-id/..., socket://host:port or tcp://host:port",
        )
        yield Fault(f"{key}.port", shown(bus.port), wanted)
    elif NUMBERED.fullmatch(bus.port):
        wanted = Text(
            "重启后不变的名字：ls /dev/rs485 /dev/serial/by-path",
            "a name that stays after a restart: ls /dev/rs485 /dev/serial/by-path",
        )
        hint = Text(
            "两条总线换了号，火警报错楼栋，开错门",
            "two lines that change places tell a fire in the wrong building and open the wrong door",
        )
        yield Fault(f"{key}.port", shown(bus.port), wanted, hint, warning=True)


def _vision(table: VisionTable) -> Faults:
    yield from _range("vision.evidence_max_mb", table.evidence_max_mb, 16, 1e6)
    yield from _range("vision.memory_max_mb", table.memory_max_mb, 100, 8192)
    yield from _range("vision.max_falls_per_minute", table.max_falls_per_minute, 1, 60)


def _camera(key: str, camera: CameraTable) -> Faults:
    yield from _id(f"{key}.name", camera.name)
    if "://" in camera.url:
        yield from _url(
            f"{key}.url", camera.url, CAMERA_SCHEMES, "rtsp://192.168.1.30/stream1", instead="password_file"
        )
    elif not camera.url:
        yield Fault(
            f"{key}.url", shown(""), Text("地址、文件或 /dev/video0", "an address, a file or /dev/video0")
        )
    for name, polygon in [
        ("watch", camera.watch),
        *((f"ignore[{i}]", each) for i, each in enumerate(camera.ignore)),
    ]:
        if 0 < len(polygon) < 3:
            yield Fault(f"{key}.{name}", shown(polygon), Text("至少三个点", "at least three points"))
    yield from _floors(f"{key}.floors", camera.floors)
    if camera.marked_in is not None and min(camera.marked_in) < 1:
        wanted = Text(
            "标记时画面的宽和高，例如 [1920, 1080]", "width and height of the picture, like [1920, 1080]"
        )
        yield Fault(f"{key}.marked_in", same(str(list(camera.marked_in))), wanted)


def _floors(key: str, floors: Sequence[Mapping[str, float]]) -> Faults:
    """A floor scale is two floors or more, each with the height of its slab in the picture."""
    if not floors:
        return
    wanted = Text(
        "至少两层，形如 { y = 912, floor = 1 }，高低各不相同",
        "at least two like { y = 912, floor = 1 }, all different",
    )
    whole = all(set(each) == {"y", "floor"} for each in floors)
    if not whole or any(
        len({each[name] for each in floors}) < max(len(floors), 2) for name in ("y", "floor")
    ):
        yield Fault(key, shown(list(floors)), wanted)
        return
    for below, above in upside_down([(each["y"], each["floor"]) for each in floors]):
        higher, lower = (f"{floors[place]['floor']:g}" for place in (below, above))
        found = Text(f"{higher} 楼在 {lower} 楼的下面", f"floor {higher} below floor {lower}")
        wanted = Text(
            "y 从画面上边数起：楼层越高越小", "y from the upper edge: the higher the floor, the smaller"
        )
        yield Fault(key, found, wanted, warning=True)


def _names(parsed: Parsed) -> Faults:
    yield from _twice({f"{key}.name": bus.name for key, bus in parsed.buses.items()})
    names = {f"{key}.name": device.name for key, device in parsed.devices.items()}
    names |= {f"{key}.name": door.name for key, door in parsed.doors.items()}
    names |= {f"{key}.name": asset.name for key, asset in parsed.assets.items()}
    names |= {f"{key}.name": interlock.name for key, interlock in parsed.interlocks.items()}
    for key, name in names.items():
        yield from _id(key, name)
    yield from _twice({f"{key}.name": each.name for key, each in parsed.schedules.items()})
    names |= {f"{key}.name": camera.name for key, camera in parsed.cameras.items()}
    yield from _twice(names)


def _ports(parsed: Parsed) -> Faults:
    yield from _twice({f"{key}.port": bus.port for key, bus in parsed.buses.items() if bus.port})


def _twice(values: Mapping[str, str]) -> Faults:
    """Yield a fault for each key whose value an earlier key has too."""
    first: dict[str, str] = {}
    for key, value in values.items():
        if value in first:
            found = Text(
                f"{shown(value).zh}，{first[value]} 已经用了", f"{shown(value).en}, as {first[value]} already"
            )
            yield Fault(key, found, Text("没有被用过的", "one that is not taken"))
        first.setdefault(value, key)


def _addresses(parsed: Parsed) -> Faults:
    """Two devices that answer at once garble each other, so one address a line; the fault names both."""
    taken: dict[tuple[str, int], str] = {}
    for key, device in parsed.devices.items():
        place = (key.partition(".")[0], device.address)
        if other := taken.get(place):
            found = Text(
                f"{device.address}，{device.name} 与 {other} 相同",
                f"{device.address}, for {device.name} and for {other}",
            )
            hint = Text(
                "先只接一个，用 set_address 改掉它的地址",
                "connect one alone and give it another: set_address",
            )
            yield Fault(
                f"{key}.address", found, Text("每台设备一个地址", "one address for each device"), hint
            )
        taken.setdefault(place, device.name)


def _id(key: str, value: str) -> Faults:
    if not ID.fullmatch(value):
        slug = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:32]
        hint = Text(f"例如 {slug}", f"for example {slug}") if ID.fullmatch(slug) else None
        yield Fault(key, shown(value), ID_WANTED, hint)


def _choice(key: str, value: object, allowed: Sequence[object]) -> Faults:
    if value not in allowed:
        hint = near(value, [str(each) for each in allowed]) if isinstance(value, str) else None
        yield Fault(key, shown(value), one_of(allowed), hint)


def _range(key: str, value: float, least: float, most: float) -> Faults:
    if not (math.isfinite(value) and least <= value <= most):
        yield Fault(key, shown(value), Text(f"{least:g} 到 {most:g}", f"{least:g} to {most:g}"))


def _pair(table: MqttTable, name: str, other: str) -> Faults:
    if getattr(table, name) and not getattr(table, other):
        found = Text(f"有 {name} 却没有 {other}", f"{name} without {other}")
        yield Fault(f"mqtt.{other}", found, Text("两者都要", "both of them"))


def _url(
    key: str,
    url: str,
    schemes: Sequence[str],
    example: str,
    *,
    port: bool = False,
    instead: str = "username, password_file",
) -> Faults:
    wanted = Text(f"形如 {example} 的地址", f"an address like {example}")
    parts = _URL.fullmatch(url)
    if parts is None:
        yield Fault(key, shown(url), wanted)
    elif parts["scheme"] not in schemes:
        yield Fault(key, shown(url), one_of(f"{each}://" for each in schemes), near(parts["scheme"], schemes))
    elif not (parts["host"] or parts["scheme"] == "file") or (port and not parts["port"]):
        yield Fault(key, shown(url), wanted)
    elif parts["port"] and not 1 <= int(parts["port"]) <= 65535:
        yield Fault(key, shown(url), Text("端口 1 到 65535", "a port from 1 to 65535"))
    elif ":" in (parts["user"] or ""):
        hint = Text(f"请用 {instead}", f"use {instead}")
        yield Fault(key, Text("地址里有密码", "a password inside the address"), same(example), hint)
