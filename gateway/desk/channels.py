"""The kinds of `[[channel]]` as frozen objects: what desk.toml says of each way to people.

A field that ends in `_file` names a file with a secret; no secret stands in desk.toml. `per_minute` is what the service
takes for one bot; more becomes summaries.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.desk.delivering import Pace


class ChannelTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every channel has."""

    name: str
    kind: str
    per_minute: int = 20  # what a WeCom and a DingTalk bot take

    @property
    def pace(self) -> Pace:
        """Return how the channel may be used."""
        return Pace(self.per_minute)


class NtfyTable(ChannelTable, frozen=True, kw_only=True):
    """An ntfy server; addresses are topics."""

    url: str
    token_file: str = ""


class WebhookTable(ChannelTable, frozen=True, kw_only=True):
    """Any service that takes JSON. `success` is what an answer that means success has in it."""

    url: str
    token_file: str = ""
    success: dict[str, object] = {}


class WecomTable(ChannelTable, frozen=True, kw_only=True):
    """The bot of a WeCom group; `url_file` holds its whole address, as the group shows it."""

    url_file: str
    markdown: bool = False


class DingtalkTable(ChannelTable, frozen=True, kw_only=True):
    """The bot of a DingTalk group: its address, and what its security settings ask for."""

    url_file: str
    secret_file: str = ""
    keyword: str = ""


class FeishuTable(ChannelTable, frozen=True, kw_only=True):
    """The bot of a Feishu group: its address, and what its security settings ask for."""

    url_file: str
    secret_file: str = ""
    keyword: str = ""
    per_minute: int = 60  # it takes 100, and 5 a second


class BarkTable(ChannelTable, frozen=True, kw_only=True):
    """A Bark server; addresses are names of `keys_file`, which has a name and a device key on each line."""

    url: str = "https://api.day.app"
    keys_file: str
    per_minute: int = 60


class MailTable(ChannelTable, frozen=True, kw_only=True):
    """A mail server; addresses are e-mail addresses. `port` 0: the usual one."""

    host: str
    sender: str
    security: str = "starttls"  # tls, none
    port: int = 0
    username: str = ""
    password_file: str = ""
    ca_file: str = ""


class SmsTable(ChannelTable, frozen=True, kw_only=True):
    """Texts by a modem with a SIM; addresses are telephone numbers."""

    port: str  # /dev/serial/by-id/...
    baud: int = 115_200
    per_minute: int = 6  # a text of several parts takes ten seconds

    @property
    def pace(self) -> Pace:
        """Return how the channel may be used: a modem does one thing at a time."""
        return Pace(self.per_minute, at_once=1, longest_s=50.0)


class CallTable(SmsTable, frozen=True, kw_only=True):
    """Calls by the same modem that ring for `ring_s` and say nothing."""

    ring_s: float = 20.0
    per_minute: int = 2


class WebpushTable(ChannelTable, frozen=True, kw_only=True):
    """Browsers that allowed it on the duty page; addresses are names of people. The key is made when there is none."""

    contact: str  # whom a push service may ask: mailto:... or https://...
    key_file: str = "webpush.pem"
    services: list[str] = []  # besides those of the known browsers
    per_minute: int = 600


class AppriseTable(ChannelTable, frozen=True, kw_only=True):
    """Another service by Apprise; `url_file` holds its address there, in which {to} stands for a person's."""

    url_file: str


KINDS: Final[Mapping[str, type[ChannelTable]]] = {
    "ntfy": NtfyTable,
    "webhook": WebhookTable,
    "wecom": WecomTable,
    "dingtalk": DingtalkTable,
    "feishu": FeishuTable,
    "bark": BarkTable,
    "mail": MailTable,
    "sms": SmsTable,
    "call": CallTable,
    "webpush": WebpushTable,
    "apprise": AppriseTable,
}

ALONE: Final = {name: kind for name, kind in KINDS.items() if name != "webpush"}
"""The kinds that need no desk: a gateway may use them by itself."""


def files(table: ChannelTable, *, made: bool = True) -> dict[str, str]:
    """Return the files a channel names, by field; "" where it names none. `made`: those that the desk makes as well."""
    names = [each.name for each in msgspec.structs.fields(table) if each.name.endswith("_file")]
    if not made and isinstance(table, WebpushTable):
        names.remove("key_file")
    return {name: getattr(table, name) for name in names}
