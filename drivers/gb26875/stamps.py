"""The time in six bytes (8.2.2): second, minute, hour, day, month, year of the century, as the wall clock shows it.

There is no zone in it: both ends mean the time of the place, in China UTC+8. Years are those of this century.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

CENTURY: Final = 2000
NO_TIME: Final = bytes(6)
_FIRST: Final = datetime(CENTURY, 1, 1, tzinfo=UTC).timestamp()
_LAST: Final = datetime(CENTURY + 99, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def stamp(wall: float, offset_h: float) -> bytes:
    """Return wall seconds since 1970 as they are written; a time outside the century becomes its nearest end."""
    local = min(max(wall + offset_h * 3600.0, _FIRST), _LAST)
    at = datetime.fromtimestamp(int(local), UTC)
    return bytes([at.second, at.minute, at.hour, at.day, at.month, at.year - CENTURY])


def wall(data: bytes, offset_h: float) -> float:
    """Return wall seconds since 1970; ValueError for six bytes that are no time."""
    second, minute, hour, day, month, year = data
    at = datetime(CENTURY + year, month, day, hour, minute, second, tzinfo=UTC)
    if year > 99:
        raise ValueError(f"year {year}")
    return (at - timedelta(hours=offset_h)).timestamp()
