"""What gateway.toml may say, as frozen objects. See gateway/core/loading.py for how it is read and checked."""

from datetime import date
from typing import Final

import msgspec

from gateway.core.events import Place

# What a broker's address begins with: the port where none is named, and whether it is encrypted.
BROKER_SCHEMES: Final = {"mqtt": (1883, False), "mqtts": (8883, True), "ws": (80, False), "wss": (443, True)}


class GatewayTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[gateway]`: who we are and where our state lives."""

    id: str
    name: str = ""
    place: Place = Place()
    state_dir: str = "/var/lib/compound-gateway"
    control_socket: str = ""  # default: control.sock in $RUNTIME_DIRECTORY, else in state_dir
    retention_days: float = 400.0
    journal_max_mb: float = 512.0
    utc_offset_h: float = 8.0  # of the schedules: China has one time zone and no summer time
    card_tbw: float = 0.0  # terabytes a card of this kind endures, by its data sheet; 0: not known


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
    home_assistant: bool = False  # tell Home Assistant which devices there are


class BesideTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[desk]`: a duty desk in the same house, in the place of a broker. `config` is its own file."""

    config: str


class DeviceTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[bus.device]]`: one product on the line. `rules` overrides the profile's rules by kind."""

    name: str
    profile: str
    address: int
    place: Place = Place()
    baseline: dict[str, float] = {}
    rules: dict[str, dict[str, object]] = {}
    label: str = ""  # how people call it: 东侧走廊
    key_file: str = ""  # of an OSDP device: its secure channel base key
    serial: str = ""
    installed_on: date | None = None  # of the unit that hangs there now: a new one, a new day
    service_years: float | None = None  # where its maker says otherwise than the standards


class BusTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[bus]]`: one line and what hangs on it."""

    name: str
    port: str
    baud: int = 9600
    parity: str = "none"
    stop_bits: int = 1
    rs485: bool = False
    points: str = ""  # a CSV with the addresses of the panel on this line, see core/point_list.py
    device: list[DeviceTable] = []


class VisionTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[vision]`: what holds for all cameras. The folder of the evidence is under the state directory by default."""

    evidence_max_mb: float = 2048.0
    evidence_dir: str = ""
    memory_max_mb: float = 300.0  # of one camera's process; one that grows larger is started anew
    privacy: bool = False  # blur the still outside the track
    max_falls_per_minute: int = 6  # of one camera; more are counted and not told


class CameraTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[camera]]`: a view of a facade. `privacy` stands over that of `[vision]`.

    `watch`, `ignore` and `floors` are px of a picture `marked_in` so wide and high; of what comes if that is not told.
    """

    name: str
    url: str
    password_file: str = ""
    privacy: bool | None = None
    place: Place = Place()
    watch: list[tuple[float, float]] = []
    ignore: list[list[tuple[float, float]]] = []
    floors: list[dict[str, float]] = []
    marked_in: tuple[int, int] | None = None


class DoorTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[door]]`: one door and the parts it is made of, whatever lines they hang on.

    `strike` is the device that unlocks it; `contact`, `exit` and `tamper` are points, "device.point", true when
    open, pressed, tampered with; `readers` are devices. `fail` is what the lock does without power.
    """

    name: str
    strike: str
    label: str = ""
    place: Place = Place()
    contact: str = ""
    exit: str = ""
    readers: list[str] = []
    tamper: list[str] = []
    fail: str = "secure"  # or "safe": without power it is open
    unlock_s: float = 5.0
    shunt_s: float = 10.0  # so long after a grant it may still be opened
    held_s: float = 30.0  # open for longer than this: somebody should shut it
    unlocked: str = ""  # the schedule in which it is not locked at all
    entry: str = "card"  # card, card_or_pin, card_and_pin


class AssetTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[asset]]`: one thing made of several devices: a manhole, a bin, a fire lane; see core/assets.

    `parts` says which "device.point" plays which part of its `kind`, one or a list; `outputs` are what it moves,
    "device" or "device:channel"; `set` are numbers the kind asks for; `point` are derived points of its own; `rules`
    and `baseline` are as those of a device.
    """

    name: str
    kind: str
    label: str = ""
    place: Place = Place()
    parts: dict[str, object] = {}
    outputs: dict[str, str] = {}
    set: dict[str, float] = {}
    baseline: dict[str, float] = {}
    rules: dict[str, dict[str, object]] = {}
    point: list[dict[str, object]] = []


class ScheduleTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[schedule]]`: times of the week, as people write them: "mon-fri 07:00-09:00"; see core/schedule.py."""

    name: str
    times: list[str]
    closed: list[str] = []  # days on which it does not hold: "2026-10-01", "2026-10-01..2026-10-07"


class ResidentTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[resident]]`: who lives behind a door, by its number and nobody's name, and what they agreed to.

    `sos` are their buttons, "device.point"; `sensors` what measures them, a device or "device.point". `consent` names
    what may be raised of it: see kinds.toml. `sends`: the values themselves may go upstream.
    """

    code: str
    place: Place = Place()
    sos: list[str] = []
    sensors: list[str] = []
    consent: list[str] = []
    sends: bool = False


class InterlockTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[interlock]]`: what a confirmed fire does by itself, with no network.

    `kinds` are kinds of alert; `within` is how far it reaches from where it burns. It frees the doors there and
    gives the `orders`, each { device, action, arguments }, and on release the `after`.
    """

    name: str
    kinds: list[str] = []  # left out: smoke, heat, call points, panels, and two detectors together
    within: str = "building"  # unit, building, compound
    place: Place = Place()  # only alerts from here; left out: from anywhere
    free_doors: bool = True
    orders: list[dict[str, object]] = []
    after: list[dict[str, object]] = []
    sound: list[dict[str, object]] = []  # as `orders`, to the sounders: a person may hush them while it burns
    hush: list[dict[str, object]] = []
    dry_run: bool = False  # told and written down, but nothing is moved


class OperatorTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[operator]]`: a key that may sign commands, whose it is, what for and where.

    `key` is an Ed25519 public key, 32 bytes in base64url (RFC 8037's `x`). No secret: it may stand here.
    """

    name: str
    key: str
    role: str
    places: list[Place] = []  # left out: everywhere in this compound
    allow: list[str] = []  # instead of what the role may
    per_minute: int = 30


class AccessTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[access]`: where the list of cards comes from. Without a source, `cards import` fills it."""

    file: str = ""  # a CSV that is read at start and whenever it changes
    url: str = ""  # https: the same CSV, pulled from upstream
    token_file: str = ""  # sent as a bearer token
    ca_file: str = ""
    pull_minutes: float = 15.0
    without_clock: str = (
        "grant"  # what becomes of times and validity while the clock is not trusted; or "deny"
    )


class MetricsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[metrics]`: the Prometheus endpoint; without this table there is none. IP address or localhost, and port."""

    listen: str = "127.0.0.1:9108"


class FireCentreTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[fire_centre]]`: a centre that is reported to by GB/T 26875.3-2011; see gateway/services/centre.

    `address` is ours and `centre_address` its own, as the centre gives them out. `components` names the address of a
    device there, "zone.number", where the rule of the table does not do; `table` is a site's own mapping.
    """

    name: str
    url: str | list[str]
    address: int
    centre_address: int
    table: str = ""
    components: dict[str, str] = {}
    system_address: int = 1
    operator: int = 0
    user_version: int = 1
    heartbeat_s: float = 30.0
    timeout_s: float = 5.0
    resends: int = 3
    analog: bool = True
    take_clock: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of gateway.toml. `rule` holds rules on top of the profiles' own, as plain tables.

    `last_resort` holds ways to people as plain tables too: what each has depends on its kind, see last_resort_ways.py.
    """

    gateway: GatewayTable
    mqtt: MqttTable | None = None
    desk: BesideTable | None = None
    bus: tuple[BusTable, ...] = ()
    vision: VisionTable = VisionTable()
    camera: tuple[CameraTable, ...] = ()
    rule: tuple[dict[str, object], ...] = ()
    door: tuple[DoorTable, ...] = ()
    asset: tuple[AssetTable, ...] = ()
    schedule: tuple[ScheduleTable, ...] = ()
    resident: tuple[ResidentTable, ...] = ()
    interlock: tuple[InterlockTable, ...] = ()
    operator: tuple[OperatorTable, ...] = ()
    access: AccessTable | None = None
    last_resort: tuple[dict[str, object], ...] = ()
    metrics: MetricsTable | None = None
    fire_centre: tuple[FireCentreTable, ...] = ()
