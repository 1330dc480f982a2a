"""The bot of a DingTalk group. Success is errcode 0; its security settings refuse with 310000.

With the setting "signature" the address carries the time in ms and the HMAC-SHA256 of "<time>\\n<secret>" under the
secret, in Base64, good for an hour. With "custom words" one of them must be in the text. 20 messages a minute for
each bot; who sends more is refused for ten minutes.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

from gateway.desk.senders.judging import Sign, ask
from gateway.desk.senders.mentioning import cut, whom
from gateway.desk.senders.posting import request
from gateway.desk.sending import Message, Result

LONGEST: Final = 16_000  # of 20,000 bytes for the whole
SIGN: Final = Sign("dingtalk", "errcode", 0)


class Dingtalk:
    """Sends to one group."""

    def __init__(
        self, url: str, *, secret: str = "", keyword: str = "", now: Callable[[], float] = time.time
    ) -> None:
        self._url, self._secret, self._keyword, self._now = url, secret, keyword, now

    async def send(self, message: Message) -> Result:
        """Send one message; `address` is a mobile number or a userid of the group, or @all."""
        url = signed(self._url, self._secret, self._now()) if self._secret else self._url
        told = body(message, self._keyword)
        return await ask(request(url, told, message.id, secrets=(self._url, self._secret)), SIGN)


def signed(url: str, secret: str, now: float) -> str:
    """Return an address with its signature."""
    stamp = str(int(now * 1000))
    digest = hmac.digest(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256)
    return f"{url}&{urlencode({'timestamp': stamp, 'sign': base64.b64encode(digest).decode()})}"


def body(message: Message, keyword: str = "") -> dict[str, object]:
    """Return what is posted. A mention counts only where the text has it too."""
    to = whom(message.address)
    text = cut(message.text, LONGEST)
    text = f"{keyword} {text}" if keyword not in text else text
    mention = to.mobile or to.name
    at = {
        "atMobiles": [to.mobile] if to.mobile else [],
        "atUserIds": [to.name] if to.name else [],
        "isAtAll": to.everybody,
    }
    return {"msgtype": "text", "text": {"content": f"{text} @{mention}" if mention else text}, "at": at}
