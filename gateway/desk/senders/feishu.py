"""The bot of a Feishu (Lark) group. Success is code 0.

With the setting "signature" a message carries the time in seconds and a signature: HMAC-SHA256 of nothing under the
key "<time>\\n<secret>", in Base64, good for an hour. 100 messages a minute and 5 a second for each bot. Only an open_id
and everybody can be mentioned.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final

from gateway.desk.senders.judging import Sign, ask
from gateway.desk.senders.mentioning import cut, whom
from gateway.desk.senders.posting import request
from gateway.desk.sending import Message, Result

LONGEST: Final = 16_000  # of 20 KB for the whole
SIGN: Final = Sign("feishu", "code", 0)


class Feishu:
    """Sends to one group."""

    def __init__(
        self, url: str, *, secret: str = "", keyword: str = "", now: Callable[[], float] = time.time
    ) -> None:
        self._url, self._secret, self._keyword, self._now = url, secret, keyword, now

    async def send(self, message: Message) -> Result:
        """Send one message; `address` is an open_id (ou_...) of the group, or @all."""
        told = body(message, self._keyword)
        if self._secret:
            stamp = str(int(self._now()))
            told |= {"timestamp": stamp, "sign": signature(self._secret, stamp)}
        return await ask(request(self._url, told, message.id, secrets=(self._url, self._secret)), SIGN)


def signature(secret: str, stamp: str) -> str:
    """Return the signature of a time."""
    return base64.b64encode(hmac.digest(f"{stamp}\n{secret}".encode(), b"", hashlib.sha256)).decode()


def body(message: Message, keyword: str = "") -> dict[str, object]:
    """Return what is posted. The text is escaped: what looks like a mention in an alert is none."""
    to = whom(message.address)
    text = cut(message.text, LONGEST)
    text = f"{keyword} {text}" if keyword not in text else text
    text = text.replace("<", "＜").replace(">", "＞")
    name = "all" if to.everybody else to.name if to.name.startswith("ou_") else ""
    mention = f'<at user_id="{name}"></at> ' if name else ""
    return {"msg_type": "text", "content": {"text": mention + text}}
