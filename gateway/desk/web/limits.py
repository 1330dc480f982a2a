"""How often somebody may ask: by phone, by address where there is none, and in all where guesses must stay vain."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from gateway.core.allowances import Allowance

MOST_KNOWN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """So many at once, and so many more every second."""

    most: float
    per_second: float


GENERAL: Final = Limit(60.0, 10.0)


class Limiter:
    """Allowances by name. Of too many the one not used for longest is forgotten: a flood of names frees nobody else."""

    def __init__(self, most_known: int = MOST_KNOWN) -> None:
        self._most_known = most_known
        self._known: OrderedDict[str, Allowance] = OrderedDict()

    def take(self, name: str, limit: Limit, now: float) -> bool:
        """Take one of what `name` has; False when there is none left. `now` is monotonic."""
        allowance = self._known.get(name)
        if allowance is None:
            allowance = self._known[name] = Allowance(limit.most, limit.per_second)
        self._known.move_to_end(name)
        if len(self._known) > self._most_known:
            self._known.popitem(last=False)
        return allowance.take(now)


def address_of(request: Request) -> str:
    """Return from where somebody asks; of IPv6 the network, for its every owner has 2^64 addresses in it."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
