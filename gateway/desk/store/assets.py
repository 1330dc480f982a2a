"""The registry's rows. What people write and what gateways report stand in columns of their own and never meet."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

import msgspec

from gateway.core.events import Place
from gateway.core.installed import Asset, Reported, Written
from gateway.desk.store import news
from gateway.desk.store.database import Row, Transaction, Value, among, insert

MOST: Final = 20_000

_WRITTEN: Final = (
    "kind", "model", "place", "serial", "installed_on", "service_years", "tested_on", "maintain_on", "note",
)  # fmt: skip
_COLUMNS: Final = (
    "INSERT INTO assets (asset, gateway, device, "
    + ", ".join(_WRITTEN)
    + ", reported, reported_at, gone_at, version)"
)
_WRITE: Final = (
    "ON CONFLICT (asset) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _WRITTEN)
    + ", version = assets.version + 1"
)
_REPORT: Final = (
    "ON CONFLICT (asset) DO UPDATE SET reported = excluded.reported, reported_at = excluded.reported_at,"
    " gone_at = excluded.gone_at WHERE assets.reported_at IS NULL OR assets.reported_at <= excluded.reported_at"
)


async def everything(transaction: Transaction, most: int = MOST) -> list[Asset]:
    """Return all devices, by gateway and name."""
    rows = await transaction.fetch(f"SELECT * FROM assets ORDER BY gateway, device LIMIT {int(most)}")
    return [_asset(row) for row in rows]


async def these(transaction: Transaction, names: Sequence[str], *, locked: bool = False) -> dict[str, Asset]:
    """Return these devices by name, as far as there are any; `locked`: nobody else changes them meanwhile."""
    if locked and transaction.skip_locked:
        for name in sorted(names):
            await transaction.fetch("SELECT asset FROM assets WHERE asset = $1 FOR UPDATE", name)
    rows = await among(transaction, "SELECT * FROM assets WHERE asset", names)
    return {row["asset"]: _asset(row) for row in rows}


async def write(transaction: Transaction, assets: Sequence[Asset], now: float) -> None:
    """Put down what people wrote of these."""
    rows = [_row(each, version=1) for each in assets]
    await insert(transaction, _COLUMNS, rows, _WRITE)
    await news.tell(transaction, "asset", [each.name for each in assets], now)


async def report(transaction: Transaction, assets: Sequence[Asset], now: float) -> None:
    """Put down what gateways report of these; a device that was gone is back. Pages hear of what is different."""
    known = await these(transaction, [each.name for each in assets])
    rows = [_row(each, version=0) for each in sorted(assets, key=lambda each: each.name)]
    await insert(transaction, _COLUMNS, rows, _REPORT)
    changed = [each.name for each in assets if _differs(known.get(each.name), each)]
    await news.tell(transaction, "asset", changed, now)


async def gone(
    transaction: Transaction, gateway: str, *, but: Collection[str] | None, only: str = "", now: float
) -> list[str]:
    """Mark what a gateway reported once and has no more: all `but` these, or `only` one; return their names."""
    rows = await transaction.fetch(
        "SELECT asset, device FROM assets WHERE gateway = $1 AND reported_at IS NOT NULL AND gone_at IS NULL",
        gateway,
    )
    missing = sorted(
        row["asset"]
        for row in rows
        if (row["device"] not in but if but is not None else row["device"] == only)
    )
    for name in missing:
        await transaction.execute(
            "UPDATE assets SET gone_at = $2 WHERE asset = $1 AND gone_at IS NULL", name, now
        )
    await news.tell(transaction, "asset", missing, now)
    return missing


def _differs(before: Asset | None, after: Asset) -> bool:
    return before is None or before.gone_at is not None or before.reported != after.reported


def _row(each: Asset, *, version: int) -> list[Value]:
    return [each.name, each.gateway, each.device, *_written(each.written), _json(each.reported), each.reported_at,
            each.gone_at, version]  # fmt: skip


def _written(told: Written) -> list[Value]:
    values = [getattr(told, name) for name in _WRITTEN]
    return [
        each.isoformat() if isinstance(each, date) else _json(each) if isinstance(each, Place) else each
        for each in values
    ]


def _asset(row: Row) -> Asset:
    told = {name: row[name] for name in _WRITTEN}
    told |= {
        name: None if row[name] is None else date.fromisoformat(row[name])
        for name in ("installed_on", "tested_on", "maintain_on")
    }
    told["place"] = msgspec.json.decode(row["place"], type=Place)
    return Asset(
        gateway=row["gateway"],
        device=row["device"],
        written=Written(**told),
        reported=msgspec.json.decode(row["reported"], type=Reported),
        reported_at=row["reported_at"],
        gone_at=row["gone_at"],
        version=row["version"],
    )


def _json(told: object) -> str:
    return msgspec.json.encode(told).decode()
