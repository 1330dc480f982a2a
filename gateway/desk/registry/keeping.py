"""The registry as pages see it: all devices, some seconds old, and what people change, checked and written."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from drivers.api import Text
from gateway.core.events import Place
from gateway.core.faults import Fault, same
from gateway.core.installed import Asset, Written
from gateway.desk.registry.ledger import Change, Ledger, applied, changes
from gateway.desk.store import assets, work
from gateway.desk.store.database import Database, Transaction

FRESH_S: Final = 5.0
MOST_SHOWN: Final = 500

Allowed = Callable[[Place], bool]
Seen = Callable[[Asset], bool]


class Changed(msgspec.Struct, frozen=True):
    """What an import does to one device. `row` of the ledger; `is_new`: the registry had none."""

    row: int
    asset: str
    is_new: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import does, or would: nothing at all while there is a fault."""

    rows: int
    changed: tuple[Changed, ...]
    faults: tuple[Fault, ...]


@dataclass(slots=True)
class Registry:
    """All devices, read anew when that is some seconds old. `clock` is monotonic."""

    database: Database
    clock: Callable[[], float] = time.monotonic
    _known: Sequence[Asset] = field(default_factory=tuple)
    _until: float = 0.0

    async def everything(self) -> Sequence[Asset]:
        """Return all devices."""
        if self.clock() >= self._until:
            async with self.database.transaction() as transaction:
                self._known = await assets.everything(transaction)
            self._until = self.clock() + FRESH_S
        return self._known

    def forget(self) -> None:
        """Have them read anew at the next question."""
        self._until = 0.0


async def write(transaction: Transaction, before: Asset, written: Written, *, who: str, now: float) -> Asset:
    """Put down what somebody wrote of a device, with what it was before in the audit trail."""
    after = msgspec.structs.replace(before, written=written, version=before.version + 1)
    await assets.write(transaction, [after], now)
    told = [msgspec.to_builtins(each) for each in changes(before, after)]
    await work.write_down(transaction, f"asset/{after.name}", now, who, "write", detail={"changes": told})
    return after


async def carry_out(
    transaction: Transaction,
    ledger: Ledger,
    allowed: Allowed,
    *,
    dry: bool,
    who: str,
    now: float,
    seen: Seen = lambda _: True,
) -> Outcome:
    """Put a whole ledger into the registry, or, if it is `dry` or anything is wrong, only say what it would do.

    A device that is not `seen` is as one of another's places: nothing is written over it and nothing said of it.
    """
    known = await assets.these(transaction, [line.name for line in ledger.lines], locked=not dry)
    faults, changed, after = list(ledger.faults), list[Changed](), list[Asset]()
    for line in ledger.lines:
        before = known.get(line.name, Asset(line.gateway, line.device))
        made = applied(before, line)
        is_new = line.name not in known
        if not allowed(made.facts.place) or not (is_new or (allowed(before.facts.place) and seen(before))):
            faults.append(Fault("row", same(line.name), _YOURS, line=line.number))
        elif is_new or made != before:
            after.append(made)
            changed.append(Changed(line.number, line.name, is_new, changes(before, made)))
    if not dry and not faults and after:
        await assets.write(transaction, after, now)
        await work.write_down(transaction, "assets", now, who, "import", detail=_trail(changed))
    return Outcome(len(ledger.lines), tuple(changed), tuple(faults))


def _trail(changed: Sequence[Changed]) -> dict[str, Any]:
    return {"devices": len(changed), "first": [msgspec.to_builtins(each) for each in changed[:MOST_SHOWN]]}


_YOURS: Final = Text("您辖区内的设备", "a device in your places")
