"""What is wrong with the channels of desk.toml, and with the files they name. What a file holds is never shown."""

import errno
import importlib.util
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from drivers.api import Text
from gateway.core.faults import NOTHING, Fault, one_of, same, shown
from gateway.desk.channels import (
    AppriseTable,
    BarkTable,
    CallTable,
    ChannelTable,
    MailTable,
    NtfyTable,
    SmsTable,
    WebhookTable,
    WebpushTable,
)
from gateway.desk.senders import apprise_schemes, bark, mail, vapid

WEB: Final = Text("http:// 或 https:// 地址", "an http:// or https:// address")
CONTACT: Final = re.compile(r"mailto:[^@\s]+@[\w-]+(\.[\w-]+)+|https://[\w.-]+")
OWN_KINDS: Final[Mapping[str, str]] = {
    "qyapi.weixin.qq.com": "wecom",
    "oapi.dingtalk.com": "dingtalk",
    "open.feishu.cn": "feishu",
    "open.larksuite.com": "feishu",
}
"""Services that have a kind of their own: a plain webhook would take their refusals for success."""


def check(key: str, table: ChannelTable) -> Iterator[Fault]:
    """Yield what is wrong with one channel."""
    if table.per_minute < 1:
        yield Fault(f"{key}.per_minute", shown(table.per_minute), Text("1 或更大", "1 or more"))
    if isinstance(table, NtfyTable | WebhookTable | BarkTable):
        yield from _url(f"{key}.url", table.url)
    if isinstance(table, WebhookTable) and len(table.success) > 1:
        wanted = Text("只有一项的表", "a table of one: { errcode = 0 }")
        yield Fault(f"{key}.success", shown(table.success), wanted)
    if isinstance(table, SmsTable) and not 300 <= table.baud <= 4_000_000:
        yield Fault(f"{key}.baud", shown(table.baud), Text("300 到 4000000", "300 to 4000000"))
    if isinstance(table, CallTable) and not 5 <= table.ring_s <= 25:
        yield Fault(f"{key}.ring_s", shown(table.ring_s), Text("5 到 25 秒", "5 to 25 seconds"))
    if isinstance(table, WebpushTable) and not CONTACT.fullmatch(table.contact):
        wanted = Text(
            "mailto: 邮箱地址，或 https:// 网址", "mailto: and an e-mail address, or an https:// address"
        )
        yield Fault(f"{key}.contact", shown(table.contact), wanted)
    if isinstance(table, MailTable):
        yield from _mail(key, table)


def check_files(key: str, table: ChannelTable, addresses: Mapping[str, str]) -> Iterator[Fault]:
    """Yield what is wrong with what a channel's files hold; `addresses` are those at this channel, by key."""
    url_file: str = getattr(table, "url_file", "")
    if isinstance(table, AppriseTable):
        yield from _apprise(key, table)
    elif url_file and not _is_web(_text(url_file)):
        found = Text("别的内容", "something else")
        yield Fault(
            f"{key}.url_file", found, Text("一行 http:// 或 https:// 地址", "one line with such an address")
        )
    if isinstance(table, WebpushTable):
        yield from _webpush(key, table)
    if isinstance(table, BarkTable):
        known = bark.keys(_text(table.keys_file))
        if not known:
            wanted = Text("每行一个名称和一个设备密钥", "a name and a device key on each line")
            yield Fault(f"{key}.keys_file", NOTHING, wanted)
        for where, address in addresses.items():
            if known and address not in known:
                yield Fault(where, shown(address), one_of(known), same(f"{key}.keys_file"))


def _url(key: str, url: str) -> Iterator[Fault]:
    if not _is_web(url):
        yield Fault(key, shown(url), WEB)
        return
    kind = OWN_KINDS.get(urlsplit(url).hostname or "")
    if kind is not None:
        hint = Text("密钥就在网址里，放进文件", "the key is in the address: put it into a file")
        yield Fault(
            key, Text("机器人的网址", "a bot's address"), same(f'kind = "{kind}", url_file = "..."'), hint
        )


def _apprise(key: str, table: AppriseTable) -> Iterator[Fault]:
    """Yield why Apprise's address is not taken, without it."""
    yield from _extra(key, "apprise", "apprise")
    if (why := apprise_schemes.refusal(_text(table.url_file))) is not None:
        yield Fault(f"{key}.url_file", *why)


def _extra(key: str, module: str, name: str) -> Iterator[Fault]:
    if importlib.util.find_spec(module) is None:
        wanted = same(f"pip install 'compound-gateway[{name}]'")
        yield Fault(f"{key}.kind", Text(f"缺少 {module}", f"no {module}"), wanted)


def _webpush(key: str, table: WebpushTable) -> Iterator[Fault]:
    """Yield what is wrong with the key of Web Push; a key that is not there yet is made."""
    file = Path(table.key_file)
    try:
        if file.exists():
            vapid.load_or_make(file)
        elif not os.access(file.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file.parent))
    except (OSError, vapid.VapidError) as error:
        wanted = Text(
            "可写的文件夹，或只有值班台能读的 P-256 私钥",
            "a folder to write to, or a P-256 key only the desk may read",
        )
        yield Fault(f"{key}.key_file", same(str(error)), wanted)


def _mail(key: str, table: MailTable) -> Iterator[Fault]:
    if table.security not in mail.SECURITIES:
        yield Fault(f"{key}.security", shown(table.security), one_of(mail.SECURITIES))
    if not mail.ADDRESS.fullmatch(table.sender):
        yield Fault(f"{key}.sender", shown(table.sender), Text("邮箱地址", "an e-mail address"))
    if not 0 <= table.port <= 65_535:
        yield Fault(f"{key}.port", shown(table.port), Text("0 到 65535", "0 to 65535"))
    if table.username and table.security == "none":
        wanted = Text("加密的连接，密码才会发出", "an encrypted connection; no password is sent over another")
        yield Fault(f"{key}.security", shown(table.security), wanted)
    if bool(table.username) != bool(table.password_file):
        wanted = Text("username 和 password_file 都有或都没有", "username and password_file, or neither")
        yield Fault(f"{key}.username", shown(table.username), wanted)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        good = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:
        return False
    return good and url.isascii() and url.isprintable() and " " not in url


def _text(file: str) -> str:
    """Return what a file holds; nothing where it cannot be read, which is told elsewhere."""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
