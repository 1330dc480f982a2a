"""`assets`: all that is made of several devices, as it stands; `bins`: which of the bins to empty today, as a route."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from gateway.core.assets import kinds
from gateway.core.csv_text import to_csv
from gateway.core.payload import rfc3339
from gateway.terminal.document import AssetLine, AssetValue
from gateway.terminal.doors import place_words
from gateway.terminal.figures import BAD, FAINT, GOOD, WARN, bar, clock
from gateway.terminal.words import Words

BIN: Final = "bin"
COLUMNS: Final = ("asset", "label", "building", "unit", "floor", "fill", "certain", "collected")
"""Of the route as CSV; `fill` in per cent, `collected` RFC 3339."""


def screen(assets: Sequence[AssetLine], words: Words) -> RenderableType:
    """Return every asset with what its points say; what is not good is marked.

    A kind keeps its name beside the Chinese one: `--kind` takes that.
    """
    if not assets:
        return Text(words("assets.none"), FAINT)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("asset", "kind", "place", "points"):
        table.add_column(words(f"column.{key}"), no_wrap=key != "points")
    titles = kinds.built_in() if words.language == "zh" else {}
    for asset in assets:
        known_kind = titles.get(asset.kind)
        kind = f"{known_kind.asset.title.zh} {asset.kind}" if known_kind else asset.kind
        table.add_row(Text(asset.asset, "bold"), kind, _where(asset, words), _points(asset, words))
    return table


def route(assets: Iterable[AssetLine], over: float | None = None) -> list[AssetLine]:
    """Return the bins to empty, building by building, the fullest first; those nobody knows of at the end.

    A bin is to be emptied from its own limit (`collect`) on, or from `over` per cent. The building with the fullest
    bin comes first; a bin whose sensor is silent may be full, so it is on the list and is said to be unknown.
    """
    bins = [each for each in assets if each.kind == BIN]
    due = [each for each in bins if _is_due(each, over)]
    unknown = [each for each in bins if not known(each) and each not in due]
    fullest: dict[str, float] = {}
    for each in due:
        building = each.place.get("building", "")
        fullest[building] = max(fullest.get(building, 0.0), fill_of(each))
    due.sort(key=lambda e: (-fullest[e.place.get("building", "")], e.place.get("building", ""), -fill_of(e)))
    return [*due, *sorted(unknown, key=lambda e: (e.place.get("building", ""), e.asset))]


def route_screen(bins: Sequence[AssetLine], words: Words) -> RenderableType:
    """Return the route for people."""
    if not bins:
        return Text(f"● {words('bins.none')}", GOOD)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("asset", "place", "fill", "collected"):
        table.add_column(words(f"column.{key}"), no_wrap=True)
    for each in bins:
        collected = _value(each, "collected_at")
        when = Text(words("bins.never"), FAINT) if collected is None else Text(clock(collected))
        table.add_row(Text(each.asset, "bold"), _where(each, words), _fill(each, words), when)
    return table


def route_rows(bins: Iterable[AssetLine]) -> Iterator[dict[str, Any]]:
    """Yield the route as plain rows, for scripts."""
    for each in bins:
        collected = _value(each, "collected_at")
        place = {name: each.place.get(name, "") for name in ("building", "unit", "floor")}
        yield {
            "asset": each.asset,
            "label": each.label,
            **place,
            "fill": fill_of(each),
            "certain": known(each),
            "collected": None if collected is None else rfc3339(collected),
        }


def route_csv(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the route as a CSV that Excel opens too: a heading, and a bin a line."""
    told = ({**row, "certain": str(row["certain"]).lower()} for row in rows)
    return to_csv([COLUMNS, *([row[name] for name in COLUMNS] for row in told)])


def fill_of(asset: AssetLine) -> float:
    """Return how full a bin was when it was last known, in per cent; 0 where it never was."""
    return _value(asset, "fill") or 0.0


def known(asset: AssetLine) -> bool:
    """Return whether its sensor says today how full it is."""
    return asset.points.get("fill", AssetValue()).quality == "good"


def _is_due(asset: AssetLine, over: float | None) -> bool:
    limit = asset.settings.get("collect", 70.0) if over is None else over
    return asset.points.get("fill", AssetValue()).value is not None and fill_of(asset) >= limit


def _value(asset: AssetLine, point: str) -> float | None:
    value = asset.points.get(point, AssetValue()).value
    return None if value is None else float(value)


def _where(asset: AssetLine, words: Words) -> str:
    return " ".join(part for part in (place_words(asset.place, words), asset.label) if part)


def _fill(asset: AssetLine, words: Words) -> Text:
    if asset.points.get("fill", AssetValue()).value is None:
        return Text(f"? {words('bins.unknown')}", BAD)
    fill = fill_of(asset)
    told = Text(f"{bar(fill / 100)} {fill:.0f} %", BAD if fill >= 90 else WARN)
    return told if known(asset) else told.append(f"  ? {words('bins.unknown')}", BAD)


def _points(asset: AssetLine, words: Words) -> Text:
    told = Text()
    for name, seen in asset.points.items():
        if told:
            told.append("  ")
        told.append(f"{name} ", FAINT)
        told.append(_shown(seen, words), "" if seen.quality == "good" else BAD)
    return told


def _shown(seen: AssetValue, words: Words) -> str:
    mark = "" if seen.quality == "good" else "?"
    match seen.value:
        case None:
            return f"{mark}–"
        case bool():
            return mark + words("assets.on" if seen.value else "assets.off")
        case value if seen.unit == "unix s":
            return mark + clock(float(value))
    return f"{mark}{seen.value:g} {seen.unit or ''}".rstrip()
