"""Senders as desk.toml describes them, their secrets read from files once, when the desk starts."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from gateway.desk import channels
from gateway.desk.channels import ChannelTable
from gateway.desk.senders import bark, vapid
from gateway.desk.senders.bark import Bark
from gateway.desk.senders.dingtalk import Dingtalk
from gateway.desk.senders.feishu import Feishu
from gateway.desk.senders.mail import Mail, Server
from gateway.desk.senders.modem.serial_modem import Call, SerialModem, Sms
from gateway.desk.senders.vapid import VapidError
from gateway.desk.senders.webhook import Endpoint, Ntfy, Webhook
from gateway.desk.senders.webpush import WebPush
from gateway.desk.senders.wecom import Wecom
from gateway.desk.sending import Message, Rejected, Result, Sender
from gateway.desk.store.database import Database

log = logging.getLogger(__name__)


class Unusable:
    """A channel that could not be made, in words; what is wrong with one keeps nobody from the others."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def send(self, message: Message) -> Result:
        """Refuse one message."""
        del message
        return Rejected(self._reason, retryable=False)


class Builder:
    """Makes senders; those at one port share one modem. `database` is the desk's, for those that need it."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._modems: dict[str, SerialModem] = {}

    def build_all(self, tables: Iterable[ChannelTable]) -> dict[str, Sender]:
        """Return the senders of all channels; one that cannot be made refuses every page, which then goes on."""
        return {each.name: self._build_or_refuse(each) for each in tables}

    def _build_or_refuse(self, table: ChannelTable) -> Sender:
        try:
            return self.build(table)
        except (OSError, ImportError, UnicodeDecodeError, VapidError) as error:
            reason = f"{type(error).__name__}: {error}"
            log.error("channel %s cannot be used: %s", table.name, reason)
            return Unusable(reason)

    def build(self, table: ChannelTable) -> Sender:
        """Return what sends over a channel; raises OSError where a secret cannot be read."""
        match table:
            case channels.NtfyTable():
                return Ntfy(Endpoint(table.url, secret(table.token_file)))
            case channels.WebhookTable():
                return Webhook(_endpoint(table))
            case channels.WecomTable():
                return Wecom(secret(table.url_file), markdown=table.markdown)
            case channels.DingtalkTable():
                return Dingtalk(
                    secret(table.url_file), secret=secret(table.secret_file), keyword=table.keyword
                )
            case channels.FeishuTable():
                return Feishu(secret(table.url_file), secret=secret(table.secret_file), keyword=table.keyword)
            case channels.BarkTable():
                return Bark(table.url, bark.keys(secret(table.keys_file)))
            case channels.MailTable():
                return Mail(_server(table))
            case channels.CallTable():
                return Call(self._modem(table), table.ring_s)
            case channels.SmsTable():
                return Sms(self._modem(table))
            case channels.WebpushTable():
                return self._web_push(table)
            case channels.AppriseTable():
                from gateway.desk.senders.apprise_service import AppriseService  # an extra

                return AppriseService(secret(table.url_file))
        raise ValueError(f"no kind of channel: {table.kind}")

    def _modem(self, table: channels.SmsTable) -> SerialModem:
        return self._modems.setdefault(table.port, SerialModem(table.port, table.baud))

    def _web_push(self, table: channels.WebpushTable) -> Sender:
        if self._database is None:
            raise ValueError("Web Push needs the desk's record")
        key = vapid.load_or_make(Path(table.key_file))
        return WebPush(self._database, key, table.contact, table.services)


def secret(file: str) -> str:
    """Return what a secret's file holds; "" where none is named."""
    return Path(file).read_text(encoding="utf-8").strip() if file else ""


def _endpoint(table: channels.WebhookTable) -> Endpoint:
    key, value = next(iter(table.success.items()), ("", None))
    assert value is None or isinstance(value, str | int | bool)
    return Endpoint(table.url, secret(table.token_file), key, value)


def _server(table: channels.MailTable) -> Server:
    return Server(
        host=table.host,
        sender=table.sender,
        security=msgspec.convert(table.security, Literal["starttls", "tls", "none"]),
        port=table.port,
        username=table.username,
        password=secret(table.password_file),
        ca_file=table.ca_file,
    )
