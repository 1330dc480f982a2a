"""What is installed and when it was tested, as rows for a table, a CSV or a page to print. Pure, told the day.

The rules of what is due are those of the duty desk's registry (gateway/core/installed.py), the calendar that of the
standards (gateway/core/maintenance.py).
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from gateway.core import maintenance
from gateway.core.events import Place
from gateway.core.installed import KINDS, Asset, Reported, Written
from gateway.core.ledger_columns import Cell
from gateway.core.texts import Subject, where
from gateway.terminal.words import Words

YEAR: Final = 365


class Tested(msgspec.Struct, frozen=True):
    """When a device was last seen to alarm in a test, wall seconds, and how."""

    at: float
    how: str
    by: str = ""


class Swap(msgspec.Struct, frozen=True):
    """One unit went, another came, wall seconds; `by` "": its serial number alone said so."""

    at: float
    by: str = ""
    before: str = ""
    after: str = ""


class Row(msgspec.Struct, frozen=True):
    """One device as its gateway tells it; see `gateway.services.upkeep.Upkeep.rows`."""

    device: str
    line: str
    address: int
    profile: str
    category: str = ""
    label: str = ""
    place: Place = Place()
    serial: str = ""
    firmware: str = ""
    swaps: tuple[Swap, ...] = ()
    installed_on: date | None = None
    service_years: float | None = None
    detector: bool = False
    online: bool | None = None
    first_seen: float | None = None
    last_seen: float | None = None
    tested: Tested | None = None

    def asset(self, gateway: str, offset_h: float) -> Asset:
        """Return it as the desk's registry knows a device."""
        kind = self.category if self.category in KINDS else "other"
        written = Written(
            serial=self.serial,
            installed_on=self._hangs_since(offset_h),
            service_years=self.service_years,
            tested_on=None if self.tested is None else day_of(self.tested.at, offset_h),
        )
        return Asset(
            gateway, self.device, written, Reported(kind, self.profile, self.label, self.place, self.online)
        )

    def replaced_on(self, offset_h: float) -> date | None:
        """Return the day of its last swap."""
        return day_of(self.swaps[-1].at, offset_h) if self.swaps else None

    def _hangs_since(self, offset_h: float) -> date | None:
        """Return since when the unit of today hangs there: a later swap counts more than what is written."""
        days = [day for day in (self.installed_on, self.replaced_on(offset_h)) if day]
        return max(days, default=None)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All devices of one gateway on one day. `done`: when the rounds of the calendar were; `things`: kinds of asset."""

    gateway: str
    name: str
    rows: Sequence[Row]
    today: date
    offset_h: float = 8.0
    done: Mapping[str, Tested] = field(default_factory=dict)
    things: frozenset[str] = frozenset()

    def assets(self) -> list[Asset]:
        """Return the devices as the registry knows them."""
        return [row.asset(self.gateway, self.offset_h) for row in self.rows]

    def detectors(self) -> list[Row]:
        """Return what is to be seen to alarm."""
        return [row for row in self.rows if row.detector]

    def tested(self) -> dict[str, date | None]:
        """Return the day each detector was last tested."""
        return {
            row.device: None if row.tested is None else day_of(row.tested.at, self.offset_h)
            for row in self.detectors()
        }

    def every_days(self) -> dict[str, int]:
        """Return how often each detector is to be tested."""
        return {row.device: maintenance.test_days_of(row.category) or YEAR for row in self.detectors()}

    def plan(self) -> list[str]:
        """Return which detectors to test this month."""
        return maintenance.batch(self.tested(), self.every_days(), self.today)

    def overdue(self) -> list[str]:
        """Return which detectors were never tested, or not for too long."""
        return maintenance.overdue(self.tested(), self.every_days(), self.today)


def day_of(wall: float, offset_h: float) -> date:
    """Return the day a moment is in, in the compound's own time."""
    return (datetime.fromtimestamp(wall, UTC) + timedelta(hours=offset_h)).date()


def foreign(sheet: Sheet, words: Words) -> list[list[Cell]]:
    """Return the columns of the inventory that a desk's ledger has not, a row a device."""
    rows: list[list[Cell]] = []
    for row, asset in zip(sheet.rows, sheet.assets(), strict=True):
        seen = [None if at is None else day_of(at, sheet.offset_h) for at in (row.first_seen, row.last_seen)]
        how = "" if row.tested is None else words(f"upkeep.{row.tested.how}")
        due = "、".join(words(f"upkeep.due_{why}") for why in asset.due(sheet.today))
        swapped = row.replaced_on(sheet.offset_h)
        rows.append([row.line, float(row.address), *seen, how, due, row.firmware, swapped])
    return rows


def report(sheet: Sheet, words: Words) -> list[list[str]]:
    """Return the test report as rows of text, its head first: each detector, when it was tested, what is overdue."""
    tested, every, late = sheet.tested(), sheet.every_days(), set(sheet.overdue())
    head = [words(f"upkeep.{name}") for name in ("device", "place", "tested", "how", "by", "next", "state")]
    rows = [head]
    for row in sheet.detectors():
        last = tested[row.device]
        following = "" if last is None else (last + timedelta(days=every[row.device])).isoformat()
        state = "never" if last is None else "overdue" if row.device in late else "good"
        by = "" if row.tested is None else row.tested.by.removeprefix("local:")
        rows.append(
            [
                row.device,
                _where(row, words),
                "" if last is None else last.isoformat(),
                "" if row.tested is None else words(f"upkeep.{row.tested.how}"),
                by,
                following,
                words(f"upkeep.{state}"),
            ]
        )
    return rows


def summary(sheet: Sheet, words: Words) -> list[str]:
    """Return what the report comes to, a sentence a line."""
    tested = sheet.tested()
    month = sum(
        1 for day in tested.values() if day and (day.year, day.month) == (sheet.today.year, sheet.today.month)
    )
    told = words("upkeep.summary", n=len(tested), month=month, late=len(sheet.overdue()))
    marked = maintenance.sources({row.category for row in sheet.detectors()})
    return [told, words("upkeep.sources", sources="；".join(marked)), words("upkeep.unchecked")]


def page(sheet: Sheet, words: Words) -> str:
    """Return the report as a page to print, with room for signatures; nothing in it is loaded from anywhere."""
    title = html.escape(f"{sheet.name or sheet.gateway}  {words('upkeep.title')}  {sheet.today.isoformat()}")
    head, *rows = report(sheet, words)
    late = words("upkeep.good")
    body = "".join(f"<tr{'' if row[-1] == late else ' class=late'}>{_cells('td', row)}</tr>" for row in rows)
    notes = "".join(f"<p>{html.escape(line)}</p>" for line in summary(sheet, words))
    signed = "".join(
        f"<td>{html.escape(words(f'upkeep.{who}'))}</td>" for who in ("tester", "responsible", "day")
    )
    return (
        f'<!DOCTYPE html><html lang="{words.language}"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style>"
        f"<h1>{title}</h1><table><thead><tr>{_cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"
        f"{notes}<table class=signed><tr>{signed}</tr></table></html>\n"
    )


def named(devices: Iterable[str], sheet: Sheet, words: Words) -> list[list[str]]:
    """Return devices with their places, to go round with."""
    by_name: Mapping[str, Row] = {row.device: row for row in sheet.rows}
    return [[name, _where(by_name[name], words)] for name in devices]


def read(told: Mapping[str, Any]) -> tuple[list[Row], dict[str, Tested]]:
    """Return the devices of an answer of a gateway, and what of the calendar was done."""
    devices = msgspec.convert(told["devices"], list[Row], strict=False)
    return devices, msgspec.convert(told.get("done", {}), dict[str, Tested], strict=False)


def _where(row: Row, words: Words) -> str:
    return words.of(where(Subject(row.device, row.label, row.place)))


def _cells(tag: str, row: Sequence[str]) -> str:
    return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)


_STYLE: Final = (
    "body{font:14px sans-serif;margin:2em}h1{font-size:18px}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #999;padding:4px 6px;text-align:left}tr.late td{font-weight:bold}"
    ".signed td{border:0;padding-top:3em;width:33%}@media print{body{margin:0}tr{page-break-inside:avoid}}"
)
