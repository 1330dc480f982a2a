"""Late replies: what a silent device still owes, so that its answer is never taken for another's.

Modbus RTU has no transaction id. A device that is asked A, times out, is then asked B and only now answers A
gives B the value of A, if both replies look alike; measured, three common masters accept that. The protocol
cannot tell, so the questions must: while a device owes a reply it is only asked

  - the very same thing again: the late answer then means the same as the fresh one; or
  - something whose good reply cannot look like one it owes (another function or length, another write).

A debt ends when the device's `late_s` has passed, not when its reply seems to turn up: over a bad line another
device's confused frame can look just like it, and the true one would still come. What turns up is counted.
Nor does it end because the port was opened anew: the device does not know, and answers all the same.
Asked the same thing twice, a device owes two replies; the one that is taken leaves the other owed.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

R = TypeVar("R", bound=Hashable)
Shape = tuple[int, ...]  # function, and whatever else tells a good reply from others


@dataclass(frozen=True, slots=True)
class Debt(Generic[R]):
    """A reply that did not come in time. `sent_at` is when its request was through the wire."""

    address: int
    request: R
    shape: Shape
    sent_at: float
    until: float
    seen: bool = False


class Quarantine(Generic[R]):
    """All that the devices of one line owe. Addresses without debts cost nothing."""

    def __init__(self) -> None:
        self._debts: dict[int, list[Debt[R]]] = {}

    def __bool__(self) -> bool:
        """Say whether anything may be owed."""
        return bool(self._debts)

    def owe(self, debt: Debt[R]) -> None:
        """Note a reply that did not come in time."""
        self._debts.setdefault(debt.address, []).append(debt)

    def awaited(self, now: float) -> list[Debt[R]]:
        """Return the debts whose replies have not turned up."""
        self._forget(now)
        return [debt for debts in self._debts.values() for debt in debts if not debt.seen]

    def turned_up(self, debt: Debt[R]) -> None:
        """Note that what looks like a late reply was seen."""
        debts = self._debts[debt.address]
        debts[debts.index(debt)] = replace(debt, seen=True)

    def free_at(self, address: int, request: R, shape: Shape, now: float, *, yields: bool = False) -> float:
        """Return from when on the device may be asked this: `now`, or when its last debt that forbids it ends.

        With `yields` not even the same may be asked again: something that looks like it waits for the end of
        the debt, and would wait for ever if it were made anew each time.
        """
        if address not in self._debts:
            return now
        self._forget(now)
        forbidding = (
            debt.until
            for debt in self._debts.get(address, ())
            if debt.shape == shape and (yields or debt.request != request)
        )
        return max(forbidding, default=now)

    def doubtful_exception(self, address: int, request: R, function: int, now: float) -> bool:
        """Say whether an exception could be the late answer to something else.

        An exception tells its function and nothing more, so it has no length to be told apart by.
        """
        self._forget(now)
        debts = self._debts.get(address, ())
        return any(debt.shape[0] == function and debt.request != request for debt in debts)

    def _forget(self, now: float) -> None:
        for address in [a for a, debts in self._debts.items() if any(d.until <= now for d in debts)]:
            left = [debt for debt in self._debts[address] if debt.until > now]
            if left:
                self._debts[address] = left
            else:
                del self._debts[address]
