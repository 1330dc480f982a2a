"""The tables of desk.toml as frozen objects; what they mean together is looked at in checking.py."""

import msgspec

from gateway.core.config import MqttTable
from gateway.core.events import Place
from gateway.desk.channels import ChannelTable
from gateway.desk.consent import USUAL


class DeskTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[desk]`: its name, where it keeps its record, and when a gateway is quiet."""

    name: str
    store: str = "desk.db"  # a file, or postgresql://user@host/database
    store_password_file: str = ""
    files: str = "desk-files"  # the folder of stills, clips and photos
    evidence_gb: float = 4.0  # and how much it may hold
    keep_days: float = 730.0  # closed alerts and all that hangs on them
    care_keep_days: float = 30.0  # what is known of residents, after their alerts were closed
    share: bool = False  # several desks share the alerts; only where all gateways have confirm = "desk"
    quiet_s: float = 180.0
    quiet_hours: list[str] = []  # "daily 22:00-06:00"
    weekly_test: str = ""  # "mon 10:00"; "" never
    key_file: str = ""  # signs orders to gateways; without it doors are shown and cannot be opened from here
    control_socket: str = "desk.sock"  # for the tools of this machine: desk pair
    operator: str = "desk"  # the name of that key in the gateways' [[operator]]


class WebTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[web]`: where the pages are served. `url` is how phones reach them, for the code that lets one in."""

    listen: str = "127.0.0.1:8090"
    url: str = ""


class PersonTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[person]]`: somebody who can be told. `channels` are [channel, address] in the order they are tried."""

    name: str
    role: str
    place: Place = Place()
    language: str = "zh"
    channels: list[tuple[str, str]]
    phone: str = ""  # to be called on: "+86 138 0000 0000"


class DutyTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[duty]]`: who is on duty where and when, in the order they are called."""

    people: list[str]
    place: Place = Place()
    kinds: list[str] = []
    times: list[str] = []


class ResidentTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[resident]]`: what somebody agreed to, by the code their gateway has for them.

    `see` are roles and people who see everything; `shown` is how much of the place everybody else sees. Without such a
    table everybody sees the stairwell, and the door is told to who is called.
    """

    gateway: str
    code: str
    see: list[str] = []
    shown: str = USUAL
    keep_days: float | None = None
    name: str = ""
    note: str = ""  # what helpers must know: a wheelchair, who has a key


class LadderTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[ladder]]`: what happens while nobody acknowledges an alert of a severity."""

    severity: str
    steps: list[dict[str, object]]  # { after_minutes = 5, to = "next" }
    repeat_minutes: float = 0.0
    while_active: bool = False


class DeskConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file."""

    desk: DeskTable
    mqtt: MqttTable | None = None
    web: WebTable | None = None
    channel: tuple[ChannelTable, ...] = ()
    person: tuple[PersonTable, ...] = ()
    duty: tuple[DutyTable, ...] = ()
    ladder: tuple[LadderTable, ...] = ()
    resident: tuple[ResidentTable, ...] = ()
