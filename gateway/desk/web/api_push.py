"""Web Push: the key by which push services know this desk, and the browsers whose holders allowed it.

A browser says itself where its pages go, so only the push services of browsers are taken: anything else would have the
desk send to whatever address somebody names. A shared phone is nobody's own and gets none.
"""

from typing import Annotated, Final

import msgspec

from gateway.desk.store import pushes
from gateway.desk.store.pushes import Push
from gateway.desk.web.endpoints import Asked, Endpoint
from gateway.desk.web.limits import Limit
from gateway.desk.web.permissions import Action
from gateway.desk.web.refusals import RefusalError

Address = Annotated[str, msgspec.Meta(max_length=1_000, pattern=r"^https://[!-~]+\Z")]
Base64 = Annotated[str, msgspec.Meta(min_length=16, max_length=100, pattern=r"^[A-Za-z0-9_-]+=*\Z")]


class Keys(msgspec.Struct, frozen=True):
    """The keys of a browser (RFC 8291)."""

    p256dh: Base64
    auth: Base64


class Subscription(msgspec.Struct, frozen=True):
    """A browser's `PushSubscription`, as it says it itself; what else it says is passed over."""

    endpoint: Address
    keys: Keys


class Forgotten(msgspec.Struct, frozen=True):
    """Which browser is to get no more pages."""

    endpoint: Address


class PushKey(msgspec.Struct, frozen=True):
    """The desk's `applicationServerKey`; '' where it sends no Web Push."""

    key: str


class Subscribed(msgspec.Struct, frozen=True):
    """Whether this browser gets pages now."""

    on: bool


async def key(asked: Asked) -> PushKey:
    """Return the desk's public key."""
    return PushKey(asked.parts.push.key if asked.parts.push else "")


async def subscribe(asked: Asked, told: Subscription) -> Subscribed:
    """Have the pages of the asker sent to this browser as well."""
    if asked.who.phone.person is None:
        raise RefusalError("forbidden")
    if asked.parts.push is None or not asked.parts.push.allowed(told.endpoint):
        raise RefusalError("bad", "endpoint")
    push = Push(told.endpoint, {"p256dh": told.keys.p256dh, "auth": told.keys.auth})
    async with asked.parts.database.transaction() as transaction:
        known = await pushes.find(transaction, told.endpoint)
        if known is not None and known != asked.who.person:
            raise RefusalError("changed")
        await pushes.remember(
            transaction, push, phone=asked.who.phone.phone, person=asked.who.person, now=asked.now
        )
    return Subscribed(on=True)


async def unsubscribe(asked: Asked, told: Forgotten) -> Subscribed:
    """Send no more pages to this browser."""
    async with asked.parts.database.transaction() as transaction:
        if await pushes.find(transaction, told.endpoint) == asked.who.person:
            await pushes.forget(transaction, told.endpoint)
    return Subscribed(on=False)


ENDPOINTS: Final = (
    Endpoint("GET", "/api/push/key", Action.SEE, key, "The desk's key for Web Push", None, PushKey),
    Endpoint(
        "POST", "/api/push", Action.SEE, subscribe, "Have pages sent to this browser", Subscription, Subscribed,
        limit=Limit(10.0, 0.1),
    ),
    Endpoint("DELETE", "/api/push", Action.SEE, unsubscribe, "No more pages to this browser", Forgotten, Subscribed),
)  # fmt: skip
