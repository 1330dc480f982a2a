"""How a bench shows what it measured: a table for people, then one JSON object as the last line for machines."""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table: what was measured, what came out, what was wanted, and whether that is met."""

    what: str
    measured: str
    wanted: str = ""
    met: bool | None = None


def at_least(what: str, value: float, wanted: float, unit: str = "") -> Figure:
    """Return a figure that should be `wanted` or more."""
    return Figure(what, f"{value:,.4g}{unit}", f">= {wanted:,g}{unit}", value >= wanted)


def at_most(what: str, value: float, wanted: float, unit: str = "") -> Figure:
    """Return a figure that should be `wanted` or less."""
    return Figure(what, f"{value:,.4g}{unit}", f"<= {wanted:,g}{unit}", value <= wanted)


def present(title: str, figures: Iterable[Figure], keys: Mapping[str, object]) -> None:
    """Print the table, the machine it was measured on, and `keys` as JSON on the last line."""
    rows = [(f.what, f.measured, f.wanted, {True: "yes", False: "NO", None: ""}[f.met]) for f in figures]
    rows.insert(0, ("", "measured", "wanted", "met"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    print(f"{title} ({platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()})")
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(json.dumps(keys), flush=True)
