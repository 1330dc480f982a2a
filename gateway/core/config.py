"""What gateway.toml may say, as frozen objects. See gateway/core/loading.py for how it is read and checked."""

import msgspec

from gateway.core.events import Place


class GatewayTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[gateway]`: who we are and where our state lives."""

    id: str
    name: str = ""
    place: Place = Place()
    state_dir: str = "/var/lib/compound-gateway"
    control_socket: str = ""  # default: control.sock in $RUNTIME_DIRECTORY, else in state_dir
    retention_days: float = 400.0
    journal_max_mb: float = 512.0


class MqttTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[mqtt]`: the brokers, tried in order, and what counts as delivered."""

    url: str | list[str]
    confirm: str = "broker"  # or "desk"
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    username: str = ""
    password_file: str = ""
    keep_alive_s: int = 15
    window: int = 100  # unacknowledged messages


class DeviceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[bus.device]]`: one product on the line. `rules` overrides the profile's rules by kind."""

    name: str
    profile: str
    address: int
    place: Place = Place()
    baseline: dict[str, float] = {}
    rules: dict[str, dict[str, object]] = {}
    label: str = ""  # how people call it: 东侧走廊


class BusTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[bus]]`: one line and what hangs on it."""

    name: str
    port: str
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    rs485: bool = False
    device: list[DeviceTable] = []


class VisionTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[vision]`: what holds for all cameras. The folder of the evidence is under the state directory by default."""

    evidence_max_mb: float = 2048.0
    evidence_dir: str = ""
    memory_max_mb: float = 300.0  # of one camera's process; one that grows larger is started anew
    privacy: bool = False  # blur the still outside the track
    max_falls_per_minute: int = 6  # of one camera; more are counted and not told


class CameraTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[camera]]`: a view of a facade. `privacy` stands over that of `[vision]`."""

    name: str
    url: str
    password_file: str = ""
    privacy: bool | None = None
    place: Place = Place()
    watch: list[tuple[float, float]] = []
    ignore: list[list[tuple[float, float]]] = []
    floors: list[dict[str, float]] = []


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of gateway.toml. `rule` holds rules on top of the profiles' own, as plain tables."""

    gateway: GatewayTable
    mqtt: MqttTable | None = None
    bus: tuple[BusTable, ...] = ()
    vision: VisionTable = VisionTable()
    camera: tuple[CameraTable, ...] = ()
    rule: tuple[dict[str, object], ...] = ()
