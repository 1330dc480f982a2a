"""Units that are the same thing in other numbers, so that a level in millimetres fits a limit in metres. Pure."""

from collections.abc import Mapping
from typing import Final

_FAMILIES: Final[tuple[Mapping[str, float], ...]] = (
    {"mm": 0.001, "cm": 0.01, "m": 1.0, "mH2O": 1.0, "mmH2O": 0.001},
    {"Pa": 0.001, "kPa": 1.0, "bar": 100.0, "MPa": 1000.0},
    {"°": 1.0, "deg": 1.0},
    {"°C": 1.0},
    {"s": 1.0, "min": 60.0, "h": 3600.0},
)
_RATES: Final = {1.0: "s", 60.0: "min", 3600.0: "h", 86_400.0: "d"}


def factor(found: str | None, wanted: str | None) -> float | None:
    """Return what to multiply a value in `found` by to have it in `wanted`; None where one is not the other.

    A value without a unit is taken as it is, and where no unit is wanted any will do.
    """
    if not found or not wanted or found == wanted:
        return 1.0
    for family in _FAMILIES:
        if found in family and wanted in family:
            return family[found] / family[wanted]
    return None


def per(unit: str | None, seconds: float) -> str:
    """Return the unit of a change of `unit` in so many seconds: cm/h."""
    return f"{unit or ''}/{_RATES.get(seconds, f'{seconds:g} s')}"
