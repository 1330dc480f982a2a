"""Web Push (RFC 8030, 8291, 8292): pages to browsers that sleep, encrypted for each, over their makers' push services.

An address is a person; the browsers are those where that person allowed it. One that is gone (404, 410) is forgotten.
Any of them is enough: "delivered" means that a push service took it. In mainland China Android browsers' service is
out of reach, so this stands behind another channel. A browser names its service itself, so only known ones are asked.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.core.events import Words
from gateway.desk.senders import sealing
from gateway.desk.senders.judging import AGAIN
from gateway.desk.senders.mentioning import cut
from gateway.desk.senders.posting import Answer, Request, post
from gateway.desk.sending import Delivered, Message, Rejected, Result, Unknown
from gateway.desk.store import pushes
from gateway.desk.store.database import Database
from gateway.desk.store.pushes import Push

SERVICES: Final = (
    "https://fcm.googleapis.com",
    "https://*.push.services.mozilla.com",
    "https://*.push.apple.com",
    "https://*.notify.windows.com",
)
GONE: Final = frozenset({404, 410})
TTL_S: Final = 4 * 3600  # a phone that is off gets it when it is on again
CLAIM_S: Final = 12 * 3600  # RFC 8292 allows 24 h
LONGEST: Final = 2_500  # bytes; the services take 4,096 encrypted
URGENCY: Final = ("low", "normal", "high", "high")  # by rank, RFC 8030 5.3
TITLES: Final = {
    "zh": ("提示", "一般告警", "重要告警", "紧急告警"),
    "en": ("Notice", "Minor", "Major", "Critical"),
}

_NOBODY: Final = Words(
    "此人还没有在手机上允许通知：打开值班页（https），点“允许通知”",
    "nobody's browser takes it yet: open the duty page over https on the phone and allow notifications",
)


class WebPush:
    """Sends to the browsers of people. `contact` is whom a push service may ask: mailto: or https:."""

    def __init__(
        self,
        database: Database,
        key: ec.EllipticCurvePrivateKey,
        contact: str,
        services: Sequence[str] = (),
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._key, self._contact = database, key, contact
        self._services, self._now = (*SERVICES, *services), now

    async def send(self, message: Message) -> Result:
        """Send one message to every browser of a person, at once: a service that hangs holds up no other."""
        async with self._database.transaction() as transaction:
            found = await pushes.of_person(transaction, message.address)
        results = await asyncio.gather(*(self._push(push, message) for push in found))
        took = [each for each in results if isinstance(each, Delivered)]
        if took:
            return Delivered(f"{took[0].answer} ({len(took)} of {len(found)})")
        refused = [each for each in results if isinstance(each, Rejected | Unknown)]
        refused.sort(key=lambda each: isinstance(each, Rejected) and not each.retryable)
        return refused[0] if refused else Rejected("no browser", retryable=False, means=_NOBODY)

    async def _push(self, push: Push, message: Message) -> Result | None:
        """Send to one browser; None: it is gone."""
        if not allowed(push.endpoint, self._services):
            host = urlsplit(push.endpoint).hostname
            return Rejected(f"no push service: {host}", retryable=False)
        try:
            asked = self._request(push, message)
        except ValueError as error:  # keys of a browser that are none
            return Rejected(f"not sealed: {error}", retryable=False)
        answer = await post(asked)
        if not isinstance(answer, Answer):
            return answer
        if answer.status in GONE:
            async with self._database.transaction() as transaction:
                await pushes.forget(transaction, push.endpoint)
            return None
        told = f"{answer.status} {answer.said}".strip()
        if answer.status in {200, 201, 202, 204}:
            return Delivered(told)
        return Rejected(told, retryable=answer.status >= 500 or answer.status in AGAIN)

    def _request(self, push: Push, message: Message) -> Request:
        sealed = sealing.seal(msgspec.json.encode(body(message)), push.keys)
        expires = int(self._now()) + CLAIM_S
        headers = {
            "Authorization": sealing.authorization(push.endpoint, self._contact, expires, self._key),
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "TTL": str(TTL_S),
            "Urgency": URGENCY[message.rank],
        }
        return Request(push.endpoint, sealed, message.id, secrets=(push.endpoint,), headers=headers)


def body(message: Message) -> dict[str, object]:
    """Return what the page's worker shows; the same `tag` again replaces what is shown."""
    title = TITLES.get(message.language, TITLES["en"])[message.rank]
    return {"title": title, "body": cut(message.text, LONGEST), "tag": message.id, "path": ""}


def allowed(endpoint: str, services: Sequence[str]) -> bool:
    """Return whether an address is that of one of these services; `*.` stands for any name in front."""
    try:
        address = urlsplit(endpoint)
        host, port = address.hostname or "", address.port
    except ValueError:
        return False
    if (
        address.username is not None
        or not endpoint.isascii()
        or not endpoint.isprintable()
        or " " in endpoint
    ):
        return False
    for service in services:
        scheme, _, name = service.partition("://")
        wanted, _, wanted_port = name.partition(":")
        same = host.endswith(wanted[1:]) if wanted.startswith("*.") else host == wanted
        if (
            scheme == address.scheme
            and same
            and (str(port) == wanted_port if wanted_port else port in {None, 443})
        ):
            return True
    return False
