"""`doors`: every door as it stands, in colour, shape and word, and the interlocks below."""

import time
from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.terminal.document import DoorLine, InterlockLine
from gateway.terminal.figures import BAD, FAINT, GOOD, WARN, clock
from gateway.terminal.words import Words

STATES = {
    "locked": ("■", GOOD),
    "unlocked": ("□", WARN),
    "open": ("◫", WARN),
    "held": ("▲", "bold yellow"),
    "forced": ("◆", BAD),
    "unknown": ("?", BAD),
}
"""Shape and colour of a state; the word stands beside them."""


def screen(doors: Sequence[DoorLine], interlocks: Sequence[InterlockLine], words: Words) -> Group:
    """Return the whole of `doors`."""
    parts: list[RenderableType] = [_doors(doors, words)] if doors else [Text(words("doors.none"), FAINT)]
    parts += [interlock(each, words) for each in interlocks]
    return Group(*parts)


def interlock(seen: InterlockLine, words: Words) -> Text:
    """Return how an interlock stands and what ends it."""
    told = Text("\n").append(f"{words('doors.interlock')} {seen.interlock}  ", "bold")
    if seen.engaged and seen.drill:
        return told.append(f"◆ {words('doors.drill')}", WARN).append(
            f"  {words('doors.end_drill', name=seen.interlock)}", FAINT
        )
    if seen.engaged:
        told.append(f"◆ {words('doors.engaged')}", BAD)
        key = "doors.burning" if seen.burning else "doors.release"
        told.append(f"  {words(key, name=seen.interlock, n=seen.burning)}", FAINT)
        return told.append(f"  {words('doors.silenced')}" if seen.silenced else "", WARN)
    told.append(f"■ {words('doors.ready')}", GOOD)
    return told.append(f"  {words('doors.dry_run')}" if seen.dry_run else "", WARN)


def state_word(state: str, words: Words) -> str:
    """Return what a door is, in words."""
    return _word("doors.state", state, words)


def mode_word(mode: str, words: Words) -> str:
    """Return what a door is meant to be, in words."""
    return _word("doors.mode", mode, words)


def place_words(place: Mapping[str, str], words: Words) -> str:
    """Return where something is, from the building inwards."""
    parts = [(key, place.get(key, "")) for key in ("building", "unit", "floor")]
    return " ".join(words(f"doors.{key}", n=value) for key, value in parts if value)


def _doors(doors: Sequence[DoorLine], words: Words) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=FAINT)
    for key in ("state", "door", "place", "mode", "why", "fail"):
        table.add_column(words(f"column.{key}"), no_wrap=key != "why")
    for door in doors:
        shape, style = STATES.get(door.state, STATES["unknown"])
        table.add_row(
            Text(f"{shape} {state_word(door.state, words)}", style),
            Text(door.door, "bold"),
            " ".join(part for part in (place_words(door.place, words), door.label) if part),
            Text(mode_word(door.mode, words), "" if door.mode == "normal" else WARN),
            _why(door, words),
            Text(_word("doors.fail", door.fail, words), FAINT),
        )
    return table


def _why(door: DoorLine, words: Words) -> Text:
    told = Text(", ".join(_word("doors.kind", kind, words) for kind in door.kinds), BAD)
    if door.kinds and door.why:
        told.append("  ")
    told.append(door.why.removeprefix("local:"), FAINT)
    if door.until is not None and door.until > time.time():
        told.append(f"  {words('doors.until', time=clock(door.until))}", FAINT)
    return told


def _word(group: str, key: str, words: Words) -> str:
    whole = f"{group}_{key.replace('.', '_')}"
    return words(whole) if whole in words else key
