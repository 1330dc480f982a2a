"""Bark: pages to iPhones that ring through silent mode when it is critical. Success is code 200 in the answer.

A device key lets anybody ring that phone, so desk.toml holds only names and a file of its own their keys. The same
`id` again replaces the message on the phone instead of doubling it.
"""

from collections.abc import Mapping
from typing import Final

from gateway.core.events import Words
from gateway.desk.senders.judging import Sign, ask
from gateway.desk.senders.mentioning import cut
from gateway.desk.senders.posting import request
from gateway.desk.sending import Message, Rejected, Result

LEVELS: Final = ("passive", "active", "timeSensitive", "critical")  # by rank
LONGEST: Final = 2_000  # Apple takes 4,096 bytes for the whole
VOLUME: Final = 10  # the loudest
SIGN: Final = Sign("bark", "code", 200)
TITLES: Final = {"zh": "值班通知", "en": "Duty desk"}


class Bark:
    """Sends over one Bark server; `keys` are the phones' device keys by address."""

    def __init__(self, url: str, keys: Mapping[str, str]) -> None:
        self._url, self._keys = url.rstrip("/") + "/push", dict(keys)

    async def send(self, message: Message) -> Result:
        """Send one message."""
        key = self._keys.get(message.address)
        if key is None:
            means = Words("在 keys_file 里加一行：名称 设备密钥", "add a line to keys_file: name, device key")
            return Rejected(f"no key for {message.address}", retryable=False, means=means)
        return await ask(request(self._url, body(message, key), message.id, secrets=(key,)), SIGN)


def body(message: Message, key: str) -> dict[str, object]:
    """Return what is posted."""
    told: dict[str, object] = {
        "device_key": key,
        "title": TITLES.get(message.language, TITLES["en"]),
        "body": cut(message.text, LONGEST),
        "level": LEVELS[message.rank],
        "group": "compound-gateway",
        "id": message.id,
    }
    return told | ({"volume": VOLUME, "call": "1"} if message.rank == 3 else {})


def keys(text: str) -> dict[str, str]:
    """Return the device keys of a file: a name and a key on each line."""
    lines = (line.split() for line in text.splitlines() if not line.lstrip().startswith("#"))
    return {parts[0]: parts[1] for parts in lines if len(parts) == 2}
