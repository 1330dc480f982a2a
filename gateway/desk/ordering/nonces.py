"""The nonces that gateways publish, kept until one is used: each is good for one order. Pure, told `now`.

They live a minute and on one gateway, so they live here in memory only. Several desks and operators reach for the
same few; one is chosen at random, and who comes second takes another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

LARGEST: Final = 8_192
MOST: Final = 20_000  # gateways; whoever may publish could make up names for ever
MARGIN_S: Final = 1.0  # on its way to the gateway

_Nonce = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{22}\Z")]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class _One(msgspec.Struct, frozen=True):
    nonce: _Nonce
    seconds: _Seconds


class _Told(msgspec.Struct, frozen=True):
    gateway: str
    clock: str
    nonces: Annotated[list[_One], msgspec.Meta(max_length=64)]


@dataclass(slots=True)
class _Pool:
    """What one gateway told last: each nonce with the monotonic second of its end, the freshest first."""

    ends: dict[str, float]
    synced: bool
    used: set[str] = field(default_factory=set)


_decoder = msgspec.json.Decoder(_Told)


class Nonces:
    """What all gateways told last. `choose` picks one of several."""

    def __init__(self, choose: Callable[[Sequence[str]], str]) -> None:
        self._choose = choose
        self._pools: dict[str, _Pool] = {}

    def told(self, gateway: str, content: bytes, now: float) -> bool:
        """Take in what a gateway published; say no if it is nothing of the kind."""
        try:
            told = _decoder.decode(content[: LARGEST + 1])
        except (msgspec.DecodeError, RecursionError):
            return False
        if told.gateway != gateway:
            return False
        before = self._pools.get(gateway)
        ends = {each.nonce: now + each.seconds for each in told.nonces}
        used = set() if before is None else before.used & ends.keys()
        self._pools.pop(gateway, None)
        while len(self._pools) >= MOST:
            del self._pools[next(iter(self._pools))]
        self._pools[gateway] = _Pool(ends, told.clock == "synced", used)
        return True

    def take(self, gateway: str, now: float, *, life_s: float) -> str | None:
        """Return a nonce for an order that lives `life_s`, and never the same again; None: there is none just now.

        Where the gateway's clock is not set an order may not be older than its nonce: there the freshest is taken.
        """
        pool = self._pools.get(gateway)
        if pool is None:
            return None
        left = [text for text, end in pool.ends.items() if text not in pool.used and end > now + MARGIN_S]
        if not left:
            return None
        enough = [text for text in left if pool.ends[text] >= now + min(life_s, 10.0)]
        chosen = self._choose(enough or left) if pool.synced else left[0]
        pool.used.add(chosen)
        return chosen

    def has(self, gateway: str, now: float) -> bool:
        """Return whether there is a nonce to take."""
        pool = self._pools.get(gateway)
        return pool is not None and any(
            end > now + MARGIN_S for text, end in pool.ends.items() if text not in pool.used
        )

    def is_synced(self, gateway: str) -> bool:
        """Return whether the gateway said that its clock is set."""
        pool = self._pools.get(gateway)
        return pool is not None and pool.synced
